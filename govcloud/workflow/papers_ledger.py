"""Papers that are read from the ledger: the month's progress and the statement for the auditor."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from govcloud.errors import IntegrityError, UsageError
from govcloud.ledger.checkpoint import VKEY_FILES
from govcloud.model.deadline import ProjectDeadline
from govcloud.model.plan import Wave
from govcloud.model.regulation import Regulation
from govcloud.model.run import SETTLED
from govcloud.model.text import Text
from govcloud.report.audit_document import build_audit_sections
from govcloud.report.document import Document, Signature
from govcloud.report.month_document import Checked, Month, build_month_sections
from govcloud.store import ledger as ledger_store
from govcloud.store.codec import instant
from govcloud.workflow.audit import verify_ledger
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.office import today
from govcloud.workflow.paper_frame import new_document
from govcloud.workflow.paper_kind import Scope
from govcloud.workflow.plan import latest_plan
from govcloud.workflow.projects import list_deadlines
from govcloud.workflow.session import Session

_LATE = timedelta(days=1)
"""Records are written in the order of their numbers, their times are those of the machines that wrote them."""


def build_month_paper(session: Session, scope: Scope) -> Document | Text:
    first = (scope.month or today(session)).replace(day=1)
    last = first.replace(day=monthrange(first.year, first.month)[1])
    inventory = read_inventory(session)
    month = Month(first_on=first, last_on=last, names={s.system_id: s.name for s in inventory.systems})
    for record in _records(session, first, last):
        _count(month, record, ZoneInfo(session.workspace.settings.timezone))
    if not month.records:
        return Text(
            "{y} 年 {m} 月台账中没有记录。用 --month 指定有记录的月份，govcloud audit log 查看记录。",
            "The ledger has no records of {y}-{m:02d}. Name another month with --month; govcloud audit log shows the records.",
        ).format(y=first.year, m=first.month)
    deadlines, own = _deadlines(session, min(last, today(session)))
    sections = build_month_sections(
        month, deadlines=deadlines, own=own, as_of=min(last, today(session)), waves=_waves(session, last),
        networks=[n for n in inventory.networks if n.kind == "dedicated" and n.closed_on and first <= n.closed_on <= last],
    )  # fmt: skip
    title = Text("政务信息系统上云迁移月报\n（{y}年{m}月）", "Government cloud migration\nMonthly report, {y}-{m:02d}")
    return new_document(session, title.format(y=first.year, m=first.month), sections)


def _records(session: Session, first: date, last: date) -> Iterator[Mapping[str, Any]]:
    """Those of the days, the newest first, one at a time."""
    zone = ZoneInfo(session.workspace.settings.timezone)
    since, until = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    start, end, stop = instant(since), instant(until), instant(since - _LATE)
    with session.store.read() as tx:
        for record in ledger_store.iterate(tx, newest_first=True):
            try:
                document = msgspec.json.decode(record.canonical)
            except msgspec.MsgspecError:
                raise IntegrityError(
                    Text("记录 {n} 已损坏", "Record {n} is damaged").format(n=record.seq), where=f"ledger {record.seq}",
                    next_step=Text("运行 govcloud audit verify", "Run govcloud audit verify"),
                ) from None  # fmt: skip
            if document["at"] < stop:
                return
            if start <= document["at"] < end:
                yield document


def _count(month: Month, record: Mapping[str, Any], zone: ZoneInfo) -> None:
    month.records[record["kind"]] += 1
    month.first_seq = record["seq"]
    month.last_seq = record["seq"] if month.last_seq is None else month.last_seq
    if count := _COUNTED.get(record["kind"]):
        # What another version wrote in another form is counted as a record, and told by nobody.
        with suppress(LookupError, TypeError, AttributeError, ValueError):
            count(month, record, datetime.fromisoformat(record["at"]).astimezone(zone))


def _facts(month: Month, record: Mapping[str, Any], _at: datetime) -> None:
    for word in ("added", "changed", "removed"):
        month.facts[word] += record["body"].get(word, 0)


def _check(month: Month, record: Mapping[str, Any], at: datetime) -> None:
    body = record["body"]
    if body["what"] == "request":
        month.requests[body["conclusion"]] += 1
    elif body["what"] == "estate" and body["tracked"]:
        month.new.update(body["new"])
        month.resolved.update(body["resolved"])
        checked = Checked(
            at=at, failed=body["binding_fail"], undetermined=body["binding_undetermined"], waived=body["waived"],
            new=len(body["new"]), resolved=len(body["resolved"]),
        )  # fmt: skip
        month.checks.setdefault(at.date(), checked)  # the newest come first


def _waiver(month: Month, record: Mapping[str, Any], _at: datetime) -> None:
    month.waived += record["body"]["what"] == "add"


def _state(month: Month, record: Mapping[str, Any], at: datetime) -> None:
    state = record["body"]["state"]
    if state in SETTLED or state == "needs_person":
        month.states.append((at, record["subject_id"], record["run_id"], state))


def _sign_off(month: Month, record: Mapping[str, Any], at: datetime) -> None:
    month.signed.append((at, record["subject_id"], record["body"]["role"], record["actor"]))


_COUNTED: Mapping[str, Callable[[Month, Mapping[str, Any], datetime], None]] = {
    "import": _facts, "discover": _facts, "confirm": _facts, "check": _check, "waiver": _waiver, "run_state": _state,
    "signoff": _sign_off,
}  # fmt: skip


def _deadlines(session: Session, as_of: date) -> tuple[tuple[ProjectDeadline, ...], Regulation | None]:
    try:
        found = list_deadlines(session, as_of)
    except UsageError:  # nothing imported, or no regulations named: a month without deadlines
        return (), None
    return found.rows, found.own


def _waves(session: Session, last: date) -> list[Wave]:
    """Of the newest plan, those of the month after that day."""
    plan, zone = latest_plan(session), ZoneInfo(session.workspace.settings.timezone)
    following = last + timedelta(days=1)
    end = following.replace(day=monthrange(following.year, following.month)[1])
    waves = plan.waves if plan else ()
    return [w for w in waves if following <= w.window.starts_at.astimezone(zone).date() <= end]


def build_audit_paper(session: Session, _scope: Scope) -> Document | Text:
    verified = verify_ledger(session)
    newest: dict[str, Any] | None = None
    kinds: dict[str, tuple[int, str, str]] = {}
    with session.store.read() as tx:
        checkpoints = ledger_store.checkpoints(tx)
        for record in ledger_store.iterate(tx):
            with suppress(msgspec.MsgspecError):  # the check above names what is damaged
                newest = {**msgspec.json.decode(record.canonical), "leaf_hash": record.leaf_hash}
                at = str(newest["at"])
                count, first, _ = kinds.get(newest["kind"], (0, at, at))
                kinds[newest["kind"]] = (count + 1, first, at)
    key = session.workspace.path / "keys" / VKEY_FILES[session.store.ledger.name]
    sections = build_audit_sections(
        verified.report, live=verified.live, unsigned=verified.unsigned, checkpoints=checkpoints, newest=newest, kinds=kinds, hashes=session.store.ledger.name,
        vkey=key.read_text("ascii").strip() if key.is_file() else None,
    )  # fmt: skip
    return new_document(
        session, Text("迁移台账审计说明", "Migration ledger: statement for the auditor"), sections,
        closing=(Text("本说明盖章后，所列公钥、根哈希可作为另行取得的比对依据。",
                      "Once sealed, this statement is an independent source of the public key and the root hash for comparison."),),
        signatures=(
            Signature(party=Text("台账管理单位", "Office that keeps the ledger"), unit=session.workspace.settings.name),
            Signature(party=Text("审计人员", "Auditor")),
        ),
    )  # fmt: skip
