"""Plan the moves: inventory, findings, pins and settings → a stored plan with its ledger record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from govcloud import resources
from govcloud.compliance.calendar_source import load_calendar
from govcloud.errors import IntegrityError, UsageError
from govcloud.events import Event
from govcloud.model.inventory import Dependency, Inventory
from govcloud.model.ledger import LedgerEntry
from govcloud.model.plan import MigrationPlan, PlanChange, PlanExplanation, PlanViolation
from govcloud.model.plan_problem import Done, Earlier, PlanProblem
from govcloud.model.schedule import GoalKind, Progress, Search
from govcloud.model.text import Text
from govcloud.planning import diff, explain, layout, plan, verify
from govcloud.planning.diff import compare_plans as compare_plans
from govcloud.planning.groups import system_links
from govcloud.planning.load import parse_rules
from govcloud.planning.overrides import apply_overrides
from govcloud.planning.problem import build_problem
from govcloud.planning.risk import assess_groups as assess_groups
from govcloud.planning.risk import assess_waves as assess_waves
from govcloud.settings import FILE
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store import plan as plan_store
from govcloud.workflow.confidence import read_confidence
from govcloud.workflow.office import today
from govcloud.workflow.plan_pins import fixed_moves, left_out, list_pins
from govcloud.workflow.session import Session
from govcloud.workflow.zombies import list_zombies


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOrder:
    """What is asked of `build_plan`."""

    starts_on: date | None = None
    """Local date; today by default, or that of the previous plan while it lies ahead."""
    weeks: int | None = None
    limit_s: float = 10.0
    seed: int = 1
    workers: int = 2
    previous_id: str | None = None
    """Change this plan as little as possible."""
    overrides: tuple[str, ...] = ()
    """KEY=VALUE; the plan is a trial then."""
    stop: Callable[[], bool] | None = None


def build_plan(session: Session, order: PlanOrder | None = None) -> MigrationPlan:
    """Plan, store and record. Raises UsageError before the first import, InputError for settings that can't be meant."""
    order = order or PlanOrder()
    inventory = _inventory(session)
    previous = load_plan(session, order.previous_id) if order.previous_id else None
    problem = _problem(session, inventory, order.starts_on or today(session), order.weeks, order.overrides)
    if previous is not None:
        problem = _stay_close(problem, previous)
    search = Search(
        limit_s=order.limit_s, seed=order.seed, workers=order.workers, stop=order.stop,
        on_progress=_observer(session, order.limit_s),
    )  # fmt: skip
    made = plan.build_plan(problem, created_at=session.now(), search=search, previous=previous)
    made = replace(made, what_if=order.overrides)
    with session.store.begin() as tx:
        plan_store.add_plan(tx, made)
        entry = LedgerEntry(
            kind="plan", actor=session.actor, at=made.created_at, subject_id=made.plan_id, plan_hash=made.plan_hash,
            body=_body(made),
        )  # fmt: skip
        ledger_store.append(tx, entry)
    return made


def latest_plan(session: Session) -> MigrationPlan | None:
    with session.store.read() as tx:
        return plan_store.latest_plan(tx)


def load_plan(session: Session, plan_id: str | None = None) -> MigrationPlan:
    """The named plan, or the latest one (None or `latest`). Raises UsageError where there is none."""
    named = None if plan_id in (None, "latest") else plan_id
    with session.store.read() as tx:
        found = plan_store.load_plan(tx, named) if named else plan_store.latest_plan(tx)
        known = plan_store.plan_ids(tx)
    if found is None and known:
        raise UsageError(
            Text("没有这个计划", "No such plan"),
            where=plan_id or "",
            next_step=Text("已有计划：{ids}", "There are: {ids}").format(ids=", ".join(known[:10])),
        )
    if found is None:
        raise UsageError(
            Text("还没有迁移计划", "There is no migration plan yet"),
            where=plan_id or "",
            next_step=Text("先运行 govcloud plan build", "Run govcloud plan build first"),
        )
    return found


def explain_system(session: Session, subject_id: str, plan_id: str | None = None) -> PlanExplanation:
    """A system or a network. Raises UsageError for one that the plan does not know."""
    shown = load_plan(session, plan_id)
    found = explain.explain_system(shown, subject_id)
    if found is None:
        raise UsageError(
            Text("计划 {p} 里没有这个系统", "Plan {p} does not know this system").format(p=shown.plan_id),
            where=subject_id,
            next_step=Text(
                "用系统编号查询；清单有变化时重新运行 govcloud plan build",
                "Give the system's id; after a change of the inventory run govcloud plan build again",
            ),
        )
    return found


