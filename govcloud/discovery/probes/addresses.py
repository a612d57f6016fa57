"""IP addresses of the host's interfaces: `ip`, or `ifconfig` where there is none."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from govcloud.model.inventory import Value

NAME = "addresses"
COMMAND = "ip -o addr show 2>/dev/null || ifconfig -a"

_IP = re.compile(r"\binet6? (?:addr: ?)?([0-9A-Fa-f.:]+)")
# net-tools before 2.0 and busybox write `inet addr:10.1.2.3`.
_OLD = re.compile(r"\binet6? addr: ?([0-9A-Fa-f.:]+)")


def parse(text: str) -> Mapping[str, Value]:
    found = set()
    for written in (*_IP.findall(text), *_OLD.findall(text)):
        try:
            address = ipaddress.ip_address(written)
        except ValueError:
            continue
        if not (address.is_loopback or address.is_link_local or address.is_unspecified):
            found.add(str(address))
    return {"addresses": tuple(sorted(found))} if found else {}
