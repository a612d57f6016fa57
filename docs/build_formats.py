"""Writes docs/formats.md: `python docs/build_formats.py`. A test holds that it is up to date and that its examples load.

The words are in formats.md.in beside this file. A line there that starts with `%` is filled in from the code or the data, so
that a field, a heading or an operator can't be missing from the page: see DIRECTIVES. `{{module:NAME}}` is a constant.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import msgspec.inspect as shapes
from msgspec import NODEFAULT

from govcloud.compliance.conditions import Words, parse_condition
from govcloud.compliance.deadlines import EVENTS
from govcloud.compliance.subjects import field_kinds
from govcloud.discovery.cells import PARSERS, Hint
from govcloud.discovery.columns import ColumnSpec, load_column_maps
from govcloud.discovery.confidence import WEIGHTS
from govcloud.discovery.exports.layout import load_exports
from govcloud.discovery.tables import is_ignored
from govcloud.model.condition import Operator
from govcloud.model.observation import SubjectKind
from govcloud.report.words import field_title
from govcloud.safe_yaml import parse_yaml

HERE = Path(__file__).parent
SOURCE, TARGET = HERE / "formats.md.in", HERE / "formats.md"
NOTICE = "<!-- 由 docs/build_formats.py 从 formats.md.in 生成，请勿手改 · made by docs/build_formats.py, don't edit -->"
BASIC = {
    shapes.StrType: "text",
    shapes.IntType: "integer",
    shapes.FloatType: "number",
    shapes.BoolType: "true / false",
    shapes.DateType: "date",
    shapes.CustomType: "…",
}
CONNECTIVES = {"all", "any", "not", "in_time", "recorded"}
ASKED: tuple[SubjectKind, ...] = ("system", "server", "network", "project")
MANY_KEYS = 9


def render_page() -> str:
    """The whole page. Raises SystemExit where the words and the code name different things."""
    lines = [constants(line) for line in SOURCE.read_text("utf-8").splitlines()]
    page: list[str] = []
    while lines:
        line = lines.pop(0)
        if not line.startswith("%"):
            page.append(line)
            continue
        name, *arguments = line[1:].split()
        directive, takes_rows = DIRECTIVES[name]
        rows: list[str] = []
        while takes_rows and (row := lines.pop(0)) != "%end":
            rows.append(row)
        page += directive(*arguments, rows) if takes_rows else directive(*arguments)
    return "\n".join([page[0], "", NOTICE, *page[1:]]).rstrip() + "\n"


def constants(line: str) -> str:
    def value(found: re.Match[str]) -> str:
        known = named(found[1])
        if found[2]:
            return str(known // 2**20) + " MiB"
        return "、".join(f"`{w}`" for w in sorted(filter(None, known))) if isinstance(known, frozenset) else str(known)

    return re.sub(r"\{\{([\w.]+:\w+)(/MiB)?\}\}", value, line)


def named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def explained(rows: Iterable[str], expected: Iterable[str], what: str) -> dict[str, list[str]]:
    """`key = a | b` -> its parts, in the order of the code; every expected key exactly once."""
    pairs = [row.split(" = ", 1) for row in rows if row]
    found = {key: [part.strip() for part in text.split(" | ")] for key, text in pairs}
    wanted = list(expected)
    if len(found) != len(pairs) or set(found) != set(wanted):
        sys.exit(f"{what}: {SOURCE.name} and the code differ: {sorted(set(found) ^ set(wanted)) or 'a key twice'}")
    return {key: found[key] for key in wanted}


def table(*rows: Iterable[str]) -> list[str]:
    head, *body = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)]


def fields(path: str, rows: list[str]) -> list[str]:
    """`%fields module:Class`: keys with type and default; the English text may be left out where a docstring says it."""
    entity = named(path)
    shape: Any = shapes.type_info(entity)
    known: dict[str, shapes.Field] = {f.encode_name: f for f in shape.fields}
    documented = docstrings(entity)
    body = []
    for key, words in explained(rows, known, path).items():
        english = words[1] if len(words) > 1 else documented.get(known[key].name, "")
        if not english:
            sys.exit(f"{path}: {key} has neither an English text nor a docstring")
        body.append([f"`{key}`", kind_of(known[key].type, known[key]), default_of(known[key]), words[0], english])
    return table(["键 key", "类型 type", "默认 default", "说明", "meaning"], *body)


def docstrings(entity: type) -> Mapping[str, str]:
    body = ast.parse(inspect.getsource(entity)).body[0].body  # type: ignore[attr-defined]
    found = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[ast.unparse(field.target)] = " ".join(str(text.value.value).split()).rstrip(".")
    return found


def kind_of(kind: shapes.Type, field: shapes.Field | None = None) -> str:
    match kind:
        case shapes.LiteralType(values=values):
            return " / ".join(f"`{value}`" for value in values)
        case shapes.UnionType(types=types):
            known = [kind_of(t) for t in types if not isinstance(t, shapes.NoneType)]
            # `null` needs a word only where the key itself may not be left out.
            return " / ".join([*known, *(["null"] if field and field.required and len(known) < len(types) else [])])
        case shapes.VarTupleType(item_type=item) | shapes.ListType(item_type=item):
            return f"[{kind_of(item)}, …]"
        case shapes.DictType(key_type=key, value_type=value):
            return f"{{{kind_of(key)}: {kind_of(value)}, …}}"
        case shapes.DataclassType(fields=inner) | shapes.StructType(fields=inner):
            return f"{{{', '.join(f.encode_name for f in inner) if len(inner) < MANY_KEYS else '…'}}}"
    return BASIC[type(kind)]


def default_of(field: shapes.Field) -> str:
    if field.required:
        return "**必填 required**"
    if field.default is NODEFAULT or field.default in (None, (), {}):
        return "—"
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return f"`{', '.join(field.default) if isinstance(field.default, tuple) else field.default}`"


def file(path: str, _: str, name: str) -> list[str]:
    """`%file path as name`: a file that comes with govcloud, as an example."""
    return [f"# {name}", *(HERE.parent / path).read_text("utf-8").splitlines()]


def excerpt(path: str, entry: str, _: str, name: str) -> list[str]:
    """`%excerpt path id as name`: its head and one entry of its list."""
    head, *entries = (HERE.parent / path).read_text("utf-8").split("\n  - id: ")
    chosen = next(text for text in entries if text.startswith(f"{entry}\n"))
    return [f"# {name}", *head.splitlines(), *f"  - id: {chosen}".splitlines()]


def columns() -> list[str]:
    """`%columns`: every column map that comes with govcloud."""
    lines = []
    for found in load_column_maps()[0]:
        lines += ["", f"#### {found.title.zh} · {found.title.en} (`{found.kind}`)", ""]
        head = ["字段 field", "表头 heading", "也认 also accepted", "类型 type"]
        lines += table(head, *map(column_row, found.columns))
    return lines


def column_row(column: ColumnSpec) -> list[str]:
    field = "不保留 not kept" if is_ignored(column) else f"`{column.field}`"
    required = " **必填 required**" if column.required else ""
    words = "；".join(f"{'、'.join(known)} → `{value}`" for value, known in column.words.items())
    kind = f"`{column.type}`" + (f"：{words}" if words else "")
    return [field + required, f"{column.title.zh} · {column.title.en}", "、".join(column.headers), kind]


def types(rows: list[str]) -> list[str]:
    """`%types`: cell types with cells that are really read while the page is made."""
    body = []
    for kind, (zh, en, cells) in explained(rows, PARSERS, "types").items():
        hint = Hint(words={"operating": ("在用",), "stopped": ("停用",)})
        read = {cell: PARSERS[kind](cell, hint) for cell in cells.split(" ; ")}
        refused = [cell for cell, result in read.items() if result.expected]
        if refused:
            sys.exit(f"types: {kind} does not read {refused}")
        body.append(
            [f"`{kind}`", zh, en, "；".join(f"{cell} → {shown(result.value)}" for cell, result in read.items())]
        )
    return table(["类型 type", "说明", "meaning", "例 cell → value"], *body)


def shown(value: object) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(map(shown, value)) + ")"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "—" if value is None else f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def operators(rows: list[str]) -> list[str]:
    """`%operators`: the whole language of conditions; each example is parsed."""
    known = {name: kind for subject in ASKED for name, kind in field_kinds(subject).items()}
    words = Words(known, {"JC22-18"}, {"little_used_pct": 20})
    body = []
    for name, (zh, en, example) in explained(rows, [*CONNECTIVES, *get_args(Operator)], "operators").items():
        parse_condition(parse_yaml(example, name), words)
        body.append([f"`{name}`", zh, en, f"`{example}`"])
    order = [row.split(" = ")[0] for row in rows]
    return table(
        ["", "说明", "holds when", "例 example"], *sorted(body, key=lambda row: order.index(row[0].strip("`")))
    )


def subjects() -> list[str]:
    """`%subjects`: the fields that a condition may name."""
    kinds = ("text", "number", "date", "flag", "list")
    body = []
    for subject in ASKED:
        known = field_kinds(subject)
        for kind in kinds:
            names = [f"`{n}`{label(n)}" for n, found in known.items() if found == kind]
            body += [[f"`{subject}`", kind, "、".join(names)]] if names else []
    return table(["对象 subject", "类型 type", "字段 fields"], *body)


def label(field: str) -> str:
    title = field_title(field).zh
    return f" {title}" if title != field else ""


def events(rows: list[str]) -> list[str]:
    """`%events`: what starts a deadline, and the project's records that date it."""
    body = [
        [f"`{name}`", zh, en, "、".join(f"`{f}`" for f in EVENTS[name]) or "—"]
        for name, (zh, en) in explained(rows, EVENTS, "events").items()
    ]
    return table(["事件 event", "说明", "meaning", "日期取自 dated by"], *body)


