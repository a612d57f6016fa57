"""Catalog and request files: the shipped ones are whole, faulty ones are told with file and line, all faults at once.

Missed otherwise: a price that lost its fen, a request checked against last year's catalog, and an engineer who corrects
forty faults in forty runs.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud import resources
from govcloud.compliance.catalog_source import (
    load_catalog,
    read_catalog,
    verify_catalog,
    version_folders,
)
from govcloud.compliance.request_source import load_request
from govcloud.errors import InputError, UsageError

ROOT = resources.folder("service_catalog")
PROVINCIAL = ROOT / "catalogs" / "sample-provincial" / "示例-2026"
VERSIONS = [folder for folders in version_folders(ROOT).values() for folder in folders]
VENDORS = re.compile(
    r"达梦|金仓|神通|瀚高|南大通用|gbase|teledb|金蝶|天燕|东方通|宝兰德|中创|普元|华为|阿里|腾讯|浪潮|鲲鹏|飞腾|海光|兆芯|申威|麒麟|统信"
    r"|oracle|mysql|mongo|redis|kafka|vmware|huawei|aliyun|inspur|kunpeng|phytium|hygon|windows|nginx|oceanbase|tidb|gauss",
    re.I,
)  # fmt: skip
REQUEST = """\
department: 示例厅
applied_on: 2026-03-02
lines:
  - {line: 1, what: 云主机, class: virtual_machine, quantity: 2, spec: {vcpu: 4, memory_gib: 8}}
