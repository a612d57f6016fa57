"""Catalog and request files: the shipped ones are whole, the faulty ones are refused with file and entry."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from govcloud import resources
from govcloud.compliance.catalog_source import catalog_ids, load_catalog, read_catalog
from govcloud.compliance.request_source import load_request
from govcloud.errors import InputError, UsageError

ROOT = resources.folder("service_catalog")
REQUEST = """\
department: 示例厅
applied_on: 2026-03-02
lines:
  - {line: 1, what: 云主机, class: virtual_machine, quantity: 2, spec: {vcpu: 4, memory_gib: 8}}
"""


@pytest.mark.parametrize("name", ["sample-provincial", "sample-municipal"])
def test_the_sample_catalogs_are_samples_and_large_enough(name: str) -> None:
    catalog = load_catalog(ROOT, name)
    assert not catalog.official
    assert catalog.document_ref is None
    assert "示例" in catalog.title.zh
    assert len(catalog.offerings) >= 40
    layers = Counter(o.layer for o in catalog.offerings)
    assert min(layers["iaas"], layers["paas"], layers["saas"]) >= 8
    assert all(o.price is not None for o in catalog.offerings)
    assert all(any(o.service_class in t for o in catalog.offerings) for t in catalog.replaces.values())


def test_the_catalogs_are_found_by_id() -> None:
    assert catalog_ids(ROOT) == ["sample-municipal", "sample-provincial"]
    with pytest.raises(UsageError, match="sample-provincial"):
        load_catalog(ROOT, "nosuch")


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("iaas.yaml", "code: P-VM-ARM", "code: P-VM-X86", "P-VM-X86"),
        ("saas.yaml", "code: P-ID-01", "code: P-VM-X86", "P-VM-X86"),
        ("iaas.yaml", "class: virtual_machine", "class: nosuch", "nosuch"),
        ("iaas.yaml", 'yuan: "3200.00"', 'yuan: "3200.005"', "P-BM-X86"),
        ("iaas.yaml", 'yuan: "3200.00"', 'yuan: "-1"', "P-BM-X86"),
        ("iaas.yaml", 'yuan: "3200.00"', 'yuan: "1e999999"', "P-BM-X86"),
        ("iaas.yaml", 'yuan: "3200.00"', "yuan: 3200.5", "iaas.yaml"),
        ("iaas.yaml", "min: 10", "min: 99999", "P-BS-STD"),
        ("saas.yaml", "successor: P-OA-01", "successor: P-OA-99", "P-OA-99"),
        ("catalog.yaml", "machine_room: [virtual_machine", "machine_room: [nosuch", "nosuch"),
        ("catalog.yaml", "effective_to: null", "effective_to: 2019-01-01", "effective_to"),
        ("catalog.yaml", "official: false", "official: maybe", "official"),
        ("paas.yaml", "offerings:", "offering:", "paas.yaml"),
    ],
)
def test_a_faulty_catalog_is_refused(tmp_path: Path, file: str, old: str, new: str, named: str) -> None:
    folder = tmp_path / "catalog"
    shutil.copytree(ROOT / "catalogs" / "sample-provincial", folder)
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError) as refused:
        read_catalog(folder)
    assert file in refused.value.message("zh")
    assert named in refused.value.message("en")


def test_a_catalog_without_offerings_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "catalogs" / "sample-provincial" / "catalog.yaml").read_text("utf-8")
    (tmp_path / "catalog.yaml").write_text(text, "utf-8")
    with pytest.raises(InputError, match="no offerings"):
        read_catalog(tmp_path / "catalog.yaml")


def test_a_request_is_read(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(REQUEST, "utf-8")
    request = load_request(path, load_catalog(ROOT, "sample-provincial"))
    assert (request.lines[0].spec.vcpu, request.lines[0].supply) == (4, "catalog")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("class: virtual_machine", "class: nosuch", "lines.1"),
        (", class: virtual_machine", "", "lines.1"),
        ("quantity: 2", "quantity: 0", "lines.1"),
        ("quantity: 2", "quantity: many", "quantity"),
        ("vcpu: 4", "cpus: 4", "cpus"),
        ("applied_on: 2026-03-02", "applied_on: soon", "applied_on"),
        ("department: 示例厅\n", "", "department"),
        ("lines:\n", "lines: [\n", "r.yaml:"),
        ("  - {line: 1", "  - {line: 1, what: a, code: P-ID-01, quantity: 1}\n  - {line: 1", "lines.1"),
        (REQUEST[REQUEST.index("lines") :], "lines: []\n", "lines"),
    ],
)
def test_a_faulty_request_is_refused(tmp_path: Path, old: str, new: str, named: str) -> None:
    path = tmp_path / "r.yaml"
    assert old in REQUEST
    path.write_text(REQUEST.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError) as refused:
        load_request(path, load_catalog(ROOT, "sample-provincial"))
    assert "r.yaml" in refused.value.message("zh")
    assert named in refused.value.message("en")


def test_a_request_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load_request(tmp_path / "none.yaml", load_catalog(ROOT, "sample-provincial"))
