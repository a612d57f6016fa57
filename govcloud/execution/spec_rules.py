"""What a migration file may say: names, paths and addresses on allow-lists, and nothing that would overwrite something else."""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections.abc import Iterator
from itertools import combinations
from urllib.parse import urlsplit

from govcloud.model.ids import is_host_name
from govcloud.model.migration import (
    DatabaseEnd,
    DatabaseSpec,
    EntranceSpec,
    MachineSpec,
    MigrationSpec,
    NetworkSpec,
    ServiceSpec,
    VerifySpec,
)
from govcloud.model.text import Text

CONTROLLER = "govcloud"
"""The machine that we run on, as Ansible's inventory calls it."""
SYSTEM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_RESERVED = {CONTROLLER, "all", "ungrouped", "localhost", "systems", "hosts"}
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_@.:-]{0,127}")
_PHRASE = re.compile(r"[^\W_][\w @.:()/+-]{0,127}")
"""Names that a cloud gave: images and networks may have Chinese names and blanks."""
_DATABASE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.$-]{0,62}")
_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_MAX_DEADLINE_MIN = 7 * 24 * 60


def verify_spec(spec: MigrationSpec, system_id: str) -> Iterator[Text]:
    """Each problem with the field that has it."""
    if spec.system_id != system_id:
        yield Text("system_id 与文件名不一致", "system_id differs from the file's name")
    if system_id in _RESERVED:
        yield Text("系统编号 {v} 另有用途", "The system id {v} means something else").format(v=system_id)
    if not (spec.files or spec.databases or spec.services or spec.network or any(m.image for m in spec.machines)):
        yield Text("没有要迁移的内容", "There is nothing to move")
    yield from _machines(spec)
    for index, pair in enumerate(spec.files):
        yield from _known_machine(spec, f"files[{index}]", pair.machine)
        yield from _path(f"files[{index}].source", pair.source)
        yield from _path(f"files[{index}].target", pair.target)
    for index, database in enumerate(spec.databases):
        yield from _known_machine(spec, f"databases[{index}]", database.machine)
        yield from _database(f"databases[{index}]", database)
    for index, service in enumerate(spec.services):
        yield from _known_machine(spec, f"services[{index}]", service.machine)
        yield from _service(f"services[{index}]", service)
    for index, entrance in enumerate(spec.entrances):
        yield from _entrance(f"entrances[{index}]", entrance)
    yield from _verify(spec.verify)
    if spec.network is not None:
        yield from _network(spec.network)
    yield from _apart(spec)
    if spec.limits.bandwidth_mbps is not None and spec.limits.bandwidth_mbps < 1:
        yield Text("limits.bandwidth_mbps 至少为 1", "limits.bandwidth_mbps is at least 1")
    if not 1 <= spec.limits.deadline_min <= _MAX_DEADLINE_MIN:
        yield Text("limits.deadline_min 须在 1 至 {n} 之间", "limits.deadline_min must be between 1 and {n}").format(
            n=_MAX_DEADLINE_MIN
        )


def overlap(a: str, b: str) -> bool:
    return a == b or a.startswith(b.rstrip("/") + "/") or b.startswith(a.rstrip("/") + "/")


def _bad(field: str, zh: str, en: str, value: object = None) -> Text:
    shown = "" if value is None else repr(value)
    return Text(f"{field}：{zh}{'：' if shown else ''}{shown}", f"{field}: {en}{': ' if shown else ''}{shown}")


def _machines(spec: MigrationSpec) -> Iterator[Text]:
    if not spec.machines:
        yield _bad("machines", "至少要有一台机器", "at least one machine is needed")
    for index, machine in enumerate(spec.machines):
        field = f"machines[{index}]"
        yield from _word(f"{field}.name", machine.name)
        yield from _host(f"{field}.source", machine.source)
        yield from _host(f"{field}.target", machine.target)
        yield from _path(f"{field}.state_dir", machine.state_dir)
        yield from _made(field, machine)
    names = [m.name for m in spec.machines]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        yield _bad("machines", "名称重复", "a name is used twice", ", ".join(twice))
    sources, targets = {m.source for m in spec.machines}, [m.target for m in spec.machines]
    if both := sorted(sources & set(targets)):
        # The whole file is one copy: a host that is written to can't be one that must stay as it is.
        yield _bad("machines", "源主机与目标主机相同", "source and target are the same host", ", ".join(both))
    if twice := sorted({t for t in targets if targets.count(t) > 1}):
        yield _bad("machines", "同一目标主机用了两次", "one target host is used twice", ", ".join(twice))


