"""Two teams ship the logs of their clusters from a CDK app of their own: a stack and a configuration each."""

from __future__ import annotations

from dataclasses import replace

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from cdk_nag import AwsSolutionsChecks
from constructs import Construct

from stacks.log_shipping import LogShipping
from stacks.stages import STAGES, StageConfig

# A `name` is what tells two shippings of one account apart, also in CloudWatch: the metrics are in cwl-shipper/NAME.
SHOP = replace(
    STAGES["prod"],
    name="shop",
    cluster="shop",
    alarm_email="shop-oncall@example.com",
    runbook_url="https://wiki.example.com/runbook",
)
MEDIA = StageConfig(name="media", cluster="media", index_days=7, alarm_email="media-oncall@example.com")


class TeamLogs(cdk.Stack):
    """One team's logs, with outputs for `cwl-shipper --stack NAME`."""

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(scope, construct_id, termination_protection=config.protected)
        self.shipping = LogShipping(self, "Logs", config=config)
        self.shipping.add_outputs()


def alarm_on_slow_invocations(logs: TeamLogs, limit: cdk.Duration) -> None:
    """An alarm that only this team wants, to the topic where the others go."""
    alarm = cloudwatch.Alarm(
        logs,
        "SlowInvocations",
        metric=logs.shipping.functions.subscriber.metric_duration(statistic="p95"),
        threshold=limit.to_milliseconds(),
        evaluation_periods=3,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    alarm.add_alarm_action(actions.SnsAction(logs.shipping.topic))


def main() -> None:
    """Write the assembly; a configuration that cannot work ends here, with every fault named."""
    app = cdk.App()
    shop = TeamLogs(app, "shop-logs", config=SHOP)
    alarm_on_slow_invocations(shop, cdk.Duration.seconds(30))
    TeamLogs(app, "media-logs", config=MEDIA)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


if __name__ == "__main__":
    main()
