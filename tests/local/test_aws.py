from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import aws
from local.aws import LocalAws, start_aws
from local.engine import engine_from_env
from local.errors import EndedEarly, LocalError
from local.pids import group_runs
from local.processes import Run

ROOT = Path(__file__).resolve().parents[2]


def test_a_child_sees_no_real_account() -> None:
    env = {
        "PATH": "/bin",
        "AWS_PROFILE": "prod",
        "AWS_SESSION_TOKEN": "x",
        "AWS_CA_BUNDLE": "/x",
        "CDK_DEFAULT_ACCOUNT": "1",
        "no_proxy": "intern",
    }
    seen = LocalAws("http://127.0.0.1:1").environment(env)
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert seen["NO_PROXY"] == seen["no_proxy"] == "127.0.0.1,localhost,intern"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "CDK_DEFAULT_ACCOUNT"} & set(seen)


def test_a_shell_sees_the_same() -> None:
    lines = LocalAws("http://127.0.0.1:1").shell_lines({"AWS_PROFILE": "prod", "AWS_REGION": "eu-west-1"})
    assert lines[0] == "unset AWS_PROFILE"
    assert "export AWS_REGION='us-east-1'" in lines
    script = "\n".join([*lines, 'echo "$AWS_ENDPOINT_URL $NO_PROXY"'])
    env = {"NO_PROXY": "intern"}
    done = subprocess.run(["/bin/sh", "-uc", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "http://127.0.0.1:1 127.0.0.1,localhost,intern\n"


def test_two_runs_share_no_folder_and_no_docker(tmp_path: Path) -> None:
    with Run(tmp_path / "a") as one, Run(tmp_path / "b") as two:
        first, second = (aws._settings(run, 1, "t", "127.0.0.1:2") for run in (one, two))
    apart = {name for name in first if first[name] != second[name]}
    assert apart == {"HOME", "DOCKER_HOST", "STATE_DIR", "S3_DATA_DIR", "TMPDIR"}
    assert first["BIND_HOST"] == first["MINISTACK_HOST"] == "127.0.0.1"


def failing(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    code = f"import sys; sys.exit({said!r})"
    start = Run.start
    monkeypatch.setattr(Run, "start", lambda run, name, _, env: start(run, name, [sys.executable, "-c", code], env=env))


def test_a_port_that_others_take_each_time_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "127.0.0.1:1 is already in use")
    with pytest.raises(LocalError, match=r"no port of 127\.0\.0\.1 stays free, 5 were taken"), Run(tmp_path) as run:
        start_aws(run, "127.0.0.1:2")


def test_another_cause_is_told_at_once_with_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "broken")
    with pytest.raises(EndedEarly, match=r"ministack ended with status 1 .*ministack\.log"), Run(tmp_path) as run:
        start_aws(run, "127.0.0.1:2")


def test_a_late_start_is_told_with_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "_READY_WITHIN_S", 0.3)
    monkeypatch.setattr(aws, "_is_ours", lambda *_: False)
    with (
        pytest.raises(LocalError, match=r"ministack was not ready within 0 s: see .*ministack\.log"),
        Run(tmp_path) as run,
    ):
        start_aws(run, "127.0.0.1:2")


def listening(pids: list[int]) -> set[str]:
    """The local addresses on which the groups listen, from /proc."""
    inodes = set()
    for fd in (fd for pid in pids for fd in Path(f"/proc/{pid}/fd").iterdir()):
        target = os.readlink(fd) if fd.is_symlink() else ""
        inodes.add(target.removeprefix("socket:[").removesuffix("]"))
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes}


@pytest.mark.e2e
@pytest.mark.enable_socket
def test_two_runs_at_once_are_apart_on_loopback_and_leave_nothing(tmp_path: Path) -> None:
    with Run(tmp_path / "a") as one, Run(tmp_path / "b") as two:
        engines = [engine_from_env({}).start(run) for run in (one, two)]
        clouds = [start_aws(run, engine.address) for run, engine in zip((one, two), engines, strict=True)]
        clients = [cloud.client("s3") for cloud in clouds]
        clients[0].create_bucket(Bucket="only-here")
        assert [len(client.list_buckets()["Buckets"]) for client in clients] == [1, 0]
        pids = [child.leader.pid for run in (one, two) for child in run._children]
        if Path("/proc/net/tcp").exists():
            assert listening(pids) == {"0100007F"}
        folders = [one.folder, two.folder]
        for client in clients:
            client.close()
    assert not any(group_runs(pid) for pid in pids)
    assert not any(folder.exists() for folder in folders)