def verify_plan(session: Session, plan_id: str | None = None) -> tuple[MigrationPlan, list[PlanViolation], list[Text]]:
    """The plan, what is wrong with it, and how the inventory and settings of today differ from what it was made of.

    Raises IntegrityError when the stored plan is not the one that was recorded.
    """
    shown = load_plan(session, plan_id)
    if layout.plan_hash(shown.problem, shown.waves, shown.activities) != shown.plan_hash:
        raise IntegrityError(
            Text("计划内容与其指纹不符，可能被改动", "The plan does not match its hash; it may have been altered"),
            where=shown.plan_id,
            next_step=Text(
                "不要执行；用 govcloud audit verify 查明，再重新排期",
                "Do not run it; look into it with govcloud audit verify, then plan again",
            ),
        )
    problem = shown.problem
    now = _problem(session, _inventory(session), problem.starts_on, problem.weeks, shown.what_if)
    return shown, verify.verify_plan(shown), _changes(problem, now)


def diff_plans(
    session: Session, before_id: str | None = None, after_id: str | None = None
) -> tuple[MigrationPlan, MigrationPlan, tuple[PlanChange, ...]]:
    """Two named plans; by default the latest one and the plan that it was made from, or the one before it.

    Raises UsageError where there are no two.
    """
    after = load_plan(session, after_id)
    if before_id is None:
        with session.store.read() as tx:
            ids = plan_store.plan_ids(tx, what_if=False)
        older = ids[ids.index(after.plan_id) + 1 :] if after.plan_id in ids else ids
        before_id = after.previous_id or (older[0] if older else None)
    if before_id is None or before_id == after.plan_id:
        raise UsageError(
            Text("没有可以比较的上一个计划", "There is no earlier plan to compare with"),
            where=after.plan_id,
            next_step=Text("写明两个计划编号，或先运行 govcloud plan build --from latest",
                           "Name two plans, or run govcloud plan build --from latest first"),
        )  # fmt: skip
    before = load_plan(session, before_id)
    return before, after, diff.diff_plans(before, after)


def plan_dependencies(session: Session) -> tuple[Dependency, ...]:
    """Dependencies between systems, as the planner sees them."""
    return system_links(_inventory(session))


def _inventory(session: Session) -> Inventory:
    with session.store.read() as tx:
        inventory = inventory_store.load_inventory(tx)
    if not inventory.systems:
        raise UsageError(
            Text("清单里还没有系统", "There are no systems in the inventory yet"),
            next_step=Text("先运行 govcloud import 普查表.xlsx", "Run govcloud import CENSUS.xlsx first"),
        )
    return inventory


def _problem(
    session: Session, inventory: Inventory, starts_on: date, weeks: int | None, overrides: Sequence[str]
) -> PlanProblem:
    settings = session.workspace.settings
    section = apply_overrides(settings.planning, overrides)
    rules = parse_rules(section, str(session.workspace.path / FILE))
    calendar = load_calendar(resources.folder("regulations") / "calendars", session.workspace.path / "calendars")
    last = starts_on + timedelta(weeks=weeks or rules.weeks, days=3 * 366)
    years = {y: calendar.year(y) for y in range(starts_on.year, last.year + 1)}
    known = [year for year in years.values() if year]
    pins = list_pins(session)
    return build_problem(
        inventory,
        rules,
        starts_on=starts_on,
        weeks=weeks,
        timezone=settings.timezone,
        holidays=sorted(day for year in known for day in year.holidays),
        workdays=sorted(day for year in known for day in year.adjusted_workdays),
        published_years={year.year for year in known},
        confidence={s: c.score for s, c in read_confidence(session, inventory).items()},
        zombies=_zombies(session),
        incompatible=left_out(pins),
        pins=fixed_moves(session, pins),
    )


def _zombies(session: Session) -> frozenset[str]:
    """Beyond dispute, and nobody has decided otherwise about them."""
    return frozenset(v.system_id for v in list_zombies(session).verdicts if v.state == "zombie" and not v.disputed)


