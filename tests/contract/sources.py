"""The package's source files, parsed once for all contract tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "govcloud"


@dataclass(frozen=True)
class Source:
    path: Path
    module: str
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def imports(self) -> set[str]:
        """Full names of the modules that it imports, wherever the import stands; not those for type checkers only."""
        return self._imports(_executed(self.tree, functions=True))

    @property
    def imports_at_load(self) -> set[str]:
        """Those that are imported as soon as the module is; one inside a function waits for its call."""
        return self._imports(_executed(self.tree, functions=False))

    def _imports(self, nodes: Iterator[ast.AST]) -> set[str]:
        found: set[str] = set()
        for node in nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name}: write imports in full"
                assert node.module
                found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        return found


def _executed(node: ast.AST, *, functions: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if functions or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _executed(child, functions=functions)


@cache
def sources() -> tuple[Source, ...]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(ROOT).with_suffix("")
        text = path.read_text("utf-8")
        found.append(Source(path, ".".join(relative.parts).removesuffix(".__init__"), text, ast.parse(text)))
    assert len(found) > 20
    return tuple(found)


def nodes(*kinds: type[ast.AST]) -> Iterator[tuple[Source, ast.AST]]:
    for source in sources():
        for node in ast.walk(source.tree):
            if isinstance(node, kinds):
                yield source, node


def literal(node: ast.expr) -> str | None:
    """The text of a string, with the fields of an f-string taken out; None where it is computed."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) for v in node.values if isinstance(v, ast.Constant))
    return None


def texts() -> Iterator[tuple[str, str, str]]:
    """(place, zh, en) of every Text that is written out."""
    found = 0
    for source, node in nodes(ast.Call):
        assert isinstance(node, ast.Call)
        if isinstance(node.func, ast.Name) and node.func.id == "Text":
            arguments = [*node.args, *(k.value for k in node.keywords)]
            assert len(arguments) == 2, f"{source.name}:{node.lineno} Text needs zh and en"
            zh, en = literal(arguments[0]), literal(arguments[1])
            if zh is not None and en is not None:
                found += 1
                yield f"{source.name}:{node.lineno}", zh, en
    assert found > 50
