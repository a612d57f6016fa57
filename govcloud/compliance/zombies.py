"""Which systems are zombies by the five criteria of the 2017 plan (SX17-2.1b), with the evidence for every answer. Pure.

The department's own ticks are declared evidence, figures and events are measured evidence. Where the two contradict
each other there is no verdict, and neither where there is no evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from govcloud.compliance.site_section import parse_section
from govcloud.model.inventory import Inventory, System
from govcloud.model.observation import Observation
from govcloud.model.server import Server
from govcloud.model.text import Text
from govcloud.model.zombie import (
    CRITERIA,
    Answer,
    Basis,
    Criterion,
    CriterionVerdict,
    ServerUse,
    ZombieEvidence,
    ZombieRules,
    ZombieState,
    ZombieVerdict,
)


def parse_zombie_rules(section: Mapping[str, object], where: str = "govcloud.yaml") -> ZombieRules:
    """The `zombies:` section. Raises InputError for unknown keys, wrong types and values that can't be meant."""
    return parse_section("zombies", section, ZombieRules, _impossible, where)


def _impossible(rules: ZombieRules) -> Iterator[Text]:
    if isinstance(rules.combine, int) and not 1 <= rules.combine <= len(CRITERIA):
        yield Text("combine 应为 any、all 或 1 到 5", "combine must be any, all or 1 to 5")
    for name in ("idle_cpu_p95_pct", "idle_memory_p95_pct"):
        value = getattr(rules, name)
        if value is not None and not 0 < value <= 100:
            yield Text("{name} 应在 0 到 100 之间", "{name} must be between 0 and 100").format(name=name)
    for name in ("silent_days", "silent_samples", "idle_days", "update_days", "maintenance_lapsed_days"):
        if getattr(rules, name) < 1:
            yield Text("{name} 至少为 1", "{name} must be at least 1").format(name=name)
    for name in ("few_users", "few_monthly_users", "few_visits_per_year"):
        if getattr(rules, name) < 0:
            yield Text("{name} 不能为负", "{name} can't be negative").format(name=name)


def build_zombies(
    inventory: Inventory, rules: ZombieRules, use: Mapping[str, ServerUse], as_of: date
) -> tuple[ZombieVerdict, ...]:
    """A verdict for every system, in the inventory's order. `use`: server id -> who was seen using it."""
    judge = _Judge(inventory, rules, use, as_of)
    return tuple(judge.system(system) for system in inventory.systems)


