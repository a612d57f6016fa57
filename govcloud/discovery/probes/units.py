"""Services that start with the machine, and those that run: names of files and control groups, without asking systemd.

`nginx.service enabled running`; `enabled` alone is started at boot and not running now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from govcloud.model.observation import Value

NAME = "units"
FIELDS = ("units",)
FILES = ()
COMMAND = (
    "if [ -d /run/systemd/system ]; then echo init systemd; "
    'for f in /etc/systemd/system/*.wants/*.service; do [ -L "$f" ] && echo "enabled ${f##*/}"; done; '
    "for d in /sys/fs/cgroup/system.slice/*.service /sys/fs/cgroup/systemd/system.slice/*.service; do "
    '[ -d "$d" ] && echo "running ${d##*/}"; done; '
    "elif [ -d /etc/runlevels ]; then echo init openrc; for f in /etc/runlevels/default/* /etc/runlevels/boot/*; do "
    'echo "enabled ${f##*/}"; [ -e "/run/openrc/started/${f##*/}" ] && echo "running ${f##*/}"; done; '
    "elif [ -d /etc/rc.d/init.d ] || [ -d /etc/init.d ]; then echo init sysv; "
    'for f in /etc/rc3.d/S* /etc/rc.d/rc3.d/S*; do [ -e "$f" ] && n=${f##*/S} && echo "enabled ${n#[0-9][0-9]}"; done; '
    'for f in /var/lock/subsys/*; do [ -e "$f" ] && echo "running ${f##*/}"; done; fi'
)

_LINE = re.compile(r"(enabled|running) ([\w.@:\\-]{1,200})")


def parse(text: str) -> Mapping[str, Value]:
    if not re.search(r"^init (?:systemd|openrc|sysv)$", text, re.M):
        return {}
    states: dict[str, set[str]] = {}
    for line in text.splitlines():
        if found := _LINE.fullmatch(line):
            states.setdefault(found[2], set()).add(found[1])
    # A running service that nothing enables is another one's part: it starts with the machine all the same.
    return {"units": tuple(sorted(" ".join((name, *sorted(said))) for name, said in states.items()))}
