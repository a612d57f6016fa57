"""What surrounds the rows of a PostgreSQL database: the database itself with its settings and privileges, accounts,
sequences, and whose copy it is. Standard library only, Python 3.6 or newer."""

import json
import os
import sys

from ansible.module_utils.gov_db import Problem, noting, read_note
from ansible.module_utils.gov_postgres_server import Database, admin

USERS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
NOT_EXTENSION = "NOT EXISTS (SELECT 1 FROM pg_depend x WHERE x.classid = '%s'::regclass AND x.objid = %s.oid AND x.deptype = 'e')"
# Settings that hold a list: ALTER DATABASE takes them without quotes (as pg_dump does).
LISTS = ("search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries", "DateStyle")


def ident(*names):
    return ".".join('"%s"' % name.replace('"', '""') for name in names)


def describe(end, system, side):
    """What a copy must have from the start: encoding, locale, settings, privileges on the database itself."""
    database = admin(end) if side == "target" else Database(end)
    if side == "target":
        row = database.rows("SELECT current_setting('server_version_num')::int AS version, rolsuper AS superuser, "
                            "rolsuper OR rolcreaterole AS makes_roles FROM pg_roles WHERE rolname = current_user", "postgres")[0]  # fmt: skip
        return dict(row, cpus=os.cpu_count() or 1)
    icu = database.version() >= 150000
    found = database.rows(
        "SELECT current_setting('server_version_num')::int AS version, pg_database_size(current_database()) AS bytes, "
        "pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype, pg_get_userbyid(datdba) AS owner, "
        "datconnlimit AS \"limit\", %s AS icu, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser "
        "FROM pg_database WHERE datname = current_database()"
        % (("daticulocale" if database.version() < 170000 else "CASE WHEN datlocprovider = 'i' THEN datlocale END") if icu else "NULL")
    )[0]
    found["settings"] = [
        (row["role"], row["setting"])
        for row in database.rows(
            "SELECT coalesce(rolname, '') AS role, unnest(setconfig) AS setting FROM pg_db_role_setting s JOIN pg_database d "
            "ON d.oid = setdatabase LEFT JOIN pg_roles r ON r.oid = setrole WHERE datname = current_database() ORDER BY 1, 2"
        )
        if not row["setting"].startswith("default_transaction_read_only=")
    ]
    found["grants"] = [
        (row["privilege"], row["role"])
        for row in database.rows(
            "SELECT privilege_type AS privilege, coalesce(rolname, '') AS role FROM pg_database d, "
            "aclexplode(coalesce(datacl, acldefault('d', datdba))) a LEFT JOIN pg_roles r ON r.oid = a.grantee "
            "WHERE datname = current_database() AND a.grantee <> datdba ORDER BY 1, 2"
        )
    ]
    found["public"] = [
        (row["privilege"], row["role"])
        for row in database.rows(
            "SELECT privilege_type AS privilege, coalesce(rolname, '') AS role FROM pg_namespace n, "
            "aclexplode(coalesce(nspacl, acldefault('n', nspowner))) a LEFT JOIN pg_roles r ON r.oid = a.grantee "
            "WHERE nspname = 'public' AND a.grantee <> nspowner ORDER BY 1, 2"
        )
    ]
    frozen = read_note(end, system, "source").get("freeze")
    if frozen:
        # What the freeze took away belongs to the database all the same.
        found["limit"] = frozen["before"]["limit"]
        found["grants"] = [g for g in found["grants"] if g[0] != "CONNECT"] + [("CONNECT", r) for r in frozen["before"]["connect"]]
    found["cpus"] = os.cpu_count() or 1
    return found



