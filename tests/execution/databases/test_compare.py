"""What a person reads when two databases differ, and what two ends are told before anything is touched."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from module_run import load_util

from govcloud.execution.databases import compare, far, probes
from govcloud.execution.databases.names import own_name
from govcloud.execution.steps import folder


def digest(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": "postgresql", "level": "L2", "server": "15.1", "tables": {"t": {"rows": 2, "sha256": "aa"}},
        "sequences": {"s": "7"}, "structure": ["column t.a int", "table t"], "grants": [], "versions": {"x": "1.0"},
        "position": {"xid": 5},
    }  # fmt: skip
    return found | more


def test_equal_databases_have_no_difference_whatever_their_servers_are() -> None:
    other = digest(server="16.2", versions={"x": "1.1"}, position={"xid": 99})
    assert compare.verify_digests(digest(), other, "oa") == []
    assert compare.digest_sha256(digest()) == compare.digest_sha256(other)
    assert "# x: 1.0 -> 1.1" in compare.render_difference(compare.diff_digests(digest(), other), digest(), other)


def test_an_empty_source_proves_nothing_but_an_empty_redis_may_be() -> None:
    empty = digest(tables={})
    assert "nothing was compared" in compare.verify_digests(empty, empty, "oa")[0].en
    assert compare.verify_digests(empty | {"kind": "redis"}, empty | {"kind": "redis"}, "oa") == []


def test_while_the_source_serves_only_structure_counts_and_that_something_came() -> None:
    later = digest(tables={"t": {"rows": 3, "sha256": ""}}, sequences={"s": "9"})
    assert compare.verify_live(later, digest(), "oa") == []
    nothing = digest(tables={"t": {"rows": 0, "sha256": ""}})
    assert "none at the target" in compare.verify_live(later, nothing, "oa")[0].en
    assert (
        "+table u" in compare.verify_live(later, digest(structure=["column t.a int", "table t", "table u"]), "oa")[0].en
    )


def test_a_long_difference_is_cut_in_the_message_and_whole_in_the_evidence() -> None:
    many = digest(structure=sorted(["column t.a int", "table t", *(f"table n{n}" for n in range(3000))]))
    (problem,) = compare.verify_digests(digest(), many, "oa")
    assert "… +2994" in problem.zh and problem.en.count("\n") == 7
    difference = compare.diff_digests(digest(), many)
    assert compare.render_difference(difference, digest(), many).count("+table n") == 3000


@given(st.sets(st.sampled_from("abcdefgh")), st.sets(st.sampled_from("abcdefgh")))
def test_every_changed_table_is_named_once(a: set[str], b: set[str]) -> None:
    left = digest(tables={n: {"rows": 1, "sha256": n} for n in {"z", *a}})
    right = digest(tables={n: {"rows": 1, "sha256": n} for n in {"z", *b}})
    assert set(compare.diff_digests(left, right).tables) == a ^ b


def test_both_ends_call_what_is_ours_by_the_same_name() -> None:
    for system_id in ("SL-OA-01", "市办-OA", "x" * 200):
        assert own_name(system_id, 3, "_new") == load_util("gov_db").own_name(system_id, 3, "_new")


def test_every_far_end_is_short_enough_for_an_argument_and_runs_on_python_3_6() -> None:
    """CentOS 7 sources have Python 3.6; Linux allows 128 KiB an argument."""
    base = folder() / "library" / "module_utils"
    for kind, names in far.MODULES.items():
        assert len(far.program(kind)) < 64 << 10
        for name in names:
            ast.parse(Path(base / f"{name}.py").read_text("utf-8"), feature_version=(3, 6))


def probe(kind: str = "postgresql", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "name": "oa", "version": [15, 3], "client": [15, 3]} | more


def test_ends_that_do_not_fit_are_named_beforehand() -> None:
    assert probes.verify_probes(probe(), probe(version=[16, 1], client=[16, 1]), "dump") == []
    assert "older" in probes.verify_probes(probe(), probe(version=[14, 9]), "dump")[0].en
    # A cluster that is still to be made will be of the programs' version.
    assert probes.verify_probes(probe(), probe(version=None, client=[16, 0]), "dump") == []
    assert "older" in probes.verify_probes(probe(), probe(version=None, client=[13, 0]), "dump")[0].en
    maria = probe("mysql", mariadb=True, server_id=1, client=None)
    assert "same server_id" in probes.verify_probes(maria, maria, "replication")[0].en
    assert "can't be migrated" in probes.verify_probes(maria, maria | {"mariadb": False}, "dump")[0].en
