"""`cwl-shipper k8s`: the pods' side of the way."""

from __future__ import annotations

import click

from shipper.cli.k8s_check import check


@click.group("k8s", commands=[check])
def k8s() -> None:
    """Check the manifests of what ships a cluster's logs."""
