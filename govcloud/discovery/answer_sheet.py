"""What a person answers to an open question: the text of a value as the field's type, and whole lists of answers. Pure.

A list of answers is the list of conflicts that we print, with the column `answer` filled in.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from govcloud.discovery.cells import PARSERS, Hint, RawCell, Read, cell_text, fold, is_blank
from govcloud.discovery.choose import TYPES
from govcloud.discovery.columns import ColumnMap, ColumnSpec
from govcloud.discovery.workbook import Sheet, Workbook
from govcloud.errors import InputError
from govcloud.model.collect import RowError
from govcloud.model.observation import SubjectKind
from govcloud.model.text import Text

_HEADERS: Mapping[str, tuple[str, ...]] = {
    "subject_id": ("subject_id", "编号", "对象编号", "Id"), "field": ("field", "字段", "Field"),
    "answer": ("answer", "确认值", "Answer"), "reason": ("reason", "理由", "原因", "Reason"),
    "document": ("document", "依据文件", "文件", "Document"),
}  # fmt: skip
_REQUIRED = ("subject_id", "field", "answer")
_HEADER_ROWS = 15
_DERIVED = frozenset({"declared", "seen"})
_OF_DEPENDENCIES = ("strength", "kind", "port")
"""The rest of a dependency is measured."""
_UNITS = {"_gib": "g", "_mbps": "m", "_yuan": "元"}
_BY_TYPE: Mapping[object, str] = {str: "text", int: "integer", bool: "yes_no", float: "number"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as it was given; `cell` is where, in a list."""

    subject: str
    field: str
    text: str
    reason: str
    document: str = ""
    cell: str = ""


def find_field(kind: SubjectKind, text: str, maps: Sequence[ColumnMap]) -> str | None:
    """The field that is meant, by its name in the model or by a heading of the forms; None where nobody can answer it."""
    wanted = fold(text)
    for field in answerable_fields(kind):
        if fold(field) == wanted:
            return field
    for column in _columns(kind, maps):
        if column.is_header(text) and column.field.partition(".")[2] in answerable_fields(kind):
            return column.field.partition(".")[2]
    return None


def answerable_fields(kind: SubjectKind) -> tuple[str, ...]:
    """Fields that a person can state: not what is derived, and not long lists that only a machine can tell."""
    if kind == "dependency":
        return _OF_DEPENDENCIES
    return tuple(
        name for name, parts in _field_types(kind).items()
        if name not in _DERIVED and not name.endswith("_at") and parts != (None,) and name != f"{kind}_id"
    )  # fmt: skip


def parse_answer(
    kind: SubjectKind,
    field: str,
    text: str,
    maps: Sequence[ColumnMap],
    words: Mapping[str, Sequence[str]] | None = None,
) -> Read:
    """The value as the field's type: `三级`, `500G`, `2019年9月`, 是, words in Chinese or English.

    `words`: value of the field -> how it is shown to people, next to the wordings of the forms.
    """
    column = next((c for c in _columns(kind, maps) if c.field == f"{kind}.{field}"), None)
    unit = next((u for end, u in _UNITS.items() if field.endswith(end)), None)
    parts = _field_types(kind)[field]
    if len(parts) > 1 or isinstance(parts[0], str):
        known = column.words if column is not None else {}
        every = {str(code): (*known.get(str(code), ()), *(words or {}).get(str(code), ())) for code in parts}
        return PARSERS["words"](text, Hint(words=every))
    if column is not None:
        return PARSERS[column.type](text, Hint(unit=unit, words=column.words))
    if parts[0] is tuple:
        named = {"addresses": "addresses", "prefixes": "prefixes"}.get(field, "names")
        return PARSERS[named](text, Hint())
    if field.endswith("_on"):
        return PARSERS["date"](text, Hint())
    if unit and parts[0] is float:
        return PARSERS[{"g": "gib", "m": "mbps", "元": "yuan"}[unit]](text, Hint(unit=unit))
    if field.endswith("_pct"):
        return PARSERS["percent"](text, Hint())
    return PARSERS[_BY_TYPE.get(parts[0], "text")](text, Hint())


