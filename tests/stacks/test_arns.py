from __future__ import annotations

from aws_cdk import Stack

from stacks import arns


def test_a_log_group_is_of_this_account_region_and_partition() -> None:
    assert Stack().resolve(arns.log_group("/a*")) == {
        "Fn::Join": [
            "",
            [
                "arn:",
                {"Ref": "AWS::Partition"},
                ":logs:",
                {"Ref": "AWS::Region"},
                ":",
                {"Ref": "AWS::AccountId"},
                ":log-group:/a*",
            ],
        ]
    }
