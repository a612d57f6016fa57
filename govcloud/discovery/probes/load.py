"""Load over the last quarter of an hour, and since when the machine runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from govcloud.model.observation import Value

NAME = "load"
FIELDS = ("load_15m", "booted_at")
FILES = ("/proc/loadavg", "/proc/uptime")
COMMAND = 'echo "at $at"'
"""`at` is our own clock, in seconds since 1970: the host's may be wrong."""

_LOAD = re.compile(r"^/proc/loadavg:\S+ \S+ (\d{1,6}\.\d{1,3}) ", re.M)
_UPTIME = re.compile(r"^/proc/uptime:(\d{1,10})\.\d+ ", re.M)
_AT = re.compile(r"^at (\d{1,11})$", re.M)


def parse(text: str) -> Mapping[str, Value]:
    fields: dict[str, Value] = {}
    if load := _LOAD.search(text):
        fields["load_15m"] = float(load[1])
    uptime, at = _UPTIME.search(text), _AT.search(text)
    if uptime and at and int(at[1]) > int(uptime[1]):
        # To the minute: the seconds would differ at every look.
        booted = datetime.fromtimestamp(int(at[1]), UTC) - timedelta(seconds=int(uptime[1]))
        fields["booted_at"] = (booted + timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:00Z")
    return fields
