"""Stable ids: the same thing met twice, in any file and on any machine, gets the same id."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?")


def normalize(text: str) -> str:
    """NFKC (full-width to half-width), trimmed, inner white space folded to one blank, case folded."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


def build_id(prefix: str, *parts: str) -> str:
    """`S-3f2a91bc07`: the prefix and ten hex digits of SHA-256 over the normalized parts."""
    digest = hashlib.sha256("\x1f".join(normalize(p) for p in parts).encode()).hexdigest()
    return f"{prefix}-{digest[:10]}"


def is_host_name(text: str) -> bool:
    """Whether the text may be handed to ssh and Ansible as a host name: an allow-list that never starts with `-`."""
    return _HOST.fullmatch(text) is not None
