"""The OpenSearch domain that takes the logs."""

from __future__ import annotations

from typing import Any, cast

from aws_cdk import Aws, Fn, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_opensearchservice as opensearch
from constructs import Construct

from shipper import setup_plan
from shipper.document import INDEX_PREFIX
from stacks import arns, encryption, retention, saml
from stacks.network import Network
from stacks.stages import StageConfig

LOG_KINDS = ("SlowSearchLog", "SlowIndexLog", "ApplicationLog")


class SearchDomain(Construct):
    """An encrypted domain that answers signed requests only: without a resource policy nothing anonymous gets in.

    With fine-grained access control `master` is the one role that may hand out rights in it; in a `network` the domain
    is in that VPC, and has a public endpoint otherwise. A domain that exists is used as it is. `dimensions` are those
    of its metrics, empty where it has none; `setup_arns` and `search_arns` are what the grants of these names allow.
    https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
    """

    service = "es"

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        master: iam.IRole,
        network: Network | None,
    ) -> None:
        super().__init__(scope, construct_id)
        if config.existing_arn:
            self.endpoint, self._arn = config.existing_endpoint, config.existing_arn
            name, account = self._arn.rpartition("/")[2], self._arn.split(":")[4]
        else:
            domain = self._domain(config, master)
            _add_what_the_construct_lacks(domain, config, network)
            scheme = "http" if config.plain_http else "https"
            self.endpoint, self._arn = Fn.join("", [f"{scheme}://", domain.domain_endpoint]), domain.domain_arn
            name, account = domain.domain_name, Aws.ACCOUNT_ID
        # The local AWS has a domain, but measures nothing of it.
        self.dimensions = {} if config.name == "local" else {"DomainName": name, "ClientId": account}
        self.setup_arns = [f"{self._arn}{path}" for path in setup_plan.paths()]
        self.search_arns = [f"{self._arn}/{INDEX_PREFIX}*/_search"]

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
            encryption_at_rest=opensearch.EncryptionAtRestOptions(
                enabled=True, kms_key=encryption.of_domain(self, config)
            ),
            custom_endpoint=self._custom_endpoint(config),
            fine_grained_access_control=_fine_grained_access(config, master),
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

    def _custom_endpoint(self, config: StageConfig) -> opensearch.CustomEndpointOptions | None:
        """A second name for people. The functions keep to the domain's own, which needs no entry in anybody's DNS."""
        if not config.custom_endpoint:
            return None
        certificate = acm.Certificate.from_certificate_arn(self, "Certificate", config.certificate_arn)
        return opensearch.CustomEndpointOptions(domain_name=config.custom_endpoint, certificate=certificate)

    def grant_bulk(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` index in bulk, and nothing else that the service can tell apart by path."""
        iam.Grant.add_to_principal(grantee=grantee, actions=["es:ESHttpPost"], resource_arns=[f"{self._arn}/_bulk"])

    def grant_search(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` search the daily indices."""
        iam.Grant.add_to_principal(grantee=grantee, actions=["es:ESHttpPost"], resource_arns=self.search_arns)

    def grant_setup(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` set the domain up: the paths of a plan, and not the logs."""
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["es:ESHttpGet", "es:ESHttpPost", "es:ESHttpPut"], resource_arns=self.setup_arns
        )

    def _log_groups(self, config: StageConfig) -> dict[str, logs.LogGroup]:
        return {
            kind: logs.LogGroup(
                self,
                kind,
                encryption_key=encryption.key(self, config),
                retention=retention.days(config.function_log_retention_days),
                removal_policy=retention.removal(config),
            )
            for kind in LOG_KINDS
        }

    def _let_service_write(self, log_groups: dict[str, logs.LogGroup]) -> logs.ResourcePolicy:
        """One policy for all groups: an account has ten in a Region.

        https://docs.aws.amazon.com/opensearch-service/latest/developerguide/createdomain-configure-slow-logs.html
        """
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
                    conditions=arns.only_for(arns.here("es", "domain/*")),
                )
            ],
        )


def _add_what_the_construct_lacks(domain: opensearch.Domain, config: StageConfig, network: Network | None) -> None:
    """The construct knows fewer TLS policies, sets a policy by a function of its own, and looks a VPC's zones up."""
    resource = cast("opensearch.CfnDomain", domain.node.default_child)
    resource.add_property_override("DomainEndpointOptions.TLSSecurityPolicy", config.tls_policy)
    if config.access_principals:
        resource.access_policies = {"Version": "2012-10-17", "Statement": [_access(config)]}
    if network:
        resource.vpc_options = network.domain_options()


def _access(config: StageConfig) -> dict[str, Any]:
    """Who is let in beside those whose own policies allow it; in a VPC addresses are the security group's matter.

    https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
    """
    narrowed = config.access_cidrs and not config.vpc_id
    condition = {"Condition": {"IpAddress": {"aws:SourceIp": list(config.access_cidrs)}}} if narrowed else {}
    return {
        "Effect": "Allow",
        "Principal": {"AWS": list(config.access_principals)},
        "Action": "es:ESHttp*",
        # The policy is the domain's own, so this is all of that domain; its ARN is not known before it is there.
        "Resource": "*",
        **condition,
    }


def _fine_grained_access(config: StageConfig, master: iam.IRole) -> opensearch.AdvancedSecurityOptions | None:
    if not config.fine_grained_access:
        return None
    options = None
    if config.saml_metadata_file:
        provider = saml.read(config.saml_metadata_file)
        options = opensearch.SAMLOptionsProperty(
            idp_entity_id=provider.entity_id,
            idp_metadata_content=provider.content,
            master_backend_role=config.saml_master_group or None,
            roles_key=config.saml_roles_key,
            session_timeout_minutes=config.saml_session_min,
        )
    return opensearch.AdvancedSecurityOptions(master_user_arn=master.role_arn, saml_authentication_options=options)


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
