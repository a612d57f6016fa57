"""The marker on a target, and who may work on a host: standard library only, Python 3.6 or newer.

Imported by our Ansible modules; its text may also be run through `python3 -c` at the far end of an SSH connection.

`<state_dir>/<system_id>.json` says whose copy lies on a target, how far it is and the highest attempt token seen:
{"system_id", "run_id", "attempt", "token", "state", "at"}. `<state_dir>/<system_id>.<token>.pids` lists the process
groups that an attempt started on a host (a line: leader, its session, its start time, boot id); `<token>.stopped`
beside it says that the attempt was cancelled. Whoever comes with a higher token ends what older ones left running;
whoever comes with a lower one is refused.
"""

import errno
import fcntl
import json
import os
import pwd
import signal
import time
from contextlib import contextmanager

_END_S = 10


class Refused(ValueError):
    """Not ours to change. `zh` and `en` say why; `problems` is what fail_json wants."""

    def __init__(self, zh, en):
        ValueError.__init__(self, en)
        self.zh, self.en = zh, en
        self.problems = [{"zh": zh, "en": en}]


def read_marker(path):
    """The marker as a dict, None where there is none. Raises Refused when it can't be read or is damaged."""
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Refused("目标标记 %s 无法读取：%s" % (path, error), "The target's marker %s can't be read: %s" % (path, error))
    if not isinstance(found, dict) or not {"system_id", "run_id", "state", "token"} <= set(found):
        raise Refused("目标标记 %s 已损坏" % path, "The target's marker %s is damaged" % path)
    return found


def demand_writable(state_dir):
    """Raises Refused where `enter` could not note anything: better found before a window than in it. Changes nothing."""
    place = state_dir
    while not os.path.exists(place):
        place = os.path.dirname(place)
    if os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK, effective_ids=True):
        return
    try:
        who = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        who = str(os.geteuid())
    raise Refused("账号 %s 不能写入 %s：请授权，或在迁移文件中改 state_dir" % (who, state_dir),
                  "%s may not write to %s: allow it, or name another state_dir in the migration file" % (who, state_dir))  # fmt: skip


def demand_owner(path, system, states=None):
    """Ask before every change of a target; the marker. Raises Refused unless it names our system and run, no higher
    token than ours, and one of `states` where they are given. The marker and the list of processes get our token."""
    enter(os.path.dirname(path), system)
    with _locked(os.path.dirname(path)):
        found = read_marker(path)
        if found is None:
            raise Refused("目标上没有标记 %s：尚未准备" % path, "The target has no marker %s: it was not prepared" % path)
        _demand_same(found, system)
        if states is not None and found["state"] not in states:
            raise Refused("目标标记为 %s，此时不能继续" % found["state"],
                          "The target's marker is %s, that's not the time for this" % found["state"])  # fmt: skip
        if system["token"] > found["token"]:
            found = dict(found, token=system["token"])
            _write(path, found)
    return found


def write_marker(path, system, state, follows, takes_over=False):
    """Set the state; (marker before or None, marker now). `follows`: states it may come from, `none` for no marker.
    `takes_over`: what another run left in `preparing` or `rolled_back` may become ours."""
    enter(os.path.dirname(path), system)
    with _locked(os.path.dirname(path)):
        found = read_marker(path)
        before = found["state"] if found else "none"
        if found:
            another = found["system_id"] == system["system_id"] and found["run_id"] != system["run_id"]
            if not (another and takes_over and before in ("preparing", "rolled_back")):
                _demand_same(found, system)
            elif found["token"] > system["token"]:
                _demand_token(found, system)
        if before not in follows:
            raise Refused("目标标记为 %s，不能转为 %s" % (before, state), "The target's marker is %s, it can't become %s" % (before, state))
        document = {
            "system_id": system["system_id"], "run_id": system["run_id"], "attempt": system["attempt"],
            "token": system["token"], "state": state, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }  # fmt: skip
        _write(path, document)
    return found, document


