from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from govcloud.cli._manual import VERBS
from govcloud.cli.base import command as verb

_VARIABLE = "_GOVCLOUD_COMPLETE"
"""What click looks for when the shell asks: `_` + program + `_COMPLETE`."""


# What click's own scripts get wrong: in zsh they need a completion system that is switched on; in fish a description ends at
# its first comma.
_MENDED = {
    "zsh": ("    compdef _govcloud", "    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n    compdef _govcloud"),
    "fish": ('string split "," $completion', 'string split -m 1 "," $completion'),
}  # fmt: skip


@verb(VERBS["completion"], name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - click knows the three shells
    script = found(ctx.find_root().command, {}, "govcloud", _VARIABLE).source()
    click.echo(script.replace(*_MENDED[shell]) if shell in _MENDED else script)


command = completion
