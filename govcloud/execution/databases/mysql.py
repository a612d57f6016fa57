"""MySQL and MariaDB: one consistent dump in a pipe, or the server's own replication of the schema (MariaDB)."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from govcloud.execution.databases.address import source_address
from govcloud.execution.databases.compare import Difference, Digest
from govcloud.execution.databases.kind import Facts, Kind
from govcloud.execution.replicate import beat
from govcloud.execution.stream import StreamError
from govcloud.model.text import Text

_PORT = 3306
_STALL_S = 120.0


class MySQL(Kind):
    def send(self, positioned: bool = False) -> Facts:
        about, there = self.about
        accounts = about["reads_accounts"] and there["makes_accounts"]
        if accounts:
            # Routines run in somebody's name, so he comes first; rights on a table can only be given once it is there.
            self.pair.stream("users", "set_users", given={}, taken={"rights": False})
        passed = self.pair.stream("dump", "restore", given={"positioned": positioned}, taken={"facts": about})
        if accounts:
            self.pair.stream("users", "set_users", given={}, taken={"rights": True})
        kept = self.pair.target.ask("exists")["kept"]
        found: Facts = {"database_bytes": passed.bytes}
        if kept:
            found["database_kept"] = kept
        if not accounts:
            found["accounts_not_carried"] = 1
        return found

    def alike(self) -> dict[str, Any]:
        a, b = self.about
        same = a["mariadb"] == b["mariadb"] and a["version"] == b["version"]
        return {"alike": same, "accounts": a["reads_accounts"] and b["reads_accounts"]}

    def settle(self, difference: Difference, source: Digest, target: Digest) -> Facts:
        """Tables that differ, where the structure is the same; else all of it."""
        same = not difference.structure and not difference.grants and {*source["tables"]} == {*target["tables"]}
        if not same:
            self.end_replication()
            return self.send() | {"tables_sent": len(source["tables"])}
        facts: Facts = {"tables_sent": len(difference.tables)}
        if difference.tables:
            names = json.dumps(difference.tables).encode()
            facts["database_bytes"] = self.pair.stream("dump_tables", "load", give=names, given={}, taken={}).bytes
        counters = {name: source["sequences"][name] for name in difference.sequences if name in source["tables"]}
        if counters:
            self.pair.target.ask("set_counters", give=json.dumps(counters).encode())
        return facts

    # --- replication

    def replicated(self) -> Facts:
        there = self.pair.target.ask("received")
        return ({} if there["follows"] and there["runs"] else self._begin()) | self._catch_up()

    def _begin(self) -> Facts:
        source_id = self.pair.source.ask("check_source")
        host, port = source_address(self.pair, _PORT)
        self.end_replication()
        try:
            facts = self.send(positioned=True)
            about = {"host": host, "port": port, "source_id": source_id}
            self.pair.stream("credentials", "follow", given={}, taken=about)
        except BaseException:
            with suppress(StreamError):
                self.end_replication()
            raise
        return facts

    def _catch_up(self) -> Facts:
        """Until the target has done what the source's log held at the beginning."""
        began = moved = time.monotonic()
        first, most = self.pair.source.ask("lag"), ("", -1)
        while True:
            there = self.pair.target.ask("received")
            if _place(there) >= _place(first):
                break
            beat(self.pair.evidence)()
            if _place(there) > most:
                most, moved = _place(there), time.monotonic()
            if there["error"] or time.monotonic() - moved > _STALL_S:
                raise StreamError(
                    Text("数据库 {n} 的复制没有进展：{e}", "The replication of {n} does not get on: {e}").format(
                        n=self.pair.name, e=there["error"] or f"{there['file']}:{there['at']}"
                    )
                )
            time.sleep(0.5)
        return {"lag_s": round(time.monotonic() - began)}

    def check_replicated(self) -> tuple[list[Text], Facts]:
        problems, facts = super().check_replicated()
        if self.pair.method == "replication" and not problems:
            there = self.pair.target.ask("received")
            if not there["runs"]:
                problems.append(
                    Text("数据库 {n} 的复制没有在进行：{e}", "The replication of {n} is not running: {e}").format(
                        n=self.pair.name, e=there.get("error", "")
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
        return self._begin() | self._catch_up()

    def final(self) -> Facts:
        facts: Facts = {}
        if self.pair.method == "replication" and self.pair.target.ask("received")["runs"]:
            facts |= self._catch_up()
        return facts | super().final()

    def end_replication(self) -> Facts:
        if self.pair.method == "replication":
            self.pair.target.ask("unfollow", tolerant=True)
        return {}


def _place(found: Mapping[str, Any]) -> tuple[str, int]:
    """Files of a binary log are numbered, so they sort."""
    return str(found.get("file", "")), int(found.get("at", -1))
