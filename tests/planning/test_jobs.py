"""The work around a cutover: each path has its jobs, their lengths are settings, and they take what is scarce."""

from __future__ import annotations

from datetime import date

import pytest
from estates import jobs_of, problem, strong, system

from govcloud.execution.steps import site_steps
from govcloud.model.inventory import Network
from govcloud.model.plan_problem import PlanProblem
from govcloud.model.server import Server


def road(made: PlanProblem, subject_id: str) -> list[tuple[str, list[str]]]:
    jobs = jobs_of(made, subject_id)
    return [(kind, [a.removeprefix(f"{subject_id}/") for a in job.after]) for kind, job in jobs.items()]


def test_the_road_of_a_system_that_moves() -> None:
    made = problem([system("A", mlps_level=3, disposition="replatform")])
    assert road(made, "A") == [
        ("adapt", []), ("provision", ["adapt"]), ("replicate", ["provision"]), ("rehearse", ["replicate"]),
        ("cutover", ["rehearse"]), ("trial", ["cutover"]), ("refile", ["cutover"]), ("accept", ["trial", "refile"]),
        ("takeover", ["accept"]), ("retention", ["accept"]), ("switch_off", ["retention"]),
    ]  # fmt: skip
    jobs = jobs_of(made, "A")
    assert {k: j.calendar for k, j in jobs.items()} == {
        **dict.fromkeys(jobs, "working"), "replicate": "daily", "trial": "daily", "retention": "daily", "cutover": "window",
    }  # fmt: skip
    assert (jobs["trial"].length, jobs["cutover"].length) == (30, 80)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"disposition": "consolidate"}, ["replicate", "cutover", "trial", "accept", "switch_off"]),
        ({"disposition": "replace"}, ["replicate", "cutover", "retention", "switch_off"]),
        ({"disposition": "retire"}, ["notice", "archive", "switch_off"]),
        ({"disposition": "rehost", "mlps_level": 1}, ["provision", "replicate", "rehearse", "cutover", "trial", "accept", "takeover", "retention", "switch_off"]),
        ({"mlps_level": 1, "data_gib": 0.0}, ["provision", "rehearse", "cutover", "trial", "accept", "takeover", "retention", "switch_off"]),
    ],
)  # fmt: skip
def test_other_paths_are_shorter(fields: dict[str, object], expected: list[str]) -> None:
    made = problem([system("A", **fields)])
    assert list(jobs_of(made, "A")) == expected
    assert made.tasks[0].path == made.groups[0].path


def test_work_of_no_length_is_left_out_and_its_followers_wait_for_what_it_waited_for() -> None:
    made = problem([system("A", mlps_level=1)], activities={"rehearse_days": 0, "accept_days": 0, "trial_days": 0})
    assert dict(road(made, "A"))["cutover"] == ["replicate"]
    assert dict(road(made, "A"))["takeover"] == ["cutover"]


def test_an_unknown_mlps_level_may_need_a_filing_and_level_one_needs_none() -> None:
    assert "refile" in jobs_of(problem([system("A", mlps_level=None)]), "A")
    assert "refile" not in jobs_of(problem([system("A", mlps_level=1)]), "A")


def test_members_are_worked_on_side_by_side_while_their_data_and_cutovers_add_up() -> None:
    made = problem(
        [system("A", data_gib=1000.0, mlps_level=1), system("B", data_gib=2000.0, mlps_level=3)], [strong("A", "B")],
        windows=[{"minutes": 600}], lengths={"A": {"provision": 9}},
        given={"steps": site_steps({s: {"minutes_per_gib": 0.01} for s in ("final_sync", "verify_data")})},
        capacity={"link_mbps": 100, "link_use_pct": 50, "replication_hours": 35}, activities={"stream_mbps": 200},
    )  # fmt: skip
    jobs = jobs_of(made, "A")
    assert jobs["provision"].length == 9 and jobs["refile"].length == 10
    assert jobs["cutover"].length == sum(t.cutover_min + t.reserve_min for t in made.tasks)
    # 3000 GiB at 50 Mbit/s, 5 hours a day: 25.8e12 bits / 0.9e12 a day
    assert jobs["replicate"].length == 29
    assert jobs["replicate"].demands == (("link:main", 50),)


