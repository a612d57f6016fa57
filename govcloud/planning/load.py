"""Turns the `planning:` section into PlanningRules and names every mistake in it."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import date

import msgspec

from govcloud.errors import InputError
from govcloud.model.text import Text
from govcloud.planning.rules import PlanningRules

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
MAX_WEEKS = 104
MAX_DAYS = 730
MAX_NUMBER = 10**9
FIRST_YEAR, LAST_YEAR = 1950, 2100
_COSTS = Text(
    "总代价已改为按次序的目标：删去 planning.costs，次序写在 planning.goals，见 docs/planning.md",
    "the single cost has given way to goals in order of rank: remove planning.costs and state the order in planning.goals (docs/planning.md)",
)
_NO_DAYS = Text(
    "{key} 不以系统的天数计：割接分钟数写在 planning.durations，专网关停天数写在 planning.activities.close_days",
    "{key} is no length in days of a system: minutes of a cutover go to planning.durations, days of closing a network to planning.activities.close_days",
)
_BY_STEPS = Text(
    "数据在窗口内的用时已改由各步骤的用时计算：删去 {key}，实测值写在 steps，见 docs/planning.md",
    "the minutes of the data now come from the steps' figures: remove {key} and state what was measured under steps (docs/planning.md)",
)
_GONE = {"planning.costs": _COSTS} | {
    key: _BY_STEPS.format(key=key) for key in ("planning.duration.changed_pct", "planning.duration.final_sync_mbps")
}
"""Keys of earlier versions, with what to do about them."""
_KINDS: Mapping[object, Text] = {
    int: Text("整数", "a whole number"),
    bool: Text("true 或 false", "true or false"),
    str: Text("文字（编号、数字样的名称请加引号）", "text (put ids and names that look like numbers in quotes)"),
    date: Text("日期，如 2027-03-01", "a date like 2027-03-01"),
}


def parse_rules(section: Mapping[str, object], where: str = "govcloud.yaml") -> PlanningRules:
    """Raises InputError for unknown keys, wrong types and values that can't be meant."""
    for problem in _misfits(section, PlanningRules, "planning"):
        raise _error(problem, where)
    try:
        rules = msgspec.convert(section, PlanningRules)
    except msgspec.ValidationError as error:
        raise _error(Text("{e}", "{e}").format(e=error), where) from None
    for problem in _impossible(rules):
        raise _error(problem, where)
    return rules


def _error(why: Text, where: str) -> InputError:
    return InputError(
        Text("planning 部分不合要求：{why}", "The planning section is not valid: {why}").format(why=why),
        where=where,
        next_step=Text("对照 docs/planning.md 改正", "Correct it after docs/planning.md"),
    )


