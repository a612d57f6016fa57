"""All systems of the estate with the state of their takeover, and progress by department."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from govcloud.handover.states import PAUSED, build_state
from govcloud.model.handover import Handover, Progress, SystemTakeover, TakeoverState
from govcloud.store import handover as handover_store
from govcloud.store.inventory import load_part
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import checklist_of, today


def list_systems(
    session: Session, *, state: TakeoverState | None = None, department: str | None = None
) -> list[SystemTakeover]:
    """Every system of the inventory by id with its newest takeover, and takeovers whose system is not there any more."""
    checklist, day = checklist_of(session), today(session)
    with session.store.read() as tx:
        systems = {s.system_id: s for s in load_part(tx, ["system"]).systems}
        newest = {h.system_id: h for h in handover_store.list_handovers(tx)}
    found = []
    for system_id in sorted(systems.keys() | newest.keys()):
        system, handover = systems.get(system_id), newest.get(system_id)
        now = build_state(checklist, handover, day)
        until = _planned_until(handover)
        found.append(
            SystemTakeover(
                system_id=system_id, name=system.name if system else None,
                department=system.department if system else None, state=now, handover=handover, until=until,
                overdue=until is not None and until < day and now != "operating" and now not in PAUSED,
            )
        )  # fmt: skip
    return [
        s for s in found
        if (state is None or s.state == state) and (department is None or department in (s.department or ""))
    ]  # fmt: skip


def _planned_until(handover: Handover | None) -> date | None:
    planned = [d for d in handover.decisions if d.act == "plan"] if handover else []
    return planned[-1].until if planned else None


def build_progress(systems: Sequence[SystemTakeover]) -> list[Progress]:
    """By department, those without one last, and the whole at the end (`department` is empty there)."""
    departments = sorted({s.department for s in systems}, key=lambda d: (d is None, d))
    rows = [_progress(name, [s for s in systems if s.department == name]) for name in departments]
    return [*rows, _progress("", systems)]


def _progress(department: str | None, systems: Sequence[SystemTakeover]) -> Progress:
    counts = Counter(s.state for s in systems)
    due = len(systems) - counts["not_applicable"]
    return Progress(
        department=department, states=dict(counts), systems=len(systems), overdue=sum(s.overdue for s in systems),
        done_pct=counts["operating"] * 100 // due if due else None,
    )  # fmt: skip
