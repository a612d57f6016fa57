"""What is compared to call a copy equal: manifests of directories and digests of databases."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from govcloud.model.text import Text

SHOWN = 20
"""How many differences a message lists."""


@dataclass(frozen=True, slots=True)
class Entry:
    kind: str
    """f file, d directory, l symbolic link."""
    mode: str
    """Octal; `-` for links."""
    size: int
    digest: str
    """SHA-256 of the content or of the link's target; `-` for directories."""


Manifest = Mapping[str, Entry]
"""Path (escaped as gov_manifest.py does) -> entry."""


@dataclass(frozen=True, slots=True)
class Difference:
    changed: tuple[str, ...]
    """In the source, and missing or different in the target."""
    extra: tuple[str, ...]
    """In the target only; children before parents."""


def parse_manifest(lines: Iterable[str]) -> dict[str, Entry]:
    """Raises ValueError for a line that is no manifest line: a cut stream must not pass for a small tree."""
    entries: dict[str, Entry] = {}
    for line in lines:
        kind, mode, size, digest, path = line.rstrip("\n").split(" ", 4)
        if kind not in ("f", "d", "l") or not path or path in entries:
            raise ValueError(f"not a manifest line: {line!r}")
        entries[path] = Entry(kind, mode, int(size), digest)
    return entries


def diff_manifests(source: Manifest, target: Manifest) -> Difference:
    changed = tuple(sorted(p for p, entry in source.items() if target.get(p) != entry))
    return Difference(changed, tuple(sorted((p for p in target if p not in source), reverse=True)))


def manifest_digest(manifest: Manifest) -> str:
    """SHA-256 over the manifest's lines in path order: the same tree gives the same digest on every host."""
    digest = hashlib.sha256()
    for path in sorted(manifest):
        e = manifest[path]
        digest.update(f"{e.kind} {e.mode} {e.size} {e.digest} {path}\n".encode())
    return digest.hexdigest()


def verify_manifests(source: Manifest, target: Manifest, name: str) -> list[Text]:
    difference = diff_manifests(source, target)
    if not difference.changed and not difference.extra:
        return []
    paths = ", ".join((*difference.changed, *difference.extra)[:SHOWN])
    return [
        Text(
            "目录 {name} 两侧不一致：缺少或不同 {a} 项，多出 {b} 项：{paths}",
            "Directory {name} differs: {a} missing or different, {b} extra: {paths}",
        ).format(name=name, a=len(difference.changed), b=len(difference.extra), paths=paths)
    ]


def verify_databases(source: Mapping[str, Any], target: Mapping[str, Any]) -> list[Text]:
    """Differences between two results of gov_postgres.py `digest`."""
    problems = []
    if not source["tables"]:
        # Equal emptiness proves nothing; a database without tables isn't what anybody wanted to move.
        problems.append(Text("源数据库没有任何表，无可核对", "The source database has no tables: nothing was compared"))
    for name in sorted({*source["tables"], *target["tables"]}):
        a, b = source["tables"].get(name), target["tables"].get(name)
        if a != b:
            rows = {"a": a["rows"] if a else "—", "b": b["rows"] if b else "—", "t": name}
            problems.append(
                Text(
                    "表 {t} 内容不同（源 {a} 行，目标 {b} 行）", "Table {t} differs (source {a} rows, target {b})"
                ).format(**rows)
            )
    problems += [
        Text("序列 {s} 不同", "Sequence {s} differs").format(s=name)
        for name in sorted({*source["sequences"], *target["sequences"]})
        if source["sequences"].get(name) != target["sequences"].get(name)
    ]
    if source["objects"] != target["objects"]:
        problems.append(
            Text(
                "数据库结构不同（源 {a} 个对象，目标 {b} 个）", "The structures differ (source {a} objects, target {b})"
            ).format(a=source["object_count"], b=target["object_count"])
        )
    return problems[:SHOWN]


def database_digest(result: Mapping[str, Any]) -> str:
    """SHA-256 over tables, sequences and structure, without the server's version."""
    digest = hashlib.sha256()
    for table in sorted(result["tables"]):
        digest.update(f"{table} {result['tables'][table]['rows']} {result['tables'][table]['sha256']}\n".encode())
    for sequence in sorted(result["sequences"]):
        digest.update(f"{sequence} {result['sequences'][sequence]}\n".encode())
    digest.update(result["objects"].encode())
    return digest.hexdigest()
