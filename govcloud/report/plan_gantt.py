"""The whole plan as a drawing: every group's work from the first adaptation to the takeover, over windows and freezes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from govcloud.model.plan import Activity, MigrationPlan
from govcloud.model.plan_names import JOB_NAMES
from govcloud.model.plan_problem import JobKind
from govcloud.model.text import Lang, Text
from govcloud.report.charts import text_px
from govcloud.report.plan_index import PlanIndex, build_index, freezes_over, is_general
from govcloud.report.plan_svg import (
    BLUE,
    GREEN,
    GREY,
    GRID,
    INK,
    ORANGE,
    PALE,
    PINK,
    RED,
    SKY,
    Pages,
    Sheet,
    fit,
    message,
    ticks,
)
from govcloud.report.plan_words import day_text

MOST_ROWS = 60
"""A plan of more groups is drawn with a row for each wave; of more waves, with a row for each month."""
_ROW, _BAR, _PLOT, _MOST_LABEL = 22, 12, 760, 300
_STRIP = 20
_DAY = timedelta(days=1)
# Preparation in blues, what follows the cutover in greens: the order on the axis says the rest.
_COLOURS: Mapping[JobKind, str] = {
    "adapt": PINK, "provision": "#9ecae1", "replicate": SKY, "rehearse": BLUE, "cutover": RED, "trial": GREEN,
    "refile": "#a6d8c5", "accept": "#66b899", "takeover": "#1b6e52", "retention": "#d0d5da", "switch_off": "#7f8a94",
    "notice": "#f3d08a", "archive": ORANGE, "close": INK,
}  # fmt: skip
_SLOW: frozenset[JobKind] = frozenset(["retention", "switch_off"])
"""They go on for months after the others; the drawing ends before them where it would grow by more than the share."""
_SLOW_SHARE = 1.5
_LEAST_NAME = 110
"""Pixels that the name of a short freeze may take."""
_FREEZE = "#a8593c"
_WINDOWS = Text("变更窗口（数字为批次，空心未用）", "Windows (wave; hollow: not used)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    label: str
    group_ids: tuple[str, ...]
    network: Activity | None = None


def render_plan_gantt(
    plan: MigrationPlan, lang: Lang, *, today: date | None = None, whys: Mapping[str, Text] | None = None,
    pages: Pages | None = None,
) -> str:  # fmt: skip
    """SVG. `today`: where the line of today stands; `whys`: group id -> why then, shown on hover."""
    index = build_index(plan)
    rows = [*_group_rows(index, lang), *_network_rows(index, lang)]
    if not rows:
        return message(Text("计划中没有安排", "There is nothing in the plan").to(lang))
    return _Gantt(index, rows, lang, today, whys or {}, pages or Pages()).draw()


def _group_rows(index: PlanIndex, lang: Lang) -> list[_Row]:
    def begins(group_id: str) -> tuple[date, str]:
        wave = index.waves.get(group_id)
        days = [a.starts_on for a in index.activities.get(group_id, ())]
        return (wave.window.opens_on if wave else min(days)), group_id

    placed = sorted((g for g in index.groups if g in index.waves or index.activities.get(g)), key=begins)
    if len(placed) <= MOST_ROWS:
        return [_Row(label=f"{g} {index.name(g).to(lang)}", group_ids=(g,)) for g in placed]
    by_month = len(index.plan.waves) > MOST_ROWS
    together: dict[str, list[str]] = {}
    none = Text("不占用窗口", "no window").to(lang)
    for group_id in placed:
        wave = index.waves.get(group_id)
        if wave is None:
            key = none
        elif by_month:
            key = f"{wave.window.opens_on:%Y-%m}"
        else:
            key = Text("第 {n} 批　{d}", "Wave {n} · {d}").format(n=wave.number, d=wave.window.opens_on).to(lang)
        together.setdefault(key, []).append(group_id)
    count = Text("{k}（{n} 组）", "{k} ({n} groups)")
    return [_Row(label=count.format(k=k, n=len(ids)).to(lang), group_ids=tuple(ids)) for k, ids in together.items()]


def _network_rows(index: PlanIndex, lang: Lang) -> list[_Row]:
    closings = sorted((a for a in index.plan.activities if a.kind == "close"), key=lambda a: (a.ends_on, a.job_id))
    rest = len(closings) - MOST_ROWS // 2
    shown = closings if rest <= 0 else closings[: MOST_ROWS // 2]
    word = Text("专网 {n}", "network {n}")
    rows = [
        _Row(label=word.format(n=index.name(a.subject_id)).to(lang), group_ids=(), network=a) for a in shown
    ]  # fmt: skip
    if rest > 0:
        more = Text("另有 {n} 条专网见表", "{n} more networks: see the table").format(n=rest)
        rows.append(_Row(label=more.to(lang), group_ids=()))
    return rows


class _Gantt:
    """The parts of the drawing from top to bottom: axis, freezes and windows, rows, key."""

    def __init__(
        self, index: PlanIndex, rows: Sequence[_Row], lang: Lang, today: date | None, whys: Mapping[str, Text], pages: Pages
    ) -> None:  # fmt: skip
        self.index, self.rows, self.lang, self.today, self.whys, self.pages = index, rows, lang, today, whys, pages
        work = [a for a in index.plan.activities if a.kind not in _SLOW]
        days = [index.plan.problem.starts_on, *(w.window.opens_on for w in index.plan.waves)]
        # A day of air on both sides; a work of no length lies on one day.
        self.first = min([*days, *(a.starts_on for a in work)])
        last, whole = (max([*days, *(a.ends_on for a in some)]) for some in (work, index.plan.activities))
        # Keeping the old place may take years, which would press all the rest into a corner.
        within = whole - self.first <= _SLOW_SHARE * (last - self.first)
        self.last = (whole if within else last) + 3 * _DAY
        self.left = min(max([text_px(_WINDOWS.to(lang)), *(text_px(r.label) for r in rows)]), _MOST_LABEL) + 14
        self.top = 26 + 2 * _STRIP
        self.bottom = self.top + _ROW * len(rows)
        self.sheet = Sheet(self.left + _PLOT + 12, self.bottom + 76)
        self.hatched = self.sheet.hatch("freeze", _FREEZE)

    def x(self, day: date) -> float:
        share = (day - self.first).days / max((self.last - self.first).days, 1)
        return self.left + _PLOT * min(max(share, 0), 1)

    def draw(self) -> str:
        self._axis()
        self._freezes()
        self._windows()
        for n, row in enumerate(self.rows):
            y = self.top + n * _ROW
            if n % 2:
                self.sheet.rect(0, y, self.left, _ROW, PALE)
            self.sheet.line(0, y + _ROW, self.left + _PLOT, y + _ROW, GRID)
            with self.sheet.link(*self._page(row), row.label):
                self._label(row, y)
                if row.network is not None:
                    self._network(row.network, y)
                elif len(row.group_ids) == 1:
                    self._bars(self.index.activities.get(row.group_ids[0], ()), y, row.label)
                else:
                    self._lanes(row, y)
                self._cutovers(row, y)
        self._today()
        self._key()
        return self.sheet.svg()

    def _page(self, row: _Row) -> tuple[str, object]:
        if row.network is not None:
            return self.pages.network, row.network.subject_id
        if len(row.group_ids) == 1:
            return self.pages.subject, row.group_ids[0]
        numbers = {w.number for g in row.group_ids if (w := self.index.waves.get(g)) is not None}
        return (self.pages.wave, numbers.pop()) if len(numbers) == 1 else ("", "")

    def _axis(self) -> None:
        previous = -1e9
        for day in ticks(self.first, self.last, 14):
            x = self.x(day)
            self.sheet.line(x, 20, x, self.bottom, GRID)
            label = f"{day:%m-%d}" if day.day != 1 or day.month != 1 else f"{day:%Y-%m-%d}"
            if x - previous >= text_px(label) + 6 and x + text_px(label) / 2 < self.left + _PLOT + 12:
                self.sheet.text(x, 14, label, anchor="middle", fill=GREY)
                previous = x
        self.sheet.text(0, 14, f"{self.first:%Y-%m-%d} – {self.last - 3 * _DAY:%Y-%m-%d}", fill=GREY)

    def _freezes(self) -> None:
        """Hatched over all rows where everybody is bound; named in the strip above as far as the names have room."""
        self.sheet.text(0, 26 + 14, Text("封网", "Freezes").to(self.lang), fill=GREY)
        end_of_name = -1e9
        for freeze in sorted(self.index.plan.problem.freezes, key=lambda f: f.starts_at):
            start = freeze.starts_at.astimezone(self.index.zone).date()
            end = freeze.ends_at.astimezone(self.index.zone).date()
            if end < self.first or start > self.last:
                continue
            x, x2 = self.x(start), max(self.x(end), self.x(start) + 3)
            hint = (
                Text("{t}：{a} 至 {b}", "{t}: {a} to {b}").format(t=freeze.title, a=start, b=end - _DAY).to(self.lang)
            )
            general = is_general(freeze)
            self.sheet.rect(x, 26, x2 - x, (self.bottom if general else 26 + _STRIP) - 26, self.hatched, hint=hint)
            name = fit(freeze.title.to(self.lang), max(x2 - x - 4, _LEAST_NAME), 11)
            if x >= end_of_name and x + text_px(name, 11) < self.left + _PLOT:
                self.sheet.text(x + 2, 26 + 14, name, size=11, fill=_FREEZE)
                end_of_name = x + text_px(name, 11) + 8

    def _windows(self) -> None:
        """Triangles: filled with the wave's number above where used, open where not, none where frozen."""
        y = 26 + _STRIP
        self.sheet.text(0, y + 14, _WINDOWS.to(self.lang), fill=GREY)
        numbers = {w.window.window_id: w for w in self.index.plan.waves}
        end_of_number = -1e9
        for window in self.index.plan.problem.windows:
            if not self.first <= window.opens_on <= self.last:
                continue
            x, wave = self.x(window.opens_on), numbers.get(window.window_id)
            met = freezes_over(self.index.plan, window.starts_at, window.ends_at)
            if wave is None and any(is_general(f) for f in met):
                continue
            hint = day_text(window.starts_at, self.index.zone).to(self.lang)
            d = f"M{x - 4:.1f} {y + 11}L{x + 4:.1f} {y + 11}L{x:.1f} {y + 18}Z"
            if wave is None:
                self.sheet.path(d, stroke=GREY, fill="#ffffff", hint=hint)
                continue
            with self.sheet.link(self.pages.wave, wave.number, hint):
                self.sheet.path(d, stroke=RED, fill=RED, hint=hint)
                if x - end_of_number > text_px(str(wave.number), 10) + 2:
                    self.sheet.text(x, y + 9, str(wave.number), size=10, anchor="middle", fill=RED)
                    end_of_number = x

    def _label(self, row: _Row, y: float) -> None:
        why = self.whys.get(row.group_ids[0]) if len(row.group_ids) == 1 else None
        self.sheet.text(0, y + 15.5, row.label, most_px=_MOST_LABEL)
        if why is not None:
            # Over the whole row's label, so that the reason is found without aiming.
            self.sheet.rect(0, y, self.left, _ROW, "#ffffff", opacity=0.01, hint=why.to(self.lang))

    def _bars(self, work: Sequence[Activity], y: float, label: str) -> None:
        """What goes on at the same time shares the height of the row."""
        shown = [a for a in work if a.starts_on <= min(a.ends_on, self.last)]
        for activity, lane, lanes in _lanes_of(shown):
            x, x2 = self.x(activity.starts_on), self.x(activity.ends_on + _DAY)
            self.sheet.rect(
                x, y + (_ROW - _BAR) / 2 + lane * _BAR / lanes, max(x2 - x, 1.5), _BAR / lanes, _COLOURS[activity.kind],
                hint=self._span(JOB_NAMES[activity.kind], activity.starts_on, activity.ends_on, label),
            )  # fmt: skip

    def _span(self, kind: Text, start: date, end: date, label: str) -> str:
        text = Text("{w} {k}：{a} 至 {b}", "{w} {k}: {a} to {b}")
        return text.format(w=label, k=kind, a=start, b=end).to(self.lang)

    def _lanes(self, row: _Row, y: float) -> None:
        """Of many groups: a thin line for each kind of work, from the first start to the last end."""
        spans: dict[JobKind, tuple[date, date]] = {}
        for group_id in row.group_ids:
            for a in self.index.activities.get(group_id, ()):
                start, end = spans.get(a.kind, (a.starts_on, a.ends_on))
                spans[a.kind] = (min(start, a.starts_on), max(end, a.ends_on))
        kinds = [k for k in _COLOURS if k in spans and spans[k][1] >= spans[k][0]]
        step = (_ROW - 4) / max(len(kinds), 1)
        for n, kind in enumerate(kinds):
            start, end = spans[kind]
            if start > self.last:
                continue
            x, x2 = self.x(start), self.x(end + _DAY)
            self.sheet.rect(x, y + 2 + n * step, max(x2 - x, 1.5), min(step, 5), _COLOURS[kind],
                            hint=self._span(JOB_NAMES[kind], start, end, row.label))  # fmt: skip

    def _cutovers(self, row: _Row, y: float) -> None:
        for wave in {w.number: w for g in row.group_ids if (w := self.index.waves.get(g)) is not None}.values():
            x = self.x(wave.window.opens_on)
            hint = Text("第 {n} 批割接 {d}", "Cutover in wave {n}, {d}").format(
                n=wave.number, d=day_text(wave.window.starts_at, self.index.zone)
            )
            self.sheet.rect(x - 2, y + 2, 5, _ROW - 4, RED, stroke="#ffffff", hint=hint.to(self.lang))

    def _network(self, close: Activity, y: float) -> None:
        name = self.index.name(close.subject_id).to(self.lang)
        hint = self._span(JOB_NAMES["close"], close.starts_on, close.ends_on, name)
        x, x2 = self.x(close.starts_on), self.x(close.ends_on + _DAY)
        self.sheet.rect(x, y + _ROW / 2 - 2, x2 - x, 4, INK, opacity=0.35)
        self.sheet.diamond(x2, y + _ROW / 2, 6, INK, hint)
        network = self.index.networks.get(close.subject_id)
        if network is not None and network.due_on is not None and self.first <= network.due_on <= self.last:
            due = self.x(network.due_on + _DAY)
            self.sheet.line(due, y + 3, due, y + _ROW - 3, RED, width=2, dash="3 2")

    def _today(self) -> None:
        if self.today is not None and self.first <= self.today <= self.last:
            x = self.x(self.today)
            self.sheet.line(x, 20, x, self.bottom, BLUE, width=1.5, dash="5 3")
            self.sheet.text(x + 3, self.bottom + 12, Text("今天", "today").to(self.lang), size=11, fill=BLUE)

    def _key(self) -> None:
        drawn: set[JobKind] = {a.kind for a in self.index.plan.activities}
        if self.index.plan.waves:
            drawn.add("cutover")
        entries = [(_COLOURS[k], JOB_NAMES[k].to(self.lang)) for k in _COLOURS if k in drawn and k != "close"]
        entries += list(self._signs(drawn))
        self.sheet.height = self.bottom + 22 + self.sheet.key(0, self.bottom + 20, entries, self.left + _PLOT)

    def _signs(self, drawn: set[JobKind]) -> Iterator[tuple[str, str]]:
        if self.index.plan.problem.freezes:
            yield self.hatched, Text("封网", "freeze").to(self.lang)
        if "close" in drawn:
            yield (
                INK,
                Text("专网撤销（菱形为完成，虚线为要求日期）", "network closed at the diamond (dashed: due)").to(
                    self.lang
                ),
            )


def _lanes_of(work: Sequence[Activity]) -> Iterator[tuple[Activity, int, int]]:
    """(activity, its lane, lanes of everything that it is chained to by overlaps), by start."""
    chain: list[tuple[Activity, int]] = []
    free: list[date] = []
    for activity in sorted(work, key=lambda a: (a.starts_on, a.ends_on)):
        if chain and activity.starts_on > max(free):
            yield from ((a, lane, len(free)) for a, lane in chain)
            chain, free = [], []
        lane = next((n for n, end in enumerate(free) if end < activity.starts_on), len(free))
        free[lane:] = [activity.ends_on, *free[lane + 1 :]]
        chain.append((activity, lane))
    yield from ((a, lane, len(free)) for a, lane in chain)