"""


class TestSamples:
    @pytest.mark.parametrize("folder", VERSIONS, ids=lambda p: f"{p.parent.name}@{p.name}")
    def test_they_are_samples_and_as_large_as_real_ones(self, folder: Path) -> None:
        catalog = read_catalog(folder)
        assert not catalog.official and catalog.document_ref is None
        assert "示例" in catalog.title.zh and "sample" in catalog.title.en
        assert len(catalog.offerings) >= 80
        layers = Counter(o.layer for o in catalog.offerings)
        assert min(layers["iaas"], layers["paas"], layers["saas"]) >= 15
        assert all(o.price is not None and o.max is not None for o in catalog.offerings)
        assert all(any(o.service_class in t for o in catalog.offerings) for t in catalog.replaces.values())
        assert {level for o in catalog.offerings if (level := o.mlps_package)} == {2, 3}
        assert {zone for o in catalog.offerings for zone in o.zone} == {"gov_extranet", "internet"}
        assert {area for o in catalog.offerings for area in o.area} == {"xinchuang", "x86"}
        assert sum(o.common for o in catalog.offerings) >= 10

    @pytest.mark.parametrize("folder", VERSIONS, ids=lambda p: f"{p.parent.name}@{p.name}")
    def test_no_product_and_no_maker_is_named(self, folder: Path) -> None:
        found = [
            line
            for file in sorted(folder.iterdir())
            for line in file.read_text("utf-8").splitlines()
            if VENDORS.search(line)
        ]
        assert not found

    def test_the_shared_classes_add_up(self) -> None:
        shared = yaml.safe_load((ROOT / "classes.yaml").read_text("utf-8"))
        classes, replaces = shared["classes"], shared["replaces"]
        assert {name for pair in replaces.items() for name in (pair[0], *pair[1])} <= set(classes)
        # What departments would build themselves is no layer of a cloud; everything else is in one.
        assert {name for name, c in classes.items() if "layer" not in c} == set(replaces)
        catalog = read_catalog(PROVINCIAL)
        assert set(catalog.classes) == set(classes)
        assert catalog.metering["virtual_machine"] == "5.1" and "sms" not in catalog.metering
        assert all(o.layer == classes[o.service_class]["layer"] for o in catalog.offerings)

    def test_everything_that_comes_along_is_valid(self) -> None:
        assert verify_catalog(ROOT) == []


class TestVersions:
    def test_the_catalogs_are_found_by_id(self) -> None:
        assert sorted(version_folders(ROOT)) == ["sample-municipal", "sample-provincial"]
        with pytest.raises(UsageError, match="sample-provincial"):
            load_catalog(ROOT, "nosuch")

    @pytest.mark.parametrize(
        ("on", "version"),
        [
            (None, "示例-2026"), (date(2026, 1, 1), "示例-2026"), (date(2031, 1, 1), "示例-2026"), (date(2025, 12, 31), "示例-2025"),
            (date(2025, 1, 1), "示例-2025"), (date(2020, 1, 1), "示例-2025"),
        ],
    )  # fmt: skip
    def test_a_day_picks_its_version(self, on: date | None, version: str) -> None:
        assert load_catalog(ROOT, "sample-municipal", on).version == version

    def test_a_version_may_be_named(self) -> None:
        old = load_catalog(ROOT, "sample-municipal@示例-2025", date(2026, 3, 2))
        assert (old.version, old.effective_to) == ("示例-2025", date(2025, 12, 31))
        with pytest.raises(UsageError, match="sample-municipal@示例-2026"):
            load_catalog(ROOT, "sample-municipal@1999")

    @pytest.mark.parametrize(
        ("on", "status"),
        [(date(2026, 9, 30), "closed_to_new"), (date(2026, 10, 1), "retired"), (date(2030, 1, 1), "retired")],
    )
    def test_the_status_is_that_of_the_day(self, on: date, status: str) -> None:
        found = load_catalog(ROOT, "sample-municipal", on).offering("M-VPN-00")
        assert found is not None and found.status == status

    def test_an_announced_end_leaves_an_offering_open_until_then(self, tmp_path: Path) -> None:
        folder = own(tmp_path, {"iaas.yaml": ("max: 200\n", "max: 200\n    closed_on: 2026-07-01\n")})
        for on, status in ((date(2026, 6, 30), "active"), (date(2026, 7, 1), "closed_to_new")):
            found = load_catalog(ROOT, "sample-provincial", on, own=folder).offering("P-VM-X86")
            assert found is not None and found.status == status

    def test_a_sites_own_catalog_takes_the_place_of_ours(self, tmp_path: Path) -> None:
        folder = own(tmp_path, {"catalog.yaml": ("official: false", "official: true")})
        assert load_catalog(ROOT, "sample-provincial", own=folder).official
        assert not load_catalog(ROOT, "sample-provincial").official
        assert not load_catalog(ROOT, "sample-municipal", own=folder).official
        assert not load_catalog(ROOT, "sample-provincial", own=tmp_path / "none").official

    def test_a_catalog_adds_classes_and_renames_shared_ones(self, tmp_path: Path) -> None:
        added = "currency: CNY\nclasses:\n  virtual_machine: {zh: 虚拟服务器, en: Server}\n  drone: {zh: 无人机, en: Drone, layer: saas}\n"
        folder = own(
            tmp_path, {"catalog.yaml": ("currency: CNY\n", added), "saas.yaml": ("class: sms", "class: drone")}
        )
        catalog = load_catalog(ROOT, "sample-provincial", own=folder)
        assert catalog.classes["virtual_machine"].zh == "虚拟服务器" and catalog.metering["virtual_machine"] == "5.1"
        assert catalog.offering("P-SMS-01").service_class == "drone"  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        ("old", "new", "named"),
        [
            ("version: 示例-2026", "version: 示例-2027", "示例-2026"),
            ("id: sample-municipal", "id: sample-city", "sample-municipal"),
            ("effective_from: 2026-01-01", "effective_from: 2025-12-31", "示例-2025"),
        ],
    )
    def test_versions_that_contradict_each_other_are_refused(
        self, tmp_path: Path, old: str, new: str, named: str
    ) -> None:
        shutil.copytree(ROOT / "catalogs" / "sample-municipal", tmp_path / "catalogs" / "sample-municipal")
        file = tmp_path / "catalogs" / "sample-municipal" / "示例-2026" / "catalog.yaml"
        number = change(file, old, new)
        with pytest.raises(InputError) as refused:
            load_catalog(tmp_path, "sample-municipal")
        for lang in ("zh", "en"):
            assert refused.value.message(lang).startswith(f"{file}:{number}: ")  # type: ignore[arg-type]
            assert named in refused.value.message(lang)  # type: ignore[arg-type]
        assert [f.where for f in verify_catalog(tmp_path)] == [f"{file}:{number}"]

    def test_overlapping_versions_are_a_fault_of_the_folder_above_them(self, tmp_path: Path) -> None:
        folder = shutil.copytree(ROOT / "catalogs" / "sample-municipal", tmp_path / "c")
        number = change(folder / "示例-2025" / "catalog.yaml", "effective_to: 2025-12-31", "effective_to: null")
        assert number
        (fault,) = verify_catalog(folder)
        assert re.search(r"示例-2026/catalog.yaml:\d+$", fault.where) and "示例-2025" in fault.what.zh


def change(file: Path, old: str, new: str) -> int:
    """Replace the first occurrence; returns its line."""
    text = file.read_text("utf-8")
    assert old in text, f"{file.name}: no {old!r}"
    file.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def own(tmp_path: Path, changes: Mapping[str, tuple[str, str]]) -> Path:
    """A site's folder with the provincial sample, changed."""
    folder = shutil.copytree(PROVINCIAL, tmp_path / "own" / "catalogs" / "sample-provincial" / PROVINCIAL.name)
    for name, (old, new) in changes.items():
        change(folder / name, old, new)
    return tmp_path / "own"


