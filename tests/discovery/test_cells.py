"""Cells as offices fill them in. What can't be read is said, never guessed."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.discovery.cells import PARSERS, Hint, Read, cell_text, is_blank

WORDS = {"own_room": ("自有机房", "本单位机房"), "gov_cloud": ("政务云",), "county_cloud": ("县政务云",)}


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("integer", "１２０", 120), ("integer", "3.6万", 36000), ("integer", "1,200人", 1200), ("integer", 860.0, 860),
        ("integer", "约300余人", 300), ("number", "96", 96.0),
        ("gib", "500G", 500.0), ("gib", "1.5T", 1536.0), ("gib", "５００ＧＢ", 500.0), ("gib", "500G+1T", 1524.0),
        ("gib", "512M", 0.5),
        ("cpu_memory", "8核16G", (8, 16.0)), ("cpu_memory", "8C32G", (8, 32.0)), ("cpu_memory", "16 核，64GB内存", (16, 64.0)),
        ("cpu_memory", "４核８Ｇ", (4, 8.0)),
        ("yes_no", "√", True), ("yes_no", "×", False), ("yes_no", "有", True), ("yes_no", "无", False), ("yes_no", "未接入", False),
        ("yes_no", "已接入", True),
        ("level", "三级", 3), ("level", "等保三级", 3), ("level", "第三级", 3), ("level", "二级（S2A2）", 2), ("level", 2.0, 2),
        ("level", "未定级", None),
        ("addresses", "10.1.2.3、10.1.2.4；10.1.2.5", ("10.1.2.3", "10.1.2.4", "10.1.2.5")),
        ("addresses", "10.1.2.3（内网）\n１０.1.2.4", ("10.1.2.3", "10.1.2.4")), ("addresses", "10.1.2.3/24", ("10.1.2.3",)),
        ("addresses", "10。1。2。3；fd00::5/64", ("10.1.2.3", "fd00::5")), ("yes_no", "☑是 □否", True), ("yes_no", "□", False),
        ("level", "S3A3G3", 3), ("level", "S2A3", 3), ("level", "Ⅲ级", 3), ("level", "□二级 ☑三级", 3), ("words", "☑政务云 □自有机房", "gov_cloud"),
        ("cpu_memory", "2*8核64G", (16, 64.0)), ("cpu_memory", "8核16G500G", (8, 16.0, 500.0)), ("gib", "600GB SAS×3", 1800.0),
        ("yuan", "12.5万元", 125_000.0), ("yuan", "3000元", 3000.0), ("mbps", "100M", 100.0), ("mbps", "1G", 1000.0),
        ("date", "2019-9-13 8:00", "2019-09-13"), ("date", "二〇一九年十一月二十三日", "2019-11-23"), ("names", "ｏａ－０１", ("oa-01",)),
        ("prefixes", "172.30.5.0/255.255.255.0，10.0.0.0/8", ("172.30.5.0/24", "10.0.0.0/8")),
        ("date", "2019年9月3日", "2019-09-03"), ("date", "2019/9/3", "2019-09-03"), ("date", "20190903", "2019-09-03"),
        ("date", datetime(2019, 9, 3), "2019-09-03"), ("date", date(2019, 9, 3), "2019-09-03"), ("date", 43711.0, "2019-09-03"),
        ("date", "2019-09-03 00:00:00", "2019-09-03"), ("date", "无", None),
        ("os", "CentOS 7.6", ("CentOS", "7.6")), ("os", "CentOS Linux release 7.9.2009 (Core)", ("CentOS Linux", "7.9.2009")),
        ("os", "银河麒麟V10 SP1", ("银河麒麟", "10 SP1")), ("os", "Windows Server 2012 R2", ("Windows Server", "2012 R2")),
        ("os", "openEuler 20.03 (LTS-SP3)", ("openEuler", "20.03")), ("os", "AIX", ("AIX", None)),
        ("words", "本单位机房（三楼）", "own_room"), ("words", "县政务云", "county_cloud"), ("words", "政务云", "gov_cloud"),
        ("names", "甲系统、乙系统\n丙系统", ("甲系统", "乙系统", "丙系统")), ("text", "无", ""), ("text", " 办\t公 室 ", "办 公 室"),
        ("percent", "35%", 35.0), ("code", "SL－ＯＡ-01", "SL-OA-01"),
    ],
)  # fmt: skip
def test_usual_ways_of_writing_are_understood(kind: str, cell: object, value: object) -> None:
    assert PARSERS[kind](cell, Hint(words=WORDS)) == Read(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("level", "六级"), ("addresses", "10.66.1.300"), ("addresses", "10.1.2.9-3"), ("addresses", "10.1.0.0-10.1.9.9"), ("addresses", "10.1.2.0/24"), ("yuan", "120"), ("mbps", "100"),
            ("yes_no", "□是 □否"), ("yes_no", "☑是 ☑否"), ("code", 1.4e17), ("date", time(0, 0)), ("date", date(1900, 1, 1)), ("date", "2019-9-31"), ("gib", "500"), ("gib", "很多"),
        ("integer", "1.5"), ("number", "十二"), ("cpu_memory", "高配"), ("date", "2019-13-01"), ("date", "去年"),
        ("exact_date", "2019年9月"), ("date", 2019.1), ("prefixes", "172.30.5.0/33"), ("words", "自己家"), ("percent", "130%"),
        ("yes_no", "大概"),
    ],
)  # fmt: skip
def test_what_can_t_be_read_says_what_was_expected(kind: str, cell: object) -> None:
    found = PARSERS[kind](cell, Hint(words=WORDS))  # type: ignore[arg-type]
    assert found.value is None
    assert found.expected is not None and found.expected.zh and found.expected.en


def test_a_bare_number_takes_the_unit_of_its_header() -> None:
    assert PARSERS["gib"]("12", Hint(unit="t")).value == 12288.0
    assert PARSERS["number"]("480", Hint(unit="万")).value == 4_800_000
    assert PARSERS["yuan"]("480", Hint(unit="万")).value == 4_800_000
    assert PARSERS["yuan"]("480元", Hint(unit="万")).value == 480
    assert PARSERS["mbps"]("2", Hint(unit="g")).value == 2000


@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("10.1.2.3-5", ("10.1.2.3", "10.1.2.4", "10.1.2.5")), ("10.1.2.254～10.1.3.1", ("10.1.2.254", "10.1.2.255", "10.1.3.0", "10.1.3.1")),
        ("10.1.2.3:8080", ("10.1.2.3",)),
    ],
)  # fmt: skip
def test_a_range_is_spelled_out_and_told(cell: str, addresses: tuple[str, ...]) -> None:
    found = PARSERS["addresses"](cell, Hint())
    assert (found.value, found.note is not None) == (addresses, True)


@given(st.integers(18_001, 79_000), st.booleans())
def test_a_day_number_is_the_same_day_as_number_and_as_text(serial: int, date1904: bool) -> None:
    hint = Hint(date1904=date1904)
    number, written = PARSERS["date"](float(serial), hint), PARSERS["date"](str(serial), hint)
    epoch = date(1904, 1, 1) if date1904 else date(1899, 12, 30)
    wanted = (epoch + timedelta(days=serial)).isoformat()
    assert {number.value, written.value} <= {wanted, None}  # a day outside of 1950 to 2100 is an empty cell in disguise
    assert (number.expected is None) == (1950 <= int(wanted[:4]) <= 2100)


def test_an_incomplete_date_is_taken_with_a_note() -> None:
    found = PARSERS["date"]("2019.9", Hint())
    assert (found.value, found.note is not None) == ("2019-09-01", True)


@pytest.mark.parametrize("cell", ["", "—", "不详", None, "  ", "/"])
def test_a_cell_that_says_nothing_is_blank(cell: str | None) -> None:
    assert is_blank(cell)


cells = st.one_of(
    st.text(max_size=60), st.text("0123456789.万核GT级年月日/-:、，√×", max_size=30), st.none(), st.booleans(),
    st.integers(), st.floats(), st.dates(), st.datetimes(), st.times(), st.timedeltas(),
)  # fmt: skip


@pytest.mark.parametrize("kind", PARSERS)
@given(cell=cells)
def test_no_cell_breaks_a_parser(kind: str, cell: object) -> None:
    found = PARSERS[kind](cell, Hint(words=WORDS))  # type: ignore[arg-type]
    assert found.expected is None or found.value is None


@given(st.text())
def test_text_keeps_rare_characters_and_loses_invisible_ones(text: str) -> None:
    """Two names that look the same must be the same; a name that reads backwards is nobody's name."""
    shown = cell_text("𠮷田" + text)
    assert shown.startswith("𠮷田")
    assert not set(shown) & set("\u200b\u202e\u2066\ufeff\0\r")
    assert not any(ord(c) < 32 and c not in "\n\t" for c in shown)
