"""Reads `migration/<system_id>.yaml`, and says which hosts it needs and whether they fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from govcloud.errors import InputError
from govcloud.execution.spec_rules import CONTROLLER as CONTROLLER
from govcloud.execution.spec_rules import SYSTEM_ID, overlap, verify_spec
from govcloud.model.access import HostAccess
from govcloud.model.migration import MigrationSpec
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml

FOLDER = "migration"
_SHOWN = 8
_TYPES = {
    "str": "文字", "int": "整数", "float": "数", "bool": "true 或 false", "null": "空值", "object": "键值对", "array": "列表",
}  # fmt: skip


def load_spec(folder: Path, system_id: str) -> MigrationSpec:
    """The migration file of a system. Raises InputError with the file and every faulty field."""
    if not SYSTEM_ID.fullmatch(system_id):
        raise InputError(
            Text("系统编号含不允许的字符", "Not an allowed system id"),
            where=repr(system_id),
            next_step=Text("只用字母、数字、横线、下划线", "Use letters, digits, dash and underscore"),
        )
    path = folder / f"{system_id}.yaml"
    demand_files(folder, [system_id])
    data = load_yaml(path)
    try:
        spec = msgspec.convert(data, MigrationSpec)
    except msgspec.ValidationError as error:
        raise _bad(path, [_in_both_languages(str(error))]) from None
    if unknown := list(_unknown_keys(data, msgspec.to_builtins(spec), "")):
        raise _bad(path, [Text("不认识的字段：{keys}", "Unknown fields: {keys}").format(keys=", ".join(unknown))])
    if problems := list(verify_spec(spec, system_id)):
        raise _bad(path, problems)
    return spec


def demand_files(folder: Path, systems: Sequence[str]) -> None:
    """Raises InputError where some of the systems have no migration file, and names all of those."""
    missing = [s for s in systems if not (folder / f"{s}.yaml").exists()]
    if missing:
        raise InputError(
            Text("还没有迁移文件：{s}", "No migration file yet: {s}").format(s=", ".join(missing)),
            where=str(folder),
            next_step=Text(
                "写明迁哪些内容、迁到哪里：docs/formats.md“迁移文件”",
                'Write down what moves, and where to: docs/formats.md, "Migration files"',
            ),
        )


def host_names(spec: MigrationSpec) -> list[str]:
    """Every host that the migration works on, sorted; bastions not among them."""
    names = {name for machine in spec.machines for name in (machine.source, machine.target)}
    names |= {entrance.host for entrance in spec.entrances}
    return sorted(names | ({spec.network.router} if spec.network else set()))


def made_here(spec: MigrationSpec) -> frozenset[str]:
    """Targets that the run itself makes: they need not be in hosts.yaml."""
    return frozenset(machine.target for machine in spec.machines if machine.provision is not None)


def zone_of(spec: MigrationSpec, hosts: Mapping[str, HostAccess]) -> str | None:
    """The zone whose workers carry the system out: that of its sources, which verify_hosts holds to be one. Targets and
    entrances lie elsewhere as a rule; the machine that stands at the department reaches them, too."""
    return next(iter(sorted(_zones(spec, hosts))), None)


def verify_hosts(spec: MigrationSpec, hosts: Mapping[str, HostAccess]) -> list[Text]:
    """Problems between the spec and hosts.yaml: hosts not listed, several zones, a target that would lie on a source."""
    missing = [h for h in host_names(spec) if h not in hosts and h not in made_here(spec)]
    if missing:
        return [Text("hosts.yaml 中没有主机：{names}", "Not in hosts.yaml: {names}").format(names=", ".join(missing))]
    problems = []
    if len(zones := _zones(spec, hosts)) > 1:
        problems.append(
            Text(
                "系统的源主机分属不同区域，无法由同一执行者完成：{z}",
                "The system's sources are in different zones, no worker reaches them all: {z}",
            ).format(z=", ".join(sorted(zones)))
        )
    for machine in spec.machines:
        for other in spec.machines:
            if machine.target not in hosts or hosts[machine.target].key_host != hosts[other.source].key_host:
                continue
            problems += [
                Text(
                    "源与目标在同一地址，目录 {a} 与 {b} 重叠", "Source and target share an address and {a} overlaps {b}"
                ).format(a=a.target, b=b.source)
                for a in spec.files if a.machine == machine.name
                for b in spec.files if b.machine == other.name and overlap(a.target, b.source)
            ]  # fmt: skip
    return problems


def _zones(spec: MigrationSpec, hosts: Mapping[str, HostAccess]) -> set[str]:
    return {zone for m in spec.machines if m.source in hosts and (zone := hosts[m.source].zone) is not None}


def _bad(path: Path, problems: list[Text]) -> InputError:
    shown = problems[:_SHOWN]
    why = Text("；".join(p.zh for p in shown), "; ".join(p.en for p in shown))
    return InputError(
        Text("迁移文件不合要求：{why}", "Not a valid migration file: {why}").format(why=why),
        where=str(path),
        next_step=Text(
            "对照 docs/formats.md 的“迁移文件”改正", "Correct it after docs/formats.md, section migration files"
        ),
    )


def _in_both_languages(said: str) -> Text:
    """msgspec's messages are few: a wrong type, a missing field, a value outside the list."""
    what, _, place = said.partition(" - at `$")
    field = place.rstrip("`").lstrip(".") or "—"
    if found := re.fullmatch(r"Expected `(.+?)`, got `(.+?)`", what):
        wanted, given = (" / ".join(_TYPES.get(t.strip(), t.strip()) for t in g.split("|")) for g in found.groups())
        return Text(f"{field} 应为{wanted}，写的是{given}", f"{field}: {what}")
    if found := re.fullmatch(r"Object missing required field `(.+?)`", what):
        return Text(f"{field} 缺少 {found[1]}", f"{field}: {found[1]} is missing")
    if found := re.fullmatch(r"Invalid enum value (.+)", what):
        return Text(f"{field} 不能是 {found[1]}", f"{field}: {found[1]} is not one of the values")
    return Text(f"{field}：{what}", f"{field}: {what}")


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
