"""The OpenSearch domain that takes the logs."""

from __future__ import annotations

from aws_cdk import Aws, Fn, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_opensearchservice as opensearch
from constructs import Construct

from stacks.stages import StageConfig


class SearchDomain(Construct):
    """An encrypted domain that answers signed requests only."""

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(scope, construct_id)
        removal = RemovalPolicy.RETAIN if config.keep_data else RemovalPolicy.DESTROY
        zones = config.zone_count
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
            logging=self._logging(removal) if config.protected else None,
            # The construct's own way is a function with a managed policy; a plain resource does the same.
            suppress_logs_resource_policy=True,
            removal_policy=removal,
        )
        scheme = "http" if config.plain_http else "https"
        self.endpoint = Fn.join("", [f"{scheme}://", self._domain.domain_endpoint])

    def grant_bulk(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` index in bulk, and nothing else that the service can tell apart by path."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["es:ESHttpPost"],
            resource_arns=[f"{self._domain.domain_arn}/_bulk"],
        )

    def _logging(self, removal: RemovalPolicy) -> opensearch.LoggingOptions:
        service = iam.ServicePrincipal(
            "es.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        )

        def group(name: str) -> logs.LogGroup:
            made = logs.LogGroup(self, name, retention=logs.RetentionDays.ONE_MONTH, removal_policy=removal)
            made.grant(service, "logs:CreateLogStream", "logs:PutLogEvents")
            return made

        return opensearch.LoggingOptions(
            slow_search_log_enabled=True,
            slow_search_log_group=group("SlowSearchLog"),
            slow_index_log_enabled=True,
            slow_index_log_group=group("SlowIndexLog"),
            app_log_enabled=True,
            app_log_group=group("ApplicationLog"),
        )
