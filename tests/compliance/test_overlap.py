"""Which systems may do the same: on an estate where the answer is known. A wrong candidate costs an office a meeting; a
verdict would cost it a system, so there is none.
"""

from __future__ import annotations

import random

from govcloud import resources
from govcloud.compliance.catalog_source import load_catalog
from govcloud.compliance.departments import build_departments
from govcloud.compliance.overlap import build_overlaps, core
from govcloud.model.inventory import Conflict, Dependency, Inventory, Network, System
from govcloud.model.overlap import Overlap
from govcloud.model.server import Server

CATALOG = load_catalog(resources.folder("service_catalog"), "sample-provincial")

KNOWN = {
    "办公": [("示例省交通厅", "示例省交通厅综合办公系统"), ("示例市水务局", "水务局办公平台"), ("示例县教育局", "县教育局办公管理系统")],
    "档案": [("示例省交通厅", "档案管理系统"), ("示例市民政局", "民政局电子档案管理平台")],
    "固定资产": [("示例省交通厅", "固定资产管理系统"), ("示例市水务局", "固定资产管理信息平台"), ("示例市民政局", "固定资产台账系统")],
    "车辆": [("示例省交通厅", "公务车辆管理系统"), ("示例市民政局", "公务用车车辆管理平台")],
    "值班": [("示例市信访局", "值班排班系统"), ("示例市水务局", "值班排班管理系统")],
}  # fmt: skip
ALONE = [
    ("示例省交通厅", "公路养护管理系统"), ("示例省交通厅", "道路运输管理系统"), ("示例市水务局", "水资源监测系统"),
    ("示例市水务局", "防汛调度系统"), ("示例市民政局", "婚姻登记系统"), ("示例市民政局", "社会救助业务系统"),
    ("示例市民政局", "养老服务系统"), ("示例县教育局", "学籍管理系统"), ("示例县教育局", "招生录取系统"),
    ("示例市信访局", "信访件管理系统"), ("示例市信访局", "网上信访大厅"), ("示例省交通厅", "业务管理系统"), ("示例市民政局", "业务管理系统"),
    ("示例市民政局", "数据管理平台"), ("示例省交通厅", "交通视频汇聚系统"), ("示例县教育局", "校车轨迹监控系统"),
]  # fmt: skip


def estate() -> tuple[list[System], set[frozenset[str]]]:
    """Systems, and the pairs of ids that do the same."""
    systems, truth = [], set()
    for number, members in enumerate(KNOWN.values()):
        ids = []
        for department, name in members:
            ids.append(f"S-{number}-{len(ids)}")
            systems.append(System(system_id=ids[-1], name=name, department=department))
        truth |= {frozenset((a, b)) for a in ids for b in ids if a < b}
    systems += [System(system_id=f"A-{n:02}", name=name, department=d) for n, (d, name) in enumerate(ALONE)]
    return systems, truth


def pairs(found: tuple[Overlap, ...]) -> set[frozenset[str]]:
    return {
        frozenset((a, b)) for o in found if o.kind == "same_function" for a in o.system_ids for b in o.system_ids if a < b
    }  # fmt: skip


def test_on_an_estate_with_known_answers_what_is_told_is_right_and_most_is_found() -> None:
    systems, truth = estate()
    found = pairs(build_overlaps(Inventory(systems=tuple(systems)), CATALOG))
    precision, recall = len(found & truth) / len(found), len(found & truth) / len(truth)
    print(f"precision {precision:.2f}, recall {recall:.2f}")
    assert precision == 1.0, found - truth
    assert recall >= 0.8, truth - found


def test_names_lose_department_place_and_general_words_and_empty_ones_match_nothing() -> None:
    assert core("示例省交通厅综合办公系统", "示例省交通厅") == "办公"
    assert core("县教育局办公管理系统", "示例县教育局") == "办公"
    assert core("民政局电子档案管理平台 V2.0（二期）", "示例市民政局") == "档案"
    assert core("业务管理系统") == core("综合信息平台") == ""
    same = tuple(System(system_id=f"S-{n}", name="业务管理系统", department=d) for n, d in enumerate("甲乙丙"))
    assert build_overlaps(Inventory(systems=same), CATALOG) == ()


def test_a_candidate_names_its_words_and_what_else_is_common() -> None:
    def system(number: int, name: str, department: str, **facts: object) -> System:
        return System(
            system_id=f"S-{number}", name=name, department=department, builder="示例建设公司", scope_users="公众", scope_region="全省",
            **facts,  # type: ignore[arg-type]
        )  # fmt: skip

    inventory = Inventory(
        systems=(
            system(1, "企业信用查询系统", "甲厅", function="企业和个人信用记录的归集、查询和公示", servers=("V-1",)),
            system(2, "信用信息查询平台", "乙局", function="信用记录归集、查询、公示", servers=("V-1", "V-2")),
            System(system_id="S-3", name="防汛调度系统", department="乙局", function="雨情水情的采集和调度"),
        ),
        dependencies=tuple(
            Dependency(dependency_id=f"L-{n}", source_id=f"S-{n}", target_id="V-db", kind="database", measured=True) for n in (1, 2)
        ),
    )  # fmt: skip
    (found,) = build_overlaps(inventory)
    assert found.system_ids == ("S-1", "S-2") and found.departments == ("乙局", "甲厅")
    assert "信用查询" in found.words and found.score >= 60
    assert {what for what, _ in found.supports} == {"server", "database", "supplier", "users"}


