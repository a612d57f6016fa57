"""Entry point: global options, commands found by file name, errors to exit codes."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
import traceback
from pathlib import Path

import click
from click.shell_completion import CompletionItem

import govcloud.cli
from govcloud import __version__
from govcloud.cli._manual import VERBS
from govcloud.cli.base import (
    App,
    Format,
    LocalizedCommand,
    LocalizedGroup,
    LocalizedOption,
    argv_lang,
    current_lang,
    option,
)
from govcloud.errors import GovcloudError
from govcloud.model.text import Lang, Text

_NOT_VERBS = {"main", "base", "progress"}
INTERRUPTED = 130


class Verbs(LocalizedGroup):
    """Loads a verb's module only when it is called, so that `govcloud projects` does not wait for the solver."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = (m.name for m in pkgutil.iter_modules(govcloud.cli.__path__))
        return sorted(n.rstrip("_") for n in names if n not in _NOT_VERBS and not n.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        for module in (cmd_name, cmd_name + "_"):
            if (Path(govcloud.cli.__path__[0]) / f"{module}.py").is_file():
                found = importlib.import_module(f"govcloud.cli.{module}").command
                assert isinstance(found, LocalizedCommand)  # noqa: S101 - a verb module without a command is our bug
                return found
        return None

    def line_of(self, ctx: click.Context, name: str) -> str:
        """Without the verb's module: all of them together take three seconds to import."""
        return VERBS[name].to(current_lang()) if name in VERBS else super().line_of(ctx, name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        verbs = [CompletionItem(name, help=self.line_of(ctx, name)) for name in names]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(cls=Verbs, name="govcloud")
@option("-w", "--workspace", type=click.Path(path_type=Path, file_okay=False), default=Path(), envvar="GOVCLOUD_WORKSPACE",
        text=Text("工作区目录，默认为当前目录", "Workspace folder; the current one by default"))  # fmt: skip
@option("--lang", type=click.Choice(["zh", "en"]), text=Text("界面语言", "Language"))
@option("--format", "output", type=click.Choice(["table", "json", "csv"]), default="table",
        text=Text("输出格式", "Output format"))  # fmt: skip
@option("--user", envvar="GOVCLOUD_USER", metavar="LOGIN",
        text=Text("操作人的登录名，默认为当前系统用户；没有账号的工作区可写姓名", "Login of who acts; the system user by default; any name where no accounts are kept"))  # fmt: skip
@click.version_option(
    __version__, prog_name="govcloud", cls=LocalizedOption, text=Text("显示版本并退出", "Show the version and exit")
)
@click.pass_context
def cli(ctx: click.Context, workspace: Path, lang: Lang | None, output: Format, user: str | None) -> None:
    ctx.obj = App(workspace, lang or argv_lang([]), output, user or None)


cli.text = Text(
    "政务云迁移与基础设施普查：查清、核对、规划、迁移、接管、留证。",
    "Government cloud: take stock, check, plan, migrate, take over, prove.",
)


def main(argv: list[str] | None = None) -> None:
    """Run and exit: 0 clean, 1 negative answer, 2 usage, 3 bad input, 4 outside failed, 5 integrity, 70 our bug."""
    arguments = sys.argv[1:] if argv is None else argv
    sys.exit(run(arguments))


def run(arguments: list[str]) -> int:
    lang = argv_lang(arguments)
    try:
        # The context knows the language before any option is parsed: --help ends the run at once.
        obj = App(Path(), lang, "table", None)
        result = cli.main(args=arguments, prog_name="govcloud", standalone_mode=False, obj=obj)
        return result if isinstance(result, int) else 0
    except GovcloudError as error:
        click.echo(error.message(lang), err=True)
        return error.exit_code
    except click.exceptions.Exit as done:
        return done.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo(
            Text(
                "已中断。已记录的结果都在，可以重新运行同一命令继续。",
                "Interrupted. Everything recorded is kept; run the same command again to go on.",
            ).to(lang),
            err=True,
        )
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.UsageError as error:
        click.echo(_usage_message(error, lang), err=True)
        return 2
    except SystemExit:
        # Outside of its standalone mode click exits for one reason only: the reader (head, less) has gone. That is no
        # failure and no negative answer.
        return 0
    except Exception:
        traceback.print_exc()
        click.echo(
            Text(
                "这是 govcloud 自身的缺陷，请把以上内容报告给维护者。",
                "This is a defect of govcloud itself; please report the text above to its maintainers.",
            ).to(lang),
            err=True,
        )
        return 70


def _usage_message(error: click.UsageError, lang: Lang) -> str:
    """click speaks English only; these are its messages in the user's language."""
    what = error.format_message()
    parameter = getattr(error, "param", None)
    named = _name_of(parameter) if parameter else getattr(error, "option_name", "")
    if lang == "zh":
        if isinstance(error, click.NoSuchOption):
            what = f"没有这个选项：{named}{_meant(error.possibilities)}"
        elif isinstance(error, click.exceptions.NoSuchCommand):
            what = f"没有这个命令：{error.command_name}{_meant(error.possibilities)}"
        elif isinstance(error, click.BadOptionUsage):
            what = f"选项 {named} 后要写值"
        elif extra := _EXTRA.search(what):
            what = f"多余的参数：{extra[1]}"
        elif isinstance(error, click.MissingParameter):
            what = f"缺少参数：{named}"
        elif isinstance(error, click.BadParameter):
            what = f"参数 {named} 的值不对：{_expected(parameter) or error.message}"
        else:
            what = f"用法不对：{what}"
    path = error.ctx.command_path if error.ctx else "govcloud"
    return f"{what}\n" + Text("下一步：{path} --help", "Next: {path} --help").format(path=path).to(lang)


_EXTRA = re.compile(r"unexpected extra arguments? \((.*)\)")


def _meant(names: list[str] | None) -> str:
    return f"（是不是 {'、'.join(names)}？）" if names else ""


def _name_of(parameter: click.Parameter) -> str:
    return parameter.opts[0] if isinstance(parameter, click.Option) else parameter.human_readable_name


def _expected(parameter: click.Parameter | None) -> str:
    """In Chinese, what the parameter takes; empty where click's own words must do."""
    match parameter and parameter.type:
        case click.Choice(choices=choices):
            return "可选 " + "、".join(map(str, choices))
        case click.DateTime():
            return "应为日期，在 1950 至 2100 年之间，如 2026-11-28"
        case click.IntRange(min=low, max=high):
            return f"应为不小于 {low} 的整数" if high is None else f"应为 {low} 至 {high} 的整数"
        case click.FloatRange(min=low, max=high) if low is not None and high is not None:
            return f"应为 {low:g} 至 {high:g} 的数"
        case click.Path(dir_okay=False):
            return "应为文件，不是目录"
        case click.Path(file_okay=False):
            return "应为目录，不是文件"
        case click.types.IntParamType() | click.types.FloatParamType():
            return "应为数字"
    return ""
