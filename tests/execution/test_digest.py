"""Equal digests mean equal content; every difference is found and named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.execution.digest import (
    Entry,
    database_digest,
    diff_manifests,
    manifest_digest,
    parse_manifest,
    verify_databases,
    verify_manifests,
)

ENTRY = st.builds(Entry, kind=st.just("f"), mode=st.sampled_from(["0644", "0600"]), size=st.integers(0, 9), digest=st.sampled_from("ab"))  # fmt: skip
TREE = st.dictionaries(st.text("abc/", min_size=1, max_size=5), ENTRY, max_size=6)


@given(TREE, TREE)
def test_the_digest_is_equal_exactly_when_the_trees_are(a: dict[str, Entry], b: dict[str, Entry]) -> None:
    assert (manifest_digest(a) == manifest_digest(b)) == (a == b)
    assert (verify_manifests(a, b, "/x") == []) == (a == b)


@given(TREE, TREE)
def test_sending_what_changed_and_removing_what_is_extra_makes_the_trees_equal(
    a: dict[str, Entry], b: dict[str, Entry]
) -> None:
    difference = diff_manifests(a, b)
    made = {p: e for p, e in b.items() if p not in difference.extra} | {p: a[p] for p in difference.changed}
    assert made == a


def test_extra_entries_come_children_first() -> None:
    extra = {"d": Entry("d", "0755", 0, "-"), "d/f": Entry("f", "0644", 1, "x")}
    assert diff_manifests({}, extra).extra == ("d/f", "d")


def test_a_manifest_line_with_blanks_in_the_name_is_read_back() -> None:
    line = "f 0644 3 abc 年度 总结.docx\n"
    assert parse_manifest([line]) == {"年度 总结.docx": Entry("f", "0644", 3, "abc")}


@pytest.mark.parametrize("line", ["f 0644 3 abc", "x 0644 3 abc name", "f 0644 three abc name", ""])
def test_a_cut_or_foreign_line_is_an_error_not_a_smaller_tree(line: str) -> None:
    with pytest.raises(ValueError):
        parse_manifest([line])


def result(**tables: Any) -> dict[str, Any]:
    return {
        "tables": tables,
        "sequences": {"public.s": "7 true"},
        "objects": "o",
        "object_count": 3,
        "server_version": 160000,
    }


T = {"rows": 2, "sha256": "aa"}


def test_equal_databases_have_no_problems_even_on_different_server_versions() -> None:
    a, b = result(t=T), {**result(t=T), "server_version": 150000}
    assert verify_databases(a, b) == []
    assert database_digest(a) == database_digest(b)


@pytest.mark.parametrize(
    "other",
    [
        result(t={"rows": 2, "sha256": "ab"}),
        result(),
        result(t=T, u=T),
        {**result(t=T), "sequences": {"public.s": "8 true"}},
        {**result(t=T), "objects": "p"},
    ],
)
def test_a_changed_row_table_sequence_or_structure_is_found(other: dict[str, Any]) -> None:
    assert verify_databases(result(t=T), other)
    assert database_digest(result(t=T)) != database_digest(other)


def test_two_empty_databases_are_not_called_verified() -> None:
    assert "no tables" in verify_databases(result(), result())[0].en
