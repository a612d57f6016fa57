"""The papers of the migration: the plan, each wave's cutover, approval and rollback, each run's report, proofs and acceptance."""

from __future__ import annotations

from collections.abc import Callable

from govcloud.model.plan import MigrationPlan
from govcloud.model.text import Text
from govcloud.report.acceptance_document import build_acceptance_document, build_switch_off_document
from govcloud.report.approval_document import build_approval_document
from govcloud.report.cutover_document import build_cutover_document
from govcloud.report.document import Document
from govcloud.report.migration_plan_document import PlanPaper, build_migration_plan_document
from govcloud.report.rollback_document import build_rollback_document
from govcloud.report.run_paper import RunPaper
from govcloud.report.run_report_document import build_run_report_document
from govcloud.report.verification_document import build_verification_document
from govcloud.report.wave_facts import WaveFacts
from govcloud.store import inventory as inventory_store
from govcloud.workflow.office import today
from govcloud.workflow.paper_frame import new_document
from govcloud.workflow.paper_kind import Builder, Kind, Scope
from govcloud.workflow.papers_waves_facts import WaveReader
from govcloud.workflow.papers_waves_runs import read_run
from govcloud.workflow.plan import assess_groups, assess_waves, latest_plan
from govcloud.workflow.run import list_runs
from govcloud.workflow.session import Session

NO_RUN = Text("还没有执行过迁移。运行 govcloud run start。", "Nothing has been run yet. Run govcloud run start.")
NO_PLAN = Text("还没有迁移计划。运行 govcloud plan build。", "There is no plan yet. Run govcloud plan build.")


def _of_waves(kind_id: str, title: Text, build: Callable[[WaveFacts, Document], Document]) -> Kind:
    def begin(session: Session) -> Builder:
        plan = latest_plan(session)
        reader = WaveReader(session, plan) if plan else None

        def paper(scope: Scope) -> Document | Text:
            if reader is None:
                return NO_PLAN
            wave = next((w for w in reader.plan.waves if w.number == (scope.wave or 1)), None)
            return build(reader.read(wave), _blank(session)) if wave else _no_wave(reader.plan, scope.wave)

        return paper

    return Kind(
        kind_id=kind_id, title=title, about="wave", build=lambda session, scope: begin(session)(scope), begin=begin
    )


def _migration_plan(session: Session, scope: Scope) -> Document | Text:
    plan = latest_plan(session)
    if plan is None:
        return NO_PLAN
    with session.store.read() as tx:
        inventory = inventory_store.load_part(tx, {"network", "project"})
    paper = PlanPaper(
        plan=plan, risks=(*assess_groups(plan), *assess_waves(plan)), networks=inventory.networks, projects=inventory.projects,
        today=today(session),
    )  # fmt: skip
    return build_migration_plan_document(paper, _blank(session))


def _of_run(build: Callable[[RunPaper, Document], Document | Text]) -> Callable[[Session, Scope], Document | Text]:
    def paper(session: Session, scope: Scope) -> Document | Text:
        if not list_runs(session):
            return NO_RUN
        return build(read_run(session, scope.run_id, scope.system_id), _blank(session))

    return paper


def _acceptance(paper: RunPaper, blank: Document) -> Document | Text:
    if paper.moved:
        return build_acceptance_document(paper, blank)
    text = Text(
        "执行 {r} 中没有系统在新平台服务，无可验收。",
        "No system of run {r} serves from the target: there is nothing to accept.",
    )
    return text.format(r=paper.shown.run.run_id)


def _switch_off(paper: RunPaper, blank: Document) -> Document | Text:
    if any(s.row.state == "switched_off" for s in paper.systems):
        return build_switch_off_document(paper, blank)
    text = Text("执行 {r} 中没有停用的源系统。验收并保留期满后运行 govcloud run switch-off {r}。",
                "No source of run {r} was switched off. After acceptance and retention run govcloud run switch-off {r}.")  # fmt: skip
    return text.format(r=paper.shown.run.run_id)


def _blank(session: Session) -> Document:
    """For the builders in report/, which know what a paper says but not whose it is."""
    return new_document(session, Text("", ""), ())


def _no_wave(plan: MigrationPlan, number: int | None) -> Text:
    if not plan.waves:
        return Text(
            "计划中没有割接批次。用 govcloud plan show 查看原因。",
            "The plan has no waves. govcloud plan show says why.",
        )
    return Text("计划 {p} 没有第 {n} 批，只有 1 至 {m} 批。", "Plan {p} has no wave {n}; it has 1 to {m}.").format(
        p=plan.plan_id, n=number, m=len(plan.waves)
    )


WAVE_KINDS: tuple[Kind, ...] = (
    Kind(kind_id="migration-plan", title=Text("迁移实施方案", "Plan of the migration"), about="estate", build=_migration_plan),
    _of_waves("cutover", Text("割接方案", "Cutover plan"), build_cutover_document),
    _of_waves("approval", Text("割接审批单", "Cutover approval form"), build_approval_document),
    _of_waves("rollback", Text("回退方案", "Rollback plan"), build_rollback_document),
    Kind(kind_id="run-report", title=Text("执行报告", "Run report"), about="run", build=_of_run(build_run_report_document)),
    Kind(kind_id="verification", title=Text("核验报告", "Verification report"), about="run", build=_of_run(build_verification_document)),
    Kind(kind_id="acceptance", title=Text("验收单", "Acceptance form"), about="run", build=_of_run(_acceptance)),
    Kind(kind_id="switch-off", title=Text("下线记录", "Switch-off record"), about="run", build=_of_run(_switch_off)),
)  # fmt: skip
