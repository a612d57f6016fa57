"""Small modules, small functions, names that say something, texts in both languages, YAML through one door."""

from __future__ import annotations

import ast
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from sources import ROOT, nodes, sources, texts

from govcloud.demo.lab import namespaces_work

MAX_MODULE, MAX_FUNCTION = 400, 60
# An auditor gets one file, whatever it has to know.
ONE_FILE = {"govcloud/ledger/verify.py": 1000}
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}
CJK = re.compile(r"[\u3400-\u9fff]")
CJK_SIGN = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
# An English sentence may quote the very word that stands in a workbook: “是”, 是 (yes), (涉密), 8核16G.
QUOTED = re.compile(
    r"“[^”]*”|\"[^\"]*\"|'[^']*'|《[^》]*》|\([^)]*\)|[\u3400-\u9fff]+ \([a-z ]+\)|\d[\u3400-\u9fff]\w*"
)
# The link to the other language names it in that language.
SWITCH = {"English", "中文"}


def test_a_module_has_at_most_400_lines() -> None:
    lengths = {s.name: len(s.text.splitlines()) for s in sources()}
    assert not {name: n for name, n in lengths.items() if n > ONE_FILE.get(name, MAX_MODULE)}


def test_a_function_has_at_most_60_lines() -> None:
    too_long = []
    for source, node in nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > MAX_FUNCTION:
            too_long.append(f"{source.name}:{node.lineno} {node.name} {lines}")
    assert not too_long


def test_a_module_starts_with_what_it_is_for() -> None:
    """A command says it in its Text; everything else in a docstring."""
    assert not [s.name for s in sources() if not s.module.startswith("govcloud.cli.") and not ast.get_docstring(s.tree)]


def test_names_say_something() -> None:
    empty = [s.name for s in sources() if set(re.split(r"[._]", s.module)) & FORBIDDEN_NAMES]
    for source, node in nodes(ast.ClassDef):
        assert isinstance(node, ast.ClassDef)
        if {word.lower() for word in re.findall(r"[A-Z]+[a-z]*", node.name)} & FORBIDDEN_NAMES:
            empty.append(f"{source.name}:{node.lineno} {node.name}")
    assert not empty


def test_the_nouns_are_frozen() -> None:
    loose = [
        f"{source.name}: {node.name}"
        for source, node in nodes(ast.ClassDef)
        if source.module.startswith("govcloud.model.") and isinstance(node, ast.ClassDef)
        for decorator in map(ast.unparse, node.decorator_list)
        if "dataclass" in decorator and "frozen=True" not in decorator
    ]
    assert not loose


def folded(text: str) -> str:
    """Without the difference of full-width and half-width signs: `Ansible：` and `Ansible: ` are the same."""
    return unicodedata.normalize("NFKC", text).replace(" ", "")


def only_format(text: str) -> bool:
    """Nothing but fields, signs, digits and short codes such as `RFC 9162`, `CPU`, `/24`."""
    rest = re.sub(r"\{[^{}]*\}", "", text)
    return not CJK.search(rest) and not re.search(r"[a-z]{3,}", rest)


def test_every_text_is_there_in_both_languages() -> None:
    wrong = []
    for place, zh, en in texts():
        if (only_format(zh) and only_format(en)) or {zh, en} == SWITCH or folded(zh) == folded(en):
            continue
        if not CJK.search(zh):
            wrong.append(f"{place}: no Chinese in {zh!r}")
        if not en.strip() and len(zh.strip()) > 1:  # a measure word (台, 条) has no English
            wrong.append(f"{place}: no English for {zh!r}")
        if CJK_SIGN.search(QUOTED.sub("", en)):
            wrong.append(f"{place}: Chinese in the English text {en!r}")
    assert not wrong, "\n".join(wrong)


def test_both_languages_fill_in_the_same_values() -> None:
    field = re.compile(r"(?<!\{)\{(\w+)")
    wrong = [
        f"{place}: {zh!r} / {en!r}" for place, zh, en in texts() if set(field.findall(zh)) != set(field.findall(en))
    ]
    assert not wrong, "\n".join(wrong)


def test_yaml_of_users_is_read_in_one_place() -> None:
    """Writing (yaml.safe_dump) is allowed anywhere; reading goes through safe_yaml with its limits."""
    writing = {"safe_dump", "dump", "SafeDumper", "YAMLError"}
    wrong = []
    for source, node in nodes(ast.Attribute):
        assert isinstance(node, ast.Attribute)
        if ast.unparse(node.value) == "yaml" and node.attr not in writing and source.module != "govcloud.safe_yaml":
            wrong.append(f"{source.name}:{node.lineno} yaml.{node.attr}")
    assert not wrong


def test_no_string_is_run_as_code_or_through_a_shell() -> None:
    runs_code = {"eval", "exec", "os.system", "os.popen", "pickle.loads", "pickle.load", "marshal.loads"}
    wrong = []
    for source, node in nodes(ast.Call):
        assert isinstance(node, ast.Call)
        through_shell = any(k.arg == "shell" and ast.unparse(k.value) != "False" for k in node.keywords)
        if ast.unparse(node.func) in runs_code or through_shell:
            wrong.append(f"{source.name}:{node.lineno} {ast.unparse(node.func)}")
    assert not wrong


def test_nothing_is_left_to_do() -> None:
    left = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
    assert not [s.name for s in sources() if left.search(s.text)]


def python_tests() -> Iterator[Path]:
    return (p for p in sorted((ROOT / "tests").rglob("*.py")) if p != Path(__file__))


# A kernel without user namespaces has no lab of the first kind; the product falls back there and so do its tests.
MAY_SKIP = {"tests/demo/test_lab.py"}


def test_no_test_skips_itself() -> None:
    """A test that skips where something is missing hides that it never ran; markers choose, failures tell."""
    pattern = re.compile(r"pytest\.(skip|importorskip|xfail)\b|mark\.(skip|skipif|xfail)\b|unittest\.skip")
    skipping = {str(p.relative_to(ROOT)) for p in python_tests() if pattern.search(p.read_text("utf-8"))}
    assert skipping <= MAY_SKIP


def test_in_ci_nothing_is_missing_that_a_test_would_skip_for() -> None:
    """CI sets CI=1 and has to provide user namespaces; elsewhere only the answer itself is looked at."""
    assert namespaces_work() or not os.environ.get("CI")


def test_no_function_of_ours_is_patched() -> None:
    """Only the outside is replaced, by a class that is shipped."""
    pattern = re.compile(r"monkeypatch\.setattr\(\s*[\"']?govcloud|mock\.patch|unittest\.mock|MagicMock")
    assert not [str(p.relative_to(ROOT)) for p in python_tests() if pattern.search(p.read_text("utf-8"))]
