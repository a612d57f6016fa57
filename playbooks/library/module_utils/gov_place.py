"""A tree on the target, the folder in it where everything arrives, and what we remember of it. Python 3.6 or newer.

Everything arrives in `<tree>/.govcloud-partial`: `new` mirrors the tree and holds whole files (owner, mode and time are set
last, so that a later attempt knows them), `part` holds large files as far as they came. Nothing there has a final name.
`<state_dir>/<system_id>.files/` remembers the rows of the source at the last complete pass, and which trees held nothing of
others when we came: only in those is anything replaced or deleted.
"""

import errno
import fcntl
import hashlib
import os
import signal
import stat
import time

from ansible.module_utils.gov_manifest import STAGING, Refused, escape, names
from ansible.module_utils.gov_marker_file import demand_owner


class Place:
    """A tree on the target and what we remember of it. Asks the marker whether we may."""

    def __init__(self, ask):
        demand_owner(ask["marker"], ask["system"])
        self.root = os.fsencode(ask["root"])
        self.staging = self.root + b"/" + STAGING
        self.new, self.part = self.staging + b"/new", self.staging + b"/part"
        folder = os.path.join(os.path.dirname(ask["marker"]), "%s.files" % ask["system"]["system_id"])
        self.memory = folder
        name = hashlib.sha256(self.root).hexdigest()[:16]
        self.owned, self.seen, self.seeing = (os.path.join(folder, name + end) for end in (".owned", ".seen", ".seeing"))

    def own(self):
        """Raises Refused where there is content that no pass of ours brought."""
        if os.path.lexists(self.owned):
            return
        try:
            found = [name for name in os.listdir(self.root) if name not in (STAGING, b"lost+found")]
        except FileNotFoundError:
            found = []
        if found:
            where = escape(self.root)
            raise Refused(
                "目标目录 %s 里已有不是本次迁移放入的内容（%s），不会覆盖：请先清空或换一个目录" % (where, names(sorted(found))),
                "The target's %s holds what this migration did not put there (%s); it is not overwritten: empty it or choose"
                " another directory" % (where, names(sorted(found))),
            )
        with open(self.owned, "wb") as stream:
            stream.write(self.root)
        flush(self.owned)

    def staged(self, path):
        return self.new + b"/" + path if path else self.new

    def final(self, path):
        return self.root + b"/" + path if path else self.root

    def piece_file(self, path):
        return self.part + b"/" + hashlib.sha256(path).hexdigest().encode()


def alone(folder):
    """End what an earlier connection of this system left behind here, and note this process in its place."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    for name in os.listdir(folder):
        if name.endswith(".pid"):
            _end(os.path.join(folder, name))
    return note(folder)


def note(folder):
    held = open(os.path.join(folder, "%d.pid" % os.getpid()), "w")
    fcntl.lockf(held, fcntl.LOCK_EX)
    return held


def _end(path):
    pid = int(os.path.basename(path)[:-4])
    if pid == os.getpid():
        return
    with open(path, "w") as held:
        for _ in range(100):
            try:
                fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)
                return
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
            os.kill(pid, signal.SIGKILL)  # it holds the lock, so the number is still its own
            time.sleep(0.1)
    raise Refused("前一次传输的进程 %d 无法终止" % pid, "The process %d of an earlier transfer can't be ended" % pid)


def damaged(path):
    return Refused("传输后内容不一致（源在冻结后又被改动，或传输损坏）：%s" % escape(path),
                   "Arrived different from what was announced (changed after the freeze, or damaged): %s" % escape(path))  # fmt: skip


def strange(path):
    return Refused("源给出的文件名不允许：%s" % escape(path), "The source gave a name that isn't allowed: %s" % escape(path))


def bad(path):
    return path[:1] == b"/" or any(part in (b"", b".", b"..") for part in path.split(b"/"))


def parents(place, path):
    """The staged folder of a path; every part of it a real directory, so that no link leads outside."""
    folder = path.rpartition(b"/")[0]
    if folder and bad(folder):
        raise strange(path)
    here = place.new
    for part in folder.split(b"/") if folder else ():
        here += b"/" + part
        make(here)
    return here


def make(folder):
    try:
        found = os.lstat(folder)
    except FileNotFoundError:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        return
    if not stat.S_ISDIR(found.st_mode):
        os.unlink(folder)
        os.mkdir(folder, 0o700)


def clear(path):
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISDIR(found.st_mode):
        import shutil  # takes longer than a pass that changes nothing

        shutil.rmtree(path)
    else:
        os.unlink(path)


def flush(path):
    """To disk, with the name."""
    for name in (path, os.path.dirname(path)):
        descriptor = os.open(name, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
