"""`--set KEY=VALUE`: a settings section with some values changed for one plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import msgspec

from govcloud.errors import InputError, UsageError
from govcloud.model.text import Text
from govcloud.planning.rules import PlanningRules
from govcloud.safe_yaml import parse_yaml


def apply_overrides(section: Mapping[str, object], assignments: Sequence[str]) -> dict[str, object]:
    """`KEY=VALUE` with dots between the levels and numbers for places in a list: capacity.crews=3, windows.0.minutes=300.

    Values are YAML. A key that is not there yet is made; whether it means anything is parse_rules' business. Raises UsageError.
    """
    changed: dict[str, Any] = deepcopy(dict(section))
    defaults = msgspec.to_builtins(PlanningRules())
    for assignment in assignments:
        path, equals, value = assignment.partition("=")
        keys = path.strip().removeprefix("planning.").split(".")
        if not equals or not all(keys):
            raise _unclear(assignment)
        place: Any = changed
        # A list that the settings leave to its default can be reached as well.
        if isinstance(default := defaults.get(keys[0]), list) and keys[0] not in changed:
            changed[keys[0]] = deepcopy(default)
        for key in keys[:-1]:
            place = _step(place, key, assignment)
        last: Any = keys[-1]
        if isinstance(place, list):
            last = _index(place, last, assignment)
        elif not isinstance(place, dict):
            raise _unclear(assignment)
        place[last] = _value(value, assignment)
    return changed


def _value(text: str, assignment: str) -> Any:
    try:
        return parse_yaml(text, assignment)
    except InputError as error:
        raise UsageError(
            error.what,
            where=f"--set {assignment}",
            next_step=Text(
                "等号后的值按 YAML 书写，如 --set pilots=[SL-01]",
                "Write the value as YAML, such as --set pilots=[SL-01]",
            ),
        ) from None


def _step(place: Any, key: str, assignment: str) -> Any:
    if isinstance(place, list):
        return place[_index(place, key, assignment)]
    if not isinstance(place, dict):
        raise _unclear(assignment)
    if not isinstance(place.get(key), (dict, list)):
        place[key] = {}
    return place[key]


def _index(place: list[Any], key: str, assignment: str) -> int:
    if not key.isdecimal() or int(key) >= len(place):
        raise UsageError(
            Text("列表中没有第 {k} 项，共 {n} 项（从 0 数起）", "The list has no entry {k}; it has {n}, counted from 0").format(k=key, n=len(place)),
            where=f"--set {assignment}",
        )  # fmt: skip
    return int(key)


def _unclear(assignment: str) -> UsageError:
    return UsageError(
        Text("写法应为 项=值", "Write KEY=VALUE"),
        where=f"--set {assignment}",
        next_step=Text("例如 --set capacity.crews=3", "For example --set capacity.crews=3"),
    )
