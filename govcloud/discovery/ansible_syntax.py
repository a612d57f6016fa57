"""The INI and YAML forms of Ansible's static inventories, read as data. Pure: nothing is executed, nothing evaluated.

https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html
"""

from __future__ import annotations

import ipaddress
import re
import shlex
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from govcloud.model.clouds import RefusedEntry
from govcloud.model.ids import is_host_name
from govcloud.model.text import Text

MAX_HOSTS = 100_000
"""Of one range: `[0:9999999999]` must not fill our memory."""
_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:[#;].*)?")
_VARIABLE = re.compile(r"[A-Za-z_]\w*")
_PORT = re.compile(r"(.+):(\d{1,5})")
_PARTS = {"hosts", "vars", "children"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEntry:
    group: str
    name: str
    variables: Mapping[str, object]
    where: str


@dataclass(slots=True)
class Parsed:
    """What one or several inventory files say, in their order."""

    hosts: list[HostEntry] = field(default_factory=list)
    children: list[tuple[str, str]] = field(default_factory=list)
    """(group, child group)."""
    variables: list[tuple[str, Mapping[str, object], str]] = field(default_factory=list)
    """(group, variables, where)."""
    refused: list[RefusedEntry] = field(default_factory=list)

    def refuse(self, where: str, read: object, reason: Text) -> None:
        shown = str(read)
        self.refused.append(
            RefusedEntry(where=where, read=shown[:80] + ("…" if len(shown) > 80 else ""), reason=reason)
        )

    def add_hosts(self, pattern: str, group: str, variables: Mapping[str, object], where: str) -> None:
        """One entry a host of the pattern; hostile and mistaken patterns are refused as a whole."""
        try:
            name, port = split_port(pattern)
            found = expand(name)
        except ValueError:
            self.refuse(where, pattern.partition("=")[0], Text("主机范围写法有误", "Not a valid range of hosts"))
            return
        bad = next((n for n in found if not is_usable_name(n)), None)
        if bad is not None:
            # `ansible_password=…` on a line of its own reads as a host, too.
            self.refuse(where, bad.partition("=")[0], Text("主机名含不允许的字符", "Not an allowed host name"))
            return
        given = {**({"ansible_port": port} if port is not None else {}), **variables}
        self.hosts += [HostEntry(group=group, name=n, variables=given, where=where) for n in found]


def is_usable_name(text: str) -> bool:
    """What may later reach ssh as a host: an address, or an allow-listed name in either case."""
    return is_address(text) or is_host_name(text.lower())


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def split_port(pattern: str) -> tuple[str, int | None]:
    """`web[1:3]:2222` → (`web[1:3]`, 2222); `[2001:db8::1]:22` → (`2001:db8::1`, 22)."""
    if is_address(pattern):
        return pattern, None
    found = _PORT.fullmatch(pattern)
    base, port = (found[1], int(found[2])) if found else (pattern, None)
    if base.startswith("[") and base.endswith("]") and is_address(base[1:-1]):
        return base[1:-1], port
    # A colon inside of an open bracket belongs to a range, and a name with colons to nothing.
    if found and (base.count("[") != base.count("]") or ":" in re.sub(r"\[[^\]]*\]", "", base)):
        return pattern, None
    return base, port


def expand(pattern: str) -> list[str]:
    """`db-[a:c]-[01:10:2]` as host names. Raises ValueError for what is no range."""
    head, bracket, rest = pattern.partition("[")
    if not bracket:
        return [pattern]
    inside, closed, tail = rest.partition("]")
    bounds = inside.split(":")
    if not closed or len(bounds) not in (2, 3) or not bounds[1]:
        raise ValueError(pattern)
    begin, end = bounds[0] or "0", bounds[1]
    step = int(bounds[2]) if len(bounds) == 3 else 1
    letters = string.ascii_letters
    if len(begin) == 1 and len(end) == 1 and begin in letters and end in letters:
        first, last = letters.index(begin), letters.index(end)
        items: Iterable[str] = (letters[i] for i in range(first, last + 1, step))
    else:
        if not (begin.isascii() and begin.isdigit() and end.isascii() and end.isdigit()):
            raise ValueError(pattern)
        width = len(begin) if len(begin) > 1 and begin.startswith("0") else 0
        if width and width != len(end):
            raise ValueError(pattern)
        first, last = int(begin), int(end)
        items = (str(i).zfill(width) for i in range(first, last + 1, step))
    if step < 1 or first > last or (last - first) // step >= MAX_HOSTS:
        raise ValueError(pattern)
    tails = expand(tail)
    if (last - first) // step * len(tails) >= MAX_HOSTS:
        raise ValueError(pattern)
    return [head + item + end for item in items for end in tails]


def parse_ini(text: str, file: str, into: Parsed) -> None:
    group, kind = "ungrouped", "hosts"
    for number, line in enumerate(text.splitlines(), start=1):
        line, where = line.strip(), f"{file}:{number}"
        if not line or line[0] in "#;":
            continue
        if (section := _SECTION.fullmatch(line)) is not None:
            group, kind = section[1], section[2] or "hosts"
            if kind not in _PARTS:
                into.refuse(where, line, Text("不认识的段", "No known kind of section"))
            continue
        if kind == "vars":
            _variable_line(line, group, where, into)
        elif kind == "children":
            into.children.append((group, line.split("#")[0].strip()))
        elif kind == "hosts":
            _host_line(line, group, where, into)


def _variable_line(line: str, group: str, where: str, into: Parsed) -> None:
    key, equals, value = line.partition("=")
    if not equals or not _VARIABLE.fullmatch(key.strip()):
        into.refuse(where, key.strip(), Text("应为 变量=值", "NAME=VALUE was expected"))
        return
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    into.variables.append((group, {key.strip(): value}, where))


def _host_line(line: str, group: str, where: str, into: Parsed) -> None:
    try:
        pattern, *words = shlex.split(line, comments=True)
    except ValueError:
        into.refuse(
            where, line.split(maxsplit=1)[0].partition("=")[0], Text("引号不成对", "A quotation mark is not closed")
        )
        return
    variables: dict[str, object] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not _VARIABLE.fullmatch(key):
            # Only the name is shown: the value may be a password.
            into.refuse(where, key, Text("主机之后应为 变量=值", "NAME=VALUE was expected after the host"))
            return
        variables[key] = value
    into.add_hosts(pattern, group, variables, where)


def parse_tree(data: object, file: str, into: Parsed) -> None:
    """The YAML form: groups with `hosts`, `vars` and `children`, nested."""
    if not isinstance(data, Mapping):
        into.refuse(file, type(data).__name__, Text("应为 组名: …", "GROUP: … was expected"))
        return
    for name, body in data.items():
        _group(str(name), body, file, into)


def _group(name: str, body: object, file: str, into: Parsed) -> None:
    where = f"{file}: {name}"
    if body is None:
        return
    if not isinstance(body, Mapping):
        into.refuse(
            where, type(body).__name__, Text("组的内容应为 hosts、vars、children", "A group has hosts, vars, children")
        )
        return
    for part in sorted(set(map(str, body)) - _PARTS):
        into.refuse(where, part, Text("组的内容应为 hosts、vars、children", "A group has hosts, vars, children"))
    for pattern, variables in _items(body.get("hosts"), where, into):
        into.add_hosts(pattern, name, variables, f"{where}/{pattern}")
    given = body.get("vars")
    if isinstance(given, Mapping):
        into.variables.append((name, {str(k): v for k, v in given.items()}, where))
    for child, _ in _items(body.get("children"), where, into):
        into.children.append((name, child))
    if isinstance(children := body.get("children"), Mapping):
        for child, inner in children.items():
            _group(str(child), inner, file, into)


def _items(given: object, where: str, into: Parsed) -> list[tuple[str, Mapping[str, object]]]:
    """`{name: variables}`; a single name stands for itself."""
    if given is None:
        return []
    if isinstance(given, str):
        return [(given, {})]
    if not isinstance(given, Mapping):
        into.refuse(where, type(given).__name__, Text("应为 名称: 变量", "NAME: variables was expected"))
        return []
    return [
        (str(name), {str(k): v for k, v in body.items()} if isinstance(body, Mapping) else {})
        for name, body in given.items()
    ]
