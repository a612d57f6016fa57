"""Turns the `planning:` section into PlanningRules and names every mistake in it."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterator, Mapping

import msgspec

from govcloud.errors import InputError
from govcloud.model.text import Text
from govcloud.planning.rules import PlanningRules

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
MAX_WEEKS = 104


def parse_rules(section: Mapping[str, object], where: str = "govcloud.yaml") -> PlanningRules:
    """Raises InputError for unknown keys, wrong types and values that can't be meant."""
    for problem in _unknown_keys(section, PlanningRules, "planning"):
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


def _unknown_keys(value: object, kind: object, path: str) -> Iterator[Text]:
    """A misspelt key would otherwise be dropped in silence and the default used."""
    arguments = typing.get_args(kind)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and isinstance(value, Mapping):
        hints = typing.get_type_hints(kind)
        for key, inner in value.items():
            if key not in hints:
                yield Text("没有 {key} 这一项，可用：{known}", "there is no key {key}; known are {known}").format(
                    key=f"{path}.{key}", known=", ".join(hints)
                )
            else:
                yield from _unknown_keys(inner, hints[key], f"{path}.{key}")
    elif typing.get_origin(kind) is tuple and isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unknown_keys(inner, arguments[0], f"{path}[{index}]")
    elif typing.get_origin(kind) is Mapping and isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _unknown_keys(inner, arguments[1], f"{path}.{key}")


def _impossible(rules: PlanningRules) -> Iterator[Text]:
    if not 1 <= rules.weeks <= MAX_WEEKS:
        yield Text("weeks 应为 1 到 {m}", "weeks must be 1 to {m}").format(m=MAX_WEEKS)
    if not rules.windows or not rules.crews:
        yield Text("至少要有一个窗口和一个班组", "at least one window and one crew are needed")
    for window in rules.windows:
        if not _CLOCK.fullmatch(window.start):
            yield Text(
                '窗口开始时间应写成 "22:00"，不是 {v}', 'write the start of a window as "22:00", not {v}'
            ).format(v=window.start)
        if not 30 <= window.minutes <= 1440:
            yield Text("窗口长度应为 30 到 1440 分钟", "a window must be 30 to 1440 minutes long")
    names = [c.name for c in rules.crews]
    if len(set(names)) != len(names):
        yield Text("班组重名", "two crews have the same name")
    for freeze in rules.freezes:
        if freeze.ends_on < freeze.starts_on:
            yield Text("封网期 {n} 的结束早于开始", "freeze {n} ends before it starts").format(n=freeze.name)
        if freeze.every_year and (freeze.ends_on - freeze.starts_on).days > 300:
            yield Text("每年重复的封网期 {n} 过长", "freeze {n} is too long to repeat every year").format(n=freeze.name)
    if any(not 1 <= p <= 100 for p in rules.priorities.values()):
        yield Text("优先级应为 1 到 100", "a priority must be 1 to 100")
    if any(m.cutover_min < 1 or m.reserve_min < 0 for m in rules.durations.values()):
        yield Text("durations 的分钟数不能为负", "minutes in durations can't be negative")
    numbers = [*_numbers(rules.capacity), *_numbers(rules.duration), *_numbers(rules.defaults), *_numbers(rules.costs)]
    if any(n < 0 for n in numbers) or rules.holiday_margin_days < 0 or rules.duration.final_sync_mbps < 1:
        yield Text("数值不能为负，final_sync_mbps 至少为 1", "numbers can't be negative; final_sync_mbps is at least 1")


def _numbers(value: object) -> list[int]:
    fields = dataclasses.fields(value)  # type: ignore[arg-type]
    return [n for f in fields if (n := getattr(value, f.name)) is not None]
