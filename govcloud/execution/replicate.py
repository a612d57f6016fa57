"""Copies directories from an old host to a new one, over SSH, in pieces that survive a cut; called by gov_files.py.

The target's agent compares the source's listing with its own tree and says what is missing; the source's agent sends that,
through the controller or straight to the target; nothing gets its final name before all of it is there and on disk. After a
cut the same comparison finds what came already. The source is only ever read.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from govcloud.execution import digest
from govcloud.execution.agent import Exchange, Line, boot, source_program, target_program
from govcloud.execution.bucket import bytes_per_s
from govcloud.execution.direct import Opening
from govcloud.execution.stream import Cut, Remote, StreamError
from govcloud.model.text import Text

Facts = dict[str, int | str]
Way = Literal["auto", "direct", "relay"]
_STALL_S = 60.0
_CUTS = 6
"""So often one attempt takes up a broken transfer again; a later attempt goes on from there."""
_WORTH_DIRECT = 64 << 20
"""Bytes; below, letting the source in at the target takes longer than the detour."""
_AHEAD = 256 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Both hosts of one machine's move, whose copy it is, and where the evidence goes."""

    source_host: str
    target_host: str
    marker: str
    """Path on the target; the far end refuses to write unless it names this system and run and no newer attempt."""
    state_dir: str
    system: Mapping[str, Any]
    """As the modules get it: system_id, run_id, attempt, token and more."""
    evidence: Path
    remote: Remote


def build_ends(
    spec: Mapping[str, Any], system: Mapping[str, Any], machine: str, *, evidence: Path, ssh_config: Path
) -> Ends:
    """Of the machine with that name in a migration file (as builtins)."""
    found = next(m for m in spec["machines"] if m["name"] == machine)
    return Ends(
        source_host=found["source"], target_host=found["target"], state_dir=found["state_dir"],
        marker=f"{found['state_dir']}/{spec['system_id']}.json", system=system, evidence=evidence,
        remote=Remote(ssh_config),
    )  # fmt: skip


def beat(evidence: Path) -> Callable[[], None]:
    """A function that touches `<evidence>/heartbeat` at most once a second: without it a long step counts as hung."""
    last = 0.0

    def touch() -> None:
        nonlocal last
        if (now := time.monotonic()) - last > 1:
            last = now
            (evidence / "heartbeat").touch()

    return touch


def sync_files(
    ends: Ends, pair: Mapping[str, Any], *, live: bool, bandwidth_mbps: int | None = None, way: Way = "auto",
    stall_s: float = _STALL_S, deadline_min: int = 240,
) -> Facts:  # fmt: skip
    """Make the target directory equal to the source's; what was counted. Raises StreamError.

    Facts: files (entries of the source), sent (entries), removed, bytes (over the network, what was sent twice included), cuts
    (broken connections that were mended), way, attributes_left (sent files with ACLs, capabilities or user attributes, which
    are not carried; only where there are any).

    `live`: the source still serves. Then size, times and inode decide what is sent, and files may change while they are
    read; a later pass with a frozen source compares every byte on both sides and makes it exact.
    """
    sync = _Sync(
        ends, pair, live=live, rate=bytes_per_s(bandwidth_mbps), way=way, stall_s=stall_s, minutes=deadline_min
    )
    silent = 0
    while True:
        moved = sync.passed
        try:
            return sync.run()
        except Cut as cut:
            sync.cuts += 1
            silent = 0 if sync.passed > moved else silent + 1
            if sync.cuts > _CUTS or silent > 2:
                raise StreamError(
                    Text(
                        "{why}；已重新连接 {n} 次。已到达的内容保留在目标上，下次从断点继续",
                        "{why}; connected again {n} times. What arrived stays on the target, the next attempt goes on from there",
                    ).format(why=cut.text, n=sync.cuts - 1)
                ) from cut
            time.sleep(min(2.0 ** (sync.cuts - 1), 15.0) / 2)


