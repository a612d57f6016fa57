"""One Redis server: its protocol, what precheck wants to know, freeze and thaw. Standard library only, Python 3.6 or newer.

`name` is a database's number; empty: all of them.
"""

import socket

from ansible.module_utils.gov_db import Problem, read_password

NOBODY = 2147483647
"""So many replicas are never there: a server that waits for them takes no write (redis.conf, min-replicas-to-write)."""
_PAUSE_MS = 7 * 24 * 3600 * 1000


class Said(Exception):
    """An error reply of the server."""


class Server(object):
    """One connection. Replies are bytes, ints, None, lists."""

    def __init__(self, spec):
        host, port = spec["host"], int(spec.get("port") or 6379)
        try:
            if host.startswith("/"):
                self._socket = socket.socket(socket.AF_UNIX)
                self._socket.settimeout(600)
                self._socket.connect(host)
            else:
                self._socket = socket.create_connection((host, port), 10)
                self._socket.settimeout(600)
            self._stream = self._socket.makefile("rb", 1 << 18)
            password = read_password(spec)
            if password:
                self("AUTH", *([spec["user"]] if spec.get("user") else []) + [password])
            self("PING")
        except (OSError, Said) as error:
            raise Problem("Redis %s:%s：%s" % (host, port, error), "Redis %s:%s: %s" % (host, port, error))

    def __call__(self, *words):
        self.send([words])
        return self.reply()

    def try_(self, *words):
        """The reply, None where the server refuses."""
        try:
            return self(*words)
        except Said:
            return None

    def many(self, commands):
        """Replies of all; an error is a reply here."""
        self.send(commands)
        return [self.reply(raises=False) for _ in commands]

    def send(self, commands):
        parts = []
        for words in commands:
            parts.append(b"*%d\r\n" % len(words))
            for word in words:
                word = word if isinstance(word, bytes) else str(word).encode("utf-8")
                parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
        self._socket.sendall(b"".join(parts))

    def reply(self, raises=True):
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest
        if kind == b"-":
            error = Said(rest.decode("utf-8", "replace"))
            if raises:
                raise error
            return error
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._bytes(int(rest))
        if kind == b"*":
            return None if rest == b"-1" else [self.reply(raises) for _ in range(int(rest))]
        raise Said("no Redis reply: %r" % line[:50])

    def elements(self, *words):
        """Elements of a list one by one: a set may be larger than this host's memory."""
        self.send([words])
        line = self._line()
        if line[:1] != b"*":
            raise Said(line[1:].decode("utf-8", "replace"))
        for _ in range(int(line[1:])):
            yield self.reply()

    def _line(self):
        line = self._stream.readline()
        if not line.endswith(b"\r\n"):
            raise Said("the connection ended")
        return line[:-2]

    def _bytes(self, size):
        found = self._stream.read(size + 2)
        if len(found) != size + 2:
            raise Said("the connection ended")
        return found[:-2]

    def info(self, section):
        found = {}
        for line in self("INFO", section).decode("utf-8", "replace").splitlines():
            key, colon, value = line.partition(":")
            if colon:
                found[key] = value
        return found

    def setting(self, key):
        """None where we may not ask."""
        found = self.try_("CONFIG", "GET", key)
        return found[1].decode() if found else None

    def version(self):
        return [int(part) for part in self.info("server")["redis_version"].split(".")[:2]]

    def databases(self):
        """{number: keys} of those with keys."""
        return {int(key[2:]): int(value.split(",")[0].split("=")[1]) for key, value in self.info("keyspace").items() if key[:2] == "db"}


def numbers(server, spec):
    """The databases that are ours to carry."""
    return [int(spec["name"])] if spec.get("name") else sorted(server.databases())


def shared(server, spec):
    """Whether others keep keys in this server, so that it can't be dealt with as a whole."""
    return bool(spec.get("name")) and any(number != int(spec["name"]) for number in server.databases())


