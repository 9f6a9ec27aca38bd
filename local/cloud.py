"""The local AWS: ministack on loopback."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from local.children import Child, ExitedEarlyError, free_port, start

REGION = "us-east-1"
ACCOUNT = "000000000000"
_READY_WITHIN_S = 60.0
_PORT_TRIES = 3


class Cloud:
    """A running local AWS."""

    def __init__(self, child: Child, port: int) -> None:
        self.child = child
        self.url = f"http://127.0.0.1:{port}"

    def environment(self) -> dict[str, str]:
        """What `aws`, boto3 and the CDK need to talk to it and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


def plain_environment(env: Mapping[str, str]) -> dict[str, str]:
    """`env` without what points at a real account, and with proxies off for loopback."""
    kept = {name: value for name, value in env.items() if not name.startswith(("AWS_", "CDK_", "SHIPPER_"))}
    return {**kept, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


def start_cloud(folder: Path, engine_url: str, env: Mapping[str, str]) -> Cloud:
    """Start the local AWS with its files in `folder`; its domains have the engine's endpoint. Raises `LocalError`."""
    scratch = folder / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    for tries in range(1, _PORT_TRIES + 1):
        port = free_port()
        settings = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "IOT_MTLS_ENABLED": "0",  # would listen on every interface
            "MINISTACK_OPENSEARCH_ENDPOINT": engine_url.partition("://")[2],
            "S3_DATA_DIR": str(folder / "s3"),
            "STATE_DIR": str(folder / "state"),
            "TMPDIR": str(scratch),
        }
        child = start(
            "the local AWS",
            [sys.executable, "-m", "ministack"],
            log=folder / "aws.log",
            env={**plain_environment(env), **settings},
        )
        cloud = Cloud(child, port)
        try:
            child.wait_until(lambda url=cloud.url: _healthy(url), _READY_WITHIN_S)  # type: ignore[misc]
        except ExitedEarlyError:
            # Somebody may have taken the port in between.
            if tries == _PORT_TRIES:
                raise
        except BaseException:
            child.end()
            raise
        else:
            return cloud
    raise AssertionError("unreachable")


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_ministack/health", timeout=2) as reply:  # noqa: S310 - loopback
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False
