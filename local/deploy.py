"""The real `cdk bootstrap` and `cdk deploy` against the local AWS."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local import cdk
from local.aws import ACCOUNT, REGION, LocalAws
from local.errors import LocalError
from local.processes import Run

_BOOTSTRAP_WITHIN_S = 120.0
_DEPLOY_WITHIN_S = 600.0
_TELLING = re.compile(r"error|fail|cwl-shipper:|❌", re.IGNORECASE)

Say = Callable[[str], None]


class Deployer:
    """Runs the CDK for one run: with its own output folder and its own cache, apart from every other."""

    def __init__(
        self, run: Run, aws: LocalAws, env: Mapping[str, str], *, on_line: Say = print, app_folder: Path = cdk.ROOT
    ) -> None:
        self._run = run
        self._on_line = on_line
        self._app_folder = app_folder
        self._env = {
            **cdk.environment(aws.environment(env)),
            # The CDK remembers the account of an access key in its home, and "test" is everybody's.
            "CDK_HOME": str(run.folder / "cdk-home"),
        }

    def bootstrap(self) -> None:
        """Put the bootstrap stack into the account; beside the app's cdk.json it would bundle the whole app first."""
        self._cdk("bootstrap", [f"aws://{ACCOUNT}/{REGION}"], _BOOTSTRAP_WITHIN_S, self._run.folder)

    def deploy(self, stage: str, outputs_file: Path, **context: str) -> None:
        """Deploy the app's stage; the stack's outputs are in `outputs_file`. Raises `LocalError`."""
        words = [f"--context={name}={value}" for name, value in {"stage": stage, **context}.items()]
        words += ["--outputs-file", str(outputs_file)]
        words += ["--require-approval", "never", "--progress", "events", "--output", str(self._run.folder / "cdk.out")]
        self._cdk("deploy", words, _DEPLOY_WITHIN_S, self._app_folder)

    def _cdk(self, verb: str, words: Sequence[str], within_s: float, cwd: Path) -> None:
        command = [*cdk.command(self._env), verb, "--no-notices", "--no-color", *words]
        child = self._run.start(f"cdk-{verb}", command, env=self._env, cwd=cwd)
        status = child.follow(self._on_line, within_s)
        self._run.end(child)
        if status:
            raise LocalError(f"cdk {verb} failed: {_reason(child.log)} (see {child.log})")


def _reason(log: Path) -> str:
    lines = [line.strip() for line in log.read_text("utf-8", "replace").split("\n") if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    return (telling or lines or ["it said nothing"])[-1][:300]
