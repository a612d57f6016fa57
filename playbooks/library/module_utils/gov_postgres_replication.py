"""Logical replication from a PostgreSQL database that still serves to its copy: our own slot and publication on the
source, our own subscription on the target. Standard library only, Python 3.6 or newer.

It carries rows of tables with a key. Sequences, large objects, tables without a key and changes of structure come with
the final synchronisation, which compares everything (postgresql.org, "Logical Replication: Restrictions").
"""

import sys
import time

from ansible.module_utils.gov_db import Problem, noting, own_name, read_note, read_password
from ansible.module_utils.gov_postgres import can_connect, check_frozen, end_source, position, replication_problems
from ansible.module_utils.gov_postgres_frame import NOT_EXTENSION, USERS, ident
from ansible.module_utils.gov_postgres_server import Cluster, Database, admin


def _own(end, system):
    return own_name(system["system_id"], end["index"])


def publish(end, system):
    """Begin anew on the source: a publication of all tables that may be published without harm. What was left out."""
    database = Database(end)
    for zh, en in replication_problems(database):
        raise Problem(zh, en)
    end_source(end, _own(end, system))
    tables = database.rows(
        # Once it's published, a table without a key takes no UPDATE any more: the application would fail.
        "SELECT n.nspname AS schema, c.relname AS name, c.relreplident IN ('f', 'i') OR c.relreplident = 'd' AND EXISTS "
        "(SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND indisprimary) AS has_key, "
        "pg_has_role(c.relowner, 'usage') AS mine FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE relkind = 'r' AND relpersistence = 'p' AND " + USERS + " AND " + NOT_EXTENSION % ("pg_class", "c") + " ORDER BY 1, 2"
    )
    published = [t for t in tables if t["has_key"] and t["mine"]]
    left_out = [ident(t["schema"], t["name"]) for t in tables if not (t["has_key"] and t["mine"])]
    if not published:
        raise Problem("没有可以发布的表（须有主键且属于此账号）", "No table can be published (a primary key, owned by this account)")
    names = ", ".join(ident(t["schema"], t["name"]) for t in published)
    database.psql("CREATE PUBLICATION %s FOR TABLE %s" % (ident(_own(end, system)), names))
    return {"published": len(published), "left_out": left_out}


def credentials(end):
    """The source's password to standard output, which is the other end of a pipe."""
    sys.stdout.write(read_password(end))


def reachable(end, host, port):
    """Whether this host gets to the source's server at all."""
    return can_connect(host, port)


def subscribe(end, system, host, port, user, name):
    """Begin where the slot's snapshot ended. The password comes on standard input and stays in the server's catalogue,
    which only superusers read, until the subscription is dropped."""
    database, own = admin(end), _own(end, system)
    password = sys.stdin.read()
    words = "host=%s port=%d user=%s dbname=%s application_name=govcloud connect_timeout=10" % (
        _word(host), port, _word(user), _word(name))  # fmt: skip
    words += " password=" + _word(password) if password else ""
    with noting(end, system, "target") as note:
        note["subscribed"] = True
        note.pop("paused", None)
    database.psql(
        "SET log_statement = none; SET log_min_duration_statement = -1; SET log_min_error_statement = panic;\n"
        'CREATE SUBSCRIPTION :"s" CONNECTION :\'c\' PUBLICATION :"s" WITH (create_slot = false, slot_name = :"s", copy_data = false)',
        end["name"], {"s": own, "c": words},
    )  # fmt: skip


def _word(value):
    return "'%s'" % value.replace("\\", "\\\\").replace("'", "\\'")


def lag(end, system):
    """The source's view: {"exists", "active", "bytes" not yet confirmed, "kept" bytes of log held back, "now": position}."""
    database = Database(end)
    rows = database.psql(
        "SELECT active, pg_current_wal_lsn() - confirmed_flush_lsn, pg_current_wal_lsn() - restart_lsn, pg_current_wal_lsn() "
        "FROM pg_replication_slots WHERE slot_name = :'s'", None, {"s": _own(end, system)}
    )  # fmt: skip
    if not rows:
        return {"exists": False, "active": False, "bytes": 0, "kept": 0, "now": ""}
    return {"exists": True, "active": rows[0][0] == "t", "bytes": int(rows[0][1]), "kept": int(rows[0][2]), "now": rows[0][3]}


