"""PostgreSQL on one host, through its own client programs. Standard library only, Python 3.8 or newer.

Imported by our Ansible modules, and run as `python3 -c <this text> ACTION JSON` at the far end of an SSH pipe.
Passwords are read from a file on the host and reach the client programs in PGPASSWORD, which only the same user can
read: never in an argument, a result or a log.
"""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys

# Text forms of values differ with these settings; both ends must use the same (row digests).
PINNED = {
    "PGTZ": "UTC",
    "PGDATESTYLE": "ISO, YMD",
    "PGCLIENTENCODING": "UTF8",
    "PGOPTIONS": "-c extra_float_digits=3 -c intervalstyle=iso_8601 -c bytea_output=hex -c statement_timeout=0 "
    "-c row_security=off -c search_path=pg_catalog",
}
RELATIONS = (
    "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = '%s' AND n.nspname !~ '^pg_' "
    "AND n.nspname <> 'information_schema'"
)
OBJECTS = (
    "SELECT c.relkind::text || ' ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname) || coalesce(' ' || "
    "(SELECT string_agg(quote_ident(a.attname) || ':' || format_type(a.atttypid, a.atttypmod) || "
    "CASE WHEN a.attnotnull THEN '!' ELSE '' END, ',' ORDER BY a.attnum) FROM pg_attribute a "
    "WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '') AS line FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' "
    "UNION ALL SELECT 'function ' || quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || "
    "pg_get_function_identity_arguments(p.oid) || ') ' || md5(coalesce(p.prosrc, '')) FROM pg_proc p "
    "JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' "
    "UNION ALL SELECT 'constraint ' || conname || ' ' || conrelid::regclass::text || ' ' || contype::text FROM pg_constraint k "
    "JOIN pg_namespace n ON n.oid = k.connamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' "
    "AND contype <> 'n' "
    "UNION ALL SELECT 'trigger ' || tgname || ' ' || tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal "
    "UNION ALL SELECT 'extension ' || extname FROM pg_extension "
    "UNION ALL SELECT 'large objects ' || count(*) FROM pg_largeobject_metadata"
)


class PostgresError(Exception):
    pass


class Database(object):
    """One database as its spec describes it: host, port, name, user, bin, password_file."""

    def __init__(self, spec):
        self.spec = spec

    def program(self, name):
        return os.path.join(self.spec["bin"], name)

    def environment(self):
        with open(self.spec["password_file"], encoding="utf-8") as stream:
            password = stream.read().strip("\r\n")
        return dict(os.environ, LC_ALL="C.UTF-8", PGPASSWORD=password, PGCONNECT_TIMEOUT="10", **PINNED)

    def login(self, name=None):
        return [
            "--host", self.spec["host"], "--port", str(self.spec.get("port", 5432)), "--username", self.spec["user"],
            "--no-password", "--dbname", name or self.spec["name"],
        ]  # fmt: skip

    def psql(self, sql, name=None, variables=None):
        """Rows as lists of text. `variables` become psql variables: :'name' as a literal, :"name" as an identifier."""
        argv = [self.program("psql"), "-X", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1"] + self.login(name)
        # Through standard input: arguments can be seen by every user of the host.
        script = "".join("\\set %s %s\n" % (key, _quoted(value)) for key, value in (variables or {}).items()) + sql
        done = subprocess.run(argv, input=script.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self.environment(), timeout=600)  # fmt: skip
        if done.returncode != 0:
            raise PostgresError("psql: " + done.stderr.decode("utf-8", "replace").strip()[-500:])
        return [line.split("\x1f") for line in done.stdout.decode("utf-8").split("\n") if line]

    def value(self, sql, name=None, variables=None):
        rows = self.psql(sql, name, variables)
        return rows[0][0] if rows else None

    def dump(self):
        """Write the database to standard output in pg_dump's custom format. Returns pg_dump's exit code."""
        return subprocess.call(
            [self.program("pg_dump"), "--format=custom", "--compress=1", "--blobs"] + self.login(),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
        )

    def restore(self, name):
        """Read a custom-format dump from standard input into the database `name`, which must be empty."""
        return subprocess.call(
            [self.program("pg_restore"), "--exit-on-error", "--single-transaction"] + self.login(name),
            env=self.environment(),
        )

    def digest(self):
        """Everything that must be equal on both sides: rows of every table, sequences, structure."""
        tables = {}
        for (table,) in self.psql(RELATIONS % "r") + self.psql(RELATIONS % "m"):
            tables[table] = self._rows(table)
        sequences = {
            name: self.psql("SELECT last_value::text || ' ' || is_called::text FROM " + name)[0][0]
            for (name,) in self.psql(RELATIONS % "S")
        }
        objects = sorted(row[0] for row in self.psql(OBJECTS))
        return {
            "server_version": int(self.value("SHOW server_version_num")),
            "tables": tables,
            "sequences": sequences,
            "objects": hashlib.sha256("\n".join(objects).encode()).hexdigest(),
            "object_count": len(objects),
        }

    def _rows(self, table):
        copy = 'COPY (SELECT t.* FROM %s t ORDER BY t::text COLLATE "C") TO STDOUT' % table
        argv = [self.program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", copy] + self.login()
        digest, rows = hashlib.sha256(), 0
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=self.environment()) as child:
            for line in child.stdout:
                digest.update(line)
                rows += 1
        if child.returncode != 0:
            raise PostgresError("reading %s failed" % table)
        return {"rows": rows, "sha256": digest.hexdigest()}


def _quoted(value):
    """A value for psql's \\set: single quotes doubled, and its C-like escapes switched off."""
    if "\n" in value or "\0" in value:
        raise ValueError("line breaks are not allowed in names and settings")
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def scram_verifier(password):
    """What CREATE ROLE … PASSWORD takes instead of the password itself (RFC 5803 form, RFC 7677 hash)."""
    salt, rounds = os.urandom(16), 4096
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    stored = hashlib.sha256(hmac.new(salted, b"Client Key", "sha256").digest()).digest()
    server = hmac.new(salted, b"Server Key", "sha256").digest()
    parts = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return "SCRAM-SHA-256$%d:%s$%s:%s" % (rounds, parts[0], parts[1], parts[2])


def main(action, arguments):
    database = Database(arguments["database"])
    if action == "dump":
        return database.dump()
    if action == "restore":
        return database.restore(arguments["into"])
    if action == "digest":
        print(json.dumps(database.digest(), ensure_ascii=True, sort_keys=True))
        return 0
    raise ValueError("no such action: " + action)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], json.loads(sys.argv[2])))
    except (OSError, ValueError, PostgresError, subprocess.TimeoutExpired) as problem:
        sys.exit("govcloud: %s" % problem)
