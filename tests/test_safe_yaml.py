"""A YAML file that a department sends must not be able to fill the memory, run code or hide a second answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.errors import InputError
from govcloud.safe_yaml import MAX_ALIASES, MAX_BYTES, MAX_DEPTH, load_located, load_yaml, parse_yaml


def refused(text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "样例.yaml")
    assert caught.value.exit_code == 3
    return caught.value


def test_plain_values_are_read() -> None:
    assert parse_yaml("单位: 示例交通厅\nn: 3\nlist: [1, a, null, true]\n", "x") == {
        "单位": "示例交通厅",
        "n": 3,
        "list": [1, "a", None, True],
    }


def test_an_alias_bomb_is_refused_before_it_unfolds() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "样例.yaml:" in refused("\n".join(lines)).message("zh")


def test_a_few_aliases_are_allowed() -> None:
    assert parse_yaml("a: &a [1]\nb: *a\n", "x") == {"a": [1], "b": [1]}


def test_one_alias_too_many_is_refused() -> None:
    refused("a: &a 1\nb: [" + ", ".join(["*a"] * (MAX_ALIASES + 1)) + "]")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}")])
def test_deep_nesting_is_refused(opening: str, closing: str) -> None:
    parse_yaml(opening * MAX_DEPTH + "1" + closing * MAX_DEPTH, "x")
    refused(opening * (MAX_DEPTH + 1) + "1" + closing * (MAX_DEPTH + 1))


def test_very_deep_nesting_neither_crashes_nor_hangs() -> None:
    refused("[" * 200_000)


def test_a_key_written_twice_is_refused_with_its_line() -> None:
    error = refused("主机: a\n端口: 1\n主机: b\n")
    assert "样例.yaml:3:1" in error.message("zh")
    assert "主机" in error.message("zh")


def test_a_key_written_twice_deep_inside_is_refused() -> None:
    refused("a:\n  b:\n    - c: 1\n      c: 2\n")


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['true']",
        "!!python/name:os.system",
        "a: !!python/tuple [1]",
        "!secret x",
        "? [1, 2]\n: x",
        "? {a: 1}\n: x",
    ],
)
def test_tags_and_unusable_keys_are_refused(text: str) -> None:
    refused(text)


@pytest.mark.parametrize("text", ["a: [1, 2", "a: b: c", "\tx: 1", "'open", "%BAD\n---\n1", "a: \x00", "--- 1\n--- 2"])
def test_broken_yaml_names_the_file_and_what_to_do(text: str) -> None:
    error = refused(text)
    assert error.message("zh").startswith("样例.yaml")
    assert "下一步：" in error.message("zh") and "Next: " in error.message("en")


def test_the_line_of_a_mistake_is_named(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text("hosts:\n  - name: a\n   address: b\n", "utf-8")
    with pytest.raises(InputError) as caught:
        load_yaml(file)
    assert f"{file}:3:" in caught.value.message("zh")


def test_a_missing_file_a_folder_and_a_wrong_encoding_are_input_errors(tmp_path: Path) -> None:
    gbk = tmp_path / "gbk.yaml"
    gbk.write_bytes("单位: 示例交通厅".encode("gbk"))
    for path in (tmp_path / "missing.yaml", tmp_path, gbk):
        with pytest.raises(InputError) as caught:
            load_yaml(path)
        assert str(path) in caught.value.message("zh")


def test_a_file_written_by_windows_notepad_is_read(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + "单位: 示例\r\n".encode())
    assert load_yaml(file) == {"单位": "示例"}


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    with file.open("wb") as out:
        out.truncate(MAX_BYTES + 1)
    with pytest.raises(InputError) as caught:
        load_yaml(file)
    assert "过大" in caught.value.message("zh")


@given(st.text(max_size=200))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        parse_yaml(text, "x")
    except InputError as error:
        assert error.message("zh") and error.message("en")


@pytest.mark.parametrize("value", ["2026-13-01", "9" * 5000, "2026-02-30 25:00:00"])
def test_a_date_that_does_not_exist_or_an_endless_number_is_told_by_its_line(value: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_yaml(f"a: 1\nclosed_on: {value}\n", "x.yaml")
    assert "x.yaml:2" in caught.value.message("en")


def test_every_entry_knows_its_line(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("a: 1\nb:\n  - c: 2\n  - c: 3\n    d: 4\n", "utf-8")
    located = load_located(file)
    assert located.where("b", 1, "d") == f"{file}:5"
    assert located.where("b", 1, "missing") == f"{file}:4"
    assert located.where_of("Expected `int`, got `str` - at `$.b[0].c`") == f"{file}:3"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 200_000 + "a",
        "\n".join(" " * n + "k:" for n in range(3000)),
        "a: &x 1\nb: [" + "*x," * 200 + "]",
    ],
)
def test_what_could_exhaust_the_parser_is_refused_before_it_is_parsed_whole(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "x.yaml")
    assert "过深或引用过多" in caught.value.message("zh")


def test_the_deepest_allowed_nesting_is_read() -> None:
    assert parse_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH, "x.yaml")
    with pytest.raises(InputError):
        parse_yaml("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "x.yaml")
