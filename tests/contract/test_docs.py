"""What the documentation and the messages tell a user to type exists, with exactly these options."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest
from sources import ROOT, texts

from govcloud import errors
from govcloud.cli._manual import EXAMPLES, VERBS, Example
from govcloud.cli.base import LocalizedCommand
from govcloud.cli.main import INTERRUPTED, cli, run

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


def commands(group: click.Group = cli, path: str = "") -> Iterator[tuple[str, LocalizedCommand]]:
    for name in group.list_commands(click.Context(group)):
        found = group.get_command(click.Context(group), name)
        assert isinstance(found, LocalizedCommand)
        full = f"{path} {name}".strip()
        yield full, found
        if isinstance(found, click.Group):
            yield from commands(found, full)


def test_the_line_of_a_verb_in_the_help_is_what_the_verb_says_itself() -> None:
    said = {path: command.text for path, command in commands() if " " not in path}
    assert dict(VERBS) == said


def test_every_command_has_an_example_and_no_example_is_left_over() -> None:
    """Of a group its commands give them."""
    known = dict(commands())
    without = [path for path, found in known.items() if path not in EXAMPLES and not isinstance(found, click.Group)]
    assert not without, f"add examples to govcloud/cli/_manual.py: {without}"
    assert set(EXAMPLES) <= {*known, ""}


@pytest.mark.parametrize(
    ("path", "example"), [pytest.param(p, e, id=e.arguments) for p, each in EXAMPLES.items() for e in each]
)
def test_an_example_can_be_typed(path: str, example: Example) -> None:
    """Parsed by the command itself. Only files may be missing."""
    words = shlex.split(example.arguments.partition(" > ")[0])
    command: click.Command = cli
    reached: list[str] = []
    context = click.Context(cli)
    while True:
        options, words, _ = command.make_parser(context).parse_args(args=words)
        for parameter in command.get_params(context):
            value, source = parameter.consume_value(context, options)
            if not isinstance(parameter.type, click.Path):
                context.set_parameter_source(parameter.name or "", source)
                parameter.process_value(context, value)
        if not isinstance(command, click.Group):
            break
        name, *words = words
        found = command.get_command(context, name)
        assert found is not None, name
        reached.append(name)
        command, context = found, click.Context(found, parent=context, info_name=name)
    assert not words
    assert " ".join(reached) == path or not path


def test_help_shows_the_examples_in_the_chosen_language(capsys: pytest.CaptureFixture[str]) -> None:
    for lang, title, words in (("zh", "示例", "接着做"), ("en", "Examples", "after Ctrl-C")):
        assert run(["--lang", lang, "run", "resume", "--help"]) == 0
        out = capsys.readouterr().out
        assert title in out and words in out and "\n  govcloud run resume RUN\n" in out


def test_each_pair_of_the_glossary_is_used_on_screen() -> None:
    """In one Text together: a word that the screen calls something else would mislead."""
    page = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    pairs = re.findall(r"^\| ([^|]*[\u3400-\u9fff][^|]*) \| ([A-Za-z][^|]*) \| [^|]+ \|$", page, re.M)
    assert len(pairs) > 50
    said = [(zh, en.lower()) for _, zh, en in texts()]
    stems = {"dependency": "dependenc", "approval": "approv"}
    missing = [(zh, en) for zh, en in pairs if not any(zh in z and stems.get(en, en.lower()) in e for z, e in said)]
    assert not missing
