"""The far end of a pipe for Redis: keys as DUMP payloads, accounts and functions, replication, digests by value, and what
came later. Standard library only, Python 3.6 or newer.

A stream is a line of JSON {"functions", "users"}, then keys, each behind a head of _HEAD, then an empty head whose number
says how many keys there were.
"""

import base64
import hashlib
import json
import os
import struct
import sys
import time

from ansible.module_utils.gov_db import Problem, RowSum, noting, own_name, read_note, read_password
from ansible.module_utils.gov_redis import Said, Server, numbers, position, shared

_HEAD = struct.Struct(">iqII")
"""Database, moment of expiry in ms or -1, lengths of key and payload. The end: -1, number of keys, 0, 0."""
_BATCH = 500


def _keys(server, number):
    """Batches of keys, none twice in a batch's own walk; a key may come again while the server rehashes."""
    server("SELECT", number)
    cursor, seen = b"0", set()
    while True:
        cursor, found = server("SCAN", cursor, "COUNT", _BATCH)
        fresh = [key for key in found if key not in seen]
        seen.update(fresh)
        if fresh:
            yield fresh
        if cursor == b"0":
            return


def _expiry(server, keys, modern):
    """Moments of expiry in ms, -1 for none."""
    if modern:
        return server.many([("PEXPIRETIME", key) for key in keys])
    seconds, micros = server("TIME")
    now = int(seconds) * 1000 + int(micros) // 1000
    return [now + left if left >= 0 else -1 for left in server.many([("PTTL", key) for key in keys])]


# --- copy


def dump(end):
    _dump(Server(end), end, sys.stdout.buffer)


def _dump(server, end, out):
    functions = server.try_("FUNCTION", "DUMP")
    head = {"functions": base64.b64encode(functions or b"").decode(), "users": _users(server)}
    out.write((json.dumps(head) + "\n").encode())
    modern, count = server.version() >= [7, 0], 0
    for number in numbers(server, end):
        for keys in _keys(server, number):
            expiries = _expiry(server, keys, modern)
            for key, at, payload in zip(keys, expiries, server.many([("DUMP", key) for key in keys])):
                if isinstance(payload, Said):
                    raise Problem("键 %r 读不出：%s" % (key, payload), "The key %r can't be read: %s" % (key, payload))
                if payload is None:
                    continue  # gone since it was listed
                out.write(_HEAD.pack(number, at, len(key), len(payload)) + key + payload)
                count += 1
    out.write(_HEAD.pack(-1, count, 0, 0))


def restore(end, system):
    """Keys from standard input in place of an earlier copy of this run; what an earlier run left is kept as a file."""
    server, source = Server(end), sys.stdin.buffer
    line = source.readline()
    if not line.endswith(b"\n"):
        raise Problem("数据流中断", "The stream was cut off")
    head = json.loads(line.decode())
    _clear(server, end, system)
    _set_users(server, head["users"])
    if head["functions"]:
        server("FUNCTION", "RESTORE", base64.b64decode(head["functions"]), "REPLACE")
    here, count, batch = None, 0, []
    while True:
        number, at, key_size, size = _HEAD.unpack(_exactly(source, _HEAD.size))
        if number != here or len(batch) >= _BATCH:
            _restore(server, batch)
            batch = []
        if number < 0:
            break
        if number != here:
            server("SELECT", number)
            here = number
        key, payload = _exactly(source, key_size), _exactly(source, size)
        batch.append(("RESTORE", key, max(at, 0), payload, "REPLACE") + (("ABSTTL",) if at > 0 else ()))
        count += 1
    if count != at or source.read(1):
        raise Problem("应有 %d 个键，只收到 %d 个" % (at, count), "%d keys were sent, %d came" % (at, count))


def _exactly(source, size):
    found = source.read(size)
    if len(found) != size:
        raise Problem("数据流中断", "The stream was cut off")
    return found


def _restore(server, batch):
    for words, reply in zip(batch, server.many(batch)):
        if isinstance(reply, Said):
            raise Problem("键 %r 写不进：%s" % (words[1], reply), "The key %r can't be written: %s" % (words[1], reply))


def _clear(server, end, system):
    """Make room, where what is there is ours."""
    copy, there = read_note(end, system, "target").get("copy"), numbers(server, end)
    filled = [number for number in there if server.databases().get(number)]
    if filled and not copy:
        raise Problem("目标 Redis 中已有键，不是本工具写的，不会动它们", "The target's Redis holds keys that are no copy of ours: they are not touched")
    if filled and copy["run_id"] != system["run_id"]:
        kept = os.path.join(end["state_dir"], own_name(system["system_id"], end["index"], ".kept-%s" % copy["run_id"]))
        with open(kept, "wb") as out:
            os.chmod(kept, 0o600)
            _dump(server, end, out)
    with noting(end, system, "target") as note:
        note["copy"] = {"run_id": system["run_id"]}
        note.pop("baseline", None)
    for number in filled:
        server("SELECT", number)
        server("FLUSHDB")


