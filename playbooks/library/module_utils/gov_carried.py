"""Files that belong to a service, on one host: read at the source, put in place on the target, looked at, undone.

Standard library only, Python 3.6 or newer; run by gov_carry.py through govcloud/execution/far_call.py. What was on the
target before is kept in `<state_dir>/<system_id>.carried/` (0700), never beside the file: daemons read whole folders.
index.json there: {path: {"kept": file here or null, "mode", "uid", "gid", "placed": SHA-256, "folders": made for it}}.
Contents may be secret (environment files): they are never part of an answer but that of `read`.
"""

import base64
import grp
import hashlib
import json
import os
import pwd
import shutil
import stat
import subprocess
import tempfile

from ansible.module_utils.gov_marker_file import Refused, demand_owner, read_marker
from ansible.module_utils.gov_service_unit import held, is_cron
from ansible.module_utils import gov_tls

MAX_BYTES = 4 << 20
_UNITS = ("/etc/systemd/", "/usr/lib/systemd/", "/lib/systemd/", "/etc/init.d/")


class Faults(Exception):
    def __init__(self, problems):
        Exception.__init__(self)
        self.problems = [{"zh": zh, "en": en} for zh, en in problems]


def answer(request):
    try:
        return {"read": read, "place": place, "check": check, "undo": undo, "tls": tls}[request["do"]](request)
    except (Faults, Refused) as fault:
        return {"problems": fault.problems}
    except (OSError, ValueError, KeyError) as error:
        return {"problems": [{"zh": "文件无法处理：%s" % error, "en": "The files can't be handled: %s" % error}]}


def read(request):
    """{"files": [{"path", "mode", "owner", "group", "sha256"} and "content" if asked for]}; folders give their files."""
    files, problems = [], []
    for path in request["paths"]:
        here = _where(path)
        if not os.path.lexists(here):
            problems.append(("源上没有 %s" % path, "There is no %s on the source" % path))
        elif stat.S_ISDIR(os.lstat(here).st_mode):
            files += [one for one in (os.path.join(path, name) for name in sorted(os.listdir(here)))]
        else:
            files.append(path)
    found = []
    for path in files:
        about = os.lstat(_where(path))
        if not stat.S_ISREG(about.st_mode) or about.st_size > MAX_BYTES:
            problems.append(("%s 不是普通文件，或超过 4 MiB" % path, "%s is no regular file, or larger than 4 MiB" % path))
            continue
        with open(_where(path), "rb") as stream:
            content = stream.read()
        one = {"path": path, "mode": stat.S_IMODE(about.st_mode), "sha256": hashlib.sha256(content).hexdigest(),
               "owner": _name(pwd.getpwuid, about.st_uid), "group": _name(grp.getgrgid, about.st_gid)}  # fmt: skip
        if request.get("content"):
            one["content"] = base64.b64encode(content).decode("ascii")
        found.append(one)
    if problems:
        raise Faults(problems)
    return {"files": found}


def place(request):
    """Put what `read` gave at the source where it belongs. {"placed": how many were not there already}"""
    demand_owner(request["marker"], request["system"])
    numbers = _numbers(request["files"])
    index, placed, units = Index(request), 0, False
    for one in request["files"]:
        if _matches(one, numbers):
            continue
        index.keep(one["path"], one["sha256"])
        target = held(one["path"]) if is_cron(one["path"]) else one["path"]
        _write(target, base64.b64decode(one["content"]), one["mode"], numbers[one["path"]])
        if target != one["path"] and os.path.lexists(one["path"]):
            # A cron table in force until now: kept above, and the new one waits for its service.
            os.unlink(one["path"])
        placed += 1
        units = units or one["path"].startswith(_UNITS)
    if units:
        _reload()
    return {"placed": placed}


def check(request):
    numbers = _numbers(request["files"])
    wrong = [one["path"] for one in request["files"] if not _matches(one, numbers)]
    if wrong:
        raise Faults([("目标上的 %s 与源不一致" % path, "%s on the target is not the source's" % path) for path in wrong])
    return {"placed": 0}


