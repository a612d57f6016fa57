"""Operating system: os-release(5), and the older release files, which say the point release that CentOS 7 leaves out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from govcloud.model.observation import Value

NAME = "os"
FIELDS = ("os_name", "os_version", "kernel", "arch")
FILES = (
    "/etc/os-release", "/usr/lib/os-release", "/etc/centos-release", "/etc/redhat-release", "/etc/SuSE-release",
    "/etc/debian_version", "/etc/os-version", "/proc/sys/kernel/osrelease", "/proc/sys/kernel/arch",
)  # fmt: skip
COMMAND = "[ -r /proc/sys/kernel/arch ] || uname -m"
"""Since Linux 6.1 the machine type is a file."""

_LINE = re.compile(r"(/[\w./-]+):(.*)")
_ASSIGNMENT = re.compile(r"([A-Za-z_]+)=(.*)")
_QUOTED = re.compile(r"([\"'])(.*)\1")
_RELEASE = re.compile(r"(.+?) (?:Linux )?release (\S+)")
_SUSE = re.compile(r"(SUSE.*?) (\d+)")
_PATCH_LEVEL = re.compile(r"^PATCHLEVEL = (\d{1,2})$", re.M)
_POINT = re.compile(r"\d+(?:\.\d+)+")
_ARCH = re.compile(r"[a-z]\w{2,15}")
# Kylin says its service pack by a code word only.
_KYLIN_PACKS = {"Tercel": "SP1", "Sword": "SP2", "Lance": "SP3"}


def parse(text: str) -> Mapping[str, Value]:
    files: dict[str, list[str]] = {}
    loose = []
    for line in text.splitlines():
        if found := _LINE.fullmatch(line):
            files.setdefault(found[1], []).append(found[2])
        else:
            loose.append(line.strip())
    fields: dict[str, Value] = dict(_system(files))
    if kernel := _first(files, "/proc/sys/kernel/osrelease"):
        fields["kernel"] = kernel
    arch = _first(files, "/proc/sys/kernel/arch") or next((line for line in loose if line), "")
    if _ARCH.fullmatch(arch):
        fields["arch"] = arch
    return fields


def _first(files: Mapping[str, list[str]], *paths: str) -> str:
    return next((files[p][0].strip() for p in paths if files.get(p)), "")


def _assignments(lines: list[str]) -> dict[str, str]:
    stated: dict[str, str] = {}
    for line in lines:
        if found := _ASSIGNMENT.fullmatch(line.strip()):
            # os-release(5): shell quoting, and of it only quotes around the whole and a backslash before a sign.
            value = found[2].strip()
            quoted = _QUOTED.fullmatch(value)
            stated[found[1]] = re.sub(r"\\(.)", r"\1", quoted[2] if quoted else value)
    return stated


def _system(files: Mapping[str, list[str]]) -> Mapping[str, str]:
    stated = _assignments(files.get("/etc/os-release") or files.get("/usr/lib/os-release") or [])
    name, version = stated.get("NAME", ""), stated.get("VERSION_ID", "")
    old = _RELEASE.match(_first(files, "/etc/centos-release", "/etc/redhat-release"))
    suse, debian = _SUSE.match(_first(files, "/etc/SuSE-release")), _first(files, "/etc/debian_version")
    if old:
        name = name or old[1]
        # Only where it says the same and more: rebuilds keep the file of the system that they were made from.
        version = old[2] if not version or old[2].startswith(version + ".") else version
    elif suse:
        pack = _PATCH_LEVEL.search("\n".join(files["/etc/SuSE-release"]))
        name, version = name or suse[1], version or (f"{suse[2]}.{pack[1]}" if pack else suse[2])
    elif stated.get("ID") == "debian" and _POINT.fullmatch(debian):
        version = debian
    # Kylin and UOS write V10, others write 10.
    version = version.lstrip("vV") or version
    if named := next((p for word, p in _KYLIN_PACKS.items() if f"({word})" in stated.get("VERSION", "")), None):
        version = f"{version} {named}"
    if minor := _assignments(files.get("/etc/os-version", [])).get("MinorVersion"):
        version = f"{version} {minor}"
    return {k: v for k, v in (("os_name", name), ("os_version", version)) if v}
