"""Copies of a PostgreSQL database between two hosts, each half at its own end of a pipe: accounts, structure, rows in
several streams from one snapshot, large objects, indexes, settings. Standard library only, Python 3.6 or newer.

Rows pass as PostgreSQL's COPY text in UTF-8 (as they are, where the database is SQL_ASCII and knows no encoding), table after table, each ended by a line `\\.`. The receiving end has its own list of
tables: what arrives is only ever data.
"""

import json
import os
import subprocess
import sys
import tempfile

from ansible.module_utils.gov_db import Problem, forget_baseline, own_name, read_note
from ansible.module_utils.gov_postgres import position
from ansible.module_utils.gov_postgres_frame import NOT_EXTENSION, USERS, create, demand_ours, dress, ident, swap
from ansible.module_utils.gov_postgres_server import Database, admin

CHUNK = 64 << 20
BLOCK = 1 << 18
END = b"\\.\n"


# --- one snapshot for all streams


def hold_snapshot(end, slot=None):
    """Print {"snapshot", …} and keep it until standard input ends. With `slot` it's the one a new replication slot begins
    at: what is copied from it and what the slot sends later fit together."""
    database = Database(end)
    if slot:
        argv = database.psql_argv()
        argv[-1] = "dbname=%s replication=database" % _conninfo(end["name"])
        words = "CREATE_REPLICATION_SLOT %s LOGICAL pgoutput EXPORT_SNAPSHOT;\n" % ident(slot)
    else:
        argv, words = database.psql_argv(), "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT '', '', pg_export_snapshot();\n"
    before = position(end)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=database.environment()) as child:
        child.stdin.write(words.encode())
        child.stdin.flush()
        said = child.stdout.readline().decode().rstrip("\n").split("\x1f")
        if len(said) < 3:
            child.stdin.close()
            raise Problem("无法取得一致的快照", "No consistent snapshot could be had")
        print(json.dumps({"snapshot": said[2], "position": before}), flush=True)
        sys.stdin.read()
        child.stdin.close()
    return None


def _conninfo(value):
    return "'%s'" % value.replace("\\", "\\\\").replace("'", "\\'")


# --- structure


def dump_schema(end, snapshot, encoding, owners):
    """Structure as a custom-format archive on standard output: everything but rows."""
    database = Database(end, encoding=encoding)
    argv = [database.program("pg_dump"), "--format=custom", "--section=pre-data", "--section=post-data", "--no-tablespaces",
            "--snapshot=" + snapshot]  # fmt: skip
    if database.version() >= 100000:
        argv += ["--no-publications", "--no-subscriptions"]
    argv += [] if owners else ["--no-owner"]
    return subprocess.call(argv + database.login(), env=database.environment(), stdin=subprocess.DEVNULL)


def restore_schema(end, system, facts, name, encoding):
    """Make the database anew. Keep the archive from standard input for finish(), and make of it what rows need: tables
    without indexes."""
    demand_ours(end, system)  # now, not when everything has been copied
    forget_baseline(end, system)
    create(end, facts, name)
    path = _archive(end, system)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        while True:
            block = sys.stdin.buffer.read(BLOCK)
            if not block:
                break
            stream.write(block)
    _restore(end, name, encoding, ["--section=pre-data", path])


def finish(end, system, facts, name, encoding, jobs):
    """Indexes, constraints and triggers; views with rows and the planner's statistics; settings; then its final name."""
    path = _archive(end, system)
    _restore(end, name, encoding, ["--section=post-data", "--jobs=%d" % jobs, path])
    os.unlink(path)
    refresh(end, name)
    dress(end, facts, name)
    return dict(swap(end, system, name), without_password=read_note(end, system, "target").get("without_password", []))


