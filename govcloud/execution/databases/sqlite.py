"""SQLite: a consistent copy of the file, once more after the freeze where rows differ."""

from __future__ import annotations

from govcloud.execution.databases.kind import Facts, Kind


class SQLite(Kind):
    def send(self) -> Facts:
        return {"database_bytes": self.pair.stream("dump", "restore", given={}, taken={}).bytes}
