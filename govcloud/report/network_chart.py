"""Dedicated networks as a drawing: how many remain in each department, by where they are to go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import altair as alt

from govcloud.model.network_ledger import RemainingNetwork
from govcloud.model.text import Lang, Text
from govcloud.report.charts import build_data, build_svg, text_px
from govcloud.report.words import NETWORK_TARGET

_COLORS = {
    "extranet_public": "#2f5d8c", "extranet_vpn": "#6f9bc4", "intranet": "#7a5a94", "close": "#4d7f5a",
    "keep": "#8a7f3c", "keep_unfounded": "#a8593c", "none": "#c9ced4",
}  # fmt: skip
_WORDS: Mapping[str, Text] = {
    **NETWORK_TARGET, "keep": Text("保留（依据齐全）", "keep (founded)"),
    "keep_unfounded": Text("保留（依据不全）", "keep (not founded)"), "none": Text("未定", "not decided"),
}  # fmt: skip
_DEPARTMENTS = 20
_BAR_PX, _ROW_PX = 420, 24


def render_networks_by_department(rows: Sequence[RemainingNetwork], lang: Lang) -> str:
    """SVG: a bar a department, the longest first; what is beyond the first twenty stands in one bar."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        counts[(row.network.department or Text("部门未填", "no department").to(lang), _fate(row))] += 1
    sizes: Counter[str] = Counter()
    for (department, _), count in counts.items():
        sizes[department] += count
    shown = [name for name, _ in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))]
    if len(shown) > _DEPARTMENTS:
        rest = Text("其他 {n} 个部门", "{n} other departments").format(n=len(shown) - _DEPARTMENTS).to(lang)
        kept = set(shown[:_DEPARTMENTS])
        merged: Counter[tuple[str, str]] = Counter()
        for (department, fate), count in counts.items():
            merged[(department if department in kept else rest, fate)] += count
        counts, shown = merged, [*shown[:_DEPARTMENTS], rest]
    fates = [fate for fate in _COLORS if any(f == fate for _, f in counts)]
    values = [
        {"department": d, "fate": _WORDS[f].to(lang), "order": list(_COLORS).index(f), "networks": n}
        for (d, f), n in sorted(counts.items())
    ]
    most = max((sum(n for (d, _), n in counts.items() if d == name) for name in shown), default=1)
    gutter = max(map(text_px, shown), default=0) + 12
    x = (
        alt.X("networks:Q")
        .title(Text("条数", "Networks").to(lang))
        .axis(format="d", tickMinStep=1, tickCount=min(most, 8))
    )
    y = alt.Y("department:N").sort(shown).title(None).axis(labelPadding=8, ticks=False, minExtent=gutter)
    legend = alt.Legend(orient="bottom", direction="horizontal", columns=4, title=None, symbolType="square")
    color = alt.Color("fate:N").scale(
        domain=[_WORDS[f].to(lang) for f in fates], range=[_COLORS[f] for f in fates]
    ).legend(legend)  # fmt: skip
    chart = alt.Chart(build_data(values), width=_BAR_PX, height=_ROW_PX * max(len(shown), 1)).mark_bar(height=14)
    return build_svg(chart.encode(x=x, y=y, color=color, order=alt.Order("order:Q")))


def _fate(row: RemainingNetwork) -> str:
    if row.exemption is not None:
        return "keep" if row.exemption.state == "founded" else "keep_unfounded"
    return row.network.target or "none"
