"""Looking things up: the right rows, names instead of ids, every witness of a fact, and none of it slow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.discovery.explain import build_ranking
from govcloud.discovery.facts import render_connection
from govcloud.discovery.merge import build_inventory
from govcloud.errors import UsageError
from govcloud.model.answers import Page, Query
from govcloud.model.observation import Statement, SubjectKind, Value
from govcloud.model.server import Connection
from govcloud.model.text import Text
from govcloud.settings import open_workspace
from govcloud.workflow.confidence import read_confidence
from govcloud.workflow.init import init_workspace
from govcloud.workflow.inventory import (
    explain_subjects,
    list_conflicts,
    list_flows,
    list_page,
    list_undeclared,
)
from govcloud.workflow.session import Session, open_session
from govcloud.workflow.statements import store_statements

AT = datetime(2026, 3, 7, tzinfo=UTC)
NOW = AT + timedelta(days=200)


def said(
    about: SubjectKind, subject_id: str, source: str = "workbook", at: datetime = AT, **values: Value
) -> Statement:
    return Statement(
        subject_kind=about,
        subject_id=subject_id,
        source=source,
        place=f"{source}:{subject_id}/",
        observed_at=at,
        values=values,
    )


def line(local: str, remote: str, port: int, *, inbound: bool = False) -> str:
    ports = (port, 0) if inbound else (0, port)
    return render_connection(
        Connection(
            local_address=local, local_port=ports[0], remote_address=remote, remote_port=ports[1], inbound=inbound,
            process="postgres" if inbound else "java",
        )
    )  # fmt: skip


def estate() -> list[Statement]:
    return [
        *(
            said("server", f"V-{n}", name=f"srv-{n}", addresses=(f"10.1.1.{n}",), department="甲厅" if n < 4 else "乙局", memory_gib=16.0)
            for n in range(1, 7)
        ),
        said("system", "SL-1", name="办公系统", department="甲厅", servers=("V-1", "V-2")),
        said("system", "SL-2", name="信访系统", department="乙局", servers=("V-4",), contact="name 示例"),
        said("network", "N-1", name="民政专网", kind="dedicated", prefixes=("10.1.1.4/32",), department="乙局"),
        said("project", "X-1", name="升级项目", number="XM-2026-01", department="甲厅", systems=("SL-1",)),
        said("tenant", "T-1", name="project-a", cloud="示例云", vcpu_used=8, vcpu_quota=16),
        said("dependency", "L-1", source_id="SL-2", target_id="SL-1", strength="strong"),
        said("server", "V-ssh", "ssh", AT + timedelta(days=1), name="srv-1", addresses=("10.1.1.1",), memory_gib=8.0,
             routes=("172.30.0.0/16 10.1.1.254 eth0", "10.1.1.0/24 - eth0")),
        *(
            said("server", "V-ssh", "ssh", AT + timedelta(days=day),
                 connections=(line("10.1.1.1", "10.1.1.4", 5432, inbound=True), line("10.1.1.1", "10.1.1.77", 3306)))
            for day in (1, 2)
        ),
        Statement(
            subject_kind="server", subject_id="V-ssh", source="ssh", place="ssh:V-ssh/", observed_at=AT + timedelta(days=3),
            values={"name": "srv-1"}, cells={"serial": "probe/machine"},
            unknown={"serial": Text("需要 root", "needs root")},
        ),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("inventory") / "ws"
    init_workspace(folder, "shanxi", actor="甲")
    with open_session(open_workspace(folder), actor="甲", now=lambda: NOW) as found:
        store_statements(found, kind="discover", source="all", statements=estate(), body={})
        yield found


def ids(page: Page, kind: str) -> list[str]:
    return [getattr(e, f"{kind}_id") for e in page.entities]


class TestLists:
    def test_a_page_is_the_first_rows_and_knows_how_many_there_are(self, session: Session) -> None:
        page = list_page(session, "server", Query(limit=2))
        assert (ids(page, "server"), page.total, page.left_out) == (["V-1", "V-2"], 7, 5)
        assert page.beside == {"V-1": ("SL-1",), "V-2": ("SL-1",)}
        assert page.counts == {"departments": 2, "seen": 1, "undeclared": 1}
        assert page.stale == {"V-1": 3}, "addresses and memory of the server, 199 days old; routes too"
        assert len(list_page(session, "server", Query()).entities) == 7

    @pytest.mark.parametrize(
        ("kind", "query", "found"),
        [
            ("server", Query(department="乙"), ["V-4", "V-5", "V-6"]), ("server", Query(find="10.1.1.3"), ["V-3"]),
            ("server", Query(find="SRV-5"), ["V-5"]), ("server", Query(find="memory_gib"), []), ("server", Query(find="%"), []),
            ("system", Query(find="name"), ["SL-2"]), ("system", Query(find="V-2"), ["SL-1"]), ("system", Query(department="没有"), []),
            ("network", Query(department="乙局"), ["N-1"]), ("tenant", Query(find="16"), ["T-1"]), ("project", Query(), ["X-1"]),
        ],
    )  # fmt: skip
    def test_department_and_text_narrow_it_down(
        self, session: Session, kind: SubjectKind, query: Query, found: list[str]
    ) -> None:
        page = list_page(session, kind, query)
        assert (ids(page, kind), page.total) == (found, len(found))

    def test_dependencies_belong_to_the_departments_of_both_ends(self, session: Session) -> None:
        for department in ("甲厅", "乙局"):
            page = list_page(session, "dependency", Query(department=department, limit=9))
            assert ("SL-2", "SL-1") in {(d.source_id, d.target_id) for d in page.entities}
        assert page.labels["SL-1"] == "SL-1 办公系统"
        assert [page.beside.get(d.dependency_id) for d in page.entities if d.source_id == "SL-2"] == [("declared",)]
        assert list_page(session, "dependency", Query(department="丙")).total == 0

    def test_conflicts_of_a_department(self, session: Session) -> None:
        found = list_conflicts(session, Query(department="甲", limit=5))
        assert [(c.subject_id, c.field, [o.source for o in c.observations]) for c in found.conflicts] == [
            ("V-1", "memory_gib", ["ssh", "workbook"])
        ]
        assert found.labels == {"V-1": "srv-1"}
        assert list_conflicts(session, Query(department="乙")).total == 0

    def test_connections_of_a_system_with_both_ends_and_all_samples(self, session: Session) -> None:
        page = list_flows(session, "办公系统", None, None)
        assert [(f.client_id, f.server_id, f.port, f.server_process, f.samples) for f in page.flows] == [
            ("V-1", page.flows[0].server_id, 3306, None, 2), ("V-4", "V-1", 5432, "postgres", 2),
        ]  # fmt: skip
        assert (page.systems["V-1"], page.systems["V-4"], page.classes) == (("SL-1",), ("SL-2",), {"business": 2})
        assert list_flows(session, "srv-5", None, None).total == 0
        assert list_flows(session, None, "monitoring", None).total == 0
        with pytest.raises(UsageError):
            list_flows(session, "没有的", None, None)

    def test_what_nobody_declared_and_where_it_was_met(self, session: Session) -> None:
        found = list_undeclared(session, Query())
        page = found.page
        assert [s.name for s in page.entities] == ["10.1.1.77"]
        (server_id,) = ids(page, "server")
        assert page.beside[server_id] == ("srv-1 → 10.1.1.77:3306",)
        assert page.labels[f"where:{server_id}"] == "ssh:V-ssh/"
        assert ("172.30.0.0/16", "route") in {(t.prefix, t.what) for t in found.traces}
        assert found.inventory.evidence["V-1"]["routes"].locator == "ssh:V-ssh/"
        assert "V-4" in {s.server_id for s in found.inventory.servers}, "sits on the dedicated network"


class TestShow:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("SL-1", ["SL-1"]), ("sl-1", ["SL-1"]), ("办公系统", ["SL-1"]), ("10.1.1.4", ["V-4"]), ("ＳＲＶ-4", ["V-4"]),
            ("V-ssh", ["V-1"]), ("XM-2026-01", ["X-1"]), ("民政专网", ["N-1"]), ("project-a", ["T-1"]),
        ],
    )  # fmt: skip
    def test_it_is_found_by_id_name_number_address_and_the_ids_it_was_joined_from(
        self, session: Session, text: str, found: list[str]
    ) -> None:
        assert [a.subject_id for a in explain_subjects(session, text)] == found

    @pytest.mark.parametrize("text", ["", "没有的", "%", "10.9.9.9", "V-%", "'; DROP TABLE entity; --"])
    def test_what_is_not_there_is_not_found(self, session: Session, text: str) -> None:
        with pytest.raises(UsageError):
            explain_subjects(session, text)

    def test_each_fact_has_its_witnesses_in_order_and_the_unknown_its_reason(self, session: Session) -> None:
        (answer,) = explain_subjects(session, "V-1")
        fields = {f.field: f for f in answer.fields}
        memory = fields["memory_gib"]
        assert (memory.value, memory.decision, memory.stale) == (8.0, "default", True)
        assert [(o.source, o.value) for o in memory.witnesses] == [("ssh", 8.0), ("workbook", 16.0)]
        assert [o.source for o in memory.against] == ["workbook"]
        assert fields["addresses"].decision == "all"
        assert fields["declared"].witness is None
        ((reason, witness),) = fields["serial"].asked
        assert (reason.en, witness.locator) == ("needs root", "ssh:V-ssh/probe/machine")
        assert [(j.subject_id, j.rule) for j in answer.joined] == [("V-ssh", "address")]
        assert len(answer.flows) == 2

    def test_the_same_word_again_and_again_is_one_line_of_history(self, session: Session) -> None:
        (answer,) = explain_subjects(session, "V-1", history=True)
        assert [(t.times, t.first_at, t.last_at) for t in answer.history if t.field == "connections"] == [
            (2, AT + timedelta(days=1), AT + timedelta(days=2))
        ]

    def test_a_peer_that_only_shows_in_traffic_names_the_host_that_saw_it(self, session: Session) -> None:
        (answer,) = explain_subjects(session, "10.1.1.77")
        (addresses,) = [f for f in answer.fields if f.field == "addresses"]
        assert addresses.witness is not None
        assert addresses.witness.locator.startswith("ssh:V-ssh/")


def test_the_score_of_stored_systems_knows_what_was_measured(session: Session) -> None:
    found = read_confidence(session)
    assert found.keys() == {"SL-1", "SL-2"}
    memory = next(p for p in found["SL-1"].parts if p.fact == "server.memory_gib")
    assert dict(memory.states) == {"stale": 1, "declared": 1}


words = st.lists(
    st.tuples(
        st.sampled_from(["ssh", "workbook", "person", "openstack", "netbox"]), st.sampled_from(["x", "y"]), st.integers(0, 3),
        st.sampled_from([4, 8]), st.sampled_from(["cpu_count", "location"]),
    ), min_size=1, max_size=8,
)  # fmt: skip
tables = st.dictionaries(
    st.sampled_from(["cpu_count", "server.cpu_count", "default", "location"]),
    st.lists(st.sampled_from(["ssh", "workbook", "openstack"]), min_size=1, unique=True).map(tuple), max_size=2,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(words, tables)
def test_the_first_of_the_ranking_is_what_the_merge_believes(
    told: list[tuple[str, str, int, int, str]], precedence: dict[str, tuple[str, ...]]
) -> None:
    """`--why` must never tell another story than the inventory."""
    statements = [
        Statement(
            subject_kind="server", subject_id="V-1", source=source, place=f"{source}:{place}", observed_at=AT + timedelta(hours=hour),
            values={field: value, "name": "a"},
        )
        for source, place, hour, value, field in told
    ]  # fmt: skip
    statements.append(said("server", "V-1", name="a"))
    inventory = build_inventory(statements, precedence)
    for field, shown in inventory.evidence["V-1"].items():
        assert build_ranking("server", field, statements, precedence)[0] == shown
