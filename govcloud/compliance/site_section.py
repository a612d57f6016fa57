"""A section of the settings as its dataclass: every mistake in it is named, nothing is dropped in silence."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import msgspec

from govcloud.errors import InputError
from govcloud.model.text import Text

T = TypeVar("T")


def parse_section(
    name: str, section: Mapping[str, object], kind: type[T], impossible: Callable[[T], Iterable[Text]], where: str
) -> T:
    """`impossible` names values that can't be meant. Raises InputError for them, unknown keys and wrong types."""
    known = [f.name for f in dataclasses.fields(kind)]  # type: ignore[arg-type]
    unknown = sorted(str(key) for key in section if key not in known)
    if unknown:
        keys = ", ".join(f"{name}.{key}" for key in unknown)
        raise _error(
            name, where,
            Text("没有 {keys} 这一项，可用：{known}", "there is no key {keys}; known are {known}").format(
                keys=keys, known=", ".join(known)
            ),
        )  # fmt: skip
    try:
        rules = msgspec.convert(section, kind)
    except msgspec.ValidationError as error:
        raise _error(name, where, Text("{e}", "{e}").format(e=error)) from None
    for problem in impossible(rules):
        raise _error(name, where, problem)
    return rules


def _error(name: str, where: str, why: Text) -> InputError:
    return InputError(
        Text("{name} 部分不合要求：{why}", "The {name} section is not valid: {why}").format(name=name, why=why),
        where=where,
        next_step=Text("对照 docs/formats.md 改正", "Correct it after docs/formats.md"),
    )
