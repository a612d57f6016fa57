"""Which groups need which, as a drawing: a column for each wave in order of time, arrows to what is needed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from govcloud.model.plan import MigrationPlan
from govcloud.model.text import Lang, Text
from govcloud.report.charts import text_px
from govcloud.report.plan_index import PlanIndex, build_index
from govcloud.report.plan_links import GroupLink, find_links
from govcloud.report.plan_svg import BLUE, GREY, GRID, INK, ORANGE, PALE, RED, Pages, Sheet, message

MOST_NODES, MOST_COLUMNS = 80, 12
_WIDE, _NARROW, _GAP, _ROW, _BOX, _TOP = 190, 104, 64, 34, 24, 30
_SWEEPS = 4
_LAST = 10**9
"""The column of what has no window, behind all waves."""


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        return self.y + _BOX / 2


def render_plan_graph(plan: MigrationPlan, lang: Lang, pages: Pages | None = None) -> str:
    """SVG. More than 80 groups or 12 waves are drawn by waves; groups without any tie give way to those that have one."""
    index = build_index(plan)
    links = find_links(index)
    linked = {g for link in links for g in (link.source, link.target)}
    shown = [g for g in index.groups if g in index.waves or g in linked]
    if len(shown) > MOST_NODES:
        shown = [g for g in shown if g in linked]
    columns: dict[int, list[str]] = defaultdict(list)
    for group_id in shown:
        wave = index.waves.get(group_id)
        columns[wave.number if wave else _LAST].append(group_id)
    if not shown:
        return message(Text("各组之间没有依赖关系", "No group depends on another").to(lang))
    if len(shown) > MOST_NODES or len(columns) > MOST_COLUMNS:
        return _by_wave(index, links, lang, pages or Pages())
    return _by_group(index, links, {n: columns[n] for n in sorted(columns)}, lang, pages or Pages())


def _by_group(
    index: PlanIndex, links: Sequence[GroupLink], columns: Mapping[int, list[str]], lang: Lang, pages: Pages
) -> str:
    width = _WIDE if len(columns) <= MOST_COLUMNS // 2 else _NARROW
    order = _order(columns, links)
    place = {
        g: _Box(c * (width + _GAP), _TOP + r * _ROW, width)
        for c, number in enumerate(columns)
        for r, g in enumerate(order[number])
    }
    height = _TOP + _ROW * max(map(len, columns.values()))
    sheet = Sheet(max(len(columns) * (width + _GAP) - _GAP + 30, 700), height + 60)
    hubs = {index.group_of.get(h.system_id) for h in index.plan.problem.hubs}
    for c, number in enumerate(columns):
        wave = None if number == _LAST else index.plan.waves[number - 1]
        title = Text("第 {n} 批　{d}", "Wave {n} · {d}").format(
            n=number, d=f"{wave.window.opens_on:%m-%d}" if wave else ""
        )
        head = title if wave else Text("没有窗口", "no window")
        with sheet.link(pages.wave if wave else "", number, head.to(lang)):
            sheet.text(c * (width + _GAP), 14, head.to(lang), bold=True, most_px=width + _GAP - 8)
    for link in links:
        if link.source in place and link.target in place:
            _draw_link(sheet, place[link.source], place[link.target], link, _is_broken(index, link), lang)
    for group_id, box in place.items():
        hub = group_id in hubs
        label = f"{group_id} {index.name(group_id).to(lang)}" if width == _WIDE else group_id
        hint = f"{group_id} {index.name(group_id).to(lang)}"
        with sheet.link(pages.subject, group_id, hint):
            sheet.rect(box.x, box.y, box.width, _BOX, "#dcebf7" if hub else "#ffffff", stroke=BLUE if hub else GREY,
                       round_px=3, hint=hint)  # fmt: skip
            sheet.text(box.x + 7, box.y + 16.5, label, most_px=box.width - 12)
    _key(sheet, height + 14, lang)
    return sheet.svg()


def _is_broken(index: PlanIndex, link: GroupLink) -> bool:
    """What is needed moves later than what needs it."""
    source, target = index.waves.get(link.source), index.waves.get(link.target)
    return source is not None and target is not None and target.number > source.number


def _order(columns: Mapping[int, list[str]], links: Sequence[GroupLink]) -> dict[int, list[str]]:
    """Rows follow the mean of their neighbours', there and back, so that fewer lines cross."""
    around: dict[str, set[str]] = defaultdict(set)
    for link in links:
        around[link.source].add(link.target)
        around[link.target].add(link.source)
    order = {n: sorted(groups) for n, groups in columns.items()}
    row = {g: float(r) for groups in order.values() for r, g in enumerate(groups)}
    for sweep in range(_SWEEPS):
        for number in order if sweep % 2 == 0 else reversed(order):
            means = {}
            for group_id in order[number]:
                near = [row[g] for g in around[group_id] if g in row and g not in order[number]]
                means[group_id] = (sum(near) / len(near) if near else row[group_id], group_id)
            order[number].sort(key=means.__getitem__)
            row |= {g: float(r) for r, g in enumerate(order[number])}
    return order


