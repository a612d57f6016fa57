"""Jobs of cron and timers: user, schedule and program. Arguments may hold secrets and are dropped here, unseen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from govcloud.model.observation import Value

NAME = "scheduled"
FIELDS = ("scheduled",)
FILES = (
    "/etc/crontab", "/etc/cron.d/*", "/var/spool/cron/*", "/var/spool/cron/crontabs/*", "/var/spool/cron/tabs/*",
    "/etc/crontabs/*", "/etc/systemd/system/timers.target.wants/*.timer",
)  # fmt: skip
COMMAND = (
    "[ -d /etc/cron.d ] || [ -e /etc/crontab ] || [ -d /etc/crontabs ] || [ -d /etc/systemd/system ] && echo looked; "
    "own=; for d in /var/spool/cron/crontabs /var/spool/cron/tabs /var/spool/cron; do if [ -d $d ]; then "
    '[ -r $d ] || { own=1; echo "? right jobs"; }; break; fi; done; '
    'if [ $own ] && command -v crontab >/dev/null; then echo "own ${LOGNAME:-$USER}"; crontab -l 2>/dev/null; fi; '
    'for f in /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /etc/cron.monthly/*; do [ -x "$f" ] && echo "periodic $f"; done'
)

_FILE = re.compile(r"(/(?:etc|var)/[\w./@\\:-]+?):(.*)")
_TIMES = re.compile(r"(@\w{1,10}|(?:[\d*/,\-A-Za-z]{1,40}\s+){4}[\d*/,\-A-Za-z]{1,40})\s+(\S.*)")
_WITH_USER = re.compile(r"(\S{1,32})\s+(\S.*)")
_PERIODIC = re.compile(r"periodic /etc/cron\.(hourly|daily|weekly|monthly)/(\S{1,100})")
_TIMER = re.compile(r"(OnCalendar|OnUnitActiveSec|OnBootSec|OnUnitInactiveSec)\s*=\s*(\S.{0,80})")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PLUMBING = frozenset(
    {
        "cd",
        "test",
        "[",
        "command",
        "(",
        "{",
        "if",
        "then",
        "true",
        ":",
        "export",
        ".",
        "source",
        "umask",
        "echo",
        "sleep",
    }
)
_WRAPPERS = frozenset({"sudo", "nice", "ionice", "flock", "timeout", "env", "nohup", "sh", "bash", "/bin/sh", "/bin/bash",
                       "/usr/bin/flock", "/usr/bin/env", "su", "exec", "python", "python3", "perl", "php", "java", "!"})  # fmt: skip


def parse(text: str) -> Mapping[str, Value]:
    jobs = set(_jobs(text))
    looked = re.search(r"^looked$", text, re.M)
    return {"scheduled": tuple(sorted(jobs))} if jobs or looked else {}


def _jobs(text: str) -> Iterator[str]:
    own = ""
    for line in text.splitlines():
        if found := _PERIODIC.fullmatch(line):
            yield f"root @{found[1]} {found[2]}"
        elif line.startswith("own "):
            own = line.split()[1] if len(line.split()) > 1 else "-"
        elif found := _FILE.fullmatch(line):
            path, said = found.groups()
            if path.endswith(".timer"):
                if timer := _TIMER.match(said):
                    times, unit = " ".join(timer[2].split()), path.rsplit("/", 1)[-1]
                    yield f"- {timer[1]}={times} {unit}"
            elif job := _job(said, None if _names_user(path) else path.rsplit("/", 1)[-1]):
                yield job
        elif own and (job := _job(line, own)):
            yield job


def _names_user(path: str) -> bool:
    """Whether the lines of the file name the account after the times: the system's tables do, those of accounts do not."""
    return path == "/etc/crontab" or path.startswith("/etc/cron.d/")


def _job(line: str, user: str | None) -> str | None:
    line = line.strip()
    if line.startswith("#") or _ASSIGNMENT.match(line) or not (found := _TIMES.fullmatch(line)):
        return None
    times, command = " ".join(found[1].split()), found[2]
    if user is None:
        if not (named := _WITH_USER.fullmatch(command)):
            return None
        user, command = named.groups()
    return f"{user} {times} {_program(command)}"


def _program(command: str) -> str:
    """The program behind `cd … &&`, `test … ||`, `sudo -u x` and assignments."""
    for part in re.split(r"&&|\|\||;|\||\(|\{", command):
        words = [w for w in part.split() if not _ASSIGNMENT.match(w)]
        if not words or words[0] in _PLUMBING:
            continue
        if words[0] in _WRAPPERS:
            # Only a path can't be an argument of the wrapper's own; flock's first one is its lock.
            paths = [w for w in words[1:] if w.startswith(("/", "./"))]
            words = paths[words[0].endswith("flock") :] or words
        return words[0][:200]
    return "-"
