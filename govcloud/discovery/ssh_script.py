"""All probes as one POSIX-sh script, and what a host answered to it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import translate
from functools import lru_cache

from govcloud.discovery.probes import Probe
from govcloud.model.collect import ProbeGap
from govcloud.model.observation import Value
from govcloud.model.text import Text

Sections = Mapping[str, tuple[str, int]]
"""Probe -> (what it printed, exit code)."""

_FILES = "files"
_MAX_TEXT = 300
"""Characters of one value; whoever writes more wants to fill our tables."""
_WHY = {
    "right": Text("只有 root 能读", "Only root may read it"),
    "command": Text("主机上没有这条命令", "The host has no command for it"),
    "absent": Text("主机没有这一项", "The host has no such thing"),
}
_SILENT = Text("没有输出可用的内容（退出码 {c}）：缺少命令或权限",
               "Nothing usable was printed (exit code {c}): a command or a right is missing")  # fmt: skip
_NOT_SAID = Text("主机没有说明", "The host does not say")
_NOT_UNDERSTOOD = Text("输出看不懂", "What it printed could not be understood")
_PARTS = {
    "processes": Text("别的账号的程序名只有 root 看得到", "Names of other accounts' programs are shown to root only"),
    "jobs": Text("别的账号的定时任务只有 root 看得到", "Other accounts' scheduled jobs are shown to root only"),
}
"""What a probe answered without this part of it."""
_PACK = (
    "if command -v dd >/dev/null; then dd ibs=32768 obs=65536 2>/dev/null; "
    "else while IFS= read -r l; do printf '%s\\n' \"$l\"; done; fi"
)
"""One large write instead of two hundred small ones: each would be an SSH packet of its own, dear at both ends."""
_NOTE = re.compile(r"^\? (right|command|absent)((?: \w{1,40})+)$", re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    values: Mapping[str, Mapping[str, Value]]
    """Probe -> field -> value."""
    unknown: Mapping[str, Text]
    """Field -> why it could not be read."""
    gaps: tuple[ProbeGap, ...]
    """Probes whose answer lacks a part."""


def build_script(probes: Sequence[Probe], marker: str, at: datetime) -> str:
    """Each section is closed by a marker that its output can't know beforehand; nothing is written on the host."""
    lines = [
        "LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin:/usr/local/bin; export PATH",
        f"at={int(at.timestamp())}",
        "{",
    ]
    if files := " ".join(dict.fromkeys(f for probe in probes for f in probe.files)):
        # -a: a stray byte in a comment would else hide the whole file.
        lines += _section(_FILES, f"grep -as '' {files}", marker)
    for probe in probes:
        if probe.command != ":":
            lines += _section(probe.name, probe.command, marker)
    lines.append(f"echo '{marker} done'")
    lines.append("} 2>/dev/null | " + _PACK)
    return "\n".join(lines) + "\n"


def _section(name: str, command: str, marker: str) -> list[str]:
    # Braces, not parentheses: a subshell is a fork.
    return [
        f"echo '{marker} begin {name}'",
        f"{{ {command}\n}} </dev/null",
        f'c=$?; echo; echo "{marker} end {name} $c"',
    ]


def parse_sections(output: str, marker: str, probes: Sequence[Probe]) -> Sections | None:
    """Each probe's part, the lines of its files first; None when the script did not reach its end."""
    sections: dict[str, tuple[str, int]] = {}
    name, lines, complete = "", list[str](), False
    for line in output.split("\n"):
        match line[len(marker) + 1 :].split(" ") if line.startswith(marker + " ") else ():
            case ["begin", begun]:
                name, lines = begun, []
            case ["end", ended, code] if ended == name and re.fullmatch(r"[0-9]{1,3}", code):
                sections[name] = ("\n".join(lines).rstrip("\n"), int(code))
            case ["done"]:
                complete = True
                break
            case _:
                lines.append(line)
    if not complete:
        return None
    files = _lines_of(sections.pop(_FILES, ("", 0))[0], probes)
    return {
        p.name: ("\n".join((*files[p.name], sections.get(p.name, ("", 0))[0])).strip("\n"), sections.get(p.name, ("", 0))[1])
        for p in probes
    }  # fmt: skip


def _lines_of(text: str, probes: Sequence[Probe]) -> dict[str, list[str]]:
    """Probe -> lines of its files, as `path:line`."""
    wanted = [(p.name, _pattern(p.files)) for p in probes if p.files]
    lines: dict[str, list[str]] = {p.name: [] for p in probes}
    takers: dict[str, list[list[str]]] = {}
    for line in text.split("\n"):
        path = line.partition(":")[0]
        if path not in takers:
            takers[path] = [lines[name] for name, pattern in wanted if pattern.match(path)]
        for taker in takers[path]:
            taker.append(line)
    return lines


@lru_cache(maxsize=128)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, globs)))


def parse_answers(sections: Sections, probes: Sequence[Probe]) -> Answers:
    """What each probe found; what one host prints never raises."""
    values: dict[str, Mapping[str, Value]] = {}
    unknown: dict[str, Text] = {}
    gaps = []
    for probe in probes:
        text, code = sections.get(probe.name, ("", -1))
        default = _NOT_SAID if text else _SILENT.format(c=code)
        try:
            found = {field: _clean(value) for field, value in probe.parse(text).items()}
        except (ValueError, ArithmeticError, LookupError):
            found, default = {}, _NOT_UNDERSTOOD
        if found:
            values[probe.name] = found
        why: dict[str, Text] = {}
        for kind, names in _NOTE.findall(text) if text.startswith("? ") or "\n? " in text else ():
            for name in names.split():
                why[name] = _WHY[kind]
                if name in _PARTS and found:
                    gaps.append(ProbeGap(probe=probe.name, reason=_PARTS[name]))
        unknown |= {field: why.get(field, default) for field in probe.fields if field not in found}
    return Answers(values=values, unknown=unknown, gaps=tuple(gaps))


def _clean(value: Value) -> Value:
    """Texts without signs that could steer a terminal or hide a word, and no longer than a name."""
    if isinstance(value, tuple):
        return tuple(_clean_text(v) if isinstance(v, str) else v for v in value)
    return _clean_text(value) if isinstance(value, str) else value


def _clean_text(text: str) -> str:
    if len(text) <= _MAX_TEXT and text.isprintable():
        return text
    return "".join(c if c.isprintable() else "?" for c in text[:_MAX_TEXT])
