"""The score that tells an engineer which systems are ready to be planned: it must fall for the right reasons only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.discovery.confidence import WEIGHTS, build_confidence, build_scores
from govcloud.discovery.stale import is_stale
from govcloud.model.answers import Confidence, Witness
from govcloud.model.inventory import Conflict, Inventory, System
from govcloud.model.server import Server, Socket

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SYSTEM = System(
    system_id="SL-1", name="办公系统", department="甲厅", contact="张示例", classified=False, mlps_level=2, criticality="core",
    hosting="own_room", lifecycle="operating", data_gib=10.0, networks=("N-1",), servers=("V-1",),
)  # fmt: skip
SERVER = Server(
    server_id="V-1", name="oa-01", addresses=("10.1.1.1",), os_name="CentOS", os_version="7.6", arch="x86_64", cpu_count=8,
    memory_gib=16.0, disk_gib=500.0, services=("nginx",), sockets=(Socket(address="10.1.1.1", port=80),),
)  # fmt: skip


def told(source: str, at: datetime = NOW) -> dict[str, Witness]:
    return {fact.partition(".")[2]: Witness(source, at) for fact in WEIGHTS}


def score(
    system: System = SYSTEM, *servers: Server, of_server: dict[str, Witness] | None = None,
    of_system: dict[str, Witness] | None = None, conflicts: tuple[Conflict, ...] = (),
) -> Confidence:  # fmt: skip
    witnesses = {
        "SL-1": told("workbook") if of_system is None else of_system,
        **{s.server_id: told("ssh") if of_server is None else of_server for s in servers},
    }
    inventory = Inventory(systems=(system,), servers=servers, conflicts=conflicts)
    found = build_confidence(inventory, witnesses, now=NOW, stale_days=180)["SL-1"]
    # What a list of departments shows is the same.
    assert build_scores(inventory, witnesses, now=NOW, stale_days=180)["SL-1"] == found.score
    return found


def test_weights_make_a_hundred_and_name_fields_of_the_model() -> None:
    assert sum(WEIGHTS.values()) == 100
    for fact in WEIGHTS:
        kind, _, field = fact.partition(".")
        assert hasattr({"system": SYSTEM, "server": SERVER}[kind], field)


def test_declared_by_people_and_measured_by_machines_is_all_that_can_be_known() -> None:
    assert score(SYSTEM, SERVER).score == 100


def test_machines_that_were_only_written_down_cost_two_fifths_of_their_facts() -> None:
    of_servers = sum(w for fact, w in WEIGHTS.items() if fact.startswith("server."))
    found = score(SYSTEM, SERVER, of_server=told("workbook"))
    assert found.score == round(100 - 0.4 * of_servers)
    assert {p.fact for p in found.parts if p.lost} == {f for f in WEIGHTS if f.startswith("server.")}


def test_a_system_without_servers_gets_nothing_for_them_and_is_told_so_first() -> None:
    bare = System(**{**{f: getattr(SYSTEM, f) for f in SYSTEM.__slots__}, "servers": ()})
    found = score(bare, of_system={f: w for f, w in told("workbook").items() if f != "servers"})
    of_servers = sum(w for fact, w in WEIGHTS.items() if fact.startswith("server."))
    assert found.score == 100 - of_servers - WEIGHTS["system.servers"]
    assert (found.parts[0].fact, dict(found.parts[0].states)) == ("system.servers", {"missing": 1})


def test_disputed_and_stale_facts_cost_half() -> None:
    conflict = Conflict(subject_kind="server", subject_id="V-1", field="disk_gib", chosen=500.0, observations=())
    assert score(SYSTEM, SERVER, conflicts=(conflict,)).score == 100 - WEIGHTS["server.disk_gib"] // 2
    old = {**told("ssh"), "disk_gib": Witness("ssh", NOW - timedelta(days=181))}
    assert score(SYSTEM, SERVER, of_server=old).score == 100 - WEIGHTS["server.disk_gib"] // 2


def test_one_unknown_server_of_two_costs_half_of_the_fact() -> None:
    other = Server(server_id="V-2", name="oa-02", addresses=("10.1.1.2",))
    both = System(**{**{f: getattr(SYSTEM, f) for f in SYSTEM.__slots__}, "servers": ("V-1", "V-2")})
    inventory = Inventory(systems=(both,), servers=(SERVER, other))
    witnesses = {"SL-1": told("workbook"), "V-1": told("ssh"), "V-2": {"addresses": Witness("ssh", NOW)}}
    found = build_confidence(inventory, witnesses, now=NOW, stale_days=180)["SL-1"]
    part = next(p for p in found.parts if p.fact == "server.cpu_count")
    assert (part.points, dict(part.states)) == (WEIGHTS["server.cpu_count"] / 2, {"measured": 1, "missing": 1})


@pytest.mark.parametrize(
    ("field", "source", "days", "stale"),
    [
        ("memory_gib", "ssh", 180, False), ("memory_gib", "ssh", 181, True), ("memory_gib", "openstack", 181, True),
        ("memory_gib", "workbook", 360, False), ("memory_gib", "workbook", 361, True), ("memory_gib", "person", 361, True),
        ("hosting", "run", 5000, False), ("go_live_on", "workbook", 5000, False), ("uuid", "ssh", 5000, False),
    ],
)  # fmt: skip
def test_how_long_a_word_holds(field: str, source: str, days: int, stale: bool) -> None:
    assert is_stale(field, Witness(source, NOW - timedelta(days=days)), NOW, 180) is stale


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(sorted(WEIGHTS))), st.sets(st.sampled_from(sorted(WEIGHTS))))
def test_knowing_more_never_costs_points(some: set[str], more: set[str]) -> None:
    def known(facts: set[str]) -> int:
        def keep(entity: System | Server, kind: str) -> dict[str, object]:
            names = {f.partition(".")[2] for f in facts if f.startswith(kind)}
            ids = {"system_id", "server_id", "name"} | ({"servers"} if kind == "system" else set())
            return {f: getattr(entity, f) for f in entity.__slots__ if f in names | ids}

        witnesses = {"SL-1": {f.partition(".")[2]: Witness("workbook", NOW) for f in facts if f.startswith("system")},
                     "V-1": {f.partition(".")[2]: Witness("ssh", NOW) for f in facts if f.startswith("server")}}  # fmt: skip
        inventory = Inventory(
            systems=(System(**keep(SYSTEM, "system")),),  # type: ignore[arg-type]
            servers=(Server(**keep(SERVER, "server")),),  # type: ignore[arg-type]
        )
        return build_confidence(inventory, witnesses, now=NOW, stale_days=180)["SL-1"].score

    assert 0 <= known(some) <= known(some | more) <= 100
