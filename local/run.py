"""One embedded run: engine, local AWS and the deployed stack, ended together whatever happens."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from local import cdk
from local.children import Identity
from local.cloud import Cloud, plain_environment, start_cloud
from local.search import Engine, start_engine

STACK = "cwl-shipper-local"
STATE = cdk.ROOT / ".local"
LEFT_RUNNING = STATE / "running.json"
ENV_FILE = STATE / "env"


@dataclass(frozen=True, slots=True)
class Run:
    """A deployed stack on loopback: where everything is."""

    folder: Path
    engine: Engine
    cloud: Cloud
    outputs: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        """What `aws` and `cwl-shipper` need to work on this run."""
        return {**self.cloud.environment(), "CWL_SHIPPER_STACK": STACK, "OPENSEARCH_ENDPOINT": self.engine.url}

    def identities(self) -> list[Identity]:
        """The processes of this run."""
        children = [self.cloud.child, *([self.engine.child] if self.engine.child else [])]
        return [child.identity for child in children]


@contextmanager
def deployed(env: Mapping[str, str], say: Callable[[str], None], *, keep: Callable[[], bool]) -> Iterator[Run]:
    """Start everything and deploy stage `local`; end it all afterwards, unless `keep()` says to leave it running.

    Raises `LocalError`. The folder with the logs is removed after success and kept after a failure.
    """
    # Short, and where an unprivileged engine can be let in.
    folder = Path(tempfile.mkdtemp(prefix="cwl-shipper-"))
    started: list[Engine | Cloud] = []
    done = False
    try:
        # Whatever is missing should be said before anything starts.
        cdk.command(env)
        say("starting the search engine")
        engine = start_engine(folder, env)
        started.append(engine)
        say(f"{engine.name} {engine.version} at {engine.url}; starting the local AWS")
        cloud = start_cloud(folder, engine.url, env)
        started.append(cloud)
        yield Run(folder, engine, cloud, _deploy(folder, cloud, env, say))
        done = True
    finally:
        if not (done and keep()):
            for service in reversed(started):
                if service.child:
                    service.child.end()
            if done:
                shutil.rmtree(folder, ignore_errors=True)


def _deploy(folder: Path, cloud: Cloud, env: Mapping[str, str], say: Callable[[str], None]) -> dict[str, str]:
    log, outputs = folder / "cdk.log", folder / "outputs.json"
    cdk_env = {**plain_environment(env), **cloud.environment()}
    common = ["--context", "stage=local", "--output", str(folder / "cdk.out")]
    say(f"local AWS at {cloud.url}; cdk bootstrap")
    cdk.run(["bootstrap", *common], cdk_env, log)
    say("cdk deploy")
    cdk.run(["deploy", *common, "--require-approval", "never", "--outputs-file", str(outputs)], cdk_env, log)
    found: dict[str, str] = json.loads(outputs.read_text("utf-8"))[STACK]
    return found


@contextmanager
def signals_as_exit() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the run as Ctrl-C does, with everything cleaned up."""

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def write_env(run: Run) -> None:
    """Write the `export` lines for a run that is left running."""
    ENV_FILE.parent.mkdir(exist_ok=True)
    lines = [f"export {name}='{value}'\n" for name, value in run.environment().items()]
    lines.append(f"export PATH='{Path(sys.executable).parent}{os.pathsep}'\"$PATH\"\n")
    ENV_FILE.write_text("".join(lines), "utf-8")
