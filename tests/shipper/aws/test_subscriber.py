from __future__ import annotations

import io
import json
from typing import Any

import pytest

from shipper.aws.subscriber import Function, InvocationFailed
from shipper.model import Ledger
from shipper.settings import SettingsError


class PlayedLambda:
    """A client of Lambda with one function that answers this."""

    def __init__(self, answer: Any = None, *, error: str = "", variables: dict[str, str] | None = None) -> None:
        self.invoked: list[Any] = []
        self._answer = answer
        self._error = {"FunctionError": error} if error else {}
        self._variables = variables

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self.invoked.append((FunctionName, json.loads(Payload)))
        return {"Payload": io.BytesIO(json.dumps(self._answer).encode()), **self._error}

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        environment = {} if self._variables is None else {"Environment": {"Variables": self._variables}}
        return {"LastModified": "2026-11-24T12:00:00.000+0000", **environment}


def test_a_payload_is_taken_and_its_ledger_comes_back() -> None:
    played = PlayedLambda(Ledger(received=2, indexed=2).terms())
    assert Function(played, "subscriber").take({"awslogs": {"data": "x"}}) == Ledger(received=2, indexed=2)
    assert played.invoked == [("subscriber", {"awslogs": {"data": "x"}})]


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ({"errorMessage": "no rights", "errorType": "Denied"}, "Unhandled", "no rights"),
        ("out of time", "Unhandled", "out of time"),
        (None, "", "None"),
    ],
    ids=["it raised", "it was ended", "it answered no ledger"],
)
def test_a_failure_says_why(answer: Any, error: str, said: str) -> None:
    with pytest.raises(InvocationFailed, match=f"subscriber failed: .*{said}"):
        Function(PlayedLambda(answer, error=error), "subscriber").take({})


def test_the_settings_are_those_that_are_deployed() -> None:
    variables = {"SHIPPER_JOIN": "false", "POWERTOOLS_SERVICE_NAME": "subscriber"}
    deployed = Function(PlayedLambda(variables=variables), "subscriber").deployed()
    assert deployed.variables == {"SHIPPER_JOIN": "false"}
    assert not deployed.settings().join
    assert deployed.modified_at.startswith("2026-11-24")
    assert Function(PlayedLambda(), "subscriber").deployed().variables == {}


def test_settings_that_cannot_be_read_are_named() -> None:
    deployed = Function(PlayedLambda(variables={"SHIPPER_JOIN": "perhaps"}), "subscriber").deployed()
    with pytest.raises(SettingsError, match="join"):
        deployed.settings()
