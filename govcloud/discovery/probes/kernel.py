"""Kernel release and machine type."""

from __future__ import annotations

from collections.abc import Mapping

from govcloud.model.inventory import Value

NAME = "kernel"
COMMAND = "uname -r; uname -m"


def parse(text: str) -> Mapping[str, Value]:
    lines = text.split()
    return {"kernel": lines[0], "arch": lines[1]} if len(lines) == 2 else {}
