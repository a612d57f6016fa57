"""What a PostgreSQL database is like, so that two can be compared: counts or contents of tables, sequences, structure and
privileges as readable lines; and the rows that came later. Standard library only, Python 3.6 or newer."""

import json
import os
import subprocess
import sys
import tempfile

from ansible.module_utils.gov_db import Problem, RowSum, noting, read_note
from ansible.module_utils.gov_postgres import position
from ansible.module_utils.gov_postgres_copy import count_large_objects, pieces, rows_of, select
from ansible.module_utils.gov_postgres_frame import NOT_EXTENSION, USERS, ident, literal, sequences
from ansible.module_utils.gov_postgres_server import Cluster, Database, admin

LARGE_OBJECTS = "(large objects)"

# Each statement gives lines of text. search_path is pg_catalog, so all other names come with their schema.
STRUCTURE = (
    "SELECT 'schema ' || quote_ident(nspname) FROM pg_namespace n WHERE {users} AND {own_n}",
    "SELECT CASE relkind WHEN 'r' THEN 'table ' WHEN 'p' THEN 'partitioned table ' WHEN 'v' THEN 'view ' WHEN 'm' THEN "
    "'materialized view ' WHEN 'f' THEN 'foreign table ' WHEN 'S' THEN 'sequence ' ELSE 'type ' END || {class} || "
    "CASE relpersistence WHEN 'u' THEN ' unlogged' ELSE '' END || coalesce(' ' || {partition}, '') || "
    "coalesce(' with ' || array_to_string(reloptions, ','), '') || coalesce((SELECT ' inherits ' || string_agg(inhparent::regclass::text, "
    "',' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = c.oid), '') || CASE WHEN relrowsecurity THEN ' row security' ELSE '' END "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND {users} AND {own_c}",
    "SELECT 'column ' || {class} || '.' || quote_ident(attname) || ' #' || row_number() OVER (PARTITION BY c.oid ORDER BY attnum) || ' ' || "
    "format_type(atttypid, atttypmod) || CASE WHEN attcollation <> 0 AND attcollation <> 100 THEN ' collate ' || attcollation::regcollation::text "
    "ELSE '' END || CASE WHEN attnotnull THEN ' not null' ELSE '' END || {identity} || "
    "coalesce(CASE WHEN {generated} THEN ' generated ' ELSE ' default ' END || pg_get_expr(adbin, adrelid), '') FROM pg_attribute a "
    "JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace LEFT JOIN pg_attrdef ON adrelid = c.oid AND adnum = attnum "
    "WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND {users} AND {own_c}",
    "SELECT 'constraint ' || quote_ident(conname) || ' on ' || coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text) || ' ' || "
    "pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_namespace n ON n.oid = connamespace WHERE contype <> 'n' AND {users} AND {own_k}",
    "SELECT 'index ' || pg_get_indexdef(indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = indrelid JOIN pg_namespace n ON "
    "n.oid = relnamespace WHERE {users} AND {own_c}",
    "SELECT 'trigger ' || replace(pg_get_triggerdef(t.oid), 'EXECUTE PROCEDURE', 'EXECUTE FUNCTION') || CASE tgenabled WHEN 'O' THEN '' ELSE "
    "' ' || tgenabled::text END FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = relnamespace "
    "WHERE NOT tgisinternal AND {users} AND {own_c}",
    "SELECT 'function ' || {proc} || ' returns ' || coalesce(pg_get_function_result(p.oid), '-') || ' ' || lanname::text || ' ' || "
    "provolatile::text || CASE WHEN prosecdef THEN ' security definer' ELSE '' END || ' ' || md5(coalesce(prosrc, '')) FROM pg_proc p "
    "JOIN pg_namespace n ON n.oid = pronamespace JOIN pg_language l ON l.oid = prolang WHERE {users} AND {own_p}",
    "SELECT 'enum ' || t.oid::regtype::text || ' ' || string_agg(quote_literal(enumlabel), ',' ORDER BY enumsortorder) FROM pg_enum e JOIN "
    "pg_type t ON t.oid = enumtypid JOIN pg_namespace n ON n.oid = typnamespace WHERE {users} AND {own_t} GROUP BY t.oid",
    "SELECT 'domain ' || t.oid::regtype::text || ' ' || format_type(typbasetype, typtypmod) || CASE WHEN typnotnull THEN ' not null' ELSE '' END "
    "|| coalesce(' default ' || typdefault, '') FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE typtype = 'd' AND {users} AND {own_t}",
    "SELECT 'rule ' || quote_ident(rulename) || ' on ' || {class} FROM pg_rewrite w JOIN pg_class c ON c.oid = ev_class JOIN pg_namespace n ON "
    "n.oid = relnamespace WHERE rulename <> '_RETURN' AND {users} AND {own_c}",
    "SELECT 'policy ' || quote_ident(polname) || ' on ' || {class} || ' ' || polcmd::text || coalesce(' using ' || pg_get_expr(polqual, polrelid), '') "
    "|| coalesce(' check ' || pg_get_expr(polwithcheck, polrelid), '') FROM pg_policy JOIN pg_class c ON c.oid = polrelid JOIN pg_namespace n ON "
    "n.oid = relnamespace WHERE {users}",
    "SELECT 'event trigger ' || quote_ident(evtname) || ' ' || evtevent FROM pg_event_trigger e WHERE {own_e}",
    "SELECT 'extension ' || quote_ident(extname) || ' in ' || quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace",
    "SELECT 'server ' || quote_ident(srvname) FROM pg_foreign_server",
    "SELECT 'text search configuration ' || quote_ident(nspname) || '.' || quote_ident(cfgname) FROM pg_ts_config g JOIN pg_namespace n "
    "ON n.oid = cfgnamespace WHERE {users} AND {own_g}",
    "SELECT 'setting ' || coalesce(quote_ident(rolname) || ' ', '') || unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON "
    "d.oid = setdatabase LEFT JOIN pg_roles r ON r.oid = setrole WHERE datname = current_database()",
)
# Between two major versions the server writes the same view differently.
VIEWS = (
    "SELECT 'definition ' || {class} || ' ' || regexp_replace(pg_get_viewdef(c.oid), '\\s+', ' ', 'g') FROM pg_class c JOIN pg_namespace n ON "
    "n.oid = relnamespace WHERE relkind IN ('v', 'm') AND {users} AND {own_c}"
)
OWNERS = (
    "SELECT 'owner ' || {class} || ' ' || quote_ident(pg_get_userbyid(relowner)) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
    "WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {users} AND {own_c}",
    "SELECT 'owner function ' || {proc} || ' ' || quote_ident(pg_get_userbyid(proowner)) FROM pg_proc p JOIN pg_namespace n ON "
    "n.oid = pronamespace WHERE {users} AND {own_p}",
    "SELECT 'owner schema ' || quote_ident(nspname) || ' ' || quote_ident(pg_get_userbyid(nspowner)) FROM pg_namespace n "
    "WHERE nspname <> 'public' AND {users} AND {own_n}",
)
GRANTS = (
    # (kind of acldefault, what it is called, columns, from)
    ("r", "{class}", "relacl", "relowner", "pg_class c JOIN pg_namespace n ON n.oid = relnamespace", "relkind IN ('r', 'p', 'v', 'm', 'f') AND {users} AND {own_c}"),
    ("s", "{class}", "relacl", "relowner", "pg_class c JOIN pg_namespace n ON n.oid = relnamespace", "relkind = 'S' AND {users} AND {own_c}"),
    ("c", "{class} || '.' || quote_ident(attname)", "attacl", "relowner", "pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace",
     "attacl IS NOT NULL AND NOT attisdropped AND {users} AND {own_c}"),  # fmt: skip
    ("f", "'function ' || {proc}", "proacl", "proowner", "pg_proc p JOIN pg_namespace n ON n.oid = pronamespace", "{users} AND {own_p}"),
    ("n", "'schema ' || quote_ident(nspname)", "nspacl", "nspowner", "pg_namespace n", "{users} AND {own_n}"),
    ("L", "'large object ' || l.oid", "lomacl", "lomowner", "pg_largeobject_metadata l", "lomacl IS NOT NULL"),
    ("d", "'the database'", "datacl", "datdba", "pg_database", "datname = current_database()"),
)  # fmt: skip


