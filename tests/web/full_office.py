"""An office in the middle of its work, for the tests that walk through the pages: sample estate, plan, a run that waits for an
approval, a takeover that waits for signatures, and people with accounts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from run_desk import SYSTEM
from served import PASSWORD
from wave_desk import build_wave_plan, make_wave_desk

from govcloud import resources
from govcloud.model.account import AccountRole, Acting
from govcloud.model.observation import Statement, SubjectKind, Value
from govcloud.model.plan import MigrationPlan
from govcloud.planning.layout import plan_hash
from govcloud.settings import open_workspace
from govcloud.store import inventory as inventory_store
from govcloud.store import plan as plan_store
from govcloud.workflow import account_changes, check, takeover, takeover_decide, takeover_papers
from govcloud.workflow.collect import import_files
from govcloud.workflow.session import Session, open_session
from govcloud.workflow.statements import merge_inventory

PEOPLE: dict[str, tuple[str, tuple[AccountRole, ...]]] = {
    "admin": ("钱示例", ("administrator",)),
    "owner": ("李示例", ("owner",)),
    "builder": ("王示例", ("builder",)),
    "authority": ("赵示例", ("authority",)),
    "auditor": ("孙示例", ("auditor",)),
}


HOSTILE = (
    '<img src=x onerror="window.ran=1" data-planted>',
    '"><script data-planted>window.ran=1</script>',
    "'><svg/onload=window.ran=1 data-planted>",
    "</textarea></title></style><b data-planted>",
    "javascript:window.ran=1",
    "{{ 7 * 7 }}${7*7}<!--",
    "\u202e<iframe srcdoc='<script>parent.ran=1</script>' data-planted>",
)
"""What a department may write into any cell. Each but the lines of text would run or show itself where it is not escaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    session: Session
    run_id: str
    handover_id: str
    system_id: str = SYSTEM


@contextmanager
def make_office(folder: Path, *, hostile: bool = False) -> Iterator[Office]:
    """`folder`: does not exist yet. The clock is the run desk's: in the window of the plan's first wave. `hostile`: with names,
    units, log lines and file names of HOSTILE everywhere."""
    desk = make_wave_desk(folder, _plan("P-1"))
    with desk.open("seed") as session, session.store.begin() as tx:
        plan_store.add_plan(tx, _plan("P-2", hostile=hostile))
    if hostile:
        desk.log = " ".join(HOSTILE)
        with desk.open("seed") as session:
            _plant(session)
    with desk.open("张示例") as session:
        import_files(session, sorted((resources.folder("inventory") / "sample" / "workbooks").glob("*.xlsx")))
        check.check_estate(session)
    run_id = desk.start()
    with desk.open("张示例") as session:
        _add_people(session)
        handover_id = _ready_to_sign(session, folder.parent / (HOSTILE[0] if hostile else "资料.txt"))
    with open_session(open_workspace(folder), actor="张示例", now=desk._clock) as session:
        yield Office(session=session, run_id=run_id, handover_id=handover_id)


def _ready_to_sign(session: Session, paper: Path) -> str:
    started = takeover_decide.start_takeover(session, SYSTEM, level="register", builder="示例建设单位")
    handover_id = started.handover.handover_id
    paper.write_text("示例资料\n", "utf-8")
    receiver = session.written_for(Acting(name="王示例"))
    for _ in range(3):  # some things are asked for only in a later state
        for item in takeover.get_takeover(session, handover_id).open:
            if item.source in ("file", "note"):
                file = paper if item.source == "file" else None
                takeover_papers.add_evidence(session, handover_id, item.item_id, file=file, note="见附件")
        takeover_papers.accept(receiver, handover_id)
    takeover_papers.add_evidence(session, handover_id, "design", file=paper, note=paper.name)
    return handover_id


def _add_people(session: Session) -> None:
    for login, (name, roles) in PEOPLE.items():
        account_changes.add_account(session, login, name=name, unit="示例单位", roles=roles, here="nobody")
        account_changes.set_password(session, login, PASSWORD)


def _plant(session: Session) -> None:
    """A system, a server, a network and a dependency whose every word is hostile, and a plan that names it."""
    n = len(HOSTILE)
    told: list[tuple[SubjectKind, str, dict[str, Value]]] = []
    for i, text in enumerate(HOSTILE):
        other = HOSTILE[(i + 1) % n]
        told += [
            ("department", f"D-X{i}", {"name": text}),
            ("system", f"SL-X-{i}", {"name": text, "department": other, "function": text, "contact": text, "builder": text, "url": text,
                                     "hosting": "own_room", "servers": [f"SRV-X-{i}"], "networks": [f"NET-X-{i}"], "maintained_by": text}),
            ("server", f"SRV-X-{i}", {"hostname": text, "department": other, "os_name": text, "model": text}),
            ("network", f"NET-X-{i}", {"name": text, "department": other, "carrier": text, "purpose": text, "legal_basis": text,
                                       "systems": [f"SL-X-{i}"]}),
        ]  # fmt: skip
    said = [
        Statement(subject_kind=kind, subject_id=name, source="workbook", place=f"{HOSTILE[0]}.xlsx!{HOSTILE[1]}!", observed_at=session.now(), values=values)
        for kind, name, values in told
    ]  # fmt: skip
    with session.store.begin() as tx:
        batch = inventory_store.add_batch(
            tx, batch_id="planted", kind=inventory_store.IMPORT, source=HOSTILE[0], sha256="", at=session.now(), actor=HOSTILE[1],
            body={"read_as": ""},
        )  # fmt: skip
        inventory_store.add_statements(tx, batch, said)
        merge_inventory(session, tx)


def _plan(plan_id: str, *, hostile: bool = False) -> MigrationPlan:
    plan = build_wave_plan(plan_id)
    if hostile:
        tasks = tuple(
            replace(task, name=text, department=text) for task, text in zip(plan.problem.tasks, HOSTILE, strict=False)
        )
        plan = replace(plan, problem=replace(plan.problem, tasks=tasks))
    return replace(plan, plan_hash=plan_hash(plan.problem, plan.waves, plan.activities))