@dataclass(slots=True)
class _Sync:
    """One attempt's work on a pair of directories; `run` may be called again after a Cut."""

    ends: Ends
    pair: Mapping[str, Any]
    live: bool = field(kw_only=True)
    rate: float | None = field(kw_only=True)
    way: Way = field(kw_only=True)
    stall_s: float = field(kw_only=True)
    minutes: int = field(kw_only=True)
    cuts: int = 0
    passed: int = 0
    """Bytes that were sent, in all tries."""
    used: str = "relay"
    direct_cuts: int = 0
    bare: int = 0

    def run(self) -> Facts:
        beating = beat(self.ends.evidence)
        source, target = _lines(self.ends)
        opening = Opening(self.ends.remote, source, target, self._worth(), self.minutes, self.ends.evidence)
        try:
            with (
                Exchange([source, target], beat=beating, stall_s=self.stall_s) as exchange,
                tempfile.TemporaryFile() as wishes,
            ):
                owners = _greet(exchange, source, target)
                plan = self._compare(exchange, opening, wishes, owners=owners)
                gone = self._transfer(exchange, opening, wishes, plan, owners=owners) if wishes.tell() else 0
                target.ask("commit")
                done = exchange.answer(target)
        except StreamError:
            if opening.has_admitted:
                self._expel()
            raise
        facts: Facts = {
            "files": plan["rows"], "sent": plan["wanted"] + plan["linked"] + plan["repaired"] - gone,
            "removed": done["removed"], "bytes": self.passed, "cuts": self.cuts, "way": self.used,
        }  # fmt: skip
        return facts | ({"attributes_left": self.bare} if self.bare else {})

    def _worth(self) -> int | None:
        """From how many bytes on the direct way is tried."""
        if self.way == "relay" or self.direct_cuts > 1:
            return None  # a road that doesn't hold: the detour may
        return 0 if self.way == "direct" else _WORTH_DIRECT

    def _compare(self, exchange: Exchange, opening: Opening, wishes: IO[bytes], *, owners: bool) -> Mapping[str, Any]:
        source, target = opening.source, opening.target

        def source_said(kind: bytes, content: bytes) -> None:
            if kind == b"R":
                opening.source_said(content)
            else:
                target.put(kind, content)

        def target_said(kind: bytes, content: bytes) -> None:
            if kind == b"R":
                opening.target_said(content)
            elif kind == b"A":
                opening.wished(int.from_bytes(content[8:], "big"))
            else:
                digest.write_rows(wishes, content)

        source.relay = target
        source.hear, target.hear = source_said, target_said
        target.ask(
            "plan", marker=self.ends.marker, system=dict(self.ends.system), root=self.pair["target"], live=self.live,
            owners=owners,
        )  # fmt: skip
        source.ask("list", root=self.pair["source"], owners=owners, digests=not self.live)
        exchange.answer(source)
        target.put(b"l")
        plan = exchange.answer(target)
        while opening.is_pending:
            exchange.turn()
        return plan

    def _transfer(
        self, exchange: Exchange, opening: Opening, wishes: IO[bytes], plan: Mapping[str, Any], *, owners: bool
    ) -> int:
        """Send what is wished for; how many files were gone."""
        source, target = opening.source, opening.target
        progress = _Progress(self.ends.evidence, plan, self.passed)
        direct = opening.state == "open"
        self.used = "direct" if direct else "relay"
        if direct:
            source.hear = progress.heard
        else:
            target.hear = progress.heard
            target.ask("receive")
        source.ask("send", root=self.pair["source"], owners=owners, bytes_per_s=self.rate, direct=direct)
        try:
            sent = exchange.answer(source, _Feed(wishes, source).feed)
            if not direct:
                exchange.answer(target)
        except StreamError as error:
            self.direct_cuts += direct and isinstance(error, Cut)
            self.passed += progress.bytes if direct else source.passed
            raise
        self.passed += int(sent["bytes"]) if direct else source.passed
        if opening.has_admitted:
            target.ask("expel", system_id=self.ends.system["system_id"])
            exchange.answer(target)
        self.bare = int(sent["bare"])
        if sent["gone"] and not self.live:
            raise StreamError(
                Text("源已冻结，仍有 {n} 个文件消失", "{n} files vanished from a frozen source").format(n=sent["gone"])
            )
        return int(sent["gone"])

    def _expel(self) -> None:
        """By a connection of its own; when that fails too, the key's expiry and the next attempt's start end it."""
        line = _target_line(self.ends)
        with Exchange([line], beat=beat(self.ends.evidence), stall_s=15.0) as exchange:
            try:
                line.ask("expel", system_id=self.ends.system["system_id"])
                exchange.answer(line)
            except StreamError as error:
                (self.ends.evidence / "expel-failed.txt").write_text(error.text.en, "utf-8")