def _draw_link(sheet: Sheet, source: _Box, target: _Box, link: GroupLink, broken: bool, lang: Lang) -> None:
    colour = RED if broken else ORANGE if link.kind == "bridge" else GREY
    if source.x == target.x:
        # Beside the column: a bow from right edge to right edge.
        x, x2, turn = source.x + source.width, target.x + target.width + 5, -1
        bow = x + 26 + abs(source.y - target.y) * 0.06
        d = f"M{x:.0f} {source.middle:.0f}C{bow:.0f} {source.middle:.0f} {bow:.0f} {target.middle:.0f} {x2:.0f} {target.middle:.0f}"
    else:
        left = target.x < source.x
        x, x2 = (source.x, target.x + target.width + 5) if left else (source.x + source.width, target.x - 5)
        turn = -1 if left else 1
        d = _way(source, target, x, x2)
    hint = Text("{a} 依赖 {b}（{n} 条）", "{a} needs {b} ({n} ties)").format(a=link.source, b=link.target, n=link.ties)
    dash = "6 4" if link.kind == "bridge" else ""
    sheet.path(d, stroke=colour, width=1.8 if colour != GREY else 1.1, dash=dash, hint=hint.to(lang))
    tip, y = x2 + 5 * turn, target.middle
    sheet.path(f"M{tip:.0f} {y:.0f}L{tip - 7 * turn:.0f} {y - 4:.0f}L{tip - 7 * turn:.0f} {y + 4:.0f}Z", fill=colour)


def _way(source: _Box, target: _Box, x: float, x2: float) -> str:
    """A bow to the next column; further on, through the gap between two rows, so that no box lies on the line."""

    def bow(a: float, ya: float, b: float, yb: float) -> str:
        half = (a + b) / 2
        return f"C{half:.0f} {ya:.0f} {half:.0f} {yb:.0f} {b:.0f} {yb:.0f}"

    start = f"M{x:.0f} {source.middle:.0f}"
    if abs(source.x - target.x) <= source.width + _GAP:
        return start + bow(x, source.middle, x2, target.middle)
    row = round(((source.y + target.y) / 2 - _TOP) / _ROW)
    lane = _TOP + row * _ROW - (_ROW - _BOX) / 2 + (source.y / _ROW % 3 - 1) * 2
    step = _GAP - 8 if x2 > x else 8 - _GAP
    return (
        start
        + bow(x, source.middle, x + step, lane)
        + f"L{x2 - step:.0f} {lane:.0f}"
        + bow(x2 - step, lane, x2, target.middle)
    )


