"""Dedicated networks as a drawing: how many remain in each department, by where they are to go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from govcloud.model.network_ledger import RemainingNetwork
from govcloud.model.text import Lang, Text
from govcloud.report.bar_chart import render_bars
from govcloud.report.words import NETWORK_TARGET

FATES: Mapping[str, tuple[Text, str]] = {
    "extranet_public": (NETWORK_TARGET["extranet_public"], "#2f5d8c"),
    "extranet_vpn": (NETWORK_TARGET["extranet_vpn"], "#6f9bc4"),
    "intranet": (NETWORK_TARGET["intranet"], "#7a5a94"),
    "close": (NETWORK_TARGET["close"], "#4d7f5a"),
    "keep": (Text("保留（依据齐全）", "keep (grounds complete)"), "#8a7f3c"),
    "keep_unfounded": (Text("保留（依据不全）", "keep (grounds incomplete)"), "#a8593c"),
    "none": (Text("未定", "not decided"), "#c9ced4"),
}


def render_networks_by_department(rows: Sequence[RemainingNetwork], lang: Lang) -> str:
    counts = Counter((row.network.department, fate_of(row)) for row in rows)
    return render_bars(
        counts, FATES, lang, axis=Text("条数", "Networks"), unknown=Text("部门未填", "no department"),
        others=Text("其他 {n} 个部门", "{n} other departments"),
    )  # fmt: skip


def fate_of(row: RemainingNetwork) -> str:
    if row.exemption is not None:
        return "keep" if row.exemption.state == "founded" else "keep_unfounded"
    return row.network.target or "none"
