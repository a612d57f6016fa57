"""docs/rules.md is what an auditor reads: it must say what the packs say today, name every clause and rule, and hide nothing."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from types import ModuleType

import pytest
from sources import ROOT

from govcloud import resources
from govcloud.compliance.load import load_packs
from govcloud.model.regulation import Regulation


@cache
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_rules", ROOT / "docs" / "build_rules.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def page() -> str:
    return (ROOT / "docs" / "rules.md").read_text("utf-8")


@cache
def packs() -> tuple[Regulation, ...]:
    return load_packs(resources.folder("regulations"), generator().IDS)


def test_the_page_is_up_to_date() -> None:
    assert page() == generator().render_page(), "run python docs/build_rules.py"


def sections() -> dict[str, str]:
    return dict(re.findall(r'^<a id="([\w-]+)"></a>\n(.*?)(?=^<a id=|\Z)', page(), re.M | re.S))


def test_every_clause_and_every_rule_has_its_row() -> None:
    found = sections()
    for pack in packs():
        name = pack.regulation_id.lower()
        assert re.findall(r"^\| ([A-Z][\w.-]+) \|", found[f"clauses-{name}"], re.M) == list(pack.clauses)
        assert re.findall(r"^\| `([\w-]+)` \|", found[f"rules-{name}"], re.M) == [
            rule.rule_id.partition("/")[2] for rule in pack.rules
        ]
        assert set(re.findall(r"^\| `(\w+)` \| " + pack.regulation_id, found["limits"], re.M)) == set(pack.limits)


def test_no_number_and_no_issuer_is_guessed() -> None:
    rows = {
        line.split(" | ")[0].strip("| "): line
        for line in sections()["documents"].splitlines()
        if line.startswith("| S")
    }
    assert rows["SD"].count("文本未载 · not in the text") == 4, "number, issuer, issued, in force"
    assert rows["SX17"].count("文本未载 · not in the text") == 2, "number, in force"
    assert "晋政办发〔2019〕72号" in rows["SX19"]


def test_the_totals_add_up() -> None:
    total = re.search(r"^\| 合计 total \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", page(), re.M)
    assert total
    clauses, *kinds, rules = map(int, total.groups())
    assert clauses == sum(kinds) == sum(len(p.clauses) for p in packs())
    assert rules == sum(len(p.rules) for p in packs())


@pytest.mark.parametrize("anchor", ["documents", "roles", "coverage", "differential", "limits"])
def test_the_links_of_the_head_lead_somewhere(anchor: str) -> None:
    linked = set(re.findall(r"\]\(#([\w-]+)\)", page()))
    assert anchor in linked
    assert linked == set(sections())


def test_tables_are_whole() -> None:
    """A bar in a text would shift the columns of its row unseen."""
    bars = re.compile(r"(?<!\\)\|")
    width = 0
    for line in page().splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        found = len(bars.findall(line))
        assert width in (0, found), line
        width = found
