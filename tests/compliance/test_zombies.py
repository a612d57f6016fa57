"""The five criteria of SX17-2.1b: no verdict without evidence, both sides where paper and machine disagree, and what is
missing to decide. A wrong "zombie" shuts down a system that people need.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud import resources
from govcloud.compliance.load import load_packs
from govcloud.compliance.zombies import build_zombies, parse_zombie_rules
from govcloud.errors import InputError
from govcloud.model.condition import Compare
from govcloud.model.inventory import Inventory, System
from govcloud.model.observation import Observation
from govcloud.model.server import Server
from govcloud.model.zombie import CRITERIA, Criterion, CriterionVerdict, ServerUse, ZombieRules, ZombieVerdict
from govcloud.safe_yaml import load_yaml

TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def judge(
    *servers: Server, rules: ZombieRules | None = None, use: tuple[ServerUse, ...] = (), others: tuple[System, ...] = (), **facts: object
) -> ZombieVerdict:  # fmt: skip
    system = System(
        system_id="S-1", name="示例系统", classified=facts.pop("classified", False),  # type: ignore[arg-type]
        servers=tuple(s.server_id for s in servers), **facts,  # type: ignore[arg-type]
    )  # fmt: skip
    inventory = Inventory(systems=(system, *others), servers=servers)
    return build_zombies(inventory, rules or ZombieRules(), {u.server_id: u for u in use}, TODAY)[0]


def part(verdict: ZombieVerdict, criterion: Criterion) -> CriterionVerdict:
    return next(c for c in verdict.criteria if c.criterion == criterion)


def used(server_id: str, *, samples: int = 40, days: int = 120, called_days_ago: int | None = None) -> ServerUse:
    last = None if called_days_ago is None else NOON - timedelta(days=called_days_ago)
    return ServerUse(
        server_id=server_id, samples=samples, first_at=NOON - timedelta(days=days), last_at=NOON, callers=0 if last is None else 3,
        last_called_at=last, services=1,
    )  # fmt: skip


def loaded(server_id: str, cpu_p95_pct: float, days: float = 31, **more: object) -> Server:
    return Server(
        server_id=server_id, name=server_id, cpu_p95_pct=cpu_p95_pct, utilisation_days=days, **more  # type: ignore[arg-type]
    )  # fmt: skip


class TestEvidence:
    def test_of_an_empty_record_nothing_is_said_and_everything_is_asked_for(self) -> None:
        found = judge()
        assert found.state == "undetermined"
        assert [c.verdict for c in found.criteria] == ["undetermined"] * 5
        assert part(found, "little_used").missing == ("narrow_use", "users", "rare_use", "visits_per_year")
        assert part(found, "updates_stopped").missing == ("updates_stopped", "last_changed_on")
        assert found.next_step is not None

    def test_a_tick_is_declared_evidence_with_its_place_and_time(self) -> None:
        told = Observation(
            subject_kind="system", subject_id="S-1", field="replaceable", value=True, source="workbook", locator="普查表.xlsx!系统!X3",
            observed_at=NOON,
        )  # fmt: skip
        system = System(system_id="S-1", name="a", classified=False, replaceable=True, replaced_by="统一平台")
        (found,) = build_zombies(
            Inventory(systems=(system,), evidence={"S-1": {"replaceable": told}}), ZombieRules(), {}, TODAY
        )
        tick = part(found, "replaceable").evidence[0]
        assert (tick.basis, tick.says, tick.locator, tick.observed_at) == (
            "declared",
            "met",
            "普查表.xlsx!系统!X3",
            NOON,
        )
        assert found.state == "zombie" and found.next_step is not None and "统一平台" in found.next_step.zh

    def test_where_tick_and_figures_differ_both_are_shown_and_neither_wins(self) -> None:
        found = judge(loaded("V-1", 55.0), resources_idle=True)
        idle = part(found, "resources_idle")
        assert (idle.verdict, idle.disputed) == ("undetermined", True)
        assert {(e.basis, e.says) for e in idle.evidence} == {("declared", "met"), ("measured", "not_met")}
        assert found.disputed and found.next_step is not None and "核实" in found.next_step.zh

    def test_the_departments_word_for_the_whole_system(self) -> None:
        """Its own yes is evidence enough; its no does not silence the figures, it makes them a dispute."""
        assert judge(zombie_declared=True).state == "zombie"
        denied = judge(zombie_declared=False, users=3, visits_per_year=5)
        assert (denied.state, denied.disputed) == ("zombie", True)


class TestIdle:
    def test_every_server_has_to_be_idle_for_long_enough(self) -> None:
        assert part(judge(loaded("V-1", 5), loaded("V-2", 19.9)), "resources_idle").verdict == "met"
        assert part(judge(loaded("V-1", 5), loaded("V-2", 20)), "resources_idle").verdict == "not_met"
        short = part(judge(loaded("V-1", 5, days=29)), "resources_idle")
        assert (short.verdict, short.missing) == ("undetermined", ("resources_idle", "V-1.utilisation_days"))

    def test_a_server_that_nobody_measured_leaves_it_open_and_is_named(self) -> None:
        found = part(judge(loaded("V-1", 5), Server(server_id="V-2", name="b")), "resources_idle")
        assert found.verdict == "undetermined"
        assert "V-2.cpu_p95_pct" in found.missing

    def test_memory_counts_only_where_the_office_wants_it(self) -> None:
        rules = ZombieRules(idle_memory_p95_pct=30)
        assert part(judge(loaded("V-1", 5, memory_p95_pct=80.0)), "resources_idle").verdict == "met"
        assert part(judge(loaded("V-1", 5, memory_p95_pct=80.0), rules=rules), "resources_idle").verdict == "not_met"
        assert part(judge(loaded("V-1", 5), rules=rules), "resources_idle").verdict == "undetermined"

    def test_a_machine_that_is_off_is_idle(self) -> None:
        assert part(judge(Server(server_id="V-1", name="a", power="off")), "resources_idle").verdict == "met"

    def test_a_busy_machine_that_several_systems_share_says_nothing_of_one_of_them(self) -> None:
        other = System(system_id="S-2", name="b", servers=("V-1",))
        assert part(judge(loaded("V-1", 70), others=(other,)), "resources_idle").verdict == "undetermined"
        assert part(judge(loaded("V-1", 7), others=(other,)), "resources_idle").verdict == "met"


class TestDetached:
    SERVER = Server(server_id="V-1", name="a", seen=True)

    def test_callers_speak_against_it_and_long_watched_silence_for_it(self) -> None:
        assert part(judge(self.SERVER, use=(used("V-1", called_days_ago=10),)), "detached").verdict == "not_met"
        assert part(judge(self.SERVER, use=(used("V-1", called_days_ago=100),)), "detached").verdict == "met"
        assert part(judge(self.SERVER, use=(used("V-1"),)), "detached").verdict == "met"

    @pytest.mark.parametrize(("samples", "days"), [(29, 120), (40, 89)])
    def test_a_few_looks_are_no_silence(self, samples: int, days: int) -> None:
        found = part(judge(self.SERVER, use=(used("V-1", samples=samples, days=days),)), "detached")
        assert found.verdict == "undetermined" and "V-1.connections" in found.missing

    def test_one_silent_machine_among_two_says_nothing(self) -> None:
        two = (self.SERVER, Server(server_id="V-2", name="b", seen=True))
        assert part(judge(*two, use=(used("V-1"),)), "detached").verdict == "undetermined"
        busy = part(judge(*two, use=(used("V-1"), used("V-2", called_days_ago=1))), "detached")
        assert (busy.verdict, busy.disputed) == ("not_met", False)


class TestStopped:
    def test_the_last_change_decides_and_maintenance_only_without_it(self) -> None:
        old, new = date(2022, 1, 1), date(2026, 1, 1)
        assert part(judge(last_changed_on=old), "updates_stopped").verdict == "met"
        assert part(judge(last_changed_on=new, maintenance_ends_on=old), "updates_stopped").verdict == "not_met"
        assert part(judge(maintenance_ends_on=old), "updates_stopped").verdict == "met"
        assert part(judge(maintenance_ends_on=new), "updates_stopped").verdict == "undetermined"


class TestLittleUsed:
    def test_the_clause_joins_small_scope_and_low_frequency(self) -> None:
        assert part(judge(users=49, visits_per_year=99), "little_used").verdict == "met"
        assert part(judge(users=49, visits_per_year=100), "little_used").verdict == "not_met"
        assert part(judge(users=49), "little_used").verdict == "undetermined"
        assert part(judge(users=50), "little_used").verdict == "not_met"

    def test_a_form_that_ticks_them_apart_can_be_followed(self) -> None:
        either = ZombieRules(scope_and_frequency="any")
        assert part(judge(users=49, visits_per_year=100, rules=either), "little_used").verdict == "met"

    def test_people_who_came_say_more_than_accounts(self) -> None:
        assert part(judge(users=900, monthly_users=3, visits_per_year=40), "little_used").verdict == "met"
        assert part(judge(users=900, monthly_users=80, visits_per_year=40), "little_used").verdict == "not_met"

    def test_ticks_decide_where_there_are_no_figures_and_are_doubted_by_them(self) -> None:
        assert part(judge(narrow_use=True, rare_use=True), "little_used").verdict == "met"
        assert part(judge(narrow_use=True, rare_use=True, users=5000, visits_per_year=3), "little_used").disputed


class TestOverall:
    def test_how_many_criteria_make_a_zombie_is_the_offices_choice(self) -> None:
        def state(combine: object) -> str:
            rules = parse_zombie_rules({"combine": combine})
            return judge(
                users=3, visits_per_year=3, detached_from_process=False, replaceable=False, resources_idle=False,
                last_changed_on=date(2020, 1, 1), rules=rules,
            ).state  # fmt: skip

        assert [state(c) for c in ("any", 2, 3, "all")] == ["zombie", "zombie", "not_zombie", "not_zombie"]

    def test_all_criteria_refuted_is_no_zombie(self) -> None:
        found = judge(
            users=300, visits_per_year=9000, detached_from_process=False, replaceable=False, resources_idle=False,
            updates_stopped=False,
        )  # fmt: skip
        assert (found.state, found.next_step) == ("not_zombie", None)

    def test_classified_and_unfinished_systems_are_shown_but_not_judged(self) -> None:
        for facts in ({"classified": True}, {"lifecycle": "building"}, {"lifecycle": "stopped"}):
            found = judge(users=1, visits_per_year=1, **facts)  # type: ignore[arg-type]
            assert found.state == "not_judged" and not found.criteria and found.why_not_judged is not None

    def test_the_next_step_knows_a_reason_to_stay_and_a_date_that_has_passed(self) -> None:
        stays = judge(users=1, visits_per_year=1, deferral_reason="档案保管期未满").next_step
        late = judge(users=1, visits_per_year=1, cleanup_on=date(2026, 1, 31)).next_step
        assert stays is not None and "档案保管期未满" in stays.zh
        assert late is not None and "2026-01-31" in late.en


facts = st.fixed_dictionaries({}, optional={
    **dict.fromkeys(("detached_from_process", "replaceable", "resources_idle", "updates_stopped", "narrow_use", "rare_use", "zombie_declared"), st.booleans()),
    **dict.fromkeys(("users", "monthly_users", "visits_per_year"), st.integers(0, 500)),
    "lifecycle": st.sampled_from(["operating", "idle", "trial"]),
    "last_changed_on": st.dates(date(2015, 1, 1), TODAY),
})  # fmt: skip


@given(facts, st.sampled_from(["any", "all", 2]))
def test_there_is_never_a_verdict_without_evidence_and_never_an_open_question_without_a_name(
    known: dict[str, object], combine: object
) -> None:
    found = judge(rules=parse_zombie_rules({"combine": combine}), **known)
    for criterion in found.criteria:
        deciding = {e.says for e in criterion.evidence} - {"undetermined"}
        if criterion.verdict == "undetermined":
            assert criterion.missing or criterion.disputed
        else:
            assert criterion.verdict in deciding
    if found.state == "zombie":
        assert found.met or found.declared is not None


class TestSettings:
    @pytest.mark.parametrize(
        "section",
        [
            {"idle_cpu_pct": 20}, {"combine": "some"}, {"combine": 6}, {"idle_cpu_p95_pct": 0}, {"few_users": -1},
            {"few_users": "fifty"}, {"silent_samples": 0}, {"scope_and_frequency": "and"},
        ],
    )  # fmt: skip
    def test_what_can_not_be_meant_is_refused_by_name(self, section: dict[str, object]) -> None:
        with pytest.raises(InputError) as refused:
            parse_zombie_rules(section)
        assert "zombies" in str(refused.value)

    def test_a_misspelt_key_is_named_with_those_that_exist(self) -> None:
        with pytest.raises(InputError, match=r"zombies\.idle_cpu_pct.*idle_cpu_p95_pct"):
            parse_zombie_rules({"idle_cpu_pct": 20})

    def test_the_sites_write_out_the_defaults_that_the_rule_pack_uses(self) -> None:
        """Two numbers for one thing would let `check estate` and `inventory zombies` contradict each other."""
        for path in (resources.folder("inventory") / "sites").glob("*.yaml"):
            section = load_yaml(path)["zombies"]
            assert parse_zombie_rules(section) == ZombieRules()
            assert set(section) == {f.name for f in fields(ZombieRules)}
        pack = load_packs(resources.folder("regulations"), ["SX17"])[0]
        tested = {r.must.field for r in pack.rules if isinstance(r.must, Compare) and r.topic == "zombie"}
        assert tested == {f"zombie_{criterion}" for criterion in CRITERIA}, "the flags, and no numbers of their own"
