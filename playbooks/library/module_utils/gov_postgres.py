"""One PostgreSQL database: what precheck wants to know, freeze and thaw. Standard library only, Python 3.6 or newer.

Imported by our Ansible modules and by the programs at the far end of a pipe (gov_postgres_far.py).
"""

import os
import re
import socket
import subprocess
import time

from ansible.module_utils.gov_db import Problem, is_local, own_name, read_password
from ansible.module_utils.gov_postgres_server import Cluster, Database, admin, check_provisioned, provision, stop  # noqa: F401

OTHERS = "FROM pg_stat_activity WHERE datname = :'n' AND pid <> pg_backend_pid() "
CLIENTS = OTHERS + "AND backend_type = 'client backend' "
SETTLED_S = 12
"""Longer than a session that has become idle keeps its counters to itself."""


# --- looking


def probe(spec, side, ours=False):
    """What precheck wants to know; bad news is in `problems`."""
    database = admin(spec) if side == "target" else Database(spec)
    wanted = ["psql", "pg_dump", "pg_restore"] + (["initdb", "pg_ctl"] if side == "target" and spec.get("data_dir") else [])
    found = {
        "kind": "postgresql", "index": spec["index"], "name": spec["name"], "problems": [], "bytes": 0, "version": None,
        "client": None, "space_at": spec.get("data_dir") or "",
        "missing_programs": [p for p in wanted if not os.access(database.program(p), os.X_OK)],
    }  # fmt: skip
    if found["missing_programs"]:
        return found
    said = subprocess.check_output([database.program("pg_dump"), "--version"], timeout=30).decode()
    found["client"] = _numbers(re.search(r"(\d+)(?:\.(\d+))?", said).groups())
    try:
        read_password(spec)
        if side == "source":
            _probe_source(database, found)
        else:
            _probe_target(database, spec, ours, found)
    except Problem as problem:
        found["problems"].append({"zh": problem.zh, "en": problem.en})
    return found


