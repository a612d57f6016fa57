"""A sheet of SVG to draw on: rectangles, lines, labels and paths, with every text made harmless.

For drawings of hundreds of bars, which Vega takes seconds for, and for hatching and words on hover, which it has not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from urllib.parse import quote

from govcloud.report.charts import FONTS, text_px
from govcloud.report.literal import clean_text

INK, GREY, GRID, PALE = "#1f2d3d", "#6b7785", "#e3e8ee", "#f4f6f8"
# Okabe and Ito's palette without its yellow, which vanishes on white paper: safe for the colour-blind.
BLUE, ORANGE, GREEN, SKY, RED, PINK = "#0072b2", "#e69f00", "#009e73", "#56b4e9", "#d55e00", "#cc79a7"
SIZE = 12
"""Of labels, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Where the marks of a drawing lead to: addresses with {} for the id. Empty: nowhere, as on paper."""

    subject: str = ""
    """Of a group or a system."""
    wave: str = ""
    network: str = ""
    server: str = ""


class Sheet:
    def __init__(self, width: float, height: float, margin: float = 8) -> None:
        """Pixels, without the margin around."""
        self.width, self.height, self.margin = width, height, margin
        self._parts: list[str] = []

    def rect(
        self, x: float, y: float, width: float, height: float, fill: str, *, stroke: str = "", opacity: float = 1,
        hint: str = "", round_px: float = 0,
    ) -> None:  # fmt: skip
        more = f' stroke="{stroke}"' if stroke else ""
        more += f' opacity="{opacity:g}"' if opacity < 1 else ""
        more += f' rx="{round_px:g}"' if round_px else ""
        shape = f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0))}" height="{_n(height)}" fill="{fill}"{more}'
        self._parts.append(f"{shape}><title>{_text(hint)}</title></rect>" if hint else f"{shape}/>")

    def line(self, x: float, y: float, x2: float, y2: float, colour: str, *, width: float = 1, dash: str = "") -> None:
        more = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<line x1="{_n(x)}" y1="{_n(y)}" x2="{_n(x2)}" y2="{_n(y2)}" stroke="{colour}" stroke-width="{width:g}"{more}/>'
        )

    def path(self, d: str, *, stroke: str = "none", fill: str = "none", width: float = 1, dash: str = "", opacity: float = 1, hint: str = "") -> None:  # fmt: skip
        more = f' stroke-dasharray="{dash}"' if dash else ""
        more += f' opacity="{opacity:g}"' if opacity < 1 else ""
        shape = f'<path d="{d}" stroke="{stroke}" fill="{fill}" stroke-width="{width:g}"{more}'
        self._parts.append(f"{shape}><title>{_text(hint)}</title></path>" if hint else f"{shape}/>")

    def diamond(self, x: float, y: float, half: float, fill: str, hint: str = "") -> None:
        d = f"M{_n(x)} {_n(y - half)}L{_n(x + half)} {_n(y)}L{_n(x)} {_n(y + half)}L{_n(x - half)} {_n(y)}Z"
        self.path(d, fill=fill, stroke="#ffffff", hint=hint)

    def text(
        self, x: float, y: float, text: str, *, size: int = SIZE, anchor: str = "start", fill: str = INK, bold: bool = False,
        most_px: float | None = None,
    ) -> None:  # fmt: skip
        """On the base line y. A text wider than `most_px` is cut, and whole on hover."""
        shown = text if most_px is None else fit(text, most_px, size)
        more = f' text-anchor="{anchor}"' if anchor != "start" else ""
        more += ' font-weight="bold"' if bold else ""
        hint = f"<title>{_text(text)}</title>" if shown != text else ""
        self._parts.append(f'<text x="{_n(x)}" y="{_n(y)}" font-size="{size}" fill="{fill}"{more}>{hint}{_text(shown)}</text>')  # fmt: skip

    def hatch(self, name: str, colour: str) -> str:
        """A fill of slanted lines; used as `fill`."""
        self._parts.append(
            f'<defs><pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            f'<rect width="6" height="6" fill="{colour}" opacity="0.10"/>'
            f'<line x1="0" y1="0" x2="0" y2="6" stroke="{colour}" stroke-width="1.6" opacity="0.55"/></pattern></defs>'
        )
        return f"url(#{name})"

    @contextmanager
    def link(self, page: str, target: object, label: str) -> Iterator[None]:
        """What is drawn inside leads to the page of `target`; `label` says to a screen reader what that is."""
        if page:
            address = page.format(quote(str(target), safe=""))
            self._parts.append(f'<a href="{escape(address)}" aria-label="{_text(label)}">')
        yield
        if page:
            self._parts.append("</a>")

    def key(self, x: float, y: float, entries: Sequence[tuple[str, str]], most_px: float) -> float:
        """Coloured squares with their words, broken into lines at `most_px`; the height that they take."""
        at, line = x, y
        for colour, word in entries:
            width = 18 + text_px(word) + 18
            if at + width > most_px and at > x:
                at, line = x, line + 20
            self.rect(at, line, 12, 12, colour)
            self.text(at + 18, line + 10.5, word, fill=GREY)
            at += width
        return line + 20 - y

    def svg(self) -> str:
        width, height = self.width + 2 * self.margin, self.height + 2 * self.margin
        box = f"{_n(-self.margin)} {_n(-self.margin)} {_n(width)} {_n(height)}"
        size = f'width="{_n(width)}" height="{_n(height)}" viewBox="{box}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONTS}">'
        ground = f'<rect x="{_n(-self.margin)}" y="{_n(-self.margin)}" width="{_n(width)}" height="{_n(height)}" fill="#ffffff"/>'
        return f"{head}{ground}{''.join(self._parts)}</svg>"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _text(text: str) -> str:
    return escape(clean_text(" ".join(text.split())))


def fit(text: str, most_px: float, size: int = SIZE) -> str:
    """The text, cut with an ellipsis where it is wider."""
    if text_px(text, size) <= most_px:
        return text
    kept = text
    while kept and text_px(kept + "…", size) > most_px:
        kept = kept[:-1]
    return kept + "…"


def months(first: date, last: date) -> list[date]:
    """First days of the months that begin in [first, last]."""
    found, at = [], first.replace(day=1)
    while at <= last:
        if at >= first:
            found.append(at)
        at = (at + timedelta(days=32)).replace(day=1)
    return found


def ticks(first: date, last: date, most: int) -> list[date]:
    """Days for an axis: Mondays while there are few, else the first days of months, of every second, third … month."""
    weeks = [
        first + timedelta(days=n) for n in range((last - first).days + 1) if (first + timedelta(days=n)).weekday() == 0
    ]
    if len(weeks) <= most:
        return weeks
    found = months(first, last)
    return found[:: -(-len(found) // most)] if found else []


def message(text: str) -> str:
    """A drawing that says why there is none."""
    sheet = Sheet(640, 48)
    sheet.text(320, 29, text, anchor="middle", fill=GREY, size=13)
    return sheet.svg()