def _made(field: str, machine: MachineSpec) -> Iterator[Text]:
    made = machine.provision
    if machine.image is not None:
        yield from _path(f"{field}.image.disk", machine.image.disk)
        if made is None:
            yield _bad(f"{field}.image", "整机迁移须写 provision", "a whole machine needs `provision`")
    if made is None:
        return
    if made.driver == "openstack" and not made.cloud:
        yield _bad(f"{field}.provision.cloud", "须写 clouds.yaml 中的名称", "an entry of clouds.yaml is needed")
    for name, value in (("cloud", made.cloud), ("image", made.image), ("network", made.network)):
        if value and not _PHRASE.fullmatch(value):
            yield _bad(f"{field}.provision.{name}", "名称含不允许的字符", "not an allowed name", value)
    yield from _word(f"{field}.provision.offering", made.offering)
    if not is_host_name(made.user):
        yield _bad(f"{field}.provision.user", "用户名含不允许的字符", "not an allowed user name", made.user)
    if made.address is not None and not is_address(made.address):
        yield _bad(f"{field}.provision.address", "不是 IP 地址", "not an IP address", made.address)
    if not 1 <= made.disk_gib <= 65536:
        yield _bad(f"{field}.provision.disk_gib", "须在 1 至 65536 之间", "must be between 1 and 65536")
    if made.key_file is not None and (
        not made.key_file.isprintable() or '"' in made.key_file or made.key_file.startswith("-")
    ):
        yield _bad(f"{field}.provision.key_file", "不是可用的路径", "not a usable path", made.key_file)


def _database(field: str, spec: DatabaseSpec) -> Iterator[Text]:
    if spec.method == "replication" and spec.kind == "sqlite":
        yield _bad(f"{field}.method", "SQLite 没有复制功能，请用 dump", "SQLite has no replication, use dump")
    if spec.source.data_dir is not None or spec.source.run_as_uid is not None:
        yield _bad(
            f"{field}.source",
            "data_dir、run_as_uid 只能写在目标数据库",
            "data_dir and run_as_uid are for the target database only",
        )
    for name, end in (("source", spec.source), ("target", spec.target)):
        yield from _database_end(f"{field}.{name}", spec, end)


def _database_end(field: str, spec: DatabaseSpec, end: DatabaseEnd) -> Iterator[Text]:
    needed = {"sqlite": ("path",), "redis": ()}.get(spec.kind, ("name", "user", "password_file"))
    for key in needed:
        if not getattr(end, key):
            yield _bad(field, f"{spec.kind} 须写 {key}", f"{spec.kind} needs {key}")
    if spec.kind != "sqlite" and end.path is not None:
        yield _bad(f"{field}.path", "只用于 SQLite", "is for SQLite only")
    if end.data_dir is not None and spec.kind != "postgresql":
        yield _bad(f"{field}.data_dir", "只用于 PostgreSQL", "is for PostgreSQL only")
    if spec.kind == "redis" and end.name and not (end.name.isascii() and end.name.isdigit()):
        yield _bad(f"{field}.name", "Redis 的库号须为数字", "a Redis database is a number", end.name)
    for key, value in (("name", end.name), ("user", end.user)):
        if value and not _DATABASE.fullmatch(value):
            yield _bad(f"{field}.{key}", "名称含不允许的字符", "not an allowed name", value)
    if not (is_host_name(end.host) or is_address(end.host) or end.host.startswith("/")):
        yield _bad(f"{field}.host", "主机名不允许", "not an allowed host name", end.host)
    if end.port is not None and not 1 <= end.port <= 65535:
        yield _bad(f"{field}.port", "须在 1 至 65535 之间", "must be between 1 and 65535")
    if end.run_as_uid is not None and end.run_as_uid < 1:
        yield _bad(f"{field}.run_as_uid", "至少为 1", "is at least 1")
    for key in ("bin", "password_file", "path", "data_dir"):
        if (value := getattr(end, key)) is not None:
            yield from _path(f"{field}.{key}", value)
    if end.host.startswith("/"):
        yield from _path(f"{field}.host", end.host)


def _service(field: str, spec: ServiceSpec) -> Iterator[Text]:
    for name, end in (("source", spec.source), ("target", spec.target)):
        if (end.script is None) == (end.systemd is None):
            yield _bad(f"{field}.{name}", "须且只能写 script 或 systemd", "needs exactly one of script and systemd")
        if end.script is not None:
            yield from _path(f"{field}.{name}.script", end.script)
        if end.systemd is not None:
            yield from _word(f"{field}.{name}.systemd", end.systemd)
    for key in ("carry", "tls"):
        for value in getattr(spec, key):
            yield from _path(f"{field}.{key}", value)