def received(end, system, position):
    """The target's view: {"exists", "enabled", "there": everything up to the source's `position` has been applied}."""
    database, own = admin(end), _own(end, system)
    if not database.psql("SELECT 1 FROM pg_database WHERE datname = :'n'", "postgres", {"n": end["name"]}):
        return {"exists": False, "enabled": False, "there": False}
    rows = database.psql(
        # One worker applies one transaction after the other, so what it received before a position it has applied.
        "SELECT subenabled, coalesce(bool_or(latest_end_lsn >= nullif(:'p', '')::pg_lsn), false) FROM pg_subscription s LEFT JOIN "
        "pg_stat_subscription t ON t.subid = s.oid AND t.relid IS NULL WHERE s.subname = :'s' AND s.subdbid = "
        "(SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY 1", end["name"], {"s": own, "p": position}
    )  # fmt: skip
    if not rows:
        return {"exists": False, "enabled": False, "there": False}
    return {"exists": True, "enabled": rows[0][0] == "t", "there": rows[0][1] == "t"}


def pause(end, system):
    """Hold the copy still, and note what it is like."""
    database, own = admin(end), _own(end, system)
    if not received(end, system, "")["exists"]:
        return False
    database.psql('ALTER SUBSCRIPTION :"s" DISABLE', end["name"], {"s": own})
    for _ in range(100):
        if not database.psql("SELECT pid FROM pg_stat_subscription WHERE subname = :'s' AND pid IS NOT NULL", end["name"], {"s": own}):
            break
        time.sleep(0.2)
    else:
        raise Problem("订阅 %s 停不下来" % own, "The subscription %s does not stop" % own)
    time.sleep(1.2)  # the worker's last counters
    found = position(dict(database.spec))
    with noting(end, system, "target") as note:
        note["paused"] = {"changes": found["changes"]}
    return True


def resume(end, system):
    """Go on after a pause. False: somebody wrote into the copy meanwhile, so it has to be made anew."""
    database, own = admin(end), _own(end, system)
    if not received(end, system, "")["exists"]:
        return False
    paused = read_note(end, system, "target").get("paused")
    time.sleep(1.2)
    if paused is None or position(dict(database.spec))["changes"] != paused["changes"]:
        return False
    database.psql('ALTER SUBSCRIPTION :"s" ENABLE', end["name"], {"s": own})
    with noting(end, system, "target") as note:
        note.pop("paused", None)
    return True


def end_target(end, system):
    """Drop our subscription without asking the source, which may be out of reach."""
    if not read_note(end, system, "target").get("subscribed"):
        return False
    if end.get("data_dir"):
        Cluster(end).start()
    database, own, found = admin(end), _own(end, system), False
    rows = database.rows("SELECT datname AS name FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE subname = '%s'" % own,
                         "postgres")  # fmt: skip
    for row in rows:
        database.psql('ALTER SUBSCRIPTION :"s" DISABLE; ALTER SUBSCRIPTION :"s" SET (slot_name = NONE); DROP SUBSCRIPTION :"s"',
                      row["name"], {"s": own})  # fmt: skip
        found = True
    with noting(end, system, "target") as note:
        note.pop("subscribed", None)
    return found


def end_frozen_source(end, system):
    """Remove slot and publication. On a frozen source that is a change of its own: the position is noted anew, after the
    old one was found unchanged."""
    noted = read_note(end, system, "source").get("freeze")
    if noted and noted.get("position"):
        why = check_frozen(end, noted["position"], noted["before"])
        if why:
            raise Problem(*why)
    found = end_source(end, _own(end, system))
    if found and noted and noted.get("position"):
        time.sleep(1.2)
        with noting(end, system, "source") as note:
            note["freeze"]["position"] = position(end)
    return found
