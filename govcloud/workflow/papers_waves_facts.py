"""Reads what the papers of a wave tell: plan, migration files, inventory, settings and the newest run of the wave."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from govcloud.errors import GovcloudError
from govcloud.execution.gates import changed_text, needs_approval, person_problem, standing
from govcloud.execution.rules import ExecutionRules, parse_rules
from govcloud.execution.steps import ORDER, WAY_BACK, applicable, site_steps
from govcloud.model.account import same_person
from govcloud.model.gate import Answer, Gate
from govcloud.model.migration import MigrationSpec
from govcloud.model.plan import Activity, MigrationPlan, Move, Wave
from govcloud.model.plan_problem import JobKind
from govcloud.model.run import ENDED, RunSystem, SystemState
from govcloud.model.step import Step, StepName
from govcloud.model.text import Text
from govcloud.report.run_overview import RunOverview
from govcloud.report.wave_facts import StepLine, WaveFacts, WaveSystem, Word
from govcloud.store import inventory as inventory_store
from govcloud.workflow.people import holders
from govcloud.workflow.run import list_runs
from govcloud.workflow.run_scope import Place, ScopeReader, plan_places
from govcloud.workflow.run_status import run_overview
from govcloud.workflow.session import Session

_FREEZE, _SERVED = ORDER.index("freeze"), ORDER.index("verify_service")
_BY_FILE: frozenset[StepName] = frozenset({"provision", "network_move"})
"""Only the migration file says whether they apply."""
_WORK: dict[StepName, JobKind] = {
    "provision": "provision", "prepare": "provision", "replicate": "replicate", "rehearse": "rehearse", "switch_off": "switch_off",
}  # fmt: skip


class WaveReader:
    """What the papers of all waves rest on, read once however many are written."""

    def __init__(self, session: Session, plan: MigrationPlan) -> None:
        self.session, self.plan = session, plan
        self.steps = site_steps(session.workspace.settings.steps)
        self.tasks = {task.system_id: task for task in plan.problem.tasks}
        self.work = {(a.subject_id, a.kind): a for a in plan.activities}
        with session.store.read() as tx:
            self.rules = parse_rules(session.workspace.settings.execution).with_people(holders(tx))
            inventory = inventory_store.load_part(tx, {"system", "dependency"})
        self.systems = {system.system_id: system for system in inventory.systems}
        self.needed_by: dict[str, set[str]] = {}
        for tie in inventory.dependencies:
            if tie.binds and tie.source_id in self.systems:
                self.needed_by.setdefault(tie.target_id, set()).add(tie.source_id)
        self._runs = [run for run in list_runs(session) if run.plan_id is not None]
        self._shown: dict[str, RunOverview] = {}
        self._scope = ScopeReader(session)

    def read(self, wave: Wave) -> WaveFacts:
        moves = sorted(wave.moves, key=lambda m: (m.starts_at, m.system_id))
        runs = self._runs_of(wave)
        places = plan_places(self.plan, [m.system_id for m in moves])
        limits = {k: v for k in self.rules.__dataclass_fields__ if isinstance(v := getattr(self.rules, k), int)}
        for run in runs:
            limits |= {k: v for k, v in run.run.settings.items() if isinstance(v, int)}
        words: list[Word] = []
        left = {m.system_id for m in moves}
        for run in reversed(runs):
            words += read_words(self.session, run, left & set(run.run.systems))
            left -= set(run.run.systems)
        return WaveFacts(
            plan=self.plan, wave=wave, zone=ZoneInfo(self.plan.problem.timezone),
            systems=tuple(self._system(wave, m, places.get(m.system_id), _registered(runs, m.system_id)) for m in moves),
            steps=self.steps, limits=limits, approval=needs_approval("freeze", self.rules), deciders=_deciders(self.rules), runs=runs,
            words=tuple(sorted(words, key=lambda w: w.answer.at)),
        )  # fmt: skip

    def _runs_of(self, wave: Wave) -> tuple[RunOverview, ...]:
        """The newest run of each system that was registered under this plan, or under an older one that had it in the same window."""
        starts = {m.system_id: m.starts_at for m in wave.moves}
        left, found = set(starts), []
        for run in self._runs:
            if not left & set(run.systems):
                continue
            shown = self._overview(run.run_id)
            its = {
                s.row.system_id
                for s in shown.systems
                if run.plan_id == self.plan.plan_id or s.row.opens_at == starts.get(s.row.system_id)
            }
            if its & left:
                found.append(shown)
                left -= its
        return tuple(reversed(found))

    def _overview(self, run_id: str) -> RunOverview:
        if run_id not in self._shown:
            self._shown[run_id] = run_overview(self.session, run_id)
        return self._shown[run_id]

    def _system(self, wave: Wave, move: Move, place: Place | None, row: RunSystem | None) -> WaveSystem:
        task, together = self.tasks[move.system_id], {m.system_id for m in wave.moves}
        spec = row.spec if row else _spec(self._scope, move.system_id)
        gib = row.data_bytes / 2**30 if row and row.data_bytes else task.data_mib / 1024
        return WaveSystem(
            move=move, task=task, system=self.systems.get(move.system_id), spec=spec, data_gib=gib,
            steps=tuple(_steps(self, move, gib, spec)), way_back=tuple(_way_back(spec, self.steps)), after=place.after if place else (),
            dependents=tuple(sorted(self.needed_by.get(move.system_id, set()) - together)),
        )  # fmt: skip


def read_words(session: Session, run: RunOverview, systems: Collection[str]) -> tuple[Word, ...]:
    """One for each word that was given, with those of the systems that it was given for and that it counts alike for."""
    reader = ScopeReader(session)
    with session.store.read() as tx:
        rules = parse_rules(session.workspace.settings.execution).with_people(holders(tx))
        changed = {s.row.system_id: reader.changed(tx, run.run, s.row) for s in run.systems}
    newest = {(g.system_id, g.step): g.gate_id for g in run.gates}
    found: dict[tuple[object, ...], tuple[Answer, StepName, Text | None, list[str]]] = {}
    for gate in (g for g in run.gates if g.system_id in systems):
        answers = run.answers.get(gate.gate_id, ())
        for answer in answers:
            void = _void(gate, answer, answers, run, rules, changed[gate.system_id])
            if void is None and gate.used_at is None:
                void = _unused(gate, newest[gate.system_id, gate.step], run.states[gate.system_id])
            key = (gate.step, answer.actor, answer.at, answer.granted, answer.emergency, void)
            found.setdefault(key, (answer, gate.step, void, []))[3].append(gate.system_id)
    words = [Word(answer=a, step=step, systems=tuple(sorted(s)), void=void) for a, step, void, s in found.values()]
    return tuple(sorted(words, key=lambda w: (w.answer.at, w.answer.actor, w.systems)))


def _unused(gate: Gate, newest: str, state: SystemState) -> Text | None:
    if state in ENDED:
        return Text("未使用，执行已结束", "it was not used, and the run is over")
    if newest != gate.gate_id:
        return Text("关口已重新开启，须重新批准", "the gate was opened anew and has to be approved again")
    return None


def _void(
    gate: Gate, answer: Answer, answers: Sequence[Answer], run: RunOverview, rules: ExecutionRules, changed: Sequence[str]
) -> Text | None:  # fmt: skip
    """Why an answer does not count. At a gate that was passed, as it was then: who has lost his role since had it."""
    at = gate.used_at or run.now
    rules = rules if gate.used_at is None else replace(rules, people=(), approver_roles=())
    if not answer.granted:
        return Text("不予批准", "it is a refusal")
    if any(not a.granted for a in answers):
        return Text("同一关口已有人不予批准", "somebody refused at the same gate")
    if gate.used_at is None and changed:
        return changed_text(changed)
    if answer in standing(answers, run.run, rules, at).granted:
        return None
    if answer.expires_at <= at:
        return Text("未使用，已过有效期", "it was not used and has expired")
    if problem := person_problem(answer.actor, rules, "approve"):
        return problem
    if answer.emergency:
        return Text("紧急批准须两人，尚缺一人", "an emergency takes two people, and there is one")
    if same_person(answer.actor, run.run.created_by):
        return Text("不能批准自己发起的执行", "nobody approves a run of his own")
    return Text("另有两人按紧急程序批准，以其为准", "two others opened the gate as an emergency; theirs counts")


def _deciders(rules: ExecutionRules) -> tuple[str, ...]:
    return tuple(p.name for p in rules.people if person_problem(p.name, rules, "approve") is None)


def _registered(runs: Sequence[RunOverview], system_id: str) -> RunSystem | None:
    """The system in its newest run."""
    rows = (s.row for run in reversed(runs) for s in run.systems)
    return next((row for row in rows if row.system_id == system_id), None)


def _spec(reader: ScopeReader, system_id: str) -> MigrationSpec | None:
    try:
        return reader.spec(system_id)
    except GovcloudError:
        return None


def _steps(reader: WaveReader, move: Move, gib: float, spec: MigrationSpec | None) -> Iterator[StepLine]:
    """Minutes are rounded up to the end of each step, so that they add up to what the engine reckons with."""
    wanted = applicable(spec) if spec else ORDER
    passed = 0.0
    for name in wanted:
        step, sure = reader.steps[name], spec is not None or name not in _BY_FILE
        minutes = step.minutes + step.minutes_per_gib * gib
        if not _FREEZE <= ORDER.index(name) <= _SERVED:
            days = _days(reader.work.get((move.group_id, _WORK.get(name, "cutover"))))
            yield StepLine(step=step, sure=sure, minutes=math.ceil(minutes), days=days)
        elif not sure:
            yield StepLine(step=step, sure=False)
        else:
            begin, passed = math.ceil(passed), passed + minutes
            end = math.ceil(passed)
            yield StepLine(
                step=step,
                minutes=end - begin,
                starts_at=_later(move.starts_at, begin),
                ends_at=_later(move.starts_at, end),
            )


def _later(at: datetime, minutes: int) -> datetime:
    return at + timedelta(minutes=minutes)


def _days(work: Activity | None) -> tuple[date, date] | None:
    return (work.starts_on, work.ends_on) if work and work.ends_on >= work.starts_on else None


def _way_back(spec: MigrationSpec | None, steps: Mapping[StepName, Step]) -> Iterator[StepLine]:
    wanted = applicable(spec) if spec else ORDER
    for name in WAY_BACK:
        if name in wanted:
            sure = spec is not None or name not in _BY_FILE
            yield StepLine(step=steps[name], sure=sure, minutes=steps[name].undo_minutes if sure else None)
