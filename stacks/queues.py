"""Where nothing is lost: the retry queue, the dead-letter queue behind it, the bucket for what is too large."""

from __future__ import annotations

from typing import cast

import jsii
from aws_cdk import CfnResource, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from shipper.aws.queue import KEY_PREFIX as LETTERS
from shipper.failures import KEY_PREFIX as RECORDS
from stacks import arns, encryption, retention
from stacks.stages import StageConfig

_KEPT_OF_STACK_NAME_CHARS = 20
"""A bucket's generated name begins with the stack's; so much of that stays where CloudFormation has to shorten;
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html"""


class Queues(Construct):
    """Both queues and the bucket for failed events. Data is kept unless the stage says otherwise."""

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(scope, construct_id)
        removal = retention.removal(config)
        self._key = encryption.key(self, config)
        encrypted = sqs.QueueEncryption.KMS if self._key else sqs.QueueEncryption.SQS_MANAGED
        kept = Duration.days(config.queue_retention_days)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=encrypted,
            encryption_master_key=self._key,
            enforce_ssl=True,
            retention_period=kept,
            removal_policy=removal,
        )
        self.retries = sqs.Queue(
            self,
            "Retries",
            encryption=encrypted,
            encryption_master_key=self._key,
            enforce_ssl=True,
            retention_period=kept,
            visibility_timeout=Duration.seconds(config.retry_visibility_s),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=config.retry_max_receives),
            removal_policy=removal,
        )
        self.failed_events = s3.Bucket(
            self,
            "FailedEvents",
            encryption=s3.BucketEncryption.KMS if self._key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self._key,
            # One call of KMS for many objects;
            # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
            bucket_key_enabled=True if self._key else None,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(90),
                    noncurrent_version_expiration=Duration.days(30),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            removal_policy=removal,
        )
        self.bodies_arn = self.failed_events.arn_for_objects(f"{LETTERS}*")
        self._announce_failures()

    def grant_send_letters(self, grantee: iam.IGrantable) -> None:
        """Put letters into both queues and their bodies into the bucket."""
        self._grant_send(grantee, self.retries, self.dead_letters)

    def grant_send_dead_letters(self, grantee: iam.IGrantable) -> None:
        """Put letters into the dead-letter queue and their bodies into the bucket."""
        self._grant_send(grantee, self.dead_letters)

    def grant_consume_dead_letters(self, grantee: iam.IGrantable) -> None:
        """Read dead letters, and give them back or delete them."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"],
            resource_arns=[self.dead_letters.queue_arn],
        )
        self._grant_key(grantee, "kms:Decrypt")

    def grant_read_bodies(self, grantee: iam.IGrantable) -> None:
        """Read the bodies that letters point at."""
        self._grant_bodies(grantee, "s3:GetObject")

    def _announce_failures(self) -> None:
        """Have S3 tell the dead-letter queue of each record of Lambda, so that there is one inbox.

        By the bucket's own property: the CDK's method for it deploys a function only to set it.
        """
        stack = Stack.of(self)
        name = f"{stack.stack_name[:_KEPT_OF_STACK_NAME_CHARS].lower()}*"
        # S3 tries the queue when the bucket is made: its policy has to come first, without the whole name.
        bucket_arn = stack.format_arn(service="s3", region="", account="", resource=name)
        self.dead_letters.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.dead_letters.queue_arn],
                conditions=arns.only_for(bucket_arn),
            )
        )
        if self._key:
            # https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
            self._key.add_to_resource_policy(encryption.by_service("s3", bucket_arn))
        bucket = cast("s3.CfnBucket", self.failed_events.node.default_child)
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(
                    event="s3:ObjectCreated:*",
                    queue=self.dead_letters.queue_arn,
                    filter=s3.CfnBucket.NotificationFilterProperty(
                        s3_key=s3.CfnBucket.S3KeyFilterProperty(
                            rules=[s3.CfnBucket.FilterRuleProperty(name="prefix", value=RECORDS)]
                        )
                    ),
                )
            ]
        )
        policy = self.dead_letters.node.find_child("Policy").node.default_child
        bucket.add_resource_dependency(cast("CfnResource", policy))

    def _grant_send(self, grantee: iam.IGrantable, *queues: sqs.IQueue) -> None:
        # One action: the queue's own grant adds two that nobody calls, and with a key families of actions.
        arns = [queue.queue_arn for queue in queues]
        iam.Grant.add_to_principal(grantee=grantee, actions=["sqs:SendMessage"], resource_arns=arns)
        self._grant_bodies(grantee, "s3:PutObject")
        self._grant_key(grantee, "kms:GenerateDataKey", "kms:Decrypt")

    def _grant_key(self, grantee: iam.IGrantable, *actions: str) -> None:
        """What a sender and a receiver need beside the queue's or bucket's own rights, where those have a key.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
        """
        if self._key:
            iam.Grant.add_to_principal(grantee=grantee, actions=list(actions), resource_arns=[self._key.key_arn])

    def _grant_bodies(self, grantee: iam.IGrantable, action: str) -> None:
        """One action: the bucket's own grants add families of actions with wildcards in their names."""
        iam.Grant.add_to_principal(grantee=grantee, actions=[action], resource_arns=[self.bodies_arn])


@jsii.implements(lambda_.IDestination)
class FailedEventDestination:
    """The bucket as an on-failure destination, with the two rights that Lambda needs and no others.

    The CDK's own `S3Destination` lets the function read the whole bucket too, by actions with wildcards.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """

    def __init__(self, bucket: s3.IBucket) -> None:
        self._bucket = bucket

    def bind(
        self,
        scope: Construct,  # noqa: ARG002 - the names are those of the interface
        fn: lambda_.IFunction,
        *,
        type: lambda_.DestinationType,  # noqa: A002, ARG002
    ) -> lambda_.DestinationConfig:
        """Let the function's role write there."""
        for action, arn in (
            ("s3:PutObject", self._bucket.arn_for_objects("*")),
            ("s3:ListBucket", self._bucket.bucket_arn),
        ):
            iam.Grant.add_to_principal(grantee=fn, actions=[action], resource_arns=[arn])
        return lambda_.DestinationConfig(destination=self._bucket.bucket_arn)
