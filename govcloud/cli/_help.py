"""How --help is laid out: headings and defaults in the language of the run, lines no wider than the terminal.

click counts characters, and breaks lines at spaces only: Chinese has none, and each of its characters is two columns wide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import click
from wcwidth import wcswidth

_PIECE = re.compile(
    r"[（“《]*[\u2e80-\u9fff\uff00-\uffef“”…]?[，。；：、）”》！？…]*|[^\s\u2e80-\u9fff\uff00-\uffef“”…]+|\s+"
)
"""What stays together: a Chinese character with its punctuation, a word of Latin letters, a space."""
_NAMES = 30
"""Columns for the names at most; a longer one has its description on the next line."""


class HelpFormatter(click.HelpFormatter):
    colon = ":"

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{heading}{self.colon}\n")

    def write_text(self, text: str) -> None:
        indent = " " * self.current_indent
        for line in wrap(text, self.width - self.current_indent):
            self.write(f"{indent}{line}\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = _NAMES, col_spacing: int = 2) -> None:
        rows, indent = list(rows), " " * self.current_indent
        column = min(max((wcswidth(name) for name, _ in rows), default=0), col_max) + col_spacing
        for name, says in rows:
            first, *rest = wrap(says, self.width - self.current_indent - column) or [""]
            if wcswidth(name) > column - col_spacing:
                self.write(f"{indent}{name}\n")
                name = ""
            self.write(f"{indent}{name}{' ' * (column - wcswidth(name))}{first}".rstrip() + "\n")
            for line in rest:
                self.write(f"{indent}{' ' * column}{line}\n")


class ChineseFormatter(HelpFormatter):
    colon = "："


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` columns; a word that is longer stands alone."""
    return [line.strip() for line in _lines(text, width) if line.strip()]


def _lines(text: str, width: int) -> Iterator[str]:
    line = ""
    for piece in _PIECE.findall(text):
        if line.strip() and wcswidth(line + piece.rstrip()) > width:
            yield line
            line = ""
        line += piece
    yield line