def _entrance(field: str, spec: EntranceSpec) -> Iterator[Text]:
    yield from _host(f"{field}.host", spec.host)
    yield from _path(f"{field}.state_dir", spec.state_dir)
    if spec.source == spec.target:
        yield _bad(field, "源与目标相同", "source and target are the same", spec.source)
    if spec.kind == "dns":
        yield from _record(field, spec)
        return
    yield from _path(f"{field}.file", spec.file)
    if spec.zone or spec.server or spec.key_file is not None:
        yield _bad(field, "zone、server、key_file 只用于 dns", "zone, server and key_file are for dns only")
    if spec.kind == "hosts":
        if not is_host_name(spec.name):
            yield _bad(f"{field}.name", "主机名不允许", "not an allowed host name", spec.name)
    else:
        yield from _word(f"{field}.name", spec.name)
    for key, value in (("source", spec.source), ("target", spec.target)):
        if spec.kind == "json":
            yield from _url(f"{field}.{key}", value)
        elif spec.kind == "hosts" and not is_address(value):
            yield _bad(f"{field}.{key}", "不是 IP 地址", "not an IP address", value)
        elif spec.kind == "nginx" and not all(map(_is_server, value.replace(",", " ").split() or [""])):
            yield _bad(f"{field}.{key}", "须为 主机:端口", "must be host:port", value)


def _record(field: str, spec: EntranceSpec) -> Iterator[Text]:
    if spec.file:
        yield _bad(f"{field}.file", "dns 不用 file", "dns has no file")
    zone, name = spec.zone.rstrip("."), spec.name.rstrip(".")
    for key, value in (("zone", zone), ("name", name)):
        if not is_host_name(value.lower()):
            yield _bad(f"{field}.{key}", "域名不允许", "not an allowed domain name", value)
    if name.lower() != zone.lower() and not name.lower().endswith(f".{zone.lower()}"):
        yield _bad(f"{field}.name", f"不在区 {zone} 内", f"is not in the zone {zone}", spec.name)
    if not (is_host_name(spec.server) or is_address(spec.server)):
        yield _bad(f"{field}.server", "须写主服务器地址", "the primary server's address is needed", spec.server)
    if not (is_address(spec.source) and is_address(spec.target)):
        yield _bad(field, "source、target 须为 IP 地址", "source and target must be IP addresses")
    elif ipaddress.ip_address(spec.source).version != ipaddress.ip_address(spec.target).version:
        yield _bad(field, "source、target 须同为 IPv4 或 IPv6", "source and target must both be IPv4 or IPv6")
    if spec.key_file is not None:
        yield from _path(f"{field}.key_file", spec.key_file)
    if not 1 <= spec.ttl <= 86400:
        yield _bad(f"{field}.ttl", "须在 1 至 86400 之间", "must be between 1 and 86400")


def _verify(spec: VerifySpec) -> Iterator[Text]:
    for key in ("url", "source_url", "target_url"):
        if (value := getattr(spec, key)) is not None:
            yield from _url(f"verify.{key}", value)
    if spec.served_by_header is not None and not _HEADER.fullmatch(spec.served_by_header):
        yield _bad("verify.served_by_header", "不是响应头名称", "not a header name", spec.served_by_header)
    if not spec.checks:
        yield _bad("verify.checks", "至少要有一项", "at least one check is needed")
    for index, check in enumerate(spec.checks):
        field = f"verify.checks[{index}]"
        if not check.path.startswith("/") or not check.path.isprintable():
            yield _bad(f"{field}.path", "须以 / 开头", "must start with /", check.path)
        if not 100 <= check.status <= 599:
            yield _bad(f"{field}.status", "不是 HTTP 状态码", "not an HTTP status", check.status)


def _network(spec: NetworkSpec) -> Iterator[Text]:
    yield from _word("network.network_id", spec.network_id)
    yield from _host("network.router", spec.router)
    yield from _path("network.state_dir", spec.state_dir)
    for key, value in (("zone_from", spec.zone_from), ("zone_to", spec.zone_to)):
        if not _PHRASE.fullmatch(value):
            yield _bad(f"network.{key}", "名称含不允许的字符", "not an allowed name", value)
    if spec.zone_from == spec.zone_to:
        yield _bad("network", "zone_from 与 zone_to 相同", "zone_from and zone_to are the same")
    for value in (spec.prefix, *spec.routes):
        if not _is_prefix(value):
            yield _bad("network", "不是网段（主机位须为 0）", "not a prefix (its host bits must be 0)", value)
    for value in spec.tunnels:
        if not _INTERFACE.fullmatch(value):
            yield _bad("network.tunnels", "不是接口名", "not an interface's name", value)
    for index, flow in enumerate(spec.flows):
        if not _is_flow(flow):
            yield _bad(
                f"network.flows[{index}]",
                "须为“tcp|udp 源 目的 端口”或“icmp 源 目的”",
                "must be `tcp|udp source destination port` or `icmp source destination`",
                flow,
            )
        elif _is_prefix(spec.prefix) and not _touches(flow, spec.prefix):
            yield _bad(
                f"network.flows[{index}]", f"两端都不在 {spec.prefix} 内", f"neither end is in {spec.prefix}", flow
            )


