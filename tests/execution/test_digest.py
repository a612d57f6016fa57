"""Equal digests mean equal trees; every difference is counted and named."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.execution.digest import Entry, compare_manifests, parse_row, read_rows, verify_manifests, write_rows

ENTRY = st.builds(
    Entry, path=st.just(b""), kind=st.just("f"), mode=st.sampled_from(["644", "600"]), owner=st.sampled_from(["-", "oa:oa"]),
    size=st.integers(0, 9), digest=st.sampled_from("ab"),
)  # fmt: skip
TREE = st.dictionaries(st.text("ab.-/", min_size=1, max_size=5).map(str.encode), ENTRY, max_size=6)


def entries(tree: dict[bytes, Entry]) -> list[Entry]:
    found = [Entry(path, e.kind, e.mode, e.owner, e.size, e.digest) for path, e in tree.items()]
    return sorted(found, key=lambda entry: entry.path.replace(b"/", b"\0"))


@settings(deadline=None)
@given(TREE, TREE)
def test_trees_are_called_equal_exactly_when_they_are(a: dict[bytes, Entry], b: dict[bytes, Entry]) -> None:
    forth = compare_manifests(entries(a), entries(b))
    back = compare_manifests(entries(b), entries(a))
    assert (verify_manifests(forth, "/x") == []) == (a == b) == (forth.sha256 == back.sha256)
    assert forth.extra == len(set(b) - set(a))
    assert forth.different == sum(b.get(path) != entry for path, entry in a.items())


def test_a_message_names_what_differs_in_both_languages() -> None:
    a = {b"\xb8\xbd": Entry(b"", "f", "644", "-", 1, "x"), b"d/f": Entry(b"", "f", "644", "-", 1, "x")}
    (problem,) = verify_manifests(compare_manifests(entries(a), entries({})), "/srv/oa")
    assert problem.en == "Directory /srv/oa differs: 2 missing or different, 0 extra: d/f, %B8%BD"
    assert problem.zh == "目录 /srv/oa 两侧不一致：缺少或不同 2 项，多出 0 项：d/f, %B8%BD"


def test_times_are_not_content_and_link_goals_are() -> None:
    row = b"f 644 oa:oa 3 1000 " + b"a" * 64
    assert parse_row(b"p", row) == parse_row(b"p", row.replace(b"1000", b"2000"))
    assert parse_row(b"p", b"l - to here") != parse_row(b"p", b"l - to there")


@pytest.mark.parametrize("row", [b"f 644 - 3 1000", b"x 644", b"f 644 - three 1000 aa", b"", b"d 755"])
def test_a_foreign_row_is_an_error_not_a_smaller_tree(row: bytes) -> None:
    with pytest.raises(ValueError):
        parse_row(b"p", row)


def test_a_cut_listing_is_an_error_not_a_smaller_tree() -> None:
    kept = io.BytesIO()
    write_rows(kept, b"\0".join([b"a", b"d 755 -", b"1", b"b", b"d 755 -", b"1"]))
    assert [entry.path for entry in read_rows(io.BytesIO(kept.getvalue()))] == [b"a", b"b"]
    for length in range(5, len(kept.getvalue())):
        with pytest.raises(ValueError):
            list(read_rows(io.BytesIO(kept.getvalue()[:length])))
