"""Networks as a drawing: which systems hang on which network by what line, and where each network is to go.

One network alone is drawn with the servers on it, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from govcloud.model.network_ledger import RemainingNetwork
from govcloud.model.text import Lang, Text
from govcloud.report.charts import text_px
from govcloud.report.network_chart import FATES, fate_of
from govcloud.report.plan_svg import BLUE, GREY, ORANGE, PALE, RED, Pages, Sheet, message

MOST_NETWORKS, MOST_SYSTEMS, MOST_SERVERS = 40, 120, 120
"""Of more networks the first ones are drawn; of more systems only how many hang on each network; of more servers none."""
_HEADS = (
    Text("服务器", "Servers"), Text("系统", "Systems"), Text("网络与线路", "Networks and their lines"), Text("去向", "Where it goes"),
)  # fmt: skip
_WIDTHS, _GAP, _TOP = (190, 240, 290, 170), 90, 34
_STEPS, _HIGHS = (30, 30, 60, 60), (22, 22, 44, 30)
_SERVER, _SYSTEM, _NETWORK, _TARGET = range(4)
_KEY_PX = 620
Servers = Mapping[str, Sequence[tuple[str, str]]]
"""Label of a system (as in RemainingNetwork.systems), or empty for no known one -> ids and labels of its servers."""


@dataclass(frozen=True, slots=True)
class _Place:
    x: float
    y: float
    column: int

    @property
    def middle(self) -> float:
        return self.y + _HIGHS[self.column] / 2

    @property
    def right(self) -> float:
        return self.x + _WIDTHS[self.column]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    key: str
    label: str
    page: str = ""
    """Of a system: its id."""
    open_end: bool = False
    """Servers that belong to no known system."""


def render_network_map(rows: Sequence[RemainingNetwork], lang: Lang, pages: Pages | None = None) -> str:
    """SVG: systems on the left, the networks that they are on, and what is to become of each on the right."""
    if not rows:
        return message(Text("没有尚存的业务专网", "No dedicated network is left").to(lang))
    return _Map(rows, lang, pages or Pages()).draw()


def render_network(
    row: RemainingNetwork, lang: Lang, pages: Pages | None = None, *, servers: Servers, remains: bool
) -> str:
    """SVG of one network of any kind. `remains`: a dedicated one that is still there, so that it has to go somewhere."""
    return _Map([row], lang, pages or Pages(), servers, remains=remains).draw()


class _Map:
    def __init__(
        self, rows: Sequence[RemainingNetwork], lang: Lang, pages: Pages, servers: Servers | None = None, *, remains: bool = True
    ) -> None:  # fmt: skip
        order = list(FATES)
        found = sorted(rows, key=lambda r: (order.index(fate_of(r)), r.network.network_id))
        self.rows, self.rest = found[:MOST_NETWORKS], len(found) - MOST_NETWORKS
        self.lang, self.pages = lang, pages
        self.folded = len({s for r in self.rows for s in r.systems}) > MOST_SYSTEMS
        many = sum(map(len, (servers or {}).values())) > MOST_SERVERS
        self.servers: Servers = {} if servers is None or self.folded or many else servers
        self.on: Mapping[str, Sequence[_Box]] = {r.network.network_id: self._boxes(r) for r in self.rows}
        self.fates = [f for f in order if remains and any(fate_of(r) == f for r in self.rows)]
        self.lefts = self._lefts()
        self.height, self.places = self._lay_out()
        width = max(x + _WIDTHS[c] for c, x in self.lefts.items())
        self.sheet = Sheet(max(width, _KEY_PX), _TOP + self.height + 40)

    def _lefts(self) -> Mapping[int, float]:
        """Column -> where it begins; those with nothing in them are not there."""
        there = [bool(self.servers), any(self.on.values()), True, bool(self.fates)]
        lefts: dict[int, float] = {}
        x = 0.0
        for column in (c for c in range(len(_HEADS)) if there[c]):
            lefts[column] = x
            x += _WIDTHS[column] + _GAP
        return lefts

    def _boxes(self, row: RemainingNetwork) -> list[_Box]:
        network_id = row.network.network_id
        boxes = [_Box(key=s, label=s, page=s.partition(" ")[0]) for s in row.systems]
        if self.folded and boxes:
            many = Text("{n} 个系统", "{n} systems").format(n=len(boxes)).to(self.lang)
            boxes = [_Box(key=f"systems of {network_id}", label=many)]
        if row.servers:
            words = Text("{n} 台服务器，所属系统不明", "{n} servers of no known system").format(n=len(row.servers))
            boxes.append(_Box(key=f"servers of {network_id}", label=words.to(self.lang), open_end=True))
        return boxes

    def _lay_out(self) -> tuple[float, Mapping[tuple[int, str], _Place]]:
        """A column each, spread over the height of the tallest; systems follow the mean of their networks."""
        at: dict[str, list[int]] = defaultdict(list)
        for n, row in enumerate(self.rows):
            for box in self.on[row.network.network_id]:
                at[box.key].append(n)
        systems = sorted(at, key=lambda key: (sum(at[key]) / len(at[key]), key))
        boxes = {box.key: box for on in self.on.values() for box in on}
        servers = dict.fromkeys(i for key in systems for i, _ in self._of(boxes[key]))
        columns = (list(servers), systems, [r.network.network_id for r in self.rows], self.fates)
        height = max(_STEPS[c] * len(keys) for c, keys in enumerate(columns))
        places: dict[tuple[int, str], _Place] = {}
        for c, x in self.lefts.items():
            step = height / max(len(columns[c]), 1)
            places |= {(c, k): _Place(x, _TOP + n * step + (step - _HIGHS[c]) / 2, c) for n, k in enumerate(columns[c])}
        return height, places

    def _of(self, box: _Box) -> Sequence[tuple[str, str]]:
        """Its servers."""
        return self.servers.get("" if box.open_end else box.key, ())

    def draw(self) -> str:
        for c, x in self.lefts.items():
            self.sheet.text(x, 14, _HEADS[c].to(self.lang), bold=True)
        for row in self.rows:
            self._lines(row)
        drawn: set[str] = set()
        for row in self.rows:
            for box in self.on[row.network.network_id]:
                if box.key not in drawn:
                    self._system(box)
                    self._servers(box)
                    drawn.add(box.key)
            self._network(row)
        for fate in self.fates:
            word, colour = FATES[fate]
            place = self.places[_TARGET, fate]
            self.sheet.rect(place.x, place.y, _WIDTHS[_TARGET], _HIGHS[_TARGET], PALE, stroke=colour, round_px=3)
            self.sheet.rect(place.x, place.y, 6, _HIGHS[_TARGET], colour)
            self.sheet.text(place.x + 14, place.y + 20, word.to(self.lang), most_px=_WIDTHS[_TARGET] - 20)
        self._key()
        return self.sheet.svg()

    def _lines(self, row: RemainingNetwork) -> None:
        network = self.places[_NETWORK, row.network.network_id]
        for box in self.on[row.network.network_id]:
            self._bow(self.places[_SYSTEM, box.key], network, GREY, "2 3" if box.open_end else "")
        if not self.fates:
            return
        target = self.places[_TARGET, fate_of(row)]
        dated = row.network.target_on is not None or row.exemption is not None
        self._bow(network, target, BLUE if dated else ORANGE, "" if dated else "6 4")

    def _bow(self, source: _Place, target: _Place, colour: str, dash: str) -> None:
        x, x2, half = source.right, target.x, (source.right + target.x) / 2
        d = f"M{x:.0f} {source.middle:.1f}C{half:.0f} {source.middle:.1f} {half:.0f} {target.middle:.1f} {x2:.0f} {target.middle:.1f}"
        self.sheet.path(d, stroke=colour, width=1.4, dash=dash)

    def _system(self, box: _Box) -> None:
        place = self.places[_SYSTEM, box.key]
        with self.sheet.link(self.pages.subject if box.page else "", box.page, box.label):
            fill = "#f7ecdc" if box.open_end else "#ffffff"
            self.sheet.rect(place.x, place.y, _WIDTHS[_SYSTEM], _HIGHS[_SYSTEM], fill, stroke=GREY, round_px=3)
            self.sheet.text(place.x + 7, place.y + 15.5, box.label, most_px=_WIDTHS[_SYSTEM] - 12)

    def _servers(self, box: _Box) -> None:
        for server_id, label in self._of(box):
            place = self.places[_SERVER, server_id]
            self._bow(place, self.places[_SYSTEM, box.key], GREY, "2 3" if box.open_end else "")
            with self.sheet.link(self.pages.server, server_id, label):
                self.sheet.rect(place.x, place.y, _WIDTHS[_SERVER], _HIGHS[_SERVER], PALE, stroke=GREY, round_px=3)
                self.sheet.text(place.x + 7, place.y + 15.5, label, most_px=_WIDTHS[_SERVER] - 12)

    def _network(self, row: RemainingNetwork) -> None:
        network, place = row.network, self.places[_NETWORK, row.network.network_id]
        classified = Text("{n}（涉密）", "{n} (classified)").format(n=network.name)
        name = (classified if network.classified else Text(network.name, network.name)).to(self.lang)
        with self.sheet.link(self.pages.network, network.network_id, f"{name} {self._line(row)}"):
            stroke = RED if row.blockers else GREY
            self.sheet.rect(place.x, place.y, _WIDTHS[_NETWORK], _HIGHS[_NETWORK], "#dcebf7", stroke=stroke, round_px=3)
            self.sheet.text(place.x + 8, place.y + 17, name, bold=True, most_px=_WIDTHS[_NETWORK] - 14)
            self.sheet.text(place.x + 8, place.y + 35, self._line(row), size=11, fill=RED if row.blockers else GREY, most_px=_WIDTHS[_NETWORK] - 14)  # fmt: skip

    def _line(self, row: RemainingNetwork) -> str:
        network = row.network
        parts = [
            Text("受阻 {n} 项", "{n} blockers").format(n=len(row.blockers)).to(self.lang) if row.blockers else None,
            network.target_on and Text("计划 {d}", "planned {d}").format(d=network.target_on).to(self.lang),
            None if network.bandwidth_mbps is None else f"{network.bandwidth_mbps:g} Mbps", network.carrier, network.access,
            network.department,
        ]  # fmt: skip
        return " · ".join(p for p in parts if p)

    def _key(self) -> None:
        y, x = _TOP + self.height + 16.0, 0.0
        fates = (
            (BLUE, "", Text("去向有日期，或有保留依据", "dated, or asked to stay")),
            (ORANGE, "6 4", Text("去向没有日期", "without a date")),
        )
        on_it = (GREY, "", Text("系统在这个网络上", "the system is on the network"))
        for colour, dash, text in (on_it, *(fates if self.fates else ())):
            word = text.to(self.lang)
            self.sheet.line(x, y, x + 28, y, colour, width=1.8, dash=dash)
            self.sheet.text(x + 34, y + 4.5, word, fill=GREY)
            x += 34 + text_px(word) + 22
        if self.rest > 0:
            more = Text("只画前 {k} 条，另有 {n} 条：按部门筛选，或见下表",
                        "The first {k} are drawn, {n} more: choose a department, or see the table")  # fmt: skip
            self.sheet.text(0, y + 24, more.format(k=len(self.rows), n=self.rest).to(self.lang), fill=GREY)
