"""The local AWS: ministack on loopback, apart from every real account and from every other run."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from local.answers import answer
from local.errors import EndedEarly, LocalError
from local.processes import LOOPBACK, Child, Run, free_port

ACCOUNT = "000000000000"
REGION = "us-east-1"
_READY_WITHIN_S = 60.0
_PORT_TRIES = 5
_PORT_TAKEN = "already in use"
_NO_PROXY = f"{LOOPBACK},localhost"
_FOREIGN = ("AWS_", "CDK_")
_ANY_KEY = "test"


@dataclass(frozen=True, slots=True)
class LocalAws:
    """A local AWS that answers at `url`."""

    url: str

    def client(self, service: str, **options: Any) -> Any:
        """A client of boto3 for it, whatever the environment says."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=_ANY_KEY,
            aws_secret_access_key=_ANY_KEY,
            **options,
        )

    def variables(self) -> dict[str, str]:
        """What `aws`, boto3 and the CDK need to talk to it and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": _ANY_KEY,
            "AWS_SECRET_ACCESS_KEY": _ANY_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """`env` for a child process: no profile, no session, no bundle of certificates; loopback past any proxy."""
        kept = {name: value for name, value in env.items() if not name.startswith(_FOREIGN)}
        direct = ",".join(filter(None, [_NO_PROXY, env.get("NO_PROXY") or env.get("no_proxy")]))
        return {**kept, **self.variables(), "NO_PROXY": direct, "no_proxy": direct}

    def shell_lines(self, env: Mapping[str, str]) -> list[str]:
        """The same for a shell: `unset` for what is in its way, then `export`."""
        ours = self.variables()
        foreign = sorted(name for name in env if name.startswith(_FOREIGN) and name not in ours)
        direct = f'export NO_PROXY="{_NO_PROXY}${{NO_PROXY:+,$NO_PROXY}}"'
        return [f"unset {name}" for name in foreign] + [f"export {k}='{v}'" for k, v in ours.items()] + [direct]


def start_aws(run: Run, search_address: str) -> LocalAws:
    """Start it; its search domains have `search_address` (host:port) as endpoint. Raises `LocalError`."""
    for _ in range(_PORT_TRIES):
        port, token = free_port(), uuid.uuid4().hex
        child = run.start(
            "ministack", [sys.executable, "-m", "ministack"], env=_settings(run, port, token, search_address)
        )
        aws = LocalAws(f"http://{LOOPBACK}:{port}")
        try:
            child.wait_ready(lambda url=aws.url, word=token: _is_ours(url, word), _READY_WITHIN_S)  # type: ignore[misc]
        except EndedEarly:
            if not _lost_its_port(child):
                raise
            run.end(child)
        else:
            return aws
    raise LocalError(f"no port of {LOOPBACK} stays free, {_PORT_TRIES} were taken by others: try again")


def _lost_its_port(child: Child) -> bool:
    return _PORT_TAKEN in child.log.read_text("utf-8", "replace").lower()


def _is_ours(url: str, token: str) -> bool:
    """Whether it is this run's server that answers, not another's on a port that both believed free."""
    return (answer(f"{url}/_ministack/health") or {}).get("edition") == token


def _settings(run: Run, port: int, token: str, search_address: str) -> dict[str, str]:
    folder = run.folder / "ministack"
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    return {
        # Functions inherit all of this: nothing of the user's own environment but the path of programs.
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": LOOPBACK,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "MINISTACK_OPENSEARCH_ENDPOINT": search_address,
        "MINISTACK_EDITION": token,
        "LAMBDA_EXECUTOR": "local",
        # Both would listen on every interface.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # A Docker daemon of the machine stays out of it: ministack would end containers of another's.
        "DOCKER_HOST": f"unix://{folder / 'no-docker.sock'}",
        **_files(folder),
    }


def _files(folder: Path) -> dict[str, str]:
    """Nothing is kept, and what is written goes to the run's folder; the defaults are the same for every run."""
    return {
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "TMPDIR": str(folder / "tmp"),
    }