def roles(end, secret=False):
    """Accounts that objects of this database need: owners, grantees, their members. Verifiers only with `secret`, which
    goes nowhere but into the other end of a pipe."""
    database = Database(end)
    superuser = database.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == "t"
    verifier = "(SELECT rolpassword FROM pg_authid x WHERE x.oid = r.oid)" if superuser else "NULL::text"
    found = database.rows(
        "WITH RECURSIVE needed AS ("
        "  SELECT refobjid AS oid FROM pg_shdepend s JOIN pg_database d ON d.datname = current_database() WHERE "
        "  refclassid = 'pg_authid'::regclass AND (s.dbid = d.oid OR s.dbid = 0 AND s.classid = 'pg_database'::regclass AND objid = d.oid) "
        "  UNION SELECT datdba FROM pg_database WHERE datname = current_database() "
        "  UNION SELECT oid FROM pg_roles WHERE rolname = current_user "
        "  UNION SELECT relowner FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE " + USERS + " "
        "  UNION SELECT setrole FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase WHERE setrole <> 0 "
        "  AND datname = current_database() "
        "  UNION SELECT m.member FROM pg_auth_members m JOIN needed ON m.roleid = needed.oid"
        ") SELECT rolname AS name, rolcanlogin AS login, rolinherit AS inherit, rolconnlimit AS \"limit\", rolvaliduntil AS until, "
        "rolsuper AS superuser, rolcreaterole AS creates_roles, rolbypassrls AS bypasses, rolreplication AS replicates, "
        "rolconfig AS settings, " + verifier + " AS verifier, ARRAY(SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g "
        "ON g.oid = m.roleid WHERE m.member = r.oid AND m.roleid IN (SELECT oid FROM needed)) AS groups "
        "FROM pg_roles r WHERE oid IN (SELECT oid FROM needed) AND rolname !~ '^pg_' ORDER BY 1"
    )
    for role in found:
        role["password"] = role["verifier"] is not None
        if not secret:
            del role["verifier"]
    return found


def import_roles(end, system):
    """Create what is missing from the list on standard input. Accounts that exist keep their password; nobody becomes
    superuser here, or may create accounts, because he did there."""
    database = admin(end)
    given, without = json.load(sys.stdin), []
    there = {row["rolname"] for row in database.rows("SELECT rolname FROM pg_roles", "postgres")}
    for role in given:
        if role["name"] not in there:
            words = " LOGIN" if role["login"] else " NOLOGIN"
            words += " INHERIT" if role["inherit"] else " NOINHERIT"
            if role["limit"] >= 0:
                words += " CONNECTION LIMIT %d" % role["limit"]
            values = {"r": role["name"]}
            if role["until"] and role["until"] != "infinity":
                words, values["t"] = words + " VALID UNTIL :'t'", role["until"]
            if role["login"] and not role["verifier"]:
                without.append(role["name"])
            if role["verifier"]:
                words, values["v"] = words + " PASSWORD :'v'", role["verifier"]
            _quietly(database, 'CREATE ROLE :"r"' + words, values)
            for setting in role["settings"] or []:
                _set(database, 'ALTER ROLE :"r" SET', setting, "postgres", {"r": role["name"]})
    with noting(end, system, "target") as note:
        note["without_password"] = sorted(set(note.get("without_password", [])) | set(without))
    members = {
        (row["role"], row["member"])
        for row in database.rows("SELECT pg_get_userbyid(roleid) AS role, pg_get_userbyid(member) AS member FROM pg_auth_members", "postgres")
    }
    for role in given:
        for group in role["groups"]:
            if (group, role["name"]) not in members:
                database.psql('GRANT :"g" TO :"r"', "postgres", {"g": group, "r": role["name"]})


def _quietly(database, sql, variables):
    """A statement with a password verifier in it, kept out of the server's log where the account may say so."""
    if database.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user", "postgres") == "t":
        sql = "SET log_statement = none; SET log_min_duration_statement = -1; SET log_min_error_statement = panic;\n" + sql
    database.psql(sql, "postgres", variables)


def _set(database, words, setting, name, variables):
    key, value = setting.split("=", 1)
    form = ":v" if key in LISTS else ":'v'"
    database.psql(words + ' :"k" TO ' + form, name, dict(variables, k=key, v=value))


# --- sequences


def sequences(end):
    """[[schema, name, last value, is_called], …]"""
    database = Database(end)
    names = database.rows(
        "SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE relkind = 'S' AND relpersistence <> 't' AND " + USERS + " AND " + NOT_EXTENSION % ("pg_class", "c") + " ORDER BY 1, 2"
    )
    found = []
    for first in range(0, len(names), 500):
        union = " UNION ALL ".join(
            "SELECT %d AS n, last_value AS v, is_called AS c FROM %s" % (first + at, ident(s["schema"], s["name"]))
            for at, s in enumerate(names[first : first + 500])
        )
        found += [[names[r["n"]]["schema"], names[r["n"]]["name"], r["v"], r["c"]] for r in database.rows(union)]
    return sorted(found)


def set_sequences(end, name):
    given = json.load(sys.stdin)
    words = ["SELECT setval(%s::regclass, %d, %s);" % (literal(ident(s, n)), int(v), bool(c)) for s, n, v, c in given]
    if words:
        admin(end).psql("\n".join(words), name)


