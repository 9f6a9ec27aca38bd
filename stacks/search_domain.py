"""The OpenSearch domain that takes the logs."""

from __future__ import annotations

from aws_cdk import Aws, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_opensearchservice as opensearch
from constructs import Construct

from stacks import retention
from stacks.stages import StageConfig

_LOG_KINDS = ("SlowSearchLog", "SlowIndexLog", "ApplicationLog")


class SearchDomain(Construct):
    """An encrypted domain that answers signed requests only: without a resource policy nothing anonymous gets in.

    https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(scope, construct_id)
        zones = config.zone_count
        log_groups = self._log_groups(config) if config.protected else {}
        self._domain = opensearch.Domain(
            self,
            "Domain",
            version=opensearch.EngineVersion.open_search(config.engine_version),
            capacity=opensearch.CapacityConfig(
                data_node_instance_type=config.instance_type,
                data_nodes=config.instance_count,
                master_node_instance_type=config.master_type if config.master_count else None,
                master_nodes=config.master_count or None,
                multi_az_with_standby_enabled=False,
            ),
            ebs=opensearch.EbsOptions(volume_size=config.volume_gib, volume_type=ec2.EbsDeviceVolumeType.GP3),
            zone_awareness=opensearch.ZoneAwarenessConfig(
                enabled=zones > 1, availability_zone_count=zones if zones > 1 else None
            ),
            enforce_https=True,
            node_to_node_encryption=True,
            encryption_at_rest=opensearch.EncryptionAtRestOptions(enabled=True),
            tls_security_policy=opensearch.TLSSecurityPolicy.TLS_1_2_PFS,
            logging=_logging(log_groups) if log_groups else None,
            # The construct's own way is a function with a managed policy; a plain resource does the same.
            suppress_logs_resource_policy=True,
            removal_policy=retention.removal(config),
        )
        if log_groups:
            # The service tries to write when the domain is made, and refuses the domain where it may not.
            self._domain.node.add_dependency(self._let_service_write(log_groups))
        scheme = "http" if config.plain_http else "https"
        self.endpoint = Fn.join("", [f"{scheme}://", self._domain.domain_endpoint])

    def grant_bulk(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` index in bulk, and nothing else that the service can tell apart by path."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["es:ESHttpPost"],
            resource_arns=[f"{self._domain.domain_arn}/_bulk"],
        )

    def _log_groups(self, config: StageConfig) -> dict[str, logs.LogGroup]:
        return {
            kind: logs.LogGroup(
                self,
                kind,
                retention=retention.days(config.function_log_retention_days),
                removal_policy=retention.removal(config),
            )
            for kind in _LOG_KINDS
        }

    def _let_service_write(self, log_groups: dict[str, logs.LogGroup]) -> logs.ResourcePolicy:
        """One policy for all groups: an account has ten in a Region.

        https://docs.aws.amazon.com/opensearch-service/latest/developerguide/createdomain-configure-slow-logs.html
        """
        domains = f"arn:{Aws.PARTITION}:es:{Aws.REGION}:{Aws.ACCOUNT_ID}:domain/*"
        return logs.ResourcePolicy(
            self,
            "LogPublishing",
            # A name is required, and one made of construct paths is the same in every stage of an account.
            resource_policy_name=f"{Stack.of(self).stack_name}-domain-logs",
            policy_statements=[
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal("es.amazonaws.com")],
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                    resources=[group.log_group_arn for group in log_groups.values()],
                    conditions={
                        "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                        "ArnLike": {"aws:SourceArn": domains},
                    },
                )
            ],
        )


def _logging(log_groups: dict[str, logs.LogGroup]) -> opensearch.LoggingOptions:
    return opensearch.LoggingOptions(
        slow_search_log_enabled=True,
        slow_search_log_group=log_groups["SlowSearchLog"],
        slow_index_log_enabled=True,
        slow_index_log_group=log_groups["SlowIndexLog"],
        app_log_enabled=True,
        app_log_group=log_groups["ApplicationLog"],
    )
