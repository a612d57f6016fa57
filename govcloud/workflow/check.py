"""Check the estate against the office's rule packs; each check with its record."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

from govcloud.compliance import cases
from govcloud.compliance.evaluate import asked_fields, evaluate
from govcloud.compliance.load import pack_ids
from govcloud.compliance.waivers import apply_waivers
from govcloud.compliance.zombies import build_zombies, parse_zombie_rules
from govcloud.discovery.stale import is_stale
from govcloud.errors import UsageError
from govcloud.model.answers import Witness
from govcloud.model.inventory import Inventory
from govcloud.model.ledger import LedgerEntry
from govcloud.model.observation import Observation, SubjectKind
from govcloud.model.regulation import CaseResult, EstateCheck, Finding, Severity
from govcloud.model.text import Text
from govcloud.model.waiver import Waiver
from govcloud.model.zombie import ZombieVerdict
from govcloud.store import finding as finding_store
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store import waiver as waiver_store
from govcloud.workflow.office import (
    Rulebook,
    load_estate,
    load_rulebook,
    office_rulebook,
    regulation_folders,
    today,
)
from govcloud.workflow.session import Session
from govcloud.workflow.statements import collector_paused
from govcloud.workflow.zombies import read_use

_ZOMBIE = "zombie_"
_SEEN_USE = "zombie_detached"
"""The one criterion that samples of connections speak to; reading them costs more than all rules together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What somebody wants to see of a check. None: everything. The check itself is always of the whole estate."""

    department: str | None = None
    topic: str | None = None
    clause: str | None = None
    severity: Severity | None = None
    changes: bool = False
    """Only what is new or resolved since the last run."""

    def takes(self, finding: Finding) -> bool:
        return (
            self.department in (None, finding.department)
            and self.topic in (None, finding.topic)
            and (self.clause is None or self.clause in finding.clauses)
            and self.severity in (None, finding.severity)
            and (not self.changes or finding.state in ("new", "resolved"))
        )


def check_estate(
    session: Session,
    as_of: date | None = None,
    selection: Selection = Selection(),
) -> EstateCheck:
    """Every rule against the whole inventory, as of a day (today by default), with the waivers that are valid on it.

    Findings are followed from run to run (new, open, resolved) for checks of today only: a look at another day must
    not close or open anything. `selection` is only looked at for what can't be meant. Raises UsageError before the
    first import, and for a topic or clause that no rule has.
    """
    rulebook, now, day = office_rulebook(session), session.now(), today(session)
    _verify(selection, rulebook, as_of or day, day)
    with collector_paused():
        checked = _evaluate(session, rulebook, as_of or day)
        return _record(session, checked, now, day)


def _record(session: Session, checked: EstateCheck, now: datetime, day: date) -> EstateCheck:
    with session.store.begin() as tx:
        inventory_store.queue_writers(tx)
        last = finding_store.last_check_on(tx)
        if checked.as_of == day and (last is None or last <= day):
            tracked = finding_store.track(tx, checked.findings, day)
            checked, sha256 = replace(checked, findings=tracked.findings, tracked=True), tracked.sha256
        else:
            sha256 = finding_store.digest_findings(checked.findings)
        found = apply_waivers(checked.findings, waiver_store.list_waivers(tx), checked.as_of)
        checked = replace(checked, findings=found)
        body = _estate_body(checked) | {"findings_sha256": sha256}
        ledger_store.append(tx, LedgerEntry(kind="check", actor=session.actor, at=now, body=body))
    return checked


def _evaluate(session: Session, rulebook: Rulebook, as_of: date) -> EstateCheck:
    asked = asked_fields(rulebook.packs, rulebook.calendar, as_of)
    criteria = {name for name in asked.get("system", ()) if name.startswith(_ZOMBIE)}
    kinds: list[SubjectKind] = ["system", "network", "project"]
    if criteria or "server" in asked:
        kinds.append("server")
    now, stale_days = session.now(), session.workspace.settings.stale_days

    def stale(seen: Observation) -> bool:
        return is_stale(seen.field, Witness(seen.source, seen.observed_at), now, stale_days)

    inventory = load_estate(session, kinds)
    with session.store.read() as tx:
        return evaluate(
            inventory, rulebook.packs, rulebook.topics, rulebook.calendar, as_of,
            _zombies(session, inventory, criteria, as_of) if criteria else None,
            witnesses=partial(inventory_store.load_observations, tx), stale=stale,
        )  # fmt: skip


def _zombies(
    session: Session, inventory: Inventory, criteria: Collection[str], as_of: date
) -> dict[str, ZombieVerdict]:
    rules = parse_zombie_rules(session.workspace.settings.zombies)
    with session.store.read() as tx:
        use = read_use(tx, inventory) if _SEEN_USE in criteria else {}
    return {verdict.system_id: verdict for verdict in build_zombies(inventory, rules, use, as_of)}


def _verify(selection: Selection, rulebook: Rulebook, as_of: date, day: date) -> None:
    rules = [rule for pack in rulebook.packs for rule in pack.rules]
    for name, wanted, known in (
        ("--topic", selection.topic, sorted({rule.topic for rule in rules})),
        ("--clause", selection.clause, sorted({clause for rule in rules for clause in rule.clauses})),
    ):
        if wanted is not None and wanted not in known:
            raise UsageError(
                Text("没有规则用到它", "No rule is about it"),
                where=f"{name} {wanted}",
                next_step=Text("可选：{known}", "Choose one of: {known}").format(known=", ".join(known)),
            )
    if selection.changes and as_of != day:
        raise UsageError(
            Text("只有当天的检查才与上次比较", "Only a check of today is compared with the last run"),
            where="--new --as-of",
            next_step=Text("去掉 --as-of，或去掉 --new", "Leave out --as-of, or --new"),
        )


def open_findings(session: Session) -> tuple[Finding, ...]:
    """What the last check of the estate left open, with the waivers of today; empty before the first."""
    with session.store.read() as tx:
        return apply_waivers(finding_store.open_findings(tx), waiver_store.list_waivers(tx), today(session))


def find_finding(session: Session, finding_id: str) -> tuple[Finding, tuple[Waiver, ...]]:
    """A finding of any recorded check, also one that is gone, and all its waivers. Raises UsageError for an unknown id."""
    with session.store.read() as tx:
        found = finding_store.load_finding(tx, finding_id)
        waivers = waiver_store.list_waivers(tx, [finding_id])
    if found is None:
        raise unknown_finding(finding_id)
    (finding,) = apply_waivers([found], waivers, today(session))
    return finding, tuple(waivers)


def unknown_finding(finding_id: str) -> UsageError:
    return UsageError(
        Text("没有这个问题编号", "No such finding"),
        where=finding_id,
        next_step=Text("运行 govcloud check estate 查看编号", "govcloud check estate shows the ids"),
    )


def _estate_body(checked: EstateCheck) -> dict[str, object]:
    present = [f for f in checked.findings if f.state != "resolved"]
    binding = [f for f in present if f.standing == "binding"]
    failed = [f for f in binding if f.verdict == "fail"]

    def changed(state: str) -> list[str]:
        # What became known or unknown is counted; what was violated, or is no longer, is named.
        return [f.finding_id for f in checked.findings if f.state == state and f.verdict == "fail"]

    return {
        "what": "estate",
        "as_of": checked.as_of.isoformat(),
        "regulations": list(checked.regulations),
        "tracked": checked.tracked,
        "binding_fail": sum(not f.waived for f in failed),
        "waived": sum(f.waived for f in failed),
        "binding_undetermined": len(binding) - len(failed),
        "reference": len(present) - len(binding),
        "new": changed("new"),
        "resolved": changed("resolved"),
        "waivers": sorted({f.waiver.waiver_id for f in failed if f.waived and f.waiver}),
    }


def check_rules(workspace: Path | None = None) -> tuple[CaseResult, ...]:
    """Load every rule pack, also those of the workspace, and try every case of their rules by the packs' own limits.

    Raises InputError for a pack that does not add up.
    """
    roots = regulation_folders(workspace)
    rulebook = load_rulebook(pack_ids(*roots), workspace)
    results: list[CaseResult] = []
    for pack in rulebook.packs:
        root = next(root for root in reversed(roots) if (root / pack.regulation_id / "pack.yaml").is_file())
        results += cases.run_cases(root, pack, rulebook.calendar)
    return tuple(results)
