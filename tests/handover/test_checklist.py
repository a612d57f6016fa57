"""The checklist that comes along, and what is refused as one."""

from __future__ import annotations

from pathlib import Path

import pytest

from govcloud import resources
from govcloud.errors import InputError
from govcloud.handover.checklist import load_checklist
from govcloud.safe_yaml import load_yaml

SHIPPED = resources.folder("inventory") / "handover" / "checklist.yaml"


def test_the_shipped_checklist_has_all_groups_and_both_languages() -> None:
    found = load_checklist(SHIPPED)
    ids = [g.group_id for g in found.groups]
    assert ids == ["assets", "documents", "code", "credentials", "operations", "people", "contract", "dual_run"]
    for group in found.groups:
        for item in group.items:
            assert item.title.zh and item.title.en.isascii(), item.item_id
    assert [i.item_id for g in found.groups for i in g.items if i.evidence == "rotation"] == ["key_rotation"]


def test_every_clause_of_the_checklist_is_in_the_regulations() -> None:
    known = set()
    for path in resources.folder("regulations").glob("*/*.yaml"):
        data = load_yaml(path)
        clauses = data.get("clauses", []) if isinstance(data, dict) else data
        known |= {c["id"] for c in clauses if isinstance(c, dict) and "id" in c}
    cited = {c for g in load_checklist(SHIPPED).groups for i in g.items for c in i.clauses}
    assert cited
    assert cited <= known


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\n",
        "version: 1\ngroups: [{group_id: a, title: {zh: 甲, en: A}, items: [{item_id: x}]}]\n",
        "version: 1\ngroups: [{group_id: a, title: {zh: 甲, en: A}, items: ["
        "{item_id: x, required: true, evidence: note, title: {zh: 甲, en: A}},"
        "{item_id: x, required: true, evidence: note, title: {zh: 甲, en: A}}]}]\n",
    ],
)
def test_another_shape_or_a_repeated_item_is_an_input_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.yaml").write_text(text, "utf-8")
    with pytest.raises(InputError):
        load_checklist(tmp_path / "c.yaml")
