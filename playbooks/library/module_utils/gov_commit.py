"""Gives what arrived its final names, and lets a source in for one attempt. Entry point of the agent. Python 3.6 or newer."""

import errno
import json
import os
import re
import stat
import sys
import threading
import time
from contextlib import contextmanager

from ansible.module_utils.gov_agent import HEADER, Wire, fields, serve, source_deeds
from ansible.module_utils.gov_manifest import STAGING, Accounts
from ansible.module_utils.gov_marker_file import demand_owner
from ansible.module_utils.gov_place import Place, clear, flush, note
from ansible.module_utils.gov_plan import Plan
from ansible.module_utils.gov_receive import Receiver


class Target:
    """One connection's work on one tree after the other."""

    def __init__(self, text):
        self._text, self._plan, self._ask = text, None, None

    def plan(self, wire, ask):
        expel(ask["system"]["system_id"])
        self._ask, self._plan = ask, Plan(wire, ask)
        self._plan.read(lambda asked: self.admit(wire, asked))
        plan = self._plan
        return {"rows": plan.rows, "wanted": plan.wanted, "bytes": plan.bytes, "extra": len(plan.extra),
                "linked": len(plan.links), "repaired": len(plan.repairs)}  # fmt: skip

    def receive(self, wire, _ask):
        return Receiver(wire, self._plan.place, self._ask["owners"]).take()

    def commit(self, wire, _ask):
        demand_owner(self._ask["marker"], self._ask["system"])
        with _signs_of_life(wire):
            return commit(self._plan, self._ask["owners"], self._ask["live"])

    def admit(self, wire, ask):
        """Let a key in that can do nothing but deliver into this tree, until the attempt is over; answers with R."""
        demand_owner(self._ask["marker"], self._ask["system"])
        memory = self._plan.place.memory
        if not re.match("^[A-Za-z0-9/._-]+$", memory):
            wire.say(b"R", refused=memory)  # sshd gives the command to a shell
            return
        program, answers = os.path.join(memory, "agent.py"), os.path.join(memory, "admit.json")
        _write(program, self._text)
        _write(answers, json.dumps(self._ask))
        until = time.strftime("%Y%m%d%H%M%S", time.localtime(time.time() + 60 * ask["minutes"]))
        comment = _comment(self._ask["system"]["system_id"])
        rights = 'restrict,expiry-time="%s",command="python3 -IS %s %s"' % (until, program, answers)
        _keys(comment, "%s %s %s\n" % (rights, ask["key"], comment))
        wire.say(b"R")

    def expel(self, _wire, ask):
        return {"removed": expel(ask["system_id"])}


def _comment(system_id):
    return "govcloud-%s" % system_id


def expel(system_id):
    """Remove every key that was let in for this system, also by attempts that ended badly; how many."""
    return _keys(_comment(system_id))


def _keys(comment, line=""):
    path = os.path.realpath(os.path.expanduser("~/.ssh/authorized_keys"))
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            before, about = stream.read().splitlines(True), os.stat(path)
    except FileNotFoundError:
        before, about = [], None
    kept = [old for old in before if old.split()[-1:] != [comment]]
    if line or len(kept) < len(before):
        if kept and not kept[-1].endswith("\n"):
            kept[-1] += "\n"
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        _write(path, "".join(kept) + line, about)
    return len(before) - len(kept)


