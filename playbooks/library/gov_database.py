#!/usr/bin/python
"""One PostgreSQL database: freeze and thaw at the source; cluster, role, empty copy and swap at the target."""

import os
import subprocess
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.gov_postgres import Database, PostgresError, scram_verifier

OTHERS = "FROM pg_stat_activity WHERE datname = :'n' AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
# Settings that hold a list: ALTER DATABASE takes them without quotes (as pg_dump does).
LISTS = ("search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries")


class Target(object):
    """The target's server: one that is there already, or a cluster of our own in `data_dir`."""

    def __init__(self, spec):
        self.said = ""
        self.spec, self.database = spec, Database(spec)
        # In a cluster of our own the administrator's way in is a socket inside a directory of mode 0700.
        self.admin = Database(dict(spec, host=spec["data_dir"], user="postgres")) if spec.get("data_dir") else self.database

    def run(self, program, *arguments):
        argv = [self.database.program(program)] + list(arguments)
        uid = self.spec.get("run_as_uid")
        if os.getuid() == 0 and uid:
            argv = self._as_user(str(uid)) + argv
        with tempfile.TemporaryFile() as said:
            code = subprocess.call(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
                                   env=dict(os.environ, LC_ALL="C.UTF-8"), cwd="/", timeout=180)  # fmt: skip
            said.seek(0)
            self.said = said.read()[-500:].decode("utf-8", "replace").strip()
        return code

    def _as_user(self, uid):
        with open("/proc/self/uid_map") as stream:
            only_root = [int(line.split()[2]) for line in stream] == [1]
        become = ["setpriv", "--reuid", uid, "--regid", uid, "--clear-groups"]
        place = os.path.dirname(self.spec["data_dir"])
        reach = ["test", "-x", place, "-a", "-x", self.database.program("initdb")]
        if only_root or subprocess.call(become + reach, stderr=subprocess.DEVNULL) != 0:
            # Nobody else here, or nobody who gets to that place: we are shown to PostgreSQL under another number.
            return ["unshare", "--user", "--map-user=" + uid, "--map-group=" + uid]
        return become

    def provision(self):
        data_dir = self.spec.get("data_dir")
        changed = False
        if data_dir:
            if not os.path.exists(os.path.join(data_dir, "PG_VERSION")):
                self._initdb(data_dir)
                changed = True
            changed = self.start() or changed
            if self.admin.value("SELECT 1 FROM pg_roles WHERE rolname = :'u'", "postgres", {"u": self.spec["user"]}) is None:
                with open(self.spec["password_file"], encoding="utf-8") as stream:
                    verifier = scram_verifier(stream.read().strip("\r\n"))
                self.admin.psql("CREATE ROLE :\"u\" LOGIN PASSWORD :'v'", "postgres", {"u": self.spec["user"], "v": verifier})
        return changed

    def _initdb(self, data_dir):
        os.makedirs(data_dir, mode=0o700, exist_ok=True)
        uid = self.spec.get("run_as_uid")
        if os.getuid() == 0 and uid and self._as_user(str(uid))[0] == "setpriv":
            os.chown(data_dir, uid, uid)
        if self.run("initdb", "-D", data_dir, "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8",
                    "--auth-local=trust", "--auth-host=scram-sha-256"):  # fmt: skip
            raise PostgresError("initdb failed in " + data_dir + ": " + self.said)
        with open(os.path.join(data_dir, "postgresql.auto.conf"), "a", encoding="utf-8") as stream:
            stream.write("listen_addresses = '%s'\nport = %d\n" % (self.spec["host"], self.spec.get("port", 5432)))
            stream.write("unix_socket_directories = '%s'\n" % data_dir)

    def start(self):
        data_dir = self.spec["data_dir"]
        if self.run("pg_ctl", "-D", data_dir, "status") == 0:
            return False
        if self.run("pg_ctl", "-D", data_dir, "-w", "-t", "60", "-l", os.path.join(data_dir, "server.log"), "start"):
            raise PostgresError("the server did not start, see " + os.path.join(data_dir, "server.log"))
        return True

    def create(self, name, facts):
        """An empty database in the source's encoding and locale, in place of a left-over of an earlier attempt."""
        self.admin.psql('DROP DATABASE IF EXISTS :"p"', "postgres", {"p": name})
        self.admin.psql(
            'CREATE DATABASE :"p" OWNER :"u" TEMPLATE template0 ENCODING :\'e\' LC_COLLATE :\'c\' LC_CTYPE :\'t\'',
            "postgres",
            {"p": name, "u": self.spec["user"], "e": facts["encoding"], "c": facts["collate"], "t": facts["ctype"]},
        )

    def swap(self, name, settings):
        """Give the restored copy its final name; an earlier copy of ours under that name goes."""
        final = self.spec["name"]
        names = {"p": name, "n": final}
        self.admin.psql("SELECT pg_terminate_backend(pid) " + OTHERS, "postgres", names)
        self.admin.psql('DROP DATABASE IF EXISTS :"n"; ALTER DATABASE :"p" RENAME TO :"n"', "postgres", names)
        for setting in settings:
            key, value = setting.split("=", 1)
            if key != "default_transaction_read_only":
                form = ":v" if key in LISTS else ":'v'"
                self.admin.psql('ALTER DATABASE :"n" SET :"k" TO ' + form, "postgres", {"n": final, "k": key, "v": value})


