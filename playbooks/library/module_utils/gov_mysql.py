"""One schema of a MySQL or MariaDB server, through its own client programs: what precheck wants to know, freeze and thaw.
Standard library only, Python 3.6 or newer.

Account, password and address reach the programs in an option file that has no name on any disk: never in an argument.
"""

import os
import re
import subprocess
import tempfile
import time

from ansible.module_utils.gov_db import Problem, is_local, read_password

SYSTEM = ("information_schema", "mysql", "performance_schema", "sys")
# Text forms of values, and what the server takes for an error, differ with these.
PINNED = "SET SESSION sql_mode = '', time_zone = '+00:00', group_concat_max_len = 1048576;\n"


def ident(name):
    return "`%s`" % name.replace("`", "``")


def literal(text):
    return "'%s'" % text.replace("\\", "\\\\").replace("'", "\\'")


class Server(object):
    def __init__(self, spec):
        self.spec, self.schema, self._version = spec, spec["name"], None

    def program(self, *names):
        """The first of these that is there: MariaDB has renamed its programs."""
        for name in names:
            path = os.path.join(self.spec.get("bin") or "/usr/bin", name)
            if os.access(path, os.X_OK):
                return path
        return None

    def start(self, names, arguments, **streams):
        """The client program as a process, logged in."""
        with tempfile.TemporaryFile() as options:
            options.write(self._options().encode("utf-8"))
            options.flush()
            # The file has no name: the program opens it through its own table of open files.
            argv = [self.program(*names), "--defaults-file=/proc/self/fd/%d" % options.fileno()] + arguments
            return subprocess.Popen(argv, pass_fds=(options.fileno(),), env=dict(os.environ, LC_ALL="C.UTF-8"), **streams)

    def _options(self):
        spec = self.spec
        lines = ["[client]", "user=" + _option(spec["user"]), "default-character-set=utf8mb4"]
        password = read_password(spec)
        lines += ["password=" + _option(password)] if password else []
        if spec["host"].startswith("/"):
            lines.append("socket=" + _option(spec["host"]))
        else:
            lines += ["host=" + _option(spec["host"]), "port=%d" % (spec.get("port") or 3306), "protocol=tcp"]
        return "\n".join(lines) + "\n"

    def sql(self, statements, *arguments, schema=None):
        """Rows as lists of text; NULL is the text NULL."""
        names = ["--batch", "--skip-column-names", "--connect-timeout=10"] + list(arguments) + ([schema] if schema else [])
        child = self.start(("mysql", "mariadb"), names, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = child.communicate((PINNED + statements).encode("utf-8"), timeout=6 * 3600)
        if child.returncode:
            said = words_of(err)
            raise Problem("MySQL %s：%s" % (self.schema, said), "MySQL %s: %s" % (self.schema, said))
        return [[_unescaped(field) for field in line.split("\t")] for line in out.decode("utf-8", "replace").split("\n") if line]

    def value(self, statement):
        rows = self.sql(statement)
        return rows[0][0] if rows else None

    def try_(self, statement):
        """Rows, None where we may not."""
        try:
            return self.sql(statement)
        except Problem:
            return None

    def about(self):
        """(major, minor), whether it is MariaDB"""
        if self._version is None:
            said = self.value("SELECT VERSION()")
            self._version = [int(part) for part in re.match(r"(\d+)\.(\d+)", said).groups()], "mariadb" in said.lower()
        return self._version

    def privileges(self):
        """What this account may do on the whole server, as upper-case words."""
        found = set()
        for (line,) in self.sql("SHOW GRANTS"):
            words = re.match(r"GRANT (.*?) ON \*\.\* TO ", line)
            if words:
                found.update(word.strip().upper() for word in words.group(1).split(","))
        return found

    def may(self, *privileges):
        return bool(self.privileges() & ({"ALL PRIVILEGES"} | set(privileges)))


def words_of(err):
    """What a client program complained of. It repeats the statement, which may hold a password or somebody's data."""
    lines = err.decode("utf-8", "replace").splitlines()
    said = [line for line in lines if line.startswith(("ERROR", "mysqldump:", "mariadb-dump:", "mysql:", "mariadb:"))]
    return " ".join(said)[-300:] or "?"


def _option(text):
    """A value of an option file."""
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def _unescaped(field):
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t", "0": "\0"}.get(m.group(1), m.group(1)), field) if "\\" in field else field


# --- looking


def probe(spec, side, ours=False):
    server = Server(spec)
    found = {
        "kind": "mysql", "index": spec["index"], "name": spec["name"], "problems": [], "bytes": 0, "version": None,
        "client": None, "space_at": "", "missing_programs": [],
    }  # fmt: skip
    for names in (("mysql", "mariadb"), ("mysqldump", "mariadb-dump")):
        if server.program(*names) is None:
            found["missing_programs"].append(names[0])
    if found["missing_programs"]:
        return found
    try:
        found["version"], found["mariadb"] = server.about()
        found["server_id"] = int(server.value("SELECT @@server_id"))
        (_probe_source if side == "source" else _probe_target)(server, found, ours)
    except Problem as problem:
        _add(found, problem.zh, problem.en)
    return found


def _probe_source(server, found, ours):
    row = server.sql("SELECT COALESCE(SUM(data_length + index_length), 0), COUNT(*), @@global.read_only FROM information_schema.tables "
                     "WHERE table_schema = %s AND table_type <> 'VIEW'" % literal(server.schema))[0]  # fmt: skip
    found["bytes"] = int(row[0])
    if row[1] == "0":
        _add(found, "源数据库 %s 没有任何表" % server.schema, "The source database %s has no tables" % server.schema)
    if row[2] not in ("0", "OFF"):
        _add(found, "源数据库服务器已是只读：可能有未回退的割接",
             "The source's server is read-only: an earlier cutover may not have been rolled back")  # fmt: skip
    if server.spec.get("method") == "replication":
        for zh, en in replication_problems(server):
            _add(found, zh, en)


def _probe_target(server, found, ours):
    if not server.may("CREATE"):
        _add(found, "目标账号 %s 无权建库" % server.spec["user"], "The target's account %s may not create databases" % server.spec["user"])
    tables = server.value("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = " + literal(server.schema))
    if tables != "0" and not ours:
        _add(found, "目标上已有同名数据库：%s" % server.schema, "The target has a database of that name: %s" % server.schema)
    if is_local(server.spec["host"]):
        found["space_at"] = server.value("SELECT @@datadir")
    if server.spec.get("method") == "replication" and not server.may("SUPER", "REPLICATION SLAVE ADMIN"):
        _add(found, "目标账号无权设置复制", "The target's account may not set up replication")


def replication_problems(server):
    """(zh, en) reasons why this source can't be replicated; none when it can."""
    version, maria = server.about()
    if not maria:
        yield "持续复制仅支持 MariaDB，MySQL 请用 dump", "Replication is supported between MariaDB servers; use dump for MySQL"
        return
    if server.value("SELECT @@global.log_bin") not in ("1", "ON"):
        yield "源没有开启二进制日志（log_bin）", "The source writes no binary log (log_bin)"
    if server.value("SELECT @@global.binlog_format") == "STATEMENT":
        yield "源的 binlog_format 是 STATEMENT，结果不可靠", "binlog_format of the source is STATEMENT, which can't be relied on"
    if not server.may("REPLICATION SLAVE"):
        yield "源账号没有 REPLICATION SLAVE 权限", "The source's account lacks REPLICATION SLAVE"
    if not server.may("BINLOG MONITOR", "REPLICATION CLIENT", "SUPER"):
        yield "源账号没有 BINLOG MONITOR（REPLICATION CLIENT）权限", "The source's account lacks BINLOG MONITOR (REPLICATION CLIENT)"
    if not server.may("RELOAD"):
        yield "源账号没有 RELOAD 权限", "The source's account lacks RELOAD"


def _add(found, zh, en):
    found["problems"].append({"zh": zh, "en": en})


def provision(spec):
    check_provisioned(spec)
    return False


def check_provisioned(spec):
    if not Server(spec).may("CREATE"):
        raise Problem("目标账号 %s 无权建库" % spec["user"], "The target's account %s may not create databases" % spec["user"])


def stop(spec):
    return False


# --- freeze


def accounts(server):
    """[[user, host], …] that have rights on this schema of their own; None where we may not look."""
    name = literal(server.schema)
    return server.try_(
        "SELECT user, host FROM mysql.db WHERE %s LIKE db UNION SELECT user, host FROM mysql.tables_priv WHERE db = %s UNION "
        "SELECT user, host FROM mysql.columns_priv WHERE db = %s UNION SELECT user, host FROM mysql.procs_priv WHERE db = %s ORDER BY 1, 2"
        % (name, name, name, name)
    )


def _strong(server):
    """Accounts with rights on everything, which no freeze of ours holds."""
    rows = server.try_("SELECT DISTINCT grantee FROM information_schema.user_privileges WHERE privilege_type IN "
                       "('SUPER', 'READ_ONLY ADMIN', 'READ ONLY ADMIN', 'CONNECTION_ADMIN', 'INSERT', 'UPDATE')") or []  # fmt: skip
    return sorted(row[0] for row in rows)


def _account(pair):
    return "%s@%s" % (literal(pair[0]), literal(pair[1]))


def before_freeze(spec):
    """read_only: nobody else uses the server; lock: the schema's accounts are shut out; soft: only its users are stopped."""
    server = Server(spec)
    (major, minor), maria = server.about()
    others = server.sql("SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_schema NOT IN (%s)"
                        % ", ".join(literal(n) for n in SYSTEM + (server.schema,)))  # fmt: skip
    if not others and server.may("SUPER", "READ_ONLY ADMIN", "READ ONLY ADMIN", "SYSTEM_VARIABLES_ADMIN"):
        return {"mode": "read_only", "read_only": server.value("SELECT @@global.read_only")}
    found = accounts(server)
    own = server.value("SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1)")
    lockable = [pair for pair in found or [] if pair[0] != own and "ACCOUNT LOCK" not in _created(server, pair)]
    if lockable and server.may("CREATE USER") and (maria and [major, minor] >= [10, 4] or not maria and [major, minor] >= [5, 7]):
        return {"mode": "lock", "accounts": lockable}
    return {"mode": "soft"}


def _created(server, pair):
    return server.value("SHOW CREATE USER " + _account(pair)) or ""


def freeze(spec, before):
    server, left = Server(spec), ["*"]
    if before["mode"] == "read_only":
        # It waits for those who write, so whoever has this schema open goes first and again.
        ended = _end_sessions(server, [])
        server.sql("SET GLOBAL read_only = ON" + ("" if server.about()[1] else "; SET GLOBAL super_read_only = ON"))
        left = _strong(server) if server.about()[1] else []
    else:
        locked = before.get("accounts", [])
        for pair in locked:
            server.sql("ALTER USER %s ACCOUNT LOCK" % _account(pair))
        ended = []
        left = _strong(server) if locked else left
    ended += _end_sessions(server, [pair[0] for pair in before.get("accounts", [])])
    time.sleep(1.2)  # tables know the second of their last change: a later one must differ
    return {"sessions": sorted(set(ended)), "left": left}


def _end_sessions(server, users):
    ended, deadline = [], time.time() + 60
    condition = "db = %s" % literal(server.schema) + (" OR user IN (%s)" % ", ".join(map(literal, users)) if users else "")
    while True:
        rows = server.sql("SELECT id, user, host FROM information_schema.processlist WHERE (%s) AND id <> CONNECTION_ID() "
                          "AND command NOT LIKE 'Binlog Dump%%'" % condition)  # fmt: skip
        if not rows:
            return ended
        if time.time() > deadline:
            who = ", ".join("%s@%s" % (row[1], row[2]) for row in rows[:10])
            raise Problem("数据库 %s 的会话断不开：%s" % (server.schema, who), "Sessions of %s can't be ended: %s" % (server.schema, who))
        ended += ["%s %s" % (row[2].rpartition(":")[0] or row[2], row[1]) for row in rows]
        for row in rows:
            server.try_("KILL %d" % int(row[0]))
        time.sleep(0.2)


def position(spec):
    """When each table was last changed, and where the server's binary log stands, as far as we may see it."""
    server = Server(spec)
    fresh = "" if server.about()[1] or server.about()[0] < [8, 0] else "SET SESSION information_schema_stats_expiry = 0;"
    rows = server.sql(fresh + "SELECT table_name, COALESCE(update_time, ''), COALESCE(create_time, '') FROM information_schema.tables "
                      "WHERE table_schema = %s AND table_type <> 'VIEW' ORDER BY 1" % literal(server.schema))  # fmt: skip
    binlog = server.try_("SHOW MASTER STATUS")
    return {
        "tables": {row[0]: row[1:] for row in rows}, "binlog": binlog[0][:2] if binlog else None,
        "started": int(server.value("SELECT UNIX_TIMESTAMP() - variable_value FROM %s.global_status WHERE variable_name = 'UPTIME'"
                                    % ("information_schema" if server.about()[1] or server.about()[0] < [5, 7] else "performance_schema")).split(".")[0]),
    }  # fmt: skip


def check_frozen(spec, noted, before):
    server, now = Server(spec), position(spec)
    if before["mode"] == "read_only" and server.value("SELECT @@global.read_only") not in ("1", "ON"):
        return "服务器允许写入", "The server accepts writes"
    for pair in before.get("accounts", []):
        if "ACCOUNT LOCK" not in _created(server, pair):
            return "账号 %s 已被解锁" % _account(pair), "The account %s was unlocked" % _account(pair)
    open_writes = server.try_("SELECT COUNT(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p "
                              "ON p.id = t.trx_mysql_thread_id WHERE p.db = %s AND t.trx_rows_modified > 0" % literal(server.schema))  # fmt: skip
    if open_writes and open_writes[0][0] != "0":
        return "有 %s 个未结束的写事务" % open_writes[0][0], "%s write transactions are open" % open_writes[0][0]
    same_log = now["binlog"] is not None and now["binlog"] == noted["binlog"]
    for table in sorted(set(now["tables"]) | set(noted["tables"])):
        a, b = noted["tables"].get(table), now["tables"].get(table)
        # A server that was restarted, or dropped a table from its memory, has forgotten the time; its log has not.
        if a != b and not (same_log and a and b and a[1] == b[1] and not b[0]):
            if a and b and not b[0]:
                return ("服务器忘记了表 %s 的修改时间，也没有二进制日志可证明" % table,
                        "The server forgot when table %s was changed, and no binary log proves that it wasn't" % table)  # fmt: skip
            return "冻结之后表 %s 又被修改" % table, "Table %s was changed after the freeze" % table
    return None


def thaw(spec, before, system_id):
    server = Server(spec)
    mode = (before or {}).get("mode")
    if mode == "lock":
        for pair in before["accounts"]:
            server.sql("ALTER USER %s ACCOUNT UNLOCK" % _account(pair))
    elif mode == "read_only" and before["read_only"] in ("0", "OFF"):
        server.sql(("" if server.about()[1] else "SET GLOBAL super_read_only = OFF; ") + "SET GLOBAL read_only = OFF")
