"""Plan the moves: inventory, findings, pins and settings → a stored plan with its ledger record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from govcloud import resources
from govcloud.compliance.calendar_source import load_calendar
from govcloud.compliance.zombies import build_zombies, parse_zombie_rules
from govcloud.errors import InputError, IntegrityError, UsageError
from govcloud.events import Event
from govcloud.execution.steps import site_steps
from govcloud.model.inventory import Dependency, Inventory
from govcloud.model.ledger import LedgerEntry
from govcloud.model.plan import MigrationPlan, PlanChange, PlanExplanation, PlanViolation
from govcloud.model.plan_names import GOAL_NAMES
from govcloud.model.plan_problem import Done, Earlier, PlanProblem
from govcloud.model.plan_summary import PlanHead
from govcloud.model.schedule import GoalKind, Progress, Search
from govcloud.model.text import Text
from govcloud.planning import diff, explain, layout, plan, verify
from govcloud.planning.diff import compare_plans as compare_plans
from govcloud.planning.groups import system_links
from govcloud.planning.load import MAX_WEEKS as MAX_WEEKS
from govcloud.planning.load import parse_rules
from govcloud.planning.overrides import apply_overrides
from govcloud.planning.problem import build_problem
from govcloud.planning.risk import assess_groups as assess_groups
from govcloud.planning.risk import assess_waves as assess_waves
from govcloud.planning.rules import PlanningRules
from govcloud.settings import FILE
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store import plan as plan_store
from govcloud.workflow.confidence import read_confidence
from govcloud.workflow.office import today
from govcloud.workflow.plan_pins import fixed_moves, left_out, list_pins
from govcloud.workflow.session import Session
from govcloud.workflow.zombies import read_use


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOrder:
    """What is asked of `build_plan`."""

    starts_on: date | None = None
    """Local date; by default today, or the first day of the previous plan while that lies ahead."""
    weeks: int | None = None
    limit_s: float = 10.0
    seed: int = 1
    workers: int = 2
    previous_id: str | None = None
    """Change this plan as little as possible."""
    overrides: tuple[str, ...] = ()
    """KEY=VALUE; the plan is a trial then."""
    stop: Callable[[], bool] | None = None
    """Asked often; True: the best plan so far will do."""
    given_up: Callable[[], bool] | None = None
    """True: no plan is wanted any more."""


def build_plan(session: Session, order: PlanOrder | None = None) -> MigrationPlan:
    """Plan, store and record. Raises UsageError before the first import and for `overrides` that can't be meant, InputError
    for settings that can't, KeyboardInterrupt when the person has given up: then nothing is stored."""
    order = order or PlanOrder()
    inventory = _inventory(session)
    previous = load_plan(session, order.previous_id) if order.previous_id else None
    day = today(session)
    starts_on = order.starts_on or max(day, previous.problem.starts_on if previous else day)
    problem = _problem(session, inventory, starts_on, order.weeks, order.overrides)
    if starts_on < day:
        problem = replace(problem, notes=(_PAST.format(d=starts_on, t=day), *problem.notes))
    if previous is not None:
        problem = _stay_close(problem, previous)
    search = Search(
        limit_s=order.limit_s, seed=order.seed, workers=order.workers, stop=order.stop,
        on_progress=_observer(session, order.limit_s, problem),
    )  # fmt: skip
    made = plan.build_plan(problem, created_at=session.now(), search=search, previous=previous)
    if order.given_up is not None and order.given_up():
        # A solver gives its best at a Ctrl-C, whether it was the first or the second one.
        raise KeyboardInterrupt
    made = replace(made, what_if=order.overrides)
    with session.store.begin() as tx:
        plan_store.add_plan(tx, made)
        entry = LedgerEntry(
            kind="plan", actor=session.actor, at=made.created_at, subject_id=made.plan_id, plan_hash=made.plan_hash,
            body=_body(made),
        )  # fmt: skip
        ledger_store.append(tx, entry)
    return made


_PAST = Text(
    "排期从 {d} 开始，早于今天（{t}）：今天之前的安排只作对照，已不能照办",
    "The plan starts on {d}, before today ({t}): what it places before today is there to compare and can't be carried out any more",
)


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


