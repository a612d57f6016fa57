"""One SQLite file: what precheck wants to know, freeze and thaw. Standard library only, Python 3.6 or newer.

SQLite has no server that could refuse a write. The freeze takes the write permission off the file and, where the file
system can, makes it immutable, which holds root as well; whether nothing was written is proven by the file itself.
"""

import array
import fcntl
import glob
import hashlib
import os
import sqlite3
import stat

from ansible.module_utils.gov_db import Problem

# linux/fs.h: FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_IMMUTABLE_FL
_GET, _SET, _IMMUTABLE = 0x80086601, 0x40086602, 0x10
HEADER = b"SQLite format 3\0"


def connect(path):
    """Reading only; in WAL mode the log that belongs to the file is read with it."""
    if not os.path.isfile(path):
        raise Problem("没有文件 %s" % path, "There is no file %s" % path)
    try:
        database = sqlite3.connect("file:%s?mode=ro" % _quoted(path), uri=True, timeout=60, isolation_level=None)
        database.text_factory = bytes
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise Problem("SQLite 文件 %s 打不开：%s" % (path, error), "The SQLite file %s can't be opened: %s" % (path, error))
    return database


def _quoted(path):
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def companions(path):
    """Files that belong to it while somebody works with it."""
    return [path + end for end in ("-wal", "-journal", "-shm") if os.path.exists(path + end)]


def probe(spec, side, ours=False):
    found = {
        "kind": "sqlite", "index": spec["index"], "name": spec["path"], "problems": [], "bytes": 0, "version": None,
        "client": list(sqlite3.sqlite_version_info[:2]), "space_at": "", "missing_programs": [],
    }  # fmt: skip
    path = spec["path"]
    if side == "target":
        found["space_at"] = os.path.dirname(path)
        if os.path.exists(path) and not ours:
            _add(found, "目标上已有文件：%s" % path, "The target has that file: %s" % path)
        return found
    if spec.get("method") == "replication":
        _add(found, "SQLite 没有持续复制，请用 dump", "SQLite has no replication, use dump")
    try:
        database = connect(path)
        if not database.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]:
            _add(found, "源数据库 %s 没有任何表" % path, "The source database %s has no tables" % path)
        database.close()
        found["bytes"] = os.path.getsize(path) + sum(os.path.getsize(p) for p in companions(path))
        if not os.stat(path).st_mode & 0o222 or _flags(path) & _IMMUTABLE:
            _add(found, "源文件 %s 已是只读：可能有未回退的割接" % path,
                 "The source file %s is read-only: an earlier cutover may not have been rolled back" % path)  # fmt: skip
    except Problem as problem:
        _add(found, problem.zh, problem.en)
    return found


def _add(found, zh, en):
    found["problems"].append({"zh": zh, "en": en})


def provision(spec):
    folder = os.path.dirname(spec["path"])
    if os.path.isdir(folder):
        return False
    os.makedirs(folder, mode=0o755)
    return True


def check_provisioned(spec):
    folder = os.path.dirname(spec["path"])
    if not os.path.isdir(folder):
        raise Problem("没有目录 %s" % folder, "There is no directory %s" % folder)


def stop(spec):
    return False


# --- freeze


def _flags(path):
    try:
        with open(path, "rb") as stream:
            given = array.array("l", [0])
            fcntl.ioctl(stream.fileno(), _GET, given, True)
            return given[0]
    except OSError:
        return 0  # this file system knows no flags


def _set_immutable(path, on):
    """Whether the file is now as wanted."""
    try:
        with open(path, "rb") as stream:
            flags = _flags(path)
            fcntl.ioctl(stream.fileno(), _SET, array.array("l", [flags | _IMMUTABLE if on else flags & ~_IMMUTABLE]))
    except OSError:
        pass
    return bool(_flags(path) & _IMMUTABLE) == on


def before_freeze(spec):
    connect(spec["path"]).close()
    return {"mode": stat.S_IMODE(os.stat(spec["path"]).st_mode)}


def freeze(spec, before):
    path = spec["path"]
    if os.stat(path).st_mode & 0o222:
        os.chmod(path, before["mode"] & ~0o222)
    hard = _set_immutable(path, True)
    users = writers(path)
    if users:
        raise Problem("还有进程打开着 %s：%s" % (path, ", ".join(users)), "Processes still have %s open: %s" % (path, ", ".join(users)))
    return {"sessions": [], "left": [] if hard else ["root"]}


def writers(path):
    """Processes that have the file open for writing, as far as we may see: they would not notice that it was frozen."""
    found, here = set(), os.stat(path)
    for link in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            there = os.stat(link)
            if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino) and os.path.isfile(link):
                pid, number = link.split("/")[2], link.rsplit("/", 1)[1]
                with open("/proc/%s/fdinfo/%s" % (pid, number)) as stream:
                    flags = [int(line.split()[1], 8) for line in stream if line.startswith("flags:")]
                if flags and flags[0] & (os.O_WRONLY | os.O_RDWR):
                    with open("/proc/%s/comm" % pid) as stream:
                        found.add("%s (%s)" % (stream.read().strip(), pid))
        except OSError:
            continue
    return sorted(found)


def position(spec):
    """The file itself, and the log beside it: size, time, and what they say of their last change."""
    path, found = spec["path"], {}
    with open(path, "rb") as stream:
        head = stream.read(100)
    about = os.stat(path)
    # Bytes 24 to 27 count changes in rollback mode; a log's salt is new for each of its lives.
    found["file"] = [about.st_size, about.st_mtime_ns, about.st_ino, head[24:28].hex()]
    if os.path.exists(path + "-wal") and os.path.getsize(path + "-wal"):
        with open(path + "-wal", "rb") as stream:
            digest = hashlib.sha256()
            for block in iter(lambda: stream.read(1 << 20), b""):
                digest.update(block)
        found["wal"] = [os.path.getsize(path + "-wal"), digest.hexdigest()]
    return found


def check_frozen(spec, noted, before):
    path = spec["path"]
    if os.stat(path).st_mode & 0o222:
        return "文件 %s 可以写入" % path, "The file %s can be written to" % path
    users = writers(path)
    if users:
        return "有进程打开着 %s：%s" % (path, ", ".join(users)), "Processes have %s open: %s" % (path, ", ".join(users))
    if position(spec) != noted:
        return "冻结之后 %s 又被写入" % path, "%s was written to after the freeze" % path
    return None


def thaw(spec, before, system_id):
    path = spec["path"]
    if before is None and not _flags(path) & _IMMUTABLE:
        return  # it was never frozen
    if not _set_immutable(path, False):
        raise Problem("%s 的不可变标志去不掉" % path, "The immutable flag of %s can't be taken off" % path)
    mode = before["mode"] if before else stat.S_IMODE(os.stat(path).st_mode) | 0o200
    # Whoever read the frozen file in WAL mode left companions with its mode: they would keep it read-only.
    for name in [path] + companions(path):
        os.chmod(name, mode)
