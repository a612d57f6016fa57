"""Ways in that the old vendor may have left on this host: accounts, rights, timed jobs, sessions, remote-control tools.

Command lines and the text of jobs may hold passwords: only names, owners and files are told.
"""

import glob
import grp
import os

from ansible.module_utils.gov_takeover_host import accounts, demand_root, few, processes, read_lines, run

ADMIN_GROUPS = ("root", "wheel", "sudo", "adm", "docker", "lxd", "libvirt", "disk", "shadow")
_ENV = ("SHELL", "PATH", "MAILTO", "HOME", "LANG", "LC_ALL")


def look(given, answer):
    """given: vendor_accounts, tools ([{name, title}]: process or unit name), accepted_tools, accepted_jobs."""
    vendor = given.get("vendor_accounts") or []
    root = demand_root(answer)
    _tools(given, answer)
    _sessions(vendor, answer)
    _rights(vendor, answer, root)
    _jobs(vendor, answer, root)


def _tools(given, answer):
    tools = {tool["name"].lower(): tool["title"] for tool in given["tools"]}
    accepted = set(given.get("accepted_tools") or [])
    running = {}
    for pid, name, words in processes():
        # The kernel cuts a name after 15 letters.
        called = {name.lower()} | {os.path.basename(word).lower() for word in words[:1]}
        for tool in tools:
            if tool in called or (len(name) == 15 and tool.startswith(name.lower())):
                running[tool] = "process %d" % pid
        if "ssh" in called and any(word[:2] in ("-R", "-D", "-w") for word in words[1:]):
            running["ssh -R/-D/-w"] = "process %d" % pid
    code, said = run(["systemctl", "list-unit-files", "--state=enabled", "--no-legend", "--plain"])
    for line in said.splitlines() if code == 0 else ():
        unit = line.split()[0].partition(".")[0].partition("@")[0].lower()
        if unit in tools:
            running.setdefault(unit, "unit")
    tunnels = []
    for path in glob.glob("/sys/class/net/*/uevent"):
        if any(line == "DEVTYPE=wireguard" for line in read_lines(path) or []) or os.path.exists(path.replace("uevent", "tun_flags")):
            tunnels.append(path.split("/")[4])
    answer.found.update(tools=running, tunnels=sorted(tunnels))
    answer.facts.update(tools=few(sorted(running)) or "0", tunnels=few(sorted(tunnels)) or "0")
    for tool in sorted(set(running) - accepted):
        title = tools.get(tool, tool)
        answer.red("有远程控制或隧道工具：%s（%s，%s）" % (title, tool, running[tool]), "A remote-control or tunnel tool is here: %s (%s)" % (tool, running[tool]))
    for name in sorted(set(tunnels) - accepted):
        answer.red("有隧道网卡：%s" % name, "There is a tunnel interface: %s" % name)


def _sessions(vendor, answer):
    """Processes of the old vendor's accounts, and who is logged in."""
    uids = {entry.pw_uid: entry.pw_name for entry, _ in accounts() if entry.pw_name in vendor}
    owned = {}
    for pid, _, _ in processes():
        try:
            owner = os.stat("/proc/%d" % pid).st_uid
        except OSError:
            continue
        if owner in uids:
            owned.setdefault(uids[owner], []).append(pid)
    code, said = run(["who"])
    answer.found["sessions"] = sorted({line.split()[0] for line in said.splitlines() if line.split()}) if code == 0 else []
    answer.facts["sessions"] = few(answer.found["sessions"]) or "0"
    for name, pids in sorted(owned.items()):
        answer.red("原运维方账户 %s 有 %d 个进程在运行" % (name, len(pids)), "The old vendor's account %s runs %d processes" % (name, len(pids)))


