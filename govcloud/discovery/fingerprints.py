"""A list of host-key fingerprints that came by another way than the network: `NAME [TYPE] SHA256:…` a line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from govcloud.errors import InputError
from govcloud.model.text import Text

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


def load_fingerprints(path: Path) -> Mapping[str, frozenset[str]]:
    """Host name -> its fingerprints; several lines a host are allowed. Raises InputError with the line."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            Text("指纹清单读不出来：{why}", "The list of fingerprints can't be read: {why}").format(
                why=getattr(error, "strerror", None) or error
            ),
            where=str(path),
            next_step=Text("检查路径", "Check the path"),
        ) from None
    return parse_fingerprints(text, str(path))


def parse_fingerprints(text: str, name: str) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split("#")[0].split()
        if not words:
            continue
        prints = frozenset(w for w in words[1:] if _FINGERPRINT.fullmatch(w))
        if not prints:
            raise InputError(
                Text("这一行没有 SHA256 指纹", "This line has no SHA256 fingerprint"),
                where=f"{name}:{number}",
                next_step=Text("每行写：主机名 SHA256:…", "Write a line as: NAME SHA256:…"),
            )
        found[words[0]] = found.get(words[0], frozenset()) | prints
    return found
