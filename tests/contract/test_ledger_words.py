"""Every kind of record that the code writes can be read as a sentence."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sources import nodes

from govcloud.ledger.verify import ROTATION_KIND
from govcloud.report.ledger_words import WORDS
from govcloud.report.ledger_words_takeover import ACTS


def strings(node: ast.expr) -> Iterator[str]:
    """Those that the expression can come to, where it is written out: `"a" if x else "b"` has two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from strings(node.body)
        yield from strings(node.orelse)


def called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def arguments(function: str, position: int) -> Iterator[str]:
    """What is written out as the argument of our workflow functions of this name."""
    for source, node in nodes(ast.Call):
        assert isinstance(node, ast.Call)
        if (
            source.module.startswith("govcloud.workflow.")
            and called(node).split(".")[-1] == function
            and len(node.args) > position
        ):
            yield from strings(node.args[position])


def test_every_kind_has_words() -> None:
    written = {
        kind
        for _, node in nodes(ast.Call)
        if isinstance(node, ast.Call) and called(node) == "LedgerEntry"
        for keyword in node.keywords
        if keyword.arg == "kind"
        for kind in strings(keyword.value)
    }
    written |= {"import", "discover", "confirm"}  # workflow.statements: the kind is the caller's, of these three
    written |= {ROTATION_KIND}  # workflow.audit has its name from the verifier
    by_run = {kind for kind in arguments("append", 3) if kind.isidentifier()}
    assert {"run", "approval", "order", "gate"} <= by_run
    assert not sorted((written | by_run) - set(WORDS)), "govcloud/report/ledger_words.py needs a sentence for each"
    assert not sorted(set(WORDS) - (written | by_run)), "a kind that nothing writes"


def test_every_act_of_a_takeover_has_words() -> None:
    acts = {act.removesuffix("_intent") for act in {*arguments("change", 2), *arguments("record", 3)}}
    assert len(acts) > 3
    assert not acts - set(ACTS) - {"sign"}, "govcloud/report/ledger_words_takeover.py needs a sentence for each"