def test_support_without_common_words_makes_no_candidate() -> None:
    """One company builds for everybody: that alone is no reason to merge."""
    systems = tuple(
        System(system_id=f"S-{n}", name=name, builder="示例建设公司", scope_users="公众", servers=("V-1",))
        for n, name in enumerate(["婚姻登记系统", "学籍管理系统", "防汛调度系统"])
    )
    assert build_overlaps(Inventory(systems=systems)) == ()


def test_a_chain_of_half_likenesses_makes_no_group() -> None:
    systems, _ = estate()
    for overlap in build_overlaps(Inventory(systems=tuple(systems))):
        assert overlap.score >= 60 and len(overlap.system_ids) <= 3


def test_systems_that_the_catalog_offers_in_common() -> None:
    names = {
        "S-1": "短信发送平台",
        "S-2": "统一身份认证系统",
        "S-3": "示例局门户网站",
        "S-4": "婚姻登记系统",
        "S-5": "电子地图服务系统",
    }
    systems = tuple(System(system_id=i, name=n, function="办结后发送短信提醒") for i, n in names.items())
    found = {
        o.system_ids[0]: o.offering
        for o in build_overlaps(Inventory(systems=systems), CATALOG)
        if o.kind == "public_service"
    }
    assert found == {"S-1": "P-SMS-01", "S-2": "P-ID-01", "S-3": "P-WEB-01", "S-5": "P-MAP-01"}


def test_classified_stopped_and_test_copies_are_left_out() -> None:
    base = System(system_id="S-0", name="固定资产管理系统")
    others = (
        System(system_id="S-1", name="固定资产管理系统", classified=True), System(system_id="S-2", name="固定资产管理系统", lifecycle="stopped"),
        System(system_id="S-3", name="固定资产管理系统", environment="test"), System(system_id="S-4", name="固定资产管理系统", disposition="retire"),
    )  # fmt: skip
    assert build_overlaps(Inventory(systems=(base, *others)), CATALOG) == ()


def test_the_order_of_systems_changes_nothing() -> None:
    systems, _ = estate()
    expected = build_overlaps(Inventory(systems=tuple(systems)), CATALOG)
    random.Random(7).shuffle(systems)  # noqa: S311
    assert build_overlaps(Inventory(systems=tuple(systems)), CATALOG) == expected


class TestDepartments:
    INVENTORY = Inventory(
        systems=(
            System(system_id="S-1", name="a", department="甲厅", office="业务处", lifecycle="operating", hosting="own_room", mlps_level=3, servers=("V-1", "V-2"), networks=("N-1",)),
            System(system_id="S-2", name="b", department="甲厅", office="业务处", lifecycle="idle", servers=("V-2",)),
            System(system_id="S-3", name="c", department="甲厅", hosting="gov_cloud"),
            System(system_id="S-4", name="d", department="乙局", servers=("V-2", "V-gone")),
        ),
        servers=(
            Server(server_id="V-1", name="x", department="甲厅"), Server(server_id="V-2", name="y"),
            Server(server_id="V-3", name="z", department="甲厅", declared=False), Server(server_id="V-4", name="w", declared=False),
        ),
        networks=(Network(network_id="N-1", name="专网", kind="dedicated", department="乙局"),),
        conflicts=(
            Conflict(subject_kind="system", subject_id="S-1", field="users", chosen=1, observations=()),
            Conflict(subject_kind="server", subject_id="V-2", field="cpu_count", chosen=1, observations=()),
        ),
    )  # fmt: skip

    def test_departments_then_their_offices_and_what_nobody_claims_last(self) -> None:
        rows = build_departments(self.INVENTORY, {"S-2": "zombie", "S-3": "undetermined"}, {"S-1": 80.0, "S-2": 40.0})
        assert [(r.department, r.office, r.systems) for r in rows] == [
            ("乙局", None, 1), ("甲厅", None, 3), ("甲厅", "业务处", 2), ("甲厅", "", 1), (None, None, 0),
        ]  # fmt: skip
        _, whole, office, rest, nobody = rows
        assert (whole.servers, whole.undeclared, whole.zombies, whole.zombies_open, whole.conflicts) == (3, 1, 1, 1, 2)
        assert (office.servers, office.undeclared, office.networks, office.dedicated_networks) == (2, 0, 1, 1)
        assert whole.states == {"idle": 1, "operating": 1, "unknown": 1} and whole.mlps == {"3": 1, "unknown": 2}
        assert (whole.confidence_pct, rest.confidence_pct) == (60.0, None)
        assert (nobody.servers, nobody.undeclared) == (2, 1)

    def test_systems_of_a_department_are_the_sum_of_its_offices(self) -> None:
        rows = build_departments(self.INVENTORY, {})
        assert sum(r.systems for r in rows if r.office is None) == len(self.INVENTORY.systems)
        assert sum(r.systems for r in rows if r.office is not None) == 3