def _fill(sql, version):
    words = {
        "users": USERS, "class": "quote_ident(nspname) || '.' || quote_ident(relname)",
        "proc": "quote_ident(nspname) || '.' || quote_ident(proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')'",
        # Columns of the catalogues that came with versions 10 and 12.
        "partition": "pg_get_expr(relpartbound, c.oid)" if version >= 100000 else "NULL",
        "identity": "CASE WHEN attidentity <> '' THEN ' identity ' || attidentity::text ELSE '' END" if version >= 100000 else "''",
        "generated": "attgenerated <> ''" if version >= 120000 else "false",
    }  # fmt: skip
    for letter, catalogue in (("n", "pg_namespace"), ("c", "pg_class"), ("p", "pg_proc"), ("t", "pg_type"), ("k", "pg_constraint"),
                              ("e", "pg_event_trigger"), ("g", "pg_ts_config")):  # fmt: skip
        words["own_" + letter] = NOT_EXTENSION % (catalogue, letter)
    sql = sql.format(**words)
    return sql if version >= 130000 else sql.replace("attcollation::regcollation::text", "attcollation::text")


def _grants(version):
    for kind, name, acl, owner, tables, where in GRANTS:
        yield _fill(
            "SELECT 'grant ' || a.privilege_type || ' on ' || " + name + " || ' to ' || CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE "
            "quote_ident(pg_get_userbyid(a.grantee)) END || CASE WHEN a.is_grantable THEN ' grantable' ELSE '' END FROM " + tables + ", "
            "aclexplode(coalesce(" + acl + ", acldefault('" + kind + "', " + owner + "))) a WHERE a.grantee <> " + owner + " AND "
            "a.privilege_type <> 'MAINTAIN' AND " + ("a.privilege_type <> 'CONNECT' AND " if kind == "d" else "") + where, version
        )  # fmt: skip
    yield (
        "SELECT 'default grant ' || a.privilege_type || ' on ' || defaclobjtype::text || coalesce(' in ' || quote_ident(nspname), '') || ' of ' || "
        "quote_ident(pg_get_userbyid(defaclrole)) || ' to ' || CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END "
        "FROM pg_default_acl LEFT JOIN pg_namespace n ON n.oid = defaclnamespace, aclexplode(defaclacl) a WHERE a.grantee <> defaclrole "
        "AND a.privilege_type <> 'MAINTAIN'"
    )