def _stay_close(problem: PlanProblem, previous: MigrationPlan) -> PlanProblem:
    earlier = {
        m.group_id: Earlier(group_id=m.group_id, opens_on=w.window.opens_on, starts_at=m.starts_at, crew=m.crew)
        for w in previous.waves
        for m in sorted(w.moves, key=lambda m: m.starts_at, reverse=True)
    }
    known = {j.job_id: j for j in previous.problem.jobs}
    now = {j.job_id: j for j in problem.jobs}
    # What should have begun by now is taken to have: planning it again would move everything behind it. A cutover is over
    # only when a run has carried it out; work under way that is another one now has to be planned anew.
    done = tuple(d for d in previous.problem.done if d.job_id in now) + tuple(
        Done(job_id=a.job_id, ended_on=a.ends_on)
        for a in previous.activities
        if a.starts_on < problem.starts_on
        and a.job_id in now
        and (a.ends_on < problem.starts_on or now[a.job_id] == known.get(a.job_id))
    )
    notes = problem.notes
    if done:
        words = Text(
            "按上一计划 {p}，{n} 项工作已在 {d} 前开始，不再重排；实际没有做的，请改用 govcloud plan build 重新排期",
            "By plan {p}, {n} jobs have begun before {d} and are not planned again; where they have not, run plan build without --from",
        )
        notes = (*notes, words.format(p=previous.plan_id, n=len(done), d=problem.starts_on))
    goals: tuple[GoalKind, ...] = problem.goals
    if "changes" not in goals:
        at = goals.index("deadlines") + 1 if "deadlines" in goals else 0
        goals = (*goals[:at], "changes", *goals[at:])
    return replace(problem, earlier=tuple(earlier[g] for g in sorted(earlier)), goals=goals, done=done, notes=notes)


def _observer(session: Session, limit_s: float) -> Callable[[Progress], None]:
    what = Text("排期", "Planning")
    words = Text("{g}（下界 {b}）", "{g} (bound {b})")

    def tell(progress: Progress) -> None:
        shown = " · ".join(
            words.format(g=v, b=b).to(session.lang) for v, b in zip(progress.values, progress.bounds, strict=False)
        )
        session.observer.on_event(
            Event(what=what, subject=shown, done=round(progress.seconds), total=max(1, round(limit_s)))
        )

    return tell


def _body(made: MigrationPlan) -> dict[str, object]:
    record = made.solver
    return {
        "plan_id": made.plan_id,
        "status": made.status,
        "starts_on": made.problem.starts_on.isoformat(),
        "weeks": made.problem.weeks,
        "waves": len(made.waves),
        "systems": sum(len(w.moves) for w in made.waves),
        "unplaced": [u.system_id for u in made.unplaced],
        "goals": [{"kind": g.kind, "value": g.value, "bound": g.bound} for g in made.goals],
        "solver": record.solver if record else None,
        "seed": record.seed if record else None,
        "problem_hash": record.problem_hash if record else None,
        "previous_id": made.previous_id,
        "what_if": list(made.what_if),
    }


def _changes(planned: PlanProblem, now: PlanProblem) -> list[Text]:
    """Differences that make a new plan worth while."""
    old, new = {t.system_id: t for t in planned.tasks}, {t.system_id: t for t in now.tasks}
    found = [
        Text("{s} 现在应纳入排期", "{s} is to be planned now").format(s=s) for s in sorted(set(new) - set(old))
    ] + [Text("{s} 现在不应迁移", "{s} is not to move any more").format(s=s) for s in sorted(set(old) - set(new))]
    found += [
        Text("{s} 的排期依据已变化", "What is known of {s} has changed").format(s=s)
        for s in sorted(set(old) & set(new))
        if old[s] != new[s]
    ]
    for text, names in (
        (Text("依赖关系已变化", "The dependencies have changed"), ("groups", "weak_links", "bridges")),
        (Text("窗口、封网、班组或容量已变化", "Windows, freezes, crews or capacity have changed"),
         ("windows", "freezes", "crews", "resources", "days_off", "apart")),
        (Text("人工固定的安排已变化", "The pins have changed"), ("pins",)),
    ):  # fmt: skip
        if any(getattr(planned, n) != getattr(now, n) for n in names):
            found.append(text)
    return found


def check_runnable(shown: MigrationPlan) -> None:
    """Raises UsageError for a trial."""
    if shown.what_if:
        raise UsageError(
            Text("这是改变设置后的试算计划，不能执行：{w}", "This plan is a trial with changed settings and can't be run: {w}").format(
                w=", ".join(shown.what_if)),
            where=shown.plan_id,
            next_step=Text("把设置写进 govcloud.yaml 后重新排期", "Put the settings into govcloud.yaml and plan again"),
        )  # fmt: skip
