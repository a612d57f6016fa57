"""Copies of a MySQL or MariaDB schema between two hosts: accounts, dump, replication. Standard library only, Python 3.6 or
newer."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

from ansible.module_utils.gov_db import Problem, forget_baseline, noting, read_note, read_password
from ansible.module_utils.gov_mysql import Server, accounts, ident, literal, position, replication_problems, words_of

BLOCK = 1 << 18
_END = b"-- Dump completed"
_POSITION = re.compile(rb"CHANGE MASTER TO MASTER_LOG_FILE='([^']+)', MASTER_LOG_POS=(\d+)")
_CHANNEL = "govcloud"


def describe(end):
    server = Server(end)
    (version, maria), found = server.about(), accounts(server)
    schema = server.sql("SELECT default_character_set_name, default_collation_name FROM information_schema.schemata WHERE schema_name = "
                        + literal(server.schema))  # fmt: skip
    return {
        "version": version, "mariadb": maria, "reads_accounts": found is not None, "charset": schema[0][0] if schema else "",
        "collation": schema[0][1] if schema else "", "makes_accounts": server.may("CREATE USER"),
    }  # fmt: skip


# --- accounts


def involved(server):
    """Accounts with rights on this schema, and those in whose name its routines run."""
    found, name = [tuple(pair) for pair in accounts(server) or []], literal(server.schema)
    definers = server.sql(
        "SELECT definer FROM information_schema.routines WHERE routine_schema = %s UNION SELECT definer FROM information_schema.views WHERE "
        "table_schema = %s UNION SELECT definer FROM information_schema.triggers WHERE trigger_schema = %s UNION SELECT definer FROM "
        "information_schema.events WHERE event_schema = %s" % (name, name, name, name)
    )
    for (definer,) in definers:
        user, _, host = definer.rpartition("@")
        if user and (user, host) not in found:
            found.append((user, host))
    return sorted(found)


def grants(server, pair):
    """This account's rights on this schema, as statements."""
    lines = server.try_("SHOW GRANTS FOR %s@%s" % (literal(pair[0]), literal(pair[1]))) or []
    found = []
    for (line,) in lines:
        where = re.search(r" ON (?:PROCEDURE |FUNCTION |PACKAGE |PACKAGE BODY )?`((?:[^`]|``)*)`\.", line)
        if where and where.group(1).replace("``", "`").replace("\\", "") == server.schema:
            found.append(line)
    return sorted(found)


def users(end):
    """Statements that make the accounts again, with their passwords' hashes: they go nowhere but into the pipe."""
    server, found = Server(end), []
    (version, maria) = server.about()
    # A MySQL 8 hash has bytes in it that are no text.
    server_hex = "" if maria or version < [8, 0] else "SET SESSION print_identified_with_as_hex = ON; "
    for pair in involved(server):
        created = server.try_(server_hex + "SHOW CREATE USER %s@%s" % (literal(pair[0]), literal(pair[1])))
        if created:
            found.append({"account": pair, "create": created[0][0], "grants": grants(server, pair)})
    return found


def set_users(end, rights):
    """Make what accounts are missing; or, once the tables are there, give them their rights. Those that exist keep their
    password."""
    server = Server(end)
    for entry in json.load(sys.stdin):
        user, host = entry["account"]
        if rights:
            server.sql("".join(grant + ";\n" for grant in entry["grants"]))
        elif not server.sql("SELECT 1 FROM mysql.user WHERE user = %s AND host = %s" % (literal(user), literal(host))):
            server.sql(re.sub(r" ACCOUNT LOCK\b", "", entry["create"]))


# --- dump


def _dump_options(server, more):
    said = subprocess.check_output([server.program("mysqldump", "mariadb-dump"), "--version"], timeout=30).decode()
    words = ["--single-transaction", "--quick", "--skip-lock-tables", "--hex-blob", "--no-tablespaces"] + more
    if "mariadb" not in said.lower():
        words += ["--set-gtid-purged=OFF"] + (["--column-statistics=0"] if re.search(r"Ver 8\.", said) else [])
    return words


