"""The VPC: who reaches whom, by which ways, and what that takes of rights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from stacks.network import SQS_BEGINS
from tests.stacks.built import DOMAIN, REPLAY, SETUP, SUBSCRIBER, Built, attribute, example, of_config

SUBNETS = ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712", "subnet-0a1b2c3d4e5f60713"]
GROUP_OF_FUNCTIONS = "NetworkFunctions0F81B4F4"
GROUP_OF_DOMAIN = "NetworkDomain2529BCAA"
GROUP_OF_ENDPOINTS = "NetworkEndpointsF8B8492F"
ENDPOINT, ARN = "https://vpc-logs-abc.eu-west-1.es.amazonaws.com", "arn:aws:es:eu-west-1:123456789012:domain/logs"
THEIR_DOMAIN = "sg-0123456789abcdef0"
THEIR_ENDPOINTS = ("sg-0123456789abcdef1", "sg-0123456789abcdef2")


@pytest.fixture(scope="module")
def vpc() -> Built:
    return of_config(example("vpc"))


@pytest.fixture(scope="module")
def theirs() -> Built:
    """Domain and endpoints are there already."""
    config = replace(
        example("vpc"),
        existing_endpoint=ENDPOINT,
        existing_arn=ARN,
        domain_security_group_id=THEIR_DOMAIN,
        create_vpc_endpoints=False,
        vpc_endpoint_security_group_ids=THEIR_ENDPOINTS,
        route_table_ids=(),
        access_cidrs=(),
    )
    assert config.problems() == []
    return of_config(config)


def test_the_domain_is_in_the_vpc(vpc: Built) -> None:
    assert vpc.properties(DOMAIN)["VPCOptions"] == {
        "SecurityGroupIds": [attribute(GROUP_OF_DOMAIN, "GroupId")],
        "SubnetIds": SUBNETS,
    }


def test_every_function_is_in_the_vpc_when_all_ways_are_there(vpc: Built) -> None:
    functions = vpc.of_type("AWS::Lambda::Function")
    assert {SUBSCRIBER, REPLAY, SETUP} < set(functions)
    ways = {key for key in vpc.resources if key.startswith("Network")}
    for key, properties in functions.items():
        assert properties["VpcConfig"] == {
            "SecurityGroupIds": [attribute(GROUP_OF_FUNCTIONS, "GroupId")],
            "SubnetIds": SUBNETS,
        }
        assert ways <= set(vpc.resources[key]["DependsOn"])
    (run,) = vpc.of_type("Custom::DomainSetup")
    assert ways <= set(vpc.resources[run]["DependsOn"])


def test_functions_reach_domain_endpoints_and_s3_on_one_port_and_nothing_else(vpc: Built) -> None:
    (inline,) = vpc.properties(GROUP_OF_FUNCTIONS)["SecurityGroupEgress"]
    egress = [inline, *vpc.of_type("AWS::EC2::SecurityGroupEgress").values()]
    assert {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in egress} == {("tcp", 443, 443)}
    assert inline["DestinationPrefixListId"] == "pl-6da54004"
    assert [(rule["GroupId"], rule["DestinationSecurityGroupId"]) for rule in egress[1:]] == [
        (attribute(GROUP_OF_FUNCTIONS, "GroupId"), attribute(group, "GroupId"))
        for group in (GROUP_OF_DOMAIN, GROUP_OF_ENDPOINTS)
    ]


def test_domain_and_endpoints_let_the_functions_in_and_the_domain_people(vpc: Built) -> None:
    ingress = list(vpc.of_type("AWS::EC2::SecurityGroupIngress").values())
    assert [(rule["GroupId"], rule["SourceSecurityGroupId"], rule["FromPort"], rule["ToPort"]) for rule in ingress] == [
        (attribute(group, "GroupId"), attribute(GROUP_OF_FUNCTIONS, "GroupId"), 443, 443)
        for group in (GROUP_OF_DOMAIN, GROUP_OF_ENDPOINTS)
    ]
    people = vpc.properties(GROUP_OF_DOMAIN)["SecurityGroupIngress"]
    assert [(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in people] == [("10.20.0.0/16", 443, 443)]
    assert "SecurityGroupIngress" not in vpc.properties(GROUP_OF_FUNCTIONS)


def test_no_group_has_every_way_out(vpc: Built) -> None:
    for properties in vpc.of_type("AWS::EC2::SecurityGroup").values():
        assert [rule for rule in properties["SecurityGroupEgress"] if rule.get("CidrIp") == "0.0.0.0/0"] == []


def _endpoints(stack: Built) -> dict[str, dict[str, Any]]:
    return {
        properties["ServiceName"]["Fn::Join"][1][-1]: properties
        for properties in stack.of_type("AWS::EC2::VPCEndpoint").values()
    }


def test_s3_is_a_route_and_sqs_and_the_canarys_logs_are_addresses(vpc: Built) -> None:
    endpoints = _endpoints(vpc)
    assert set(endpoints) == {".s3", ".sqs", ".logs"}
    assert endpoints[".s3"]["RouteTableIds"] == ["rtb-0a1b2c3d4e5f60718"]
    assert endpoints[".s3"]["VpcEndpointType"] == "Gateway"
    for name in (".sqs", ".logs"):
        assert endpoints[name]["SubnetIds"] == SUBNETS
        assert endpoints[name]["PrivateDnsEnabled"]
        assert endpoints[name]["SecurityGroupIds"] == [attribute(GROUP_OF_ENDPOINTS, "GroupId")]


def test_without_a_canary_nothing_calls_cloudwatch_logs() -> None:
    assert set(_endpoints(of_config(replace(example("vpc"), canary=False)))) == {".s3", ".sqs"}


@pytest.mark.parametrize(
    ("partition", "region"),
    [
        ("aws", "eu-west-1"),
        ("aws-cn", "cn-north-1"),
        ("aws-us-gov", "us-gov-west-1"),
        ("aws-iso", "us-iso-east-1"),
        ("aws-iso-b", "us-isob-east-1"),
        ("aws-iso-e", "eu-isoe-west-1"),
        ("aws-iso-f", "us-isof-south-1"),
        ("aws-eusc", "eusc-de-east-1"),
    ],
)
def test_the_name_of_an_endpoint_is_that_of_the_partition(partition: str, region: str) -> None:
    """The CDK knows it where the Region is given."""
    stack = cdk.Stack(cdk.App(), "Stack", env=cdk.Environment(account="123456789012", region=region))
    for service, begins in (("sqs", SQS_BEGINS[partition]), ("logs", "com.amazonaws")):
        name = stack.resolve(ec2.InterfaceVpcEndpointAwsService(service).name)
        assert f"{begins}.{region}.{service}" == name


def test_every_partition_has_a_name_for_its_endpoint(vpc: Built) -> None:
    begins = _endpoints(vpc)[".sqs"]["ServiceName"]["Fn::Join"][1][0]
    assert begins == {"Fn::FindInMap": ["NetworkNames1A05B292", {"Ref": "AWS::Partition"}, "Sqs"]}


def test_the_rights_to_interfaces_are_lambdas_and_not_the_codes(vpc: Built) -> None:
    statements = [
        (policy, statement)
        for policy, statement in vpc.statements()
        if "ec2:CreateNetworkInterface" in statement["Action"]
    ]
    assert len(statements) == 2 * len(vpc.of_type("AWS::Lambda::Function"))
    for policy in {policy for policy, _ in statements}:
        allow, deny = [statement for at, statement in statements if at == policy]
        assert (allow["Effect"], deny["Effect"]) == ("Allow", "Deny")
        assert "Condition" not in allow
        assert set(deny["Condition"]) == {"ArnLike"}
        assert set(deny["Condition"]["ArnLike"]) == {"lambda:SourceFunctionArn"}
        assert set(allow["Action"]) == set(deny["Action"])
        assert all(action.startswith("ec2:") for action in allow["Action"])


def test_what_is_there_already_only_lets_the_functions_in(theirs: Built) -> None:
    assert theirs.of_type("AWS::EC2::VPCEndpoint") == {}
    assert set(theirs.of_type("AWS::EC2::SecurityGroup")) == {GROUP_OF_FUNCTIONS}
    ingress = theirs.of_type("AWS::EC2::SecurityGroupIngress").values()
    assert [rule["GroupId"] for rule in ingress] == [THEIR_DOMAIN, *THEIR_ENDPOINTS]


def test_a_group_of_domain_and_endpoints_gets_its_rules_once(theirs: Built) -> None:
    """EC2 refuses a rule that is there."""
    config = replace(example("vpc"), create_vpc_endpoints=False, route_table_ids=(), access_cidrs=())
    config = replace(config, existing_endpoint=ENDPOINT, existing_arn=ARN, domain_security_group_id=THEIR_DOMAIN)
    shared = of_config(replace(config, vpc_endpoint_security_group_ids=(THEIR_DOMAIN, THEIR_DOMAIN)))
    assert len(shared.of_type("AWS::EC2::SecurityGroupIngress")) == 1
    assert len(theirs.of_type("AWS::EC2::SecurityGroupIngress")) == 3


def test_a_vpc_with_a_route_to_s3_gets_no_second(vpc: Built) -> None:
    types = [one["VpcEndpointType"] for one in vpc.of_type("AWS::EC2::VPCEndpoint").values()]
    config = replace(example("vpc"), route_table_ids=())
    assert config.problems() == []
    without = [one["VpcEndpointType"] for one in of_config(config).of_type("AWS::EC2::VPCEndpoint").values()]
    assert sorted(types) == sorted([*without, "Gateway"])


def test_the_group_of_a_domain_stays_as_long_as_it_does(vpc: Built) -> None:
    policies = {vpc.resources[one]["DeletionPolicy"] for one in (DOMAIN, GROUP_OF_DOMAIN)}
    assert len(policies) == 1


def test_a_public_stage_has_no_network() -> None:
    public = of_config(example("existing-domain"))
    assert not any(resource["Type"].startswith("AWS::EC2::") for resource in public.resources.values())
    assert all("VpcConfig" not in properties for properties in public.of_type("AWS::Lambda::Function").values())