SMALL = {
    "catalog.yaml": """\
id: sample-small
title: {zh: 目录（示例）, en: Catalog (sample)}
issuer: {zh: 示例, en: Sample}
official: false
document_ref: null
version: 示例-1
effective_from: 2026-01-01
effective_to: null
currency: CNY
""",
    "iaas.yaml": """\
offerings:
  - code: VM
    class: virtual_machine
    name: {zh: 云主机, en: Machine}
    unit: {zh: 台, en: machine}
    price: {vcpu_yuan: "40.00", memory_gib_yuan: "20.00"}
    max: 20
    memory_per_vcpu: {2: [4, 8], 4: [8, 16]}
    arch: [x86_64]
    zone: [gov_extranet, internet]
    sla: {availability_pct: 99.9, rpo_minutes: 5, service_hours: 7x24}
  - code: DISK
    class: block_storage
    name: {zh: 云硬盘, en: Disk}
    unit: {zh: GiB, en: GiB}
    price: {yuan: "0.50"}
    min: 10
    max: 1000
    step: 10
  - code: SEC
    class: security_package
    name: {zh: 等保二级, en: Level 2}
    unit: {zh: 系统, en: system}
    price: {yuan: "1200.00"}
    mlps_package: 2
""",
    "saas.yaml": """\
offerings:
  - code: OA
    class: office_suite
    name: {zh: 协同办公, en: Office}
    unit: {zh: 人, en: user}
    price: {yuan: "60.00", period: year}
  - code: OA-OLD
    class: office_suite
    name: {zh: 协同办公（旧版）, en: "Office, former release"}
    unit: {zh: 人, en: user}
    price: {yuan: "50.00", period: year}
    status: closed_to_new
    successor: OA
""",
}
"""A catalog with one of everything that can be wrong."""


def small(folder: Path) -> Path:
    folder.mkdir()
    for name, content in SMALL.items():
        (folder / name).write_text(content, "utf-8")
    return folder


