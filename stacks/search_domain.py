"""The OpenSearch domain that takes the logs."""

from __future__ import annotations

from typing import cast

from aws_cdk import Aws, CfnElement, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_opensearchservice as opensearch
from constructs import Construct

from shipper import setup_plan
from stacks import retention
from stacks.stages import StageConfig

_LOG_KINDS = ("SlowSearchLog", "SlowIndexLog", "ApplicationLog")


class SearchDomain(Construct):
    """An encrypted domain that answers signed requests only: without a resource policy nothing anonymous gets in.

    With fine-grained access control `master` is the one role that may hand out rights in it. Where the stage names a
    domain that exists, that one is used as it is.
    https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig, master: iam.IRole) -> None:
        super().__init__(scope, construct_id)
        if config.existing_arn:
            self.endpoint, self._arn = config.existing_endpoint, config.existing_arn
            spelt = self._arn
        else:
            domain = self._domain(config, master)
            scheme = "http" if config.plain_http else "https"
            self.endpoint, self._arn = Fn.join("", [f"{scheme}://", domain.domain_endpoint]), domain.domain_arn
            spelt = f"<{Stack.of(self).get_logical_id(cast('CfnElement', domain.node.default_child))}.Arn>"
        self.patterns_as_nag_spells = [f"{spelt}{path}" for path in setup_plan.paths() if "*" in path]

    def _domain(self, config: StageConfig, master: iam.IRole) -> opensearch.Domain:
        zones, hour = config.zone_count, config.off_peak_hour_utc
        log_groups = self._log_groups(config) if config.slow_logs else {}
        domain = opensearch.Domain(
            self,
            "Domain",
            version=opensearch.EngineVersion.open_search(config.engine_version),
            # In place: without this a new version would be a new and empty domain.
            enable_version_upgrade=True,
            capacity=_capacity(config),
            ebs=opensearch.EbsOptions(
                volume_type=ec2.EbsDeviceVolumeType.GP3,
                volume_size=config.volume_gib,
                iops=config.volume_iops,
                throughput=config.volume_throughput_mib,
            ),
            cold_storage_enabled=True if config.cold_after_days else None,
            zone_awareness=opensearch.ZoneAwarenessConfig(
                enabled=zones > 1, availability_zone_count=zones if zones > 1 else None
            ),
            enforce_https=True,
            node_to_node_encryption=True,
            encryption_at_rest=opensearch.EncryptionAtRestOptions(enabled=True),
            tls_security_policy=opensearch.TLSSecurityPolicy.TLS_1_2_PFS,
            fine_grained_access_control=opensearch.AdvancedSecurityOptions(master_user_arn=master.role_arn)
            if config.fine_grained_access
            else None,
            off_peak_window_start=None if hour is None else opensearch.WindowStartTime(hours=hour, minutes=0),
            logging=_logging(log_groups) if log_groups else None,
            # The construct's own way is a function with a managed policy; a plain resource does the same.
            suppress_logs_resource_policy=True,
            removal_policy=retention.removal(config),
        )
        if log_groups:
            # The service tries to write when the domain is made, and refuses the domain where it may not.
            domain.node.add_dependency(self._let_service_write(log_groups))
        return domain

    def grant_bulk(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` index in bulk, and nothing else that the service can tell apart by path."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["es:ESHttpPost"],
            resource_arns=[f"{self._arn}/_bulk"],
        )

    def grant_setup(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` set the domain up: the paths of a plan, and not the logs."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["es:ESHttpGet", "es:ESHttpPost", "es:ESHttpPut"],
            resource_arns=[f"{self._arn}{path}" for path in setup_plan.paths()],
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


def _capacity(config: StageConfig) -> opensearch.CapacityConfig:
    return opensearch.CapacityConfig(
        data_node_instance_type=config.instance_type,
        data_nodes=config.instance_count,
        master_node_instance_type=config.master_type if config.master_count else None,
        master_nodes=config.master_count or None,
        warm_instance_type=config.warm_type if config.warm_count else None,
        warm_nodes=config.warm_count or None,
        multi_az_with_standby_enabled=False,
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
