"""Scheduling problems that look like an office's: day ticks, weekly windows, move groups with their work before and after."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

from govcloud.model.schedule import Activity, Calendar, Goal, Mode, Relation, Resource, ScheduleProblem


def week_windows(weeks: int, minutes: int = 48) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...], int]:
    """An axis like a plan's: seven day ticks a week, then the window's ticks after the sixth. → windows, day spans (Monday
    to Friday of each week), horizon."""
    windows, days = [], []
    week = 7 + minutes
    for n in range(weeks):
        first = n * week
        days.append((first, first + 5))
        windows.append((first + 6, first + 6 + minutes))
    return tuple(windows), tuple(days), weeks * week


def office(groups: int, *, seed: int = 1, weeks: int | None = None, crews: int = 2) -> ScheduleProblem:
    """What planning/translate.py makes of `groups` move groups: provision → replicate → cutover → trial → takeover, two
    kinds of crews, a link, a quota, a freeze, weak links that may be broken, a network that closes last. Has a schedule."""
    dice = random.Random(seed)  # noqa: S311
    weeks = weeks or 12 + groups // crews
    windows, working, horizon = week_windows(weeks)
    days = _days(windows, horizon)
    frozen = {len(windows) // 3}
    calendars = (
        Calendar(name="working", spans=working),
        Calendar(name="daily", spans=days),
        Calendar(name="windows", spans=windows),
        Calendar(name="frozen", spans=tuple(w for n, w in enumerate(windows) if n not in frozen)),
    )
    resources = (
        Resource(resource_id="crew:a", levels=((0, crews),)),
        Resource(resource_id="crew:b", levels=((0, max(1, crews // 2)),)),
        Resource(resource_id="link", levels=((0, 10),)),
        Resource(resource_id="systems", kind="periodic", levels=((0, 6), *((w, 6) for w, _ in windows))),
        Resource(resource_id="quota", kind="cumulative", levels=((0, 3 * groups), (horizon // 4, 8 * groups))),
    )
    activities: list[Activity] = []
    relations: list[Relation] = []
    cutovers: list[int] = []
    takeovers: list[int] = []
    for g in range(groups):
        skilled = dice.random() < 0.3
        crew = ((1, 1),) if skilled else ((0, 1),)
        minutes = dice.randint(12, 30)
        cutover = [Mode(duration=minutes, calendar=2 + (dice.random() < 0.5), demands=(*crew, (3, 1)))]
        if not skilled:
            cutover.append(replace(cutover[0], demands=((1, 1), (3, 1))))
        steps = (
            (Mode(duration=dice.randint(2, 5), calendar=0, split=True, demands=((4, dice.randint(1, 5)),)),),
            (Mode(duration=dice.randint(1, 4), calendar=1, split=True, demands=((2, dice.randint(1, 4)),)),),
            tuple(cutover),
            (Mode(duration=7, calendar=1, split=True),),
            (Mode(duration=2, calendar=0, split=True),),
        )
        first = len(activities)
        for n, step in enumerate(steps):
            activities.append(Activity(activity_id=f"group-{g:05d}/{n}", modes=step))
        relations.extend(Relation(before=a, after=b) for a, b in pairwise(range(first, first + 5)))
        if cutovers and dice.random() < 0.6:
            relations.append(Relation(before=dice.choice(cutovers), after=first + 2, gate="window", soft=True))
        cutovers.append(first + 2)
        takeovers.append(first + 4)
    closing = len(activities)
    activities.append(Activity(activity_id="network/close", modes=(Mode(duration=5, calendar=0, split=True),)))
    relations.extend(Relation(before=t, after=closing) for t in takeovers[: max(1, groups // 4)])
    weights = tuple(dice.randint(1, 9) for _ in takeovers)
    goals = (
        Goal(kind="networks", activities=(closing,), weights=(1,)),
        Goal(kind="makespan", activities=tuple(takeovers)),
        Goal(kind="bridges"),
        Goal(kind="waiting", activities=tuple(takeovers), weights=weights),
    )
    return ScheduleProblem(
        horizon=horizon, calendars=calendars, resources=resources, activities=tuple(activities),
        relations=tuple(relations), windows=windows, goals=goals, scale=_scale(windows, horizon),
    )  # fmt: skip


def _days(windows: tuple[tuple[int, int], ...], horizon: int) -> tuple[tuple[int, int], ...]:
    """The ticks outside of the windows."""
    edges = [0, *(edge for w in windows for edge in w), horizon]
    return tuple((a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b)


def _scale(windows: tuple[tuple[int, int], ...], horizon: int) -> tuple[int, ...]:
    """Day number of each tick: a window belongs to the day before it."""
    closed = {t for a, b in windows for t in range(a, b)}
    day, found = 0, []
    for tick in range(horizon + 1):
        found.append(day)
        if tick + 1 not in closed:
            day += 1
    return tuple(found)
