"""click with two languages: help texts are `Text`, shown in the language of the run."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import click

from govcloud.cli.progress import Progress
from govcloud.errors import UsageError
from govcloud.model.account import Action
from govcloud.model.text import Lang, Text
from govcloud.settings import Workspace, open_workspace

if TYPE_CHECKING:
    from govcloud.report.view import View
    from govcloud.workflow.session import Session

Format = Literal["table", "json", "csv"]
_TERMINAL_ROWS = 500
"""Of one table on a terminal: nobody reads more there, and aligning 30,000 rows takes longer than finding them."""


def default_lang() -> Lang:
    """GOVCLOUD_LANG, then the locale; English where neither says Chinese."""
    named = os.environ.get("GOVCLOUD_LANG", "")
    if named in ("zh", "en"):
        return named  # type: ignore[return-value]
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return "zh" if value.lower().startswith("zh") else "en"
    return "zh" if (locale.getlocale()[0] or "").lower().startswith("zh") else "en"


class _Day(click.DateTime):
    """A day in the years that workbooks may name: dates are counted from it, and a calendar ends somewhere."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        day: datetime = super().convert(value, param, ctx)
        if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            self.fail(
                _word(
                    f"年份应在 {_FIRST_YEAR} 至 {_LAST_YEAR} 之间",
                    f"the year is not within {_FIRST_YEAR} to {_LAST_YEAR}",
                ),
                param,
                ctx,
            )
        return day


_FIRST_YEAR, _LAST_YEAR = 1950, 2100
_CHOICE = 32
"""Columns of values that an option's name can carry."""
DAY = _Day()


class App:
    """The global options of one run; every command gets it with `@pass_app`."""

    def __init__(self, workspace: Path, lang: Lang, output: Format, user: str | None) -> None:
        self.path, self.lang, self.output, self.user = workspace, lang, output, user
        """`user`: a login, or without accounts any name; None: the operating-system user."""
        self.zone: tzinfo | None = None
        """The workspace's time zone once it is open: an office reads its own clock, wherever the machine stands."""

    def workspace(self) -> Workspace | None:
        """For commands that work without one, too: None where none is here. One that was named has to be there."""
        try:
            return open_workspace(self.path)
        except UsageError:
            if self.path != Path():
                raise
            return None

    @contextmanager
    def session(self, *actions: Action, sets_password: bool = False) -> Iterator[Session]:
        """For the command's own action, or for any of those named here. Raises NotAllowed."""
        # Neither --help nor a completion waits for the database's libraries, nor for those that align tables.
        from govcloud.cli._door import door, os_user
        from govcloud.workflow.session import open_session

        workspace = open_workspace(self.path)
        self.zone = ZoneInfo(workspace.settings.timezone)
        what, own = _command_and_action()
        admit = door(self.user, actions or own, what, self.lang, sets_password=sets_password)
        with (
            Progress(self.lang) as progress,
            open_session(workspace, actor=os_user(), admit=admit, lang=self.lang, observer=progress) as session,
        ):
            yield session

    def show(self, *views: View) -> None:
        from govcloud.report.text import render_csv, render_json, render_text

        if self.output == "table":
            most = _TERMINAL_ROWS if sys.stdout.isatty() else None
            click.echo(render_text(views, self.lang, self.zone, most_rows=most))
        else:
            click.echo((render_json if self.output == "json" else render_csv)(views, self.lang))

    def say(self, text: Text) -> None:
        """A sentence for a person. It goes to stderr when stdout carries JSON or CSV."""
        click.echo(text.to(self.lang), err=self.output != "table")


def _command_and_action() -> tuple[str, Action | None]:
    """Of the command that runs: its words, and what it does by the table of roles."""
    context = click.get_current_context(silent=True)
    found = context.command if context is not None else None
    action = found.action if isinstance(found, LocalizedCommand) else None
    return (context.command_path if context is not None else ""), action


pass_app = click.make_pass_decorator(App)


def current_lang() -> Lang:
    context = click.get_current_context(silent=True)
    app = context.find_object(App) if context else None
    return app.lang if app else argv_lang(sys.argv[1:])


def argv_lang(argv: Sequence[str]) -> Lang:
    """The language before click has parsed anything (for --help and usage errors)."""
    for index, word in enumerate(argv):
        value = argv[index + 1] if word == "--lang" and index + 1 < len(argv) else word.removeprefix("--lang=")
        if word.startswith("--lang") and value in ("zh", "en"):
            return value  # type: ignore[return-value]
    return default_lang()


def _word(zh: str, en: str) -> str:
    return Text(zh, en).to(current_lang())