FAULTS = [
    ("iaas.yaml", "code: DISK", "code: VM", "VM", "重复"),
    ("saas.yaml", "code: OA\n", "code: SEC\n", "SEC", "重复"),
    ("iaas.yaml", "code: VM", "code: V M/1", "V M/1", "空格"),
    ("iaas.yaml", "code: VM", "code: 1001", "1001", "加引号"),
    ("iaas.yaml", "class: virtual_machine", "class: nosuch", "VM", "nosuch"),
    ("iaas.yaml", 'yuan: "1200.00"', 'yuan: "1200.005"', "SEC", "1200.005"),
    ("iaas.yaml", 'yuan: "1200.00"', 'yuan: "-1"', "SEC", "两位小数"),
    ("iaas.yaml", 'yuan: "1200.00"', 'yuan: "1e999999"', "SEC", "两位小数"),
    ("iaas.yaml", 'yuan: "1200.00"', "yuan: 1200.5", "SEC", "加引号"),
    ("iaas.yaml", 'yuan: "1200.00"', 'vcpu_yuan: "32.00"', "SEC", "memory_per_vcpu"),
    ("iaas.yaml", 'yuan: "1200.00"', 'yuam: "1200.00"', "SEC", "price.yuam → yuan"),
    ("iaas.yaml", "min: 10", "min: 0", "DISK", "min 至少"),
    ("iaas.yaml", "max: 1000", "max: 5", "DISK", "小于 min（10）"),
    ("iaas.yaml", "step: 10", "step: 0", "DISK", "step 至少"),
    ("iaas.yaml", "step: 10", "step: ten", "DISK", "整数；现为 ten"),
    ("iaas.yaml", "step: 10", "step: true", "DISK", "整数；现为 True"),
    ("iaas.yaml", "step: 10", "stepp: 10", "DISK", "stepp → step"),
    ("iaas.yaml", "step: 10", "step: null", "DISK", "整数；现为 空"),
    ("catalog.yaml", "id: sample-small", "id: null", "", "现为 空"),
    ("iaas.yaml", "{2: [4, 8]", "{2: []", "VM", "2 vCPU"),
    ("iaas.yaml", "{2: [4, 8]", "{0: [4, 8]", "VM", "0 vCPU"),
    ("iaas.yaml", "{2: [4, 8]", "{two: [4, 8]", "VM", "整数"),
    ("iaas.yaml", "arch: [x86_64]", "arch: [i386]", "VM", "x86_64"),
    ("iaas.yaml", "arch: [x86_64]", "arch: []", "VM", "arch 是空的"),
    ("iaas.yaml", "zone: [gov_extranet, internet]", "zone: 外网", "VM", "列表"),
    ("iaas.yaml", "availability_pct: 99.9", "availability_pct: 199.9", "VM", "100"),
    ("iaas.yaml", "rpo_minutes: 5", "rpo_minutes: -5", "VM", "rpo_minutes"),
    ("iaas.yaml", "service_hours: 7x24", "service_hours: always", "VM", "7x24"),
    ("iaas.yaml", "mlps_package: 2", "mlps_package: 9", "SEC", "1 至 5"),
    ("iaas.yaml", "unit: {zh: 台, en: machine}", "unit: {zh: 台}", "VM", "缺少 unit.en"),
    ("saas.yaml", "successor: OA", "successor: OA-99", "OA-OLD", "OA-99"),
    ("saas.yaml", "successor: OA", "successor: OA-OLD", "OA-OLD", "OA-OLD → OA-OLD"),
    ("saas.yaml", "successor: OA", "included_in: OA-99", "OA-OLD", "OA-99"),
    ("saas.yaml", "status: closed_to_new", "status: over", "OA-OLD", "retired"),
    ("saas.yaml", "status: closed_to_new", "closed_on: 13 月", "OA-OLD", "日期"),
    ("saas.yaml", "period: year}\n  - ", "period: week}\n  - ", "OA", "per_use"),
    ("catalog.yaml", "currency: CNY", "replaces: {machine_room: [virtual_machine, nosuch]}", "", "nosuch"),
    ("catalog.yaml", "currency: CNY", "replaces: {nosuch: [virtual_machine]}", "", "nosuch"),
    ("catalog.yaml", "currency: CNY", "currency: USD", "", "CNY"),
    ("catalog.yaml", "currency: CNY", "classes: {drone: {zh: 无人机}}", "", "classes.drone.en"),
    ("catalog.yaml", "effective_to: null", "effective_to: 2019-01-01", "", "失效日"),
    ("catalog.yaml", "effective_to: null", "effective_to: later", "", "日期"),
    ("catalog.yaml", "official: false", "official: maybe", "", "official"),
    ("catalog.yaml", "version: 示例-1", "version: 2026", "", "加引号"),
    ("catalog.yaml", "version: 示例-1", "version: a@b", "", "@"),
    ("saas.yaml", "offerings:", "offering: []\nofferings:", "", "offering → offerings"),
    ("saas.yaml", "  - code: OA\n", "  - [code\n", "", "YAML"),
]
ELSEWHERE = {"YAML": 1}
"""Lines below the change at which it is told: YAML notices an open bracket where the next thing does not fit."""


