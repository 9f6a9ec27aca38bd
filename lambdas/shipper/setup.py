"""Takes the steps of a plan on a domain, patiently: a new domain answers late, and its rights spread later still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from shipper import collection
from shipper.engine import Engine, engine_of
from shipper.setup_plan import Plan, Request, Step, steps
from shipper.ship import Clock, Unreachable

RESERVE_S = 15.0
"""Kept of the invocation's time, to say what was wrong."""

_REQUEST_S = 30.0
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 15.0
_PASSING = frozenset({401, 403, 429, 500, 502, 503, 504})
"""What a domain answers that is not ready, or does not know the role yet."""

_NO_API = "no handler found for uri"
_DENIED = (401, 403)
_ENGINE = Step("engine", lambda _: [], required=True)


class SetupFailed(Exception):
    """The domain is not set up; the message says at which step, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `body` is what its JSON says, `{"message": text}` of plain text, None of anything else."""

    status: int
    body: Any

    @property
    def reason(self) -> str:
        """What an error says of itself, in one line."""
        body = self.body if isinstance(self.body, dict) else {}
        error = body.get("error") or body.get("message") or body.get("Message") or body.get("errors") or "no reason"
        said = error.get("reason", error) if isinstance(error, dict) else error
        return " ".join(str(said).split())[:300]


class Domain(Protocol):
    """The domain's own API."""

    def ask(self, request: Request, timeout_s: float) -> Reply:
        """Send a request. Raises `Unreachable` where no reply came."""


@dataclass(slots=True)
class Report:
    """What is as planned now, and what the engine has no API for."""

    engine: Engine
    done: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """One line for a person."""
        skipped = f"; not there, so left out: {_list(self.skipped)}" if self.skipped else ""
        return f"{self.engine}: {_list(self.done)}{skipped}"


def set_up(plan: Plan, domain: Domain, clock: Clock, identity: str) -> Report:
    """Bring about what `plan` says; doing it again changes nothing.

    `identity` is the ARN of the role in whose name this runs. Raises `SetupFailed`, `Unsupported` or `Taken`.
    """
    asking = _Asking(domain, clock, identity, is_collection=bool(plan.collection))
    report = Report(_engine(plan, asking))
    for step in steps(plan, report.engine):
        (report.done if asking.take(step) else report.skipped).append(step.name)
    return report


def _engine(plan: Plan, asking: _Asking) -> Engine:
    if not plan.collection:
        return engine_of(asking.patiently(_ENGINE, Request("GET", "/")).body)
    found = asking.patiently(_ENGINE, Request("POST", collection.LOOK, {"names": [plan.collection]})).body
    return collection.engine_of(found, name=plan.collection, endpoint=plan.endpoint)


@dataclass(frozen=True, slots=True)
class _Asking:
    domain: Domain
    clock: Clock
    identity: str
    is_collection: bool

    def take(self, step: Step) -> bool:
        """Whether the step is taken; False where the engine has no API for it."""
        if not step.offered:
            return False
        present = None
        if step.look:
            looked = self.patiently(step, Request("GET", step.look, missing_is_well=True))
            if _is_absent(step, looked):
                return False
            present = looked.body if looked.status == 200 else None
        return not any(_is_absent(step, self.patiently(step, request)) for request in step.requests(present))

    def patiently(self, step: Step, request: Request) -> Reply:
        """The reply once the domain gives one that waiting would not change. Raises `SetupFailed`."""
        wait_s = _FIRST_WAIT_S
        while True:
            reply, said = self._once(request)
            if reply and reply.status not in _PASSING:
                return self._checked(step, request, reply)
            if self.clock.remaining_s() - wait_s < RESERVE_S:
                raise SetupFailed(f"{step.name}: {said}. {self._advice(reply)}")
            self.clock.sleep(wait_s * (0.5 + self.clock.jitter() / 2))
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _once(self, request: Request) -> tuple[Reply | None, str]:
        try:
            reply = self.domain.ask(request, min(_REQUEST_S, max(1.0, self.clock.remaining_s() - RESERVE_S)))
        except Unreachable as error:
            return None, f"{request.method} {request.path}: no answer ({error})"
        return reply, _told(request, reply)

    def _checked(self, step: Step, request: Request, reply: Reply) -> Reply:
        # Dashboards answers 200 also where it took no object.
        refused = reply.status >= 300 or (isinstance(reply.body, dict) and reply.body.get("success") is False)
        well = (reply.status == 404 and request.missing_is_well) or _is_absent(step, reply)
        if refused and not well:
            raise SetupFailed(f"{step.name}: {_told(request, reply)}")
        return reply

    def _advice(self, reply: Reply | None) -> str:
        if reply is None:
            return "Check that the domain is active and that its endpoint can be reached from the function."
        if reply.status in _DENIED and self.is_collection:
            return f"See that data access and network policies of the collection let {self.identity} in; deploy again."
        if reply.status in _DENIED:
            return (
                f"Map {self.identity} to the role all_access (Dashboards: Security, Roles, all_access, Mapped users), "
                "check the domain's access policy, and deploy again."
            )
        return "The domain is not well: look at its cluster health, and deploy again."


def _told(request: Request, reply: Reply) -> str:
    return f"{request.method} {request.path}: {reply.status} {reply.reason}"


def _is_absent(step: Step, reply: Reply) -> bool:
    return not step.required and reply.status >= 400 and _NO_API in reply.reason


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
