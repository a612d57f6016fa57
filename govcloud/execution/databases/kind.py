"""What every kind of database can do on its way, and how its copies are compared. Subclasses say how rows travel."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, Literal

from govcloud.execution.databases import compare
from govcloud.execution.databases.compare import Difference, Digest
from govcloud.execution.databases.far import Pair
from govcloud.execution.stream import StreamError, capture
from govcloud.model.text import Text

Facts = dict[str, int | str]
Level = Literal["L1", "L2"]
_STREAM_STALL_S = 900.0


class Kind(ABC):
    """One database under way, for one action. Every method may raise StreamError, whose `text` is for a person."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair

    @cached_property
    def about(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What both ends say of themselves (far-end action `describe`)."""
        return both(self.pair, "describe")

    # --- while the source serves

    def replicate(self) -> Facts:
        """Copy it, or see to it that replication runs. Repeatable."""
        if self.pair.method == "replication":
            return self.replicated()
        return self.send()

    @abstractmethod
    def send(self) -> Facts:
        """A consistent copy of all of it in place of what is there."""

    def replicated(self) -> Facts:
        raise StreamError(
            Text(
                "数据库 {n} 的类型不支持持续复制，请用 dump", "Database {n}: this kind has no replication, use dump"
            ).format(n=self.pair.name)
        )

    def compare(self) -> tuple[list[Text], Facts]:
        """Would the comparison in the window work? Structure and grants must be equal already."""
        a, b = self.digests("L1")
        problems = compare.verify_live(a, b, self.pair.name)
        return problems, {"tables": len(a["tables"]), "rows": _rows(a), "level": "L1"}

    def check_replicated(self) -> tuple[list[Text], Facts]:
        found = self.pair.target.ask("exists")
        if found["there"] and found["ours"]:
            return [], {}
        return [Text("目标上没有数据库 {n} 的副本", "The target holds no copy of {n}").format(n=self.pair.name)], {}

    def pause(self) -> Facts:
        """Before a rehearsal on the copy."""
        return {}

    def resume(self) -> Facts:
        """After it."""
        return {}

    # --- on a frozen source

    def final(self) -> Facts:
        """Send again what differs."""
        a, b = self.digests("L2")
        difference = compare.diff_digests(a, b)
        facts: Facts = {"tables_sent": 0}
        if not difference.empty:
            facts |= self.settle(difference, a, b)
        return facts

    def settle(self, difference: Difference, source: Digest, target: Digest) -> Facts:
        return self.send() | {"tables_sent": len(source["tables"])}

    def verify(self) -> tuple[list[Text], Facts]:
        """Level L2; where both are equal, the target notes what it is like, to know later what it took."""
        a, b = self.digests("L2", keep=True)
        problems = compare.verify_digests(a, b, self.pair.name)
        if not problems:
            self.pair.target.ask("baseline")
        return problems, {
            "tables": len(a["tables"]), "rows": _rows(a), "database_sha256": compare.digest_sha256(a), "level": "L2",
        }  # fmt: skip

    # --- afterwards

    def end_replication(self) -> Facts:
        return {}

    def export_taken(self) -> Facts:
        """What only the target took, into the evidence: one JSON document a line, the last says how many."""
        self.end_replication()
        path = self.pair.evidence / f"taken-{self.pair.index}.jsonl"
        with path.open("wb") as stream:
            path.chmod(0o600)
            try:
                capture(self.pair.target.argv("taken"), stream, stall_s=_STREAM_STALL_S)
            except StreamError as error:
                raise self.pair.target.told(error) from None
        rows = deleted = lines = 0
        last: Mapping[str, Any] = {}
        with path.open(encoding="utf-8") as taken:
            for line in taken:
                last = json.loads(line)
                lines += 1
                deleted += last.get("deleted", 0)
                rows += "end" not in last and "deleted" not in last
        if last.get("end") != lines - 1:
            raise StreamError(
                Text("目标新增数据的导出中断：{p}", "The export of what the target took was cut off: {p}").format(
                    p=path
                )
            )
        if lines == 1:
            path.unlink()
        return {"taken_rows": rows, "taken_deleted": deleted}

    # --- comparing

    def digests(self, level: Level, *, keep: bool = False) -> tuple[Digest, Digest]:
        """Of both sides at the same time; kept as evidence, with the difference as text. `keep`: a baseline may follow."""
        given = self.alike() | {"level": level, "keep": keep}
        a, b = both(self.pair, "digest", **given)
        stem = f"database-{self.pair.index}"
        for side, found in (("source", a), ("target", b)):
            text = json.dumps(found, ensure_ascii=False, sort_keys=True, indent=1)
            (self.pair.evidence / f"{stem}-{side}.json").write_text(text, "utf-8")
        shown = compare.render_difference(compare.diff_digests(a, b), a, b)
        (self.pair.evidence / f"{stem}.diff").write_text(shown, "utf-8")
        return a, b

    def alike(self) -> dict[str, Any]:
        """What both ends must know to write the same thing in the same way."""
        return {}


def _rows(digest: Digest) -> int:
    return sum(table["rows"] for table in digest["tables"].values())


def both(pair: Pair, action: str, **given: Any) -> tuple[Any, Any]:
    """The same question to both ends, at the same time."""
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(far.ask, action, **given) for far in (pair.source, pair.target)]
        a, b = (future.result() for future in asked)
    return a, b
