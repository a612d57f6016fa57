"""Counts as bars that lie: a row a group, the longest first, each bar divided by kind, with the total written beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from govcloud.model.text import Lang, Text
from govcloud.report.charts import build_data, build_svg, text_px

_MOST = 20
_BAR_PX, _ROW_PX = 420, 24
_INK = "#1f2d3d"


def render_bars(
    counts: Mapping[tuple[str | None, str], int], kinds: Mapping[str, tuple[Text, str]], lang: Lang, *, axis: Text, unknown: Text,
    others: Text,
) -> str:  # fmt: skip
    """SVG. `counts`: (group, kind) -> number; a group None is called `unknown`.

    `kinds`: kind -> its word and colour, in the order of the parts of a bar. What is beyond the first twenty groups
    stands in one bar, called `others` (with `{n}`).
    """
    named = Counter[tuple[str, str]]()
    for (group, kind), count in counts.items():
        named[(group or unknown.to(lang), kind)] += count
    sizes = Counter[str]()
    for (group, _), count in named.items():
        sizes[group] += count
    shown = [name for name, _ in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))]
    if len(shown) > _MOST:
        kept, rest = set(shown[:_MOST]), others.format(n=len(shown) - _MOST).to(lang)
        merged = Counter[tuple[str, str]]()
        for (group, kind), count in named.items():
            merged[(group if group in kept else rest, kind)] += count
        sizes[rest] = sum(sizes[name] for name in shown[_MOST:])
        named, shown = merged, [*shown[:_MOST], rest]
    return build_svg(_bars(named, kinds, shown, sizes, axis, lang))


def _bars(
    counts: Mapping[tuple[str, str], int], kinds: Mapping[str, tuple[Text, str]], shown: Sequence[str], sizes: Mapping[str, int],
    axis: Text, lang: Lang,
) -> Any:  # fmt: skip
    there = [kind for kind in kinds if any(k == kind for _, k in counts)]
    order = list(kinds)
    rows = [
        {"group": group, "kind": kinds[kind][0].to(lang), "order": order.index(kind), "count": count}
        for (group, kind), count in sorted(counts.items())
    ]
    totals = [{"group": group, "count": sizes[group]} for group in shown]
    most = max((sizes[group] for group in shown), default=1)
    gutter = max(map(text_px, shown), default=0) + 12
    x = alt.X("count:Q").title(axis.to(lang)).axis(format="d", tickMinStep=1, tickCount=min(most, 8))
    y = alt.Y("group:N").sort(list(shown)).title(None).axis(labelPadding=8, ticks=False, minExtent=gutter)
    legend = alt.Legend(orient="bottom", direction="horizontal", columns=4, title=None, symbolType="square")
    color = alt.Color("kind:N").scale(
        domain=[kinds[kind][0].to(lang) for kind in there], range=[kinds[kind][1] for kind in there]
    ).legend(legend)  # fmt: skip
    tall = _ROW_PX * max(len(shown), 1)
    bars = alt.Chart(build_data(rows), width=_BAR_PX, height=tall).mark_bar(height=14)
    label = alt.Chart(build_data(totals), width=_BAR_PX, height=tall).mark_text(align="left", dx=4, color=_INK)
    return alt.layer(
        bars.encode(x=x, y=y, color=color, order=alt.Order("order:Q")),
        label.encode(x=alt.X("count:Q"), y=alt.Y("group:N").sort(list(shown)), text="count:Q"),
    )