class TestFaults:
    @pytest.mark.parametrize(("file", "old", "new", "entry", "named"), FAULTS)
    def test_each_is_told_with_its_line(
        self, tmp_path: Path, file: str, old: str, new: str, entry: str, named: str
    ) -> None:
        folder = small(tmp_path / "catalog")
        number = change(folder / file, old, new) + ELSEWHERE.get(named, 0)
        faults = verify_catalog(folder)
        (fault,) = faults if "code" not in new else [f for f in faults if named in f.what.zh]
        assert named in fault.what.zh and fault.what.en
        assert re.fullmatch(rf"{re.escape(str(folder / file))}:{number}(:\d+)?", fault.where)
        assert fault.entry == entry

    def test_what_is_missing_is_told_at_its_offering(self, tmp_path: Path) -> None:
        folder = small(tmp_path / "catalog")
        change(folder / "iaas.yaml", "    class: block_storage\n", "")
        (fault,) = verify_catalog(folder)
        line = (folder / "iaas.yaml").read_text("utf-8").splitlines().index("  - code: DISK") + 1
        assert fault.where.endswith(f"iaas.yaml:{line}") and fault.entry == "DISK" and "class" in fault.what.en

    def test_an_end_before_the_other_end(self, tmp_path: Path) -> None:
        folder = small(tmp_path / "catalog")
        number = change(
            folder / "saas.yaml", "status: closed_to_new", "closed_on: 2026-07-01\n    retired_on: 2026-06-30"
        )
        (fault,) = verify_catalog(folder)
        assert fault.where.endswith(f"saas.yaml:{number + 1}") and "下线日" in fault.what.zh

    def test_all_are_told_in_one_run_and_no_other_comes_with_them(self, tmp_path: Path) -> None:
        folder = small(tmp_path / "catalog")
        chosen = {
            "official: false", "step: 10", 'yuan: "1200.00"', "mlps_package: 2", "successor: OA", "availability_pct: 99.9", "max: 1000",
        }  # fmt: skip
        made = {old: (file, old, new) for file, old, new, _, _ in FAULTS if old in chosen}
        expected = sorted(f"{folder / file}:{change(folder / file, old, new)}" for file, old, new in made.values())
        assert len(expected) == len(chosen)
        assert sorted(f.where for f in verify_catalog(folder)) == expected
        assert [f.where for f in verify_catalog(folder / "catalog.yaml")] == [f.where for f in verify_catalog(folder)]
        with pytest.raises(InputError) as refused:
            read_catalog(folder)
        assert refused.value.message("zh").count("\n") == 1 and "共 7 处" in refused.value.message("zh")
        assert f"catalog validate {folder}" in refused.value.message("en")

    def test_a_faulty_head_hides_nothing_below_it(self, tmp_path: Path) -> None:
        lines = [
            SMALL["catalog.yaml"]
            .replace("official: false", "official: maybe")
            .replace("effective_to: null", "effective_to: 2019-01-01")
        ]
        lines += [
            "classes:\n  drone: {zh: 无人机, en: Drone, layer: saas}\n",
            SMALL["iaas.yaml"].replace("step: 10", "step: 0"),
        ]
        file = tmp_path / "catalog.yaml"
        file.write_text("".join(lines).replace("class: security_package", "class: drone"), "utf-8")
        assert [f.entry for f in verify_catalog(file)] == ["", "", "DISK"]

    def test_a_circle_of_successors_is_one_fault(self, tmp_path: Path) -> None:
        folder = small(tmp_path / "catalog")
        change(folder / "saas.yaml", "  - code: OA\n", "  - code: OA\n    successor: OA-OLD\n")
        (fault,) = verify_catalog(folder)
        assert "OA → OA-OLD → OA" in fault.what.zh

    def test_a_catalog_without_offerings_and_a_folder_without_a_catalog(self, tmp_path: Path) -> None:
        (tmp_path / "catalog.yaml").write_text(SMALL["catalog.yaml"], "utf-8")
        with pytest.raises(InputError, match="no offerings"):
            read_catalog(tmp_path / "catalog.yaml")
        (tmp_path / "empty").mkdir()
        assert [f.where for f in verify_catalog(tmp_path / "empty")] == [str(tmp_path / "empty")]
        assert "No such file" in verify_catalog(tmp_path / "none.yaml")[0].what.en
        (tmp_path / "nothing.yaml").write_text("", "utf-8")
        assert verify_catalog(tmp_path / "nothing.yaml")

    @settings(max_examples=60, deadline=None)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.dates(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                st.sampled_from(["id", "offerings", "classes", "code", "class", "price", "yuan", "name", "zh", "memory_per_vcpu", "sla"]), inner, max_size=4
            ),
            max_leaves=12,
        )
    )  # fmt: skip
    def test_whatever_a_file_holds_is_told_and_never_raised(
        self, tmp_path_factory: pytest.TempPathFactory, data: Any
    ) -> None:
        path = tmp_path_factory.mktemp("any") / "catalog.yaml"
        path.write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
        faults = verify_catalog(path)
        assert faults and all(f.where.startswith(f"{path}:") and f.what.zh and f.what.en for f in faults)


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
