"""What changed between two catalogs. Missed otherwise: a department that learns of a closed service or a higher price from
its bill, or forty departments that are called about changes that do not concern them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud import resources
from govcloud.compliance.catalog_diff import build_diff, build_touched
from govcloud.compliance.catalog_source import load_catalog
from govcloud.model.catalog import Catalog, CatalogDiff, Offering, Price, Sla, TouchedLine
from govcloud.model.request import LineVerdict, RequestCheck, RequestLine, RequestSpec, ResourceRequest
from govcloud.model.text import Text, same

ROOT = resources.folder("service_catalog")
OLD = load_catalog(ROOT, "sample-municipal@示例-2025")
NEW = load_catalog(ROOT, "sample-municipal@示例-2026")


def offering(code: str = "A", **facts: object) -> Offering:
    usual: dict[str, object] = {
        "layer": "iaas", "service_class": "block_storage", "name": same(code), "unit": same("GiB"), "price": Price(fen=100), "max": 100,
    }  # fmt: skip
    return Offering(code=code, **{**usual, **facts})  # type: ignore[arg-type]


def catalog(*offerings: Offering, version: str = "1") -> Catalog:
    return replace(OLD, version=version, offerings=offerings)


def running(*lines: tuple[str, int], spec: RequestSpec | None = None, version: str = "1") -> RequestCheck:
    """A request whose lines conform: (code, quantity)."""
    verdicts = tuple(
        LineVerdict(
            line=RequestLine(line=n, what=f"第 {n} 项", quantity=quantity, code=code, spec=spec or RequestSpec()),
            outcome="in_catalog", code=code,
        )
        for n, (code, quantity) in enumerate(lines, start=1)
    )  # fmt: skip
    return RequestCheck(
        file="申请.yaml", catalog_id=OLD.catalog_id, catalog_version=version, catalog_title=OLD.title, official=False,
        lines=verdicts, no_clause=False,
        request=ResourceRequest(
            department="示例局", system_id="S-1", system_name="示例系统", applied_on=date(2025, 6, 1),
            lines=tuple(v.line for v in verdicts),
        ),
    )  # fmt: skip


def kinds(before: Offering, after: Offering) -> list[str]:
    return [c.kind for c in build_diff(catalog(before), catalog(after)).changes]


class TestChanges:
    @pytest.mark.parametrize(
        ("facts", "kind"),
        [
            ({"price": Price(fen=101)}, "price"),
            ({"price": None}, "price"),
            ({"price": Price(fen=100, period="year")}, "price"),
            ({"unit": same("TiB")}, "unit"),
            ({"max": 200}, "range"),
            ({"max": None}, "range"),
            ({"step": 10}, "range"),
            ({"memory_per_vcpu": {2: (4,)}}, "memory"),
            ({"arch": ("aarch64",)}, "arch"),
            ({"zone": ("internet",)}, "zone"),
            ({"area": ("x86",)}, "zone"),
            ({"sla": Sla(rpo_minutes=5)}, "sla"),
            ({"mlps_package": 2}, "package"),
            ({"common": True}, "package"),
            ({"name": Text("云盘", "Disk")}, "text"),
            ({"status": "closed_to_new"}, "closed"),
            ({"closed_on": date(2027, 1, 1)}, "closed"),
            ({"status": "retired"}, "retired"),
            ({"closed_on": date(2026, 1, 1), "retired_on": date(2027, 1, 1)}, "retired"),
            ({"successor": "B"}, "lifecycle"),
        ],
    )
    def test_each_kind_is_told_and_goes_back_as_well(self, facts: dict[str, object], kind: str) -> None:
        assert kinds(offering(), offering(**facts)) == [kind]
        back = {"closed": "reopened", "retired": "reopened"}.get(kind, kind)
        assert kinds(offering(**facts), offering()) == [back]

    def test_order_of_lists_is_no_change(self) -> None:
        before = offering(zone=("gov_extranet", "internet"), memory_per_vcpu={2: (4, 8)})
        assert kinds(before, offering(zone=("internet", "gov_extranet"), memory_per_vcpu={2: (8, 4)})) == []

    def test_the_samples_differ_as_real_versions_do(self) -> None:
        found = {c.kind for c in build_diff(OLD, NEW).changes}
        assert found >= {"added", "removed", "retired", "price", "range", "memory", "zone", "sla"}


offerings = st.lists(
    st.builds(
        offering, st.sampled_from("ABCDE"), price=st.builds(Price, fen=st.integers(0, 3)), max=st.none() | st.integers(1, 3),
        status=st.sampled_from(["active", "closed_to_new", "retired"]), domestic=st.booleans(),
    ),
    unique_by=lambda o: o.code,
)  # fmt: skip


@given(offerings, offerings)
def test_no_change_to_itself_and_what_one_way_adds_the_other_removes(a: list[Offering], b: list[Offering]) -> None:
    before, after = catalog(*a), catalog(*b)
    assert build_diff(before, before).changes == ()
    there, back = build_diff(before, after), build_diff(after, before)
    assert codes(there, "added") == codes(back, "removed") == {o.code for o in b} - {o.code for o in a}
    assert codes(there, "removed") == codes(back, "added")
    assert codes(there, "price") == codes(back, "price")
    assert {c.code for c in there.changes} == {c.code for c in back.changes}
    assert len({(c.code, c.kind) for c in there.changes}) == len(there.changes)


def codes(diff: CatalogDiff, kind: str) -> set[str]:
    return {c.code for c in diff.changes if c.kind == kind}


def touched(before: Sequence[Offering], after: Sequence[Offering], *requests: RequestCheck) -> tuple[TouchedLine, ...]:
    return build_touched(build_diff(catalog(*before), catalog(*after, version="2")), requests).touched


class TestTouched:
    def test_a_price_is_told_with_what_it_costs_a_month(self) -> None:
        (line,) = touched([offering()], [offering(price=Price(fen=150))], running(("A", 10)))
        assert (line.department, line.system_id, line.line, line.kinds) == ("示例局", "S-1", 1, ("price",))
        assert (line.before_fen, line.after_fen, line.difference_fen) == (1000, 1500, 500)

    def test_a_machine_costs_by_its_size(self) -> None:
        sizes = {"memory_per_vcpu": {4: (16,)}}
        before = offering(price=Price(vcpu_fen=4000, memory_gib_fen=2000), **sizes)
        after = offering(price=Price(vcpu_fen=3800, memory_gib_fen=1900), **sizes)
        (line,) = touched([before], [after], running(("A", 2), spec=RequestSpec(vcpu=4, memory_gib=16)))
        assert line.difference_fen == -2 * (4 * 200 + 16 * 100)

    @pytest.mark.parametrize(
        "after",
        [
            offering(max=1000), offering(max=10), offering(name=same("B")), offering(zone=("gov_extranet", "internet")),
            offering(arch=("any", "x86_64")), offering(successor=None),
        ],
    )  # fmt: skip
    def test_a_line_that_may_go_on_as_it_is_is_left_alone(self, after: Offering) -> None:
        assert touched([offering()], [after], running(("A", 10))) == ()

    def test_a_line_that_no_longer_fits_says_why(self) -> None:
        (line,) = touched([offering()], [offering(max=5)], running(("A", 10)))
        assert line.kinds == ("range",) and "10" in line.problems[0].zh and line.difference_fen == 0

    def test_what_is_gone_costs_what_its_successor_costs(self) -> None:
        after = [offering(status="retired", successor="B"), offering("B", price=Price(fen=300))]
        (line,) = touched([offering()], after, running(("A", 10)))
        assert (line.kinds, line.successor, line.difference_fen) == (("retired",), "B", 2000)
        before = [offering(successor="B"), offering("B", price=Price(fen=300))]
        (line,) = touched(before, before[1:], running(("A", 10)))
        assert (line.kinds, line.successor, line.difference_fen) == (("removed",), "B", 2000)

    def test_without_a_successor_that_serves_the_cost_is_open(self) -> None:
        (line,) = touched([offering()], [offering("B")], running(("A", 10)))
        assert (line.kinds, line.successor, line.after_fen, line.difference_fen) == (("removed",), None, None, None)
        after = [offering(status="retired", successor="B"), offering("B", max=5)]
        (line,) = touched([offering()], after, running(("A", 10)))
        assert (line.successor, line.difference_fen) == ("B", None)

    def test_what_is_closed_runs_on_at_its_price(self) -> None:
        after = [offering(status="closed_to_new", successor="B"), offering("B", price=Price(fen=900))]
        (line,) = touched([offering()], after, running(("A", 10)))
        assert (line.kinds, line.successor, line.difference_fen) == (("closed",), "B", 0)

    def test_requests_of_other_catalogs_and_of_the_later_version_are_not_concerned(self) -> None:
        change = ([offering()], [offering(price=Price(fen=150))])
        assert touched(*change, running(("A", 10), version="2")) == ()
        assert touched(*change, replace(running(("A", 10)), catalog_id="another")) == ()
        refused = running(("A", 10))
        refused = replace(refused, lines=tuple(replace(v, outcome="out_of_range") for v in refused.lines))
        assert touched(*change, refused) == ()

    def test_only_the_requests_that_count_are_counted(self) -> None:
        diff = build_diff(catalog(offering()), catalog(offering(), version="2"))
        found = build_touched(diff, [running(("A", 1)), replace(running(("A", 1)), catalog_id="another")])
        assert (found.requests, found.touched) == (1, ())
