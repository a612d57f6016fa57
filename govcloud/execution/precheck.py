"""Judges what was found on the machines of a migration. Pure: the same facts give the same answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from govcloud.execution.databases.probes import verify_probes
from govcloud.model.text import Text

MAX_SKEW_S = 60
NEEDED_PYTHON = (3, 8)
"""ansible-core 2.19 runs its modules on no older one (its module_utils/basic.py: _PY_MIN)."""
PYTHONS = (
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python3.9",
    "python3.8",
    "/usr/bin/python3",
    "python3",
)
"""Where Ansible looks, the first that is there wins (INTERPRETER_PYTHON_FALLBACK of ansible-core 2.19)."""
_WORKS = "import sys, json, zipfile, subprocess; print('%d.%d' % sys.version_info[:2])"
LOOK = f"""date +%s
for p in {" ".join(PYTHONS)}; do q=$(command -v "$p") && break; q=; done
if [ -z "$q" ]; then echo none; exit 0; fi
v=$("$q" -c "{_WORKS}" 2>/dev/null) && echo "$q $v" || echo "$q broken"
"""
"""A shell script without data in it: the host's clock in seconds, then the Python that Ansible would take and its version."""
_MARGIN = 1.1
"""So much more than the source's size must be free: file systems differ in what a file takes."""
_MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What `LOOK` said on a host, between two moments of the controller's own clock (seconds)."""

    host: str
    said: str
    asked_at: float
    answered_at: float
    needed: tuple[int, int] = NEEDED_PYTHON


def judge_reach(found: Sequence[Reach]) -> list[Text]:
    """Why Ansible could not work on these hosts, or why their times can't be compared."""
    problems: list[Text] = []
    for reach in found:
        needed = ".".join(map(str, reach.needed))
        clock, _, about = reach.said.strip().partition("\n")
        path, _, version = about.strip().rpartition(" ")
        if not clock.isdigit() or not about:
            problems.append(
                Text("{h} 没有给出预期的应答：{s}", "{h} did not answer as expected: {s}").format(
                    h=reach.host, s=reach.said[:200]
                )
            )
            continue
        skew = max(reach.asked_at - int(clock) - 1, int(clock) - reach.answered_at, 0.0)
        if skew > MAX_SKEW_S:
            problems.append(
                Text("{h} 的时钟相差 {s} 秒，请先校时", "The clock of {h} is off by {s} s: set it first").format(
                    h=reach.host, s=round(skew)
                )
            )
        if about.strip() == "none":
            problems.append(
                Text(
                    "{h} 上没有 Python，需要 {n} 以上：请安装（例如 /usr/bin/python3.9），不必替换系统自带的程序",
                    "There is no Python on {h}, {n} or newer is needed: install one (as /usr/bin/python3.9); nothing of the system need be replaced",
                ).format(h=reach.host, n=needed)
            )
        elif version == "broken":
            problems.append(
                Text(
                    "{h} 上的 {p} 不能运行，需要可用的 Python {n} 以上：请修复，或另装一个",
                    "{p} on {h} does not work, a working Python {n} or newer is needed: repair it or install another beside it",
                ).format(h=reach.host, p=path, n=needed)
            )
        elif tuple(int(part) for part in version.split(".")) < reach.needed:
            problems.append(
                Text(
                    "{h} 上的 Python 为 {v}（{p}），需要 {n} 以上：请另装一个（例如 /usr/bin/python3.9），不必替换系统自带的程序",
                    "Python on {h} is {v} ({p}), {n} or newer is needed: install one beside it (as /usr/bin/python3.9); the system's own may stay",
                ).format(h=reach.host, v=version, p=path, n=needed)
            )
    return problems


