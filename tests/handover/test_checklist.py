"""The checklist that comes along, and what is refused as one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from takeover_made import CHECKLIST, ITEMS

from govcloud import resources
from govcloud.errors import InputError
from govcloud.handover.checklist import load_checklist
from govcloud.model.handover import DataKind, ProofKind
from govcloud.safe_yaml import load_yaml


def test_the_shipped_checklist_has_all_groups_and_both_languages() -> None:
    ids = [g.group_id for g in CHECKLIST.groups]
    assert ids == [
        "assets", "documents", "code", "credentials", "operations", "people", "knowledge", "contract", "dual_run",
    ]  # fmt: skip
    for _, item in ITEMS.values():
        assert item.title.zh and item.title.en.isascii(), item.item_id


def test_every_kind_of_proof_and_of_data_is_asked_for_once() -> None:
    items = [item for _, item in ITEMS.values()]
    assert sorted(i.proof for i in items if i.proof) == sorted(get_args(ProofKind))
    assert sorted(i.data for i in items if i.data) == sorted(get_args(DataKind))


def test_a_higher_level_never_needs_less() -> None:
    for name, (_, item) in ITEMS.items():
        if "register" in item.levels:
            assert "technical" in item.levels, name
        if "technical" in item.levels:
            assert "full" in item.levels, name


def test_article_16_binds_its_four_papers_and_nothing_else() -> None:
    """Ownership, design files, source code and test documents: JC22-16 names these and no other."""
    bound = {name: item.binding for name, (_, item) in ITEMS.items() if item.binding}
    assert bound == dict.fromkeys(("ownership", "design", "source_code", "test_reports"), ("JC22-16",))


def test_every_clause_of_the_checklist_is_in_the_regulations() -> None:
    known = set()
    for path in resources.folder("regulations").glob("*/*.yaml"):
        data = load_yaml(path)
        clauses = data.get("clauses", []) if isinstance(data, dict) else data
        known |= {c["id"] for c in clauses if isinstance(c, dict) and "id" in c}
    cited = {c for _, i in ITEMS.values() for c in (*i.clauses, *i.binding)}
    assert cited
    assert cited <= known


def test_no_item_asks_for_secrets() -> None:
    """Accounts are an inventory of names: the title says so where one might think otherwise."""
    assert "不得含口令" in ITEMS["accounts"][1].title.zh
    assert "never passwords" in ITEMS["accounts"][1].title.en


_ITEM = "{item_id: x, source: note, title: {zh: 甲, en: A}}"


@pytest.mark.parametrize(
    "text",
    [
        "version: 2\n",
        "[]\n",
        "version: 1\ngroups: [{group_id: a, title: {zh: 甲, en: A}, items: []}]\n",
        "version: 2\ngroups: [{group_id: a, title: {zh: 甲, en: A}, items: [{item_id: x}]}]\n",
        f"version: 2\ngroups: [{{group_id: a, title: {{zh: 甲, en: A}}, items: [{_ITEM}, {_ITEM}]}}]\n",
        f"version: 2\ngroups: [{{group_id: a, title: {{zh: 甲, en: A}}, items: [{_ITEM.replace('note', 'proof')}]}}]\n",
        f"version: 2\ngroups: [{{group_id: a, title: {{zh: 甲, en: A}}, items: [{_ITEM.replace('note', 'data')}]}}]\n",
    ],
)
def test_another_shape_an_old_version_or_a_repeated_item_is_an_input_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.yaml").write_text(text, "utf-8")
    with pytest.raises(InputError):
        load_checklist(tmp_path / "c.yaml")


def test_an_office_may_write_its_own(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        f"version: 2\ngroups: [{{group_id: a, title: {{zh: 甲, en: A}}, items: [{_ITEM}]}}]\n", "utf-8"
    )
    found = load_checklist(tmp_path / "c.yaml")
    assert found == replace(found, version=2)
    assert [i.item_id for g in found.groups for i in g.items] == ["x"]
