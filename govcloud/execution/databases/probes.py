"""Judges what the probes of both ends found of one database. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from govcloud.model.text import Text


def verify_probes(source: Mapping[str, Any], target: Mapping[str, Any], method: str) -> list[Text]:
    """Why the two don't fit together; each end's own troubles are in its `problems`.

    `source` and `target` are results of `probe` of module_utils/gov_<kind>.py.
    """
    name, found = source["name"], []
    here, there = _version(source["version"]), _version(target["version"])
    new_cluster = source["kind"] == "postgresql" and there is None
    if new_cluster:
        there = _version(target["client"])  # the cluster that provision makes is of the programs' version
    if here is not None and there is not None and there < here:
        found.append(
            Text(
                "数据库 {n}：目标版本 {b} 低于源 {a}",
                "Database {n}: the target's version {b} is older than the source's {a}",
            ).format(n=name, a=_shown(here), b=_shown(there))
        )
    a, b = _version(source["client"]), _version(target["client"])
    if source["kind"] == "postgresql" and a is not None and b is not None and b[0] < a[0]:
        found.append(
            Text("数据库 {n}：目标的 pg_restore {b} 读不了源 pg_dump {a} 的导出", "Database {n}: pg_restore {b} at the target can't read what pg_dump {a} writes")
            .format(n=name, a=_shown(a), b=_shown(b))
        )  # fmt: skip
    if source["kind"] == "mysql" and "mariadb" in source and "mariadb" in target:
        if source["mariadb"] != target["mariadb"]:
            found.append(
                Text(
                    "数据库 {n}：不支持在 MySQL 与 MariaDB 之间迁移",
                    "Database {n}: MySQL and MariaDB can't be migrated into each other",
                ).format(n=name)
            )
        if method == "replication" and source["server_id"] == target["server_id"]:
            found.append(
                Text(
                    "数据库 {n}：两端的 server_id 相同，无法复制",
                    "Database {n}: both servers have the same server_id: no replication",
                ).format(n=name)
            )
    return found


def _version(found: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if found is None else tuple(found)


def _shown(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
