"""Writes docs/cli.md from the commands themselves: `python docs/build_cli.py`. A test holds that it is up to date."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from govcloud.cli._manual import EXAMPLES
from govcloud.cli.base import LocalizedCommand, LocalizedOption, choices_of
from govcloud.cli.main import INTERRUPTED, cli
from govcloud.model.text import Text

TARGET = Path(__file__).parent / "cli.md"
EXIT_CODES = {
    0: Text("成功，结果无问题", "clean"),
    1: Text("运行完毕，但答案是否定的：有问题项、无可行方案、步骤失败", "ran, and the answer is negative: findings, infeasible, failed step"),
    2: Text("用法不对", "usage"),
    3: Text("输入文件有问题", "bad input file"),
    4: Text("外部故障：主机、磁盘、数据库、外部程序", "something outside failed: host, disk, database, program"),
    5: Text("完整性破坏：记录对不上", "integrity broken: the records do not add up"),
    70: Text("程序自身缺陷", "a defect of our own"),
    INTERRUPTED: Text("被 Ctrl-C 中断；已记录的都在", "interrupted by Ctrl-C; everything recorded is kept"),
}  # fmt: skip


def render_reference() -> str:
    """The whole page in Markdown, Chinese and English side by side."""
    lines = [
        "# 命令参考 · Command reference",
        "",
        "<!-- 由 docs/build_cli.py 生成，请勿手改 · made by docs/build_cli.py, don't edit -->",
        "",
        "`govcloud [OPTIONS] COMMAND`",
        "",
        *_options(cli),
        "## 退出码 · Exit codes",
        "",
        "| | | |",
        "|---:|---|---|",
        *(f"| {code} | {text.zh} | {text.en} |" for code, text in EXIT_CODES.items()),
        "",
    ]
    for path, command in _walk(cli, "govcloud"):
        context = click.Context(command, info_name=path)
        usage = " ".join([path, *command.collect_usage_pieces(context)])
        lines += [f"## {path}", "", f"{command.text.zh} · {command.text.en}", "", f"`{usage}`", "", *_options(command)]
        lines += _examples(path.removeprefix("govcloud "))
    return "\n".join(lines).rstrip() + "\n"


def _walk(command: click.Command, path: str) -> Iterator[tuple[str, LocalizedCommand]]:
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert isinstance(found, LocalizedCommand)  # noqa: S101 - all of ours are
            yield f"{path} {name}", found
            yield from _walk(found, f"{path} {name}")


def _examples(path: str) -> list[str]:
    shown = [line for e in EXAMPLES.get(path, ()) for line in (f"# {e.says.zh} · {e.says.en}", e.line)]
    return ["```sh", *shown, "```", ""] if shown else []


def _options(command: click.Command) -> list[str]:
    rows = [f"| {name} `{_values(kind)}` | | |" for name, kind in choices_of(command)]
    for parameter in command.params:
        if isinstance(parameter, LocalizedOption) and not parameter.hidden:
            names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
            kind = "" if parameter.is_flag else _kind(parameter.type)
            required = " **必填 · required**" if parameter.required else ""
            rows.append(f"| {names}{kind}{required} | {parameter.text.zh} | {parameter.text.en} |".replace("\n", " "))
    return ["| | | |", "|---|---|---|", *rows, ""] if rows else []


def _kind(kind: click.ParamType) -> str:
    return f" `{_values(kind)}`" if isinstance(kind, click.Choice) else ""


def _values(kind: click.Choice[Any]) -> str:
    return "｜".join(map(str, kind.choices))


if __name__ == "__main__":
    TARGET.write_text(render_reference(), "utf-8")
