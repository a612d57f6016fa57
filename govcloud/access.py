"""Reads `hosts.yaml` and checks every name before ssh or Ansible can see it; reads secrets from files that nobody else can read."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import stat
from dataclasses import fields, replace
from pathlib import Path

import msgspec

from govcloud.errors import InputError, UsageError
from govcloud.model.access import HostAccess
from govcloud.model.ids import is_host_name
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml

FILE = "hosts.yaml"
_SECRET_BYTES = 4096

_BASTION = re.compile(
    r"(?:(?P<user>[^@]{1,64})@)?(?:\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<address>[^@:\[\]]{1,253}))(?::(?P<port>\d{1,5}))?"
)


def load_hosts(path: Path) -> tuple[HostAccess, ...]:
    """Hosts of a file `{hosts: [{name, address, port, user, key_file, zone, via}]}`; key paths made absolute.

    Raises InputError for a name or address outside the allow-list, a name met twice, a key that others can read, or a
    `via` that names no host of the file that is reached directly.
    """
    if not path.exists():
        raise InputError(
            Text("文件不存在", "No such file"),
            where=str(path),
            next_step=Text("写明要登录的主机：docs/formats.md“hosts.yaml”", 'List the hosts to log in to: docs/formats.md, "hosts.yaml"'),
        )  # fmt: skip
    data = load_yaml(path)
    try:
        hosts = msgspec.convert(data, dict[str, tuple[HostAccess, ...]])["hosts"]
        for entry in data["hosts"]:
            # msgspec passes over a key that it does not know; a mistyped key_file must not mean "no key".
            if unknown := set(entry) - {f.name for f in fields(HostAccess)}:
                raise msgspec.ValidationError(f"unknown key {min(unknown)!r}")
    except (msgspec.ValidationError, KeyError) as error:
        raise InputError(
            Text("主机清单不合要求：{why}", "Not a valid list of hosts: {why}").format(why=error),
            where=str(path),
            next_step=Text(
                "每台主机写 name、address，可写 port、user、key_file、zone、via",
                "Give each host a name and an address; port, user, key_file, zone and via are optional",
            ),
        ) from None
    seen: set[str] = set()
    checked = tuple(_checked(host, path, seen) for host in hosts)
    direct = {host.name for host in checked if host.via is None}
    for host in checked:
        if host.via is not None and host.via not in direct:
            raise InputError(
                Text("{h} 的跳板机 {v} 不在清单中，或本身也要经过跳板机", "The bastion {v} of {h} is not listed, or is itself behind one").format(
                    h=host.name, v=repr(host.via)),
                where=str(path),
                next_step=Text("via 写一台直接可达的主机的 name", "Write the name of a host that is reached directly after via"),
            )  # fmt: skip
    return checked


def parse_bastion(text: str, *, user: str, key_file: str | None) -> HostAccess:
    """`user@address:port`, user and port optional, IPv6 addresses in brackets. Raises UsageError."""
    found = _BASTION.fullmatch(text)
    name = (found["v6"] or found["address"]) if found else ""
    account = (found["user"] or user) if found else ""
    port = int(found["port"] or 22) if found else 0
    if not (is_host_name(name) or _is_address(name)) or not is_host_name(account) or not 0 < port < 65536:
        raise UsageError(
            Text("跳板机写得不对：{t}", "Not a bastion host: {t}").format(t=repr(text)),
            where="--via",
            next_step=Text(
                "写 hosts.yaml 中的名称，或 用户@地址:端口", "Write a name of hosts.yaml, or user@address:port"
            ),
        )
    return HostAccess(name=name, address=name, port=port, user=account, key_file=key_file)


def _checked(host: HostAccess, path: Path, seen: set[str]) -> HostAccess:
    for value in (host.name, host.address, host.user):
        if not (is_host_name(value) or _is_address(value)):
            raise InputError(
                Text("名称或地址含不允许的字符：{value}", "Not an allowed name or address: {value}").format(
                    value=repr(value)
                ),
                where=str(path),
                next_step=Text(
                    "只用小写字母、数字、点、横线、下划线，且不以横线开头",
                    "Use lower-case letters, digits, dot, dash and underscore, not starting with a dash",
                ),
            )
    if not 0 < host.port < 65536:
        raise InputError(Text("端口不存在：{n}", "No such port: {n}").format(n=host.port), where=f"{path}: {host.name}")
    if host.name in seen:
        raise InputError(Text("主机名重复：{n}", "Host named twice: {n}").format(n=host.name), where=str(path))
    seen.add(host.name)
    if host.key_file is None:
        return host
    named = path.parent / host.key_file
    if named.is_symlink():
        raise InputError(
            Text("私钥是符号链接，拒绝使用：能改链接的人就能换钥", "Refused: the private key is a link, and who may change it changes the key"),
            where=str(named),
            next_step=Text("在 key_file 写私钥文件本身", "Name the key itself in key_file"),
        )  # fmt: skip
    key = named.resolve()
    check_private(key)
    return replace(host, key_file=str(key))


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def check_private(key: Path) -> None:
    """A private key must exist and be readable by its owner only."""
    try:
        mode = key.stat().st_mode
    except OSError as error:
        raise InputError(
            Text("私钥文件打不开：{why}", "The private key can't be opened: {why}").format(why=error.strerror),
            where=str(key),
        ) from None
    if not stat.S_ISREG(mode):
        raise InputError(Text("私钥不是普通文件", "The private key is not a file"), where=str(key))
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError(
            Text("私钥文件他人可读，拒绝使用", "Refused: others can read the private key"),
            where=str(key),
            next_step=Text("运行 chmod 600 {key}", "Run chmod 600 {key}").format(key=key),
        )


def load_secret(path: Path) -> str:
    """A password or token: the text of a file that only its owner can read, without the line end. Raises InputError.

    A link is refused: who may change it chooses what is read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            text = file.read(_SECRET_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "UTF-8"
        raise InputError(
            Text(
                "保密文件打不开，或不是普通文件：{why}", "The secret file can't be read, or is no plain file: {why}"
            ).format(why=why),
            where=str(path),
        ) from None
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO) or found.st_uid not in (0, os.geteuid()):
        raise InputError(
            Text(
                "保密文件他人可读，或不属于本人，拒绝使用",
                "Refused: others can read the secret file, or it is somebody else's",
            ),
            where=str(path),
            next_step=Text("运行 chmod 600 {key}", "Run chmod 600 {key}").format(key=path),
        )
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret or len(text) > _SECRET_BYTES or "\n" in secret:
        raise InputError(Text("保密文件应只有一行", "A secret file holds one line and nothing else"), where=str(path))
    return secret