class _Judge:
    def __init__(self, inventory: Inventory, rules: ZombieRules, use: Mapping[str, ServerUse], as_of: date) -> None:
        self.inventory, self.rules, self.use, self.as_of = inventory, rules, use, as_of
        self.servers = {s.server_id: s for s in inventory.servers}
        self.shared = _shared(inventory.systems)
        self._witnesses: dict[str, Mapping[str, Observation]] = {}

    def system(self, system: System) -> ZombieVerdict:
        why = _why_not_judged(system)
        if why is not None:
            return _verdict(system, "not_judged", why_not_judged=why)
        parts: Mapping[Criterion, Callable[[System], CriterionVerdict]] = {
            "detached": self._detached, "replaceable": self._replaceable, "resources_idle": self._idle,
            "updates_stopped": self._stopped, "little_used": self._little_used,
        }  # fmt: skip
        criteria = tuple(parts[criterion](system) for criterion in CRITERIA)
        declared = None
        if system.zombie_declared is not None:
            says: Answer = "met" if system.zombie_declared else "not_met"
            declared = self._fact(system.system_id, "zombie_declared", system.zombie_declared, "declared", says)
        state = _state(criteria, self.rules.combine, system.zombie_declared)
        found = _verdict(system, state, criteria=criteria, declared=declared)
        return _verdict(system, state, criteria, declared, next_step=_next_step(system, found, self.as_of))

    def _detached(self, system: System) -> CriterionVerdict:
        evidence, missing = self._ticked(system, "detached_from_process")
        servers, unknown = self._servers_of(system)
        called = []
        silent = bool(servers) and not unknown
        for server in servers:
            use = self.use.get(server.server_id)
            says = self._silence(use)
            if says == "undetermined":
                missing.append(f"{server.server_id}.connections")
            if says == "not_met" and server.server_id in self.shared:
                # Whoever calls a machine that several systems share need not call this one.
                says = "undetermined"
            silent = silent and says == "met"
            if use is not None and use.samples:
                called.append(self._use_fact(use, says))
        # One silent machine among several says nothing of the system.
        evidence += [_open(e) if e.says == "met" and not silent else e for e in called]
        return _criterion("detached", evidence, missing)

    def _silence(self, use: ServerUse | None) -> Answer:
        if use is None or use.first_at is None or use.last_at is None:
            return "undetermined"
        since = self.as_of - timedelta(days=self.rules.silent_days)
        if use.last_called_at is not None and use.last_called_at.date() >= since:
            return "not_met"
        watched = (use.last_at - use.first_at).days >= self.rules.silent_days
        recent = use.last_at.date() >= since
        return "met" if watched and recent and use.samples >= self.rules.silent_samples else "undetermined"

    def _use_fact(self, use: ServerUse, says: Answer) -> ZombieEvidence:
        return ZombieEvidence(
            subject_id=use.server_id, field="connections", value=use.callers, basis="measured", says=says, source="ssh",
            locator=use.place, observed_at=use.last_called_at or use.last_at,
            threshold=Text(
                "{n} 次采样；须 {d} 天、{m} 次采样无人访问", "{n} samples; it takes {d} days and {m} samples without a caller"
            ).format(n=use.samples, d=self.rules.silent_days, m=self.rules.silent_samples),
        )  # fmt: skip

    def _replaceable(self, system: System) -> CriterionVerdict:
        evidence, missing = self._ticked(system, "replaceable")
        if system.replaced_by:
            evidence.append(self._fact(system.system_id, "replaced_by", system.replaced_by, "declared", "met"))
        if system.disposition in ("replace", "consolidate"):
            evidence.append(self._fact(system.system_id, "disposition", system.disposition, "declared", "met"))
        return _criterion("replaceable", evidence, missing)

    def _idle(self, system: System) -> CriterionVerdict:
        evidence, missing = self._ticked(system, "resources_idle")
        if system.lifecycle == "idle":
            evidence.append(self._fact(system.system_id, "lifecycle", "idle", "declared", "met"))
        servers, unknown = self._servers_of(system)
        missing += [f"{server_id}.cpu_p95_pct" for server_id in unknown]
        if not servers and not unknown:
            missing.append("servers")
        facts: list[ZombieEvidence] = []
        idle = bool(servers) and not unknown
        for server in servers:
            said, lacking = self._load(server)
            missing += [f"{server.server_id}.{name}" for name in lacking]
            idle = idle and any(e.says == "met" for e in said)
            if server.server_id in self.shared:
                said = [_open(e) if e.says == "not_met" else e for e in said]
            facts += said
        busy = any(e.says == "not_met" for e in facts)
        # Some idle machines do not make the system's resources idle.
        evidence += [_open(e) if e.says == "met" and not (idle and not busy) else e for e in facts]
        return _criterion("resources_idle", evidence, missing)

    def _load(self, server: Server) -> tuple[list[ZombieEvidence], list[str]]:
        """What the machine's use says, and the fields that are missing to say more."""
        rules = self.rules
        if server.power == "off":
            return [self._fact(server.server_id, "power", "off", "measured", "met")], []
        days = server.utilisation_days
        facts, lacking = [], []
        wanted = [("cpu_p95_pct", server.cpu_p95_pct, rules.idle_cpu_p95_pct)]
        if rules.idle_memory_p95_pct is not None:
            wanted.append(("memory_p95_pct", server.memory_p95_pct, rules.idle_memory_p95_pct))
        covered = days is not None and days >= rules.idle_days
        for name, value, limit in wanted:
            if value is None:
                lacking.append(name)
                continue
            says: Answer = "not_met" if value >= limit else "met" if covered else "undetermined"
            facts.append(self._fact(server.server_id, name, value, "measured", says, Text(
                "< {limit}%，覆盖 ≥ {days} 天（实有 {have} 天）", "< {limit} % over ≥ {days} days (covered: {have})"
            ).format(limit=f"{limit:g}", days=rules.idle_days, have="0" if days is None else f"{days:g}")))  # fmt: skip
        if not covered and not any(e.says == "not_met" for e in facts):
            lacking.append("utilisation_days")
        if lacking or any(e.says == "not_met" for e in facts):
            facts = [_open(e) if e.says == "met" else e for e in facts]
        return [*facts, *self._running(server)], lacking

    def _running(self, server: Server) -> Iterator[ZombieEvidence]:
        """Shown beside the load; a machine that serves nobody may still compute at night."""
        if server.process_count is not None:
            yield self._fact(server.server_id, "process_count", server.process_count, "measured", "undetermined")
        use = self.use.get(server.server_id)
        if use is not None and use.services is not None:
            yield ZombieEvidence(
                subject_id=server.server_id, field="services", value=use.services, basis="measured", says="undetermined",
                source="ssh", locator=use.place, observed_at=use.last_at,
            )  # fmt: skip

    def _stopped(self, system: System) -> CriterionVerdict:
        evidence, missing = self._ticked(system, "updates_stopped")
        if system.lifecycle == "stopped":
            evidence.append(self._fact(system.system_id, "lifecycle", "stopped", "declared", "met"))
        changed, ended = system.last_changed_on, system.maintenance_ends_on
        if changed is not None:
            old = changed < self.as_of - timedelta(days=self.rules.update_days)
            evidence.append(self._fact(
                system.system_id, "last_changed_on", changed.isoformat(), "measured", "met" if old else "not_met",
                Text("超过 {d} 天没有更新", "no change for more than {d} days").format(d=self.rules.update_days),
            ))  # fmt: skip
        else:
            missing.append("last_changed_on")
        if ended is not None:
            lapsed = ended < self.as_of - timedelta(days=self.rules.maintenance_lapsed_days)
            says: Answer = "met" if lapsed and changed is None else "undetermined"
            evidence.append(self._fact(
                system.system_id, "maintenance_ends_on", ended.isoformat(), "measured", says,
                Text("运维到期超过 {d} 天", "maintenance ended more than {d} days ago").format(
                    d=self.rules.maintenance_lapsed_days),
            ))  # fmt: skip
        return _criterion("updates_stopped", evidence, missing)

    def _little_used(self, system: System) -> CriterionVerdict:
        """The clause joins small scope and low frequency; each half has its own tick and figures."""
        scope, no_scope = self._ticked(system, "narrow_use")
        frequency, no_frequency = self._ticked(system, "rare_use")
        rules = self.rules
        monthly, users, visits = system.monthly_users, system.users, system.visits_per_year
        if monthly is not None:
            scope.append(self._count(system, "monthly_users", monthly, rules.few_monthly_users))
        if users is not None:
            counted = self._count(system, "users", users, rules.few_users)
            # Accounts that exist say less than people who came.
            scope.append(counted if monthly is None or counted.says == "met" else _open(counted))
            if monthly is not None and counted.says == "met":
                scope = [_open(e) if e.field == "monthly_users" else e for e in scope]
        if monthly is None and users is None:
            no_scope.append("users")
        if visits is not None:
            frequency.append(self._count(system, "visits_per_year", visits, rules.few_visits_per_year))
        else:
            no_frequency.append("visits_per_year")
        first, second = _criterion("little_used", scope, no_scope), _criterion("little_used", frequency, no_frequency)
        answers = {first.verdict, second.verdict}
        decides: Answer = "not_met" if rules.scope_and_frequency == "all" else "met"
        verdict: Answer = (
            decides if decides in answers else "undetermined" if "undetermined" in answers else answers.pop()
        )
        return CriterionVerdict(
            criterion="little_used", verdict=verdict, evidence=(*first.evidence, *second.evidence),
            disputed=verdict == "undetermined" and (first.disputed or second.disputed),
            missing=(*first.missing, *second.missing) if verdict == "undetermined" else (),
        )  # fmt: skip

    def _count(self, system: System, field: str, value: int, limit: int) -> ZombieEvidence:
        says: Answer = "met" if value < limit else "not_met"
        return self._fact(
            system.system_id, field, value, "measured", says, Text("少于 {n}", "fewer than {n}").format(n=limit)
        )

    def _ticked(self, system: System, field: str) -> tuple[list[ZombieEvidence], list[str]]:
        value = getattr(system, field)
        if value is None:
            return [], [field]
        return [self._fact(system.system_id, field, value, "declared", "met" if value else "not_met")], []

    def _servers_of(self, system: System) -> tuple[list[Server], list[str]]:
        """The system's servers, and ids that the inventory does not know."""
        known = [self.servers[s] for s in system.servers if s in self.servers]
        return known, [s for s in system.servers if s not in self.servers]

    def _fact(
        self, subject_id: str, field: str, value: str | int | float | bool, basis: Basis, says: Answer,
        threshold: Text | None = None,
    ) -> ZombieEvidence:  # fmt: skip
        if subject_id not in self._witnesses:
            self._witnesses[subject_id] = self.inventory.evidence.get(subject_id, {})
        witness = self._witnesses[subject_id].get(field)
        return ZombieEvidence(
            subject_id=subject_id, field=field, value=value, basis=basis, says=says, threshold=threshold,
            source=witness.source if witness else None, locator=witness.locator if witness else None,
            observed_at=witness.observed_at if witness else None,
        )  # fmt: skip