def _write(path, text, about=None):
    descriptor = os.open(path + ".govcloud-new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write(text)
        if about is not None:
            os.fchown(stream.fileno(), about.st_uid, about.st_gid)
            os.fchmod(stream.fileno(), stat.S_IMODE(about.st_mode))
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(path + ".govcloud-new", path)


def commit(plan, owners, live):
    """Flush, then remove what the source lacks, rename, and set what belongs to names: links, modes, times."""
    place, accounts = plan.place, Accounts() if owners else None
    changes = plan.wanted or plan.extra or plan.links or plan.repairs or plan.resumed
    if changes:
        _flush_all(place.staging)
    for path in plan.extra:
        _opened(place.final(path))
        clear(place.final(path))
    promoted = _promote(place.new, place.root)
    for path, first in plan.links:
        try:
            os.link(place.final(first), place.staging + b"/link", follow_symlinks=False)
        except FileNotFoundError:
            if not live:
                raise
            continue
        _opened(place.final(path))
        if os.path.isdir(place.final(path)) and not os.path.islink(place.final(path)):
            clear(place.final(path))
        os.replace(place.staging + b"/link", place.final(path))
    for path, common in plan.repairs:
        _, mode, owner, _, mtime, _ = common.split(b" ")
        _dress(place.final(path), int(mode, 8), accounts and accounts.ids(owner), int(mtime))
    try:
        for folder in (place.new, place.part, place.staging):
            os.rmdir(folder)
    except OSError:
        clear(place.staging)
    _directories(place, accounts)
    flush(place.root)  # the content is on disk already; this makes the names last
    os.replace(place.seeing, place.seen)
    return {"promoted": promoted, "removed": len(plan.extra)}


@contextmanager
def _signs_of_life(wire):
    """Flushing to a slow disk or removing a large tree takes minutes, in which nothing else could tell that we work."""
    over = threading.Event()

    def beat():
        while not over.wait(0.5):
            wire.beat()

    beating = threading.Thread(target=beat, daemon=True)
    beating.start()
    try:
        yield
    finally:
        over.set()
        beating.join()


def _flush_all(path):
    import ctypes  # costs more than a pass that changes nothing

    libc = ctypes.CDLL(None)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if not hasattr(libc, "syncfs") or libc.syncfs(descriptor):
            os.sync()
    finally:
        os.close(descriptor)


def _promote(staged, final):
    """Rename the entries of a staged folder; one that isn't there yet goes as a whole. How many renames it took."""
    count = 0
    for entry in list(os.scandir(staged)):
        goal = final + b"/" + entry.name
        try:
            there = os.lstat(goal)
        except FileNotFoundError:
            there = None
        if entry.is_dir(follow_symlinks=False):
            if there is not None and stat.S_ISDIR(there.st_mode):
                count += _promote(entry.path, goal)
                continue
            _opened(goal)
            if there is not None:
                os.unlink(goal)
        else:
            _opened(goal)
            if there is not None and stat.S_ISDIR(there.st_mode):
                clear(goal)
        _rename(entry.path, goal)
        count += 1
    return count


def _opened(path):
    """A directory that its owner may not write to takes new names only while it may be."""
    folder = os.path.dirname(path)
    mode = stat.S_IMODE(os.lstat(folder).st_mode)
    if os.geteuid() and mode & 0o700 != 0o700:
        os.chmod(folder, mode | 0o700)


def _rename(old, new):
    try:
        os.replace(old, new)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # Another file system is mounted inside the tree: the name is given there.
        if os.path.isdir(old) and not os.path.islink(old):
            os.mkdir(new, 0o700)
            for name in os.listdir(old):
                _rename(old + b"/" + name, new + b"/" + name)
            return
        beside, about = os.path.dirname(new) + b"/" + STAGING, os.lstat(old)
        clear(beside)
        import shutil

        shutil.copy2(old, beside, follow_symlinks=False)
        if not os.geteuid():
            os.chown(beside, about.st_uid, about.st_gid, follow_symlinks=False)
        if not os.path.islink(beside):
            os.chmod(beside, stat.S_IMODE(about.st_mode))
            flush(beside)
        os.replace(beside, new)


def _directories(place, accounts):
    with open(place.seeing, "rb") as memory:
        while True:
            head = memory.read(HEADER.size)
            if not head:
                return
            for path, common, private in fields(memory.read(HEADER.unpack(head)[1])):
                if common[:1] == b"d":
                    _, mode, owner = common.split(b" ", 2)
                    try:
                        _dress(place.final(path), int(mode, 8), accounts and accounts.ids(owner), int(private))
                    except FileNotFoundError:
                        continue  # removed and listed as removed by a serving source


def _dress(path, mode, ids, mtime):
    found = os.lstat(path)
    if ids is not None and ids != (found.st_uid, found.st_gid):
        os.chown(path, ids[0], ids[1], follow_symlinks=False)
        found = os.lstat(path)
    if stat.S_IMODE(found.st_mode) != mode:
        os.chmod(path, mode)
    if found.st_mtime_ns != mtime:
        os.utime(path, ns=(mtime, mtime), follow_symlinks=False)


def main(text):
    """With our own text: answer the controller. Without, as the file that `admit` left: take what a source sends straight here."""
    wire = Wire(0, 1)
    target = Target(text)
    if text:
        deeds = dict(source_deeds(), plan=target.plan, receive=target.receive, commit=target.commit, admit=target.admit, expel=target.expel)
        return serve(wire, deeds)
    with open(sys.argv[1], encoding="utf-8") as stream:
        ask = json.load(stream)

    def deliver(_wire, _ask):
        place = Place(ask)
        held = note(place.memory)
        wire.say(b"K")
        done = Receiver(wire, place, ask["owners"]).take()
        held.close()
        return done

    return serve(wire, {"deliver": deliver})
