"""Compares two databases by their digests, whatever kind they are. Pure.

A digest (far-end action `digest`): {"kind", "level": "L1"|"L2", "server", "tables": {name: {"rows", "sha256"}},
"sequences": {name: text}, "structure": [line], "grants": [line], "versions": {extension: version}, "position": {…}}.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from govcloud.model.text import Text

SHOWN = 20
"""How many differences a message lists."""
_LINES_SHOWN = 6

Digest = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    tables: tuple[str, ...]
    """Same structure, other rows; or only on one side."""
    sequences: tuple[str, ...]
    structure: tuple[str, ...]
    """Lines of a unified diff, `-` source, `+` target; empty where they are equal."""
    grants: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return not (self.tables or self.sequences or self.structure or self.grants)


def diff_digests(source: Digest, target: Digest) -> Difference:
    """What differs. Rows are only compared where both sides were counted or hashed alike."""

    def keys(part: str) -> tuple[str, ...]:
        a, b = source[part], target[part]
        return tuple(name for name in sorted({*a, *b}) if a.get(name) != b.get(name))

    return Difference(
        tables=keys("tables"), sequences=keys("sequences"),
        structure=_lines(source["structure"], target["structure"]), grants=_lines(source["grants"], target["grants"]),
    )  # fmt: skip


def _lines(source: Sequence[str], target: Sequence[str]) -> tuple[str, ...]:
    """Only what is on one side: lists are sorted, so context would say nothing."""
    changes = difflib.ndiff(source, target) if len(source) + len(target) < 2000 else _plain(source, target)
    return tuple(f"{line[0]}{line[2:]}" for line in changes if line[0] in "-+")


def _plain(source: Sequence[str], target: Sequence[str]) -> list[str]:
    a, b = set(source), set(target)
    both = [("- ", line) for line in source if line not in b] + [("+ ", line) for line in target if line not in a]
    return [sign + line for sign, line in sorted(both, key=lambda entry: (entry[1], entry[0]))]


def render_difference(difference: Difference, source: Digest, target: Digest) -> str:
    """The whole difference as text, for the evidence."""
    parts = [f"--- source {source['server']}\n+++ target {target['server']}\n"]
    for title, lines in (("structure", difference.structure), ("grants", difference.grants)):
        parts += [f"@@ {title}\n", *(f"{line}\n" for line in lines)] if lines else []
    for title in ("tables", "sequences"):
        names = getattr(difference, title)
        parts += [f"@@ {title}\n"] if names else []
        for name in names:
            parts += [f"-{name} {_said(source[title].get(name))}\n", f"+{name} {_said(target[title].get(name))}\n"]
    for name in sorted({*source["versions"], *target["versions"]}):
        a, b = source["versions"].get(name), target["versions"].get(name)
        parts += [f"# {name}: {a} -> {b}\n"] if a != b else []
    return "".join(parts)


def _said(found: Any) -> str:
    if found is None:
        return "-"
    return f"{found['rows']} rows {found['sha256']}".strip() if isinstance(found, Mapping) else str(found)


def verify_digests(source: Digest, target: Digest, name: str) -> list[Text]:
    """Everything that differs, for a frozen source."""
    difference = diff_digests(source, target)
    problems = [*_verify_something(source, name)]
    for table in difference.tables:
        a, b = source["tables"].get(table), target["tables"].get(table)
        rows = {"a": a["rows"] if a else "—", "b": b["rows"] if b else "—", "t": table, "n": name}
        problems.append(
            Text(
                "数据库 {n} 的表 {t} 内容不同（源 {a} 行，目标 {b} 行）",
                "Table {t} of {n} differs (source {a} rows, target {b})",
            ).format(**rows)
        )
    problems += [
        Text(
            "数据库 {n} 的序列 {s} 不同：源 {a}，目标 {b}", "Sequence {s} of {n} differs: source {a}, target {b}"
        ).format(n=name, s=s, a=source["sequences"].get(s, "—"), b=target["sequences"].get(s, "—"))
        for s in difference.sequences
    ]
    return [*problems[:SHOWN], *_verify_lines(difference, name)]


def verify_live(source: Digest, target: Digest, name: str) -> list[Text]:
    """What must be equal even while the source is being written to: structure and grants; and that something arrived."""
    problems = [*_verify_something(source, name), *_verify_lines(diff_digests(source, target), name)]
    a, b = (sum(t["rows"] for t in side["tables"].values()) for side in (source, target))
    if a and not b:
        problems.append(
            Text(
                "数据库 {n}：源有 {a} 行，目标一行也没有", "Database {n}: {a} rows at the source, none at the target"
            ).format(n=name, a=a)
        )
    return problems


def _verify_something(source: Digest, name: str) -> list[Text]:
    # Equal emptiness proves nothing; a database without tables isn't what anybody wanted to move. Redis may be empty.
    if source["tables"] or source["kind"] == "redis":
        return []
    return [
        Text("源数据库 {n} 没有任何表，无可核对", "The source database {n} has no tables: nothing was compared").format(
            n=name
        )
    ]


def _verify_lines(difference: Difference, name: str) -> list[Text]:
    found = []
    for lines, zh, en in (
        (difference.structure, "结构", "structure"),
        (difference.grants, "权限", "grants"),
    ):
        if lines:
            more = f"\n… +{len(lines) - _LINES_SHOWN}" if len(lines) > _LINES_SHOWN else ""
            shown = "\n".join(lines[:_LINES_SHOWN]) + more
            found.append(
                Text(
                    f"数据库 {{n}} 的{zh}不同（- 源，+ 目标）：\n{{d}}",
                    f"The {en} of database {{n}} differ (- source, + target):\n{{d}}",
                ).format(n=name, d=shown)
            )
    return found


def digest_sha256(digest: Digest) -> str:
    """SHA-256 over rows, sequences, structure and grants, without the server's version and position."""
    found = hashlib.sha256()
    for table in sorted(digest["tables"]):
        found.update(f"{table} {digest['tables'][table]['rows']} {digest['tables'][table]['sha256']}\n".encode())
    for sequence in sorted(digest["sequences"]):
        found.update(f"{sequence} {digest['sequences'][sequence]}\n".encode())
    for line in (*digest["structure"], *digest["grants"]):
        found.update(f"{line}\n".encode())
    return found.hexdigest()