def dump(end, positioned=False, tables=None):
    """The schema as SQL on standard output; `positioned`: with the place in the binary log that belongs to it."""
    server = Server(end)
    more = ["--routines", "--triggers", "--events"] if tables is None else ["--triggers"]
    words = _dump_options(server, more + (["--master-data=2"] if positioned else []))
    return server.start(("mysqldump", "mariadb-dump"), words + ["--", server.schema] + (tables or []), stdin=subprocess.DEVNULL).wait()


def restore(end, system, facts):
    """The dump from standard input in place of an earlier copy of this run."""
    server = Server(end)
    kept = _make_room(server, end, system)
    server.sql("CREATE DATABASE %s CHARACTER SET %s COLLATE %s" % (ident(server.schema), facts["charset"], facts["collation"]))
    head = load(end, system)
    found = _POSITION.search(head)
    with noting(end, system, "target") as note:
        note["kept"] = kept
        note["position"] = [found.group(1).decode(), int(found.group(2))] if found else None


def load(end, system):
    """SQL from standard input into the schema; its first part. A dump that has no end is no dump."""
    forget_baseline(end, system)
    server, source = Server(end), sys.stdin.buffer
    with tempfile.TemporaryFile() as said:
        child = server.start(("mysql", "mariadb"), ["--binary-mode", server.schema], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said)
        head = tail = b""
        try:
            for block in iter(lambda: source.read(BLOCK), b""):
                head = head if len(head) > BLOCK else head + block
                tail = (tail + block)[-4096:]
                child.stdin.write(block)
            if _END not in tail:
                raise Problem("数据流中断：导出没有结尾", "The stream was cut off: the dump has no end")
            child.stdin.close()
        except BrokenPipeError:
            pass  # its own words say why
        except BaseException:
            child.kill()
            raise
        code = child.wait()
        said.seek(0)
        text = words_of(said.read())
    if code:
        raise Problem("写入失败：%s" % text, "Loading failed: %s" % text)
    return head[:BLOCK]


def _make_room(server, end, system):
    """Our own earlier copy goes; tables of an earlier run's copy are kept in a schema of another name, which is returned."""
    name, kept = server.schema, ""
    made = read_note(end, system, "target").get("copies", {})
    tables = server.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type <> 'VIEW'" % literal(name))
    if tables and name not in made:
        raise Problem("目标上已有数据库 %s，不是本工具建的，不会动它" % name, "The target has a database %s that is no copy of ours: it is not touched" % name)
    if tables and made[name] != system["run_id"]:
        kept = "%s_kept_%s" % (name[:40], re.sub(r"\W", "", made[name])[:16])
        words = ["CREATE DATABASE IF NOT EXISTS %s;" % ident(kept), "USE %s;" % ident(name), "SET foreign_key_checks = 0;"]
        words += ["DROP TRIGGER %s;" % ident(row[0]) for row in
                  server.sql("SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = " + literal(name))]  # fmt: skip
        words += ["RENAME TABLE %s.%s TO %s.%s;" % (ident(name), ident(row[0]), ident(kept), ident(row[0])) for row in tables]
        server.sql("\n".join(words))
    with noting(end, system, "target") as note:
        note.setdefault("copies", {})[name] = system["run_id"]
    server.sql("DROP DATABASE IF EXISTS " + ident(name))
    return kept


def exists(end, system):
    server = Server(end)
    there = server.sql("SELECT 1 FROM information_schema.schemata WHERE schema_name = " + literal(server.schema))
    note = read_note(end, system, "target")
    return {"there": bool(there), "ours": note.get("copies", {}).get(server.schema) == system["run_id"], "kept": note.get("kept") or ""}


def set_counters(end):
    """Next numbers of AUTO_INCREMENT columns from standard input, {table: number}."""
    server = Server(end)
    words = ["ALTER TABLE %s.%s AUTO_INCREMENT = %d;" % (ident(server.schema), ident(t), int(n)) for t, n in json.load(sys.stdin).items()]
    server.sql("\n".join(words))


# --- replication (MariaDB, a connection of our own name beside whatever others the server has)