def _shared(systems: Iterable[System]) -> frozenset[str]:
    seen: set[str] = set()
    twice: set[str] = set()
    for system in systems:
        for server_id in system.servers:
            (twice if server_id in seen else seen).add(server_id)
    return frozenset(twice)


def _why_not_judged(system: System) -> Text | None:
    if system.classified:
        return Text("涉密系统，由保密管理程序处理", "Classified: a matter of the procedures for state secrets")
    if system.lifecycle in ("planned", "building"):
        return Text("尚未上线", "It is not in use yet")
    if system.lifecycle == "stopped" and not system.servers:
        return Text("已停用，且没有占用服务器", "It has stopped and holds no server")
    return None


def _open(evidence: ZombieEvidence) -> ZombieEvidence:
    """Shown, but it does not decide."""
    return ZombieEvidence(
        subject_id=evidence.subject_id, field=evidence.field, value=evidence.value, basis=evidence.basis,
        says="undetermined", threshold=evidence.threshold, source=evidence.source, locator=evidence.locator,
        observed_at=evidence.observed_at,
    )  # fmt: skip


def _criterion(criterion: Criterion, evidence: Sequence[ZombieEvidence], missing: Sequence[str]) -> CriterionVerdict:
    answers = {e.says for e in evidence} - {"undetermined"}
    disputed = len(answers) == 2
    verdict: Answer = "undetermined" if len(answers) != 1 else next(iter(answers))
    return CriterionVerdict(
        criterion=criterion, verdict=verdict, disputed=disputed, evidence=tuple(evidence),
        missing=tuple(dict.fromkeys(missing)) if not answers else (),
    )  # fmt: skip


