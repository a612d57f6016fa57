"""YAML from users is data: bounded size, depth and aliases, no tags, no duplicate keys, and errors with file and line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from govcloud.errors import InputError
from govcloud.model.text import Text

MAX_BYTES = 8 * 2**20
MAX_DEPTH = 40
MAX_ALIASES = 100


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """SafeLoader that refuses duplicate keys (the last one would win in silence)."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except ValueError as error:  # 2026-13-01, a number of 5,000 digits
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, (str, int, float, bool)) or key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"duplicate or unusable key {key!r}", key_node.start_mark
                )
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


@dataclass(frozen=True, slots=True)
class Located:
    """The content of a YAML file that remembers where it stands."""

    name: str
    data: Any
    lines: Mapping[tuple[str | int, ...], int]
    """Path of an entry (keys and list positions) -> its line, from 1."""

    def where(self, *path: str | int) -> str:
        """`file:line` of the entry, or of the nearest one above it that is in the file."""
        known = next((path[:n] for n in range(len(path), -1, -1) if path[:n] in self.lines), ())
        return f"{self.name}:{self.lines.get(known, 1)}"

    def where_of(self, error: object) -> str:
        """`file:line` of what a msgspec.ValidationError is about: its message ends with "at `$.offerings[3].min`"."""
        found = re.search(r"`\$([^`]*)`$", str(error))
        steps = re.findall(r"\.([^.\[]+)|\[(\d+)\]", found[1]) if found else []
        return self.where(*(name or int(number) for name, number in steps))


def load_located(path: Path) -> Located:
    """Like load_yaml, with the line of every entry. Raises InputError with file and line."""
    text = _read(path)
    return Located(str(path), parse_yaml(text, str(path)), _lines(text))


def _lines(text: str) -> dict[tuple[str | int, ...], int]:
    lines: dict[tuple[str | int, ...], int] = {}

    def walk(node: yaml.Node, path: tuple[str | int, ...], line: int) -> None:
        lines[path] = line
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                walk(value, (*path, str(key.value)), key.start_mark.line + 1)
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                walk(item, (*path, number), item.start_mark.line + 1)

    root = yaml.compose(text, Loader=_Loader)
    if root is not None:
        walk(root, (), root.start_mark.line + 1)
    return lines


def load_yaml(path: Path) -> Any:
    """The file's content as plain Python values. Raises InputError with file and line."""
    return parse_yaml(_read(path), str(path))


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(Text("YAML 文件过大", "The YAML file is too large"), where=str(path))
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise InputError(
            Text("文件不存在", "No such file"), where=str(path), next_step=Text("检查路径", "Check the path")
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            Text("无法读取文件：{why}", "The file cannot be read: {why}").format(why=error), where=str(path)
        ) from None


def parse_yaml(text: str, name: str) -> Any:
    """Parse YAML text; `name` is used in error messages."""
    try:
        if _opens(text) > _SAFE_OPENS:
            _check_depth(text, name)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            if root is None:
                return None
            _check_shape(root, name)
            return loader.construct_document(root)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        problem = getattr(error, "problem", None) or str(error)
        raise InputError(
            Text("YAML 写法有误：{why}", "Not valid YAML: {why}").format(why=problem),
            where=where,
            next_step=Text("按行号改正后重试", "Correct that line and try again"),
        ) from None


_SAFE_OPENS = 1_000
"""The parser calls itself for each level of nesting; so many levels fit on its stack."""


def _opens(text: str) -> int:
    """No more levels than this: one begins with a bracket, a dash, a question mark or further to the right."""
    indent = max((len(line) - len(line.lstrip(" ")) for line in text.splitlines()), default=0)
    return sum(map(text.count, "[{-?")) + indent


def _check_depth(text: str, name: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, (yaml.events.MappingStartEvent, yaml.events.SequenceStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.events.MappingEndEvent, yaml.events.SequenceEndEvent)):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _refused(name, event)


def _check_shape(root: yaml.Node, name: str) -> None:
    seen: set[int] = set()
    waiting = [(root, 1)]
    aliases = 0
    while waiting:
        node, depth = waiting.pop()
        if id(node) in seen:
            aliases += 1
        elif isinstance(node, yaml.CollectionNode):
            pairs = isinstance(node, yaml.MappingNode)
            parts = (part for pair in node.value for part in pair) if pairs else node.value
            waiting += [(part, depth + 1) for part in parts]
            seen.add(id(node))
        else:
            seen.add(id(node))
            continue
        if depth > MAX_DEPTH or aliases > MAX_ALIASES:
            raise _refused(name, node)


def _refused(name: str, place: yaml.Node | yaml.Event) -> InputError:
    return InputError(
        Text("YAML 嵌套过深或引用过多，拒绝读取", "Refused: the YAML is nested too deeply or has too many aliases"),
        where=f"{name}:{place.start_mark.line + 1 if place.start_mark else 0}",
    )
