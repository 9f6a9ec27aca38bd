"""The embedded run as a whole: engine, local AWS, and the real stack of stage `local` deployed into it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local import cdk
from local.aws import LocalAws, start_aws
from local.deploy import Deployer, Say
from local.engine import External, engine_from_env
from local.processes import Child, Run
from local.running import Running

STAGE = "local"
STACK = f"cwl-shipper-{STAGE}"
_GATE_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployed stack on loopback: where everything is."""

    engine: Running
    gate: Child
    aws: LocalAws
    outputs: Mapping[str, str]

    def domain_goes(self) -> None:
        """Cut the domain off: connections to it are reset."""
        self.gate.popen.send_signal(signal.SIGUSR1)

    def domain_comes(self) -> None:
        """Let connections to the domain through again."""
        self.gate.popen.send_signal(signal.SIGUSR2)

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """`env` for `cwl-shipper` as a child process."""
        return {**self.aws.environment(env), **self._own()}

    def shell_lines(self, env: Mapping[str, str]) -> list[str]:
        """What a shell needs so that `aws`, `cwl-shipper` and a browser reach this run."""
        programs = f"export PATH='{Path(sys.executable).parent}{os.pathsep}'\"$PATH\""
        return [*self.aws.shell_lines(env), *(f"export {k}='{v}'" for k, v in self._own().items()), programs]

    def _own(self) -> dict[str, str]:
        return {"CWL_SHIPPER_STACK": STACK, "OPENSEARCH_ENDPOINT": self.engine.url}


def deployed(run: Run, env: Mapping[str, str], say: Say, on_line: Say) -> Deployed:
    """Start and deploy everything; `say` gets the milestones, `on_line` what the CDK prints. Raises `LocalError`."""
    engine = engine_from_env(env)
    cdk.command(env)  # what is missing should be said before anything starts
    say("starting the search engine")
    running = engine.start(run)
    say(f"{running.name} {running.version} at {running.url}; starting the local AWS")
    gate, address = _start_gate(run, running)
    aws = start_aws(run, address)
    deployer = Deployer(run, aws, env, on_line=on_line)
    say(f"local AWS at {aws.url}; cdk bootstrap")
    deployer.bootstrap()
    say("cdk deploy")
    outputs = run.folder / "outputs.json"
    # A cluster's name of its own: an engine that runs already may hold the logs of earlier runs.
    deployer.deploy(STAGE, outputs, cluster=f"demo-{secrets.token_hex(2)}" if isinstance(engine, External) else "demo")
    return Deployed(running, gate, aws, json.loads(outputs.read_text("utf-8"))[STACK])


def _start_gate(run: Run, engine: Running) -> tuple[Child, str]:
    """A gate in front of the engine; (its process, host and port)."""
    command = [sys.executable, "-m", "local.gate", *engine.address.split(":")]
    child = run.start("gate", command, env={"PYTHONPATH": str(cdk.ROOT)})
    child.wait_ready(lambda: child.log.read_bytes().endswith(b"\n"), _GATE_WITHIN_S)
    return child, child.log.read_text("ascii").strip()