def _apart(spec: MigrationSpec) -> Iterator[Text]:
    """What is written to one machine must not lie in something else that is written there: whoever comes second would
    overwrite or delete it, the marker that guards the copy included."""
    for machine in spec.machines:
        places = [(f"machines[{machine.name}].state_dir", machine.state_dir)]
        places += [(f"files[{i}].target", f.target) for i, f in enumerate(spec.files) if f.machine == machine.name]
        for index, database in enumerate(spec.databases):
            if database.machine == machine.name:
                for key in ("path", "data_dir"):
                    if (value := getattr(database.target, key)) is not None:
                        places.append((f"databases[{index}].target.{key}", value))
        for index, service in enumerate(spec.services):
            if service.machine == machine.name:
                places += [(f"services[{index}].carry", p) for p in service.carry]
                places += [(f"services[{index}].tls", p) for p in service.tls]
        for (a, here), (b, there) in combinations(places, 2):
            both_read = here == there and a.endswith(".tls") and b.endswith(".tls")
            if overlap(here, there) and not both_read:
                yield Text(f"{a}（{here}）与 {b}（{there}）互相重叠", f"{a} ({here}) and {b} ({there}) overlap")
    yield from _twice(spec)


def _twice(spec: MigrationSpec) -> Iterator[Text]:
    kept = [
        (d.machine, d.kind, d.target.host, d.target.port, d.target.name) for d in spec.databases if d.kind != "sqlite"
    ]
    for index, place in enumerate(kept):
        if place in kept[:index]:
            yield _bad("databases", "两个数据库迁往同一处", "two databases go to the same place", place[-1])
    doors = [(e.host, e.file, e.server, e.name) for e in spec.entrances]
    for index, door in enumerate(doors):
        if door in doors[:index]:
            yield _bad("entrances", "同一入口写了两次", "one entrance is given twice", door[-1])


def _known_machine(spec: MigrationSpec, field: str, name: str) -> Iterator[Text]:
    if name not in {m.name for m in spec.machines}:
        yield _bad(f"{field}.machine", "没有这台机器", "no such machine", name)


def _host(field: str, name: str) -> Iterator[Text]:
    if not is_host_name(name) or name in _RESERVED:
        yield _bad(field, "主机名不允许", "not an allowed host name", name)


def _word(field: str, word: str) -> Iterator[Text]:
    if not _WORD.fullmatch(word):
        yield _bad(field, "名称含不允许的字符", "not an allowed name", word)


def _path(field: str, path: str) -> Iterator[Text]:
    if not posixpath.isabs(path) or posixpath.normpath(path) != path or path == "/" or not path.isprintable():
        yield _bad(field, "须为规范的绝对路径", "not a normal absolute path", path)


def _url(field: str, url: str) -> Iterator[Text]:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or not parts.hostname or parts.username or parts.password or parts.query or parts.fragment or not url.isprintable() or " " in url:  # fmt: skip
        yield _bad(field, "不是可用的网址", "not a usable URL", url)


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_prefix(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _is_server(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return (is_host_name(host) or is_address(host.strip("[]"))) and port.isdigit() and 0 < int(port) < 65536


def _is_flow(text: str) -> bool:
    kind, *ends = text.split() or [""]
    if len(ends) < 2 or not (_is_prefix(ends[0]) and _is_prefix(ends[1])):
        return False
    if kind == "icmp":
        return len(ends) == 2
    port = ends[2] if len(ends) == 3 else ""
    return kind in ("tcp", "udp") and port.isascii() and port.isdigit() and 0 < int(port) < 65536


def _touches(flow: str, prefix: str) -> bool:
    home = ipaddress.ip_network(prefix)
    ends = map(ipaddress.ip_network, flow.split()[1:3])
    return any(end.version == home.version and end.subnet_of(home) for end in ends)  # type: ignore[arg-type]
