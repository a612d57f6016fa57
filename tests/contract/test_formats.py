"""docs/formats.md is what an error message sends people to: every example on it loads, and what it says of keys is so."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sources import ROOT, texts

from govcloud import resources
from govcloud.access import load_hosts
from govcloud.compliance.calendar_source import load_calendar
from govcloud.compliance.cases import run_cases
from govcloud.compliance.catalog_source import load_catalog, read_catalog
from govcloud.compliance.load import load_packs, load_topics
from govcloud.compliance.request_source import load_request
from govcloud.discovery.columns import KINDS, load_column_maps
from govcloud.discovery.fingerprints import load_fingerprints
from govcloud.errors import InputError
from govcloud.execution.spec import load_spec, verify_hosts
from govcloud.handover.checklist import load_checklist
from govcloud.handover.proofs_needs import load_needs
from govcloud.planning.load import parse_rules
from govcloud.settings import load_settings

PAGE = ROOT / "docs" / "formats.md"
FENCE = re.compile(r"^```(yaml|text)\n# (\S+)\n(.*?)^```$", re.M | re.S)
PACK = "JC22"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_formats", ROOT / "docs" / "build_formats.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def page() -> str:
    return PAGE.read_text("utf-8")


@cache
def examples() -> dict[str, str]:
    """File name -> content, of every fenced block of the page."""
    found = {name: content for _, name, content in FENCE.findall(page())}
    assert len(found) == page().count("```") // 2, "a block without a file name in its first line, or a name twice"
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The examples as files, with the key that hosts.yaml names."""
    for name, content in examples().items():
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, "utf-8")
    key = tmp_path / "keys" / "ops_ed25519"
    key.parent.mkdir()
    key.touch(mode=0o600)
    return tmp_path


def _settings(folder: Path) -> None:
    assert parse_rules(load_settings(folder / "govcloud.yaml").planning).windows


def _migration(folder: Path) -> None:
    spec = load_spec(folder / "migration", "SL-OA-01")
    hosts = {host.name: host for host in load_hosts(folder / "hosts.yaml")}
    assert verify_hosts(spec, hosts) == []


def _request(folder: Path) -> None:
    (path,) = (folder / "requests").iterdir()
    assert load_request(path, load_catalog(resources.folder("service_catalog"), "sample-provincial")).lines


def _catalog(folder: Path) -> None:
    found = read_catalog(folder / "catalog.yaml")
    assert not found.official and found.offerings


def _pack(folder: Path) -> None:
    (pack,) = load_packs(folder / "regulations", [PACK])
    results = run_cases(folder / "regulations", pack, load_calendar(folder / "calendars"))
    assert results and all(result.agrees for result in results)


def _topics(folder: Path) -> None:
    assert "contract_filing" in load_topics(folder / "regulations")


def _calendar(folder: Path) -> None:
    assert load_calendar(folder / "calendars").year(2026).source == "CN-2026.yaml"  # type: ignore[union-attr]


def _columns(folder: Path) -> None:
    assert [found.kind for found in load_column_maps(folder)[0]] == list(KINDS)
    assert load_column_maps(folder)[1] != load_column_maps()[1]


def _fingerprints(folder: Path) -> None:
    assert set(load_fingerprints(folder / "fingerprints.txt")) <= {h.name for h in load_hosts(folder / "hosts.yaml")}


LOADERS: dict[str, Callable[[Path], Any]] = {
    "govcloud.yaml": _settings,
    "hosts.yaml": lambda folder: load_hosts(folder / "hosts.yaml"),
    "fingerprints.txt": _fingerprints,
    "columns/本县.yaml": _columns,
    "migration/SL-OA-01.yaml": _migration,
    "requests/示例交通厅-合规申请.yaml": _request,
    "catalog.yaml": _catalog,
    f"regulations/{PACK}/pack.yaml": _pack,
    f"regulations/{PACK}/rules.yaml": _pack,
    f"regulations/{PACK}/cases/contract-not-filed-in-time.yaml": _pack,
    "regulations/topics.yaml": _topics,
    "calendars/CN-2026.yaml": _calendar,
    "checklist.yaml": lambda folder: load_checklist(folder / "checklist.yaml"),
    "takeover/SL-OA-01.yaml": lambda folder: (
        load_needs(folder / "takeover" / "SL-OA-01.yaml").hosts["oa-db-01"].backups[1]
    ),
}
"""Example -> the loader that the commands use."""


def test_the_page_is_up_to_date() -> None:
    assert page() == generator().render_page(), "run python docs/build_formats.py"


def test_every_kind_of_file_has_an_example_and_every_example_a_loader() -> None:
    assert set(examples()) == set(LOADERS)


@pytest.mark.parametrize("name", LOADERS)
def test_the_examples_load(folder: Path, name: str) -> None:
    LOADERS[name](folder)


@pytest.mark.parametrize("name", [name for name in LOADERS if name.endswith(".yaml")])
def test_a_broken_example_is_refused(folder: Path, name: str) -> None:
    """The loader under test really reads the file of the example."""
    (folder / name).write_text(examples()[name] + "\nbroken: [\n", "utf-8")
    with pytest.raises(InputError) as caught:
        LOADERS[name](folder)
    assert Path(name).name in str(caught.value.where)


def said_of_unknown_keys() -> dict[str, str]:
    """First column -> last column of the table of files."""
    rows = re.findall(r"^\| \[(?:\S+ )?`?([^`\]]+)`?\]\(#\w+\) \|.*\| (\S+) \S[^|]* \|$", page(), re.M)
    assert len(rows) > 10
    return dict(rows)


def _row_of(name: str) -> str:
    path = Path(name)
    folder = path.parent.name
    return (
        f"{folder}/*.yaml"
        if folder in {"columns", "migration", "requests", "cases", "calendars", "takeover"}
        else path.name
    )


@pytest.mark.parametrize("name", [n for n in LOADERS if n.endswith(".yaml") and not n.endswith("topics.yaml")])
def test_an_unknown_key_is_refused_or_ignored_as_the_page_says(folder: Path, name: str) -> None:
    said = said_of_unknown_keys()[_row_of(name)]
    (folder / name).write_text(examples()[name] + "\nno_such_key: 1\n", "utf-8")
    if said == "忽略":
        LOADERS[name](folder)
        return
    assert said == "拒绝"
    with pytest.raises(InputError):
        LOADERS[name](folder)


def test_the_sections_that_messages_name_exist() -> None:
    named = {s for place, zh, _ in texts() if "docs/formats.md" in zh for s in re.findall(r"“(.+?)”", zh)}
    assert named == {"迁移文件", "hosts.yaml"}
    for section in (*named, "planning"):
        assert re.search(rf"^###? {section} ", page(), re.M), section
