"""What is compared to call a copied directory equal: manifests of both sides, row by row, whatever their size."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO
from urllib.parse import quote

from govcloud.model.text import Text

SHOWN = 20
"""How many differences a message lists."""
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Entry:
    path: bytes
    """Relative; empty for the directory itself."""
    kind: str
    """f file, d directory, l symbolic link."""
    mode: str
    """Octal; `-` for links."""
    owner: str
    """`user:group`; `-` where the target's account can't set owners."""
    size: int
    digest: str
    """SHA-256 of the content or of the link's goal; `-` for directories."""

    @property
    def line(self) -> str:
        return f"{self.kind} {self.mode} {self.owner} {self.size} {self.digest} {escape(self.path)}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    entries: int
    bytes: int
    sha256: str
    """Over the source's lines: the same tree gives the same digest on every host. Times are not part of it."""
    different: int
    """In the source, and missing or different in the target."""
    extra: int
    examples: tuple[str, ...]


def escape(path: bytes) -> str:
    """Names of any encoding on one line; as gov_manifest.py does it on the hosts."""
    text = path.decode("utf-8", "surrogateescape")
    kept = (c if c.isprintable() and c != "%" else quote(c.encode("utf-8", "surrogateescape")) for c in text)
    return "".join(kept) or "."


def parse_row(path: bytes, common: bytes) -> Entry:
    """One row of gov_manifest.py with digests. Raises ValueError for anything else."""
    kind, _, rest = common.partition(b" ")
    if kind == b"f":
        mode, owner, size, _, digest = rest.split(b" ")
        return Entry(path, "f", mode.decode(), _text(owner), int(size), digest.decode())
    if kind == b"d":
        mode, owner = rest.split(b" ")
        return Entry(path, "d", mode.decode(), _text(owner), 0, "-")
    if kind == b"l":
        owner, goal = rest.split(b" ", 1)
        return Entry(path, "l", "-", _text(owner), 0, hashlib.sha256(goal).hexdigest())
    raise ValueError(f"not a row: {common!r}")


def _text(owner: bytes) -> str:
    return owner.decode("utf-8", "backslashreplace")


def write_rows(into: IO[bytes], block: bytes) -> None:
    """Keep a block of rows as it came."""
    into.write(_LENGTH.pack(len(block)) + block)


def read_rows(stream: IO[bytes]) -> Iterator[Entry]:
    """What write_rows kept. Raises ValueError where it is cut: that must not pass for a small tree."""
    while head := stream.read(_LENGTH.size):
        (length,) = _LENGTH.unpack(head)
        block = stream.read(length)
        parts = block.split(b"\0")
        if len(block) < length or len(parts) % 3:
            raise ValueError("the listing is cut")
        for path, common in zip(parts[0::3], parts[1::3], strict=True):
            yield parse_row(path, common)


def compare_manifests(source: Iterable[Entry], target: Iterable[Entry], into: IO[str] | None = None) -> Comparison:
    """Both sorted as they come from the hosts. The source's lines are written to `into`."""
    digest, entries, size = hashlib.sha256(), 0, 0
    different, extra, examples = 0, 0, list[str]()
    there = iter(target)
    other = next(there, None)
    for entry in source:
        entries, size = entries + 1, size + entry.size
        digest.update(entry.line.encode("utf-8"))
        if into is not None:
            into.write(entry.line)
        while other is not None and _key(other) < _key(entry):
            extra += 1
            examples += [escape(other.path)] if len(examples) < SHOWN else []
            other = next(there, None)
        found = other if other is not None and other.path == entry.path else None
        if found != entry:
            different += 1
            examples += [escape(entry.path)] if len(examples) < SHOWN else []
        if found is not None:
            other = next(there, None)
    while other is not None:
        extra += 1
        examples += [escape(other.path)] if len(examples) < SHOWN else []
        other = next(there, None)
    return Comparison(
        entries=entries,
        bytes=size,
        sha256=digest.hexdigest(),
        different=different,
        extra=extra,
        examples=tuple(examples),
    )


def _key(entry: Entry) -> bytes:
    return entry.path.replace(b"/", b"\0")


def verify_manifests(compared: Comparison, name: str) -> list[Text]:
    if not compared.different and not compared.extra:
        return []
    return [
        Text(
            "目录 {name} 两侧不一致：缺少或不同 {a} 项，多出 {b} 项：{paths}",
            "Directory {name} differs: {a} missing or different, {b} extra: {paths}",
        ).format(name=name, a=compared.different, b=compared.extra, paths=", ".join(compared.examples))
    ]
