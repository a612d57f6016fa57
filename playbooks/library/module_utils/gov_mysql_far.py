"""The far end of a pipe for MySQL and MariaDB: digests, what came later, and all actions by name. Standard library only,
Python 3.6 or newer."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

from ansible.module_utils import gov_mysql_copy as copy
from ansible.module_utils.gov_db import Problem, RowSum, noting, own_name, read_note
from ansible.module_utils.gov_mysql import Server, ident, literal, position, words_of

_ROW = re.compile(rb"INSERT INTO (`(?:[^`]|``)*`)")
# Whole numbers had a width for display until MySQL 8.0.19 left it out.
_WIDTH = re.compile(r"\b(tinyint|smallint|mediumint|int|bigint)\(\d+\)")

STRUCTURE = (
    "SELECT CONCAT('database charset ', default_character_set_name, ' collation ', default_collation_name) FROM information_schema.schemata "
    "WHERE schema_name = {n}",
    "SELECT CONCAT('table ', table_name, ' engine ', COALESCE(engine, '-'), ' collation ', COALESCE(table_collation, '-'), "
    "IF(table_type = 'SEQUENCE', ' sequence', '')) FROM information_schema.tables WHERE table_schema = {n} AND table_type <> 'VIEW'",
    "SELECT CONCAT('column ', c.table_name, '.', column_name, ' #', ordinal_position, ' ', column_type, IF(is_nullable = 'NO', ' not null', ''), "
    "COALESCE(CONCAT(' collation ', collation_name), ''), COALESCE(CONCAT(' default ', column_default), ''), IF(extra = '', '', CONCAT(' ', extra)), "
    "IF(generation_expression IS NULL OR generation_expression = '', '', CONCAT(' as ', generation_expression))) FROM information_schema.columns c "
    "WHERE table_schema = {n}",
    "SELECT CONCAT(IF(MAX(non_unique), 'index ', 'unique index '), table_name, '.', index_name, ' (', GROUP_CONCAT(CONCAT(COALESCE(column_name, "
    "'expression'), COALESCE(CONCAT('(', sub_part, ')'), '')) ORDER BY seq_in_index), ') ', MAX(index_type)) FROM information_schema.statistics "
    "WHERE table_schema = {n} GROUP BY table_name, index_name",
    "SELECT CONCAT('foreign key ', k.table_name, '.', k.constraint_name, ' (', GROUP_CONCAT(k.column_name ORDER BY k.ordinal_position), ') -> ', "
    "MAX(k.referenced_table_name), ' (', GROUP_CONCAT(k.referenced_column_name ORDER BY k.ordinal_position), ') ', MAX(r.update_rule), ' ', "
    "MAX(r.delete_rule)) FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r ON r.constraint_schema = "
    "k.constraint_schema AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name WHERE k.table_schema = {n} GROUP BY k.table_name, "
    "k.constraint_name",
    "SELECT CONCAT('view ', table_name, ' definer ', definer, ' ', security_type) FROM information_schema.views WHERE table_schema = {n}",
    "SELECT CONCAT(LOWER(routine_type), ' ', routine_name, ' definer ', definer, ' ', COALESCE(dtd_identifier, '-'), ' ', "
    "MD5(COALESCE(routine_definition, ''))) FROM information_schema.routines WHERE routine_schema = {n}",
    "SELECT CONCAT('trigger ', trigger_name, ' on ', event_object_table, ' ', action_timing, ' ', event_manipulation, ' definer ', definer, ' ', "
    "MD5(action_statement)) FROM information_schema.triggers WHERE trigger_schema = {n}",
    "SELECT CONCAT('event ', event_name, ' definer ', definer, ' ', COALESCE(interval_value, ''), ' ', COALESCE(interval_field, ''), ' ', status, ' ', "
    "MD5(event_definition)) FROM information_schema.events WHERE event_schema = {n}",
)
VIEWS = "SELECT CONCAT('definition ', table_name, ' ', MD5(view_definition)) FROM information_schema.views WHERE table_schema = {n}"


def digest(end, system, side, level, alike, accounts, keep=False):
    """`alike`: both servers are of one vendor and major version; `accounts`: both let us read theirs; `keep`: write down
    what each row of the target is like, for baseline()."""
    server = Server(end)
    statements = STRUCTURE + ((VIEWS,) if alike else ())
    rows = [row for sql in statements for row in server.sql(sql.format(n=literal(server.schema)))]
    structure = sorted(_WIDTH.sub(r"\1", "\t".join(row)) for row in rows if row[0] != "NULL")
    return {
        "kind": "mysql", "level": level, "server": server.value("SELECT VERSION()"),
        "tables": _contents(server, level, _kept(end, system) + ".new" if keep and side == "target" else None),
        "sequences": _counters(server), "structure": structure,
        "grants": sorted(line for pair in copy.involved(server) for line in copy.grants(server, pair)) if accounts else [],
        "versions": {}, "position": position(end),
    }  # fmt: skip


def _counters(server):
    found = server.sql("SELECT table_name, auto_increment FROM information_schema.tables WHERE table_schema = %s AND auto_increment IS NOT NULL"
                       % literal(server.schema))  # fmt: skip
    named = server.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'SEQUENCE'" % literal(server.schema))
    values = {row[0]: row[1] for row in found}
    for (name,) in named:
        values[name] = server.value("SELECT next_not_cached_value FROM %s.%s" % (ident(server.schema), ident(name)))
    return values


def _tables(server):
    rows = server.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE' ORDER BY 1"
                      % literal(server.schema))  # fmt: skip
    return [row[0] for row in rows]


def _contents(server, level, keep):
    names = _tables(server)
    if level != "L2":
        return {n: {"rows": int(server.value("SELECT COUNT(*) FROM %s.%s" % (ident(server.schema), ident(n)))), "sha256": ""} for n in names}
    found = {name: RowSum() for name in names}
    out = open(keep, "wb") if keep else None
    if keep:
        os.chmod(keep, 0o600)
    try:
        for name, line in _rows(server):
            found[name].add(line)
            if out:
                out.write(hashlib.sha256(name.encode() + b"\0" + line).hexdigest()[:32].encode() + b"\n")
    finally:
        if out:
            out.close()
    return {name: total.result() for name, total in found.items()}


def _rows(server):
    """(table, row as the INSERT that makes it) of all tables, from one moment."""
    words = ["--no-create-info", "--skip-triggers", "--skip-extended-insert", "--compact"]
    with tempfile.TemporaryFile() as said:
        child = server.start(("mysqldump", "mariadb-dump"), copy._dump_options(server, words) + ["--", server.schema], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=said)  # fmt: skip
        prefix, name = b"\n", ""
        for line in child.stdout:
            if not line.startswith(prefix):
                match = _ROW.match(line)
                if not match:
                    continue
                prefix, name = match.group(0) + b" ", match.group(1)[1:-1].replace(b"``", b"`").decode("utf-8")
            yield name, line
        code = child.wait()
        said.seek(0)
        text = words_of(said.read())
    if code:
        raise Problem("读取 %s 失败：%s" % (server.schema, text), "Reading %s failed: %s" % (server.schema, text))


# --- what came later


def _kept(end, system):
    return os.path.join(end["state_dir"], own_name(system["system_id"], end["index"], ".rows"))


def baseline(end, system):
    """What the last digest wrote down is what the copy was like when it was equal."""
    os.replace(_kept(end, system) + ".new", _kept(end, system))
    with noting(end, system, "target") as note:
        note["baseline"] = {"run_id": system["run_id"]}


def taken(end, system):
    """Rows that are not in the baseline, as JSON lines with the INSERT that makes them; {"table": "*", "deleted"} counts
    rows of the baseline that are gone or were changed; {"end": lines} at last."""
    noted, lines = read_note(end, system, "target").get("baseline"), 0
    if noted and noted["run_id"] == system["run_id"]:
        with tempfile.TemporaryDirectory(prefix="govcloud-", dir=end["state_dir"]) as folder:
            now = os.path.join(folder, "now")
            with open(now, "wb") as out:
                for name, line in _rows(Server(end)):
                    key = hashlib.sha256(name.encode() + b"\0" + line).hexdigest()[:32]
                    out.write(("%s %s " % (key, json.dumps(name))).encode() + line)
            # Sorted on disk: a table may be larger than memory.
            for path in (_kept(end, system), now):
                subprocess.check_call(["sort", "-T", folder, "-o", path + ".sorted", path], env=dict(os.environ, LC_ALL="C"))
            lines += _difference(_kept(end, system) + ".sorted", now + ".sorted")
            os.unlink(_kept(end, system) + ".sorted")
    _line({"end": lines})


def _difference(before, now):
    lines = gone = 0
    with open(before, "rb") as old, open(now, "rb") as new:
        a, b = old.readline(), new.readline()
        while a or b:
            left, right = a[:32], b[:32]
            if a and (not b or left < right):
                gone += 1
                a = old.readline()
            elif b and (not a or right < left):
                table, at = json.JSONDecoder().raw_decode(b[33:].decode("utf-8", "replace"))
                lines += _line({"table": table, "row": b[33:].decode("utf-8", "backslashreplace")[at:].strip()})
                b = new.readline()
            else:
                a, b = old.readline(), new.readline()
    if gone:
        lines += _line({"table": "*", "deleted": gone})
    return lines


def _line(document):
    sys.stdout.write(json.dumps(document, ensure_ascii=True) + "\n")
    return 1


ACTIONS = {
    "describe": (copy.describe, False), "users": (copy.users, False), "set_users": (copy.set_users, True), "dump": (copy.dump, False),
    "dump_tables": (lambda end: copy.dump(end, tables=json.load(sys.stdin)), False), "restore": (copy.restore, True),
    "load": (lambda end, system: bool(copy.load(end, system)), True), "exists": (copy.exists, False), "set_counters": (copy.set_counters, True),
    "check_source": (copy.check_source, False), "credentials": (copy.credentials, False), "follow": (copy.follow, True),
    "lag": (copy.lag, False), "received": (copy.received, False), "pause": (copy.pause, True), "resume": (copy.resume, True),
    "unfollow": (copy.unfollow, True), "digest": (digest, False), "baseline": (baseline, True), "taken": (taken, False),
}  # fmt: skip
