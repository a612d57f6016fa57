"""Items of the checklist that the store fills: nothing is written by hand, nothing unknown looks like nothing there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from handover_place import SYSTEM, Place

from govcloud.model.attempt import Attempt, AttemptKey, StepResult
from govcloud.model.handover import DataFact
from govcloud.model.migration import EntranceSpec, HttpCheck, MachineSpec, MigrationSpec, VerifySpec
from govcloud.model.observation import Statement, SubjectKind, Value
from govcloud.model.run import Run, RunSystem
from govcloud.model.text import Text
from govcloud.model.waiver import Waiver
from govcloud.store import attempt as attempt_store
from govcloud.store import inventory as inventory_store
from govcloud.store import run as run_store
from govcloud.store.waiver import add_waiver
from govcloud.workflow import takeover, takeover_data, takeover_decide, takeover_papers
from govcloud.workflow.session import Session
from govcloud.workflow.statements import merge_inventory
from govcloud.workflow.takeover import Takeover

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
SERVER: dict[str, Value] = {
    "name": "oa-01", "os_name": "银河麒麟", "os_version": "V10", "cpu_count": 8, "addresses": ("10.66.1.10",),
    "packages": ("postgresql 13.4",), "login_users": ("root", "ops"), "scheduled": ("root 0 2 * * * pg_dump",),
    "sockets": ("tcp 0.0.0.0 9100 node_exporter",),
}  # fmt: skip


def told(place: Place, number: int, *subjects: tuple[SubjectKind, str, Mapping[str, Value]]) -> None:
    """The witnesses say something more, and the inventory is merged again."""
    with place.session() as session, session.store.begin() as tx:
        at = NOW - timedelta(days=9 - number)
        batch_no = inventory_store.add_batch(
            tx, batch_id=f"T-{number}", kind="import", source=f"{number}.xlsx", sha256=str(number) * 64, at=at,
            actor="张示例", body={},
        )  # fmt: skip
        inventory_store.add_statements(
            tx, batch_no,
            [
                Statement(
                    subject_kind=kind, subject_id=name, source="workbook", place=f"{number}.xlsx!", observed_at=at,
                    values=values,
                )
                for kind, name, values in subjects
            ],
        )  # fmt: skip
        merge_inventory(session, tx)


@pytest.fixture
def known(place: Place) -> Place:
    told(
        place, 1,
        ("system", SYSTEM, {"name": "协同办公系统", "servers": ("oa-01",), "maintenance_ends_on": "2026-02-28"}),
        ("server", "oa-01", SERVER),
        ("network", "N-1", {"name": "公文专网", "kind": "dedicated", "systems": (SYSTEM,), "contract_ends_on": "2026-04-30"}),
        ("project", "P-1", {"name": "升级项目", "systems": (SYSTEM,), "contract_number": "示例-011"}),
    )  # fmt: skip
    return place


def started(session: Session) -> Takeover:
    return takeover_decide.start_takeover(session, SYSTEM, builder="示例建设单位", level="register")


def facts(session: Session, found: Takeover, item: str) -> list[DataFact]:
    items = takeover_data.data_items(found.checklist, [item])
    return list(takeover_data.build_data(session, found.handover, items)[0].facts)


def values(shown: list[DataFact]) -> dict[str, object]:
    return {f.what.en: f.value for f in shown}


def test_what_the_store_knows_is_there_and_what_nobody_said_is_unknown(known: Place) -> None:
    with known.session(now=lambda: NOW) as session:
        found = started(session)
        servers = values(facts(session, found, "servers"))
        assert servers["operating system"] == "银河麒麟, V10"
        assert servers["processors, memory, disk"] == "8 vCPU"
        assert values(facts(session, found, "login_accounts"))["accounts that can log in"] == "root, ops"
        licences = values(facts(session, found, "licences"))
        assert licences["software"] == "postgresql, 13.4"
        assert licences["end of the licence of postgresql"] is None, "nobody told, and no end is not no licence"
        assert values(facts(session, found, "backup_jobs"))["scheduled backup jobs"] == "root 0 2 * * * pg_dump"
        assert "9100" in str(values(facts(session, found, "monitoring_targets"))["monitoring agents"])
        assert values(facts(session, found, "interfaces")) == {"interfaces and dependencies": None}
        assert values(facts(session, found, "capacity")) == {"load": None}
        assert values(facts(session, found, "findings")) == {"check against the regulations": None}
        assert values(facts(session, found, "contracts"))["contract and day of signature"] == "示例-011"


def test_what_has_ended_or_ends_soon_is_pointed_out(known: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with known.session(now=lambda: NOW) as session:
        found = started(session)
        ends = {f.what.en: f.ends_on for f in facts(session, found, "contracts")}
        assert ends["maintained by, until"] == date(2026, 2, 28)
        network = facts(session, found, "dedicated_networks")[0]
        assert (network.subject, network.ends_on) == ("N-1", date(2026, 4, 30))
    known.cli("data", found.handover.handover_id, "contracts", "dedicated_networks")
    out = capsys.readouterr().out
    assert "已到期" in out


def test_an_acceptance_freezes_what_was_seen_and_a_later_change_shows(known: Place) -> None:
    with known.session("王示例", now=lambda: NOW) as session:
        h = started(session).handover.handover_id
        found = takeover_papers.accept(session, h, ["servers"])
        accepted = found.handover.acceptances[0]
        content = (takeover.folder_of(session, h) / accepted.sha256).read_bytes()
        assert hashlib.sha256(content).hexdigest() == accepted.sha256
        assert "银河麒麟, V10" in [f["value"] for f in json.loads(content)["facts"]]
    changed = {True: ("V10 SP3",), False: ("V10",)}
    for expected, (version,) in reversed(changed.items()):
        told(known, 2 + expected, ("server", "oa-01", {**SERVER, "os_version": version}))
        with known.session(now=lambda: NOW) as session:
            found = takeover.get_takeover(session, h)
            items = takeover_data.data_items(found.checklist, ["servers"])
            assert takeover_data.build_data(session, found.handover, items)[0].changed is expected
            assert found.standings["servers"].done, "what was accepted stays accepted"


def test_the_same_state_makes_the_same_snapshot(known: Place) -> None:
    with known.session(now=lambda: NOW) as session:
        found = started(session)
        items = takeover_data.data_items(found.checklist)
        one = takeover_data.build_snapshots(session, found.handover, items)
        assert one == takeover_data.build_snapshots(session, found.handover, items)


def test_a_paper_may_add_to_the_data_and_is_accepted_with_them(known: Place, tmp_path: Path) -> None:
    """Where the store does not know when a licence ends, the owner says it on paper; what comes later is looked at again."""
    paper = tmp_path / "许可.txt"
    paper.write_text("示例", "utf-8")
    with known.session("张示例") as session:
        h = started(session).handover.handover_id
        takeover_papers.add_evidence(session, h, "licences", file=paper)
    with known.session("王示例") as session:
        found = takeover_papers.accept(session, h, ["licences"])
        assert found.standings["licences"].done
        assert found.standings["licences"].paper is not None
    with known.session("张示例") as session:
        assert not takeover_papers.add_evidence(session, h, "licences", note="另有一份").standings["licences"].done


def test_waivers_in_force_and_failed_steps_are_handed_over(known: Place) -> None:
    waiver = Waiver(
        waiver_id="W-1", finding_id="F-1", rule_id="r", subject_id=SYSTEM, reason="并入统一平台", role="authority",
        role_term="主管部门", approver="示例处长", document="示例文件", approved_on=date(2026, 1, 1),
        valid_until=date(2026, 5, 1), recorded_by="张示例", recorded_at=NOW,
    )  # fmt: skip
    spec = MigrationSpec(
        system_id=SYSTEM, machines=(MachineSpec(source="oa-01", target="cloud-01"),),
        entrances=(EntranceSpec(host="e", file="/etc/e.json", name="oa", source="http://a", target="http://b"),),
        verify=VerifySpec(url="http://e/oa", checks=(HttpCheck(path="/health", contains="正常"),)),
    )  # fmt: skip
    run = Run(
        run_id="r1", scope={}, scope_hash="b" * 64, created_at=NOW, created_by="张示例", systems=(SYSTEM,), settings={}
    )
    failed = Attempt(
        key=AttemptKey(run_id="r1", system_id=SYSTEM, step="precheck", phase="apply", number=1), token=1,
        executor="m1/cli", machine_id="m1", state="claimed", claimed_at=NOW, heartbeat_at=NOW,
    )  # fmt: skip
    why = Text("摘要不符", "the digests differ")
    with known.session(now=lambda: NOW) as session:
        with session.store.begin() as tx:
            add_waiver(tx, waiver)
            add_waiver(tx, replace(waiver, waiver_id="W-2", finding_id="F-2", valid_until=date(2026, 3, 1)))
            system = RunSystem(
                run_id="r1", system_id=SYSTEM, position=1, spec=spec, scope_hash="b" * 64, since=NOW, state="accepted"
            )
            run_store.add_run(tx, run, [system])
            attempt_store.add_attempt(tx, failed)
            attempt_store.finish(
                tx, failed, StepResult(status="failed", reasons=(why,), started_at=NOW, finished_at=NOW)
            )
        found = started(session)
        assert found.handover.origin == "migrated", "a run has put it on the cloud"
        shown = facts(session, found, "waivers")
        assert [(f.value, f.ends_on) for f in shown] == [("示例文件 (F-1)", date(2026, 5, 1))]
        shown = facts(session, found, "run_faults")
        assert [(f.subject, f.value) for f in shown] == [("r1", why)]


def test_a_legacy_systems_hosts_are_those_of_the_inventory_that_we_can_log_in_to(known: Place) -> None:
    """Nobody has to name hosts that the inventory and hosts.yaml both know."""
    told(known, 2, ("server", "oa-01", {**SERVER, "name": "cloud-01"}))
    with known.session() as session:
        found = takeover_decide.start_takeover(
            session, SYSTEM, builder="示例建设单位", builder_key=Path(f"{known.builder}.pub"), level="technical"
        )
    assert (found.handover.origin, found.handover.hosts) == ("legacy", ("cloud-01",))
