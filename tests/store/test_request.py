"""The newest check of each request is what a change of the catalog is held against."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from govcloud.model.request import LineVerdict, Problem, RequestCheck, RequestLine, RequestSpec, ResourceRequest
from govcloud.model.text import Text, same
from govcloud.store import Store
from govcloud.store.request import latest_requests, running_requests, save_request, save_requests

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
LINE = RequestLine(line=1, what="服务器", quantity=2, code="P-VM", spec=RequestSpec(vcpu=4, memory_gib=16, area="x86"))
CHECK = RequestCheck(
    file="a.yaml", sha256="00", catalog_id="c", catalog_version="1", catalog_title=Text("目录", "Catalog"), official=True,
    no_clause=False,
    request=ResourceRequest(
        department="示例厅", system_id="S-1", system_name="甲", applied_on=date(2026, 3, 2), lines=(LINE,), project_id="P-1"
    ),
    lines=(
        LineVerdict(
            line=LINE, outcome="out_of_range", uses={"vcpu": 8, "memory_gib": 32},
            problems=(Problem(outcome="out_of_range", reason=same("x"), clauses=("SX19-12b",)),),
        ),
    ),
)  # fmt: skip


def test_a_check_comes_back_as_it_was(store: Store) -> None:
    with store.begin() as tx:
        save_request(tx, CHECK, NOON)
        assert running_requests(tx) == (CHECK,)
        assert latest_requests(tx) == ((CHECK, NOON),)


def test_the_same_request_checked_again_replaces_the_earlier_check(store: Store) -> None:
    later = replace(CHECK, sha256="11", catalog_version="2")
    with store.begin() as tx:
        save_request(tx, CHECK, NOON)
    with store.begin() as tx:
        save_request(tx, later, NOON + timedelta(days=1))
        assert latest_requests(tx) == ((later, NOON + timedelta(days=1)),)


def test_other_files_systems_and_departments_are_other_requests(store: Store) -> None:
    """An extension of a running system must not push its first request out of sight."""
    request = CHECK.request
    others = [
        replace(CHECK, file="b.yaml"), replace(CHECK, request=replace(request, system_id=None)),
        replace(CHECK, request=replace(request, department="示例局")), replace(CHECK, request=replace(request, project_id=None)),
    ]  # fmt: skip
    with store.begin() as tx:
        save_requests(tx, [CHECK, *others, replace(CHECK, sha256="22")], NOON)
        found = running_requests(tx)
    assert len(found) == 5
    assert "22" in {c.sha256 for c in found}, "of two with one identity the last is kept"


def test_nothing_to_save_is_no_fault(store: Store) -> None:
    with store.begin() as tx:
        save_requests(tx, [], NOON)
        assert running_requests(tx) == ()
