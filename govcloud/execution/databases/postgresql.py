"""PostgreSQL: structure first, rows in several streams from one snapshot, indexes last; or logical replication."""

from __future__ import annotations

import json
import selectors
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from govcloud.execution.databases.address import source_address
from govcloud.execution.databases.compare import Difference, Digest
from govcloud.execution.databases.kind import Facts, Kind
from govcloud.execution.databases.names import own_name
from govcloud.execution.replicate import beat
from govcloud.execution.stream import StreamError
from govcloud.model.text import Text

_PORT = 5432
_LARGE_OBJECTS = "(large objects)"
_STREAMS_MAX = 4
_SNAPSHOT_S = 120.0
_NEAR_BYTES = 1 << 20
_NEAR_S = 600.0
"""So long replication may take to come near before the step is over; it goes on by itself after that."""
_CAUGHT_UP_S = 120.0
"""On a frozen source, without any progress for so long."""
_WHOLE_BYTES = 64 << 20
"""From here on, when more than half has changed, all of it anew is quicker than rows into tables with indexes."""


class PostgreSQL(Kind):
    # --- copy

    def send(self, slot: str | None = None) -> Facts:
        pair = self.pair
        about, there = self.about
        # Only a superuser may give objects to others; else all of them belong to the target's account.
        owners = there["superuser"]
        facts = {**about, "owners": owners}
        encoding = "SQL_ASCII" if about["encoding"] == "SQL_ASCII" else "UTF8"
        if there["makes_roles"]:
            pair.stream("roles", "import_roles", given={"secret": True}, taken={})
        new = own_name(pair.source.system["system_id"], pair.index, "_new")
        streams = max(2, min(_STREAMS_MAX, about["cpus"], there["cpus"]))
        into: dict[str, Any] = {"name": new, "encoding": encoding}
        with self._snapshot(slot) as snapshot:
            shared = {"snapshot": snapshot, "encoding": encoding, "owners": owners}
            pair.stream("dump_schema", "restore_schema", given=shared, taken={**into, "facts": facts})
            there_is = pair.source.ask("inventory", streams=streams)
            passed = self._rows(there_is["pieces"], snapshot, **into)
            if there_is["large_objects"]:
                passed += pair.stream("dump_large_objects", "restore_large_objects", given=shared, taken=into).bytes
            pair.stream("sequences", "set_sequences", given={}, taken={"name": new})
        done = pair.target.ask("finish", jobs=streams, facts=facts, **into)
        found: Facts = {"database_bytes": passed}
        if done["kept"]:
            found["database_kept"] = done["kept"]
        if done["without_password"]:
            found["accounts_without_password"] = ", ".join(done["without_password"])
        if not there["makes_roles"]:
            found["accounts_not_carried"] = 1
        return found

    def _rows(self, spread: Sequence[Sequence[Mapping[str, Any]]], snapshot: str | None, **into: Any) -> int:
        """Bytes that were sent, each share of the pieces through a pipe of its own."""
        # Beforehand: an argument is too short for thousands of tables, and standard input brings the rows.
        self.pair.target.ask("expect", give=json.dumps(spread).encode())

        def send(number: int) -> int:
            return self.pair.stream(
                "copy_out", "copy_in", give=json.dumps(spread[number]).encode(),
                given={"snapshot": snapshot, "encoding": into["encoding"]}, taken={**into, "number": number},
            ).bytes  # fmt: skip

        with ThreadPoolExecutor(max(1, len(spread))) as pool:
            return sum(pool.map(send, range(len(spread))))

    @contextmanager
    def _snapshot(self, slot: str | None) -> Iterator[str]:
        """A snapshot of the source that lives as long as the block."""
        source = self.pair.source
        with tempfile.TemporaryFile() as said:
            holder = subprocess.Popen(
                source.argv("hold_snapshot", slot=slot), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
            )
            assert holder.stdin is not None and holder.stdout is not None  # noqa: S101 - asked for above
            try:
                with selectors.DefaultSelector() as waiting:
                    waiting.register(holder.stdout, selectors.EVENT_READ)
                    line = holder.stdout.readline() if waiting.select(_SNAPSHOT_S) else b""
                if not line:
                    holder.kill()
                    holder.wait()
                    said.seek(0)
                    raise source.told(
                        StreamError(said.read().decode("utf-8", "replace").strip()[-600:] or "no snapshot")
                    )
                yield json.loads(line)["snapshot"]
                if holder.poll() is not None:
                    # Its streams may have read from different moments without anybody noticing.
                    raise StreamError(
                        Text("{h}：一致的快照中途丢失", "{h}: the consistent snapshot was lost on the way").format(
                            h=source.host
                        )
                    )
            finally:
                for stream in (holder.stdin, holder.stdout):
                    stream.close()
                try:
                    holder.wait(10)
                except subprocess.TimeoutExpired:
                    holder.kill()
                    holder.wait()

    # --- final synchronisation

    def final(self) -> Facts:
        facts: Facts = {}
        if self.pair.method == "replication" and self.pair.target.ask("received", position="")["enabled"]:
            facts |= self._catch_up()
        return facts | super().final()

    def settle(self, difference: Difference, source: Digest, target: Digest) -> Facts:
        """Rows of the tables that differ, where the structure is the same and few have changed; else all of it."""
        facts: Facts = {"tables_sent": len(difference.tables)}
        spread = self.pair.source.ask("inventory", streams=2)["pieces"]
        changed = set(difference.tables)
        size = sum(piece["bytes"] for share in spread for piece in share)
        share_of = [[piece for piece in share if _name(piece) in changed] for share in spread]
        changing = sum(piece["bytes"] for share in share_of for piece in share)
        about, there = self.about
        # What an extension put into its own tables by itself can't be told from what came later.
        extension = any(piece["extension"] for share in share_of for piece in share)
        same = (
            not extension
            and not difference.structure
            and not difference.grants
            and {*source["tables"]} == {*target["tables"]}
        )
        whole = size > _WHOLE_BYTES and changing > size // 2
        if not same or whole or about["encoding"] == "SQL_ASCII" or not there["superuser"]:
            self.end_replication()  # a database with a subscription can't be replaced
            return self.send() | {"tables_sent": len(source["tables"])}
        name = self.pair.target.end["name"]
        if any(share_of):
            tables = sorted({(piece["schema"], piece["name"]) for share in share_of for piece in share})
            self.pair.target.ask("refill", name=name, give=json.dumps(tables).encode())
            facts["database_bytes"] = self._rows(
                [share for share in share_of if share], None, name=name, encoding="UTF8", fresh=False
            )
            self.pair.target.ask("refresh", name=name)
        if _LARGE_OBJECTS in changed:
            listed = json.dumps(self.pair.source.ask("large_objects")).encode()
            self.pair.target.ask("make_large_objects", name=name, give=listed)
            given = {"snapshot": None, "encoding": "UTF8", "owners": True}
            self.pair.stream(
                "dump_large_objects", "restore_large_objects", given=given, taken={"name": name, "encoding": "UTF8"}
            )
        if difference.sequences:
            self.pair.stream("sequences", "set_sequences", given={}, taken={"name": name})
        return facts

    def alike(self) -> dict[str, Any]:
        a, b = self.about
        return {
            "oldest": min(a["version"], b["version"]), "same_major": a["version"] // 10000 == b["version"] // 10000,
            "owners": b["superuser"],
        }  # fmt: skip

    # --- logical replication

    def replicated(self) -> Facts:
        """Replication that runs and is near; begun anew where it is broken."""
        pair = self.pair
        facts: Facts = {}
        there, here = pair.target.ask("received", position=""), pair.source.ask("lag")
        if not (there["enabled"] and here["exists"]):
            facts |= self._begin()
        return facts | self._wait_near()

    def _begin(self) -> Facts:
        pair, system_id = self.pair, self.pair.source.system["system_id"]
        own = own_name(system_id, pair.index)
        host, port = source_address(pair, _PORT)
        if not pair.target.ask("reachable", host=host, port=port):
            raise StreamError(
                Text("{t} 连不到源数据库 {h}:{p}，无法复制，请改用 dump", "{t} does not reach the source's server {h}:{p}: use dump")
                .format(t=pair.target.host, h=host, p=port)
            )  # fmt: skip
        self.end_replication()
        try:
            published = pair.source.ask("publish")
            facts = self.send(slot=own)
            about = {"host": host, "port": port, "user": pair.source.end["user"], "name": pair.source.end["name"]}
            pair.stream("credentials", "subscribe", given={}, taken=about)
        except BaseException:
            # A slot without a reader fills the source's disk.
            with suppress(StreamError):
                self.end_replication()
            raise
        return facts | {"tables_published": published["published"], "tables_left_out": len(published["left_out"])}

    def _wait_near(self) -> Facts:
        """How far behind: bytes of log, and seconds until what the source had at the beginning had been applied."""
        began, deadline = time.monotonic(), time.monotonic() + _NEAR_S
        first = self.pair.source.ask("lag")
        while not self.pair.target.ask("received", position=first["now"])["there"]:
            beat(self.pair.evidence)()
            if time.monotonic() > deadline:
                break
            time.sleep(1)
        lag = self.pair.source.ask("lag")
        if not lag["active"] and lag["bytes"] > _NEAR_BYTES:
            raise StreamError(
                Text("数据库 {n} 的复制没有在进行", "The replication of {n} is not running").format(n=self.pair.name)
            )
        return {"lag_bytes": lag["bytes"], "lag_s": round(time.monotonic() - began), "log_kept_bytes": lag["kept"]}

    def _catch_up(self) -> Facts:
        """Everything up to the source's position now. Without progress it is no use to wait on."""
        began = moved = time.monotonic()
        first = self.pair.source.ask("lag")
        least = first["bytes"]
        while not self.pair.target.ask("received", position=first["now"])["there"]:
            beat(self.pair.evidence)()
            lag = self.pair.source.ask("lag")
            if lag["bytes"] < least:
                least, moved = lag["bytes"], time.monotonic()
            if not lag["exists"] or time.monotonic() - moved > _CAUGHT_UP_S:
                raise StreamError(
                    Text(
                        "数据库 {n} 的复制停在还差 {b} 字节处", "The replication of {n} stopped {b} bytes short"
                    ).format(n=self.pair.name, b=lag["bytes"])
                )
            time.sleep(0.5)
        return {"lag_bytes": first["bytes"], "lag_s": round(time.monotonic() - began)}

    def check_replicated(self) -> tuple[list[Text], Facts]:
        problems, facts = super().check_replicated()
        if self.pair.method == "replication" and not problems:
            there, lag = self.pair.target.ask("received", position=""), self.pair.source.ask("lag")
            facts |= {"lag_bytes": lag["bytes"]}
            if not (there["enabled"] and lag["exists"]):
                problems.append(
                    Text("数据库 {n} 的复制没有在进行", "The replication of {n} is not running").format(
                        n=self.pair.name
                    )
                )
        return problems, facts

    def pause(self) -> Facts:
        if self.pair.method == "replication":
            self.pair.target.ask("pause")
        return {}

    def resume(self) -> Facts:
        if self.pair.method != "replication" or self.pair.target.ask("resume"):
            return {}
        # The rehearsal wrote into the copy, or it was never held: only a new copy is certain to be right.
        return self._begin() | self._wait_near()

    def end_replication(self) -> Facts:
        if self.pair.method == "replication":
            self.pair.target.ask("end_target", tolerant=True)
            self.pair.source.ask("end_source")
        return {}


def _name(piece: Mapping[str, Any]) -> str:
    return ".".join('"{}"'.format(piece[part].replace('"', '""')) for part in ("schema", "name"))
