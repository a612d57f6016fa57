"""Large-neighbourhood search: a good schedule made better by solving parts of it exactly, again and again.

Each round frees some activities, keeps the rest in order or in place (neighbourhood_part.py), and gives the part to CP-SAT
for a fraction of a second. A schedule as good is accepted. Parts grow while they are solved to the end and shrink while
they are not; the ways to choose what to free are drawn in proportion to what they have gained lately.

Where it pays (measured beside the compiled search, each with the same processor time after the same start): offices with
windows and calendars of 60 to 1,000 groups, where it goes on gaining after the compiled search has come to rest (100
groups, 5–8 s: the last goal down by 4–5 %, by 0.1 % otherwise), and goals that few activities hold up, such as bridges. On
plain projects (60 and 120 activities) it is no better than the compiled search, and slower.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from govcloud.model.schedule import Answer, Goal, Progress, Schedule, ScheduleProblem, Search
from govcloud.planning.scheduling.bounds import lower_bounds
from govcloud.planning.scheduling.cpsat import ExactSearch
from govcloud.planning.scheduling.cpsat_domains import Shapes
from govcloud.planning.scheduling.cpsat_run import Clock
from govcloud.planning.scheduling.neighbourhood_part import Part, Places, keep_order
from govcloud.planning.scheduling.schedule_check import measure, verify_schedule

SOLVER = "cp-sat-lns"
ORDER_AT_MOST = 600
"""Activities up to which a whole problem with its order kept is small enough for a round."""
_ROUND_S = 0.15
"""Counted seconds for a round."""
_ACTIVITY_S = 0.0003
"""What it takes to build the model of a part, for each activity."""
_WANDER = 0.5
"""How often a project kept in order is solved without telling the solver where it stands."""
_FAMILY = 8
"""So many activities that wait for one another are freed together."""
_HUB = 12
"""An activity with more relations than this does not lead from one family to another."""


def improve(
    problem: ScheduleProblem,
    schedule: Schedule,
    search: Search,
    *,
    bounds: Sequence[int] | None = None,
    clock: Clock | None = None,
) -> Answer:
    """A schedule at least as good. Status "unknown" and no schedule when the given one doesn't hold.

    `search.hint` is not looked at. `bounds`: what is known already, such as an exact search's; otherwise those of
    planning/scheduling/bounds.py. A part proves nothing about the whole. `clock`: when the limits have begun to run already.
    """
    if verify_schedule(problem, schedule):
        return Answer(status="unknown", solver=SOLVER, seed=search.seed, seconds=0.0, repeatable=search.repeatable)
    known = tuple(lower_bounds(problem).values if bounds is None else bounds)
    return _Improve(problem, schedule, search, known, clock or Clock(search)).answer()


class _Improve:
    def __init__(
        self, problem: ScheduleProblem, schedule: Schedule, search: Search, bounds: tuple[int, ...], clock: Clock
    ) -> None:
        self.problem, self.search, self.bounds, self.clock = problem, search, bounds, clock
        self.dice = random.Random(search.seed)  # noqa: S311
        self.schedule, self.values = schedule, measure(problem, schedule)
        self.places = Places(problem, schedule)
        self.shapes = Shapes(self.places.problem)
        self.in_order = len(problem.activities) <= ORDER_AT_MOST and is_plain(problem)
        self.gains = {"family": 1.0, "time": 1.0, "resource": 1.0, "last": 1.0}
        self.size = max(12.0, len(problem.activities) * 0.3) if self.in_order else 40.0
        self.shared = [n for n in range(len(problem.resources)) if len(self.places.users(n)) > 1]

    def answer(self) -> Answer:
        while self._open() and not self.clock.over():
            self._round()
        return Answer(
            status="feasible" if self._open() else "optimal", schedule=self.schedule, values=self.values,
            bounds=self.bounds, solver=SOLVER, seed=self.search.seed, seconds=self.clock.seconds,
            repeatable=self.search.repeatable and not self.clock.cut,
        )  # fmt: skip

    def _open(self) -> list[int]:
        return [k for k, (value, bound) in enumerate(zip(self.values, self.bounds, strict=True)) if value > bound]

    def _focus(self) -> int:
        """Mostly the first goal that may be improved; the later ones get their turn, since a bound may be too low."""
        for k in self._open()[:-1]:
            if self.dice.random() < 0.6:
                return k
        return self._open()[-1]

    def _round(self) -> None:
        focus = self._focus()
        way = self.dice.choices(list(self.gains), list(self.gains.values()))[0]
        freed = self._choose(way, self.problem.goals[focus], int(self.size))
        if self.in_order:
            part = keep_order(self.problem, self.schedule, freed)
        else:
            part = self.places.cut(freed, self._reach())
        before = self.values
        solved = self._solve(part, focus)
        gained = self.values < before
        self.gains[way] = max(0.05, 0.9 * self.gains[way] + (0.5 if gained else 0.0))
        self.size = min(len(self.problem.activities), self.size * 1.05) if solved else max(6, self.size * 0.9)
        if gained:
            self._tell()

    def _reach(self) -> int:
        """How far a freed activity may move: the nearer, the smaller the model, and the faster its propagation."""
        parts = [10, 30, 80] if len(self.problem.activities) > ORDER_AT_MOST else [2, 10, 30, 80]
        return max(20, self.problem.horizon // self.dice.choice(parts))

    def _solve(self, part: Part, focus: int) -> bool:
        """Takes what the part gives, if it is not worse; whether the part was solved to the end."""
        if self.clock.counted is not None:
            self.clock.counted -= _ACTIVITY_S * len(part.problem.activities)
        here = measure(part.problem, part.hint)
        bounds = self._part_bounds(part, here)
        if all(v <= b for v, b in zip(here[focus:], bounds[focus:], strict=True)):
            return True
        left = self.clock.counted
        counted = _ROUND_S if left is None else max(0.0, min(_ROUND_S, left))
        search = replace(
            self.search, hint=part.hint, on_progress=None, repeatable=True, workers=1,
            limit_s=max(0.0, self.clock.left_s), seed=self.dice.randrange(2**31),
        )  # fmt: skip
        clock = Clock(search, counted=counted)
        whole = len(part.members) == len(self.problem.activities)
        answer = ExactSearch(
            part.problem, search, clock, bounds, first=focus, shapes=None if whole else self.shapes,
            wander=whole and self.dice.random() < _WANDER,
        ).answer()  # fmt: skip
        rest = clock.counted or 0.0
        if self.clock.counted is not None:
            self.clock.counted -= counted - rest
        if clock.cut and (self.clock.stopped() or self.clock.left_s <= 0):
            self.clock.cut = True
        if answer.schedule is not None and answer.values <= here and answer.schedule != part.hint:
            self.schedule = part.put_into(self.schedule, answer.schedule)
            self.values = measure(self.problem, self.schedule)
            self.places.move(self.schedule)
        return rest > 0

    def _part_bounds(self, part: Part, here: tuple[int, ...]) -> list[int]:
        """What the part can't get below: as far from its values as the whole is from its bounds, and what stays."""
        bounds = [max(0, b - (v - h)) for b, v, h in zip(self.bounds, self.values, here, strict=True)]
        for k, goal in enumerate(part.problem.goals):
            if goal.kind == "makespan":
                stay = [part.hint.ends[n] for n in goal.activities if n >= len(part.members)]
                bounds[k] = max(bounds[k], part.problem.time(max(stay, default=0)))
        return bounds

    # -- what to free --------------------------------------------------------------------------------------------------

    def _choose(self, choose: str, goal: Goal, size: int) -> set[int]:
        count = len(self.problem.activities)
        if size >= count:
            return set(range(count))
        match choose:
            case "time":
                return self._near(range(count), size)
            case "resource":
                return self._near(
                    self.places.users(self.dice.choice(self.shared)).tolist() if self.shared else range(count), size
                )
            case "last":
                return self._last(goal, size)
            case _:
                return self._families((self.dice.randrange(count) for _ in range(4 * size)), size, set())

    def _near(self, among: Iterable[int], size: int) -> set[int]:
        """Those around a moment."""
        some = np.array(list(among), dtype=np.int64)
        tick = self.places.starts[self.dice.choice(some.tolist())]
        distance = np.abs((self.places.starts[some] + self.places.ends[some]) // 2 - tick)
        return self._families(some[np.argsort(distance, kind="stable")[:size]].tolist(), size, set())

    def _last(self, goal: Goal, size: int) -> set[int]:
        """What makes the goal as large as it is, with others that may make room for it."""
        counted = np.array(goal.activities or range(len(self.problem.activities)), dtype=np.int64)
        if goal.kind == "makespan":
            order = counted[np.argsort(-self.places.ends[counted], kind="stable")][: max(1, size // 4)].tolist()
        else:
            order = [self.dice.choice(counted.tolist()) for _ in range(max(1, size // 8))]
        freed = self._families(order, max(1, size // 2), set())
        users = [n for n in sorted(freed) if self.problem.activities[n].modes[0].demands]
        if users:
            number = self.dice.choice(self.problem.activities[self.dice.choice(users)].modes[0].demands)[0]
            others = self.places.users(number).tolist()
            return self._families((self.dice.choice(others) for _ in range(4 * size)), size, freed)
        return self._families((self.dice.randrange(len(counted)) for _ in range(4 * size)), size, freed)

    def _families(self, seeds: Iterable[int], size: int, freed: set[int]) -> set[int]:
        """The seeds with what they wait for and what waits for them."""
        for seed in seeds:
            if len(freed) >= size:
                break
            queue, family = [seed], {seed}
            for n in queue:
                if len(family) >= _FAMILY or len(self.places.relations[n]) > _HUB:
                    continue
                for relation in self.places.relations[n]:
                    for other in (relation.before, relation.after):
                        if other not in family and not relation.soft and len(family) < _FAMILY:
                            family.add(other)
                            queue.append(other)
            freed |= family
        return freed

    def _tell(self) -> None:
        if self.search.on_progress is not None:
            self.search.on_progress(
                Progress(seconds=self.clock.seconds, phase="neighbourhood", values=self.values, bounds=self.bounds)
            )


def is_plain(problem: ScheduleProblem) -> bool:
    """No windows and no breaks, as in PSPLIB: activities that are kept in order can follow one another in time."""
    return not problem.windows and all(
        len(problem.calendars[m.calendar].spans) == 1 for a in problem.activities for m in a.modes if m.duration
    )