def exists(end, system):
    copy = read_note(end, system, "target").get("copy")
    return {"there": bool(copy), "ours": bool(copy) and copy["run_id"] == system["run_id"]}


# --- accounts


def _users(server):
    """Lines of ACL LIST but for the default account, which belongs to each server's own settings. They hold hashes of
    passwords: they go nowhere but into the pipe."""
    found = server.try_("ACL", "LIST") or []
    return [line.decode("utf-8", "replace") for line in found if line.split(b" ")[1] != b"default"]


def users(end):
    return _users(Server(end))


def set_users(end):
    _set_users(Server(end), json.load(sys.stdin))


def _set_users(server, lines):
    for line in lines:
        words = _words(line)
        server("ACL", "SETUSER", words[1], "reset", *words[2:])
    if lines and server.try_("ACL", "SAVE") is None:
        server.try_("CONFIG", "REWRITE")


def _words(line):
    """Words of a rule; a selector in brackets is one."""
    found, depth = [], 0
    for word in line.split(" "):
        if depth:
            found[-1] += " " + word
        else:
            found.append(word)
        depth += word.count("(") - word.count(")")
    return found


# --- comparing


def _value(server, key, kind):
    """Digest of a value, whatever way the server keeps it in memory."""
    if kind == b"string":
        return hashlib.sha256(server("GET", key) or b"").digest()
    if kind == b"list":
        found = hashlib.sha256()
        for element in server.elements("LRANGE", key, 0, -1):
            found.update(b"%d:" % len(element) + element)
        return found.digest()
    if kind in (b"set", b"hash", b"zset"):
        words = {b"set": ("SMEMBERS", key), b"hash": ("HGETALL", key), b"zset": ("ZRANGE", key, 0, -1, "WITHSCORES")}[kind]
        total, first = RowSum(), None
        for element in server.elements(*words):
            if kind == b"set":
                total.add(element)
            elif first is None:
                first = element
            else:
                total.add(b"%d:" % len(first) + first + element)
                first = None
        return total.value.to_bytes(32, "big")
    if kind == b"stream":
        found = hashlib.sha256()
        for entry in server.elements("XRANGE", key, "-", "+"):
            found.update(repr(entry).encode())
        for group in server("XINFO", "GROUPS", key):
            about = dict(zip(group[::2], group[1::2]))
            found.update(repr([about.get(k) for k in (b"name", b"pending", b"last-delivered-id")]).encode())
        return found.digest()
    return hashlib.sha256(server("DUMP", key) or b"").digest()  # a module's own


def _rows(server, number, until):
    """(key, type, expiry, digest) of every key that is there for good; those that end before `until` are left out, as one
    side may look before and the other after."""
    modern = server.version() >= [7, 0]
    for keys in _keys(server, number):
        kinds = server.many([("TYPE", key) for key in keys])
        for key, kind, at in zip(keys, kinds, _expiry(server, keys, modern)):
            if kind != b"none" and not 0 <= at < until:
                yield key, kind, at, _value(server, key, kind)


def digest(end, level, until, modern):
    """`until`: ms since 1970; `modern`: both servers know moments of expiry exactly."""
    server, tables = Server(end), {}
    for number in numbers(server, end):
        total = RowSum()
        if level == "L2":
            for key, kind, at, value in _rows(server, number, until):
                lasts = b"%d" % at if modern else (b"-" if at < 0 else b"+")
                total.add(b"%s %d:%s %s %s" % (kind, len(key), key, lasts, value))
        else:
            total.rows = server.databases().get(number, 0)
        if total.rows:
            tables["db%d" % number] = dict(total.result(), sha256=total.result()["sha256"] if level == "L2" else "")
    structure = []
    for library in server.try_("FUNCTION", "LIST", "WITHCODE") or []:
        about = dict(zip(library[::2], library[1::2]))
        structure.append("function library %s %s" % (about[b"library_name"].decode(), hashlib.sha256(about[b"library_code"]).hexdigest()))
    structure += ["module " + dict(zip(m[::2], m[1::2]))[b"name"].decode() for m in server.try_("MODULE", "LIST") or []]
    return {
        "kind": "redis", "level": level, "server": ".".join(map(str, server.version())), "tables": tables, "sequences": {},
        "structure": sorted(structure), "grants": sorted(_masked(line) for line in _users(server)), "versions": {},
        "position": position(end),
    }  # fmt: skip


