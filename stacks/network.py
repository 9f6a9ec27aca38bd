"""The way from the functions to domain, queues and bucket within a VPC that exists already: no NAT, nothing else open.

A function calls the domain, SQS (interface endpoint) and S3 (gateway endpoint: bodies of letters, and the answers to
CloudFormation); the canary alone calls CloudWatch Logs too. Nothing else is called: the functions' own logs and
metrics, the polling of the retry queue and the on-failure destination are Lambda's work, outside of the VPC.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
"""

from __future__ import annotations

from typing import cast

from aws_cdk import Aws, CfnMapping
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_opensearchservice as opensearch
from constructs import Construct

from stacks import arns, retention
from stacks.stages import StageConfig

_HTTPS = 443

# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaVPCAccessExecutionRole.html
_INTERFACES = [
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
]

# The name of an endpoint service begins with the partition's domain, backwards: of SQS not in every partition.
# https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
SQS_BEGINS = {
    "aws": "com.amazonaws",
    "aws-cn": "cn.com.amazonaws",
    "aws-us-gov": "com.amazonaws",
    "aws-eusc": "com.amazonaws",
    "aws-iso": "gov.ic.c2s",
    "aws-iso-b": "gov.sgov.sc2s",
    "aws-iso-e": "com.amazonaws",
    "aws-iso-f": "com.amazonaws",
}


class Network(Construct):
    """Security groups and endpoints in the stage's VPC. Everything is named by id, so a synthesis asks no account."""

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(scope, construct_id)
        self._subnet_ids = list(config.subnet_ids)
        # Only the id gets into the template; but a zone has to be named.
        self._vpc = ec2.Vpc.from_vpc_attributes(self, "Vpc", vpc_id=config.vpc_id, availability_zones=["any"])
        self._functions = self._functions_group(config)
        self._domain = self._domain_group(config)
        for group in (self._domain, *self._endpoints(config)):
            self._functions.connections.allow_to(group, ec2.Port.tcp(_HTTPS), "Functions that ship logs")

    def domain_options(self) -> opensearch.CfnDomain.VPCOptionsProperty:
        """Where a new domain is put: one subnet a zone."""
        return opensearch.CfnDomain.VPCOptionsProperty(
            security_group_ids=[self._domain.security_group_id], subnet_ids=self._subnet_ids
        )

    def attach(self, function: lambda_.Function) -> None:
        """Put a function into the subnets. The rights to do so are Lambda's to use, and denied to the function's code.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice
        """
        resource = cast("lambda_.CfnFunction", function.node.default_child)
        resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
            security_group_ids=[self._functions.security_group_id], subnet_ids=self._subnet_ids
        )
        # None of these actions can be narrowed to a VPC's interfaces before they are there.
        function.add_to_role_policy(iam.PolicyStatement(actions=_INTERFACES, resources=["*"]))
        function.add_to_role_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=_INTERFACES,
                resources=["*"],
                conditions={"ArnLike": {"lambda:SourceFunctionArn": arns.here("lambda", "function:*")}},
            )
        )
        function.node.add_dependency(self)

    def _group(self, construct_id: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, construct_id, vpc=self._vpc, description=description, allow_all_outbound=False)

    def _functions_group(self, config: StageConfig) -> ec2.SecurityGroup:
        group = self._group("Functions", "Functions that ship logs: out to domain, queues and bucket only")
        # In the group itself, unlike the rules from group to group: one that has no way out of its own gets every way.
        resource = cast("ec2.CfnSecurityGroup", group.node.default_child)
        resource.security_group_egress = [
            ec2.CfnSecurityGroup.EgressProperty(
                ip_protocol="tcp",
                from_port=_HTTPS,
                to_port=_HTTPS,
                destination_prefix_list_id=config.s3_prefix_list_id,
                description="S3: bodies of letters, answers to CloudFormation",
            )
        ]
        return group

    def _domain_group(self, config: StageConfig) -> ec2.ISecurityGroup:
        if config.domain_security_group_id:
            return ec2.SecurityGroup.from_security_group_id(self, "Domain", config.domain_security_group_id)
        group = self._group("Domain", "The search domain of the logs")
        # It is in use as long as the domain is.
        group.apply_removal_policy(retention.removal(config))
        for cidr in config.access_cidrs:
            group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(_HTTPS), "People, by VPN or a bastion")
        return group

    def _endpoints(self, config: StageConfig) -> list[ec2.ISecurityGroup]:
        """The groups of the endpoints, which are made where the VPC has none.

        Those have their default policies: they serve all of the VPC, and who may do what is a matter of roles.
        """
        if not config.create_vpc_endpoints:
            # One that is the domain's, too, has its rules already; EC2 takes none twice.
            ids = [one for one in config.vpc_endpoint_security_group_ids if one != config.domain_security_group_id]
            return [ec2.SecurityGroup.from_security_group_id(self, one, one) for one in dict.fromkeys(ids)]
        group = self._group("Endpoints", "Endpoints for functions that ship logs")
        begins = CfnMapping(self, "Names", mapping={name: {"Sqs": text} for name, text in SQS_BEGINS.items()})
        self._interface("Sqs", f"{begins.find_in_map(Aws.PARTITION, 'Sqs')}.{Aws.REGION}.sqs", group)
        if config.canary:
            self._interface("Logs", f"com.amazonaws.{Aws.REGION}.logs", group)
        if config.route_table_ids:
            ec2.CfnVPCEndpoint(
                self,
                "S3",
                vpc_endpoint_type="Gateway",
                vpc_id=config.vpc_id,
                service_name=f"com.amazonaws.{Aws.REGION}.s3",
                route_table_ids=list(config.route_table_ids),
            )
        return [group]

    def _interface(self, construct_id: str, service: str, group: ec2.ISecurityGroup) -> None:
        ec2.CfnVPCEndpoint(
            self,
            construct_id,
            vpc_endpoint_type="Interface",
            vpc_id=self._vpc.vpc_id,
            service_name=service,
            subnet_ids=self._subnet_ids,
            security_group_ids=[group.security_group_id],
            private_dns_enabled=True,
        )
