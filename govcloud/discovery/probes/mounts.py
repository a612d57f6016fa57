"""Mounted file systems with their use, and mounted shares, whose server is not asked: a dead one would hold up everything."""

from __future__ import annotations

import re
from collections.abc import Mapping

from govcloud.discovery.facts import render_filesystem
from govcloud.model.observation import Value
from govcloud.model.server import Filesystem

NAME = "mounts"
FIELDS = ("filesystems", "disk_used_gib")
FILES = ("/proc/mounts",)
COMMAND = "df -Plk 2>/dev/null || df -Pk"

_MOUNT = re.compile(r"^/proc/mounts:(\S+) (\S+) (\S+) ", re.M)
_USE = re.compile(r"^(\S.*?)\s+(\d{1,15})\s+(\d{1,15})\s+-?\d+\s+\d+%\s+(/.*)$", re.M)
SHARES = re.compile(
    r"nfs\d?|cifs|smb[23f]\w*|glusterfs|fuse\.glusterfs|ceph|fuse\.ceph(?:-fuse)?|lustre|gpfs|9p|fuse\.s3fs|fuse\.sshfs|afs"
)
_LOCAL = re.compile(r"ext[234]|xfs|btrfs|jfs|reiserfs|zfs|f2fs|vfat|ntfs\w*|fuseblk|gfs2|ocfs2|ufs|bcachefs")


def parse(text: str) -> Mapping[str, Value]:
    # df writes a blank as it is, the kernel as \040.
    use = {m.replace(" ", "\\040"): (int(size), int(used)) for _, size, used, m in _USE.findall(text)}
    found: dict[str, Filesystem] = {}
    devices: set[str] = set()
    used_kib = 0
    for device, mount, kind in _MOUNT.findall(text):
        share = SHARES.fullmatch(kind) is not None
        # A container's own root is an overlay; those of the containers on a host are not its file systems.
        if not (share or _LOCAL.fullmatch(kind) or (mount == "/" and kind in ("overlay", "tmpfs"))):
            continue
        if device.startswith("/dev/loop") or (not share and device in devices and kind != "zfs"):
            continue
        devices.add(device)
        size, used = use.get(mount, (None, None)) if not share else (None, None)
        used_kib += used or 0
        found[mount] = Filesystem(
            mount=_blank(mount), device=_blank(device), kind=kind, size_gib=_gib(size), used_gib=_gib(used)
        )
    fields: dict[str, Value] = {}
    if found:
        fields["filesystems"] = tuple(sorted(render_filesystem(f) for f in found.values()))
    if used_kib:
        fields["disk_used_gib"] = round(used_kib / 2**20, 1)
    return fields


def _blank(text: str) -> str:
    return text.replace("\\040", " ")


def _gib(kib: int | None) -> float | None:
    return None if kib is None else round(kib / 2**20, 1)
