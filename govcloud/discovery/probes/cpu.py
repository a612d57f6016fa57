"""Processors and memory, from /proc and /sys, which need no rights."""

from __future__ import annotations

import re
from collections.abc import Mapping

from govcloud.model.observation import Value

NAME = "cpu"
FIELDS = ("cpu_count", "cpu_model", "memory_gib")
FILES = ("/sys/devices/system/cpu/online",)
# The first processor speaks for all: a machine with 128 of them prints the same 128 times.
COMMAND = (
    'while read -r l; do case $l in "model name"*|"Model Name"*|"cpu model"*|"CPU implementer"*) echo "$l";; '
    '"CPU part"*) echo "$l"; break;; processor*1|flags*) break;; esac; done </proc/cpuinfo; '
    "read -r l </proc/meminfo; echo \"$l\"; [ -r /sys/devices/system/cpu/online ] || grep -c '^processor' /proc/cpuinfo"
)

_ONLINE = re.compile(r"^/sys/devices/system/cpu/online:([\d,-]{1,200})$", re.M)
_MODEL = re.compile(r"^(?:model name|Model Name|cpu model)\s*: *(.+)$", re.M)
_PART = re.compile(r"^CPU implementer\s*: *(0x[0-9a-f]{2})\s*^CPU part\s*: *(0x[0-9a-f]{3})$", re.M)
_ARM_PARTS = {
    ("0x48", "0xd01"): "HiSilicon Kunpeng 920", ("0x48", "0xd02"): "HiSilicon Kunpeng 920B",
    ("0x70", "0x660"): "Phytium FTC660", ("0x70", "0x661"): "Phytium FTC661", ("0x70", "0x662"): "Phytium FTC662",
    ("0x70", "0x663"): "Phytium FTC663", ("0x70", "0x862"): "Phytium FTC862",
    ("0x41", "0xd08"): "ARM Cortex-A72", ("0x41", "0xd0c"): "ARM Neoverse-N1",
}  # fmt: skip
"""MIDR_EL1 implementer and part, as arch/arm64/include/asm/cputype.h and util-linux's lscpu-arm.c have them."""


def parse(text: str) -> Mapping[str, Value]:
    fields: dict[str, Value] = {}
    if count := _count(text):
        fields["cpu_count"] = count
    if model := _MODEL.search(text):
        fields["cpu_model"] = " ".join(model[1].split())
    elif (part := _PART.search(text)) and (part[1], part[2]) in _ARM_PARTS:
        fields["cpu_model"] = _ARM_PARTS[part[1], part[2]]
    if memory := re.search(r"^MemTotal:\s+(\d{1,15}) kB", text, re.M):
        fields["memory_gib"] = round(int(memory[1]) / 2**20, 1)
    return fields


def _count(text: str) -> int:
    """`0-3,8-11` is 8."""
    if plain := re.search(r"^(\d{1,5})$", text, re.M):
        return int(plain[1])
    count = 0
    if online := _ONLINE.search(text):
        for first, last in re.findall(r"(\d{1,5})(?:-(\d{1,5}))?", online[1]):
            count += max(0, int(last or first) - int(first) + 1)
    return count