def literal(text):
    return "'" + text.replace("'", "''") + "'"


# --- the copy's names


def exists(end, system):
    """{"there", "ours": made by this run}"""
    there = admin(end).value("SELECT oid FROM pg_database WHERE datname = :'n'", "postgres", {"n": end["name"]})
    return {"there": bool(there), "ours": read_note(end, system, "target").get("copies", {}).get(there) == system["run_id"]}


def create(end, facts, name):
    """An empty database in the source's encoding and locale, in place of a left-over of an earlier attempt."""
    database = admin(end)
    _drop(database, name)
    words, values = "", {"p": name, "u": end["user"], "e": facts["encoding"], "c": facts["collate"], "t": facts["ctype"]}
    if facts["icu"]:
        words, values["i"] = " LOCALE_PROVIDER icu ICU_LOCALE :'i'", facts["icu"]
    database.psql('CREATE DATABASE :"p" OWNER :"u" TEMPLATE template0 ENCODING :\'e\' LC_COLLATE :\'c\' LC_CTYPE :\'t\'' + words,
                  "postgres", values)  # fmt: skip


def _drop(database, name):
    _end_sessions(database, name)
    database.psql('DROP DATABASE IF EXISTS :"n"', "postgres", {"n": name})


def _end_sessions(database, name):
    database.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :'n' AND pid <> pg_backend_pid()", "postgres", {"n": name})


def dress(end, facts, name):
    """Settings, privileges on the database and on schema public, owner: what no dump of a database carries."""
    database = admin(end)
    for role, setting in facts["settings"]:
        words = 'ALTER ROLE :"r" IN DATABASE :"n" SET' if role else 'ALTER DATABASE :"n" SET'
        _set(database, words, setting, "postgres", {"n": name, "r": role})
    if facts["owners"] and facts["owner"] != end["user"]:
        database.psql('ALTER DATABASE :"n" OWNER TO :"r"', "postgres", {"n": name, "r": facts["owner"]})
    if facts["limit"] >= 0:
        database.psql('ALTER DATABASE :"n" CONNECTION LIMIT %d' % facts["limit"], "postgres", {"n": name})
    if facts["owners"]:
        database.psql('REVOKE ALL ON DATABASE :"n" FROM PUBLIC', "postgres", {"n": name})
        for privilege, role in facts["grants"]:
            database.psql('GRANT %s ON DATABASE :"n" TO ' % _privilege(privilege) + (':"r"' if role else "PUBLIC"), "postgres", {"n": name, "r": role})
        for privilege, role in facts["public"]:
            database.psql("GRANT %s ON SCHEMA public TO " % _privilege(privilege) + (':"r"' if role else "PUBLIC"), name, {"r": role})


def _privilege(word):
    if word not in ("CONNECT", "CREATE", "TEMPORARY", "USAGE"):
        raise ValueError("no privilege of a database or schema: %s" % word)
    return word


def demand_ours(end, system):
    """Number of the database that has the final name, None where there is none; and which we made, by run. Raises Problem
    for one that we didn't make: a name can be taken, a number can't."""
    there = admin(end).value("SELECT oid FROM pg_database WHERE datname = :'n'", "postgres", {"n": end["name"]})
    made = read_note(end, system, "target").get("copies", {})
    if there and there not in made:
        raise Problem("目标上已有数据库 %s，不是本工具建的，不会动它" % end["name"],
                      "The target has a database %s that is no copy of ours: it is not touched" % end["name"])  # fmt: skip
    return there, made


def swap(end, system, name):
    """Give the restored copy its final name. An earlier copy of this run goes; one of an earlier run is kept under
    another name; anything else is somebody's own, and stays where it is. The name under which something was kept."""
    database, final, kept = admin(end), end["name"], ""
    there, made = demand_ours(end, system)
    ours = database.value("SELECT oid FROM pg_database WHERE datname = :'n'", "postgres", {"n": name})
    with noting(end, system, "target") as note:
        note.setdefault("copies", {})[ours] = system["run_id"]
    if there and made[there] == system["run_id"]:
        _drop(database, final)
    elif there:
        kept = "%s_kept_%s" % (final[:40], there)
        _end_sessions(database, final)
        database.psql('ALTER DATABASE :"n" RENAME TO :"k"', "postgres", {"n": final, "k": kept})
    database.psql('ALTER DATABASE :"p" RENAME TO :"n"', "postgres", {"p": name, "n": final})
    return {"kept": kept}