def freeze(database):
    """No more writes: read-only for every new session, and the sessions that are open end. Returns who they were."""
    name = {"n": database.spec["name"]}
    database.psql('ALTER DATABASE :"n" SET default_transaction_read_only = on', None, name)
    closed = database.psql("SELECT coalesce(host(client_addr), 'local'), usename " + OTHERS, None, name)
    database.psql("SELECT pg_terminate_backend(pid) " + OTHERS, None, name)
    return [" ".join(row) for row in closed]


def frozen(database):
    """Why the source could still be written to; empty when it can't."""
    if database.value("SHOW default_transaction_read_only") != "on":
        return "the database accepts writes"
    writers = database.psql(
        "SELECT pid " + OTHERS + " AND state <> 'idle' AND backend_xid IS NOT NULL", None, {"n": database.spec["name"]}
    )
    return "open write transactions: %d" % len(writers) if writers else ""


def act(given):
    spec = given["database"]
    if not spec or given["skip"]:
        return {"changed": False, "nothing_to_do": True}
    action, database = given["action"], Database(spec)
    if action == "freeze":
        closed = freeze(database)
        return {"changed": True, "sessions_closed": closed, "gov": {"sessions_closed": len(closed)}}
    if action == "thaw":
        database.psql('SET default_transaction_read_only = off; ALTER DATABASE :"n" RESET default_transaction_read_only',
                      None, {"n": spec["name"]})  # fmt: skip
        return {"changed": True}
    if action == "check_frozen":
        why = frozen(database)
        if why:
            raise PostgresError(why)
        return {"changed": False}
    target = Target(spec)
    if action == "provision":
        return {"changed": target.provision()}
    if action == "create":
        target.create(given["copy"], given["facts"])
    elif action == "swap":
        target.swap(given["copy"], given["facts"]["settings"])
    elif action == "stop":
        if not spec.get("data_dir") or target.run("pg_ctl", "-D", spec["data_dir"], "status") != 0:
            return {"changed": False}
        if target.run("pg_ctl", "-D", spec["data_dir"], "-w", "-m", "fast", "stop"):
            raise PostgresError("the server did not stop")
    return {"changed": True}


def main():
    actions = ["freeze", "thaw", "check_frozen", "provision", "create", "swap", "stop"]
    module = AnsibleModule(
        argument_spec={
            "action": {"choices": actions, "required": True},
            "database": {"type": "dict"},
            "copy": {"type": "str"},
            "facts": {"type": "dict"},
            "skip": {"type": "bool", "default": False},
        }
    )
    try:
        module.exit_json(**act(module.params))
    except (OSError, ValueError, PostgresError, subprocess.SubprocessError) as error:
        en = "Database, %s: %s" % (module.params["action"], error)
        module.fail_json(msg=en, problems=[{"zh": "数据库操作 %s 失败：%s" % (module.params["action"], error), "en": en}])


if __name__ == "__main__":
    main()
