"""Project scheduling instances in Patterson's format, the one in which PSPLIB, RG300 and many others are handed round.

Numbers only, separated by blanks: activities and resources; the capacity of each resource; then for each activity its
duration, its demand for each resource, how many activities follow it, and their numbers (from 1).
"""

from __future__ import annotations

from pathlib import Path

from govcloud.model.schedule import Activity, Calendar, Mode, Relation, Resource, ScheduleProblem


def load_patterson(path: Path) -> ScheduleProblem:
    """Raises OSError, and ValueError with the name of the file when it is not in this format."""
    try:
        return parse_patterson(path.read_text(encoding="ascii"))
    except ValueError as e:
        raise ValueError(f"{path}: {e}") from e


def parse_patterson(text: str) -> ScheduleProblem:
    """The horizon is the sum of all durations: one after the other they always fit."""
    numbers = [int(word) for word in text.split()]
    numbers.reverse()
    try:
        count, kinds = numbers.pop(), numbers.pop()
        capacities = [numbers.pop() for _ in range(kinds)]
        activities, relations = [], []
        for n in range(count):
            duration, demands = numbers.pop(), [numbers.pop() for _ in range(kinds)]
            used = tuple((r, amount) for r, amount in enumerate(demands) if amount)
            activities.append(Activity(activity_id=str(n + 1), modes=(Mode(duration=duration, demands=used),)))
            relations += [Relation(before=n, after=numbers.pop() - 1) for _ in range(numbers.pop())]
    except IndexError:
        raise ValueError("the file ends too soon") from None
    if numbers:
        raise ValueError(f"{len(numbers)} numbers too many")
    if any(not 0 <= r.after < count for r in relations):
        raise ValueError("an activity is followed by one that there is not")
    horizon = sum(a.modes[0].duration for a in activities)
    return ScheduleProblem(
        horizon=horizon,
        calendars=(Calendar(name="always", spans=((0, horizon),) if horizon else ()),),
        resources=tuple(Resource(resource_id=f"R{n + 1}", levels=((0, c),)) for n, c in enumerate(capacities)),
        activities=tuple(activities),
        relations=tuple(relations),
    )
