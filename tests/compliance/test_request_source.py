"""A request from a form passes the same checks as one in YAML."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud import resources
from govcloud.compliance.catalog_source import load_catalog
from govcloud.compliance.request_source import build_draft, build_request, load_request
from govcloud.errors import InputError
from govcloud.model.catalog import Catalog
from govcloud.safe_yaml import load_yaml

SAMPLES = sorted((resources.folder("inventory") / "sample" / "requests").rglob("*.yaml"))
FORM = Path("申请.xlsx")
LINE = {"line": 1, "what": "服务器", "quantity": 1, "class": "virtual_machine", "spec": {}}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(resources.folder("service_catalog"), "sample-provincial")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_yaml_and_plain_values_are_the_same(path: Path, catalog: Catalog) -> None:
    assert load_request(path, catalog) == build_request(load_yaml(path), FORM, catalog)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([LINE, LINE], "行号重复"), ([{**LINE, "class": None}], "至少写一个"), ([{**LINE, "quantity": 0}], "1—1000000000"),
        ([{**LINE, "class": "moon"}], "moon"), ([], "没有申请项"), ([{**LINE, "spec": {"memory_gib": 1.5}}], "memory_gib"),
    ],
)  # fmt: skip
def test_what_no_catalog_could_be_asked_is_refused(lines: list[object], words: str, catalog: Catalog) -> None:
    with pytest.raises(InputError) as error:
        build_request({"department": "示例局", "applied_on": "2026-03-02", "lines": lines}, FORM, catalog)
    assert words in error.value.what.zh and str(FORM) in error.value.where.zh


HEAD = "department: 示例局\napplied_on: 2026-03-02\nlines:\n  - {line: 1, what: 甲, code: P-ID-01, quantity: 1}\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "{line: 2, what: 乙, code: A, quantity: 1000000000000000000}",
            "quantity 应为 1—1000000000 的整数；现为 1000000000000000000",
        ),
        ("{line: 2, what: 乙, code: A, quantity: -3}", "现为 -3"),
        ("{line: 2, what: 乙, code: A, quantity: 很多}", "quantity 应为整数；现为 很多"),
        ("{line: 2, what: 乙, code: A, quantity: 1.5}", "quantity 应为整数；现为 1.5"),
        ("{line: 2, what: 乙, code: A, quantity: null}", "现为 空"),
        ("{line: 2, what: 乙, code: 12, quantity: 1}", "code 应为文字（编码像数字时加引号）；现为 12"),
        ("{line: 2, what: 乙, code: A, quantity: 1, spec: {vcpu: 0}}", "vcpu 应为 1—1000000"),
        (
            "{line: 2, what: 乙, code: A, quantity: 1, spec: {arch: vax}}",
            "arch 应为docs/formats.md 列出的值之一；现为 vax",
        ),
        ("{line: 2, what: 乙, code: A, quantity: 1, spec: {cpus: 4}}", "不认识的项 cpus"),
        ("{line: 2, what: 乙, code: A}", "缺少 quantity"),
        ("{line: 2, what: 乙, code: '', quantity: 1}", "至少写一个"),
        ("{line: 2, what: 乙, class: virtual_machin, quantity: 1}", "virtual_machin → virtual_machine"),
        ("just a word", "应为映射（键: 值）；现为 just a word"),
    ],
)
def test_a_fault_is_one_line_in_both_languages_with_its_place(
    line: str, said: str, tmp_path: Path, catalog: Catalog
) -> None:
    """Forty departments write by hand: the message must name the line of the file, the line of the request and the value."""
    path = tmp_path / "r.yaml"
    path.write_text(f"{HEAD}  - {line}\n", "utf-8")
    with pytest.raises(InputError) as error:
        load_request(path, catalog)
    assert said in error.value.what.zh
    assert "lines.2" in error.value.what.zh and "lines.2" in error.value.what.en
    assert error.value.where.zh == f"{path}:5"
    english = error.value.what.en.removeprefix("The request is faulty: ")
    value = said.rpartition("现为 ")[2]
    assert english.replace(value, "").isascii()


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("department: 示例局\nlines: []\n", 1, "缺少 applied_on"),
        (HEAD.replace("2026-03-02", "soon"), 2, "applied_on 应为日期"),
        (HEAD.replace("2026-03-02", "2026-03-02 10:00:00"), 2, "applied_on 应为日期"),
        (HEAD.replace("示例局", "'  '"), 1, "不能为空"),
        (HEAD + "phone: 1\n", 5, "不认识的项 phone"),
        ("- 1\n", 1, "内容 应为映射"),
        ("", 1, "内容 应为映射"),
    ],
)
def test_a_fault_of_the_head_is_told_with_its_line(
    text: str, where: int, said: str, tmp_path: Path, catalog: Catalog
) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as error:
        load_request(path, catalog)
    assert error.value.where.zh == f"{path}:{where}"
    assert said in error.value.what.zh


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(
                st.sampled_from(["line", "what", "quantity", "code", "class", "spec", "vcpu", "x"]), x, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_stands_there_is_read_or_refused(data: object) -> None:
    """A file that nobody foresaw must not end in a traceback before forty others were checked."""
    request = {"department": "示例局", "applied_on": "2026-03-02", "lines": data}
    for content in (request, {**request, "lines": [data]}, data):
        with contextlib.suppress(InputError):
            assert build_draft(content, lambda *_: "r.yaml").raw.lines
