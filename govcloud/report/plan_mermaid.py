"""A plan in Mermaid's notation, for wikis and repositories that draw it: a Gantt chart and a graph of the groups."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from govcloud.model.plan import MigrationPlan, Wave
from govcloud.model.plan_names import JOB_NAMES
from govcloud.model.text import Lang, Text
from govcloud.report.plan_index import PlanIndex, build_index
from govcloud.report.plan_links import GroupLink, find_links
from govcloud.report.text import cell_text

_MOST_GROUPS, _MOST_LINKS = 60, 300
"""Mermaid refuses more than 500 edges and 50,000 characters unless its host allows them."""
# What Mermaid's grammars or the page around it would read as more than text, and what looks the same.
_SIGNS = {ord(c): chr(ord(c) + 0xFEE0) for c in ":;#\"'`<>[]{}()|\\&%,="} | {ord("\n"): " "}
_KEYWORD = re.compile(r"\s*(gantt|section|title|dateformat|axisformat|tickinterval|excludes|includes|todaymarker|weekday|weekend"
                      r"|click|call|href|acctitle|accdescr|inclusiveenddates|topaxis|end|subgraph|---)", re.IGNORECASE)  # fmt: skip


def render_plan_mermaid(plan: MigrationPlan, lang: Lang) -> str:
    """Markdown with two fenced diagrams. A plan of more groups than one can read is drawn by waves."""
    index = build_index(plan)
    title = _safe(Text("迁移计划 {p}", "Migration plan {p}").format(p=plan.plan_id).to(lang))
    parts = [f"# {title}", "", "```mermaid", *_gantt(index, title, lang), "```", ""]
    parts += ["```mermaid", *_graph(index, lang), "```", ""]
    return "\n".join(parts)


def _safe(text: str) -> str:
    """The signs of the grammars as their full-width forms: nothing is lost to a reader, nothing is left to a parser."""
    plain = " ".join(cell_text(text, "zh").translate(_SIGNS).split())
    return "·" + plain if _KEYWORD.match(plain) else plain


def _gantt(index: PlanIndex, title: str, lang: Lang) -> Iterator[str]:
    plan = index.plan
    yield "gantt"
    yield f"    title {title}"
    yield "    dateFormat YYYY-MM-DD"
    yield "    axisFormat %Y-%m-%d"
    many = len(index.groups) > _MOST_GROUPS
    for wave in plan.waves:
        day = wave.window.opens_on
        yield "    section " + _safe(Text("第 {n} 批", "Wave {n}").format(n=wave.number).to(lang)) + f" {day}"
        groups = list(dict.fromkeys(m.group_id for m in sorted(wave.moves, key=lambda m: m.starts_at)))
        yield from (_wave_lines(index, wave, groups, lang) if many else _group_lines(index, day, groups, lang))
    rest = [g for g in index.groups if g not in index.waves and index.activities.get(g)]
    if rest and not many:
        yield "    section " + _safe(Text("不占用窗口", "No window").to(lang))
        for group_id in rest:
            yield from _bars(index, group_id, lang)
    closings = [a for a in plan.activities if a.kind == "close"]
    if closings:
        yield "    section " + _safe(Text("业务专网撤销", "Networks closed").to(lang))
        for activity in closings:
            yield f"    {_safe(index.name(activity.subject_id).to(lang))} :milestone, {activity.ends_on}, 0d"


def _wave_lines(index: PlanIndex, wave: Wave, groups: Iterable[str], lang: Lang) -> Iterator[str]:
    work = [a for g in groups for a in index.activities.get(g, ())]
    day = wave.window.opens_on
    before = min((a.starts_on for a in work if a.ends_on <= day), default=day)
    after = max((a.ends_on for a in work), default=day)
    count = Text("{n} 个系统", "{n} systems").format(n=len(wave.moves)).to(lang)
    if before < day:
        yield _bar(Text("准备", "preparation").to(lang), "active", before, day - timedelta(days=1))
    yield _bar(f"{JOB_NAMES['cutover'].to(lang)} {count}", "crit", day, day)
    if after > day:
        yield _bar(Text("后续", "what follows").to(lang), "", day + timedelta(days=1), after)


def _group_lines(index: PlanIndex, day: date, groups: Iterable[str], lang: Lang) -> Iterator[str]:
    for group_id in groups:
        yield from _bars(index, group_id, lang, until=day)
        label = f"{group_id} {index.name(group_id).to(lang)} {JOB_NAMES['cutover'].to(lang)}"
        yield _bar(label, "crit", day, day)
        yield from _bars(index, group_id, lang, since=day)


def _bars(
    index: PlanIndex, group_id: str, lang: Lang, until: date | None = None, since: date | None = None
) -> Iterator[str]:
    for activity in index.activities.get(group_id, ()):
        if activity.ends_on < activity.starts_on:
            continue
        if (until is not None and activity.ends_on > until) or (since is not None and activity.ends_on <= since):
            continue
        tag = "active" if until is not None else ""
        yield _bar(f"{group_id} {JOB_NAMES[activity.kind].to(lang)}", tag, activity.starts_on, activity.ends_on)


def _bar(label: str, tag: str, first: date, last: date) -> str:
    """The end of a Mermaid bar is the morning of its day."""
    tags = f"{tag}, " if tag else ""
    return f"    {_safe(label)} :{tags}{first}, {last + timedelta(days=1)}"


def _graph(index: PlanIndex, lang: Lang) -> Iterator[str]:
    yield "flowchart LR"
    links = find_links(index)
    drawn = {g for link in links for g in (link.source, link.target)}
    if len(index.groups) > _MOST_GROUPS or len(links) > _MOST_LINKS:
        yield from _wave_graph(index, links, lang)
        return
    numbers = {group_id: n for n, group_id in enumerate(index.groups)}
    for wave in index.plan.waves:
        yield f'    subgraph w{wave.number}["{_safe(Text("第 {n} 批", "Wave {n}").format(n=wave.number).to(lang))}"]'
        for group_id in dict.fromkeys(m.group_id for m in wave.moves):
            yield f'        g{numbers[group_id]}["{_safe(f"{group_id} {index.name(group_id).to(lang)}")}"]'
        yield "    end"
    for group_id in index.groups:
        if group_id in drawn and group_id not in index.waves:
            yield f'    g{numbers[group_id]}["{_safe(f"{group_id} {index.name(group_id).to(lang)}")}"]'
    words = {"bridge": Text("断开的强依赖", "cut tie").to(lang), "weak": ""}
    for link in links:
        arrow = f'-. "{_safe(words[link.kind])}" .->' if words[link.kind] else "-->"
        yield f"    g{numbers[link.source]} {arrow} g{numbers[link.target]}"


def _wave_graph(index: PlanIndex, links: Iterable[GroupLink], lang: Lang) -> Iterator[str]:
    for wave in index.plan.waves:
        text = Text("第 {n} 批 {k} 个系统", "Wave {n} {k} systems").format(n=wave.number, k=len(wave.moves)).to(lang)
        yield f'    w{wave.number}["{_safe(text)}"]'
    counts: Counter[tuple[int, int]] = Counter()
    for link in links:
        if link.source in index.waves and link.target in index.waves:
            pair = index.waves[link.source].number, index.waves[link.target].number
            if pair[0] != pair[1]:
                counts[pair] += link.ties
    for (source, target), ties in sorted(counts.most_common(_MOST_LINKS)):
        yield f'    w{source} -- "{ties}" --> w{target}'
