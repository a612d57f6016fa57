"""When two witnesses mean the same although they write it differently. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from govcloud.discovery.cells import fold
from govcloud.model.observation import Value

_TOLERANCE: Mapping[str, float] = {"memory_gib": 0.12, "disk_gib": 0.15, "data_gib": 0.15, "bandwidth_mbps": 0.05}
"""Share of the larger value: the kernel keeps some memory for itself, and disks are sold in decimal gigabytes."""
NEVER_IN_CONFLICT = frozenset({"name", "kernel", "services", "process_count", "sockets", "connections", "routes"})
"""Names are aliases of one thing; the rest has one witness only and changes by itself."""

_OS_FAMILIES: tuple[tuple[str, str], ...] = (
    ("centos", "centos"), ("kylin", "kylin"), ("麒麟", "kylin"), ("uniontech", "uos"), ("统信", "uos"), ("uos", "uos"),
    ("deepin", "uos"), ("openeuler", "openeuler"), ("欧拉", "openeuler"), ("anolis", "anolis"), ("龙蜥", "anolis"),
    ("redhat", "rhel"), ("rhel", "rhel"), ("rocky", "rocky"), ("alma", "alma"), ("debian", "debian"), ("ubuntu", "ubuntu"),
    ("suse", "suse"), ("sles", "suse"), ("oracle", "oracle"), ("fedora", "fedora"), ("alpine", "alpine"),
    ("windows", "windows"), ("aix", "aix"), ("solaris", "solaris"),
)  # fmt: skip
_ARCHITECTURES = {"amd64": "x86_64", "x64": "x86_64", "x86": "x86_64", "arm64": "aarch64", "loong64": "loongarch64"}


def os_family(name: Value) -> str:
    """`CentOS Linux` and `centos` are one product; an unknown name stands for itself."""
    folded = fold(str(name or ""))
    return next((family for word, family in _OS_FAMILIES if word in folded), folded)


def agree(field: str, one: Value, other: Value) -> bool:
    """Whether two values of a field are no disagreement."""
    if field == "os_name":
        return os_family(one) == os_family(other)
    if field == "os_version":
        return _same_version(str(one), str(other))
    if field == "arch":
        return _architecture(one) == _architecture(other)
    if isinstance(one, (int, float)) and isinstance(other, (int, float)) and not isinstance(one, bool):
        return abs(one - other) <= _TOLERANCE.get(field, 0.0) * max(abs(one), abs(other))
    return _comparable(one) == _comparable(other)


def _same_version(one: str, other: str) -> bool:
    """`7` covers `7.6`, `10 SP1` covers `10`: less said is no disagreement."""
    a, b = re.findall(r"\d+|[a-z]+", one.casefold()), re.findall(r"\d+|[a-z]+", other.casefold())
    shared = min(len(a), len(b))
    return a[:shared] == b[:shared]


def _architecture(value: Value) -> str:
    folded = fold(str(value))
    return _ARCHITECTURES.get(folded, folded)


def _comparable(value: Value) -> object:
    if isinstance(value, (tuple, list)):
        return tuple(_comparable(v) for v in value)
    return fold(value) if isinstance(value, str) else value
