"""Counts as bars for the overview, each with its numbers: findings by department, where systems run, how far they are on the road."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from govcloud.model.regulation import Severity
from govcloud.model.text import Text, same
from govcloud.report.findings import SEVERITY
from govcloud.report.plan_svg import BLUE
from govcloud.report.words import HOSTING

_MOST = 8
_SEVERITY_COLOURS: Mapping[Severity, str] = {
    "high": "#8c2d23",
    "medium": "#d9903d",
    "low": "#a9cbe8",
    "info": "#dfe3e7",
}
"""As in the papers: told apart in a black-and-white print, too."""
_SYSTEMS = ((Text("系统（个）", "Systems"), BLUE),)
ROAD: Mapping[str, Text] = {
    "open": Text("尚未排入计划", "Not in the plan yet"),
    "planned": Text("已排入计划，待执行", "Planned, not run yet"),
    "moving": Text("迁移执行中", "Migration under way"),
    "on_cloud": Text("已在政务云，未启动接管", "On the government cloud, takeover not begun"),
    "taking": Text("接管进行中", "Takeover under way"),
    "signed": Text("已完成接管", "Taken over"),
    "stopped": Text("已停用", "Stopped"),
}
"""How far a system is; each is at one place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    label: Text
    counts: tuple[int, ...]
    """One a kind."""
    key: str = ""
    """What a page is narrowed by to what the bar counts; empty: by nothing."""

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    name: str
    title: Text
    first: Text
    """Over the labels."""
    kinds: tuple[tuple[Text, str], ...]
    """Word and colour of each part of a bar."""
    rows: tuple[Bar, ...]

    @property
    def total(self) -> int:
        return sum(bar.total for bar in self.rows)

    def parts(self, bar: Bar) -> list[tuple[float, float, str]]:
        """Start, width and colour of its parts, in percent of the longest bar."""
        longest = max(b.total for b in self.rows) or 1
        found, at = [], 0.0
        for count, (_, colour) in zip(bar.counts, self.kinds, strict=True):
            width = 100 * count / longest
            if count:
                found.append((round(at, 2), round(width, 2), colour))
            at += width
        return found


def build_finding_bars(counts: Mapping[str | None, Mapping[Severity, int]]) -> Bars:
    """`counts`: department -> severity -> findings. The departments with most of them first, the rest together."""
    there = [s for s in SEVERITY if any(of.get(s) for of in counts.values())]

    def bar(label: Text, parts: Iterable[Mapping[Severity, int]], key: str = "") -> Bar:
        some = list(parts)
        return Bar(label=label, key=key, counts=tuple(sum(of.get(s, 0) for of in some) for s in there))

    order = sorted(counts, key=lambda name: (-sum(counts[name].values()), name is None, name or ""))
    shown, rest = (order, []) if len(order) <= _MOST + 1 else (order[:_MOST], order[_MOST:])
    rows = [
        bar(Text("部门不明", "no department") if n is None else same(n), [counts[n]], n or "unknown") for n in shown
    ]
    if rest:
        others = Text("其他 {n} 个部门", "{n} other departments").format(n=len(rest))
        rows.append(bar(others, [counts[n] for n in rest]))
    return Bars(
        name="by-department", title=Text("各部门的不符合项", "Findings by department"),
        first=Text("部门", "Department"), kinds=tuple((SEVERITY[s], _SEVERITY_COLOURS[s]) for s in there), rows=tuple(rows),
    )  # fmt: skip


def build_hosting_bars(counts: Mapping[str, int]) -> Bars:
    """`counts`: hosting or `unknown` -> systems."""
    words = {**HOSTING, "unknown": Text("不明", "unknown")}
    rows = [Bar(label=word, key=key, counts=(counts[key],)) for key, word in words.items() if counts.get(key)]
    return Bars(
        name="by-hosting", title=Text("系统部署在哪里", "Where systems run"), first=Text("部署方式", "Hosting"), kinds=_SYSTEMS,
        rows=tuple(sorted(rows, key=lambda b: -b.total)),
    )  # fmt: skip


def build_road_bars(counts: Mapping[str, int]) -> Bars:
    """`counts`: key of ROAD -> systems; those where nobody is are shown, too, except stopped ones."""
    rows = [Bar(label=word, key=k, counts=(counts.get(k, 0),)) for k, word in ROAD.items() if k != "stopped" or counts.get(k)]  # fmt: skip
    return Bars(
        name="by-road", title=Text("迁移与接管进度", "Progress of migration and takeover"), first=Text("走到哪一步", "How far"),
        kinds=_SYSTEMS, rows=tuple(rows),
    )  # fmt: skip
