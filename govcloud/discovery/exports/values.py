"""Cells of exports as values: machine-written, so they are read strictly. Pure; nothing here raises.

Units never come from a guess: a column's type says what its heading, or the tool's documentation, states. As in the
survey forms G and GB are read as GiB, and M and MB as MiB: all these tools count memory and virtual disks in powers of two,
whatever they call them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from govcloud.discovery.cells import parse_os
from govcloud.discovery.raw_cells import Hint, RawCell, cell_text, fold
from govcloud.model.observation import Value
from govcloud.model.text import Text

if TYPE_CHECKING:
    from govcloud.discovery.exports.layout import Column

Parsed = tuple[Value, Text | None]
"""The value (None: nothing is said), and what was expected where the cell can't be read."""

_NOTHING = frozenset({
    "", "-", "--", "—", "n/a", "na", "none", "null", "nil", "unknown", "notavailable", "notset", "undefined", "tobefilledbyo.e.m.",
})  # fmt: skip
_SEPARATORS = re.compile(r"[,;|\s、，；]+")
_MAX_OS = 200
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d{1,2})?")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_AMBIGUOUS = re.compile(r"[1-9]\d{0,2}\.\d{3}")
"""`8.192` in a text file is 8192 where the machine that wrote it is set to German."""
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]\d|\d)"
_PLAIN_IPV4 = re.compile(rf"(?!0|127|169|2[2-5]\d){_OCTET}(?:\.{_OCTET}){{3}}")
"""One address that needs no second look: most cells are one, and the library takes ten times as long."""
_MAC = re.compile(r"[0-9a-f]{12}")
_UUID = re.compile(r"[0-9a-f]{32}")
_YEAR_FIRST = re.compile(r"^(\d{4})/(\d\d)/(\d\d)")
_MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"
_MONTH_NAME = re.compile(rf"(\d{{1,2}})-({'|'.join(re.findall('...', _MONTHS))})-(\d{{4}})", re.I)
_BITS = re.compile(r"\(?\b(?:32|64)[\s-]?bits?\b\)?", re.I)
_RANGE = re.compile(r"\s*\d+(?:\.\w+)?(?:\s*/\s*\d+)+.*|\s*\d+(?:\.\w+)?\s+(?:or|and) later.*", re.I)
_ENVIRONMENT_KEYS = frozenset({"environment", "env", "环境", "环境类型"})
_ENVIRONMENTS: Mapping[str, str] = {
    **dict.fromkeys(("production", "prod", "prd", "生产", "生产环境", "正式"), "production"),
    **dict.fromkeys(("test", "testing", "uat", "staging", "测试", "测试环境"), "test"),
    **dict.fromkeys(("development", "dev", "开发", "开发环境"), "development"),
}


def parse_text(cell: RawCell, column: Column) -> Parsed:
    text = " ".join(cell_text(cell).split())
    return (None if fold(text) in _NOTHING else text), None


def parse_number(cell: RawCell, column: Column) -> Parsed:
    expected = Text("不带单位的非负数", "a number without a unit, not below 0")
    if isinstance(cell, bool):
        return None, expected
    if isinstance(cell, (int, float)):
        return (float(cell), None) if 0 <= cell < 1e18 else (None, expected)
    text = fold(cell_text(cell))
    if text in _NOTHING:
        return None, None
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    return (float(text), None) if len(text) < 40 and _NUMBER.fullmatch(text) else (None, expected)


def _whole(cell: RawCell, column: Column) -> Parsed:
    """A number that tools write without decimals: three of them are a thousands separator, or are not; nobody can tell."""
    if isinstance(cell, str) and _AMBIGUOUS.fullmatch(cell.strip()):
        return None, Text(
            "不带千位分隔符的整数（{t} 可能是千位，也可能是小数）",
            "a whole number without a thousands separator ({t} may be thousands or a fraction)",
        ).format(t=cell.strip())
    return parse_number(cell, column)


def parse_integer(cell: RawCell, column: Column) -> Parsed:
    value, fault = _whole(cell, column)
    if isinstance(value, float):
        if not value.is_integer():
            return None, Text("整数", "a whole number")
        return int(value), None
    return value, fault


