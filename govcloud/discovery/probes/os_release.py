"""Operating system: os-release(5), and the older release files, which say the point release that CentOS 7 leaves out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from govcloud.model.inventory import Value

NAME = "os"
COMMAND = (
    "cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release 2>/dev/null; echo; "
    "for f in /etc/centos-release /etc/redhat-release /etc/debian_version; do "
    '[ -r "$f" ] && { printf "%s: " "$f"; head -n 1 "$f"; }; done; true'
)

_ASSIGNMENT = re.compile(r"([A-Z_]+)=(.*)")
_RELEASE = re.compile(r"/etc/(?:centos|redhat)-release: (.+?) release (\S+)")
_DEBIAN = re.compile(r"/etc/debian_version: (\d+(?:\.\d+)+)")


def parse(text: str) -> Mapping[str, Value]:
    stated: dict[str, str] = {}
    for line in text.splitlines():
        if found := _ASSIGNMENT.fullmatch(line.strip()):
            try:
                stated[found[1]] = " ".join(shlex.split(found[2]))
            except ValueError:
                stated[found[1]] = found[2]
    name, version = stated.get("NAME", ""), stated.get("VERSION_ID", "")
    if release := _RELEASE.search(text):
        name = name or release[1]
        # Only where it says the same and more: rebuilds keep the file of the system that they were made from.
        version = release[2] if not version or release[2].startswith(version + ".") else version
    elif (debian := _DEBIAN.search(text)) and stated.get("ID") == "debian":
        version = debian[1]
    fields: dict[str, Value] = {}
    if name:
        fields["os_name"] = name
    if version:
        # Kylin and UOS write V10, others write 10.
        fields["os_version"] = version.lstrip("vV") or version
    return fields
