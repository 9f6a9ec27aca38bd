"""OpenSearch 2.19 with its security plugin, on loopback: whose request it is stands in headers, as `gateway.py` puts
them there once it has checked the signature."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import requests

from local.distribution import maven_alone
from local.processes import LOOPBACK, Account, Run

_ARTIFACTS = (
    "org.opensearch.distribution.integ-test-zip:opensearch:2.19.3:zip",
    "org.opensearch.plugin:opensearch-security:2.19.3.0:zip",
)
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_JAVA = range(17, 24)
"""Later ones have no security manager, without which this version does not start."""

_READY_WITHIN_S = 120.0
_NOBODY = Account(uid=65534, gid=65534)
MASTER = "arn:aws:iam::123456789012:role/master"
"""The IAM role that the domain is made with: mapped to all_access from the start, as the service does it."""

_BY_HEADERS = r"""
_meta: {type: config, config_version: 2}
config: {dynamic: {
  http: {anonymous_auth_enabled: false,
    xff: {enabled: true, internalProxies: '127\.0\.0\.1', remoteIpHeader: x-forwarded-for}},
  authc: {gateway: {http_enabled: true, order: 0, authentication_backend: {type: noop},
    http_authenticator: {type: proxy, challenge: false,
      config: {user_header: x-proxy-user, roles_header: x-proxy-roles}}}}}}
"""


_MASTER_MAPPED = f"""
_meta: {{type: rolesmapping, config_version: 2}}
all_access: {{backend_roles: ["{MASTER}"]}}
"""


def whose(role: str) -> dict[str, str]:
    """The headers of a request in the name of an IAM role."""
    return {"x-proxy-user": role, "x-proxy-roles": role, "x-forwarded-for": "192.0.2.1"}


def start(run: Run) -> str:
    """The URL of a node with the plugin; the test is skipped where its programs are missing."""
    java = _java_home()
    folder = run.folder / "secured"
    home = _unpacked(folder)
    _configure(home)
    account = _NOBODY if os.geteuid() == 0 else None
    if account:
        run.folder.chmod(0o711)
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, account.uid, account.gid)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "OPENSEARCH_JAVA_HOME": str(java),
        "OPENSEARCH_JAVA_OPTS": "-Xms512m -Xmx512m",
    }
    child = run.start("secured", [str(home / "bin" / "opensearch")], env=env, cwd=home, account=account)
    child.wait_ready(lambda: _answers(home), _READY_WITHIN_S)
    return _url(home)


def _java_home() -> Path:
    missing = [name for name in ("mvn", "java", "openssl") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"OpenSearch with its security plugin needs {', '.join(missing)}")
    said = subprocess.run(
        ["java", "-XshowSettings:properties", "-version"], capture_output=True, text=True, check=True
    ).stderr
    number, home = re.search(r'version "(\d+)', said), re.search(r"^\s*java\.home = (.+)$", said, re.MULTILINE)
    if not (number and home and int(number[1]) in _JAVA):
        pytest.skip(f"OpenSearch 2.19 needs Java {_JAVA.start} to {_JAVA.stop - 1}")
    return Path(home[1])


def _unpacked(folder: Path) -> Path:
    folder.mkdir()
    copy = ("mvn", "--batch-mode", "--quiet", _COPY, f"-DoutputDirectory={folder}")
    with maven_alone(os.environ):
        for artifact in _ARTIFACTS:
            _run(*copy, f"-Dartifact={artifact}", at=folder)
    home = folder / "opensearch-2.19.3"
    plugin = home / "plugins" / "opensearch-security"
    shutil.unpack_archive(folder / "opensearch-2.19.3.zip", folder)
    shutil.unpack_archive(folder / "opensearch-security-2.19.3.0.zip", plugin)
    shutil.copytree(plugin / "config", home / "config" / "opensearch-security")
    for program in (home / "bin").iterdir():
        program.chmod(0o755)
    return home


def _configure(home: Path) -> None:
    config = home / "config"
    subject = ["-subj", "/CN=node", "-days", "1", "-keyout", "key.pem", "-out", "cert.pem"]
    _run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, at=config)
    settings = {
        "discovery.type": "single-node",
        "network.host": LOOPBACK,
        "http.port": 0,
        "transport.port": 0,
        "node.portsfile": True,
        "cluster.routing.allocation.disk.threshold_enabled": False,
        "plugins.security.ssl.transport.pemcert_filepath": "cert.pem",
        "plugins.security.ssl.transport.pemkey_filepath": "key.pem",
        "plugins.security.ssl.transport.pemtrustedcas_filepath": "cert.pem",
        "plugins.security.ssl.transport.enforce_hostname_verification": False,
        "plugins.security.ssl.http.enabled": False,
        "plugins.security.allow_default_init_securityindex": True,
        "plugins.security.nodes_dn": ["CN=node"],
        "plugins.security.restapi.roles_enabled": ["all_access"],
    }
    lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in settings.items())
    (config / "opensearch.yml").write_text(lines, "utf-8")
    (config / "opensearch-security" / "config.yml").write_text(_BY_HEADERS, "utf-8")
    (config / "opensearch-security" / "roles_mapping.yml").write_text(_MASTER_MAPPED, "utf-8")


def _run(*command: str, at: Path) -> Sequence[str]:
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def _url(home: Path) -> str:
    ports = home / "logs" / "http.ports"
    addresses = ports.read_text("utf-8").split() if ports.exists() else []
    return f"http://{addresses[0]}" if addresses else ""


def _answers(home: Path) -> bool:
    """Whether the plugin has read its configuration, too."""
    url = _url(home)
    return bool(url) and requests.get(url, headers=whose(MASTER), timeout=5).ok