def judge(
    spec: Mapping[str, Any], source: Sequence[Mapping[str, Any] | None], target: Sequence[Mapping[str, Any] | None]
) -> tuple[list[Text], dict[str, int]]:
    """Why the migration must not start (empty: it may), and how much there is to move.

    `source` and `target`: the `facts` of gov_probe.py, one a machine; None for a target that is made later.
    Facts: data_bytes (files and databases of the source), source_bytes, database_bytes, source_files.
    """
    old = {facts["machine"]: facts for facts in source if facts}
    new = {facts["machine"]: facts for facts in target if facts}
    problems: list[Text] = []
    for machine in spec["machines"]:
        here, there = old.get(machine["name"]), new.get(machine["name"])
        for facts in (here, there):
            if facts:
                problems += _both(facts)
        if here:
            problems += _source(here)
        if here and there:
            problems += _target(spec, here, there)
    files = sum(tree["bytes"] for facts in old.values() for tree in facts["files"])
    databases = sum(d.get("bytes", 0) for facts in old.values() for d in facts["databases"])
    return problems, {
        "data_bytes": files + databases, "source_bytes": files, "database_bytes": databases,
        "source_files": sum(tree["files"] for facts in old.values() for tree in facts["files"]),
    }  # fmt: skip


def _both(facts: Mapping[str, Any]) -> Iterator[Text]:
    host = facts["host"]
    if facts["missing_tools"]:
        yield Text("{h} 缺少程序：{t}", "{h} lacks programs: {t}").format(h=host, t=", ".join(facts["missing_tools"]))
    for database in facts["databases"]:
        if missing := database.get("missing_programs"):
            yield Text("{h} 缺少 {k} 的程序：{t}", "{h} lacks programs of {k}: {t}").format(
                h=host, k=database["kind"], t=", ".join(missing)
            )
    told = [*facts["problems"], *(s["problem"] for s in facts["services"] if "problem" in s)]
    told += [p for database in facts["databases"] for p in database.get("problems", ())]
    for problem in told:
        yield Text("{h}：{p}", "{h}: {p}").format(h=host, p=Text(problem["zh"], problem["en"]))


def _source(facts: Mapping[str, Any]) -> Iterator[Text]:
    host = facts["host"]
    for tree in facts["files"]:
        if not tree["there"]:
            yield Text("{h} 上没有源目录 {p}", "{h} has no source directory {p}").format(h=host, p=tree["path"])
        if tree["special"]:
            yield Text(
                "{h} 的源目录中有设备文件或管道，无法复制：{s}", "{h}: devices or pipes can't be copied: {s}"
            ).format(h=host, s=", ".join(tree["special"]))
    for service in facts["services"]:
        if service["state"] != "running" and "problem" not in service:
            yield Text(
                "{h} 上的服务 {n} 没有运行（{s}），无从对比迁移前后",
                "Service {n} on {h} is not running ({s}): there is nothing to compare with",
            ).format(h=host, n=service["name"], s=service["state"])
        if service.get("held"):
            yield Text(
                "{h} 上的计划任务仍处于停用状态，可能有未完成的回退：{t}",
                "Cron tables on {h} are still held, a way back may not be complete: {t}",
            ).format(h=host, t=", ".join(service["held"]))
        if service.get("starters"):
            yield Text(
                "{h} 上的服务 {n} 会被 {u} 重新启动：请把它也列入 services",
                "Service {n} on {h} would be started again by {u}: list it in services as well",
            ).format(h=host, n=service["name"], u=", ".join(service["starters"]))
    for file in facts["carry"]:
        if file["kind"] in ("absent", "other"):
            yield Text("{h} 上没有要带走的文件 {p}", "{h} has no file {p} to carry along").format(
                h=host, p=file["path"]
            )


