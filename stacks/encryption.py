"""The key that data at rest is encrypted with, where it is not to be the services' own."""

from __future__ import annotations

from typing import cast

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks import arns, retention
from stacks.stages import StageConfig

BY_SERVICES, _OWN, _SAME = "aws", "own", "same"
_ID = "Encryption"


def key(scope: Construct, config: StageConfig) -> kms.IKey | None:
    """The key for what `scope` makes: none, one that exists, or one that it shares with the constructs beside it.

    The first who asks makes it. The policy of a key that exists is its owner's (docs/encryption.md): what is added to
    it here goes nowhere.
    """
    if config.encryption_key == BY_SERVICES:
        return None
    around = cast("Construct", scope.node.scope)
    if made := around.node.try_find_child(_ID):
        return cast("kms.IKey", made)
    if config.encryption_key == _OWN:
        return _own(around, config)
    return kms.Key.from_key_arn(around, _ID, config.encryption_key)


def of_domain(scope: Construct, config: StageConfig) -> kms.IKey | None:
    """The key for a domain that the stack makes: its own choice, since another one makes a new and empty domain.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-opensearchservice-domain-encryptionatrestoptions.html
    """
    if config.domain_encryption_key == BY_SERVICES:
        return None
    if config.domain_encryption_key == _SAME:
        return key(scope, config)
    return kms.Key.from_key_arn(scope, "Key", config.domain_encryption_key)


def by_service(name: str, source_arn: str) -> iam.PolicyStatement:
    """Let a service encrypt and decrypt for a resource of this account, and for nobody else's."""
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal(f"{name}.amazonaws.com")],
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=["*"],
        conditions=arns.only_for(source_arn),
    )


def _own(scope: Construct, config: StageConfig) -> kms.Key:
    made = kms.Key(
        scope,
        _ID,
        description=f"Encrypts the logs, letters and alarms of {Stack.of(scope).stack_name}",
        enable_key_rotation=True,
        # What it has encrypted can be read as long as it is there.
        removal_policy=retention.removal(config),
    )
    made.add_to_resource_policy(_by_logs())
    return made


def _by_logs() -> iam.PolicyStatement:
    """Let CloudWatch Logs use the key for log groups of this account and Region, which is all that it can be asked for.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.{Aws.URL_SUFFIX}")],
        actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        resources=["*"],
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arns.ANY_LOG_GROUP}},
    )