def list_plans(session: Session, *, limit: int, offset: int = 0) -> tuple[list[PlanHead], int]:
    """A page of all plans, trials too, the newest first; and how many there are."""
    with session.store.read() as tx:
        return plan_store.plan_heads(tx, limit=limit, offset=offset)


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
    rules = parse_rules(settings.planning, str(session.workspace.path / FILE))
    if overrides:
        rules = _tried(settings.planning, overrides)
    calendar = load_calendar(resources.folder("regulations") / "calendars", session.workspace.path / "calendars")
    last = starts_on + timedelta(weeks=weeks or rules.weeks, days=3 * 366)
    years = {y: calendar.year(y) for y in range(starts_on.year, last.year + 1)}
    known = [year for year in years.values() if year]
    pins = list_pins(session)
    fixed = fixed_moves(session, pins)
    problem = build_problem(
        inventory,
        rules,
        starts_on=starts_on,
        steps=site_steps(settings.steps, str(session.workspace.path / FILE)),
        weeks=weeks,
        timezone=settings.timezone,
        holidays=sorted(day for year in known for day in year.holidays),
        workdays=sorted(day for year in known for day in year.adjusted_workdays),
        published_years={year.year for year in known},
        confidence={s: c.score for s, c in read_confidence(session, inventory).items()},
        zombies=_zombies(session, inventory),
        incompatible=left_out(pins),
        pins=fixed.pins,
    )
    return replace(problem, notes=(*fixed.notes, *problem.notes))


def _tried(section: Mapping[str, object], overrides: Sequence[str]) -> PlanningRules:
    try:
        return parse_rules(apply_overrides(section, overrides))
    except InputError as error:
        tried = " ".join(f"--set {o}" for o in overrides)
        raise UsageError(error.what, where=tried, next_step=error.next_step) from None


def _zombies(session: Session, inventory: Inventory) -> frozenset[str]:
    """Beyond dispute, and nobody has decided otherwise about them."""
    rules = parse_zombie_rules(session.workspace.settings.zombies)
    with session.store.read() as tx:
        use = read_use(tx, inventory)
    verdicts = build_zombies(inventory, rules, use, today(session))
    return frozenset(v.system_id for v in verdicts if v.state == "zombie" and not v.disputed)


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


def _observer(session: Session, limit_s: float, problem: PlanProblem) -> Callable[[Progress], None]:
    what = Text("排期", "Planning")

    def tell(progress: Progress) -> None:
        subject = _told(progress, problem).to(session.lang)
        session.observer.on_event(
            Event(what=what, subject=subject, done=round(progress.seconds), total=max(1, round(limit_s)))
        )

    return tell


def _told(progress: Progress, problem: PlanProblem) -> Text:
    """How good the best plan so far is: its length, or the first goal of a site that does not ask for that."""
    if not progress.values:
        return Text("还没有可行的安排", "nothing that works yet")
    at = progress.goals.index("makespan") if "makespan" in progress.goals else 0
    kind, value = progress.goals[at], progress.values[at]
    bound = progress.bounds[at] if progress.bounds else 0
    found = Text("{g} {v}", "{g} {v}").format(g=GOAL_NAMES[kind], v=value)
    if kind == "makespan":
        last = problem.starts_on + timedelta(days=max(0, value - 1))
        found = Text("总工期 {v} 天（到 {d}）", "{v} days (to {d})").format(v=value, d=last)
    if progress.bounds and progress.values == progress.bounds:
        return Text("{t}，各项均已证明最好", "{t}, everything proven best").format(t=found)
    if value <= bound:
        return Text("{t}，已证明最好，其余目标继续改进", "{t}, proven best; the other goals go on").format(t=found)
    if bound <= 0:
        return Text("{t}，无下界", "{t}, no bound").format(t=found)
    gap = f"{100 * (value - bound) / value:.1f}"
    return Text("{t}，下界 {b}，差距 {p}%", "{t}, bound {b}, gap {p} %").format(t=found, b=bound, p=gap)


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
        if replace(old[s], minutes=None) != replace(new[s], minutes=None)
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