class _Feed:
    """Gives the source its wishes as fast as it takes them."""

    def __init__(self, wishes: IO[bytes], source: Line) -> None:
        self._wishes, self._source, self._over = wishes, source, False
        wishes.seek(0)

    def feed(self) -> None:
        while not self._over and self._source.waiting < _AHEAD:
            head = self._wishes.read(4)
            if head:
                self._source.put(b"W", self._wishes.read(int.from_bytes(head, "big")))
            else:
                self._over = True
                self._source.put(b"w")


class _Progress:
    """`<evidence>/progress.json`: {files, bytes, of_files, of_bytes}, as far as the target has it."""

    def __init__(self, evidence: Path, plan: Mapping[str, Any], before: int) -> None:
        self._path, self._plan, self._before, self._at = evidence / "progress.json", plan, before, 0.0
        self.bytes = 0

    def heard(self, kind: bytes, content: bytes) -> None:
        if kind != b"A" or len(content) != 16:
            return
        files, self.bytes = int.from_bytes(content[:8], "big"), int.from_bytes(content[8:], "big")
        if (now := time.monotonic()) - self._at > 2:
            self._at = now
            told = {
                "files": files, "bytes": self._before + self.bytes, "of_files": self._plan["wanted"],
                "of_bytes": self._before + self._plan["bytes"],
            }  # fmt: skip
            beside = self._path.with_suffix(".new")
            beside.write_text(json.dumps(told), "utf-8")
            beside.replace(self._path)


def _lines(ends: Ends) -> tuple[Line, Line]:
    program = source_program()
    return Line(ends.source_host, ends.remote.argv(ends.source_host, boot(program)), program), _target_line(ends)


def _target_line(ends: Ends) -> Line:
    program = target_program()
    return Line(ends.target_host, ends.remote.argv(ends.target_host, boot(program)), program)


def _greet(exchange: Exchange, source: Line, target: Line) -> bool:
    """Whether owners can be carried over: only uid 0 may set them."""
    for line in (source, target):
        line.ask("hello")
    exchange.answer(source)
    return bool(exchange.answer(target)["uid"] == 0)


def verify_files(ends: Ends, pair: Mapping[str, Any], *, stall_s: float = _STALL_S) -> tuple[list[Text], Facts]:
    """Compare every byte of both directories. Problems, and what was counted. Raises StreamError.

    The source's manifest (kind, mode, owner, size, SHA-256, path) is kept as evidence.
    """
    source, target = _lines(ends)
    with (
        tempfile.TemporaryFile() as ours,
        tempfile.TemporaryFile() as theirs,
        Exchange([source, target], beat=beat(ends.evidence), stall_s=stall_s) as exchange,
    ):
        owners = _greet(exchange, source, target)
        for line, spool, root in ((source, ours, pair["source"]), (target, theirs, pair["target"])):
            line.hear = lambda kind, content, spool=spool: digest.write_rows(spool, content)  # type: ignore[misc]
            line.ask("list", root=root, owners=owners, digests=True, may_lack=line is target)
        exchange.answer(source)
        exchange.answer(target)
        ours.seek(0)
        theirs.seek(0)
        name = f"manifest-{pair.get('index', 0)}.txt"
        with (ends.evidence / name).open("w", encoding="utf-8", newline="\n") as kept:
            compared = digest.compare_manifests(digest.read_rows(ours), digest.read_rows(theirs), kept)
    facts: Facts = {"files": compared.entries, "bytes": compared.bytes, "sha256": compared.sha256}
    return digest.verify_manifests(compared, pair["source"]), facts
