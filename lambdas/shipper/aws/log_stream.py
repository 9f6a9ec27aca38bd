"""Writing into a log stream.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_MISSING = "ResourceNotFoundException"
_THERE = "ResourceAlreadyExistsException"


class WriteFailed(Exception):
    """The line is not in CloudWatch; one line says why."""


class LogStream:
    """The log stream `name` of any log group, made where it is missing."""

    def __init__(self, logs: Any, name: str) -> None:
        self._logs = logs
        self._name = name

    def write(self, log_group: str, text: str, at_ms: int) -> None:
        """Write one event. Raises `WriteFailed`, also where there is no such log group."""
        try:
            if not self._put(log_group, text, at_ms):
                self._make(log_group)
                if not self._put(log_group, text, at_ms):
                    raise WriteFailed(f"{log_group}: its new stream is not there yet")
        except (ClientError, BotoCoreError) as error:
            raise WriteFailed(f"{log_group}: {error}") from error

    def _put(self, log_group: str, text: str, at_ms: int) -> bool:
        """Whether the stream was there."""
        events = [{"timestamp": at_ms, "message": text}]
        try:
            self._logs.put_log_events(logGroupName=log_group, logStreamName=self._name, logEvents=events)
        except ClientError as error:
            if _code(error) != _MISSING:
                raise
            return False
        return True

    def _make(self, log_group: str) -> None:
        try:
            self._logs.create_log_stream(logGroupName=log_group, logStreamName=self._name)
        except ClientError as error:
            if _code(error) != _THERE:
                raise


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