def refresh(end, name):
    database = admin(end)
    views = database.rows(
        # In the order of their making, as one may read another.
        "SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE relkind = 'm' ORDER BY c.oid", name
    )  # fmt: skip
    for view in views:
        database.psql("REFRESH MATERIALIZED VIEW " + ident(view["schema"], view["name"]), name, more="-c search_path=")
    try:
        database.psql("ANALYZE", name)
    except Problem:
        pass  # a function in an index may want a search_path; autovacuum comes to it later


def _restore(end, name, encoding, arguments):
    database = admin(end)
    memory = "-c maintenance_work_mem=256MB -c synchronous_commit=off"
    # pg_restore counts errors and goes on; the first one must end it.
    argv = [database.program("pg_restore"), "--exit-on-error", "--no-tablespaces"] + arguments
    env = dict(database.environment(memory), PGCLIENTENCODING=encoding)
    with tempfile.TemporaryFile() as said:
        code = subprocess.call(argv + database.login(name), env=env, stdin=subprocess.DEVNULL, stderr=said)
        said.seek(0)
        text = said.read().decode("utf-8", "replace").strip()
    if code:
        raise Problem("恢复结构失败：%s" % text[-500:], "Restoring the structure failed: %s" % text[-500:])


def _archive(end, system):
    return os.path.join(end["state_dir"], own_name(system["system_id"], end["index"], ".schema"))


# --- rows


def inventory(end, streams):
    """What there is to send: {"pieces": [[piece, …], …], "large_objects": how many}."""
    return {"pieces": pieces(end, streams), "large_objects": count_large_objects(end)}