def _masked(line):
    """An account's rule without its password's hash, which would be worth trying passwords on."""
    # ACL SETUSER reset writes the default out.
    words = [word for word in line.split(" ") if word != "sanitize-payload"]
    return " ".join("#" + hashlib.sha256(w.encode()).hexdigest()[:12] if w.startswith("#") else w for w in words)


# --- what came later


def _kept(end, system):
    return os.path.join(end["state_dir"], own_name(system["system_id"], end["index"], ".keys"))


def baseline(end, system):
    """A line for each key: database, digest of the key, digest of its value, expiry."""
    server, kept = Server(end), _kept(end, system)
    with open(kept + ".new", "w") as out:
        os.chmod(kept + ".new", 0o600)
        for number in numbers(server, end):
            for key, kind, at, value in _rows(server, number, 0):
                out.write("%d %s %s %d\n" % (number, hashlib.sha256(key).hexdigest()[:32], value.hex()[:32], at))
    os.replace(kept + ".new", kept)
    with noting(end, system, "target") as note:
        note["baseline"] = {"run_id": system["run_id"]}


def taken(end, system):
    """Keys that are new or have another value, with value and DUMP payload, as JSON lines; {"table", "deleted"} counts those
    that are gone before their time; {"end": lines} at last."""
    noted, lines = read_note(end, system, "target").get("baseline"), 0
    if noted and noted["run_id"] == system["run_id"]:
        server, before = Server(end), {}
        with open(_kept(end, system)) as stream:
            for line in stream:
                number, key, value, at = line.split()
                before.setdefault(int(number), {})[bytes.fromhex(key)] = (bytes.fromhex(value), int(at))
        for number in sorted(set(before) | set(numbers(server, end))):
            left = before.get(number, {})
            for key, kind, at, value in _rows(server, number, 0):
                if left.pop(hashlib.sha256(key).digest()[:16], (b"", 0))[0] != value[:16]:
                    payload = server("DUMP", key) or b""
                    row = {"key": key.decode("utf-8", "backslashreplace"), "type": kind.decode(), "expires_ms": at,
                           "dump": base64.b64encode(payload).decode()}  # fmt: skip
                    if kind == b"string":
                        row["value"] = (server("GET", key) or b"").decode("utf-8", "backslashreplace")
                    lines += _line({"table": "db%d" % number, "row": row})
            gone = sum(1 for _, at in left.values() if at < 0 or at > time.time() * 1000)
            if gone:
                lines += _line({"table": "db%d" % number, "deleted": gone})
    _line({"end": lines})


def _line(document):
    sys.stdout.write(json.dumps(document, ensure_ascii=True) + "\n")
    return 1


# --- replication


def credentials(end):
    sys.stdout.write(json.dumps({"user": end.get("user") or "", "password": read_password(end)}))


def follow(end, system, host, port):
    """Become a replica of the source. Account and password come on standard input; what was here must be ours."""
    server, given = Server(end), json.load(sys.stdin)
    if shared(server, end):
        raise Problem("目标 Redis 的其他库号中也有键，不能整个复制", "Other databases of the target hold keys: it can't become a replica")
    if server.info("replication")["role"] == "master":
        _clear(server, end, system)
    with noting(end, system, "target") as note:
        note["follows"] = [host, port]
    server("CONFIG", "SET", "masteruser", given["user"] if given["password"] else "")
    server("CONFIG", "SET", "masterauth", given["password"])
    server("REPLICAOF", host, port)


def offsets(end):
    """{"role", "up", "offset"}: how far this end is."""
    found = Server(end).info("replication")
    is_replica = found["role"] == "slave"
    return {
        "role": found["role"], "up": not is_replica or found["master_link_status"] == "up",
        "offset": int(found["slave_repl_offset" if is_replica else "master_repl_offset"]),
    }  # fmt: skip


def unfollow(end, system):
    """Stand alone again; whether it was a replica of ours."""
    if not read_note(end, system, "target").get("follows"):
        return False
    server = Server(end)
    was = server.info("replication")["role"] == "slave"
    server("REPLICAOF", "NO", "ONE")
    server("CONFIG", "SET", "masteruser", "")
    server("CONFIG", "SET", "masterauth", "")
    with noting(end, system, "target") as note:
        note.pop("follows", None)
    return was


ACTIONS = {
    "describe": (lambda end: {"version": Server(end).version()}, False), "dump": (dump, False), "restore": (restore, True),
    "exists": (exists, False), "users": (users, False), "set_users": (set_users, True), "digest": (digest, False),
    "baseline": (baseline, True), "taken": (taken, False), "credentials": (credentials, False), "follow": (follow, True),
    "offsets": (offsets, False), "unfollow": (unfollow, True),
}  # fmt: skip
