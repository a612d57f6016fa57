"""A ScheduleProblem as a CP-SAT model: everything but the goals, which cpsat_goals.py adds one after another.

Every variable knows its value in a given schedule, so that a hint is complete: CP-SAT drops most hints that leave the
literals of calendars, windows and periods open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

from ortools.sat.python import cp_model
from ortools.sat.python.cp_model_helper import Literal

from govcloud.model.schedule import Activity, Relation, Resource, Schedule, ScheduleProblem
from govcloud.planning.scheduling.cpsat_domains import Piece, Shape, Span, TimeBounds, Windows, unite

Expr = cp_model.LinearExprT
Reading = Callable[[Schedule], int]
"""The value of a variable in a schedule."""


def domain(spans: Iterable[Span]) -> cp_model.Domain:
    return cp_model.Domain.from_intervals([[a, b - 1] for a, b in spans])


class ScheduleModel:
    """`times` and `shapes` (of each mode of each activity) say where each activity can lie.

    `present`: activities that need not be done, and the literal that says whether they are. `enforced`: resources that hold
    only while the literal does.
    """

    def __init__(
        self,
        problem: ScheduleProblem,
        times: TimeBounds,
        shapes: Sequence[Sequence[Shape]],
        model: cp_model.CpModel | None = None,
        present: Mapping[int, cp_model.IntVar] | None = None,
        enforced: Mapping[int, cp_model.IntVar] | None = None,
    ) -> None:
        self.problem, self.times = problem, times
        self.model = model or cp_model.CpModel()
        self.present, self.enforced = present or {}, enforced or {}
        self.windows = Windows(problem)
        self.starts: list[Expr] = []
        self.ends: list[Expr] = []
        self.chosen: list[list[Literal]] = []
        """For each activity a literal for each mode."""
        self.broken: list[tuple[Relation, Literal]] = []
        """Soft relations and the literal that is true when they may be broken."""
        self._start_spans: list[list[Span]] = []
        self.end_spans: list[list[Span]] = []
        self._sizes: list[Expr] = []
        self._readings: list[tuple[cp_model.IntVar, Reading]] = []
        self._domains: dict[tuple[int, bool], cp_model.Domain] = {}
        self._members: dict[tuple[int, bool, tuple[Span, ...]], Literal] = {}
        self._gates: dict[tuple[int, str], Expr] = {}
        self._intervals: dict[tuple[int, int | None], cp_model.IntervalVar] = {}
        self._true: Literal = self.model.new_constant(1)
        self._false = ~self._true
        self._users = _users(problem)
        for n, activity in enumerate(problem.activities):
            self._add_activity(n, activity, shapes[n])
        for relation in problem.relations:
            self.relate(relation)
        for number, resource in enumerate(problem.resources):
            self._limit(number, resource)

    # -- variables -----------------------------------------------------------------------------------------------------

    def integer(self, spans: Iterable[Span], name: str, reading: Reading) -> cp_model.IntVar:
        variable = self.model.new_int_var_from_domain(domain(spans), name)
        self._readings.append((variable, reading))
        return variable

    def boolean(self, name: str, reading: Reading) -> cp_model.IntVar:
        variable = self.model.new_bool_var(name)
        self._readings.append((variable, reading))
        return variable

    def hint(self, schedule: Schedule) -> None:
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        for variable, reading in self._readings:
            self.model.add_hint(variable, reading(schedule))

    def _add_activity(self, n: int, activity: Activity, shapes: Sequence[Shape]) -> None:
        times = self.times
        pieces = []
        for shape in shapes:
            last = shape.last_until(times.latest[n], times.latest_end[n])
            pieces.append(list(shape.within(times.earliest[n], last[0])) if last else [])
        spans = unite((a, b) for mode in pieces for a, b, _ in mode)
        deltas = {delta for mode in pieces for _, _, delta in mode}
        self._start_spans.append(spans)
        self.end_spans.append(unite((a + d, b + d) for mode in pieces for a, b, d in mode))
        start = self.integer(spans, f"s{n}", lambda s: s.starts[n])
        self.starts.append(start)
        self._choose(n, pieces, spans)
        if len(deltas) == 1:
            self._sizes.append(next(iter(deltas)))
            self.ends.append(start + next(iter(deltas)))
            return
        size = self.integer(((d, d + 1) for d in deltas), f"d{n}", lambda s: s.ends[n] - s.starts[n])
        end = self.integer(self.end_spans[n], f"e{n}", lambda s: s.ends[n])
        self.model.add(start + size == end)
        self._sizes.append(size)
        self.ends.append(end)
        for number, mode in enumerate(pieces):
            self._last(n, number, mode, start, size)

    def _choose(self, n: int, pieces: Sequence[Sequence[Piece]], spans: Sequence[Span]) -> None:
        """One mode, and its starts."""
        done = self.present.get(n, self._true)
        if len(pieces) == 1:
            self.chosen.append([done])
            return
        literals: list[Literal] = [self.boolean(f"m{n}:{m}", _in_mode(n, m)) for m in range(len(pieces))]
        self.chosen.append(literals)
        self.model.add(cp_model.LinearExpr.sum(literals) == done)
        for literal, mode in zip(literals, pieces, strict=True):
            own = unite((a, b) for a, b, _ in mode)
            if own != spans:
                self.model.add_linear_expression_in_domain(self.starts[n], domain(own)).only_enforce_if(literal)

    def _last(self, n: int, number: int, mode: Sequence[Piece], start: Expr, size: Expr) -> None:
        """How long a mode lasts from each of its starts; starts that last equally long share a literal."""
        literal = self.chosen[n][number]
        by_delta: dict[int, list[Span]] = defaultdict(list)
        for first, to, delta in mode:
            by_delta[delta].append((first, to))
        if len(by_delta) == 1:
            self.model.add(size == next(iter(by_delta))).only_enforce_if(literal)
            return
        cells = []
        for delta, spans in by_delta.items():
            cell = self.boolean(f"d{n}:{number}={delta}", _in_mode(n, number, delta))
            cells.append(cell)
            self.model.add(size == delta).only_enforce_if(cell)
            self.model.add_linear_expression_in_domain(start, domain(spans)).only_enforce_if(cell)
        self.model.add(cp_model.LinearExpr.sum(cells) == literal)

    def member(self, n: int, spans: Iterable[Span], *, of_end: bool = False) -> Literal:
        """A literal that is true just when the start (the end) lies in one of these spans."""
        whole = self._domain(n, of_end)
        inside = domain(spans).intersection_with(whole)
        if inside.is_empty():
            return self._false
        if whole.is_included_in(inside):
            return self._true
        bounds = inside.flattened_intervals()
        key = (n, of_end, tuple((a, b + 1) for a, b in zip(bounds[::2], bounds[1::2], strict=True)))
        if key not in self._members:

            def reading(schedule: Schedule) -> int:
                return int(inside.contains((schedule.ends if of_end else schedule.starts)[n]))

            literal = self.boolean(f"{'e' if of_end else 's'}{n}∈{key[2]}", reading)
            variable = self.ends[n] if of_end else self.starts[n]
            self.model.add_linear_expression_in_domain(variable, inside).only_enforce_if(literal)
            rest = whole.intersection_with(inside.complement())
            self.model.add_linear_expression_in_domain(variable, rest).only_enforce_if(~literal)
            self._members[key] = literal
        return self._members[key]

    def _domain(self, n: int, of_end: bool) -> cp_model.Domain:
        if (n, of_end) not in self._domains:
            self._domains[n, of_end] = domain(self.end_spans[n] if of_end else self._start_spans[n])
        return self._domains[n, of_end]

    def all_of(self, literals: Sequence[Literal], reading: Reading) -> Literal:
        """A literal that is true just when all of these are."""
        if len(literals) == 1:
            return literals[0]
        both = self.boolean("and", reading)
        self.model.add_bool_and(literals).only_enforce_if(both)
        self.model.add_bool_or([both, *(~x for x in literals)])
        return both

    # -- relations -----------------------------------------------------------------------------------------------------

    def relate(self, relation: Relation, *conditions: Literal) -> None:
        """Holds while all conditions do and both activities are done; a soft one unless its literal says that it is broken."""
        before, after = relation.before, relation.after
        if self._latest_gate(relation) <= self.times.earliest[after]:
            return
        needed = [*conditions, *(self.present[n] for n in (before, after) if n in self.present)]
        if relation.soft:

            def reading(schedule: Schedule) -> int:
                return int(schedule.starts[after] < self._gate_in(relation, schedule))

            broken = self.boolean(f"broken {before}→{after}", reading)
            self.broken.append((relation, broken))
            needed.append(~broken)
        waits = self.model.add(self.starts[after] >= self._gate(relation))
        if needed:
            waits.only_enforce_if(needed)

    def _latest_gate(self, relation: Relation) -> int:
        if relation.gate == "end":
            return self.times.latest_end[relation.before]
        return self.windows.opens(relation, self.times.latest[relation.before])

    def _gate_in(self, relation: Relation, schedule: Schedule) -> int:
        if relation.gate == "end":
            return schedule.ends[relation.before]
        return self.windows.opens(relation, schedule.starts[relation.before])

    def _gate(self, relation: Relation) -> Expr:
        """The first tick at which `after` may start, as a function of the start of `before`."""
        n = relation.before
        if relation.gate == "end":
            return self.ends[n]
        key = (n, relation.gate)
        if key not in self._gates:
            first, last = self.times.earliest[n], self.times.latest[n]
            steps: list[tuple[Span, int | None]] = []
            here = first
            for opens, closes in self.windows.spans:
                if closes <= first or opens > last:
                    continue
                if opens > here:
                    steps.append(((here, opens), None))
                steps.append(((opens, closes), opens if relation.gate == "window" else closes))
                here = closes
            if here <= last:
                steps.append(((here, last + 1), None))
            shift = 0 if relation.gate == "window" else 1
            self._gates[key] = self._stepped(n, steps, shift, lambda s: self._gate_in(relation, s))
        return self._gates[key]

    def _stepped(self, n: int, steps: Sequence[tuple[Span, int | None]], shift: int, reading: Reading) -> Expr:
        """A function of the start: constant on a step, or (None) the start plus `shift`."""
        start = self.starts[n]
        outside = [span for span, value in steps if value is None]
        inside = [(span, value) for span, value in steps if value is not None]
        if not inside:
            return start + shift
        values = unite([(v, v + 1) for _, v in inside] + [(a + shift, b + shift) for a, b in outside])
        image = self.integer(values, f"gate{n}", reading)
        for span, value in inside:
            self.model.add(image == value).only_enforce_if(self.member(n, [span]))
        if outside:
            self.model.add(image == start + shift).only_enforce_if(self.member(n, outside))
        return image

    # -- resources -----------------------------------------------------------------------------------------------------

    def _limit(self, number: int, resource: Resource) -> None:
        users = self._users[number]
        levels = [(tick, capacity) for tick, capacity in resource.levels if tick <= self.problem.horizon]
        most: dict[int, int] = {}
        for n, _, amount in users:
            most[n] = max(amount, most.get(n, 0))
        if not users or sum(most.values()) <= min(c for _, c in levels):
            return
        if resource.kind == "renewable":
            self._limit_use(number, levels, sum(most.values()))
            return
        edges = [t for t, _ in levels] + [self.problem.horizon + 1]
        condition = [self.enforced[number]] if number in self.enforced else []
        for (first, to), (_, capacity) in zip(pairwise(edges), levels, strict=True):
            begin = first if resource.kind == "periodic" else 0
            taken, possible = self.count(number, (begin, to))
            if possible > capacity:
                limit = self.model.add(taken <= capacity)
                if condition:
                    limit.only_enforce_if(condition)

    def count(self, number: int, span: Span) -> tuple[Expr, int]:
        """The amount that users of a resource take which start in this span, and the greatest that it can be."""
        terms: list[Expr] = []
        most: dict[int, int] = {}
        for n, mode, amount in self._users[number]:
            if span[1] <= self.times.earliest[n] or span[0] > self.times.latest[n]:
                continue
            here = self.member(n, [span])
            if here is self._false:
                continue
            most[n] = max(amount, most.get(n, 0))
            terms.append(amount * self._of_mode(n, mode, here, span))
        return cp_model.LinearExpr.sum(terms), sum(most.values())

    def _of_mode(self, n: int, mode: int | None, here: Literal, span: Span) -> Literal:
        """It is done, starts here and does so in this mode."""
        needed = [here] if here is not self._true else []
        if mode is not None:
            needed.append(self.chosen[n][mode])
        elif n in self.present:
            needed.append(self.present[n])
        if not needed:
            return self._true

        def reading(schedule: Schedule) -> int:
            return int(span[0] <= schedule.starts[n] < span[1] and mode in (None, schedule.modes[n]))

        return self.all_of(needed, reading)

    def interval(self, n: int, mode: int | None) -> cp_model.IntervalVar:
        key = (n, mode)
        if key not in self._intervals:
            literal = self.present.get(n) if mode is None else self.chosen[n][mode]
            start, size, end = self.starts[n], self._sizes[n], self.ends[n]
            if literal is None:
                self._intervals[key] = self.model.new_interval_var(start, size, end, f"i{n}")
            else:
                self._intervals[key] = self.model.new_optional_interval_var(start, size, end, literal, f"i{n}:{mode}")
        return self._intervals[key]

    def use(self, number: int) -> tuple[list[cp_model.IntervalVar], list[int]]:
        """The intervals of a renewable resource's users and their amounts."""
        users = self._users[number]
        return [self.interval(n, mode) for n, mode, _ in users], [amount for _, _, amount in users]

    def _limit_use(self, number: int, levels: Sequence[tuple[int, int]], total: int) -> None:
        """Where the level is lower than its greatest, a fixed interval takes the difference."""
        top = max(c for _, c in levels)
        intervals, amounts = self.use(number)
        edges = [t for t, _ in levels] + [self.problem.horizon]
        for (first, to), (_, capacity) in zip(pairwise(edges), levels, strict=True):
            if capacity < top and first < to:
                intervals.append(self.model.new_fixed_size_interval_var(first, to - first, f"r{number}@{first}"))
                amounts.append(top - capacity)
        condition = self.enforced.get(number)
        if condition is not None:
            self.model.add_cumulative(intervals, amounts, top + (top + total) * (1 - condition))
        elif top == 1 and all(a == 1 for a in amounts):
            self.model.add_no_overlap(intervals)
        else:
            self.model.add_cumulative(intervals, amounts, top)

    # -- reading -------------------------------------------------------------------------------------------------------

    def schedule(self, value: Callable[[Expr], int]) -> Schedule:
        """What a solution says; `value` reads it."""
        return Schedule(
            starts=tuple(value(s) for s in self.starts),
            ends=tuple(value(e) for e in self.ends),
            modes=tuple(
                0 if len(literals) == 1 else next(m for m, x in enumerate(literals) if value(x))
                for literals in self.chosen
            ),
        )


def _in_mode(n: int, mode: int, delta: int | None = None) -> Reading:
    return lambda s: int(s.modes[n] == mode and delta in (None, s.ends[n] - s.starts[n]))


def _users(problem: ScheduleProblem) -> list[list[tuple[int, int | None, int]]]:
    """For each resource (activity, mode or None for whatever mode, amount). What lasts no time holds nothing renewable."""
    found: list[list[tuple[int, int | None, int]]] = [[] for _ in problem.resources]
    for n, activity in enumerate(problem.activities):
        amounts: dict[int, list[int]] = {}
        for m, mode in enumerate(activity.modes):
            for number, amount in mode.demands:
                if mode.duration or problem.resources[number].kind != "renewable":
                    amounts.setdefault(number, [0] * len(activity.modes))[m] += amount
        for number, of_modes in amounts.items():
            if len(set(of_modes)) == 1:
                found[number].append((n, None, of_modes[0]))
            else:
                found[number].extend((n, m, amount) for m, amount in enumerate(of_modes) if amount)
    return found