def _rights(vendor, answer, root):
    member = {group.gr_name: sorted(set(group.gr_mem) & set(vendor)) for group in grp.getgrall()}
    for entry, _ in accounts():
        if entry.pw_name in vendor and entry.pw_uid == 0:
            answer.red("原运维方账户 %s 的 UID 是 0" % entry.pw_name, "The old vendor's account %s has uid 0" % entry.pw_name)
    for group in ADMIN_GROUPS:
        for name in member.get(group, []):
            answer.red("原运维方账户 %s 在特权组 %s 中" % (name, group), "The old vendor's account %s is in the group %s" % (name, group))
    rules = sudo_rules(sudoers_lines()) if root else []
    answer.found["sudo"] = [{"who": who, "without_asking": free} for who, free in rules]
    answer.facts["sudo"] = few(who for who, _ in rules) or "0"
    for who, _ in rules:
        if who.lstrip("%") in vendor:
            answer.red("sudo 规则仍给予 %s 权限" % who, "A sudo rule still gives rights to %s" % who)


def sudoers_lines(path="/etc/sudoers", depth=0):
    """Lines of the file and of what it includes (sudoers(5): @include, #include and their directories)."""
    joined = "\n".join(read_lines(path) or []).replace("\\\n", " ")
    for line in joined.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word.lstrip("@#") in ("include", "includedir") and word[0] in "@#" and depth < 8:
            place = rest.strip().strip('"')
            place = place if place.startswith("/") else os.path.join(os.path.dirname(path), place)
            names = sorted(os.listdir(place)) if os.path.isdir(place) else [""]
            for name in names:
                if "." not in name and not name.endswith("~"):
                    for inner in sudoers_lines(os.path.join(place, name) if name else place, depth + 1):
                        yield inner
        elif line.strip() and not line.strip().startswith("#"):
            yield line.strip()


def sudo_rules(lines):
    """(who, whether no password is asked) of each rule; aliases and defaults are none, their members are looked up."""
    aliases, rules = {}, []
    for line in lines:
        word = line.split()[0]
        if word == "User_Alias":
            for part in line[len(word):].split(":"):
                name, _, members = part.partition("=")
                aliases[name.strip()] = [member.strip() for member in members.split(",")]
        elif not word.startswith("Defaults") and not word.endswith("_Alias") and "=" in line:
            whom = line.partition("=")[0].rsplit(None, 1)[0]
            rules += [(who.strip(), "NOPASSWD" in line) for who in whom.split(",")]
    return [(member, free) for who, free in rules for member in aliases.get(who, [who])]


def _jobs(vendor, answer, root):
    places = [(path, None) for path in ["/etc/crontab"] + sorted(glob.glob("/etc/cron.d/*"))]
    for pattern in ("/var/spool/cron/crontabs/*", "/var/spool/cron/*"):
        places += [(path, os.path.basename(path)) for path in sorted(glob.glob(pattern)) if os.path.isfile(path)]
    jobs = [job for path, owner in places for job in cron_jobs(read_lines(path) or [], path, owner)]
    jobs += [{"file": path, "owner": _owner(path), "runs": "at"} for path in sorted(glob.glob("/var/spool/cron/atjobs/*") + glob.glob("/var/spool/at/*")) if os.path.isfile(path)]
    answer.found["jobs"] = jobs
    answer.facts["jobs"] = len(jobs)
    for job in jobs:
        if job["owner"] in vendor:
            answer.red("原运维方账户 %s 仍有定时任务：%s" % (job["owner"], job["file"]), "The old vendor's account %s still has timed jobs: %s" % (job["owner"], job["file"]))


def _owner(path):
    uid = os.stat(path).st_uid
    return next((entry.pw_name for entry, _ in accounts() if entry.pw_uid == uid), str(uid))


def cron_jobs(lines, path, owner):
    """One for each line that runs something: file, owner, and the program's name alone. System tables name the owner."""
    found = []
    for line in lines:
        words = line.split()
        if not words or words[0].startswith("#") or "=" in words[0]:
            continue
        at = 1 if words[0].startswith("@") else 5
        rest = words[at:]
        who = owner or (rest.pop(0) if rest else "?")
        found.append({"file": path, "owner": who, "runs": os.path.basename(rest[0]) if rest and "=" not in rest[0] else "?"})
    return found
