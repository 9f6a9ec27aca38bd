"""`make demo`: the main job from a pod's log line to a search hit, for real, every step checked.

python -m local.demo            run and end everything
python -m local.demo --keep     leave it running; `make stop` ends it
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console
from rich.status import Status
from rich.text import Text

from local.cdk import ROOT
from local.errors import LocalError
from local.processes import FOLDER_PREFIX, Run
from local.stack import STACK, Deployed, deployed
from local.steps import Demo, Missing
from local.stop import ENVIRONMENT, STATE
from shipper.cli.terminal import safe


@click.command(help=__doc__)
@click.option("--keep", is_flag=True, help="Leave everything running when done.")
def main(keep: bool) -> None:
    """Run the demo; exits with 1 and one line where something is missing."""
    console = Console(highlight=False)
    logs = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}logs-"))
    began = time.monotonic()

    def say(what: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.1f} s[/]  {what}", soft_wrap=True)

    try:
        with Run(logs) as run:
            with console.status("") as status:
                stack = deployed(run, os.environ, say, lambda line: _follow(status, line))
            say("deployed")
            Demo(stack, console).play()
            say("done, all checked")
            if keep:
                run.keep(STATE)
                _tell(stack, console)
    except (LocalError, Missing) as error:
        sys.exit(f"cwl-shipper: {error}")
    except KeyboardInterrupt:
        sys.exit("cwl-shipper: interrupted; everything that was started has been ended")


def _follow(status: Status, line: str) -> None:
    """The latest line of the CDK beside the spinner; nothing where no terminal watches."""
    if line.strip():
        status.update(Text(safe(line.strip())[:100], style="dim"))


def _tell(stack: Deployed, console: Console) -> None:
    """Write the file to source, and say what runs where."""
    ENVIRONMENT.write_text("".join(line + "\n" for line in stack.shell_lines(os.environ)), "utf-8")
    console.print(f"\nLeft running: OpenSearch {stack.engine.url}, AWS {stack.aws.url}, stack {STACK}", soft_wrap=True)
    console.print(f"  in a browser  {stack.engine.url}/cwl-*/_search?q=404", soft_wrap=True, markup=False)
    console.print(f"  in a shell    source {ENVIRONMENT.relative_to(ROOT)}; cwl-shipper dlq ls", soft_wrap=True)
    console.print("  to end it     make stop", soft_wrap=True)


if __name__ == "__main__":
    main()