def enter(state_dir, system):
    """Note this process as one of the attempt's, as the leader of a process group of its own, so that it can be stopped
    with all its children. What attempts with lower tokens left running here is ended first. Raises Refused when a newer
    attempt was here, this one was cancelled, or what is left can't be ended. Any host, source or target."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    try:
        with _locked(state_dir):
            _demand_turn(state_dir, system)
            path = _pids(state_dir, system["system_id"], system["token"])
            here = (os.getpid(), os.getsid(0), _stat(os.getpid())[2], _boot())
            # Lines of processes that are gone would make the list of a long step endless.
            kept = [line for line in _lines(path) if line != here and _members(line)]
            _replace(path, "".join("%d %d %d %s\n" % line for line in kept + [here]))
    except OSError as error:
        raise Refused("无法在 %s 登记进程：%s" % (state_dir, error), "Processes can't be noted in %s: %s" % (state_dir, error))


def stop(state_dir, system):
    """Cancel the attempt on this host: nothing of it may begin here any more, what runs is ended. How many processes
    were ended, and those that would not end."""
    if not os.path.isdir(state_dir):
        return 0, []
    with _locked(state_dir):
        _replace(_stopped(state_dir, system), "")
    return _end(_lines(_pids(state_dir, system["system_id"], system["token"])))


def _demand_turn(state_dir, system):
    """Under the lock, so that a cancel and a start can't miss each other."""
    for name in os.listdir(state_dir):
        owner, _, rest = name.rpartition(".")
        owner, _, number = owner.rpartition(".")
        if owner != system["system_id"] or rest not in ("pids", "stopped") or not number.isdigit():
            continue
        path, token = os.path.join(state_dir, name), int(number)
        if token > system["token"]:
            raise Refused("此尝试已被更新的一次取代（令牌 %d < %d）" % (system["token"], token),
                          "This attempt was superseded by a newer one (token %d < %d)" % (system["token"], token))  # fmt: skip
        if rest == "stopped" and token == system["token"]:
            raise Refused("此尝试已被取消", "This attempt was cancelled")
        if token < system["token"]:
            left = _end(_lines(path))[1] if rest == "pids" else []
            if left:
                raise Refused("前一次尝试的进程无法终止：%s" % left, "Processes of an earlier attempt can't be ended: %s" % left)
            os.unlink(path)


def _demand_same(found, system):
    if found["system_id"] != system["system_id"]:
        raise Refused("目标上是另一系统的副本：%s" % found["system_id"], "The target holds another system: %s" % found["system_id"])
    if found["run_id"] != system["run_id"]:
        raise Refused("目标上的副本属于另一次执行：%s（%s）" % (found["run_id"], found["state"]),
                      "The copy on the target belongs to another run: %s (%s)" % (found["run_id"], found["state"]))  # fmt: skip
    _demand_token(found, system)


def _demand_token(found, system):
    if found["token"] > system["token"]:
        raise Refused("此尝试已被更新的一次取代（令牌 %d < %d）" % (system["token"], found["token"]),
                      "This attempt was superseded by a newer one (token %d < %d)" % (system["token"], found["token"]))  # fmt: skip


def _write(path, document):
    _replace(path, json.dumps(document, ensure_ascii=False))


def _replace(path, text):
    with open(path + ".new", "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(path + ".new", path)


@contextmanager
def _locked(state_dir):
    os.makedirs(state_dir, mode=0o755, exist_ok=True)
    with open(os.path.join(state_dir, ".govcloud.lock"), "a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _pids(state_dir, system_id, token):
    return os.path.join(state_dir, "%s.%d.pids" % (system_id, token))


def _stopped(state_dir, system):
    return os.path.join(state_dir, "%s.%d.stopped" % (system["system_id"], system["token"]))


def _lines(path):
    found = []
    try:
        with open(path) as stream:
            for line in stream:
                words = line.split()
                if len(words) == 4:
                    found.append((int(words[0]), int(words[1]), int(words[2]), words[3]))
    except FileNotFoundError:
        pass
    return found


def _boot():
    with open("/proc/sys/kernel/random/boot_id") as stream:
        return stream.read().strip()


def _stat(pid):
    """Process group, session, start time and state; None when it is gone."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as stream:
            # The name in brackets may itself hold blanks and brackets.
            words = stream.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(words[2]), int(words[3]), int(words[19]), words[0].decode()


def _members(line):
    """Living processes of a noted group. A number that was given to somebody else meanwhile has none."""
    leader, session, started, boot = line
    if boot != _boot():
        return []
    now = _stat(leader)
    if now is not None and now[2] != started:
        return []
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            about = _stat(int(name))
            if about is not None and about[0] == leader and about[1] == session and about[3] not in "ZX":
                found.append(int(name))
    return found


def _end(lines):
    ended = set()
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _END_S
        while True:
            left = [(line[0], _members(line)) for line in lines if line[0] != os.getpgrp()]
            left = [pair for pair in left if pair[1]]
            if not left:
                return len(ended), []
            for group, members in left:
                ended.update(members)
                try:
                    os.killpg(group, number)
                except OSError as error:
                    if error.errno != errno.ESRCH:
                        raise
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
    return len(ended), sorted(pid for _, members in left for pid in members)