def _target(spec: Mapping[str, Any], source: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[Text]:
    host, marker, ours = target["host"], target["marker"], target["ours"]
    if marker is not None and not ours:
        yield Text("目标 {h} 上已有副本：{s}（{t}）", "Target {h} holds a copy already: {s} ({t})").format(
            h=host, s=marker.get("system_id"), t=marker.get("state")
        )
    for tree in target["files"]:
        if not tree["empty"] and not ours:
            yield Text("目标 {h} 的目录不为空：{p}", "The directory on target {h} is not empty: {p}").format(
                h=host, p=tree["path"]
            )
    yield from _target_services(spec, source, target)
    yield from _people(source, target)
    methods = dict(enumerate(database["method"] for database in spec["databases"]))
    pairs = {database["index"]: database for database in source["databases"]}
    for database in target["databases"]:
        there = pairs.get(database["index"], {})
        # One that could not be examined has said so and nothing else.
        if "version" in there and "version" in database:
            yield from verify_probes(there, database, methods[database["index"]])
    yield from _space(source, target)


def _target_services(spec: Mapping[str, Any], source: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[Text]:
    host = target["host"]
    arriving = [tree["path"] + "/" for tree in target["files"]]
    carried = {name for file in source["carry"] for name in (file["path"], file["path"].rpartition("/")[2])}
    for service in target["services"]:
        if service["state"] in ("running", "changing"):
            yield Text("目标 {h} 上的服务 {n} 已在运行", "Service {n} is running on target {h} already").format(
                h=host, n=service["name"]
            )
        comes = service["name"] in carried or any(service["name"].startswith(folder) for folder in arriving)
        if service["state"] == "absent" and not comes:
            yield Text(
                "目标 {h} 上没有服务 {n}，迁移文件也没有带上它（carry 或 files）",
                "There is no service {n} on target {h}, and the migration file does not bring it (carry or files)",
            ).format(h=host, n=service["name"])


def _people(source: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[Text]:
    """Owners of carried files and users of carried units must be known on the target by the same names."""
    users = {owner for file in source["carry"] for owner in file["owners"]}
    units = {file["path"].rpartition("/")[2] for file in source["carry"]}
    users |= {s["user"] for s in source["services"] if s.get("user") and s["name"] in units}
    groups = {group for file in source["carry"] for group in file["groups"]}
    for kind, names, known in (
        (Text("用户", "user"), users, target["users"]), (Text("用户组", "group"), groups, target["groups"])
    ):  # fmt: skip
        if unknown := sorted(name for name in names - set(known) if not name.isdigit()):
            yield Text("目标 {h} 上没有{k}：{n}", "Target {h} does not know this {k}: {n}").format(
                h=target["host"], k=kind, n=", ".join(unknown)
            )


def _space(source: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[Text]:
    bytes_needed: dict[int, float] = defaultdict(float)
    files_needed: dict[int, float] = defaultdict(float)
    places = {place["device"]: place for place in target["space"].values()}
    trees = {tree["index"]: tree for tree in source["files"]}
    for tree in target["files"]:
        device, old = target["space"][tree["path"]]["device"], trees[tree["index"]]
        # What an earlier synchronisation has brought is there already.
        bytes_needed[device] += max(0.0, old["bytes"] * _MARGIN - tree["bytes"])
        files_needed[device] += max(0.0, old["files"] * _MARGIN - tree["files"])
    pairs = {database["index"]: database for database in source["databases"]}
    for database in target["databases"]:
        if at := database.get("space_at"):
            # Two copies lie there for a while: the one in use and the one that replaces it.
            there = pairs.get(database["index"], {})
            bytes_needed[target["space"][at]["device"]] += there.get("bytes", 0) * 2 * _MARGIN
    for device, place in places.items():
        if bytes_needed[device] > place["bytes"]:
            yield Text(
                "目标 {h} 磁盘空间不足：需要 {a} MiB，可用 {b} MiB",
                "Too little space on target {h}: {a} MiB needed, {b} free",
            ).format(h=target["host"], a=round(bytes_needed[device] / _MIB), b=place["bytes"] // _MIB)
        if 0 <= place["inodes"] < files_needed[device]:
            yield Text(
                "目标 {h} 的索引节点不足：需要 {a}，可用 {b}", "Too few inodes on target {h}: {a} needed, {b} free"
            ).format(h=target["host"], a=round(files_needed[device]), b=place["inodes"])
