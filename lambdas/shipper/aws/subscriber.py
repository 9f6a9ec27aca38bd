"""The subscriber function as a workstation sees it: what it is set to, and asked to take a payload."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from shipper import jsontext
from shipper.model import Ledger
from shipper.settings import ENV_PREFIX, Settings

_SAID_CHARS = 300


class InvocationFailed(Exception):
    """The function raised; it has taken nothing, or it does not know."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A function's settings as they are deployed, and since when (ISO 8601 UTC)."""

    variables: dict[str, str]
    modified_at: str

    def settings(self) -> Settings:
        """What the function runs with. Raises `SettingsError`."""
        return Settings.from_env(self.variables)


class Function:
    """One function of the stack. All methods raise what boto3 raises."""

    def __init__(self, functions: Any, name: str) -> None:
        self._functions = functions
        self._name = name

    def deployed(self) -> Deployed:
        """The function's `SHIPPER_*` variables."""
        found = self._functions.get_function_configuration(FunctionName=self._name)
        variables = found.get("Environment", {}).get("Variables", {})
        ours = {name: value for name, value in variables.items() if name.startswith(ENV_PREFIX)}
        return Deployed(ours, found["LastModified"])

    def take(self, event: Any) -> Ledger:
        """Have the function deliver a subscription payload, and wait for its ledger. Raises `InvocationFailed`."""
        reply = self._functions.invoke(FunctionName=self._name, Payload=jsontext.dumps(event))
        answer = json.loads(reply["Payload"].read())
        if "FunctionError" in reply or not isinstance(answer, dict):
            said = answer.get("errorMessage", answer) if isinstance(answer, dict) else answer
            raise InvocationFailed(f"{self._name} failed: {str(said)[:_SAID_CHARS]}")
        return Ledger(**answer)
