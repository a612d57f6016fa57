"""Redis: keys as DUMP payloads, or the server's own replication; accounts go along either way."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from govcloud.execution.databases.address import source_address
from govcloud.execution.databases.compare import Difference, Digest
from govcloud.execution.databases.kind import Facts, Kind
from govcloud.execution.replicate import beat
from govcloud.execution.stream import StreamError
from govcloud.model.text import Text

_PORT = 6379
_EXPIRES_MS = 15 * 60 * 1000
"""Keys that end so soon are not compared: one side may look before that moment and the other after it."""
_STALL_S = 120.0


class Redis(Kind):
    def send(self) -> Facts:
        return {"database_bytes": self.pair.stream("dump", "restore", given={}, taken={}).bytes}

    def alike(self) -> dict[str, Any]:
        a, b = self.about
        return {"until": int(time.time() * 1000) + _EXPIRES_MS, "modern": min(a["version"], b["version"]) >= [7, 0]}

    def settle(self, difference: Difference, source: Digest, target: Digest) -> Facts:
        self.end_replication()  # a replica takes no keys from us
        return super().settle(difference, source, target)

    # --- replication

    def replicated(self) -> Facts:
        follows = self.pair.target.ask("offsets")["role"] == "slave"
        return ({} if follows else self._begin()) | self._catch_up()

    def _begin(self) -> Facts:
        host, port = source_address(self.pair, _PORT)
        try:
            self.pair.stream("credentials", "follow", given={}, taken={"host": host, "port": port})
            self.pair.stream("users", "set_users", given={}, taken={})
        except BaseException:
            with suppress(StreamError):
                self.end_replication()
            raise
        return {}

    def _catch_up(self) -> Facts:
        """Until the target has what the source had at the beginning."""
        began = moved = time.monotonic()
        first, most = self.pair.source.ask("offsets")["offset"], -1
        while True:
            there = self.pair.target.ask("offsets")
            if there["up"] and there["offset"] >= first:
                break
            beat(self.pair.evidence)()
            if there["offset"] > most:
                most, moved = there["offset"], time.monotonic()
            if time.monotonic() - moved > _STALL_S:
                raise StreamError(
                    Text("Redis {n} 的复制没有进展，请检查两端能否互通", "The replication of {n} does not get on: check whether the servers reach each other")
                    .format(n=self.pair.name)
                )  # fmt: skip
            time.sleep(0.5)
        lag = self.pair.source.ask("offsets")["offset"] - self.pair.target.ask("offsets")["offset"]
        return {"lag_bytes": max(0, lag), "lag_s": round(time.monotonic() - began)}

    def check_replicated(self) -> tuple[list[Text], Facts]:
        problems, facts = super().check_replicated()
        if self.pair.method == "replication" and not problems:
            there = self.pair.target.ask("offsets")
            if there["role"] != "slave" or not there["up"]:
                problems.append(
                    Text("Redis {n} 的复制没有在进行", "The replication of {n} is not running").format(n=self.pair.name)
                )
        return problems, facts

    def pause(self) -> Facts:
        return self.end_replication()

    def resume(self) -> Facts:
        """The server copies everything anew, so what the rehearsal wrote is gone."""
        return self.replicated() if self.pair.method == "replication" else {}

    def final(self) -> Facts:
        facts: Facts = {}
        if self.pair.method == "replication" and self.pair.target.ask("offsets")["role"] == "slave":
            facts |= self._catch_up()
        return facts | super().final()

    def end_replication(self) -> Facts:
        if self.pair.method == "replication":
            self.pair.target.ask("unfollow", tolerant=True)
        return {}
