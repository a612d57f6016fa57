"""Which ids are one machine, by each rule: without it the same server counts twice, or two machines become one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.discovery.confirmed import build_confirmation
from govcloud.discovery.identity import server_identity, system_identity
from govcloud.discovery.merge import build_inventory, build_merged
from govcloud.model.observation import Statement, SubjectKind, Value
from govcloud.model.server import Server

AT = datetime(2026, 3, 7, tzinfo=UTC)
UUID = "4c4c4544-0042-3510-8051-b4c04f4a3132"
SWAPPED = str(uuid.UUID(bytes=uuid.UUID(UUID).bytes_le))


def said(
    subject_id: str,
    values: Mapping[str, Value],
    *,
    kind: SubjectKind = "server",
    source: str = "workbook",
    hour: int = 0,
) -> Statement:
    return Statement(
        subject_kind=kind, subject_id=subject_id, source=source, place=f"{source}:{subject_id}/",
        observed_at=AT + timedelta(hours=hour), values=values,
    )  # fmt: skip


def joined(*statements: Statement) -> dict[str, str]:
    grouped: dict[str, list[Statement]] = {}
    for s in statements:
        grouped.setdefault(s.subject_id, []).append(s)
    return dict(server_identity(grouped).alias)


def rules(*statements: Statement) -> list[tuple[str, str, str]]:
    merged = build_merged(statements)
    return [(j.subject_id, j.rule, j.value) for members in merged.members.values() for j in members]


def settled(subject_id: str, relation: str, other: str, *, kind: SubjectKind = "server") -> Statement:
    return build_confirmation(
        kind, subject_id, relation, (other,), known=None, actor="甲", at=AT + timedelta(days=9), document=""
    )


class TestRules:
    @pytest.mark.parametrize(
        ("field", "one", "two", "rule"),
        [
            ("uuid", UUID, UUID.upper(), "uuid"), ("serial", "CZ3 120 X", "cz3120x", "serial"),
            ("macs", ("52:54:00:00:00:01",), ("52:54:00:00:00:01", "52:54:00:00:00:02"), "mac"),
            ("addresses", ("10.1.1.1", "10.9.9.9"), ("10.1.1.1",), "address"), ("name", "oa-01", "OA-01", "name"),
        ],
    )  # fmt: skip
    def test_each_rule_joins_and_says_so(self, field: str, one: Value, two: Value, rule: str) -> None:
        told = (said("V-1", {field: one}), said("V-2", {field: two}, source="ssh", hour=1))
        assert joined(*told) == {"V-2": "V-1"}
        assert [(i, r) for i, r, _ in rules(*told)] == [("V-2", rule)]

    def test_a_hypervisor_and_the_machine_itself_write_the_same_uuid_in_another_byte_order(self) -> None:
        """RVTools shows the bytes as SMBIOS 2.6 has them, an older guest's dmidecode as they lie in memory."""
        told = (
            said("V-1", {"uuid": UUID, "name": "OA"}, source="rvtools"),
            said("V-2", {"uuid": SWAPPED, "name": "oa-01"}, source="ssh"),
        )
        assert SWAPPED != UUID
        assert joined(*told) == {"V-2": "V-1"}

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("uuid", "00000000-0000-0000-0000-000000000000"), ("uuid", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
            ("uuid", "03000200-0400-0500-0006-000700080009"), ("serial", "To Be Filled By O.E.M."), ("serial", "None"), ("serial", "System Serial Number"),
            ("serial", "Not Specified"), ("serial", "0123456789"),
            ("serial", "0"), ("macs", ("02:42:ac:11:00:02",)), ("macs", ("00:00:5e:00:01:0a",)), ("addresses", ("127.0.0.1",)),
            ("addresses", ("169.254.3.4",)), ("addresses", ("fe80::1",)),
        ],
    )  # fmt: skip
    def test_what_a_maker_did_not_set_or_everybody_has_identifies_nobody(self, field: str, value: Value) -> None:
        assert joined(said("V-1", {field: value, "name": "a"}), said("V-2", {field: value, "name": "b"})) == {}

    def test_the_stronger_rule_comes_first(self) -> None:
        told = (
            said("V-1", {"uuid": UUID, "addresses": ("10.1.1.1",)}), said("V-2", {"uuid": UUID, "addresses": ("10.1.1.2",)}),
            said("V-3", {"uuid": str(uuid.UUID(int=7 << 64)), "addresses": ("10.1.1.1",)}, hour=1),
        )  # fmt: skip
        assert rules(*told) == [("V-2", "uuid", min(UUID, SWAPPED))]

    def test_an_address_counts_in_its_zone(self) -> None:
        def server(number: int, zone: str) -> Statement:
            return said(f"V-{number}", {"addresses": ("192.168.1.9",), "zone": zone, "name": f"n{number}"})

        assert joined(server(1, "甲区"), server(2, "乙区"), server(3, "甲区")) == {"V-3": "V-1"}


