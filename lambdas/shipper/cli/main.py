"""cwl-shipper: the command line of the on-call engineer, and the way to try the transform without AWS."""

from __future__ import annotations

import sys

import click

from shipper.cli.audit import audit
from shipper.cli.compare import compare
from shipper.cli.completion import completion
from shipper.cli.cost import cost
from shipper.cli.dlq import dlq
from shipper.cli.k8s import k8s
from shipper.cli.mapping import mapping
from shipper.cli.status import status
from shipper.cli.trace import trace
from shipper.cli.transform import transform


@click.group(
    commands=[transform, dlq, audit, compare, trace, status, mapping, k8s, cost, completion],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="cwl-shipper", prog_name="cwl-shipper")
def cli() -> None:
    """Ships EKS pod logs from CloudWatch Logs to OpenSearch.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partly done, or something was found.
    """


def main() -> None:
    """Entry point of the script."""
    sys.exit(cli())