class LocalizedContext(click.Context):
    def make_formatter(self) -> click.HelpFormatter:
        from govcloud.cli._help import ChineseFormatter, HelpFormatter  # only --help needs them

        kind = ChineseFormatter if current_lang() == "zh" else HelpFormatter
        return kind(width=self.terminal_width, max_width=self.max_content_width)


class LocalizedCommand(click.Command):
    context_class = LocalizedContext
    text: Text
    action: Action | None = None
    """What it does, for the table of roles; None for a group and where no workspace is touched."""

    def get_short_help_str(self, limit: int = 80) -> str:
        return self.text.to(current_lang())

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        pieces = " ".join(self.collect_usage_pieces(ctx))
        if current_lang() == "zh":
            pieces = pieces.replace("[OPTIONS]", "[选项]").replace("COMMAND [ARGS]...", "命令 [参数]...")
        formatter.write_usage(ctx.command_path, pieces, prefix=_word("用法：", "Usage: "))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(self.text.to(current_lang()))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # The values of an argument that the line of usage only names.
        if chosen := [(name, ", ".join(map(str, kind.choices))) for name, kind in choices_of(self)]:
            with formatter.section(_word("取值", "Values")):
                formatter.write_dl(chosen)
        options = (p for p in self.get_params(ctx) if isinstance(p, click.Option))
        records = [record for p in options if (record := p.get_help_record(ctx)) is not None]
        with formatter.section(_word("选项", "Options")):
            formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from govcloud.cli._manual import EXAMPLES  # only --help needs it

        if examples := EXAMPLES.get(ctx.command_path.removeprefix("govcloud").strip(), ()):
            with formatter.section(_word("示例", "Examples")):
                for example in examples:
                    formatter.write(f"{'':>{formatter.current_indent}}# {example.says.to(current_lang())}\n")
                    formatter.write(f"{'':>{formatter.current_indent}}{example.line}\n")

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = _word("显示帮助并退出", "Show this help and exit")
        return option


class LocalizedGroup(LocalizedCommand, click.Group):
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        with formatter.section(_word("命令", "Commands")):
            formatter.write_dl([(name, self.line_of(ctx, name)) for name in self.list_commands(ctx)])

    def line_of(self, ctx: click.Context, name: str) -> str:
        """What a command of this group does, in one line."""
        verb = self.get_command(ctx, name)
        return verb.get_short_help_str() if verb is not None else ""


class LocalizedOption(click.Option):
    def __init__(self, *args: Any, text: Text, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.text = text

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        self.help = self.text.to(current_lang())
        if (chosen := _long_choice(self)) is not None:
            self.help += _word("：", ": ") + ", ".join(map(str, chosen.choices))
        record = super().get_help_record(ctx)
        if record is not None and current_lang() == "zh":
            return record[0], record[1].replace("[required]", "[必填]").replace("[default: ", "[默认：")
        return record

    def make_metavar(self, ctx: click.Context) -> str:
        if self.metavar is None:
            match self.type:
                case click.DateTime():
                    return "YYYY-MM-DD"
                case click.types.IntParamType() | click.types.FloatParamType():
                    return "N"
                case click.Choice() if _long_choice(self):
                    return max(self.opts, key=len).lstrip("-").upper()
        return super().make_metavar(ctx)


def choices_of(command: click.Command) -> list[tuple[str, click.Choice[Any]]]:
    """Arguments that the line of usage only names, and what they may be."""
    return [
        (p.metavar.strip("[].…"), p.type)
        for p in command.params
        if isinstance(p, click.Argument) and p.metavar and isinstance(p.type, click.Choice)
    ]


def _long_choice(option: click.Option) -> click.Choice[Any] | None:
    """Too many values to stand beside the option's name."""
    kind = option.type
    return kind if isinstance(kind, click.Choice) and len("|".join(map(str, kind.choices))) > _CHOICE else None


def command(
    text: Text, name: str | None = None, *, action: Action | None = None
) -> Callable[[Callable[..., Any]], LocalizedCommand]:
    def decorate(function: Callable[..., Any]) -> LocalizedCommand:
        made = click.command(name, cls=LocalizedCommand)(function)
        made.text = text
        made.action = action
        return made

    return decorate


def group(text: Text, name: str | None = None) -> Callable[[Callable[..., Any]], LocalizedGroup]:
    def decorate(function: Callable[..., Any]) -> LocalizedGroup:
        made = click.group(name, cls=LocalizedGroup)(function)
        made.text = text
        return made

    return decorate


def option(*names: str, text: Text, **kwargs: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(*names, cls=LocalizedOption, text=text, **kwargs)
