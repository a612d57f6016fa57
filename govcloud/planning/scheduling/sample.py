"""A small problem with something for each kernel, so that all of them can be compiled before a clock starts."""

from __future__ import annotations

from govcloud.model.schedule import Activity, Calendar, Goal, Mode, Relation, Resource, Schedule, ScheduleProblem

SAMPLE_SCHEDULE = Schedule(starts=(0, 2, 3, 3, 8), ends=(1, 3, 4, 4, 9), modes=(0, 0, 0, 0, 0))


def build_sample() -> ScheduleProblem:
    """Five activities."""
    work = Mode(duration=1, calendar=0, split=True, demands=((0, 1),))
    move = Mode(duration=1, calendar=1, demands=((0, 1), (1, 1), (2, 1)))
    counted = {"activities": (1, 2, 3), "weights": (1, 1, 1)}
    return ScheduleProblem(
        horizon=12,
        calendars=(Calendar(name="days", spans=((0, 2), (4, 7), (8, 12))), Calendar(name="windows", spans=((2, 4), (7, 8)))),
        resources=(
            Resource(resource_id="one", levels=((0, 1),)),
            Resource(resource_id="each", kind="periodic", levels=((0, 2), (5, 2))),
            Resource(resource_id="all", kind="cumulative", levels=((0, 5),)),
        ),
        activities=tuple(Activity(activity_id=str(n), modes=(m,)) for n, m in enumerate((work, move, move, move, work))),
        relations=(
            Relation(before=0, after=1), Relation(before=1, after=4), Relation(before=2, after=4),
            Relation(before=1, after=3, gate="window", soft=True),
        ),
        windows=((2, 4), (7, 8)),
        goals=(
            Goal(kind="deadlines", ticks=(1, 1, 1), **counted), Goal(kind="networks", **counted), Goal(kind="makespan"),
            Goal(kind="risk", ticks=(3, 3, 3), **counted), Goal(kind="peak", resources=(0,)), Goal(kind="bridges"),
            Goal(kind="changes", ticks=(3, 3, 3), **counted), Goal(kind="waiting", activities=(4,), weights=(1,)),
        ),
    )  # fmt: skip