def _size(gib: float, whole: bool) -> Callable[[RawCell, Column], Parsed]:
    """A reader of sizes in units of `gib` GiB; the value is in GiB."""
    number = _whole if whole else parse_number

    def parse(cell: RawCell, column: Column) -> Parsed:
        value, fault = number(cell, column)
        return (round(value * gib, 3), None) if isinstance(value, float) else (None, fault)

    return parse


def parse_percent(cell: RawCell, column: Column) -> Parsed:
    """Percent points, 0 to 100: a fraction can't be told from a small percentage, so it is none."""
    text = cell_text(cell).strip().removesuffix("%").strip() if isinstance(cell, str) else cell
    value, fault = parse_number(text, column)
    if fault is not None or (isinstance(value, float) and value > 100):
        return None, Text("0 到 100 的百分数", "a percentage from 0 to 100")
    return value, None


def parse_flag(cell: RawCell, column: Column) -> Parsed:
    text = fold(cell_text(cell)) if not isinstance(cell, bool) else str(cell).lower()
    if text in {"true", "yes", "1", "是", "y", "✓", "✔"}:
        return True, None
    if text in {"false", "no", "0", "否", "n", "✗"}:
        return False, None
    return (None, None) if text in _NOTHING else (None, Text("True 或 False", "True or False"))


def parse_words(cell: RawCell, column: Column) -> Parsed:
    """One of the column's words; any other word says nothing about the field."""
    text = fold(cell_text(cell))
    for value, words in column.words.items():
        if text == fold(value) or any(text == fold(word) for word in words):
            return value, None
    return None, None


def parse_uuid(cell: RawCell, column: Column) -> Parsed:
    """Lower case with hyphens, in the order of bytes that the tool shows. All zeros or all ones are no UUID."""
    text = fold(cell_text(cell)).strip("{}").removeprefix("urn:uuid:")
    digits = text.replace("-", "")
    if text in _NOTHING or digits in {"0" * 32, "f" * 32}:
        return None, None
    if not _UUID.fullmatch(digits):
        return None, Text("UUID，例如 564d1234-…", "a UUID, such as 564d1234-…")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])), None


def parse_macs(cell: RawCell, column: Column) -> Parsed:
    found: list[str] = []
    for part in filter(None, _SEPARATORS.split(cell_text(cell))):
        if fold(part) in _NOTHING:
            continue
        digits = re.sub(r"[:.-]", "", part).lower()
        if not _MAC.fullmatch(digits):
            return None, Text("MAC 地址，例如 00:50:56:01:02:03", "a MAC address, such as 00:50:56:01:02:03")
        if digits not in ("0" * 12, "f" * 12):
            found.append(":".join(digits[i : i + 2] for i in range(0, 12, 2)))
    return tuple(dict.fromkeys(found)) or None, None


def parse_addresses(cell: RawCell, column: Column) -> Parsed:
    """IP addresses; those that every machine has (0.0.0.0, loopback, link-local) are none. A prefix length is dropped."""
    value, fault = parse_interface_addresses(cell, column)
    if not isinstance(value, tuple):
        return None, fault
    return tuple(dict.fromkeys(str(a).partition("/")[0] for a in value)), None


def parse_interface_addresses(cell: RawCell, column: Column) -> Parsed:
    """The same with the prefix length where one is stated: `10.66.1.10/24`."""
    text = cell_text(cell)
    if _PLAIN_IPV4.fullmatch(text):
        return (text,), None
    found: list[str] = []
    for part in filter(None, _SEPARATORS.split(text)):
        if fold(part) in _NOTHING:
            continue
        try:
            address = ipaddress.ip_interface(part.partition("%")[0])
        except ValueError:
            return None, Text("IP 地址，例如 10.1.2.3", "IP addresses, such as 10.1.2.3")
        ip = address.ip
        if not (ip.is_unspecified or ip.is_loopback or ip.is_link_local or ip.is_multicast):
            found.append(str(address) if "/" in part else str(ip))
    return tuple(dict.fromkeys(found)) or None, None


