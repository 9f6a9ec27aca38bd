"""The two functions and their wiring: who may invoke what, what they may do, where they fail to."""

from __future__ import annotations

from dataclasses import replace

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from constructs import Construct

from shipper.handlers.replay import MAX_RECEIVES_VARIABLE
from stacks import python_function
from stacks.collection import Target
from stacks.queues import FailedEventDestination, Queues
from stacks.stages import StageConfig


class Functions(Construct):
    """Subscriber and replay function, each with a role and a log group of its own."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: StageConfig, domain: Target, queues: Queues
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._environment = {
            **replace(
                config.settings,
                endpoint=domain.endpoint,
                service=domain.service,
                retry_queue_url=queues.retries.queue_url,
                dead_letter_queue_url=queues.dead_letters.queue_url,
                bucket=queues.failed_events.bucket_name,
            ).to_env(),
            "POWERTOOLS_METRICS_NAMESPACE": config.metrics_namespace,
        }
        self.subscriber = self._function(
            "Subscriber", "subscriber", config.subscriber_timeout_s, config.subscriber_max_concurrency
        )
        # What Lambda itself gives up on goes to S3, the only destination that takes a whole event of 1 MB.
        # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
        self.subscriber.configure_async_invoke(
            on_failure=FailedEventDestination(queues.failed_events),
            retry_attempts=2,
            max_event_age=Duration.hours(6),
        )
        self.replay = self._function("Replay", "replay", config.replay_timeout_s)
        self.replay.add_environment(MAX_RECEIVES_VARIABLE, str(config.retry_max_receives))
        self.replay.add_event_source(
            event_sources.SqsEventSource(
                queues.retries,
                batch_size=5,
                report_batch_item_failures=True,
                max_concurrency=config.replay_max_concurrency,
            )
        )

    def _function(self, construct_id: str, module: str, timeout_s: int, max_concurrency: int = 0) -> lambda_.Function:
        return python_function.function(
            self,
            construct_id,
            config=self._config,
            module=module,
            role=python_function.role(self, f"{construct_id}Role"),
            log_group=python_function.log_group(self, f"{construct_id}Log", self._config),
            memory_size=self._config.memory_mib,
            reserved_concurrent_executions=max_concurrency or None,
            timeout=Duration.seconds(timeout_s),
            environment={**self._environment, "POWERTOOLS_SERVICE_NAME": module},
            application_log_level_v2=self._log_level(),
        )

    def _log_level(self) -> lambda_.ApplicationLogLevel:
        """The level below which Lambda drops lines; never above INFO, which it takes the lines of metrics for.

        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
        """
        debug = self._config.settings.log_level == "DEBUG"
        return lambda_.ApplicationLogLevel.DEBUG if debug else lambda_.ApplicationLogLevel.INFO