def undo(request):
    """What was there before is there again. Files that somebody changed meanwhile are left and named."""
    index = Index(request)
    if read_marker(request["marker"]) is None and not index.known:
        return {"undone": 0, "left": []}
    demand_owner(request["marker"], request["system"])
    undone, left = 0, []
    for path in reversed(sorted(index.known)):
        if index.restore(path):
            undone += 1
        else:
            left.append(path)
    if undone:
        _reload()
    if not left:
        shutil.rmtree(index.folder, ignore_errors=True)
    return {"undone": undone, "left": left}


def tls(request):
    problems, facts = gov_tls.look(request["paths"])
    return {"problems": problems, "facts": facts}


class Index(object):
    def __init__(self, request):
        state_dir, name = os.path.split(request["marker"])
        self.folder = os.path.join(state_dir, name.rpartition(".")[0] + ".carried")
        self.path = os.path.join(self.folder, "index.json")
        self.known = {}
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as stream:
                self.known = json.load(stream)

    def keep(self, path, digest):
        """Before the first change of a path: what is there now. An earlier attempt's record stands."""
        if not self.known:
            os.makedirs(self.folder, 0o700, exist_ok=True)
        entry = self.known.get(path)
        if entry is None:
            entry = {"kept": None, "folders": _missing(os.path.dirname(path))}
            if os.path.lexists(path):
                about = os.stat(path)
                entry.update(kept=str(len(self.known)), mode=stat.S_IMODE(about.st_mode), uid=about.st_uid, gid=about.st_gid,
                             link=os.readlink(path) if os.path.islink(path) else None)  # fmt: skip
                with open(path, "rb") as stream:
                    _write(os.path.join(self.folder, entry["kept"]), stream.read(), 0o600, (os.geteuid(), os.getegid()))
        self.known[path] = dict(entry, placed=digest)
        self._save()

    def restore(self, path):
        entry = self.known[path]
        present = [p for p in {path, held(path) if is_cron(path) else path} if os.path.lexists(p)]
        if any(_digest(p) != entry["placed"] for p in present):
            return False
        for one in present:
            os.unlink(one)
        if entry["kept"] is not None:
            if entry.get("link"):
                os.symlink(entry["link"], path)
            else:
                with open(os.path.join(self.folder, entry["kept"]), "rb") as stream:
                    _write(path, stream.read(), entry["mode"], (entry["uid"], entry["gid"]))
        for folder in reversed(entry["folders"]):
            if os.path.isdir(folder) and not os.listdir(folder):
                os.rmdir(folder)
        del self.known[path]
        self._save()
        return True

    def _save(self):
        _write(self.path, json.dumps(self.known).encode(), 0o600, (os.geteuid(), os.getegid()))


def _where(path):
    """Where it lies now: a cron table may be held."""
    return held(path) if is_cron(path) and not os.path.lexists(path) else path


def _missing(folder):
    made = []
    while not os.path.isdir(folder):
        made.insert(0, folder)
        folder = os.path.dirname(folder)
    return made


def _write(path, content, mode, owner):
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".govcloud-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            # The owner first: chown takes set-uid bits away.
            os.fchown(stream.fileno(), *owner)
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _numbers(files):
    """path -> (uid, gid) here, for the names of the source. All are looked up before anything is changed."""
    numbers, problems = {}, set()
    for one in files:
        pair = []
        for ask, name, zh, en in ((pwd.getpwnam, one["owner"], "用户", "user"), (grp.getgrnam, one["group"], "用户组", "group")):
            try:
                pair.append(ask(name)[2])
            except KeyError:
                if name.isdigit():
                    pair.append(int(name))
                else:
                    problems.add(("目标上没有%s %s" % (zh, name), "The target does not know the %s %s" % (en, name)))
        numbers[one["path"]] = tuple(pair)
    if problems:
        raise Faults(sorted(problems))
    return numbers


def _matches(one, numbers):
    path = _where(one["path"])
    if not os.path.isfile(path) or os.path.islink(path):
        return False
    about = os.stat(path)
    same = (stat.S_IMODE(about.st_mode), about.st_uid, about.st_gid) == (one["mode"],) + numbers[one["path"]]
    return same and _digest(path) == one["sha256"]


def _digest(path):
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def _name(ask, number):
    try:
        return ask(number)[0]
    except KeyError:
        return str(number)


def _reload():
    if os.path.isdir("/run/systemd/system"):
        subprocess.call(["systemctl", "daemon-reload"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL, timeout=60)  # fmt: skip
