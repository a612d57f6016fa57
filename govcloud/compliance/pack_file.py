"""A YAML file of a rule pack in its expected form. What is wrong in it is told by file and line, in both languages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NoReturn, TypeVar

import msgspec

from govcloud.errors import InputError
from govcloud.model.text import Text
from govcloud.safe_yaml import Located, load_located

T = TypeVar("T")
Entry = tuple[str | int, ...]
"""Keys and list positions that lead to an entry of a file."""

PACK = Text("法规包有误：{what}", "The rule pack is faulty: {what}")
CASES = Text("规则用例有误：{what}", "The rule cases are faulty: {what}")


@dataclass(frozen=True, slots=True)
class PackFile(Generic[T]):
    content: T
    located: Located
    kind: Text

    def refuse(self, entry: Entry, name: str, zh: str, en: str) -> NoReturn:
        """Raises InputError with the line of the entry; `name` is what the reader calls it (a clause, a rule)."""
        what = Text("{name}：{what}", "{name}: {what}").format(name=name, what=Text(zh, en))
        raise faulty(self.kind, what, self.located.where(*entry))


def read_pack_file(path: Path, form: type[T], kind: Text = PACK) -> PackFile[T]:
    """Raises InputError for a file that can't be read or is not in this form."""
    located = load_located(path)
    try:
        return PackFile(msgspec.convert(located.data, form), located, kind)
    except msgspec.ValidationError as error:
        entry, what = _told(str(error))
        raise faulty(kind, what, located.where(*entry)) from None


def faulty(kind: Text, what: Text, where: str) -> InputError:
    return InputError(
        kind.format(what=what),
        where=where,
        next_step=Text("对照 docs/formats.md 改正这一项", "Correct this entry; docs/formats.md has the format"),
    )


_TOLD = (
    (re.compile(r"missing required field `(.+?)`"), Text("缺少必填项 {a}", "the required key {a} is missing")),
    (re.compile(r"unknown field `(.+?)`"), Text("不认识的项 {a}", "unknown key {a}")),
    (re.compile(r"Invalid enum value '?(.+?)'?(?: - |$)"), Text("不能写 {a}", "{a} is not an allowed value")),
    (re.compile(r"Expected `(.+?)`, got `(.+?)`"), Text("应为{a}，实为{b}", "should be {a}, is {b}")),
    (re.compile(r"Invalid RFC3339 encoded date()"), Text("不是日期，应如 2026-03-02", "not a date such as 2026-03-02")),
)
"""What msgspec says, in English only, and how we say it."""
_FORMS = {
    "str": Text("文字", "text"),
    "int": Text("整数", "an integer"),
    "float": Text("数", "a number"),
    "bool": Text("是否", "true or false"),
    "date": Text("日期", "a date"),
    "array": Text("列表", "a list"),
    "object": Text("映射", "a mapping"),
    "null": Text("空", "empty"),
}


def _told(message: str) -> tuple[Entry, Text]:
    """Where a message of msgspec points to, and what it says."""
    at = re.search(r" - at `\$([^`]*)`$", message)
    steps = re.findall(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]", at[1]) if at else []
    entry: Entry = tuple(name or (int(number) if number.isdigit() else number) for name, number in steps)
    for pattern, text in _TOLD:
        if found := pattern.search(message):
            what = text.format(**{key: _form(word) for key, word in zip("ab", found.groups(), strict=False)})
            if pattern.pattern.startswith("unknown"):
                return (*entry, found[1]), what
            key = entry[-1] if entry and isinstance(entry[-1], str) else None
            return entry, Text("{key}：{what}", "{key}: {what}").format(key=key, what=what) if key else what
    return entry, Text("不合格式：{why}", "not in the expected form: {why}").format(why=message)


def _form(word: str) -> Text:
    forms = [_FORMS.get(part, Text(part, part)) for part in word.split(" | ")]
    return Text("或".join(f.zh for f in forms), " or ".join(f.en for f in forms))
