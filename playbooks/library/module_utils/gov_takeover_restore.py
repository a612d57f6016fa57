"""Whether the newest backup can be restored and holds what it should: compared with what it was made from, which is only read.

A PostgreSQL backup goes into a server of its own in a scratch folder, without a network and under an account that owns
nothing: whatever a dump may contain, it can't reach the source. An archive of files is read through and compared member by
member, nothing of it is written. The scratch folder is removed at the end, and at the next start where that was cut off.
"""

import glob
import gzip
import hashlib
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import time
import zlib

from ansible.module_utils import gov_sqlite_far
from ansible.module_utils.gov_db import Problem
from ansible.module_utils.gov_postgres import _own_setting
from ansible.module_utils.gov_postgres_digest import digest
from ansible.module_utils.gov_postgres_server import Cluster, Database

PREFIX = "govcloud-restore-"
_NOBODY = 65534
_LIMIT_S = 6 * 3600
_SETTINGS = "fsync = off\nfull_page_writes = off\nshared_buffers = 32MB\nmax_connections = 20\nautovacuum = off\n"
_BROKEN = (EOFError, OSError, zlib.error, tarfile.TarError)


def look(given, answer):
    """given: backups [{kind, path (pattern), end (database), source (folder), frozen, max_age_h}], scratch (folder)."""
    _sweep(given["scratch"])
    answer.facts["backups"] = len(given["backups"])
    for number, backup in enumerate(given["backups"]):
        path = newest(backup["path"])
        if path is None:
            answer.red("没有备份文件：%s" % backup["path"], "There is no backup: %s" % backup["path"])
            continue
        seen = _about(path, number + 1, backup, answer)
        try:
            _KINDS[backup["kind"]](path, backup, given["scratch"], seen, answer)
        except Problem as problem:
            answer.red("备份 %s 恢复失败：%s" % (path, problem.zh), "Restoring %s failed: %s" % (path, problem.en))


def look_for_scratch(given, answer):
    """Nothing of ours may be left: no folder, no server."""
    for path in glob.glob(os.path.join(given["scratch"], PREFIX + "*")):
        answer.red("恢复验证的临时目录还在：%s" % path, "A scratch folder is left: %s" % path)


def newest(pattern):
    found = [path for path in glob.glob(pattern) if os.path.isfile(path) or os.path.isfile(os.path.join(path, "toc.dat"))]
    return max(found, key=lambda path: os.stat(path).st_mtime) if found else None


