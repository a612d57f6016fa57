"""An office in the middle of its work, for the tests that walk through the pages: sample estate, plan, a run that waits for an
approval, a takeover that waits for signatures, and people with accounts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from run_desk import SYSTEM
from served import PASSWORD
from wave_desk import make_wave_desk

from govcloud import resources
from govcloud.model.account import AccountRole, Acting
from govcloud.settings import open_workspace
from govcloud.workflow import account_changes, check, takeover, takeover_decide, takeover_papers
from govcloud.workflow.collect import import_files
from govcloud.workflow.session import Session, open_session

PEOPLE: dict[str, tuple[str, tuple[AccountRole, ...]]] = {
    "admin": ("钱示例", ("administrator",)),
    "owner": ("李示例", ("owner",)),
    "builder": ("王示例", ("builder",)),
    "authority": ("赵示例", ("authority",)),
    "auditor": ("孙示例", ("auditor",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    session: Session
    run_id: str
    handover_id: str
    system_id: str = SYSTEM


@contextmanager
def make_office(folder: Path, *, accounts: bool = True) -> Iterator[Office]:
    """`folder`: does not exist yet. The clock is the run desk's: in the window of the plan's first wave."""
    desk = make_wave_desk(folder)
    with desk.open("张示例") as session:
        import_files(session, sorted((resources.folder("inventory") / "sample" / "workbooks").glob("*.xlsx")))
        check.check_estate(session)
    run_id = desk.start()
    with desk.open("张示例") as session:
        handover_id = _ready_to_sign(session, folder)
        if accounts:
            _add_people(session)
    with open_session(open_workspace(folder), actor="张示例", now=desk._clock) as session:
        yield Office(session=session, run_id=run_id, handover_id=handover_id)


def _ready_to_sign(session: Session, folder: Path) -> str:
    started = takeover_decide.start_takeover(session, SYSTEM, level="register", builder="示例建设单位")
    handover_id = started.handover.handover_id
    paper = folder.parent / "资料.txt"
    paper.write_text("示例资料\n", "utf-8")
    receiver = session.written_for(Acting(name="王示例"))
    for _ in range(3):  # some things are asked for only in a later state
        for item in takeover.get_takeover(session, handover_id).open:
            if item.source in ("file", "note"):
                file = paper if item.source == "file" else None
                takeover_papers.add_evidence(session, handover_id, item.item_id, file=file, note="见附件")
        takeover_papers.accept(receiver, handover_id)
    return handover_id


def _add_people(session: Session) -> None:
    for login, (name, roles) in PEOPLE.items():
        account_changes.add_account(session, login, name=name, unit="示例单位", roles=roles, here="nobody")
        account_changes.set_password(session, login, PASSWORD)
