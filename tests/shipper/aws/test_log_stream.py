from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from shipper.aws.log_stream import LogStream, WriteFailed
from tests.shipper.fakes import NOW_MS, aws_client

GROUP = "/g"


@pytest.fixture
def logs() -> Iterator[Any]:
    with mock_aws():
        client = aws_client("logs")
        client.create_log_group(logGroupName=GROUP)
        yield client


def written(logs: Any) -> list[str]:
    return [event["message"] for event in logs.get_log_events(logGroupName=GROUP, logStreamName="s")["events"]]


@pytest.mark.parametrize("is_there", [False, True], ids=["made where it is missing", "there already"])
def test_a_line_is_written_into_the_stream(logs: Any, is_there: bool) -> None:
    if is_there:
        logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    stream = LogStream(logs, "s")
    stream.write(GROUP, "one", NOW_MS)
    stream.write(GROUP, "two", NOW_MS + 1)
    assert written(logs) == ["one", "two"]


def test_a_stream_that_another_made_meanwhile_is_well(logs: Any) -> None:
    class Slow:
        """The first write comes before the other made the stream, and the creation after."""

        is_first = True

        def put_log_events(self, **request: Any) -> None:
            if self.is_first:
                self.is_first = False
                raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "PutLogEvents")
            logs.put_log_events(**request)

        def create_log_stream(self, **request: Any) -> None:
            logs.create_log_stream(**request)

    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    LogStream(Slow(), "s").write(GROUP, "one", NOW_MS)
    assert written(logs) == ["one"]


def test_a_line_that_is_not_there_counts_as_not_written(logs: Any) -> None:
    """The alarm on silence takes the canary's lines off the others."""

    class Late:
        def put_log_events(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "PutLogEvents")

        def create_log_stream(self, **request: Any) -> None:
            logs.create_log_stream(**request)

    with pytest.raises(WriteFailed, match="/g: its new stream is not there yet"):
        LogStream(Late(), "s").write(GROUP, "one", NOW_MS)


def test_a_log_group_that_is_missing_is_named(logs: Any) -> None:
    with pytest.raises(WriteFailed, match=r"/nowhere: .*ResourceNotFoundException"):
        LogStream(logs, "s").write("/nowhere", "one", NOW_MS)


@pytest.mark.parametrize("call", ["put_log_events", "create_log_stream"])
def test_any_other_refusal_is_one_line(call: str) -> None:
    class Refusing:
        def __getattr__(self, name: str) -> Any:
            code = "AccessDeniedException" if name == call else "ResourceNotFoundException"

            def refuse(**_: Any) -> None:
                raise ClientError({"Error": {"Code": code}}, name)

            return refuse

    with pytest.raises(WriteFailed, match=rf"{GROUP}: .*AccessDeniedException"):
        LogStream(Refusing(), "s").write(GROUP, "one", NOW_MS)