def pieces(end, streams):
    """Tables and parts of large tables, spread over so many streams of about equal size."""
    database = Database(end)
    tables = database.rows(
        "SELECT n.nspname AS schema, c.relname AS name, pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif(reltoastrelid, 0)), 0) "
        "AS bytes, pg_relation_size(c.oid) / current_setting('block_size')::int AS blocks, f.oid IS NOT NULL AS extension, f.condition, "
        "ARRAY(SELECT attname FROM pg_attribute a WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped "
        + ("AND attgenerated = ''" if database.version() >= 120000 else "")
        + " ORDER BY attnum) AS columns FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace LEFT JOIN "
        "(SELECT unnest(extconfig) AS oid, unnest(extcondition) AS condition FROM pg_extension) f ON f.oid = c.oid "
        "WHERE relkind = 'r' AND relpersistence <> 't' AND (f.oid IS NOT NULL OR " + USERS + " AND "
        + NOT_EXTENSION % ("pg_class", "c") + ") ORDER BY 3 DESC, 1, 2"
    )  # fmt: skip
    chunk = max(CHUNK, sum(t["bytes"] for t in tables) // (streams * 4) + 1)
    found = []
    for table in tables:
        # Reading by block ranges is only quick since version 14.
        parts = -(-table["bytes"] // chunk) if database.version() >= 140000 and not table["condition"] else 1
        parts = max(1, min(parts, table["blocks"]))
        for part in range(parts):
            limits = [table["blocks"] * part // parts, table["blocks"] * (part + 1) // parts if part + 1 < parts else None]
            found.append({
                "schema": table["schema"], "name": table["name"], "columns": table["columns"], "condition": table["condition"],
                "extension": table["extension"],
                "blocks": limits if parts > 1 else None, "bytes": table["bytes"] // parts,
            })  # fmt: skip
    spread = [(0, number, []) for number in range(streams)]
    for piece in found:
        spread.sort(key=lambda entry: entry[:2])
        size, number, mine = spread[0]
        mine.append(piece)
        spread[0] = (size + piece["bytes"] + 8192, number, mine)
    return [mine for _, _, mine in sorted(spread, key=lambda entry: entry[1]) if mine]


def rows_of(piece):
    """The table's own rows only, never those of its children."""
    where = piece["condition"] or ""
    if piece["blocks"]:
        low, high = piece["blocks"]
        where = "WHERE ctid >= '(%d,0)'" % low + (" AND ctid < '(%d,0)'" % high if high is not None else "")
    return "ONLY %s %s" % (ident(piece["schema"], piece["name"]), where)


def select(piece):
    """What COPY reads."""
    columns = ", ".join(ident(c) for c in piece["columns"])
    if piece["blocks"] or piece["condition"]:
        return "(SELECT %s FROM %s)" % (columns, rows_of(piece))
    return ident(piece["schema"], piece["name"]) + (" (%s)" % columns if columns else "")


def copy_script(given, snapshot=None):
    words = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"] + (["SET TRANSACTION SNAPSHOT '%s';" % snapshot] if snapshot else [])
    for piece in given:
        words += ["COPY %s TO STDOUT;" % select(piece), r"\echo '\\.'"]
    return "\n".join(words + ["COMMIT;", ""]).encode("utf-8")


def copy_out(end, snapshot, encoding):
    """Rows of the pieces named on standard input, to standard output."""
    database = Database(end, encoding=encoding)
    script = copy_script(json.load(sys.stdin), snapshot)
    with subprocess.Popen(database.psql_argv(), stdin=subprocess.PIPE, env=database.environment()) as child:
        child.communicate(script)
    return child.returncode


def _expected(end, system):
    return os.path.join(end["state_dir"], own_name(system["system_id"], end["index"], ".pieces"))


def expect(end, system):
    """Keep the pieces of all streams, from standard input, for copy_in."""
    forget_baseline(end, system)
    with open(_expected(end, system), "w", encoding="utf-8") as stream:
        json.dump(json.load(sys.stdin), stream)


def copy_in(end, system, name, number, encoding, fresh=True):
    """Rows from standard input into the pieces of this stream, one after the other, each a transaction of its own. A stream that ends
    before its last piece does is cut off, not short. `fresh`: the tables have just been made, without constraints."""
    with open(_expected(end, system), encoding="utf-8") as stream:
        given = json.load(stream)[number]
    database = admin(end)
    options = "-c synchronous_commit=off" + ("" if fresh else " -c session_replication_role=replica")
    env = dict(database.environment(options), PGCLIENTENCODING=encoding)
    said = tempfile.TemporaryFile()
    with subprocess.Popen(database.psql_argv(name), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env=env) as child:
        try:
            rest = b""
            for piece in given:
                table = ident(piece["schema"], piece["name"])
                columns = "(%s)" % ", ".join(ident(c) for c in piece["columns"]) if piece["columns"] else ""
                # Emptied in the same transaction, rows can be written as seen by everybody already. An extension has
                # filled its own tables: what comes are the rows that were added to them.
                whole = fresh and not piece["blocks"] and not piece["extension"]
                freeze = " WITH (FREEZE)" if whole else ""
                begin = "BEGIN;\n" + ("TRUNCATE ONLY %s;\n" % table if whole else "")
                child.stdin.write((begin + "COPY %s %s FROM STDIN%s;\n" % (table, columns, freeze)).encode("utf-8"))
                rest = _relay(child.stdin, rest)
                child.stdin.write(b"\\.\nCOMMIT;\n")
                child.stdin.flush()
            if rest or sys.stdin.buffer.read(1):
                raise Problem("收到的数据比预期多", "More data came than was expected")
            child.stdin.close()
        except BrokenPipeError:
            pass  # its own words say why
        except BaseException:
            child.kill()
            raise
    said.seek(0)
    text = said.read().decode("utf-8", "replace").strip()
    if child.returncode:
        raise Problem("写入失败：%s" % text[-500:], "Writing rows failed: %s" % text[-500:])


def _relay(into, rest):
    """Pass rows on up to the line that ends a table; what came behind it."""
    source = sys.stdin.buffer
    at_start = True
    while True:
        if at_start and rest.startswith(END):
            return rest[len(END) :]
        found = rest.find(b"\n" + END)
        if found >= 0:
            into.write(rest[: found + 1])
            return rest[found + 1 + len(END) :]
        # The last bytes may be the beginning of the ending line.
        keep = len(END)
        if len(rest) > keep:
            into.write(rest[:-keep])
            at_start, rest = False, rest[-keep:]
        block = source.read1(BLOCK)
        if not block:
            raise Problem("数据流中断", "The stream of rows was cut off")
        rest += block


def count_large_objects(end):
    return int(Database(end).value("SELECT count(*) FROM pg_largeobject_metadata"))


def large_objects(end):
    """[{"oid", "owner", "grants": [[privilege, role]]}, …]"""
    return Database(end).rows(
        "SELECT oid::bigint AS oid, pg_get_userbyid(lomowner) AS owner, ARRAY(SELECT json_build_array(privilege_type, coalesce(rolname, '')) FROM "
        "aclexplode(lomacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE a.grantee <> lomowner) AS grants FROM pg_largeobject_metadata m"
    )


def make_large_objects(end, name):
    """Those named on standard input, empty, in place of those that are there: a database of ours, so they are old ones."""
    words = ["BEGIN; SELECT count(lo_unlink(oid)) FROM pg_largeobject_metadata;"]
    for entry in json.load(sys.stdin):
        words.append("SELECT lo_create(%d); ALTER LARGE OBJECT %d OWNER TO %s;" % (entry["oid"], entry["oid"], ident(entry["owner"])))
        for privilege, role in entry["grants"]:
            if privilege in ("SELECT", "UPDATE"):
                words.append("GRANT %s ON LARGE OBJECT %d TO %s;" % (privilege, entry["oid"], ident(role) if role else "PUBLIC"))
    admin(end).psql("\n".join(words + ["COMMIT;"]), name)


def dump_large_objects(end, snapshot, encoding, owners):
    database = Database(end, encoding=encoding)
    argv = [database.program("pg_dump"), "--format=custom", "--compress=0", "--section=data", "--blobs", "--exclude-table-data=*.*"]
    argv += (["--snapshot=" + snapshot] if snapshot else []) + ([] if owners else ["--no-owner"])
    return subprocess.call(argv + database.login(), env=database.environment(), stdin=subprocess.DEVNULL)


def restore_large_objects(end, name, encoding):
    """Their content; they themselves came with the structure, or by make_large_objects."""
    database = admin(end)
    argv = [database.program("pg_restore"), "--exit-on-error"]
    env = dict(database.environment("-c synchronous_commit=off"), PGCLIENTENCODING=encoding)
    code = subprocess.call(argv + database.login(name), env=env)
    while os.read(0, BLOCK):
        pass  # pg_restore doesn't wait for the end of its input, and whoever still writes would take that for a failure
    return code


def refill(end, name):
    """Empty the tables named on standard input; whoever refers to their rows keeps quiet meanwhile."""
    given = {ident(schema, table) for schema, table in json.load(sys.stdin)}
    database = admin(end)
    refers = database.rows("SELECT DISTINCT a.nspname AS s1, c.relname AS t1, b.nspname AS s2, d.relname AS t2 FROM pg_constraint k "
                           "JOIN pg_class c ON c.oid = conrelid JOIN pg_namespace a ON a.oid = c.relnamespace JOIN pg_class d ON d.oid = confrelid "
                           "JOIN pg_namespace b ON b.oid = d.relnamespace WHERE contype = 'f'", name)  # fmt: skip
    pairs = [(ident(r["s1"], r["t1"]), ident(r["s2"], r["t2"])) for r in refers]
    # TRUNCATE is refused for a table that others refer to, unless they are emptied by the same statement.
    quick = set(given)
    while True:
        kept = {there for here, there in pairs if there in quick and here not in quick}
        if not kept:
            break
        quick -= kept
    words = ["BEGIN; SET session_replication_role = replica;"]
    words += ["TRUNCATE ONLY %s;" % ", ONLY ".join(sorted(quick))] if quick else []
    words += ["DELETE FROM ONLY %s;" % table for table in sorted(given - quick)]
    database.psql("\n".join(words + ["COMMIT;"]), name)