def read_answers(workbook: Workbook) -> tuple[list[Answer], list[RowError]]:
    """Rows with something in the column `answer`. Raises InputError when no sheet has the columns.

    The same question answered twice, differently, is a problem of the second answer.
    """
    found: list[Answer] = []
    problems: list[RowError] = []
    known = False
    first: dict[tuple[str, str], Answer] = {}
    for sheet in workbook.sheets:
        header = _header(sheet)
        if header is None:
            continue
        known = True
        number, columns = header
        for index, row in enumerate(sheet.rows[number + 1 :], start=number + 1):
            answer = _answer(row, columns, index)
            if answer is None:
                continue
            other = first.setdefault((fold(answer.subject), fold(answer.field)), answer)
            if other is answer:
                found.append(answer)
            elif fold(other.text) != fold(answer.text):
                expected = Text("与 {c} 相同的确认值", "the same answer as in {c}").format(c=other.cell)
                problems.append(
                    RowError(
                        file=workbook.path.name, sheet=sheet.name, cell=answer.cell, read=answer.text, expected=expected
                    )
                )
    if not known:
        raise InputError(
            Text("没有找到列 {c}", "There are no columns {c}").format(c=", ".join(_REQUIRED)),
            where=str(workbook.path),
            next_step=Text(
                "用 govcloud --format csv inventory conflicts 导出，在 answer 一列填写确认值",
                "Export it with govcloud --format csv inventory conflicts and fill in the column answer",
            ),
        )
    return found, problems


def _header(sheet: Sheet) -> tuple[int, dict[str, int]] | None:
    for number, row in enumerate(sheet.rows[:_HEADER_ROWS]):
        columns: dict[str, int] = {}
        for index, cell in enumerate(row):
            for name, wordings in _HEADERS.items():
                if fold(cell_text(cell)) in map(fold, wordings):
                    columns.setdefault(name, index)
        if all(name in columns for name in _REQUIRED):
            return number, columns
    return None


def _answer(row: Sequence[RawCell], columns: Mapping[str, int], index: int) -> Answer | None:
    def text(name: str) -> str:
        at = columns.get(name)
        # Our lists put a ' before what a spreadsheet would take for a formula.
        return "" if at is None or at >= len(row) or is_blank(row[at]) else cell_text(row[at]).removeprefix("'")

    if not text("answer") or not text("subject_id"):
        return None
    cell = f"{_column_letters(columns['answer'])}{index + 1}"
    return Answer(
        subject=text("subject_id"), field=text("field"), text=text("answer"), reason=text("reason"),
        document=text("document"), cell=cell,
    )  # fmt: skip


def _column_letters(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _columns(kind: SubjectKind, maps: Sequence[ColumnMap]) -> list[ColumnSpec]:
    return [c for m in maps for c in m.columns if c.field.startswith(f"{kind}.")]


def _field_types(kind: SubjectKind) -> dict[str, tuple[object, ...]]:
    """Field -> its type without None, or the codes of its words; (None,) for lists that only a machine can tell."""
    found: dict[str, tuple[object, ...]] = {}
    hints = typing.get_type_hints(TYPES[kind])
    for field in dataclasses.fields(TYPES[kind]):
        hint = hints[field.name]
        parts = [p for p in typing.get_args(hint) if p is not type(None)]
        if typing.get_origin(hint) is tuple:
            found[field.name] = (tuple,) if typing.get_args(hint)[0] is str else (None,)
        elif parts and typing.get_origin(parts[0]) is typing.Literal:
            found[field.name] = typing.get_args(parts[0])
        elif typing.get_origin(hint) is typing.Literal:
            found[field.name] = typing.get_args(hint)
        elif len(parts) > 1 and all(isinstance(p, str) for p in parts):
            found[field.name] = tuple(parts)
        else:
            found[field.name] = (parts[0] if parts else hint,)
    return found
