"""Completion in a real bash: the script that the command prints, sourced, and asked as Tab asks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from govcloud.cli.main import run

# Bash's own arrays and functions, as readline fills and calls them.
ASK = """
PATH={bin}:$PATH
compopt() {{ :; }}
eval "$(govcloud completion bash)"
COMP_WORDS=({words}); COMP_CWORD={index}
_govcloud_completion govcloud
printf '%s\\n' "${{COMPREPLY[@]}}"
complete -p govcloud
"""


def complete(*words: str) -> list[str]:
    quoted = " ".join(f"'{word}'" for word in ("govcloud", *words))
    script = ASK.format(bin=Path(sys.executable).parent, words=quoted, index=len(words))
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    *replies, registered = done.stdout.splitlines()
    assert "_govcloud_completion" in registered and not done.stderr
    return replies


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ca"], ["catalog"]),
        (["run", "st"], ["start", "status"]),
        (["--format", ""], ["table", "json", "csv"]),
        (["import", "--as", "azure_s"], ["azure_servers"]),
        (["template", "net"], ["networks"]),
        (["plan", "build", "--se"], ["--set", "--seed"]),
    ],
)
def test_tab_offers_commands_options_and_values(words: list[str], expected: list[str]) -> None:
    assert sorted(filter(None, complete(*words))) == sorted(expected)


@pytest.mark.parametrize(("shell", "mark"), [("zsh", "#compdef govcloud"), ("fish", "complete --no-files")])
def test_other_shells_get_their_own_script(shell: str, mark: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "govcloud", "completion", shell], capture_output=True, text=True, timeout=60, check=True
    )
    assert mark in done.stdout and "_GOVCLOUD_COMPLETE" in done.stdout


def test_fish_shows_a_description_to_its_end_and_zsh_needs_no_completion_switched_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Both were tried in the shells themselves: a description stopped at its first comma, a bare zsh did not know `compdef`."""
    assert run(["completion", "fish"]) == 0 and 'string split -m 1 ","' in capsys.readouterr().out
    assert run(["completion", "zsh"]) == 0
    script = capsys.readouterr().out
    assert script.index("compinit") < script.index("compdef _govcloud")


def test_tab_imports_no_verb() -> None:
    """A person waits for it: the solver and the ORM of the engine have no business there."""
    program = (
        "import sys; from govcloud.cli.main import cli; import click;"
        "from click.shell_completion import BashComplete;"
        "found = BashComplete(cli, {}, 'govcloud', '_X').get_completions([], '');"
        "print(len(found), *[m for m in sys.modules if m.startswith(('ortools', 'numba', 'dbos', 'altair', 'openpyxl'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout.split()[0]) > 10 and len(done.stdout.split()) == 1