def parse_prefix(cell: RawCell, column: Column) -> Parsed:
    text = cell_text(cell).strip()
    if fold(text) in _NOTHING:
        return None, None
    try:
        return str(ipaddress.ip_network(text, strict=False)), None
    except ValueError:
        return None, Text("网段，例如 10.1.2.0/24", "an address block, such as 10.1.2.0/24")


def parse_names(cell: RawCell, column: Column) -> Parsed:
    """`"A", "B"`, `{"A","B"}`, `A;B`: a list in one cell."""
    parts = re.split(r"[,;，；|\n]", cell_text(cell).strip().strip("{}[]"))
    names = (" ".join(part.strip().strip("\"'").split()) for part in parts)
    return tuple(dict.fromkeys(n for n in names if fold(n) not in _NOTHING)) or None, None


def parse_instant(cell: RawCell, column: Column) -> Parsed:
    """ISO text in UTC. A time without a zone is taken as UTC, which is what the tools write; `1/7/2026` is nobody's date."""
    if isinstance(cell, datetime):
        return _instant(cell), None
    if isinstance(cell, date):
        return _instant(datetime(cell.year, cell.month, cell.day)), None
    text = " ".join(cell_text(cell).split()).removesuffix(" UTC").removesuffix(" GMT")
    if fold(text) in _NOTHING:
        return None, None
    try:
        return _instant(datetime.fromisoformat(_YEAR_FIRST.sub(r"\1-\2-\3", text))), None
    except ValueError:
        pass
    if named := _MONTH_NAME.fullmatch(text):
        # strptime would load modules, which the process that reads files may not any more.
        try:
            return _instant(
                datetime(int(named[3]), _MONTHS.index(named[2].lower()) // 3 + 1, int(named[1]), tzinfo=UTC)
            ), None
        except ValueError:
            pass
    return None, Text("时间，例如 2026-03-07 14:00", "a time, such as 2026-03-07 14:00")


def _instant(at: datetime) -> str:
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


@lru_cache(maxsize=4096)
def read_os(*texts: Value, version: Value = None) -> tuple[str | None, str | None]:
    """(name, version) from the first text that names a product.

    `CentOS 4/5/6/7 (64-bit)` and `… or later` name a family of templates, not the version that runs; `Other 3.x Linux`
    names no product. A version of its own column counts where it does not contradict the name (Windows: `6.3.9600`).
    """
    for text in texts:
        if not isinstance(text, str):
            continue
        plain = " ".join(_BITS.sub(" ", text[:_MAX_OS]).split())
        if not plain or plain.casefold().startswith("other"):
            if "linux" in plain.casefold():
                return "Linux", None
            continue
        family = _RANGE.sub("", plain)
        read = parse_os(family, Hint()).value
        name, stated = (read[0], read[1]) if isinstance(read, (tuple, list)) else (None, None)
        if not isinstance(name, str):
            continue
        own = str(version).strip() if isinstance(version, (str, int, float)) else ""
        if own and (stated is None or own.startswith(str(stated))):
            stated = own
        return name, None if stated is None or family != plain else str(stated)
    return None, None


def read_environment(tags: Iterable[tuple[str, str]]) -> str | None:
    """Only a tag whose key speaks of the environment says so; two that differ say nothing."""
    found = {
        _ENVIRONMENTS[fold(value)]
        for key, value in tags
        if fold(key) in _ENVIRONMENT_KEYS and fold(value) in _ENVIRONMENTS
    }
    return found.pop() if len(found) == 1 else None


PARSERS: Mapping[str, Callable[[RawCell, Column], Parsed]] = {
    "text": parse_text, "number": parse_number, "integer": parse_integer, "percent": parse_percent, "flag": parse_flag,
    "words": parse_words, "uuid": parse_uuid, "macs": parse_macs, "addresses": parse_addresses,
    "interface_addresses": parse_interface_addresses, "prefix": parse_prefix, "names": parse_names,
    "instant": parse_instant,
    "mib": _size(1 / 1024, whole=True), "gib": _size(1.0, whole=False), "bytes": _size(2**-30, whole=True),
}  # fmt: skip
"""Column type -> its reader. `mib`, `gib` and `bytes` are the unit of the cell; the value is always in GiB."""