def exports() -> list[str]:
    """`%exports`: every export of another tool that is read, by table; what is known and not read is named, too."""
    lines = []
    for layout in load_exports()[0]:
        lines += ["", f"#### {layout.title.zh} · {layout.title.en} (`{layout.kind}`)", ""]
        body = []
        for found in layout.tables:
            kept = [c for c in found.columns if not c.field.startswith("row.")]
            read = "；".join(f"{' / '.join(c.headers)} → `{c.field}`" for c in kept)
            helps = "、".join(c.headers[0] for c in found.columns if c not in kept)
            body.append([found.name, read, helps or "—", "、".join(found.unread) or "—"])
        head = ["表 table", "读入 read", "读行时用 used to read the row", "认得不读 known, not read"]
        lines += table(head, *body)
        if layout.other_tabs:
            lines += ["", f"不读的表 tabs not read：{'、'.join(layout.other_tabs)}"]
    return lines


def confidence() -> list[str]:
    """`%confidence`: the facts that make up the score, with their weights."""
    body = [[f"`{fact}`{label(fact.split('.')[1])}", str(weight)] for fact, weight in WEIGHTS.items()]
    return table(["事实 fact", "权重 weight"], *body)


DIRECTIVES: Mapping[str, tuple[Callable[..., list[str]], bool]] = {
    "fields": (fields, True), "types": (types, True), "operators": (operators, True), "events": (events, True),
    "file": (file, False), "excerpt": (excerpt, False), "columns": (columns, False), "exports": (exports, False), "confidence": (confidence, False), "subjects": (subjects, False),
}  # fmt: skip
"""Name -> (function, whether rows follow up to `%end`)."""


if __name__ == "__main__":
    TARGET.write_text(render_page(), "utf-8")
