"""Judges what the probes of both hosts found. Pure: the same facts give the same answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from govcloud.model.text import Text

MAX_SKEW_S = 60
_REUSABLE = ("preparing", "rolled_back")
_MIB = 2**20


def judge(
    spec: Mapping[str, Any], source: Mapping[str, Any], target: Mapping[str, Any], now: float
) -> tuple[list[Text], dict[str, int]]:
    """Why the migration must not start (empty: it may), and how much there is to move.

    `source` and `target` are the `facts` of gov_probe.py, `now` the controller's clock in seconds.
    """
    problems = [*_both(spec, source, target, now), *_source(spec, source), *_target(spec, source, target)]
    files = sum(tree["bytes"] for tree in source["trees"].values() if tree)
    database = source.get("database", {}).get("bytes", 0)
    return problems, {"source_bytes": files, "database_bytes": database}


def _both(spec: Mapping[str, Any], source: Mapping[str, Any], target: Mapping[str, Any], now: float) -> Iterator[Text]:
    for end, facts in (("source", source), ("target", target)):
        host = spec[end]["host"]
        if facts["missing_tools"]:
            yield Text("{h} 缺少程序：{t}", "{h} lacks programs: {t}").format(
                h=host, t=", ".join(facts["missing_tools"])
            )
        skew = round(abs(now - facts["clock"]))
        if skew > MAX_SKEW_S:
            yield Text("{h} 的时钟相差 {s} 秒", "The clock of {h} is off by {s} s").format(h=host, s=skew)
        database = facts.get("database")
        if spec[end]["database"] and database:
            absent = {"psql", "pg_dump", "pg_restore"} - set(database["programs"])
            if absent:
                yield Text("{h} 缺少 PostgreSQL 程序：{t}", "{h} lacks PostgreSQL programs: {t}").format(
                    h=host, t=", ".join(sorted(absent))
                )
            if not database["password_file"]:
                yield Text("{h} 上的数据库口令文件读不到", "The database's password file on {h} can't be read").format(
                    h=host
                )
            if "problem" in database:
                yield Text("{h} 的数据库：{w}", "Database on {h}: {w}").format(h=host, w=database["problem"])


def _source(spec: Mapping[str, Any], source: Mapping[str, Any]) -> Iterator[Text]:
    for path, tree in source["trees"].items():
        if tree is None:
            yield Text("源目录不存在：{p}", "No such source directory: {p}").format(p=path)
    if not source["service_running"]:
        yield Text("源服务没有运行，无从对比迁移前后", "The source's service is not running: nothing to compare with")
    database = source.get("database") or {}
    if database.get("read_only"):
        yield Text(
            "源数据库已是只读：可能有未回退的割接",
            "The source database is read-only: an earlier cutover may not have been rolled back",
        )
    if "server_version" in database and database["client_version"] < database["server_version"] // 10000:
        yield Text("源主机的 pg_dump 比数据库旧", "pg_dump on the source is older than its server")


def _target(spec: Mapping[str, Any], source: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[Text]:
    marker = target["marker"]
    ours = marker is not None and marker.get("system_id") == spec["system_id"] and marker.get("state") in _REUSABLE
    if marker is not None and not ours:
        yield Text("目标上已有副本：{s}（{t}）", "The target holds a copy already: {s} ({t})").format(
            s=marker.get("system_id"), t=marker.get("state")
        )
    for path, tree in target["trees"].items():
        if tree is not None and not tree["empty"] and not ours:
            yield Text("目标目录不为空：{p}", "The target directory is not empty: {p}").format(p=path)
    if target["service_running"]:
        yield Text("目标服务已在运行", "The target's service is running already")
    script = spec["target"]["service"].get("script")
    arrives = any(script and script.startswith(pair["target"] + "/") for pair in spec["files"])
    if target["service_running"] is None and not arrives:
        yield Text("目标上没有服务脚本：{p}", "No service script on the target: {p}").format(p=script)
    if spec["target"]["database"]:
        yield from _target_database(spec["target"]["database"], source.get("database") or {}, target, ours)
    yield from _space(spec, source, target)


def _target_database(
    spec: Mapping[str, Any], source: Mapping[str, Any], target: Mapping[str, Any], ours: bool
) -> Iterator[Text]:
    database = target["database"]
    if spec["data_dir"] and not database["initdb"]:
        yield Text("目标缺少 initdb", "The target lacks initdb")
    if spec["data_dir"] and not database["data_dir_empty"] and not ours:
        yield Text("目标数据库目录不为空：{p}", "The target's data directory is not empty: {p}").format(
            p=spec["data_dir"]
        )
    if database.get("exists") and not ours:
        yield Text("目标上已有同名数据库：{n}", "The target has a database of that name: {n}").format(n=spec["name"])
    if database.get("client_version", 0) < source.get("client_version", 0):
        yield Text("目标的 PostgreSQL 版本低于源", "PostgreSQL on the target is older than on the source")


def _space(spec: Mapping[str, Any], source: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[Text]:
    needed: dict[int, float] = defaultdict(float)
    free: dict[int, int] = {}
    for pair in spec["files"]:
        place = target["space"][pair["target"]]
        tree = source["trees"][pair["source"]]
        needed[place["device"]] += (tree["bytes"] if tree else 0) * 1.1
        free[place["device"]] = place["bytes"]
    database = spec["target"]["database"]
    if database and database["data_dir"]:
        place = target["space"][database["data_dir"]]
        # Two copies lie there for a while: the one in use and the one that replaces it.
        needed[place["device"]] += (source.get("database") or {}).get("bytes", 0) * 2.2
        free[place["device"]] = place["bytes"]
    for device, want in needed.items():
        if want > free[device]:
            yield Text(
                "目标磁盘空间不足：需要 {a} MiB，可用 {b} MiB",
                "Too little space on the target: {a} MiB needed, {b} free",
            ).format(a=round(want / _MIB), b=free[device] // _MIB)