def _state(criteria: Sequence[CriterionVerdict], combine: str | int, declared: bool | None) -> ZombieState:
    met = sum(c.verdict == "met" for c in criteria)
    open_ = sum(c.verdict == "undetermined" for c in criteria)
    needed = 1 if combine == "any" else len(CRITERIA) if combine == "all" else int(combine)
    if met >= needed:
        return "zombie"
    refuted = met + open_ < needed
    if declared:
        # The department says so itself; where every criterion speaks against it, somebody has to look.
        return "undetermined" if refuted else "zombie"
    return "not_zombie" if refuted else "undetermined"


def _verdict(
    system: System, state: ZombieState, criteria: tuple[CriterionVerdict, ...] = (), declared: ZombieEvidence | None = None,
    *, why_not_judged: Text | None = None, next_step: Text | None = None,
) -> ZombieVerdict:  # fmt: skip
    return ZombieVerdict(
        system_id=system.system_id, name=system.name, department=system.department, office=system.office, state=state,
        criteria=criteria, declared=declared, why_not_judged=why_not_judged, next_step=next_step,
    )  # fmt: skip


def _next_step(system: System, found: ZombieVerdict, as_of: date) -> Text | None:
    if found.state == "not_zombie":
        return None
    if found.disputed:
        return Text(
            "填报与数据不一致，由责任部门核实后用 inventory confirm 确认",
            "What was declared and what was measured differ: have the department check, then settle it with inventory confirm",
        )
    if found.state == "undetermined":
        return Text("补齐所缺资料后再判", "Fill in what is missing, then judge again")
    if system.deferral_reason:
        return Text(
            "保留并说明：{why}；由主管部门复核", "It stays, with this reason: {why}; the authority reviews it"
        ).format(why=system.deferral_reason)
    if system.cleanup_on is not None and system.cleanup_on < as_of:
        return Text(
            "计划 {day} 前清理，已过期：确认下线，或说明保留理由",
            "Its clean-up was planned for {day} and is overdue: retire it, or say why it stays",
        ).format(day=system.cleanup_on.isoformat())
    if any(c.criterion == "replaceable" and c.verdict == "met" for c in found.criteria):
        return Text("合并到 {other}，迁走数据后下线", "Merge it into {other}, move its data and retire it").format(
            other=system.replaced_by or Text("能替代它的系统", "the system that replaces it")
        )
    return Text(
        "确认下线：归档数据、收回资源、注销目录；要保留的说明理由",
        "Confirm and retire it: archive its data, free its resources, take it out of the directory; or say why it stays",
    )
