"""`cwl-shipper dlq`: what could not be indexed, why, and how to get it in after all."""

from __future__ import annotations

import click

from shipper.cli.dlq_export import export
from shipper.cli.dlq_import import import_
from shipper.cli.dlq_ls import ls
from shipper.cli.dlq_purge import purge
from shipper.cli.dlq_replay import replay
from shipper.cli.dlq_show import show


@click.group(commands=[ls, show, replay, export, import_, purge])
def dlq() -> None:
    """Look into the dead-letter queue and replay it.

    \b
    A night's work:
      cwl-shipper dlq ls                     what failed, and why
      cwl-shipper dlq show --reason TYPE     one of them in full, and what helps
      cwl-shipper dlq replay --dry-run ...   what a repair would change
      cwl-shipper dlq replay ...             send them once more
    """
