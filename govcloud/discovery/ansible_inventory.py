"""Existing Ansible inventories, as witnesses of which servers there are. Nothing in them is ever executed.

Scripts, plugin configurations, vaults and templates stay what they are: refused, or left out and listed. Of the
variables only address, port and user are looked at; no other `ansible_*` variable is taken over, whatever it says.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from govcloud.discovery.ansible_syntax import Parsed, is_address, is_usable_name, parse_ini, parse_tree
from govcloud.errors import InputError
from govcloud.model.clouds import AnsibleHost, AnsibleReading
from govcloud.model.ids import build_id, is_host_name
from govcloud.model.observation import Statement, Value
from govcloud.model.text import Text
from govcloud.safe_yaml import MAX_BYTES, parse_yaml

SOURCE = "ansible"
_WANTED = {
    "ansible_host": "address", "ansible_ssh_host": "address", "ansible_port": "port", "ansible_ssh_port": "port",
    "ansible_user": "user", "ansible_ssh_user": "user",
}  # fmt: skip
_YAML = {".yml", ".yaml", ".json"}
_FOLDERS = {"group_vars", "host_vars", "vars_plugins"}
# What Ansible itself passes over in a folder (INVENTORY_IGNORE_EXTS).
_IGNORED = (
    ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry",
)  # fmt: skip
_MAX_FILES, _MAX_DEPTH = 2000, 5
_LOOKS_LIKE_YAML = re.compile(r"(---.*|[\w.-]+:(\s.*)?|\{.*)")
# A secret or a literal is a scalar like any other to us; other tags stay errors.
_TAG = re.compile(r"(?<=[:\-]\s)!(?:vault-encrypted|vault|unsafe)\b")
_VAULT = "$ANSIBLE_VAULT"
_CONTROLLER = {"localhost", "127.0.0.1", "::1"}
_AS_DATA = Text(
    "先在可信的机器上用 ansible-inventory --list --yaml --export 导出静态清单，再导入",
    "Export a static inventory with ansible-inventory --list --yaml --export on a machine you trust, and read that",
)


@dataclass(slots=True)
class _Found:
    """A host with what was said of it: field -> (value, where)."""

    groups: list[str] = field(default_factory=list)
    where: str = ""
    said: dict[str, tuple[str, str]] = field(default_factory=dict)
    local: bool = False


def read_ansible_inventory(
    path: Path, *, observed_at: datetime, department: str | None = None, zone: str | None = None
) -> AnsibleReading:
    """Hosts, groups and addresses of an inventory: an INI or YAML file, or a folder of them.

    Raises InputError, with nothing read, for scripts, plugin configurations, vaults and what is no inventory.
    """
    label = "/".join(path.parts[-2:])
    parsed = Parsed()
    files = list(_files(path))
    for file in files:
        name = label if file == path else f"{label}/{file.relative_to(path)}"
        _read_file(file, name, parsed)
    if not parsed.hosts:
        raise InputError(
            Text("里面没有能采用的主机", "It names no host that can be taken"), where=str(path),
            next_step=Text("应为 INI 或 YAML 写法的 Ansible 静态主机清单", "A static Ansible inventory in INI or YAML form was expected"),
        )  # fmt: skip
    reader = _Reader(parsed, path if path.is_dir() else path.parent)
    hosts = reader.hosts()
    statements = [_statement(h, reader.found[h.name], observed_at, department, zone) for h in hosts]
    return AnsibleReading(
        file=str(path), hosts=tuple(hosts), refused=tuple(parsed.refused), skipped=tuple(reader.skipped),
        statements=tuple(sorted(statements, key=lambda s: s.subject_id)),
        ignored_variables=tuple(sorted(reader.ignored)),
    )  # fmt: skip


def _files(path: Path, depth: int = 0) -> Iterator[Path]:
    """The inventory's files in Ansible's order. Raises InputError for a folder too deep or full to be one."""
    if not path.is_dir():
        yield path
        return
    entries = sorted(path.iterdir())
    if depth > _MAX_DEPTH or len(entries) > _MAX_FILES:
        raise InputError(Text("目录过深或文件过多", "The folder is too deep, or has too many files"), where=str(path))
    for entry in entries:
        if entry.name in _FOLDERS or entry.name.startswith(".") or entry.name.endswith(_IGNORED):
            continue
        if entry.is_symlink() and entry.is_dir():
            raise InputError(Text("不跟随目录的符号链接", "Links to folders are not followed"), where=str(entry))
        yield from _files(entry, depth + 1)


def _read_file(file: Path, name: str, into: Parsed) -> None:
    text = "#!" if file.is_file() and file.stat().st_mode & 0o111 else _load(file)
    if text.startswith("#!"):
        raise InputError(
            Text("这是可执行文件（动态清单），不会运行它", "This is executable (a dynamic inventory): it is not run"),
            where=str(file),
            next_step=Text(
                "如果只是误设了执行权限，用 chmod a-x 去掉；否则{how}",
                "If only the mode is wrong, chmod a-x it; otherwise: {how}",
            ).format(how=_AS_DATA),
        )
    if text.startswith(_VAULT):
        raise InputError(
            Text("文件用 ansible-vault 加密，不解密", "The file is encrypted with ansible-vault: it is not decrypted"),
            where=str(file), next_step=_AS_DATA,
        )  # fmt: skip
    if file.suffix == ".toml":
        raise InputError(Text("不读 TOML 清单", "TOML inventories are not read"), where=str(file), next_step=_AS_DATA)
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and line[0] not in "#;"), "")
    if file.suffix not in _YAML and not _LOOKS_LIKE_YAML.fullmatch(first):
        parse_ini(text, name, into)
        return
    data = _parse(text, str(file))
    if isinstance(data, Mapping) and "plugin" in data:
        raise InputError(
            Text("这是动态清单插件的配置，不会运行插件", "This configures an inventory plugin: plugins are not run"),
            where=str(file), next_step=_AS_DATA,
        )  # fmt: skip
    if data is not None:
        parse_tree(data, name, into)


def _load(file: Path) -> str:
    """The text of a regular file. Raises InputError."""
    try:
        status = file.stat()
        # Opening a pipe or a device could wait for ever.
        if not stat.S_ISREG(status.st_mode):
            raise InputError(Text("不是普通文件", "Not a regular file"), where=str(file))
        if status.st_size > MAX_BYTES:
            raise InputError(Text("文件过大", "The file is too large"), where=str(file))
        text = file.read_text("utf-8-sig")
    except FileNotFoundError:
        raise InputError(
            Text("文件不存在", "No such file"), where=str(file), next_step=Text("检查路径", "Check the path")
        ) from None
    except UnicodeDecodeError:
        raise InputError(Text("不是 UTF-8 文本", "Not UTF-8 text"), where=str(file), next_step=_AS_DATA) from None
    except OSError as error:
        raise InputError(
            Text("无法读取文件：{why}", "The file cannot be read: {why}").format(why=error.strerror), where=str(file)
        ) from None
    if "\0" in text:
        raise InputError(Text("不是文本文件", "Not a text file"), where=str(file), next_step=_AS_DATA)
    return text


def _parse(text: str, name: str) -> object:
    """YAML in which secrets are opaque strings; line and column of errors stay right."""
    found: object = parse_yaml(_TAG.sub(lambda m: " " * len(m[0]), text), name)
    return found


class _Reader:
    """Who is in which group, and what holds for whom."""

    def __init__(self, parsed: Parsed, folder: Path) -> None:
        self.parsed, self.folder = parsed, folder
        self.found: dict[str, _Found] = {}
        self.ignored: set[str] = set()
        self.skipped: list[str] = []
        self.parents: dict[str, set[str]] = {}
        for group, child in parsed.children:
            self.parents.setdefault(child, set()).add(group)

    def hosts(self) -> list[AnsibleHost]:
        for entry in self.parsed.hosts:
            host = self.found.setdefault(entry.name, _Found(where=entry.where))
            if entry.group not in (*host.groups, "ungrouped", "all"):
                host.groups.append(entry.group)
        lineage = {name: self.lineage(host.groups) for name, host in self.found.items()}
        self.take_groups(lineage)
        for entry in self.parsed.hosts:
            self.take(self.found[entry.name], entry.variables, entry.where)
        for name, host in self.found.items():
            for variables, where in self.files("host_vars", name):
                self.take(host, variables, where)
        found = []
        for name, host in self.found.items():
            if name in _CONTROLLER or host.local:
                self.skipped.append(name)
                continue
            said = host.said
            address = said["address"][0] if "address" in said else name if is_address(name) else None
            found.append(AnsibleHost(
                name=name, address=address, port=int(said["port"][0]) if "port" in said else None,
                user=said["user"][0] if "user" in said else None, groups=tuple(sorted(host.groups)),
            ))  # fmt: skip
        return sorted(found, key=lambda h: h.name)

    def lineage(self, groups: Iterable[str]) -> list[str]:
        """The groups and all above them, parents before children; `all` first. A circle is walked once."""
        order: list[str] = []

        def visit(group: str, above: frozenset[str]) -> None:
            for parent in sorted(self.parents.get(group, set()) - above):
                visit(parent, above | {group})
            if group not in order:
                order.append(group)

        for group in sorted(groups):
            visit(group, frozenset({group}))
        return ["all", *(g for g in order if g != "all")]

    def take_groups(self, lineage: Mapping[str, list[str]]) -> None:
        """Ansible's order: the inventory's own group variables, then group_vars of `all`, then of the others."""
        own: dict[str, list[tuple[Mapping[str, object], str]]] = {}
        for group, variables, where in self.parsed.variables:
            own.setdefault(group, []).append((variables, where))
        beside = {g: list(self.files("group_vars", g)) for g in {g for groups in lineage.values() for g in groups}}
        for name, host in self.found.items():
            for source in (own, beside):
                for group in lineage[name]:
                    for variables, where in source.get(group, ()):
                        self.take(host, variables, where)

    def files(self, folder: str, name: str) -> Iterator[tuple[Mapping[str, object], str]]:
        """(variables, file) of a group or host in the folder beside the inventory."""
        base = self.folder / folder
        if not base.is_dir() or not re.fullmatch(r"[\w][\w.:-]*", name):
            return
        for candidate in (base / name, *(base / f"{name}{suffix}" for suffix in sorted(_YAML))):
            inside = sorted(p for p in candidate.iterdir() if p.suffix in (*_YAML, "")) if candidate.is_dir() else []
            for file in inside or [candidate]:
                if not file.is_file():
                    continue
                text, where = _load(file), str(file.relative_to(self.folder))
                if text.startswith(_VAULT):
                    self.parsed.refuse(where, _VAULT, Text("已加密，未读", "Encrypted, not read"))
                    continue
                data = _parse(text, str(file))
                if isinstance(data, Mapping):
                    yield {str(k): v for k, v in data.items()}, where

    def take(self, host: _Found, variables: Mapping[str, object], where: str) -> None:
        for key, value in variables.items():
            if key == "ansible_connection" and value == "local":
                host.local = True
            wanted = _WANTED.get(key)
            if wanted is None:
                if key.startswith("ansible_"):
                    self.ignored.add(key)
                continue
            text = str(value).strip()
            if (problem := _problem(wanted, text)) is None:
                host.said[wanted] = (text, where)
            elif not any(r.where == f"{where}: {key}" for r in self.parsed.refused):
                self.parsed.refuse(f"{where}: {key}", text, problem)


def _problem(wanted: str, text: str) -> Text | None:
    if text.startswith(_VAULT):
        return Text("已加密，未读", "Encrypted, not read")
    if "{{" in text or "{%" in text:
        return Text("模板不求值，按未写处理", "Templates are not evaluated: taken as not given")
    if wanted == "port":
        good = text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536
        return None if good else Text("端口不存在", "No such port")
    good = is_usable_name(text) if wanted == "address" else is_host_name(text.lower())
    return None if good else Text("含不允许的字符", "It has characters that are not allowed")


def _statement(
    host: AnsibleHost, found: _Found, at: datetime, department: str | None, zone: str | None
) -> Statement:  # fmt: skip
    address = host.address if host.address and is_address(host.address) else None
    values: dict[str, Value] = {"name": host.name, "department": department, "zone": zone}
    cells = {"name": found.where}
    if address is not None:
        values["addresses"] = (address,)
        cells["addresses"] = found.said["address"][1] if "address" in found.said else found.where
    return Statement(
        # The address makes it: `web01` of the test and of the production inventory are two machines.
        subject_kind="server", subject_id=build_id("V", SOURCE, host.name, host.address or ""), source=SOURCE,
        place="ansible://", observed_at=at, cells=cells,
        values={name: value for name, value in values.items() if value is not None},
    )  # fmt: skip