def test_a_copy_is_as_fast_as_one_stream_where_the_link_has_more_and_what_was_measured_wins() -> None:
    capacity = {"link_mbps": 1000, "replication_hours": 168}
    made = problem([system("A", data_gib=2000.0)], capacity=capacity)
    assert (jobs_of(made, "A")["replicate"].length, jobs_of(made, "A")["replicate"].demands) == (
        1,
        (("link:main", 200),),
    )
    made = problem([system("A", data_gib=2000.0)], capacity=capacity, lengths={"A": {"replicate": 6}})
    assert jobs_of(made, "A")["replicate"].length == 6


def test_zones_with_a_link_of_their_own_use_it_and_the_others_share_one() -> None:
    servers = [Server(server_id=f"s{n}", name=f"s{n}", zone=z) for n, z in enumerate(("east", "west", None))]
    made = problem(
        [system("A", servers=("s0",)), system("B", servers=("s1",)), system("C", servers=("s2",))], servers=servers,
        capacity={"links": {"east": 100}, "link_mbps": 1000, "link_use_pct": 100},
    )  # fmt: skip
    assert [jobs_of(made, s)["replicate"].demands for s in "ABC"] == [
        (("link:east", 100),), (("link:main", 200),), (("link:main", 200),),
    ]  # fmt: skip
    assert [t.zone for t in made.tasks] == ["east", "west", None] and "zone" in made.tasks[2].assumed


def test_quotas_are_taken_when_resources_are_opened() -> None:
    pools = {
        "main": {
            "vcpus": 64,
            "memory_gib": 256,
            "monthly": {"vcpus": 16},
            "changes": [{"starts_on": "2027-02-01", "vcpus": 128}],
        }
    }
    made = problem([system("A")], capacity={"pools": pools})
    assert jobs_of(made, "A")["provision"].demands == (
        ("pool:main:memory_gib", 16), ("pool:main:vcpus", 4), ("pool:main:vcpus:month", 4),
    )  # fmt: skip
    resources = {r.resource_id: r for r in made.resources}
    assert resources["pool:main:vcpus"].scope == "total"
    assert resources["pool:main:vcpus"].changes == ((date(2027, 2, 1), 128),)
    assert (resources["pool:main:vcpus:month"].scope, resources["pool:main:vcpus:month"].amount) == ("per_month", 16)
    assert resources["pool:main:memory_gib"].unit.en == "GiB" and not resources["pool:main:memory_gib"].changes


def test_the_flat_quotas_of_before_are_the_pool_main() -> None:
    made = problem([system("A")], capacity={"vcpus": 10, "disk_gib": 500})
    assert [(r.resource_id, r.amount) for r in made.resources] == [("pool:main:vcpus", 10), ("pool:main:disk_gib", 500)]
    assert made.tasks[0].pool == "main"
    changed = {
        "vcpus": 10,
        "disk_gib": 500,
        "pools": {"main": {"vcpus": 12}},
    }  # as plan build --set capacity.pools.main.vcpus=12 leaves them
    made = problem([system("A")], capacity=changed)
    assert [(r.resource_id, r.amount) for r in made.resources] == [("pool:main:vcpus", 12), ("pool:main:disk_gib", 500)]


def test_windows_count_systems_departments_and_parallel_work() -> None:
    made = problem(
        [system("A", department="示例甲局"), system("B", department="示例甲局"), system("C", department="示例乙局")],
        capacity={"systems_per_window": 4, "systems_per_department": 1, "parallel": {"cutover": 2, "adapt": 3}},
    )  # fmt: skip
    assert [(r.resource_id, r.scope, r.amount) for r in made.resources] == [
        ("parallel:adapt", "at_once", 3), ("parallel:cutover", "at_once", 2), ("systems", "per_window", 4),
        ("department:示例甲局", "per_window", 1),  # 示例乙局 has one system: it can't have two in a window
    ]  # fmt: skip
    assert jobs_of(made, "A")["cutover"].demands == (
        ("parallel:cutover", 1),
        ("systems", 1),
        ("department:示例甲局", 1),
    )
    assert jobs_of(made, "C")["cutover"].demands == (("parallel:cutover", 1), ("systems", 1))