def _key(sheet: Sheet, y: float, lang: Lang) -> None:
    """Lines as they are drawn, so that the key says more than a colour."""
    entries = (
        (GREY, "", Text("弱依赖，箭头指向被依赖的一方", "weak dependency; the arrow points to what is needed")),
        (ORANGE, "6 4", Text("断开的强依赖（临时打通）", "cut tie with a temporary connection")),
        (RED, "", Text("被依赖的一方迁得更晚", "what is needed moves later")),
    )
    x = 0.0
    for colour, dash, text in entries:
        word = text.to(lang)
        if x + 40 + text_px(word) > sheet.width and x:
            x, y = 0.0, y + 20
        sheet.line(x, y + 6, x + 28, y + 6, colour, width=1.8, dash=dash)
        sheet.text(x + 34, y + 10.5, word, fill=GREY)
        x += 34 + text_px(word) + 22
    hub = Text("公共服务", "shared service").to(lang)
    if x + 40 + text_px(hub) > sheet.width:
        x, y = 0.0, y + 20
    sheet.rect(x, y, 20, 12, "#dcebf7", stroke=BLUE, round_px=3)
    sheet.text(x + 26, y + 10.5, hub, fill=GREY)
    sheet.height = y + 22


def _by_wave(index: PlanIndex, links: Sequence[GroupLink], lang: Lang, pages: Pages) -> str:
    """Waves along a line; bows above lead back to earlier waves, bows below to later ones. Their width is how many."""
    counts: Counter[tuple[int, int]] = Counter()
    cut: Counter[tuple[int, int]] = Counter()
    for link in links:
        source, target = index.waves.get(link.source), index.waves.get(link.target)
        if source is not None and target is not None and source is not target:
            counts[source.number, target.number] += link.ties
            cut[source.number, target.number] += link.kind == "bridge"
    waves = index.plan.waves
    step = max(26.0, min(64.0, 1180 / max(len(waves), 1)))
    reach = max((abs(a - b) for a, b in counts), default=1)
    above = min(260.0, 30 + reach * step / 2)
    below = above / 2 if any(b > a for a, b in counts) else 24
    sheet = Sheet(max(len(waves) * step + 10, 700), above + below + 70)
    most = max(counts.values(), default=1)
    line = above + 20
    for (a, b), ties in sorted(counts.items(), key=lambda item: item[1]):
        x, x2 = (a - 0.5) * step, (b - 0.5) * step
        height = abs(a - b) / reach * (above - 30 if b < a else -(below - 24)) * 1.3
        y = line - 12 if b < a else line + 12
        hint = Text("第 {a} 批依赖第 {b} 批：{n} 条，其中断开的强依赖 {c} 条", "wave {a} needs wave {b}: {n} ties, {c} of them cut").format(
            a=a, b=b, n=ties, c=cut[a, b])  # fmt: skip
        sheet.path(f"M{x:.1f} {y:.1f}C{x:.1f} {y - height:.1f} {x2:.1f} {y - height:.1f} {x2:.1f} {y:.1f}",
                   stroke=RED if b > a else ORANGE if cut[a, b] else BLUE, width=0.8 + 4 * ties / most, opacity=0.45, hint=hint.to(lang))  # fmt: skip
    for wave in waves:
        x = (wave.number - 0.5) * step
        hint = Text("第 {n} 批 {d}：{k} 个系统", "Wave {n}, {d}: {k} systems").format(
            n=wave.number, d=wave.window.opens_on, k=len(wave.moves)
        )
        with sheet.link(pages.wave, wave.number, hint.to(lang)):
            sheet.rect(x - 11, line - 11, 22, 22, PALE, stroke=INK, round_px=11, hint=hint.to(lang))
            sheet.text(x, line + 4, str(wave.number), size=11, anchor="middle")
    bottom = line + below
    sheet.line(0, bottom + 4, sheet.width, bottom + 4, GRID)
    words = Text(
        "圆圈为批次；弧线从需要方连到被依赖的批次，越粗依赖越多。上方：被依赖的先迁；下方红色：被依赖的后迁；橙色：含断开的强依赖",
        "Circles are waves; a bow leads from a wave to one that it needs, the wider the more ties. Above: needed earlier. Below, red: needed later. Orange: with cut ties",
    ).to(lang)
    half = len(words) // 2 if text_px(words, 12) > sheet.width else len(words)
    cutting = next((i for i in range(half, len(words)) if words[i] in "；。. "), len(words) - 1) + 1
    sheet.text(0, bottom + 24, words[:cutting], fill=GREY)
    sheet.text(0, bottom + 42, words[cutting:].strip(), fill=GREY)
    sheet.height = bottom + 50
    return sheet.svg()
