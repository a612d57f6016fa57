"""`run` verbs about single attempts and about machines that a run has made."""

from __future__ import annotations

import json
from pathlib import Path

import click

from govcloud.cli._run_work import NEEDS_WORK, leave, phase_option, step_argument, systems_option
from govcloud.cli.base import App, command, option, pass_app
from govcloud.model.step import Phase, StepName
from govcloud.model.text import Text
from govcloud.report.discovery import build_trust_view
from govcloud.report.run_records import build_resources_view, build_results_view
from govcloud.workflow import run_machines, run_status

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@command(Text("查看一次尝试的日志", "The log of an attempt"), action="read")
@click.argument("run_id")
@click.argument("system_id")
@step_argument
@phase_option
@option("--attempt", "number", type=int, text=Text("第几次，默认最后一次", "Which one; the last by default"))
@pass_app
def logs(app: App, run_id: str, system_id: str, step: StepName, phase: Phase, number: int | None) -> None:
    with app.session() as session:
        key, text = run_status.read_log(session, run_id, system_id, step, phase=phase, number=number)
    if app.output == "json":
        click.echo(json.dumps({"attempt": key.text, "log": text}, ensure_ascii=False))
    else:
        click.echo(text)


@command(
    Text("核对一步的效果是否存在（只读）", "Look whether a step's effect is there; it only reads"), action="operate"
)
@click.argument("run_id")
@click.argument("system_id")
@step_argument
@pass_app
def probe(app: App, run_id: str, system_id: str, step: StepName) -> int:
    with app.session() as session:
        result = run_machines.probe_step(session, run_id, system_id, step)
        app.show(build_results_view({system_id: result}))
    return leave(0 if result.status == "ok" else 1)


@command(
    Text("清理：删除已结束的系统在云上创建的资源", "Clean up: delete what systems that have ended made in clouds"),
    action="operate",
)
@click.argument("run_id")
@systems_option
@option("--list", "listing", is_flag=True, text=Text("只列出，不删除", "Only list them, delete nothing"))
@pass_app
def cleanup(app: App, run_id: str, systems: tuple[str, ...], listing: bool) -> int:
    with app.session(*(("read",) if listing else ())) as session:
        if listing:
            app.show(build_resources_view(run_machines.list_resources(session, run_id, systems)))
            return 0
        results = run_machines.clean_up(session, run_id, systems)
        app.show(
            build_results_view(results), build_resources_view(run_machines.list_resources(session, run_id, systems))
        )
    return leave(0 if all(r.status == "ok" for r in results.values()) else 1)


@command(Text("导入云管人员填好的工单", "Import the ticket that the cloud desk has filled in"), action="operate")
@click.argument("run_id")
@click.argument("system_id")
@click.argument("file", type=_FILE)
@pass_app
def answer(app: App, run_id: str, system_id: str, file: Path) -> None:
    with app.session() as session:
        made = run_machines.answer_ticket(session, run_id, system_id, file)
    app.say(Text("已登记 {i}，地址 {a}", "Recorded {i} at {a}").format(i=made.external_id, a=made.address))
    app.say(NEEDS_WORK.format(r=run_id))


@command(
    Text(
        "核对并认可这次执行创建的机器的主机公钥", "Compare and approve the host keys of machines that the run has made"
    ),
    action="operate",
)
@click.argument("run_id")
@click.argument("system_id")
@option("--approve", is_flag=True, text=Text("认可显示的密钥", "Approve the keys shown"))
@option(
    "--expect", type=_FILE,
    text=Text("另一途径得来的指纹清单，只认其中的密钥", "List of fingerprints that came another way; only those are approved"),
)  # fmt: skip
@pass_app
def trust(app: App, run_id: str, system_id: str, approve: bool, expect: Path | None) -> int:
    with app.session() as session:
        trusts = run_machines.trust_made(session, run_id, system_id, approve=approve, expect=expect)
        app.show(build_trust_view(trusts))
    return 0 if trusts and all(t.state in ("trusted", "approved") for t in trusts) else 1


VERBS: tuple[click.Command, ...] = (logs, probe, cleanup, answer, trust)
