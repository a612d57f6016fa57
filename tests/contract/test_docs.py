"""What the documentation and the messages tell a user to type exists, with exactly these options."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
from sources import ROOT, texts

from govcloud import errors
from govcloud.cli.main import INTERRUPTED, cli

PAGES = [ROOT / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md")]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
# In prose a command stands in backquotes or on its own line of a code block; in messages it stands in the sentence.
IN_PAGES = re.compile(r"(?:`|^\s*\$? ?(?:\.venv/bin/)?)govcloud ([^`\n]*)", re.M)
IN_MESSAGES = re.compile(r"(?<![\w./-])govcloud ((?:-w \S+ )?[a-z][^，。；、：,;”）)\u3400-\u9fff\n]*)")


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_cli", ROOT / "docs" / "build_cli.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_reference_is_up_to_date() -> None:
    assert (ROOT / "docs" / "cli.md").read_text("utf-8") == generator().render_reference(), (
        "run python docs/build_cli.py"
    )


def test_the_command_reference_names_every_command_and_exit_code() -> None:
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    for name in cli.list_commands(click.Context(cli)):
        assert f"## govcloud {name}\n" in page
    kinds = (errors.GovcloudError, errors.UsageError, errors.InputError, errors.OutsideError, errors.IntegrityError)
    for code in {0, 1, INTERRUPTED, *(kind.exit_code for kind in kinds)}:
        assert f"| {code} | " in page


def wrong_words(line: str) -> str | None:
    """What is wrong with the words after `govcloud`; None where the command and its options exist."""
    try:
        words = shlex.split(line.split(" | ", maxsplit=1)[0].split(" && ", maxsplit=1)[0].split("  #", maxsplit=1)[0])
    except ValueError:
        words = line.split()
    command: click.Command = cli
    for word in words:
        if word in ("…", "...") or not re.match(r"[-\w]", word) or re.search(r"[\u3400-\u9fff]", word):
            continue
        known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)} | {"--help"}
        if word.startswith("-"):
            if word.partition("=")[0] not in known | {n for p in cli.params for n in p.opts}:
                return f"no option {word} of {command.name}"
        elif isinstance(command, click.Group) and not _is_value(words, word, command):
            found = command.get_command(click.Context(command), word)
            if found is None and not (word.isupper() or "|" in word or "[" in word or "<" in word):
                return f"no command {word!r} of {command.name}"
            command = found or command
    return None


def _is_value(words: list[str], word: str, command: click.Command) -> bool:
    before = words[words.index(word) - 1] if words.index(word) else ""
    return any(before in p.opts and not getattr(p, "is_flag", False) for p in command.params)


def commands_in_pages() -> Iterator[tuple[str, str]]:
    for page in [*PAGES, *DOCS]:
        if page.exists() and page.name != "cli.md":
            for found in IN_PAGES.finditer(page.read_text("utf-8")):
                yield str(page.relative_to(ROOT)), found[1]


def commands_in_messages() -> Iterator[tuple[str, str]]:
    """From the Chinese texts, where Latin letters after `govcloud` can only be a command."""
    for place, zh, _ in texts():
        for found in IN_MESSAGES.finditer(zh):
            yield place, found[1]


def test_the_pages_name_only_commands_that_exist() -> None:
    found = list(commands_in_pages())
    wrong = [f"{place}: govcloud {line} — {why}" for place, line in found if (why := wrong_words(line))]
    assert not wrong, "\n".join(wrong)
    assert {"init", "report"} <= {line.split()[0] for _, line in found if line.split()}


def test_the_messages_name_only_commands_that_exist() -> None:
    found = list(commands_in_messages())
    assert len(found) > 3
    wrong = [f"{place}: govcloud {line} — {why}" for place, line in found if (why := wrong_words(line))]
    assert not wrong, "\n".join(wrong)


def test_links_between_pages_lead_somewhere() -> None:
    link = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*PAGES, *DOCS]
        if page.exists()
        for target in link.findall(page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_both_readmes_show_the_same_commands() -> None:
    zh, en = (set(re.findall(r"^(?:make|govcloud|\$ ).*$", p.read_text("utf-8"), re.M)) for p in PAGES[:2])
    first = {line.split()[:2] and " ".join(line.split()[:2]) for line in zh}
    second = {" ".join(line.split()[:2]) for line in en}
    assert first == second


def test_the_generator_is_run_by_hand_only() -> None:
    """It lies in docs/, not among the verbs: a user never sees it."""
    assert Path(generator().TARGET) == ROOT / "docs" / "cli.md"