def check_source(end):
    for zh, en in replication_problems(Server(end)):
        raise Problem(zh, en)
    return int(Server(end).value("SELECT @@server_id"))


def credentials(end):
    sys.stdout.write(json.dumps({"user": end["user"], "password": read_password(end)}))


def follow(end, system, host, port, source_id):
    """Take up the source's changes of this schema where the dump ended. Account and password come on standard input."""
    server, given = Server(end), json.load(sys.stdin)
    if int(server.value("SELECT @@server_id")) == source_id:
        raise Problem("两端的 server_id 相同（%d），无法复制" % source_id, "Both servers have the server_id %d: no replication" % source_id)
    file, at = read_note(end, system, "target")["position"]
    with noting(end, system, "target") as note:
        note["follows"] = True
        note.pop("paused", None)
    pattern = server.schema.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%") + ".%"
    own = literal(_CHANNEL)
    server.sql(
        "CHANGE MASTER %s TO MASTER_HOST = %s, MASTER_PORT = %d, MASTER_USER = %s, MASTER_PASSWORD = %s, MASTER_LOG_FILE = %s, "
        "MASTER_LOG_POS = %d, MASTER_USE_GTID = no, MASTER_CONNECT_RETRY = 5;\n"
        % (own, literal(host), port, literal(given["user"]), literal(given["password"]), literal(file), at)
        + "SET @@default_master_connection = %s; SET GLOBAL replicate_wild_do_table = %s; START SLAVE %s;" % (own, literal(pattern), own)
    )


def lag(end):
    """Where the source's binary log ends: {"file", "at"}."""
    file, at = Server(end).sql("SHOW MASTER STATUS")[0][:2]
    return {"file": file, "at": int(at)}


def received(end, system):
    """{"follows", "runs", "file", "at", "seconds", "error"}: how far the target is in the source's log."""
    if not read_note(end, system, "target").get("follows"):
        return {"follows": False, "runs": False}
    found = {}
    for row in Server(end).sql("SHOW SLAVE %s STATUS" % literal(_CHANNEL), "--vertical", "--column-names"):
        key, colon, value = "\t".join(row).strip().partition(": ")
        found[key if colon else key.rstrip(":")] = value
    behind = found.get("Seconds_Behind_Master", "NULL")
    return {
        "follows": bool(found), "runs": found.get("Slave_IO_Running") == found.get("Slave_SQL_Running") == "Yes",
        "file": found.get("Relay_Master_Log_File", ""), "at": int(found.get("Exec_Master_Log_Pos") or 0),
        "seconds": int(behind) if behind.isdigit() else -1, "error": (found.get("Last_SQL_Error") or found.get("Last_IO_Error") or "")[:300],
    }  # fmt: skip


def _still(end):
    """What the copy's tables say of their last change, long enough after it that a later one differs."""
    time.sleep(1.2)
    return position(end)["tables"]


def pause(end, system):
    if not read_note(end, system, "target").get("follows"):
        return False
    Server(end).sql("STOP SLAVE " + literal(_CHANNEL))
    found = _still(end)
    with noting(end, system, "target") as note:
        note["paused"] = found
    return True


def resume(end, system):
    """Go on after a pause. False: somebody wrote into the copy meanwhile, or the server can't say."""
    note = read_note(end, system, "target")
    if not note.get("follows") or note.get("paused") is None or _still(end) != note["paused"]:
        return False
    Server(end).sql("START SLAVE " + literal(_CHANNEL))
    with noting(end, system, "target") as note:
        note.pop("paused", None)
    return True


def unfollow(end, system):
    if not read_note(end, system, "target").get("follows"):
        return False
    server = Server(end)
    # None of this name: an earlier attempt came to an end in between.
    if any(row[0] == _CHANNEL for row in server.sql("SHOW ALL SLAVES STATUS")):
        server.sql("STOP SLAVE %s; RESET SLAVE %s ALL" % (literal(_CHANNEL), literal(_CHANNEL)))
    with noting(end, system, "target") as note:
        note.pop("follows", None)
    return True
