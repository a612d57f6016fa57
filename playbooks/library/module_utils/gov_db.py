"""What the four kinds of databases share on a host: problems with words, password files, notes between two steps.
Standard library only, Python 3.6 or newer.

`<state_dir>/<system_id>.databases.json` keeps, by side and index ("source 0"), what a later step must know: what was
set before the freeze and the position it ended at, which copies we made on a target, and what the copy was like when
it was found equal.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

from ansible.module_utils.gov_marker_file import Refused, demand_owner, enter, read_marker


class Problem(Exception):
    """Expected bad news; `zh` and `en` are for a person."""

    def __init__(self, zh, en):
        Exception.__init__(self, en)
        self.zh, self.en = zh, en


def read_password(spec):
    """The password, empty where the spec names no file. Raises Problem."""
    path = spec.get("password_file")
    if not path:
        return ""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read().strip("\r\n")
    except (OSError, UnicodeError) as error:
        raise Problem("口令文件 %s 读不到：%s" % (path, error), "The password file %s can't be read: %s" % (path, error))


def is_local(host):
    return host.startswith("/") or host in ("", "localhost", "::1") or host.startswith("127.")


def own_name(system_id, index, suffix=""):
    """A name for what we make inside a server, short and plain whatever the system's id looks like."""
    return "govcloud_%s_%d%s" % (hashlib.sha256(system_id.encode()).hexdigest()[:10], index, suffix)


class RowSum(object):
    """Digest of rows in any order: sum of their SHA-256 modulo 2^256. No sorting, so no space on the source's disk."""

    def __init__(self):
        self.rows = self._sum = 0

    def add(self, row):
        self.rows += 1
        self._sum += int.from_bytes(hashlib.sha256(row).digest(), "big")

    @property
    def value(self):
        return self._sum % (1 << 256)

    def result(self):
        return {"rows": self.rows, "sha256": "%064x" % self.value}


def read_note(end, system, side):
    """What was noted about this database on this side; {} when nothing was."""
    return _read(_path(end, system)).get("%s %d" % (side, end["index"]), {})


@contextmanager
def noting(end, system, side):
    """The note as a dict that is written back, durably, when the block ends well."""
    path = _path(end, system)
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    with open(path + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        everything = _read(path)
        note = everything.setdefault("%s %d" % (side, end["index"]), {})
        yield note
        descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(everything, stream, ensure_ascii=True, sort_keys=True)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(path + ".new", path)


def forget_baseline(end, system):
    """The copy is being changed by us: what it was like when it was equal no longer tells what the target took."""
    if "baseline" in read_note(end, system, "target"):
        with noting(end, system, "target") as note:
            note.pop("baseline")


def _path(end, system):
    return os.path.join(end["state_dir"], system["system_id"] + ".databases.json")


def _read(path):
    try:
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Problem("数据库记录 %s 无法读取：%s" % (path, error), "The note %s can't be read: %s" % (path, error))


def far_end(actions, argv):
    """The host's half of a pipe: `argv` is ACTION and JSON {"end", "side", "system", …}. An action gets those of its
    parameters that the JSON has; what it returns is printed as JSON; a number is the exit code, unless we are asked
    (`beats`). Whatever changes a target asks the marker first; everything else is noted as a process of the attempt. Exit
    code 1 with words on the error output."""
    action, given = argv[0], json.loads(argv[1])
    function, changes = actions[action]
    try:
        if given.get("tolerant") and read_marker(given["end"]["marker"]) is None:
            print("null")  # nothing of ours was ever here
            return
        if changes and given["side"] == "target":
            demand_owner(given["end"]["marker"], given["system"])
        else:
            enter(given["end"]["state_dir"], given["system"])
        if given.get("beats"):
            # The asking end can't tell a long answer from a dead line otherwise. JSON may begin with blanks.
            threading.Thread(target=_beat, daemon=True).start()
        found = function(**{name: given[name] for name in _parameters(function) if name in given})
    except (Problem, Refused) as problem:
        _leave({"zh": problem.zh[-200:], "en": problem.en[-280:]})
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        _leave({"zh": "%s：%s" % (action, str(error)[-180:]), "en": "%s: %s" % (action, str(error)[-250:])})
    if isinstance(found, int) and not isinstance(found, bool) and not given.get("beats"):
        sys.exit(found)
    if found is not None:
        print(json.dumps(found, ensure_ascii=True, sort_keys=True))
    sys.stdout.flush()


def _parameters(function):
    return function.__code__.co_varnames[: function.__code__.co_argcount]


def _beat():
    while True:
        time.sleep(10)
        print(flush=True)


def _leave(words):
    sys.stderr.buffer.write(("\ngovcloud: " + json.dumps(words, ensure_ascii=False)).encode("utf-8", "replace"))
    sys.stderr.flush()
    sys.exit(1)