def _misfits(value: object, kind: object, path: str) -> Iterator[Text]:
    """Keys and values that PlanningRules has no place for. A misspelt key would otherwise be dropped in silence."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is not None:
            yield from _misfits(value, next(k for k in arguments if k is not type(None)), path)
    elif isinstance(kind, type) and dataclasses.is_dataclass(kind):
        yield from _misfits_of_keys(value, kind, path)
    elif origin is tuple:
        if not isinstance(value, list | tuple):
            yield _expected(path, Text("列表", "a list"), value)
            return
        for index, inner in enumerate(value):
            yield from _misfits(inner, arguments[0], f"{path}[{index}]")
    elif origin is Mapping:
        if not isinstance(value, Mapping):
            yield _expected(path, Text("“键: 值”", "keys with values"), value)
            return
        for key, inner in value.items():
            yield from _misfits(key, arguments[0], f"{path}.{key}")
            yield from _misfits(inner, arguments[1], f"{path}.{key}")
    elif origin is typing.Literal:
        if value not in arguments or not isinstance(value, str):
            choices = Text("、".join(arguments), ", ".join(arguments))
            yield _expected(path, Text("其中之一：{c}", "one of {c}").format(c=choices), value)
    else:
        yield from _misfit_scalar(value, kind, path)


def _misfits_of_keys(value: object, kind: type, path: str) -> Iterator[Text]:
    if not isinstance(value, Mapping):
        yield _expected(path, Text("“键: 值”", "keys with values"), value)
        return
    hints = typing.get_type_hints(kind)
    for key, inner in value.items():
        here = f"{path}.{key}"
        if here in _GONE:
            yield _GONE[here]
        elif key not in hints:
            yield Text("没有 {key} 这一项，可用：{known}", "there is no key {key}; known are {known}").format(
                key=here, known=", ".join(hints)
            )
        else:
            yield from _misfits(inner, hints[key], here)
    for field in dataclasses.fields(kind):
        needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if needed and field.name not in value:
            yield Text("缺少 {key}", "{key} is missing").format(key=f"{path}.{field.name}")


def _misfit_scalar(value: object, kind: object, path: str) -> Iterator[Text]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        yield _expected(path, _KINDS[kind], value)


def _expected(path: str, kind: Text, value: object) -> Text:
    return Text("{key} 应为{kind}，不是 {v}", "{key} must be {kind}, not {v}").format(
        key=path, kind=kind, v=repr(value)[:60]
    )


def _impossible(rules: PlanningRules) -> Iterator[Text]:
    yield from _ranges(rules)
    yield from _windows_and_crews(rules)
    yield from _freezes(rules)
    yield from _pools(rules)
    yield from _agreements(rules)
    if len(set(rules.goals)) != len(rules.goals) or not rules.goals:
        yield Text(
            "planning.goals 至少写一项，每项只写一次", "planning.goals needs at least one goal, and each goal once"
        )


def _between(path: str, value: int | None, low: int, high: int) -> Iterator[Text]:
    if value is not None and not low <= value <= high:
        yield Text("{key} 应为 {a} 到 {b}，不是 {v}", "{key} must be {a} to {b}, not {v}").format(
            key=path, a=low, b=high, v=value
        )


def _ranges(rules: PlanningRules) -> Iterator[Text]:
    yield from _between("planning.weeks", rules.weeks, 1, MAX_WEEKS)
    yield from _between("planning.holiday_margin_days", rules.holiday_margin_days, 0, 60)
    yield from _between("planning.core_from_window", rules.core_from_window, 0, 1000)
    yield from _between("planning.platform.mlps_level", rules.platform.mlps_level, 1, 5)
    yield from _between("planning.groups.max_systems", rules.groups.max_systems, 1, 10**6)
    yield from _between("planning.hubs.share_pct", rules.hubs.share_pct, 0, 100)
    yield from _between("planning.hubs.min_dependents", rules.hubs.min_dependents, 1, 10**6)
    capacity = rules.capacity
    yield from _between("planning.capacity.link_use_pct", capacity.link_use_pct, 1, 100)
    yield from _between("planning.capacity.replication_hours", capacity.replication_hours, 1, 168)
    yield from _between("planning.capacity.crews", capacity.crews, 1, 1000)
    yield from _between("planning.capacity.link_mbps", capacity.link_mbps, 1, 10**6)
    for zone, mbps in capacity.links.items():
        yield from _between(f"planning.capacity.links.{zone}", mbps, 1, 10**6)
    yield from _between("planning.activities.stream_mbps", rules.activities.stream_mbps, 1, 10**6)
    for field in dataclasses.fields(rules.activities):
        if field.name.endswith("_days"):
            days = getattr(rules.activities, field.name)
            yield from _between(f"planning.activities.{field.name}", days, 0, MAX_DAYS)
    for system_id, lengths in rules.lengths.items():
        for kind, days in lengths.items():
            if kind in ("cutover", "close"):
                yield _NO_DAYS.format(key=f"planning.lengths.{system_id}.{kind}")
            yield from _between(f"planning.lengths.{system_id}.{kind}", days, 0, MAX_DAYS)
    for system_id, priority in rules.priorities.items():
        yield from _between(f"planning.priorities.{system_id}", priority, 1, 100)
    yield from _absurd(rules, "planning")


def _absurd(value: object, path: str) -> Iterator[Text]:
    """Every number and day that no range above speaks of."""
    if isinstance(value, int) and value < 0:
        yield Text("{key} 不能为负数", "{key} can't be negative").format(key=path)
    elif isinstance(value, int) and value > MAX_NUMBER:
        yield Text("{key} 过大，最多 {m}", "{key} is too large; at most {m}").format(key=path, m=MAX_NUMBER)
    elif isinstance(value, date) and not FIRST_YEAR <= value.year <= LAST_YEAR:
        yield Text("{key} 的年份应为 {a} 到 {b}", "the year of {key} must be {a} to {b}").format(
            key=path, a=FIRST_YEAR, b=LAST_YEAR
        )
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _absurd(inner, f"{path}.{key}")
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _absurd(inner, f"{path}[{index}]")
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _absurd(getattr(value, field.name), f"{path}.{field.name}")


def _windows_and_crews(rules: PlanningRules) -> Iterator[Text]:
    if not rules.windows or not rules.crews:
        yield Text(
            "planning.windows 和 planning.crews 各至少要有一项",
            "planning.windows and planning.crews need one entry at least",
        )
    for index, window in enumerate(rules.windows):
        if not _CLOCK.fullmatch(window.start):
            yield Text('{key} 应写成 "22:00"，不是 {v}', 'write {key} as "22:00", not {v}').format(
                key=f"planning.windows[{index}].start", v=window.start
            )
        yield from _between(f"planning.windows[{index}].minutes", window.minutes, 30, 1440)
    if "cutover" not in rules.activities.with_crew:
        yield Text(
            "planning.activities.with_crew 须含 cutover：割接总要有班组",
            "planning.activities.with_crew must name cutover: a cutover always needs a crew",
        )
    names = [c.name for c in rules.crews]
    if len(set(names)) != len(names):
        yield Text("planning.crews 中班组重名", "planning.crews: two crews have the same name")
    for system_id, measured in rules.durations.items():
        yield from _between(f"planning.durations.{system_id}.cutover_min", measured.cutover_min, 1, 1440)
        yield from _between(f"planning.durations.{system_id}.reserve_min", measured.reserve_min, 0, 1440)


def _freezes(rules: PlanningRules) -> Iterator[Text]:
    for freeze in rules.freezes:
        days = (freeze.ends_on - freeze.starts_on).days
        if days < 0:
            yield Text("封网期 {n} 的结束早于开始", "freeze {n} ends before it starts").format(n=freeze.name)
        if (freeze.every_year and days > 300) or (freeze.every_month and days > 20):
            yield Text("重复的封网期 {n} 过长", "freeze {n} is too long to repeat").format(n=freeze.name)
        if freeze.every_year and freeze.every_month:
            yield Text(
                "封网期 {n} 只能按年或按月重复", "freeze {n} repeats every year or every month, not both"
            ).format(n=freeze.name)
        for system_id, approval in freeze.exceptions.items():
            if not approval.strip():
                yield Text(
                    "封网期 {n} 对 {s} 的例外须写明批准人和文件",
                    "freeze {n}: the exception of {s} must name who approved it",
                ).format(n=freeze.name, s=system_id)


def _pools(rules: PlanningRules) -> Iterator[Text]:
    known = rules.pools()
    for name, pool in known.items():
        path = f"planning.capacity.pools.{name}"
        days = [c.starts_on for c in pool.changes]
        if days != sorted(set(days)):
            yield Text(
                "{key}.changes 须按日期先后，每天一项", "{key}.changes must be in order of date, one a day"
            ).format(key=path)
        for change in pool.changes:
            for amount in ("vcpus", "memory_gib", "disk_gib"):
                if getattr(change, amount) is not None and getattr(pool, amount) is None:
                    yield Text(
                        "{key}.changes 改变 {a}，须先写 {key}.{a} 的初值",
                        "{key}.changes alters {a}: state {key}.{a} to begin with",
                    ).format(key=path, a=amount)
    for system_id, name in rules.system_pools.items():
        if name not in known:
            yield Text(
                "{key} 的资源池 {p} 不在 capacity.pools 中", "{key}: there is no pool {p} in capacity.pools"
            ).format(key=f"planning.system_pools.{system_id}", p=name)


def _agreements(rules: PlanningRules) -> Iterator[Text]:
    for system_id, target in rules.targets.items():
        if target.not_before_on and target.not_after_on and target.not_after_on < target.not_before_on:
            yield Text("{key} 的最晚日期早于最早日期", "{key}: the latest date is before the earliest").format(
                key=f"planning.targets.{system_id}"
            )
    for index, together in enumerate(rules.together):
        if len(set(together)) < 2:
            yield Text("{key} 至少写两个系统", "{key} needs two systems at least").format(
                key=f"planning.together[{index}]"
            )
    for index, apart in enumerate(rules.apart):
        if len(set(apart.systems)) < 2:
            yield Text("{key} 至少写两个系统", "{key} needs two systems at least").format(
                key=f"planning.apart[{index}].systems"
            )