def _about(path, number, backup, answer):
    size, age_h = os.stat(path).st_size, int((time.time() - os.stat(path).st_mtime) // 3600)
    seen = {"path": path, "kind": backup["kind"], "bytes": size, "age_h": age_h}
    answer.found.setdefault("backups", []).append(seen)
    answer.facts["backup_%d" % number] = "%s, %d h" % (path, age_h)
    if backup.get("max_age_h") and age_h > backup["max_age_h"]:
        answer.red("最新备份已有 %d 小时：%s" % (age_h, path), "The newest backup is %d h old: %s" % (age_h, path))
    return seen


class _Scratch(object):
    """A folder of its own below `place`, removed at the end."""

    def __init__(self, place):
        self.path = tempfile.mkdtemp(prefix=PREFIX, dir=place)

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def _sweep(place):
    """What an earlier proof that was cut off left behind. A lock is not needed: the controller runs one at a time."""
    for path in glob.glob(os.path.join(place, PREFIX + "*")):
        pid = os.path.join(path, "pg", "postmaster.pid")
        if os.path.exists(pid):
            with open(pid) as stream:
                number = stream.readline().strip()
            # Ours is known by its data directory: the number may be somebody else's by now.
            if number.isdigit() and os.path.realpath("/proc/%s/cwd" % number) == os.path.realpath(os.path.dirname(pid)):
                os.kill(int(number), 3)
                time.sleep(1)
        shutil.rmtree(path, ignore_errors=True)


# --- PostgreSQL


def _postgresql(path, backup, place, seen, answer):
    source = Database(backup["end"])
    if not os.access(source.program("initdb"), os.X_OK):
        answer.unknown("主机上没有 PostgreSQL 服务端程序（%s），无法恢复验证" % source.program("initdb"),
                       "No PostgreSQL server programs are here (%s): nothing can be restored" % source.program("initdb"))  # fmt: skip
        return
    needed = int(source.value("SELECT pg_database_size(current_database())")) * 2 + (64 << 20)
    if shutil.disk_usage(place).free < needed:
        answer.unknown("%s 空间不足，恢复需要 %d MiB" % (place, needed >> 20), "No room in %s: restoring needs %d MiB" % (place, needed >> 20))
        return
    with _Scratch(place) as folder:
        if os.geteuid() == 0:
            os.chown(folder, _NOBODY, _NOBODY)
        end = {"data_dir": os.path.join(folder, "pg"), "host": os.path.join(folder, "pg"), "port": 5432, "name": "scratch", "user": "postgres",
               "bin": backup["end"].get("bin"), "run_as_uid": _NOBODY}  # fmt: skip
        cluster = Cluster(end)
        cluster.make()
        with open(os.path.join(end["data_dir"], "postgresql.auto.conf"), "a") as stream:
            stream.write(_SETTINGS)
        cluster.start()
        try:
            _restore(path, source, Database(end))
            restored = digest(_filled(end, backup["end"]["name"]), "source", "L2", source.version(), True, False)
        finally:
            cluster.stop()
    frozen = backup.get("frozen") or _own_setting(source, "default_transaction_read_only") == "on"
    compare(digest(backup["end"], "source", "L2", source.version(), True, False), restored, frozen, seen, answer)


def _restore(path, source, scratch):
    encoding = source.value("SHOW server_encoding")
    locale = "" if encoding == "UTF8" else " ENCODING '%s' LC_COLLATE 'C' LC_CTYPE 'C'" % encoding
    scratch.psql("CREATE DATABASE scratch TEMPLATE template0" + locale, "postgres")
    for row in source.rows("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'"):
        scratch.psql('CREATE ROLE :"r"', "postgres", {"r": row["rolname"]})
    with open(path if os.path.isfile(path) else os.path.join(path, "toc.dat"), "rb") as stream:
        magic = stream.read(512)
    if os.path.isdir(path) or magic[:5] == b"PGDMP" or magic[257:262] == b"ustar":
        argv = [scratch.program("pg_restore"), "--no-owner", "--no-privileges", "--exit-on-error"] + scratch.login()
        _feed(argv + ([path] if os.path.isdir(path) else []), None if os.path.isdir(path) else open(path, "rb"))
        return
    unpack = gzip.open if magic[:2] == b"\x1f\x8b" else open
    _demand_end(unpack, path)
    _feed(_as_nobody() + scratch.psql_argv(), unpack(path, "rb"))


def _demand_end(unpack, path):
    """pg_dump writes a last line; psql does not miss it."""
    tail = b""
    try:
        with unpack(path, "rb") as stream:
            for block in iter(lambda: stream.read(1 << 20), b""):
                tail = (tail + block)[-400:]
    except _BROKEN as error:
        raise Problem("备份文件不完整（%s）" % type(error).__name__, "the file is cut off (%s)" % type(error).__name__)
    if b"dump complete" not in tail:
        raise Problem("备份文件不完整：没有结束标记", "the file is cut off: its last line is missing")


def _as_nobody():
    """A script for psql may start programs; they shall own nothing here."""
    return ["setpriv", "--reuid", str(_NOBODY), "--regid", str(_NOBODY), "--clear-groups"] if os.geteuid() == 0 else []


def _feed(argv, stream):
    """Run a client program on the backup. Its words without the rows that they may quote."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env=environment, cwd="/")
        try:
            if stream is not None:
                with stream:
                    shutil.copyfileobj(stream, child.stdin, 1 << 20)
            child.stdin.close()
        except BrokenPipeError:
            pass  # it has given up; why is in its words
        code = child.wait(_LIMIT_S)
        said.seek(0)
        errors = [line for line in said.read(1 << 20).decode("utf-8", "replace").splitlines() if "ERROR" in line or "error:" in line]
    if code != 0:
        words = errors[0][:200] if errors else "exit code %d" % code
        raise Problem(words, words)


def _filled(end, name):
    """A dump with CREATE DATABASE went into a database of its own name, in the scratch server all the same."""
    there = Database(end).value("SELECT 1 FROM pg_database WHERE datname = :'n'", "postgres", {"n": name})
    return dict(end, name=name) if there and name != "scratch" else end


# --- other kinds


def _sqlite(path, backup, place, seen, answer):
    with _Scratch(place) as folder:
        copy = os.path.join(folder, "copy.db")
        shutil.copyfile(path, copy)
        database = gov_sqlite_far.connect(copy)
        try:
            sound = database.execute("PRAGMA integrity_check").fetchone()[0] == b"ok"
        except sqlite3.DatabaseError:
            sound = False
        database.close()
        if not sound:
            raise Problem("integrity_check 不通过", "integrity_check does not pass")
        restored = gov_sqlite_far.digest({"path": copy}, "source", "L2")
    compare(gov_sqlite_far.digest(backup["end"], "source", "L2"), restored, backup.get("frozen"), seen, answer)


def compare(source, restored, frozen, seen, answer):
    """A source that goes on working has other rows than its backup; tables and structure it must have, and rows where the source
    has some. A frozen one is equal to the last digest."""
    ours, theirs = source["tables"], restored["tables"]
    equal = sum(1 for name in ours if ours[name] == theirs.get(name))
    rows = sum(table["rows"] for table in ours.values()), sum(table["rows"] for table in theirs.values())
    seen.update(tables=len(ours), tables_restored=len(theirs), tables_equal=equal, rows=rows[0], rows_restored=rows[1])
    key = "backup_%d_" % len(answer.found["backups"])
    answer.facts.update({key + "tables": "%d/%d" % (len(theirs), len(ours)), key + "rows": "%d/%d" % (rows[1], rows[0]), key + "equal": equal})
    path = seen["path"]
    missing, strange = sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours))
    empty = sorted(name for name in ours if ours[name]["rows"] and name in theirs and not theirs[name]["rows"])
    for names, zh, en in (
        (missing, "备份 %s 缺少表：%s", "%s lacks tables: %s"),
        (strange, "备份 %s 里有来源没有的表：%s", "%s has tables that the source has not: %s"),
        (empty, "备份 %s 中表为空：%s", "In %s tables are empty: %s"),
    ):
        if names:
            shown = ", ".join(names[:8])
            answer.red(zh % (path, shown), en % (path, shown))
    lacking = [line for line in source["structure"] if line not in restored["structure"] and not line.startswith("setting ")]
    seen["structure_missing"] = len(lacking)
    if lacking and not missing:
        answer.red("备份 %s 缺少 %d 项结构定义" % (path, len(lacking)), "%s lacks %d definitions" % (path, len(lacking)))
    if not ours:
        answer.unknown("来源没有任何表，无从比对：%s" % path, "The source has no tables to compare with: %s" % path)
    if frozen and equal != len(ours):
        answer.red("来源已冻结，备份 %s 却有 %d 个表不相等" % (path, len(ours) - equal), "The source is frozen, yet %d tables of %s differ" % (len(ours) - equal, path))


def _files(path, backup, _place, seen, answer):
    """Members of a tar archive against the folder that it was made from. Names are looked up, never written."""
    root, archived, told = backup["source"].rstrip("/"), {}, {"equal": 0, "changed_since": 0, "gone_since": 0}
    differing = []
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                name = _below(member.name, root)
                archived[name] = _sha256(archive.extractfile(member))
                there = os.path.join(root, name)
                if not os.path.isfile(there) or os.path.islink(there):
                    told["gone_since"] += 1
                elif _digest(there) == archived[name]:
                    told["equal"] += 1
                elif os.stat(there).st_mtime > member.mtime + 1:
                    told["changed_since"] += 1
                else:
                    differing.append(name)
    except _BROKEN as error:
        raise Problem("归档读不完整（%s）" % type(error).__name__, "the archive can't be read to its end (%s)" % type(error).__name__)
    made = os.stat(path).st_mtime
    lacking = [name for name, at in _tree(root) if at < made and name not in archived]
    seen.update(told, files=len(archived), differing=len(differing), lacking=len(lacking))
    key = "backup_%d_" % len(answer.found["backups"])
    answer.facts.update({key + "files": len(archived), key + "equal": told["equal"], key + "changed_since": told["changed_since"]})
    if not told["equal"]:
        answer.red("归档 %s 中没有一个文件与来源相同" % path, "No file of %s equals the source's" % path)
    if differing:
        answer.red("归档 %s 有 %d 个文件内容不符" % (path, len(differing)), "%d files of %s differ from the source's" % (len(differing), path))
    if lacking:
        answer.red("归档 %s 缺少 %d 个更早的文件" % (path, len(lacking)), "%s lacks %d files that are older than it" % (path, len(lacking)))
    if backup.get("frozen") and told["changed_since"] + told["gone_since"]:
        answer.red("来源已冻结，却与归档 %s 不同" % path, "The source is frozen, yet it differs from %s" % path)


def _below(name, root):
    """A member's name below the folder, whichever way tar was called: `uploads/a`, `./a`, `srv/uploads/a`."""
    name = os.path.normpath("/" + name).lstrip("/")
    for front in (root.lstrip("/"), os.path.basename(root)):
        if name.startswith(front + "/"):
            return name[len(front) + 1 :]
    return name


def _tree(root):
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield os.path.relpath(path, root), os.stat(path).st_mtime


def _digest(path):
    with open(path, "rb") as stream:
        return _sha256(stream)


def _sha256(stream):
    found = hashlib.sha256()
    for block in iter(lambda: stream.read(1 << 20), b""):
        found.update(block)
    return found.hexdigest()


_KINDS = {"postgresql": _postgresql, "sqlite": _sqlite, "files": _files}
