"""A PostgreSQL server on this host: its client programs, and at the target the server itself. Standard library only,
Python 3.6 or newer.

Passwords are read from a file on the host and reach the client programs in PGPASSWORD, which only the same user can
read: never in an argument, a result or a log.
"""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import tempfile

from ansible.module_utils.gov_db import Problem, read_password

# Text forms of values differ with these settings; both ends must use the same (row digests).
PINNED = {"PGTZ": "UTC", "PGDATESTYLE": "ISO, YMD"}
OPTIONS = (
    "-c extra_float_digits=%d -c intervalstyle=iso_8601 -c bytea_output=hex -c statement_timeout=0 -c lock_timeout=0 "
    "-c lc_monetary=C -c row_security=off -c search_path=pg_catalog -c default_transaction_read_only=off "
    "-c idle_in_transaction_session_timeout=0 -c synchronize_seqscans=off "
)


class Database(object):
    """One database as its spec describes it: host, port, name, user, bin, password_file."""

    def __init__(self, spec, digits=3, encoding="UTF8"):
        self.spec, self.digits, self.encoding = spec, digits, encoding
        self._version = None

    def program(self, name):
        return os.path.join(self.spec.get("bin") or "/usr/bin", name)

    def environment(self, more=""):
        found = dict(os.environ, LC_ALL="C.UTF-8", PGCONNECT_TIMEOUT="10", PGCLIENTENCODING=self.encoding,
                     PGOPTIONS=OPTIONS % self.digits + more, PGAPPNAME="govcloud", **PINNED)  # fmt: skip
        found.pop("PGPASSWORD", None)
        password = read_password(self.spec)
        if password:
            found["PGPASSWORD"] = password
        return found

    def login(self, name=None):
        return [
            "--host", self.spec["host"], "--port", str(self.spec.get("port") or 5432), "--username", self.spec["user"],
            "--no-password", "--dbname", name or self.spec["name"],
        ]  # fmt: skip

    def psql_argv(self, name=None):
        # Terse: details of an error would show rows, and its context statements.
        return [self.program("psql"), "-X", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse"] + self.login(name)

    def psql(self, sql, name=None, variables=None, more="", timeout=6 * 3600):
        """Rows as lists of text. `variables` become psql variables: :'name' as a literal, :"name" as an identifier."""
        # Through standard input: arguments can be seen by every user of the host.
        script = "".join("\\set %s %s\n" % (key, _quoted(value)) for key, value in (variables or {}).items()) + sql
        done = subprocess.run(self.psql_argv(name), input=script.encode("utf-8"), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=self.environment(more), timeout=timeout)  # fmt: skip
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()[-500:]
            raise Problem("数据库 %s：%s" % (name or self.spec["name"], said), "Database %s: %s" % (name or self.spec["name"], said))
        return [line.split("\x1f") for line in done.stdout.decode("utf-8", "replace").split("\n") if line]

    def value(self, sql, name=None, variables=None):
        """The first field; None also for NULL and for an empty text."""
        rows = self.psql(sql, name, variables)
        return rows[0][0] if rows else None

    def rows(self, sql, name=None, variables=None):
        """Like psql(), for values that may hold anything, also line breaks: the server writes each row as JSON."""
        found = self.psql("SELECT row_to_json(q) FROM (%s) q" % sql, name, variables)
        return [json.loads(row[0]) for row in found]

    def version(self):
        if self._version is None:
            self._version = int(self.value("SHOW server_version_num", self.spec.get("data_dir") and "postgres"))
        return self._version


def _quoted(value):
    """A value for psql's \\set: single quotes doubled, and its C-like escapes switched off."""
    if "\n" in value or "\0" in value:
        raise ValueError("line breaks are not allowed in names and settings")
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def admin(spec):
    """The target's server with all rights we have there: in a cluster of our own the way in is a socket in its directory."""
    if spec.get("data_dir"):
        return Database(dict(spec, host=spec["data_dir"], user="postgres", password_file=None))
    return Database(spec)


def scram_verifier(password):
    """What CREATE ROLE … PASSWORD takes instead of the password itself (RFC 5803 form, RFC 7677 hash)."""
    salt, rounds = os.urandom(16), 4096
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    stored = hashlib.sha256(hmac.new(salted, b"Client Key", "sha256").digest()).digest()
    server = hmac.new(salted, b"Server Key", "sha256").digest()
    parts = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return "SCRAM-SHA-256$%d:%s$%s:%s" % (rounds, parts[0], parts[1], parts[2])


class Cluster(object):
    """A cluster of our own in `data_dir`."""

    def __init__(self, spec):
        self.spec, self.database, self.said = spec, Database(spec), ""

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

    def make(self):
        data_dir = self.spec["data_dir"]
        os.makedirs(data_dir, mode=0o700, exist_ok=True)
        uid = self.spec.get("run_as_uid")
        if os.getuid() == 0 and uid and self._as_user(str(uid))[0] == "setpriv":
            os.chown(data_dir, uid, uid)
        if self.run("initdb", "-D", data_dir, "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8",
                    "--auth-local=trust", "--auth-host=scram-sha-256"):  # fmt: skip
            raise Problem("%s 初始化失败：%s" % (data_dir, self.said), "initdb failed in %s: %s" % (data_dir, self.said))
        host = "" if self.spec["host"].startswith("/") else self.spec["host"]
        with open(os.path.join(data_dir, "postgresql.auto.conf"), "a", encoding="utf-8") as stream:
            stream.write("listen_addresses = '%s'\nport = %d\n" % (host, self.spec.get("port") or 5432))
            stream.write("unix_socket_directories = '%s'\n" % data_dir)

    def runs(self):
        return self.run("pg_ctl", "-D", self.spec["data_dir"], "status") == 0

    def start(self):
        data_dir = self.spec["data_dir"]
        if self.runs():
            return False
        log = os.path.join(data_dir, "server.log")
        if self.run("pg_ctl", "-D", data_dir, "-w", "-t", "60", "-l", log, "start"):
            raise Problem("数据库没有启动，见 %s" % log, "The server did not start, see %s" % log)
        return True

    def stop(self):
        if not self.runs():
            return False
        if self.run("pg_ctl", "-D", self.spec["data_dir"], "-w", "-m", "fast", "stop"):
            raise Problem("数据库没有停下：%s" % self.said, "The server did not stop: %s" % self.said)
        return True


def provision(spec):
    """A running server in which `user` may log in. Whether anything was changed."""
    if not spec.get("data_dir"):
        check_provisioned(spec)
        return False
    cluster, changed = Cluster(spec), False
    if not os.path.exists(os.path.join(spec["data_dir"], "PG_VERSION")):
        cluster.make()
        changed = True
    changed = cluster.start() or changed
    if not _has_role(spec):
        password = read_password(spec)
        words = 'CREATE ROLE :"u" LOGIN' + (" PASSWORD :'v'" if password else "")
        admin(spec).psql(words, "postgres", {"u": spec["user"], "v": scram_verifier(password) if password else ""})
        changed = True
    return changed


def _has_role(spec):
    return admin(spec).value("SELECT 1 FROM pg_roles WHERE rolname = :'u'", "postgres", {"u": spec["user"]}) is not None


def check_provisioned(spec):
    if not _has_role(spec):
        raise Problem("目标上没有账号 %s" % spec["user"], "The target has no account %s" % spec["user"])


def stop(spec):
    """Only a server that we made is stopped; a shared one serves others."""
    return bool(spec.get("data_dir")) and os.path.isdir(spec["data_dir"]) and Cluster(spec).stop()