def probe(spec, side, ours=False):
    found = {
        "kind": "redis", "index": spec["index"], "name": spec.get("name") or spec["host"], "problems": [], "bytes": 0,
        "version": None, "client": None, "space_at": "", "missing_programs": [],
    }  # fmt: skip
    try:
        server = Server(spec)
        found["version"] = server.version()
        keys = {number: count for number, count in server.databases().items() if number in numbers(server, spec)}
        if server.info("cluster").get("cluster_enabled") == "1":
            _add(found, "不支持 Redis Cluster", "Redis Cluster is not supported")
        if side == "source":
            found["bytes"] = int(server.info("memory")["used_memory"])
            if server.setting("min-replicas-to-write") == str(NOBODY):
                _add(found, "源 Redis 已是只读：可能有未回退的割接",
                     "The source's Redis takes no writes: an earlier cutover may not have been rolled back")  # fmt: skip
        elif keys and not ours:
            _add(found, "目标 Redis 中已有 %d 个键" % sum(keys.values()), "The target's Redis holds %d keys" % sum(keys.values()))
        if spec.get("method") == "replication":
            if shared(server, spec):
                _add(found, "Redis 复制只能整个实例进行，而其他库号中也有键", "Redis replicates as a whole, and other databases hold keys, too")
            if side == "target" and server.setting("masterauth") is None:
                _add(found, "目标账号无权 CONFIG，无法复制", "The target's account may not use CONFIG: no replication")
    except Problem as problem:
        _add(found, problem.zh, problem.en)
    except (Said, OSError) as error:
        _add(found, "Redis：%s" % error, "Redis: %s" % error)
    return found


def _add(found, zh, en):
    found["problems"].append({"zh": zh, "en": en})


def provision(spec):
    check_provisioned(spec)
    return False


def check_provisioned(spec):
    Server(spec)


def stop(spec):
    return False


# --- freeze


def before_freeze(spec):
    server = Server(spec)
    if shared(server, spec):
        # One database of a server that others use can't be frozen; its content is compared instead.
        return {"mode": "content"}
    least, lag = server.setting("min-replicas-to-write"), server.setting("min-replicas-max-lag")
    if least is not None:
        return {"mode": "replicas", "least": 0 if int(least) == NOBODY else int(least), "lag": int(lag)}
    return {"mode": "pause"}


def freeze(spec, before):
    server = Server(spec)
    if before["mode"] == "replicas":
        if before["lag"] == 0:
            server("CONFIG", "SET", "min-replicas-max-lag", 10)  # 0 switches the rule off
        server("CONFIG", "SET", "min-replicas-to-write", NOBODY)
    elif before["mode"] == "pause":
        _pause(server)
    else:
        return {"sessions": [], "left": ["*"]}
    own = server.try_("CLIENT", "ID")
    sessions = set()
    for line in (server.try_("CLIENT", "LIST", "TYPE", "normal") or b"").decode("utf-8", "replace").splitlines():
        client = dict(word.partition("=")[::2] for word in line.split(" "))
        if client.get("id") != str(own):
            sessions.add("%s %s" % (client.get("addr", "").rpartition(":")[0], client.get("user", "")))
    server.try_("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    return {"sessions": sorted(sessions), "left": []}


def _pause(server):
    try:
        server("CLIENT", "PAUSE", _PAUSE_MS, "WRITE")
    except Said as error:
        raise Problem("Redis 无法冻结：%s" % error, "Redis can't be frozen: %s" % error)


def position(spec):
    """How many writing commands this run of the server has carried out; what expires by itself is no command."""
    server = Server(spec)
    if shared(server, spec):
        return {"keys": server.databases().get(int(spec["name"]), 0)}
    writing = {entry[0].decode().lower() for entry in server("COMMAND") if b"write" in entry[2]}
    calls = 0
    for key, value in server.info("commandstats").items():
        if key.startswith("cmdstat_") and key[8:].split("|")[0].lower() in writing:
            calls += int(value.split(",")[0].split("=")[1])
    return {"run_id": server.info("server")["run_id"], "writes": calls}


def check_frozen(spec, noted, before):
    server = Server(spec)
    if before["mode"] == "replicas" and server.setting("min-replicas-to-write") != str(NOBODY):
        return "Redis 允许写入", "Redis takes writes"
    if before["mode"] == "pause":
        _pause(server)  # again: a pause ends by itself
    now = position(spec)
    if now.get("run_id") != noted.get("run_id"):
        return "Redis 在冻结之后重新启动过，无法证明没有写入", "Redis was restarted after the freeze: it can't be proven that nothing was written"
    if before["mode"] != "content" and now != noted:
        return "冻结之后 Redis 又被写入", "Redis was written to after the freeze"
    return None


def thaw(spec, before, system_id):
    server = Server(spec)
    mode = (before or {}).get("mode")
    if mode == "replicas":
        server("CONFIG", "SET", "min-replicas-to-write", before["least"])
        server("CONFIG", "SET", "min-replicas-max-lag", before["lag"])
    elif mode is None and server.setting("min-replicas-to-write") == str(NOBODY):
        server("CONFIG", "SET", "min-replicas-to-write", 0)
    if mode == "pause":
        server.try_("CLIENT", "UNPAUSE")