def digest(end, side, level, oldest, same_major, owners):
    """Everything that must be equal on both sides.

    `level` L1 counts rows, L2 hashes them. `oldest`: the lower of both servers' versions, so that both write alike.
    """
    spec = dict(admin(end).spec, name=end["name"]) if side == "target" else end
    # Before version 12 a float has no shortest exact text: 15 digits are what both can say.
    digits = 3 if oldest >= 120000 else 0
    database = Database(spec, digits=digits)
    version = database.version()
    statements = list(STRUCTURE) + ([VIEWS] if same_major else []) + (list(OWNERS) if owners else [])
    union = " UNION ALL ".join("SELECT * FROM (%s) q%d" % (_fill(sql, version), at) for at, sql in enumerate(statements))
    structure = sorted({row["line"] for row in database.rows("SELECT * FROM (%s) u(line) WHERE line IS NOT NULL" % union)})
    grants = []
    if owners:
        union = " UNION ALL ".join("SELECT * FROM (%s) q%d" % (sql, at) for at, sql in enumerate(_grants(version)))
        grants = sorted({row["line"] for row in database.rows("SELECT * FROM (%s) u(line)" % union)})
    return {
        "kind": "postgresql", "level": level, "server": "%d.%d" % (version // 10000, version % 10000),
        "tables": _contents(spec, digits, level, oldest),
        "sequences": {ident(s, n): "%s %s" % (v, "called" if c else "fresh") for s, n, v, c in sequences(spec)},
        "structure": [line for line in structure if not line.startswith("setting default_transaction_read_only=")],
        "grants": grants,
        "versions": {row["extname"]: row["extversion"] for row in database.rows("SELECT extname, extversion FROM pg_extension")},
        "position": position(spec),
    }  # fmt: skip


def _contents(spec, digits, level, oldest):
    streams = max(1, min(4, os.cpu_count() or 1))
    # Not those of materialized views: they are worked out again at the target, and the source's may be old.
    spread = pieces(spec, streams)
    jobs = [(spec, digits, level, mine) for mine in spread]
    if len(jobs) > 1:
        import multiprocessing  # slow to import, and no other action needs it

        with multiprocessing.get_context("fork").Pool(len(jobs)) as pool:
            parts = pool.map(_read, jobs, 1)
    else:
        parts = [_read(job) for job in jobs]
    found = {}
    for part in parts:
        for name, rows, total in part:
            entry = found.setdefault(name, [0, 0])
            entry[0], entry[1] = entry[0] + rows, (entry[1] + total) % (1 << 256)
    objects = _large_objects(spec, digits, level, oldest)
    if objects[0]:
        found[LARGE_OBJECTS] = objects
    return {name: {"rows": rows, "sha256": "%064x" % total if level == "L2" else ""} for name, (rows, total) in found.items()}


def _read(job):
    """[(table, rows, sum), …] of some pieces, through one session."""
    spec, digits, level, given = job
    lines = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"]
    for piece in given:
        what = select(piece) if level == "L2" else "(SELECT count(*) FROM %s)" % rows_of(piece)
        lines += ["COPY %s TO STDOUT;" % what, r"\echo '\\.'"]
    found, total = [], RowSum()
    for line in _lines(spec, digits, "\n".join(lines + ["COMMIT;", ""])):
        if line != b"\\.\n":
            if level == "L2":
                total.add(line)
            else:
                total.rows = int(line)
            continue
        piece = given[len(found)]
        found.append((ident(piece["schema"], piece["name"]), total.rows, total.value))
        total = RowSum()
    if len(found) != len(given):
        raise Problem("读取 %s 中断" % spec["name"], "Reading %s was cut off" % spec["name"])
    return found


def _lines(spec, digits, script):
    """psql's output, line by line. Raises Problem when it ends badly."""
    database = Database(spec, digits=digits)
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(script.encode("utf-8"))
        given.seek(0)
        with subprocess.Popen(database.psql_argv(), stdin=given, stdout=subprocess.PIPE, stderr=said, env=database.environment()) as child:
            for line in child.stdout:
                yield line
        said.seek(0)
        text = said.read().decode("utf-8", "replace").strip()[-500:]
    if child.returncode:
        raise Problem("读取 %s 失败：%s" % (spec["name"], text), "Reading %s failed: %s" % (spec["name"], text))


def _large_objects(spec, digits, level, oldest):
    """[rows, sum]; each object is hashed by the server, as one can be gigabytes."""
    if level != "L2":
        return [count_large_objects(spec), 0]
    hashed = "sha256" if oldest >= 110000 else "md5"
    total = RowSum()
    for line in _lines(spec, digits, "COPY (SELECT oid, %s(lo_get(oid)) FROM pg_largeobject_metadata) TO STDOUT;" % hashed):
        total.add(line)
    return [total.rows, total.value]


# --- what came later


def baseline(end, system):
    """Note what the copy is like, now that it is known to be equal: what comes later was taken by the target."""
    database = Database(dict(admin(end).spec, name=end["name"]))
    found = {"xid": position(database.spec)["xid"], "deleted": _deleted(database), "run_id": system["run_id"]}
    with noting(end, system, "target") as note:
        note["baseline"] = found


def _deleted(database):
    rows = database.rows("SELECT schemaname AS s, relname AS t, n_tup_del AS n FROM pg_stat_user_tables WHERE n_tup_del > 0")
    return {ident(row["s"], row["t"]): row["n"] for row in rows}


def taken(end, system):
    """Rows that the copy took after the baseline, to standard output as JSON lines: {"table", "row"} for what was inserted
    or changed, {"large_object", "base64"}, {"table", "deleted": how many} and at last {"end": how many lines}. Without a
    baseline the copy never served."""
    noted = read_note(end, system, "target").get("baseline")
    database, lines = Database(dict(admin(end).spec, name=end["name"])), 0
    if noted is None or noted["run_id"] != system["run_id"]:
        print(json.dumps({"end": 0}))
        return
    if end.get("data_dir"):
        Cluster(end).start()  # an earlier attempt of this way back may have stopped it already
    # Transaction numbers are compared on their circle, as PostgreSQL does; those below 3 are older than all.
    later = "xmin::text::bigint > 2 AND (xmin::text::bigint - %d + (1::bigint << 32)) %% (1::bigint << 32) < (1::bigint << 31)" % (
        noted["xid"] % (1 << 32)
    )
    script = ["\\set FETCH_COUNT 1000"]
    for piece in [piece for mine in pieces(database.spec, 1) for piece in mine]:
        if piece["blocks"] is None or piece["blocks"][0] == 0:
            script.append("SELECT json_build_object('table', %s, 'row', row_to_json(t)) FROM ONLY %s t WHERE %s;" % (
                literal(ident(piece["schema"], piece["name"])), ident(piece["schema"], piece["name"]), later))  # fmt: skip
    script.append(
        "SELECT json_build_object('large_object', oid::bigint, 'base64', replace(encode(lo_get(oid), 'base64'), E'\\n', '')) FROM "
        "pg_largeobject_metadata m WHERE %s OR EXISTS (SELECT 1 FROM (SELECT xmin, loid FROM pg_largeobject) o WHERE o.loid = m.oid AND %s);"
        % (later.replace("xmin", "m.xmin"), later.replace("xmin", "o.xmin"))
    )
    for line in _lines(database.spec, 3, "\n".join(script + [""])):
        sys.stdout.buffer.write(line)
        lines += 1
    now = _deleted(database)
    for table in sorted(now):
        gone = now[table] - noted["deleted"].get(table, 0)
        if gone > 0:
            sys.stdout.buffer.write((json.dumps({"table": table, "deleted": gone}) + "\n").encode())
            lines += 1
    sys.stdout.buffer.write((json.dumps({"end": lines}) + "\n").encode())
