from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from govcloud.cli._manual import VERBS
from govcloud.cli.base import command as verb

_VARIABLE = "_GOVCLOUD_COMPLETE"
"""What click looks for when the shell asks: `_` + program + `_COMPLETE`."""


@verb(VERBS["completion"], name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - click knows the three shells
    click.echo(found(ctx.find_root().command, {}, "govcloud", _VARIABLE).source())


command = completion
