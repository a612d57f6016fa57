"""IP addresses and address blocks in cells: lists, ranges, remarks. Pure."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

from govcloud.discovery.raw_cells import NONE_WORDS, Hint, RawCell, Read, cell_text, fold
from govcloud.model.text import Text

_MAX_RANGE = 256
_SEPARATORS = re.compile(r"[、;；,，\s|]+")
_PLAIN_ADDRESS = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}")
_RANGE = re.compile(r"(\d+(?:\.\d+){3})[-~](\d+(?:\.\d+){3}|\d{1,3})")
_BRACKETED = re.compile(r"\([^)]*\)")


def parse_addresses(cell: RawCell, hint: Hint) -> Read:
    """IP addresses in canonical form, in the order written: several in a cell, and ranges (`10.1.2.3-10`, at most 256).

    Remarks in brackets and ports are dropped, ports with a note. A whole subnet is no list of machines.
    """
    if isinstance(cell, str) and _PLAIN_ADDRESS.fullmatch(cell):
        return Read((cell,))
    text = unicodedata.normalize("NFKC", cell_text(cell)).replace("。", ".").replace("—", "-").replace("至", "-")
    text = re.sub(r"\s*([-~])\s*", r"\1", _BRACKETED.sub(" ", text))
    found: dict[str, None] = {}
    notes: list[Text] = []
    for part in filter(None, _SEPARATORS.split(text)):
        if fold(part) in NONE_WORDS:
            continue
        host, _, port = part.partition(":") if part.count(":") == 1 else (part, "", "")
        if port.isdigit():
            notes.append(Text("端口 {p} 未采用", "the port {p} was not used").format(p=port))
        addresses = _read_addresses(host if port.isdigit() else part)
        if isinstance(addresses, Text):
            return Read(expected=addresses)
        if len(addresses) > 1:
            notes.append(Text("{r} 读作 {n} 个地址", "{r} was read as {n} addresses").format(r=part, n=len(addresses)))
        found.update(dict.fromkeys(addresses))
    note = Text("；".join(n.zh for n in notes), "; ".join(n.en for n in notes)) if notes else None
    return Read(tuple(found) or None, note=note if found else None)


def _read_addresses(part: str) -> list[str] | Text:
    """One address or range; or what was expected instead."""
    try:
        if span := _RANGE.fullmatch(part):
            first = ipaddress.IPv4Address(span[1])
            last = ipaddress.IPv4Address(span[2] if "." in span[2] else f"{span[1].rpartition('.')[0]}.{span[2]}")
            if not 0 <= int(last) - int(first) < _MAX_RANGE:
                return Text(
                    "由小到大、不超过 256 个的地址范围", "a range of at most 256 addresses, the lower end first"
                )
            return [str(ipaddress.IPv4Address(n)) for n in range(int(first), int(last) + 1)]
        interface = ipaddress.ip_interface(part)
    except ValueError:
        return Text("IP 地址，例如 10.1.2.3", "IP addresses, such as 10.1.2.3")
    network = interface.network
    if network.num_addresses > 2 and interface.ip == network.network_address:
        return Text("具体的 IP 地址，而不是整个网段", "the addresses themselves, not a whole subnet")
    return [str(interface.ip)]


def parse_prefixes(cell: RawCell, hint: Hint) -> Read:
    """Address blocks as CIDR; `172.30.5.0/255.255.255.0` is one, too."""
    text = unicodedata.normalize("NFKC", cell_text(cell))
    found: list[str] = []
    for part in filter(None, _SEPARATORS.split(text)):
        if fold(part) in NONE_WORDS:
            continue
        try:
            prefix = str(ipaddress.ip_network(part, strict=False))
        except ValueError:
            return Read(expected=Text("网段，例如 10.1.2.0/24", "address blocks, such as 10.1.2.0/24"))
        if prefix not in found:
            found.append(prefix)
    return Read(tuple(found) or None)
