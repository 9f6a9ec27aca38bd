"""`cwl-shipper completion`: the script that makes a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

_PROGRAM = "cwl-shipper"
_VARIABLE = "_CWL_SHIPPER_COMPLETE"
_SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command("completion", short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete commands and options.

    \b
    Examples:
      eval "$(cwl-shipper completion bash)"                                      in ~/.bashrc
      eval "$(cwl-shipper completion zsh)"                                       in ~/.zshrc
      cwl-shipper completion fish > ~/.config/fish/completions/cwl-shipper.fish
    """
    click.echo(_SHELLS[shell](context.find_root().command, {}, _PROGRAM, _VARIABLE).source())
