"""What a system is planned with: what is unknown is assumed and said, what people measured or agreed wins."""

from __future__ import annotations

from estates import needs, problem, system

from govcloud.model.server import Server
from govcloud.model.text import same

POOLS = {"x86": {"vcpus": 100}, "信创": {"vcpus": 100, "domestic": True}}


def test_a_bought_service_needs_no_final_sync_and_a_retirement_no_window() -> None:
    links = [needs("C", s) for s in "AB"]
    made = problem(
        [system("A", disposition="replace", data_gib=9000.0), system("B", disposition="retire"), system("C")], links
    )
    assert [(t.cutover_min, t.reserve_min) for t in made.tasks][:2] == [(45, 25), (0, 0)]


def test_unknown_inputs_are_assumed_and_each_of_them_is_named() -> None:
    (task,) = problem([system("A", data_gib=None, criticality=None, mlps_level=None, hosting=None)]).tasks
    assert task.data_mib == 100 * 1024
    assert set(task.assumed) == {"data_gib", "criticality", "mlps_level", "hosting", "cpu_count", "memory_gib"}


def test_sizes_add_up_over_all_servers_of_a_system_and_a_shared_server_counts_once() -> None:
    servers = (
        Server(server_id="s1", name="one", cpu_count=8, memory_gib=32.0, disk_gib=500.0),
        Server(server_id="s2", name="two", cpu_count=4), Server(server_id="s3", name="three", cpu_count=3, memory_gib=8.0),
    )  # fmt: skip
    made = problem([system("A", servers=("s1", "s2", "s3")), system("B", servers=("s3",))], servers=servers)
    first, second = made.tasks
    assert (first.vcpus, first.memory_mib, first.disk_mib) == (14, 52 * 1024, 500 * 1024)
    assert "memory_gib" in first.assumed and "cpu_count" not in first.assumed
    assert (second.vcpus, second.memory_mib, second.disk_mib) == (2, 4 * 1024, 10 * 1024)


def test_confidence_dates_and_connections_are_carried_over() -> None:
    targets = {"A": {"not_before_on": "2026-12-01", "due_on": "2027-03-31"}}
    made = problem(map(system, "AB"), [needs("A", "B")], targets=targets, given={"confidence": {"A": 55}})
    task = made.tasks[0]
    assert (task.confidence, str(task.not_before_on), task.not_after_on, str(task.due_on)) == (
        55,
        "2026-12-01",
        None,
        "2027-03-31",
    )
    assert [t.dependencies for t in made.tasks] == [1, 1] and made.tasks[1].confidence is None


class TestDomesticPlatform:
    """信创: what runs on domestic technology stays on it; what doesn't is adapted before it goes there."""

    def made(self, *servers: Server, **rules: object) -> object:
        systems = [system("A", servers=tuple(s.server_id for s in servers))]
        return problem(systems, servers=servers, capacity={"pools": POOLS}, **rules).tasks[0]

    def test_its_own_data_say_which_pool(self) -> None:
        kylin, centos = (Server(server_id="s", name="s", os_name=n, arch="x86_64") for n in ("Kylin Linux", "CentOS"))
        assert [(t.pool, t.adapts) for t in (self.made(kylin), self.made(centos))] == [("信创", ()), ("x86", ())]  # type: ignore[attr-defined]

    def test_people_say_otherwise_and_adaptation_follows(self) -> None:
        centos = Server(server_id="s", name="s", os_name="CentOS", arch="x86_64")
        task = self.made(centos, system_pools={"A": "信创"})
        assert task.pool == "信创" and "adapt it first" in task.adapts[0].en  # type: ignore[attr-defined]

    def test_an_unknown_platform_is_taken_to_need_adaptation(self) -> None:
        task = self.made(system_pools={"A": "信创"})
        assert "arch" in task.assumed and "现环境不明" in task.adapts[0].zh  # type: ignore[attr-defined]

    def test_every_reason_is_told(self) -> None:
        made = problem(
            [system("A", disposition="refactor")], adapt={"A": "示例：控件只支持旧浏览器"}, given={"adapts": {"A": [same("Oracle")]}}
        )  # fmt: skip
        assert [r.zh for r in made.tasks[0].adapts] == ["Oracle", "示例：控件只支持旧浏览器", "已定为改造后迁移"]
