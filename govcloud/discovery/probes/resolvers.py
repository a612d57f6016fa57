"""Name servers and time servers, as configured: resolv.conf, chrony, ntpd, systemd-timesyncd, busybox ntpd."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from govcloud.model.observation import Value

NAME = "resolvers"
FIELDS = ("dns_servers", "ntp_servers")
_TIME = (
    "/etc/chrony.conf", "/etc/chrony/chrony.conf", "/etc/chrony.d/*.conf", "/etc/chrony/sources.d/*.sources", "/etc/ntp.conf",
    "/etc/ntpsec/ntp.conf", "/etc/systemd/timesyncd.conf", "/etc/systemd/timesyncd.conf.d/*.conf", "/etc/conf.d/ntpd",
)  # fmt: skip
_STUB = "/run/systemd/resolve/resolv.conf"
FILES = ("/etc/resolv.conf", _STUB, *_TIME)
COMMAND = ":"

_LINE = re.compile(r"(/etc/[\w./@-]+|/run/systemd/resolve/resolv\.conf):\s*(.*)")
_NAME_SERVER = re.compile(r"nameserver\s+([0-9A-Fa-f.:]{2,45})")
_NTP = re.compile(r"(?:server|pool|peer)\s+([\w.:-]{1,253})")
_TIMESYNCD = re.compile(r"(?:Fallback)?NTP=(.*)")
_BUSYBOX = re.compile(r"-p\s+([\w.:-]{1,253})")
_OWN_CLOCK = "127.127."
"""ntpd's names for clocks of the machine itself."""


def parse(text: str) -> Mapping[str, Value]:
    names: dict[bool, set[str]] = {True: set(), False: set()}
    times: set[str] = set()
    resolver = clock = False
    for line in text.splitlines():
        if not (found := _LINE.fullmatch(line)):
            continue
        path, said = found.groups()
        if path.endswith("resolv.conf"):
            resolver = True
            if (server := _NAME_SERVER.match(said)) and _is_address(server[1]):
                names[path == _STUB].add(server[1])
            continue
        clock = True
        if server := _NTP.match(said):
            times.add(server[1])
        elif listed := _TIMESYNCD.match(said):
            times.update(w for w in listed[1].split() if re.fullmatch(r"[\w.:-]{1,253}", w))
        elif said.startswith("NTPD_OPTS"):
            times.update(_BUSYBOX.findall(said))
    fields: dict[str, Value] = {}
    if resolver:
        # 127.0.0.53 is only systemd's door: the servers behind it stand in a file of its own.
        servers = names[True] if names[True] and names[False] <= {"127.0.0.53"} else names[False]
        fields["dns_servers"] = tuple(sorted(servers))
    if clock:
        fields["ntp_servers"] = tuple(sorted(t for t in times if not t.startswith(_OWN_CLOCK)))
    return fields


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