def test_crews_hold_cutovers_and_what_else_the_office_says() -> None:
    made = problem([system("A")], skills={"A": ["oracle"]}, activities={"with_crew": ["cutover", "rehearse"]})
    assert {k: j.crew_skills for k, j in jobs_of(made, "A").items() if j.crew_skills is not None} == {
        "rehearse": ("oracle",), "cutover": ("oracle",),
    }  # fmt: skip


def test_three_crews_for_a_trial_are_like_the_last_of_the_list() -> None:
    crews = [{"name": "一组"}, {"name": "二组", "skills": ["oracle"]}]
    assert [c.name for c in problem([], crews=crews, capacity={"crews": 1}).crews] == ["一组"]
    made = problem([], crews=crews, capacity={"crews": 4})
    assert [(c.name, c.skills) for c in made.crews][2:] == [("第3组", ("oracle",)), ("第4组", ("oracle",))]


def test_a_merged_system_waits_until_the_other_one_is_on_the_cloud() -> None:
    """Else its data would move into a system that is about to move itself."""
    made = problem([system("A", disposition="consolidate", replaced_by="示例Z"), system("Z")])
    assert jobs_of(made, "A")["replicate"].after == ("Z/cutover",)
    seen: set[str] = set()
    for job in made.jobs:
        assert seen.issuperset(job.after), "a job stands after those that it waits for"
        seen.add(job.job_id)


class TestNetworks:
    def test_a_dedicated_network_closes_after_the_last_of_its_systems(self) -> None:
        """Found by what the system says, what the network says and where the servers are."""
        made = problem(
            [system("A", networks=("N1",)), system("B"), system("C", servers=("s1",), disposition="retire")],
            servers=[Server(server_id="s1", name="s1")],
            networks=[Network(network_id="N1", name="示例专网", kind="dedicated", systems=("B",), servers=("s1",), target_on=date(2027, 6, 30))],
        )  # fmt: skip
        (network,) = made.retirements
        assert (network.group_ids, network.staying, network.due_on) == (("A", "B", "C"), (), date(2027, 6, 30))
        assert jobs_of(made, "N1")["close"].after == ("A/trial", "B/trial", "C/switch_off")
        assert [t.networks for t in made.tasks] == [("N1",)] * 3

    def test_it_stays_while_a_system_on_it_stays(self) -> None:
        made = problem(
            [system("A", networks=("示例专网",)), system("B", networks=("N1",), classified=True)],
            networks=[Network(network_id="N1", name="示例专网", kind="dedicated")],
        )  # fmt: skip
        assert made.retirements[0].staying == ("B",) and not jobs_of(made, "N1")

    def test_systems_on_the_cloud_already_do_not_hold_it(self) -> None:
        made = problem(
            [system("A", networks=("N1",)), system("B", networks=("N1",), hosting="gov_cloud")],
            networks=[Network(network_id="N1", name="示例专网", kind="dedicated")],
        )  # fmt: skip
        assert made.retirements[0].staying == () and jobs_of(made, "N1")["close"].length == 10

    @pytest.mark.parametrize("fields", [{"kind": "extranet"}, {"closed_on": date(2026, 1, 1)}, {"target": "keep"}])
    def test_others_are_no_matter_of_the_plan(self, fields: dict[str, object]) -> None:
        network = Network(**{"network_id": "N1", "name": "示例网", "kind": "dedicated"} | fields)  # type: ignore[arg-type]
        assert problem([system("A", networks=("N1",))], networks=[network]).retirements == ()

    def test_one_without_known_systems_is_not_closed_by_silence(self) -> None:
        made = problem([system("A")], networks=[Network(network_id="N1", name="示例专网", kind="dedicated")])
        assert not made.retirements
        assert any("No system is known on the dedicated network 示例专网" in n.en for n in made.notes)
