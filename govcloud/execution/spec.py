"""Reads `migration/<system_id>.yaml` and refuses what could run or overwrite something it shouldn't."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from govcloud.errors import InputError
from govcloud.model.access import HostAccess
from govcloud.model.ids import is_host_name
from govcloud.model.run import EndSpec, MigrationSpec
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml

FOLDER = "migration"
CONTROLLER = "govcloud"
"""The machine that we run on, as Ansible's inventory calls it."""
_RESERVED = {CONTROLLER, "all", "ungrouped", "localhost", "source", "target", "entry", "controller"}
_SYSTEM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_@.:-]{0,127}")


def load_spec(folder: Path, system_id: str) -> MigrationSpec:
    """The migration file of a system. Raises InputError with the file and the field."""
    if not _SYSTEM_ID.fullmatch(system_id):
        raise InputError(
            Text("系统编号含不允许的字符", "Not an allowed system id"),
            where=repr(system_id),
            next_step=Text("只用字母、数字、横线、下划线", "Use letters, digits, dash and underscore"),
        )
    path = folder / f"{system_id}.yaml"
    data = load_yaml(path)
    try:
        spec = msgspec.convert(data, MigrationSpec)
    except msgspec.ValidationError as error:
        raise _bad(path, Text("{why}", "{why}").format(why=error)) from None
    if unknown := list(_unknown_keys(data, msgspec.to_builtins(spec), "")):
        raise _bad(path, Text("不认识的字段：{keys}", "Unknown fields: {keys}").format(keys=", ".join(unknown)))
    for problem in _problems(spec, system_id):
        raise _bad(path, problem)
    return spec


def verify_hosts(spec: MigrationSpec, hosts: dict[str, HostAccess]) -> list[Text]:
    """Problems between the spec and hosts.yaml: hosts that are not listed, and a target that would lie on its source."""
    missing = [h for h in host_names(spec) if h not in hosts]
    if missing:
        return [Text("hosts.yaml 中没有主机：{names}", "Not in hosts.yaml: {names}").format(names=", ".join(missing))]
    if behind := [h for h in host_names(spec) if hosts[h].via]:
        return [Text(
            "迁移还不能经堡垒机登录：{names}；请从能直接连到它们的机器上执行",
            "A migration does not go through a bastion yet: {names}; run it from a machine that reaches them directly",
        ).format(names=", ".join(behind))]  # fmt: skip
    source, target = hosts[spec.source.host], hosts[spec.target.host]
    if source.address != target.address:
        return []
    return [
        Text(
            "源与目标在同一地址，目录 {a} 与 {b} 重叠", "Source and target share an address and {a} overlaps {b}"
        ).format(a=a.target, b=b.source)
        for a in spec.files
        for b in spec.files
        if _overlap(a.target, b.source)
    ]


def host_names(spec: MigrationSpec) -> list[str]:
    return sorted({spec.source.host, spec.target.host, spec.entry.host})


def _bad(path: Path, why: Text) -> InputError:
    return InputError(
        Text("迁移文件不合要求：{why}", "Not a valid migration file: {why}").format(why=why),
        where=str(path),
        next_step=Text(
            "对照 docs/formats.md 的“迁移文件”改正", "Correct it after docs/formats.md, section migration files"
        ),
    )


def _unknown_keys(given: object, known: object, path: str) -> Iterator[str]:
    """A misspelt `on_failure` must not be ignored in silence."""
    if isinstance(given, dict) and isinstance(known, dict):
        for key, value in given.items():
            if key not in known:
                yield f"{path}{key}"
            else:
                yield from _unknown_keys(value, known[key], f"{path}{key}.")
    elif isinstance(given, list) and isinstance(known, (list, tuple)):
        for index, (a, b) in enumerate(zip(given, known, strict=False)):
            yield from _unknown_keys(a, b, f"{path}{index}.")


def _problems(spec: MigrationSpec, system_id: str) -> Iterator[Text]:
    if spec.system_id != system_id:
        yield Text("system_id 与文件名不一致", "system_id differs from the file's name")
    for host in (spec.source.host, spec.target.host, spec.entry.host):
        if not is_host_name(host) or host in _RESERVED:
            yield Text("主机名不允许：{v}", "Not an allowed host name: {v}").format(v=repr(host))
    if spec.source.host == spec.target.host:
        yield Text("源主机与目标主机相同", "Source and target are the same host")
    if (spec.source.database is None) != (spec.target.database is None):
        yield Text("数据库须在源和目标同时写或同时不写", "Give the database for both ends or for none")
    if not spec.files and spec.source.database is None:
        yield Text("没有要迁移的文件或数据库", "There are neither files nor a database to move")
    if not spec.verify:
        yield Text("verify 至少要有一项", "verify needs at least one check")
    if not 1 <= spec.deadline_min <= 7 * 24 * 60:
        yield Text("deadline_min 须在 1 至 10080 之间", "deadline_min must be between 1 and 10080")
    if spec.source.database is not None and spec.source.database.data_dir is not None:
        yield Text("data_dir 只能写在目标数据库", "data_dir is for the target database only")
    for path in _paths(spec):
        if not posixpath.isabs(path) or posixpath.normpath(path) != path or path == "/" or not path.isprintable():
            yield Text("路径须为规范的绝对路径：{v}", "Not a normal absolute path: {v}").format(v=repr(path))
    targets = [pair.target for pair in spec.files]
    for index, a in enumerate(targets):
        if any(_overlap(a, b) for b in targets[index + 1 :]):
            yield Text("目标目录互相重叠：{v}", "Target directories overlap: {v}").format(v=a)
    yield from _entry_problems(spec)
    for end in (spec.source, spec.target):
        yield from _end_problems(end)


def _entry_problems(spec: MigrationSpec) -> Iterator[Text]:
    for url in (spec.entry.url, spec.entry.source, spec.entry.target):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            yield Text("不是可用的网址：{v}", "Not a usable URL: {v}").format(v=repr(url))
    if spec.entry.source == spec.entry.target:
        yield Text("入口的源与目标相同", "The entrance's source and target are the same")
    for word in filter(None, (spec.entry.name, spec.entry.served_by_header)):
        if not _WORD.fullmatch(word):
            yield Text("名称含不允许的字符：{v}", "Not an allowed name: {v}").format(v=repr(word))
    for check in spec.verify:
        if not check.path.startswith("/") or not check.path.isprintable():
            yield Text("检查路径须以 / 开头：{v}", "A check's path starts with /: {v}").format(v=repr(check.path))


def _end_problems(end: EndSpec) -> Iterator[Text]:
    if (end.service.script is None) == (end.service.systemd is None):
        yield Text("service 须且只能写 script 或 systemd", "service needs exactly one of script and systemd")
    words = [end.service.systemd] if end.service.systemd else []
    if end.database is not None:
        words += [end.database.name, end.database.user, end.database.host]
    for word in words:
        if not _WORD.fullmatch(word):
            yield Text("名称含不允许的字符：{v}", "Not an allowed name: {v}").format(v=repr(word))


def _paths(spec: MigrationSpec) -> Iterator[str]:
    for pair in spec.files:
        yield from (pair.source, pair.target)
    yield from (spec.entry.file, spec.target.state_dir)
    for end in (spec.source, spec.target):
        if end.service.script is not None:
            yield end.service.script
        if end.database is not None:
            yield from (end.database.bin, end.database.password_file)
            if end.database.data_dir is not None:
                yield end.database.data_dir


def _overlap(a: str, b: str) -> bool:
    return a == b or a.startswith(b + "/") or b.startswith(a + "/")
