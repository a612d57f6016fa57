"""Plan the moves: inventory and settings → a stored plan with its ledger record."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from govcloud import resources
from govcloud.compliance.calendar_source import load_calendar
from govcloud.errors import IntegrityError, UsageError
from govcloud.model.inventory import Dependency, Inventory
from govcloud.model.ledger import LedgerEntry
from govcloud.model.plan import MigrationPlan, PlanExplanation, PlanProblem, PlanViolation
from govcloud.model.text import Text
from govcloud.planning import cpsat, explain, layout, plan, verify
from govcloud.planning.load import parse_rules
from govcloud.planning.problem import build_problem, system_links
from govcloud.settings import FILE
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store import plan as plan_store
from govcloud.workflow.session import Session


def build_plan(
    session: Session, *, starts_on: date | None = None, weeks: int | None = None, limit_s: float = 10.0, seed: int = 1
) -> MigrationPlan:
    """Plan, store and record. `starts_on` is a local date, today by default.

    Raises UsageError before the first import, InputError for settings that can't be meant.
    """
    inventory = _inventory(session)
    problem = _problem(session, inventory, starts_on or _today(session), weeks)
    made = plan.build_plan(
        problem,
        created_at=session.now(),
        search=cpsat.Search(limit_s=limit_s, seed=seed),
        dependencies=system_links(inventory),
    )
    body = {
        "plan_id": made.plan_id,
        "status": made.status,
        "starts_on": problem.starts_on.isoformat(),
        "weeks": problem.weeks,
        "waves": len(made.waves),
        "systems": sum(len(w.moves) for w in made.waves),
        "unplaced": [u.system_id for u in made.unplaced],
        "objective_system_days": made.objective,
        "bound_system_days": made.bound,
    }
    with session.store.begin() as tx:
        plan_store.add_plan(tx, made)
        entry = LedgerEntry(
            kind="plan",
            actor=session.actor,
            at=made.created_at,
            subject_id=made.plan_id,
            plan_hash=made.plan_hash,
            body=body,
        )
        ledger_store.append(tx, entry)
    return made


def latest_plan(session: Session) -> MigrationPlan | None:
    with session.store.read() as tx:
        return plan_store.latest_plan(tx)


def load_plan(session: Session, plan_id: str | None = None) -> MigrationPlan:
    """The named plan, or the latest one. Raises UsageError where there is none."""
    with session.store.read() as tx:
        found = plan_store.load_plan(tx, plan_id) if plan_id else plan_store.latest_plan(tx)
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


def explain_system(session: Session, system_id: str, plan_id: str | None = None) -> PlanExplanation:
    """Raises UsageError for a system that the plan does not know."""
    shown = load_plan(session, plan_id)
    found = explain.explain_system(shown, system_id)
    if found is None:
        raise UsageError(
            Text("计划 {p} 里没有这个系统", "Plan {p} does not know this system").format(p=shown.plan_id),
            where=system_id,
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
    if layout.plan_hash(shown.problem, shown.waves) != shown.plan_hash:
        raise IntegrityError(
            Text("计划内容与其指纹不符，可能被改动", "The plan does not match its hash; it may have been altered"),
            where=shown.plan_id,
            next_step=Text(
                "不要执行；用 govcloud audit verify 查明，再重新排期",
                "Do not run it; look into it with govcloud audit verify, then plan again",
            ),
        )
    problem = shown.problem
    today = _problem(session, _inventory(session), problem.starts_on, problem.weeks)
    return shown, verify.verify_plan(shown), _changes(problem, today)


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


def _problem(session: Session, inventory: Inventory, starts_on: date, weeks: int | None) -> PlanProblem:
    settings = session.workspace.settings
    rules = parse_rules(settings.planning, str(session.workspace.path / FILE))
    calendar = load_calendar(resources.folder("regulations") / "calendars", session.workspace.path / "calendars")
    last = starts_on + timedelta(weeks=(weeks or rules.weeks) + 2)
    years = {y: calendar.year(y) for y in range(starts_on.year, last.year + 1)}
    return build_problem(
        inventory,
        rules,
        starts_on=starts_on,
        weeks=weeks,
        timezone=settings.timezone,
        holidays=sorted(day for known in years.values() if known for day in known.holidays),
        published_years={y for y, known in years.items() if known},
    )


def _today(session: Session) -> date:
    return session.now().astimezone(ZoneInfo(session.workspace.settings.timezone)).date()


def _changes(planned: PlanProblem, today: PlanProblem) -> list[Text]:
    """Differences that make a new plan worth while."""
    old, new = {t.system_id: t for t in planned.tasks}, {t.system_id: t for t in today.tasks}
    found = [
        Text("{s} 现在应纳入排期", "{s} is to be planned now").format(s=s) for s in sorted(set(new) - set(old))
    ] + [Text("{s} 现在不应迁移", "{s} is not to move any more").format(s=s) for s in sorted(set(old) - set(new))]
    found += [
        Text("{s} 的排期依据已变化", "What is known of {s} has changed").format(s=s)
        for s in sorted(set(old) & set(new))
        if old[s] != new[s]
    ]
    if (planned.groups, planned.weak_links) != (today.groups, today.weak_links):
        found.append(Text("依赖关系已变化", "The dependencies have changed"))
    if (planned.windows, planned.freezes, planned.crews, planned.capacity) != (
        today.windows,
        today.freezes,
        today.crews,
        today.capacity,
    ):
        found.append(Text("窗口、封网、班组或容量已变化", "Windows, freezes, crews or capacity have changed"))
    return found