def _probe_source(database, found):
    row = database.psql(
        "SELECT current_setting('server_version_num'), pg_database_size(current_database()), "
        "(SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p') "
        "AND nspname !~ '^pg_' AND nspname <> 'information_schema')"
    )[0]
    found["version"] = [int(row[0]) // 10000, int(row[0]) % 10000]
    found["bytes"] = int(row[1])
    if _own_setting(database, "default_transaction_read_only") == "on":
        _add(found, "源数据库 %s 已是只读：可能有未回退的割接" % found["name"],
             "The source database %s is read-only: an earlier cutover may not have been rolled back" % found["name"])  # fmt: skip
    if row[2] == "0":
        _add(found, "源数据库 %s 没有任何表" % found["name"], "The source database %s has no tables" % found["name"])
    if found["client"][0] < found["version"][0]:
        _add(found, "源主机的 pg_dump（%d）比数据库（%d）旧" % (found["client"][0], found["version"][0]),
             "pg_dump on the source (%d) is older than its server (%d)" % (found["client"][0], found["version"][0]))  # fmt: skip
    if database.spec.get("method") == "replication":
        for zh, en in replication_problems(database):
            _add(found, zh, en)


def _probe_target(database, spec, ours, found):
    data_dir = spec.get("data_dir")
    if data_dir and not os.path.exists(os.path.join(data_dir, "PG_VERSION")):
        if os.path.isdir(data_dir) and os.listdir(data_dir):
            _add(found, "目标数据库目录不为空：%s" % data_dir, "The target's data directory is not empty: %s" % data_dir)
        return
    if data_dir and not ours:
        _add(found, "目标数据库目录不为空：%s" % data_dir, "The target's data directory is not empty: %s" % data_dir)
    if data_dir and not Cluster(spec).runs():
        return  # ours, stopped by a way back: provision starts it
    version = int(database.value("SHOW server_version_num", "postgres"))
    found["version"] = [version // 10000, version % 10000]
    found["space_at"] = found["space_at"] or _data_directory(database)
    may = database.value("SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user", "postgres")
    if may != "t":
        _add(found, "目标账号 %s 无权建库" % spec["user"], "The target's account %s may not create databases" % spec["user"])
    exists = database.value("SELECT 1 FROM pg_database WHERE datname = :'n'", "postgres", {"n": spec["name"]})
    if exists and not ours:
        _add(found, "目标上已有同名数据库：%s" % spec["name"], "The target has a database of that name: %s" % spec["name"])
    if spec.get("method") == "replication" and not subscribes(database, "postgres"):
        _add(found, "目标账号无权建立订阅，无法逻辑复制", "The target's account may not create subscriptions: no logical replication")


def _data_directory(database):
    if not is_local(database.spec["host"]):
        return ""
    try:
        return database.value("SHOW data_directory", "postgres")
    except Problem:
        return ""  # only shown to those with pg_read_all_settings


def subscribes(database, name):
    return database.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user", name) == "t"


def replication_problems(database):
    """(zh, en) reasons why this source can't be replicated logically; empty when it can."""
    row = database.psql(
        "SELECT current_setting('server_version_num')::int, current_setting('wal_level'), rolsuper OR rolreplication, "
        "rolsuper OR has_database_privilege(current_database(), 'CREATE'), current_setting('max_replication_slots')::int - "
        "(SELECT count(*) FROM pg_replication_slots) FROM pg_roles WHERE rolname = current_user"
    )[0]
    if int(row[0]) < 100000:
        yield "PostgreSQL 10 以前没有逻辑复制", "There is no logical replication before PostgreSQL 10"
    if row[1] != "logical":
        yield "源的 wal_level 是 %s，逻辑复制需要 logical（须重启）" % row[1], (
            "wal_level of the source is %s; logical replication needs `logical` (a restart)" % row[1]
        )
    if row[2] != "t":
        yield "源账号没有 REPLICATION 权限", "The source's account lacks REPLICATION"
    if row[3] != "t":
        yield "源账号无权在此库建立发布", "The source's account may not create a publication in this database"
    if int(row[4]) < 1:
        yield "源上已没有空闲的复制槽", "The source has no free replication slot"


def _numbers(pair):
    return [int(part or 0) for part in pair]


def _add(found, zh, en):
    found["problems"].append({"zh": zh, "en": en})


def _own_setting(database, key):
    """What ALTER DATABASE … SET says; our own session overrides it."""
    settings = database.psql(
        "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase "
        "WHERE s.setrole = 0 AND d.datname = current_database()"
    )
    return dict(row[0].split("=", 1) for row in settings).get(key)


# --- freeze


def before_freeze(spec):
    """What thaw has to restore, and how hard this account can freeze: {"mode", "limit", "read_only", "connect"}."""
    database = Database(spec)
    owner, superuser, limit = database.psql(
        "SELECT pg_has_role(datdba, 'member'), (SELECT rolsuper FROM pg_roles WHERE rolname = current_user), datconnlimit "
        "FROM pg_database WHERE datname = current_database()"
    )[0]
    if owner != "t" and superuser != "t":
        raise Problem("账号 %s 不是数据库 %s 的属主，无法冻结" % (spec["user"], spec["name"]),
                      "The account %s does not own the database %s: it can't be frozen" % (spec["user"], spec["name"]))  # fmt: skip
    connect = database.rows(
        "SELECT coalesce(rolname, '') AS role FROM pg_database d, aclexplode(coalesce(datacl, acldefault('d', datdba))) a "
        "LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE datname = current_database() AND privilege_type = 'CONNECT' "
        "AND a.grantee <> datdba ORDER BY 1"
    )
    return {
        "mode": "limit" if superuser == "t" else "revoke",
        "limit": int(limit),
        "read_only": _own_setting(database, "default_transaction_read_only"),
        "connect": [row["role"] for row in connect],  # "" is PUBLIC
    }


def freeze(spec, before):
    """No more writes: refuse connections as far as the account may, read-only by default for the rest, end the sessions.

    {"sessions": ["address role", …] that were ended, "left": [roles that could still come in and write]}.
    """
    database, name = Database(spec), {"n": spec["name"]}
    database.psql('ALTER DATABASE :"n" SET default_transaction_read_only = on', None, name)
    if before["mode"] == "limit":
        database.psql('ALTER DATABASE :"n" CONNECTION LIMIT 0', None, name)
    else:
        for role in before["connect"]:
            database.psql('REVOKE CONNECT ON DATABASE :"n" FROM ' + (':"r"' if role else "PUBLIC"), None, dict(name, r=role))
    ended = _end_sessions(database, name)
    prepared = database.value("SELECT count(*) FROM pg_prepared_xacts WHERE database = :'n'", None, name)
    if prepared != "0":
        raise Problem("源上有 %s 个未决的两阶段事务" % prepared, "The source has %s prepared transactions that nobody ended" % prepared)
    time.sleep(1.2)  # sessions that have just ended still hand in their counters
    left = database.rows(
        "SELECT rolname AS role FROM pg_roles WHERE rolcanlogin AND (rolsuper OR rolname = current_user OR "
        "%s AND has_database_privilege(oid, current_database(), 'CONNECT')) ORDER BY 1"
        % ("false" if before["mode"] == "limit" else "true")
    )
    return {"sessions": ended, "left": [row["role"] for row in left]}


def _end_sessions(database, name):
    ended, deadline = {}, time.time() + 60
    while True:
        rows = database.psql("SELECT pid, coalesce(host(client_addr), 'local'), usename " + _clients(database), None, name)
        if not rows:
            return sorted(set(ended.values()))
        ended.update({row[0]: " ".join(row[1:]) for row in rows})
        if time.time() > deadline:
            who = ", ".join(sorted({" ".join(row[1:]) for row in rows})[:10])
            raise Problem("数据库 %s 的会话断不开：%s" % (name["n"], who), "Sessions of %s can't be ended: %s" % (name["n"], who))
        database.psql("SELECT pg_terminate_backend(pid) " + _clients(database), None, name)
        time.sleep(0.2)


def _clients(database):
    return CLIENTS if database.version() >= 100000 else OTHERS


def position(spec):
    """Where the database stands. `xid` is the server's next transaction; `changes` counts this database's only, with its
    catalogues, but without the statistics that autovacuum writes."""
    database = Database(spec)
    xid, lsn = database.psql(
        "SELECT txid_snapshot_xmax(txid_current_snapshot()), %s()"
        % ("pg_current_wal_insert_lsn" if database.version() >= 100000 else "pg_current_xlog_insert_location")
    )[0]
    rows, changes = database.psql(
        "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0), md5(coalesce(string_agg(s.relid::text || ':' || "
        "n_tup_ins || ':' || n_tup_upd || ':' || n_tup_del, ',' ORDER BY s.relid), '')) FROM pg_stat_all_tables s "
        "JOIN pg_class c ON c.oid = s.relid WHERE NOT c.relisshared AND n_tup_ins + n_tup_upd + n_tup_del > 0 "
        "AND s.schemaname <> 'pg_toast' AND NOT (s.schemaname = 'pg_catalog' AND s.relname LIKE 'pg_statistic%')"
    )[0]
    return {"xid": int(xid), "lsn": lsn, "rows": int(rows), "changes": changes}


def check_frozen(spec, noted, before):
    """(zh, en) of why writes may have happened since `noted`, or could happen; None: it is proven that none did."""
    database, name = Database(spec), {"n": spec["name"]}
    if _own_setting(database, "default_transaction_read_only") != "on":
        return "数据库 %s 允许写入" % spec["name"], "The database %s accepts writes" % spec["name"]
    if before["mode"] == "limit" and database.value("SELECT datconnlimit FROM pg_database WHERE datname = :'n'", None, name) != "0":
        return "数据库 %s 又允许连接" % spec["name"], "The database %s lets clients in again" % spec["name"]
    deadline = time.time() + SETTLED_S
    while True:
        writing = database.value("SELECT count(*) " + OTHERS + "AND backend_xid IS NOT NULL", None, name)
        if writing != "0":
            return "有 %s 个未结束的写事务" % writing, "%s write transactions are open" % writing
        now = position(spec)
        if now["xid"] == noted["xid"]:
            return None
        if now["changes"] != noted["changes"]:
            return ("冻结之后数据库 %s 又被写入（%d 次行变更）" % (spec["name"], now["rows"] - noted["rows"]),
                    "The database %s was written to after the freeze (%d row changes)" % (spec["name"], now["rows"] - noted["rows"]))  # fmt: skip
        # Other databases of this server moved the counter, or a session here has not said yet what it did.
        if database.value("SELECT count(*) " + _clients(database), None, name) == "0" or time.time() > deadline:
            return None
        time.sleep(1)


def thaw(spec, before, system_id):
    """Undo the freeze, and whatever replication left here. Without a note only what nobody else would have set is undone."""
    database, name = Database(spec), {"n": spec["name"]}
    limit = database.value("SELECT datconnlimit FROM pg_database WHERE datname = :'n'", None, name)
    if before is None and limit == "0" and _own_setting(database, "default_transaction_read_only") == "on":
        before = {"mode": "limit", "limit": -1, "read_only": None}
    if before:
        was = before["read_only"]
        words = "SET default_transaction_read_only TO :'v'" if was else "RESET default_transaction_read_only"
        database.psql('ALTER DATABASE :"n" ' + words, None, dict(name, v=was or ""))
        if before["mode"] == "revoke":
            for role in before["connect"]:
                database.psql('GRANT CONNECT ON DATABASE :"n" TO ' + (':"r"' if role else "PUBLIC"), None, dict(name, r=role))
        else:
            database.psql('ALTER DATABASE :"n" CONNECTION LIMIT %d' % before["limit"], None, name)
    end_source(spec, own_name(system_id, spec["index"]))


def end_source(spec, own):
    """Remove our slot and publication; whether there were any. A slot that is left behind fills the source's disk."""
    database, found = Database(spec), False
    for _ in range(50):
        slot = database.psql("SELECT coalesce(active_pid, 0) FROM pg_replication_slots WHERE slot_name = :'s'", None, {"s": own})
        if not slot:
            break
        found = True
        if slot[0][0] != "0":
            database.psql("SELECT pg_terminate_backend(%s)" % slot[0][0])
            time.sleep(0.2)
        try:
            database.psql("SELECT pg_drop_replication_slot(:'s')", None, {"s": own})
        except Problem:
            time.sleep(0.2)  # the far end came back in between
    else:
        raise Problem("源上的复制槽 %s 删不掉" % own, "The slot %s on the source can't be dropped" % own)
    if database.version() >= 100000 and database.psql("SELECT 1 FROM pg_publication WHERE pubname = :'s'", None, {"s": own}):
        database.psql('DROP PUBLICATION :"s"', None, {"s": own})
        found = True
    return found


def can_connect(host, port, timeout=5):
    try:
        socket.create_connection((host, port), timeout).close()
        return True
    except OSError:
        return False
