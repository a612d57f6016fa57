"""The far end of a pipe for SQLite: consistent copies while it serves, digests by rows, and what came later. Standard
library only, Python 3.6 or newer.

A stream is the file's bytes with a head of JSON, one line: {"mode", "uid", "gid"}; behind the bytes a line with their
SHA-256, so that a stream that was cut off is no database.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import sys
import tempfile

from ansible.module_utils.gov_db import Problem, RowSum, noting, own_name, read_note
from ansible.module_utils.gov_sqlite import HEADER, connect

BLOCK = 1 << 20
_TAIL = 65


def dump(end):
    """A consistent copy to standard output. Writers of a file in WAL mode notice nothing; others wait for a moment."""
    database, about = connect(end["path"]), os.stat(end["path"])
    out, digest = sys.stdout.buffer, hashlib.sha256()
    out.write((json.dumps({"mode": about.st_mode & 0o777 | 0o200, "uid": about.st_uid, "gid": about.st_gid}) + "\n").encode())
    with tempfile.TemporaryDirectory(prefix="govcloud-") as folder:
        copy = os.path.join(folder, "copy.db")
        _copy(database, end["path"], copy)
        with open(copy, "rb") as stream:
            for block in iter(lambda: stream.read(BLOCK), b""):
                digest.update(block)
                out.write(block)
    out.write((digest.hexdigest() + "\n").encode())
    database.close()


def _copy(database, path, copy):
    if hasattr(database, "backup"):  # Python 3.7
        with sqlite3.connect(copy) as into:
            database.backup(into)
        into.close()
        return
    # Under a lock that keeps writers out, the file and the log beside it belong together.
    own = sqlite3.connect(path, timeout=60, isolation_level=None)
    own.execute("BEGIN IMMEDIATE")
    for end in ("", "-wal"):
        if os.path.exists(path + end):
            shutil.copyfile(path + end, copy + end)
    own.execute("ROLLBACK")
    own.close()
    into = sqlite3.connect(copy)
    into.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    into.close()


def restore(end, system):
    """The copy from standard input in place of an earlier one of ours, once it is whole and sound."""
    path, source = end["path"], sys.stdin.buffer
    if os.path.exists(path) and not read_note(end, system, "target").get("copy"):
        raise Problem("目标上已有文件 %s，不是本工具建的，不会动它" % path, "The target has a file %s that is no copy of ours: it is not touched" % path)
    about = json.loads(source.readline().decode() or "null")
    partial = os.path.join(os.path.dirname(path), "." + own_name(system["system_id"], end["index"], ".partial"))
    digest, rest = hashlib.sha256(), b""
    with open(partial, "wb") as stream:
        os.chmod(partial, 0o600)
        for block in iter(lambda: source.read(BLOCK), b""):
            rest += block
            digest.update(rest[:-_TAIL])
            stream.write(rest[:-_TAIL])
            rest = rest[-_TAIL:]
        stream.flush()
        os.fsync(stream.fileno())
    if about is None or rest.decode("ascii", "replace").strip() != digest.hexdigest():
        raise Problem("数据流中断", "The stream was cut off")
    found = sqlite3.connect(partial)
    verdict = found.execute("PRAGMA integrity_check").fetchone()[0]
    found.close()
    if verdict != "ok":
        raise Problem("收到的副本已损坏：%s" % verdict, "The copy that came is damaged: %s" % verdict)
    os.chmod(partial, about["mode"])
    if os.getuid() == 0:
        os.chown(partial, about["uid"], about["gid"])
    with noting(end, system, "target") as note:
        note["copy"] = {"run_id": system["run_id"], "sha256": digest.hexdigest()}
        note.pop("baseline", None)
    # A log of the copy before would be applied to this one.
    for old in ("-wal", "-journal", "-shm"):
        if os.path.exists(path + old):
            os.unlink(path + old)
    os.replace(partial, path)


def exists(end, system):
    copy = read_note(end, system, "target").get("copy")
    return {"there": os.path.exists(end["path"]), "ours": bool(copy) and copy["run_id"] == system["run_id"]}


# --- comparing


def tables(database):
    """Names of all tables with rows of their own: those that a module keeps are among them under names of its own."""
    found = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    return [name.decode() for name, sql in found if not (sql or b"").upper().startswith(b"CREATE VIRTUAL") and name != b"sqlite_sequence"]


def ident(name):
    return '"%s"' % name.replace('"', '""')


def row_text(row):
    """A row as bytes that say what each value is: 1 is not '1'."""
    return b"\x1f".join(b"n" if v is None else (type(v).__name__[:1] + ":").encode() + (v if isinstance(v, bytes) else repr(v).encode()) for v in row)


def _select(database, table):
    # typeof() tells text from blob, which both come as bytes.
    columns = [row[1].decode() for row in database.execute("PRAGMA table_info(%s)" % ident(table))]
    return "SELECT %s FROM %s" % (", ".join("typeof(%s), %s" % (ident(c), ident(c)) for c in columns), ident(table))


def digest(end, side, level):
    database = connect(end["path"])
    database.execute("BEGIN")
    found = {}
    for table in tables(database):
        total = RowSum()
        if level == "L2":
            for row in database.execute(_select(database, table)):
                total.add(row_text(row))
        else:
            total.rows = database.execute("SELECT count(*) FROM " + ident(table)).fetchone()[0]
        found[table] = dict(total.result(), sha256=total.result()["sha256"] if level == "L2" else "")
    sequences = {}
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
        sequences = {name.decode(): str(seq) for name, seq in database.execute("SELECT name, seq FROM sqlite_sequence")}
    structure = [b" ".join(sql.split()).decode("utf-8", "replace") for (sql,) in
                 database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]  # fmt: skip
    for pragma in ("user_version", "application_id", "encoding"):
        value = database.execute("PRAGMA " + pragma).fetchone()[0]
        structure.append("%s = %s" % (pragma, value.decode() if isinstance(value, bytes) else value))
    database.close()
    return {
        "kind": "sqlite", "level": level, "server": sqlite3.sqlite_version, "tables": found, "sequences": sequences,
        "structure": sorted(structure), "grants": [], "versions": {}, "position": {"file_sha256": _sha256(end["path"])},
    }  # fmt: skip


def _sha256(path):
    found = hashlib.sha256()
    with open(path, "rb") as stream:
        if stream.read(len(HEADER)) != HEADER:
            raise Problem("%s 不是 SQLite 文件" % path, "%s is no SQLite file" % path)
        stream.seek(0)
        for block in iter(lambda: stream.read(BLOCK), b""):
            found.update(block)
    return found.hexdigest()


# --- what came later


def baseline(end, system):
    """Keep a copy of the copy: what differs from it later was taken by the target."""
    kept = _kept(end, system)
    database = connect(end["path"])
    _copy(database, end["path"], kept + ".new")
    database.close()
    os.chmod(kept + ".new", 0o600)
    os.replace(kept + ".new", kept)
    with noting(end, system, "target") as note:
        note["baseline"] = {"run_id": system["run_id"]}


def _kept(end, system):
    return os.path.join(end["state_dir"], own_name(system["system_id"], end["index"], ".frozen.db"))


def taken(end, system):
    """Rows that are not in the baseline, as JSON lines; {"table", "deleted"} counts those of the baseline that are gone or
    were changed; {"end": lines} at last."""
    noted, lines = read_note(end, system, "target").get("baseline"), 0
    if noted and noted["run_id"] == system["run_id"]:
        database, kept = connect(end["path"]), connect(_kept(end, system))
        there = tables(kept)
        for table in tables(database):
            before = {}
            if table in there and _select(database, table) == _select(kept, table):
                for row in kept.execute(_select(kept, table)):
                    key = hashlib.sha256(row_text(row)).digest()[:16]
                    before[key] = before.get(key, 0) + 1
            names = [column[1].decode() for column in database.execute("PRAGMA table_info(%s)" % ident(table))]
            for row in database.execute(_select(database, table)):
                key = hashlib.sha256(row_text(row)).digest()[:16]
                if before.get(key):
                    before[key] -= 1
                    continue
                values = {name: _plain(kind, value) for name, kind, value in zip(names, row[::2], row[1::2])}
                lines += _line({"table": table, "row": values})
            gone = sum(before.values())
            if gone:
                lines += _line({"table": table, "deleted": gone})
    _line({"end": lines})


def _plain(kind, value):
    if not isinstance(value, bytes):
        return value
    return value.decode("utf-8", "replace") if kind == b"text" else {"hex": value.hex()}


def _line(document):
    sys.stdout.write(json.dumps(document, ensure_ascii=True) + "\n")
    return 1


ACTIONS = {
    "dump": (dump, False), "restore": (restore, True), "exists": (exists, False), "digest": (digest, False),
    "baseline": (baseline, True), "taken": (taken, False),
}  # fmt: skip