class TestPersons:
    def test_a_person_joins_what_no_rule_joins_even_two_uuids(self) -> None:
        """After a repair the board has another UUID: only a person knows that it is the old server."""
        told = (
            said("V-1", {"uuid": UUID}),
            said("V-2", {"uuid": str(uuid.UUID(int=7 << 64))}),
            settled("V-1", "same_as", "V-2"),
        )
        assert joined(*told) == {"V-2": "V-1"}
        assert rules(*told) == [("V-2", "person", "V-1 = V-2")]

    def test_a_person_keeps_apart_what_a_rule_would_join_directly_and_over_a_third(self) -> None:
        told = [said("V-1", {"addresses": ("10.1.1.1",)}), said("V-2", {"addresses": ("10.1.1.1", "10.1.1.2")}),
                said("V-3", {"addresses": ("10.1.1.2",)}), settled("V-1", "not_same_as", "V-3")]  # fmt: skip
        found = joined(*told)
        assert found.get("V-3", "V-3") != found.get("V-1", "V-1")
        assert len(build_inventory(told).servers) == 2

    def test_two_systems_with_codes_can_be_one_and_references_follow(self) -> None:
        told = [
            said("SL-1", {"name": "办公系统"}, kind="system"), said("SL-2", {"name": "公文系统"}, kind="system"),
            said("L-1", {"source_id": "SL-3", "target_id": "SL-2"}, kind="dependency"),
            said("SL-3", {"name": "信访系统"}, kind="system"), settled("SL-1", "same_as", "SL-2", kind="system"),
        ]  # fmt: skip
        inventory = build_inventory(told)
        assert [s.system_id for s in inventory.systems] == ["SL-1", "SL-3"]
        assert [(d.source_id, d.target_id) for d in inventory.dependencies] == [("SL-3", "SL-1")]

    def test_a_system_that_a_person_keeps_apart_from_the_coded_one_stays_apart(self) -> None:
        named = {"name": "办公系统", "department": "甲厅"}
        told = {"SL-1": [said("SL-1", named, kind="system")], "S-x": [said("S-x", named, kind="system")]}
        assert system_identity(told).alias == {"S-x": "SL-1"}
        told["SL-1"].append(settled("SL-1", "not_same_as", "S-x", kind="system"))
        assert system_identity(told).alias == {}

    def test_a_confirmation_follows_a_server_whose_id_has_changed_and_invents_none_that_is_gone(self) -> None:
        """Ids come from a workbook's first address: a corrected address must not lose what a person confirmed."""
        old = Server(server_id="V-1", name="oa-01", addresses=("10.1.1.1",), serial="CZ1")
        confirmed = build_confirmation("server", "V-1", "memory_gib", 64.0, known=old, actor="甲", at=AT, document="")
        after = said("V-2", {"name": "oa-01", "addresses": ("10.1.1.2",), "serial": "CZ1", "memory_gib": 32.0}, hour=5)
        servers = build_inventory([confirmed, after]).servers
        assert [(s.memory_gib, s.addresses) for s in servers] == [(64.0, ("10.1.1.2",))]
        assert build_inventory([confirmed]).servers == ()
        # Two machines fit equally well: better lost than wrong, and the list of confirmations shows it.
        twins = [said(f"V-{n}", {"name": f"n{n}", "addresses": ("10.1.1.1",), "zone": f"{n}"}) for n in (3, 4)]
        assert [s.memory_gib for s in build_inventory([confirmed, *twins]).servers] == [None, None]


UUIDS = [str(uuid.UUID(int=n << 64 | 1)) for n in (1, 2, 3)]
sets = st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3"]), max_size=2, unique=True).map(tuple)
machines = st.lists(
    st.fixed_dictionaries(
        {}, optional={
            "uuid": st.sampled_from(UUIDS), "serial": st.sampled_from(["CZ1", "CZ2"]), "name": st.sampled_from(["a", "b"]),
            "addresses": sets, "department": st.sampled_from(["甲", "乙"]), "zone": st.sampled_from(["x", "y"]),
        },
    ), min_size=1, max_size=7,
)  # fmt: skip
pairs = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from(["same_as", "not_same_as"])), max_size=3
)


@settings(max_examples=120, deadline=None)
@given(machines, pairs, st.randoms(use_true_random=False))
def test_confirmations_hold_uuids_never_mix_and_order_changes_nothing(
    found: list[dict[str, Value]], settled_pairs: list[tuple[int, int, str]], random: object
) -> None:
    told = [said(f"V-{n}", values) for n, values in enumerate(found)]
    corrections = [settled(f"V-{a}", relation, f"V-{b}") for a, b, relation in settled_pairs
                   if a != b and max(a, b) < len(found)]  # fmt: skip
    every = [*told, *corrections]
    alias = joined(*every)
    groups: dict[str, set[str]] = {}
    for n, values in enumerate(found):
        groups.setdefault(alias.get(f"V-{n}", f"V-{n}"), set()).add(str(values.get("uuid", "")))
    if not any(relation == "same_as" for *_, relation in settled_pairs):
        assert all(len(uuids - {""}) <= 1 for uuids in groups.values())
    for a, b, relation in settled_pairs:
        if relation == "not_same_as" and a != b and max(a, b) < len(found):
            assert alias.get(f"V-{a}", f"V-{a}") != alias.get(f"V-{b}", f"V-{b}")
    mixed = [*every, *every]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert joined(*mixed) == alias
    assert build_inventory(mixed) == build_inventory(every)
