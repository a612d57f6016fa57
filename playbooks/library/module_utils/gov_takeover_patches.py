"""What is still to be patched on this host, by its own package manager; nothing is fetched or installed.

A package list that nobody has fetched for long tells nothing: then the answer is unknown, not fine. The same goes for the
end of the system's support where nobody has said when it is.
"""

import datetime
import glob
import os
import re
import time

from ansible.module_utils.gov_takeover_host import few, read_lines, run

LISTS_MAX_DAYS = 7


def look(given, answer):
    """given: support_until (YYYY-MM-DD or None), lists_max_days."""
    about = os_release(read_lines("/etc/os-release") or read_lines("/usr/lib/os-release") or [])
    answer.facts["system"] = about.get("PRETTY_NAME", "?")
    if run(["apt-get", "--version"])[0] == 0:
        age, pending = apt_age(), run(["apt-get", "-s", "-o", "Debug::NoLocking=true", "dist-upgrade"], 120)
        updates = parse_apt(pending[1]) if pending[0] == 0 else None
    else:
        age, updates = _rpm()
    _judge_updates(age, updates, given.get("lists_max_days") or LISTS_MAX_DAYS, answer)
    _kernel(answer)
    _support(about, given.get("support_until"), answer)


def _judge_updates(age, updates, most, answer):
    if updates is None:
        answer.unknown("包管理器没有给出更新清单", "The package manager gave no list of updates")
        return
    security = sorted(name for name, is_security in updates.items() if is_security)
    answer.found["updates"] = sorted(updates)
    answer.found["security"] = security
    answer.facts.update(updates=len(updates), security=len(security), lists_days="?" if age is None else age)
    if security:
        answer.red("有 %d 个安全更新未装：%s" % (len(security), few(security)), "%d security updates are missing: %s" % (len(security), few(security)))
    if age is None or age > most:
        days = "?" if age is None else age
        answer.unknown("软件包清单已 %s 天未更新，不能据此判断" % days, "The package lists are %s days old: they tell nothing" % days)


def apt_age():
    """Days since package lists were fetched; None where there are none. The files themselves carry the mirror's time."""
    if not glob.glob("/var/lib/apt/lists/*Packages*"):
        return None
    places = ("/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists/partial", "/var/lib/apt/lists")
    newest = max(os.stat(path).st_mtime for path in places if os.path.exists(path))
    return max(0, int((time.time() - newest) // 86400))


def parse_apt(text):
    """{package: whether it is a security update} of `apt-get -s dist-upgrade`:
    `Inst openssl [3.0.11] (3.0.15 Debian-Security:12/stable-security [amd64])`; new packages have no old version."""
    found = {}
    for line in text.splitlines():
        words = re.match(r"Inst (\S+) \[[^\]]*\] \((\S+) ([^\[)]*)", line)
        if words:
            found[words.group(1)] = "security" in words.group(3).lower()
    return found


def _rpm():
    for program in ("dnf", "yum"):
        code, said = run([program, "-q", "--cacheonly", "check-update"], 120)
        if code not in (0, 100):
            continue
        updates = {name: False for name in parse_check_update(said)}
        code, advised = run([program, "-q", "--cacheonly", "updateinfo", "list", "security"], 120)
        if code != 0:
            return None, None
        known = parse_updateinfo(advised)
        # An advice names the package with its version: it is pending where the package is.
        updates.update({name: True for name in updates if name in known})
        stamps = glob.glob("/var/cache/%s/*/repodata/repomd.xml" % program) + glob.glob("/var/cache/%s/*/*/*/repomd.xml" % program)
        newest = max((os.stat(path).st_ctime for path in stamps), default=None)
        return (None if newest is None else max(0, int((time.time() - newest) // 86400))), updates
    return None, None


def parse_check_update(text):
    """Names of `dnf check-update`: `openssl.x86_64  1:3.0.7-27.el9  baseos`; what follows `Obsoleting` is something else."""
    found, pending = [], ""
    for line in text.splitlines():
        if line.startswith("Obsoleting"):
            break
        # Long names go on in the next line.
        words = (pending + " " + line).split()
        pending = line if len(words) == 1 and "." in words[0] else ""
        if len(words) == 3 and "." in words[0] and re.match(r"\d", words[1]):
            found.append(words[0].rpartition(".")[0])
    return found


def parse_updateinfo(text):
    """Names of `dnf updateinfo list security`: `RHSA-2024:2447 Important/Sec. openssl-1:3.0.7-27.el9.x86_64`."""
    found = set()
    for line in text.splitlines():
        words = line.split()
        match = re.match(r"(.+)-[^-]+-[^-]+$", words[-1]) if len(words) >= 3 and "Sec" in words[1] else None
        if match:
            found.add(match.group(1))
    return found


def _kernel(answer):
    running = os.uname()[2]
    there = sorted((os.path.basename(path)[len("vmlinuz-"):] for path in glob.glob("/boot/vmlinuz-*") if "rescue" not in path), key=_order)
    answer.facts.update(kernel=running, kernel_installed=there[-1] if there else "-")
    if os.path.exists("/run/reboot-required"):
        answer.red("更新后尚未重启", "A reboot is required after updates")
    elif run(["needs-restarting", "-r"])[0] == 1:
        answer.red("更新后尚未重启", "A reboot is required after updates")
    elif there and _order(there[-1]) > _order(running):
        answer.red("运行的内核 %s 旧于已装的 %s" % (running, there[-1]), "The kernel %s runs, %s is installed" % (running, there[-1]))


def _order(version):
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|[a-z]+", version.lower())]


def os_release(lines):
    """{KEY: value} of os-release(5)."""
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}


def _support(about, said, answer):
    """Until when the system gets updates: as the takeover's file says, the system itself (SUPPORT_END), or Debian's own table."""
    until = said or about.get("SUPPORT_END") or distro_end(about, read_lines("/usr/share/distro-info/%s.csv" % about.get("ID", "")) or [])
    answer.facts["support_until"] = until or "?"
    if not until:
        answer.unknown("不知道操作系统何时停止维护", "When support of the operating system ends is not known")
    elif until < str(datetime.date.today()):
        answer.red("操作系统已于 %s 停止维护" % until, "Support of the operating system ended on %s" % until)


def distro_end(about, lines):
    """End of support in Debian's distro-info-data; `eol-lts` counts where it is given and only volunteers go on after `eol`."""
    head = lines[0].split(",") if lines else []
    for line in lines[1:]:
        row = dict(zip(head, line.split(",")))
        if about.get("VERSION_ID") and row.get("version", "").split(" ")[0] == about["VERSION_ID"]:
            return row.get("eol") or None
    return None
