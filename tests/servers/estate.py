"""Two departments' systems on the root lab, and a workspace that may migrate them.

OA   (SL-OA-01): PostgreSQL, uploads and a systemd unit on oa-src; behind nginx on `edge`; goes to oa-dst.
MAIL (SL-YJ-02): MariaDB, two folders of uploads and a start script on my-src; found by its DNS name; goes to my-dst.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import signal
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import yaml
from server_bed import PROGRAMS, Host, HostPlan, ServerBed
from writer import acknowledged

from govcloud.model.observation import Statement
from govcloud.settings import open_workspace
from govcloud.store import inventory as inventory_store
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import open_session
from govcloud.workflow.statements import merge_inventory

OA, MAIL = "SL-OA-01", "SL-YJ-02"
OPERATOR, APPROVER, SECOND = "操作员甲", "审批人乙", "审批人丙"
POSTGRES_BIN = "/usr/lib/postgresql/15/bin"
FILLED = 300
_UNIT = """[Unit]
Description=Records of a fictitious department
After=network.target

[Service]
EnvironmentFile=/etc/records.env
ExecStart=/usr/bin/python3 /opt/records/records.py
Restart=on-failure

[Install]
WantedBy=multi-user.target
"""
_NGINX = """upstream records { server 10.77.1.10:8080; }
server {
  listen 80 default_server;
  location / { proxy_pass http://records; proxy_read_timeout 20s; proxy_next_upstream off; }
}
"""
_NGINX_MAIL = _NGINX.replace("10.77.1.10", "10.77.1.20").replace("records", "mail").replace("80 default_server", "81")
_NAMED = """include "/etc/bind/bed.key";
options { directory "/var/cache/bind"; listen-on { any; }; listen-on-v6 { none; }; recursion no; dnssec-validation no; };
zone "bed.test" { type primary; file "/var/lib/bind/bed.test"; allow-update { key bed-key; }; };
"""
_ZONE = """$TTL 5
@ IN SOA dns.bed.test. root.bed.test. ( 1 60 60 600 5 )
  IN NS dns.bed.test.
dns IN A 10.77.0.53
mail IN A 10.77.1.20
"""


def _env(kind: str, uploads: str) -> tuple[str, int]:
    lines = {
        "KIND": kind, "DB_NAME": "records", "DB_USER": "records", "PASSWORD_FILE": "/etc/records.pass",
        "UPLOADS": uploads, "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    return "".join(f"{key}={value}\n" for key, value in lines.items()), 0o644


def _password() -> dict[str, tuple[str, int]]:
    return {"/etc/records.pass": (secrets.token_urlsafe(12) + "\n", 0o600)}


def plans() -> list[HostPlan]:
    program = {"/opt/records/records.py": ((PROGRAMS / "records.py").read_text("utf-8"), 0o644)}
    oa = program | {
        "/etc/records.env": _env("postgresql", "/srv/uploads"),
        "/etc/systemd/system/records.service": (_UNIT, 0o644),
    }
    ctl = {"/opt/records/ctl": ((PROGRAMS / "ctl").read_text("utf-8"), 0o755)}
    mail = program | ctl | {"/etc/records.env": _env("mysql", "/srv/uploads:/srv/archive")}
    tsig = f'key "bed-key" {{ algorithm hmac-sha256; secret "{_tsig()}"; }};\n'
    return [
        HostPlan("oa-src", "dept", "10.77.1.10", systemd=True, files=oa | _password()),
        HostPlan("oa-dst", "cloud", "10.77.2.10", systemd=True, files=_password()),
        HostPlan("my-src", "dept", "10.77.1.20", files=mail | _password()),
        HostPlan("my-dst", "cloud", "10.77.2.20", files=_password()),
        HostPlan("edge", "mgmt", "10.77.0.80", files={
            "/etc/nginx/conf.d/records.conf": (_NGINX, 0o644), "/etc/nginx/conf.d/mail.conf": (_NGINX_MAIL, 0o644),
        }),
        HostPlan("dns", "mgmt", "10.77.0.53", files={
            "/etc/bind/named.conf": (_NAMED, 0o644), "/etc/bind/bed.key": (tsig, 0o644), "/var/lib/bind/bed.test": (_ZONE, 0o644),
        }),
    ]  # fmt: skip


def _tsig() -> str:
    return b64encode(secrets.token_bytes(32)).decode()


def furnish(bed: ServerBed) -> None:
    """Start the databases, applications and entrances as an administrator would have done years ago."""
    start_postgres(bed.hosts["oa-src"])
    for name in ("my-src", "my-dst"):
        _mariadb(bed.hosts[name])
    oa, mail = bed.hosts["oa-src"], bed.hosts["my-src"]
    fill(oa, "/srv/uploads")
    fill(mail, "/srv/uploads", "/srv/archive")
    oa.run("systemctl", "daemon-reload")
    oa.run("systemctl", "enable", "--now", "records")
    mail.run("/opt/records/ctl", "start")
    edge, dns = bed.hosts["edge"], bed.hosts["dns"]
    edge.run("sh", "-c", "rm -f /etc/nginx/sites-enabled/default; exec nginx")
    dns.run("sh", "-c", "chown -R bind:bind /var/lib/bind; exec named -u bind -c /etc/bind/named.conf")


def fill(host: LabHost, *folders: str) -> None:
    """Records of earlier years."""
    host.run("mkdir", "-p", *folders)
    host.run("sh", "-c", f"set -a; . /etc/records.env; cd /opt/records; exec python3 -c '{_FILL}'", timeout=120)


_FILL = f'import records; [records.keep(f"old-{{n:05}}", f"历史公文 {{n}} " * 400) for n in range({FILLED})]'


def start_postgres(host: LabHost) -> None:
    host.run("sh", "-c", """set -e
        pg_createcluster 15 main >/dev/null
        if [ -d /run/systemd/system ]; then systemctl start postgresql@15-main; else pg_ctlcluster 15 main start; fi
        cd /; setpriv --reuid postgres --regid postgres --clear-groups psql -qX -v ON_ERROR_STOP=1 -d postgres \
          -c "CREATE ROLE records LOGIN SUPERUSER PASSWORD '$(cat /etc/records.pass)'" -c "CREATE DATABASE records OWNER records"
        PGPASSWORD=$(cat /etc/records.pass) psql -qX -v ON_ERROR_STOP=1 -h 127.0.0.1 -U records -d records \
          -c "CREATE TABLE records (no bigserial PRIMARY KEY, id text UNIQUE NOT NULL, text text NOT NULL, sha256 text NOT NULL)"
        """)  # fmt: skip


def _mariadb(host: Host) -> None:
    host.run("sh", "-c", """set -e
        mkdir -p /run/mysqld && chown mysql:mysql /run/mysqld
        mysql_install_db --user=mysql --skip-test-db >/dev/null
        setsid mariadbd --user=mysql --log-bin --server-id=$((RANDOM + 1)) </dev/null >/var/log/mariadbd.log 2>&1 &
        until mysqladmin --silent ping; do sleep 0.1; done
        for at in 127.0.0.1 localhost; do
          mysql -e "CREATE USER records@'$at' IDENTIFIED BY '$(cat /etc/records.pass)';
                    GRANT ALL PRIVILEGES ON *.* TO records@'$at' WITH GRANT OPTION"
        done""".replace("$((RANDOM + 1))", host.address.replace(".", "")[-6:]), timeout=120)  # fmt: skip
    if host.name.endswith("src"):
        host.run("mysql", "-e", """CREATE DATABASE records CHARACTER SET utf8mb4; CREATE TABLE records.records (
            no bigint AUTO_INCREMENT PRIMARY KEY, id varchar(64) UNIQUE NOT NULL, text mediumtext NOT NULL,
            sha256 char(64) NOT NULL)""")  # fmt: skip


def oa_spec(bed: ServerBed, **changes: Any) -> dict[str, Any]:
    database = {"name": "records", "user": "records", "bin": POSTGRES_BIN, "password_file": "/etc/records.pass"}
    uid = int(bed.hosts["oa-dst"].run("id", "-u", "postgres").stdout)
    target = database | {"data_dir": "/srv/pgdata", "run_as_uid": uid}
    return {
        "system_id": OA,
        "machines": [{"source": "oa-src", "target": "oa-dst"}],
        "files": [{"source": "/srv/uploads", "target": "/srv/uploads"}],
        "databases": [{"kind": "postgresql", "source": database, "target": target}],
        "services": [{
            "source": {"systemd": "records.service"}, "target": {"systemd": "records.service"},
            "carry": ["/etc/systemd/system/records.service", "/etc/records.env", "/opt/records/records.py"],
        }],
        "entrances": [{
            "kind": "nginx", "host": "edge", "file": "/etc/nginx/conf.d/records.conf", "name": "records",
            "source": "10.77.1.10:8080", "target": "10.77.2.10:8080",
        }],
        "verify": {
            "url": "http://10.77.0.80", "source_url": "http://10.77.1.10:8080", "target_url": "http://10.77.2.10:8080",
            "checks": [{"path": "/health", "via": "direct"}, {"path": "/selftest", "contains": '"ok": true'}],
        },
    } | changes  # fmt: skip


def behind_nginx(spec: dict[str, Any]) -> dict[str, Any]:
    """The same system with its users coming in through `edge`, where a switch is seen at once."""
    ends = {"source": "10.77.1.20:8080", "target": "10.77.2.20:8080"}
    entrance = {"kind": "nginx", "host": "edge", "file": "/etc/nginx/conf.d/mail.conf", "name": "mail", **ends}
    return spec | {"entrances": [entrance], "verify": spec["verify"] | {"url": "http://10.77.0.80:81"}}


def mail_spec(**changes: Any) -> dict[str, Any]:
    database = {"name": "records", "user": "records", "password_file": "/etc/records.pass"}
    return {
        "system_id": MAIL,
        "machines": [{"source": "my-src", "target": "my-dst"}],
        "files": [{"source": f"/srv/{name}", "target": f"/srv/{name}"} for name in ("uploads", "archive")],
        "databases": [{"kind": "mysql", "source": database, "target": dict(database)}],
        "services": [{
            "source": {"script": "/opt/records/ctl"}, "target": {"script": "/opt/records/ctl"},
            "carry": ["/opt/records/ctl", "/opt/records/records.py", "/etc/records.env"],
        }],
        "entrances": [{
            "kind": "dns", "host": "dns", "name": "mail.bed.test", "zone": "bed.test", "server": "127.0.0.1",
            "key_file": "/etc/bind/bed.key", "ttl": 5, "source": "10.77.1.20", "target": "10.77.2.20",
        }],
        "verify": {
            "url": "http://mail.bed.test:8080", "source_url": "http://10.77.1.20:8080",
            "target_url": "http://10.77.2.20:8080",
            "checks": [{"path": "/health", "via": "direct"}, {"path": "/selftest", "contains": '"ok": true'}],
        },
    } | changes  # fmt: skip


class LabHost(Protocol):
    @property
    def plan(self) -> HostPlan: ...
    def run(self, *argv: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]: ...


class Lab(Protocol):
    """What a workspace needs of the place where its hosts are."""

    @property
    def hosts(self) -> Mapping[str, LabHost]: ...
    @property
    def key_file(self) -> Path: ...
    def command(self, argv: Sequence[str]) -> list[str]: ...
    def public_key(self, name: str) -> str: ...


@dataclass
class Estate:
    bed: Lab
    path: Path

    def popen(self, *words: str, user: str = OPERATOR) -> subprocess.Popen[str]:
        argv = [
            sys.executable,
            "-m",
            "govcloud",
            "-w",
            str(self.path),
            "--lang",
            "en",
            "--format",
            "json",
            "--user",
            user,
        ]
        return subprocess.Popen(
            self.bed.command([*argv, *words]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def govcloud(self, *words: str, user: str = OPERATOR, codes: Sequence[int] = (0,), limit_s: float = 240) -> str:
        child = self.popen(*words, user=user)
        out, err = self.ended(child, limit_s)
        assert child.returncode in codes, f"{words} -> {child.returncode}\n{out}\n{err}"
        return out

    def ended(self, child: subprocess.Popen[str], limit_s: float) -> tuple[str, str]:
        """Its output. One that does not end in time must not go on behind the test's back."""
        try:
            return child.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            child.kill()
            raise

    def ask(self, *words: str) -> Any:
        return json.loads(self.govcloud(*words, codes=(0, 1)))

    def get(self, url: str) -> tuple[int, str, Any]:
        """Status, serving host and body of an address, as the controller's network sees it."""
        code = (
            "import json,sys,urllib.request as u,urllib.error as e\n"
            "try: r=u.urlopen(sys.argv[1],timeout=20)\n"
            "except e.HTTPError as x: r=x\n"
            "print(json.dumps([r.status,r.headers['X-Served-By'],json.loads(r.read() or b'null')]))"
        )
        argv = self.bed.command([sys.executable, "-c", code, url])
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True)
        status, host, body = json.loads(done.stdout)
        return status, host, body

    @contextmanager
    def writing(self, url: str, log: Path) -> Iterator[None]:
        """A writer for as long as the context lasts."""
        log.touch()
        child = subprocess.Popen(
            self.bed.command([sys.executable, str(Path(__file__).with_name("writer.py")), url, str(log)])
        )
        try:
            deadline = time.monotonic() + 30
            while len(acknowledged(log)) < 5:
                assert child.poll() is None and time.monotonic() < deadline, "nothing was acknowledged"
                time.sleep(0.1)
            yield
            assert child.poll() is None, "the writer gave up"
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(30)


def make_estate(
    bed: Lab, path: Path, *specs: dict[str, Any], site: str = "shanxi", systems: Sequence[str] = ()
) -> Estate:
    """`systems`: those that the census lists besides the ones with a migration file."""
    init_workspace(path, site, actor="普查员")
    keys = path / "keys"
    keys.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(bed.key_file, keys / "bed_ed25519")
    shutil.copyfile(bed.key_file.with_suffix(".pub"), keys / "bed_ed25519.pub")
    (keys / "bed_ed25519").chmod(0o600)
    hosts = [
        {
            "name": h.plan.name,
            "address": h.plan.address,
            "user": "root",
            "key_file": "keys/bed_ed25519",
            "zone": h.plan.network,
        }
        for h in bed.hosts.values()
    ]
    (path / "hosts.yaml").write_text(yaml.safe_dump({"hosts": hosts}, allow_unicode=True), "utf-8")
    folder = path / "migration"
    folder.mkdir(exist_ok=True)
    for spec in specs:
        text = yaml.safe_dump(json.loads(json.dumps(spec)), allow_unicode=True, sort_keys=False)
        (folder / f"{spec['system_id']}.yaml").write_text(text, "utf-8")
    estate = Estate(bed, path)
    _census(path, [*(spec["system_id"] for spec in specs), *systems])
    fingerprints = [f"{name} ssh-ed25519 {_fingerprint(bed.public_key(name))}" for name in bed.hosts]
    (path / "fingerprints.txt").write_text("\n".join(fingerprints) + "\n", "utf-8")
    trust = (
        "discover",
        "trust",
        "--hosts",
        str(path / "hosts.yaml"),
        "--expect",
        str(path / "fingerprints.txt"),
        "--approve",
    )
    estate.govcloud(*trust, user=APPROVER)
    return estate


def _census(path: Path, systems: Sequence[str]) -> None:
    at = datetime.now(UTC)
    with open_session(open_workspace(path), actor="普查员") as session, session.store.begin() as tx:
        batch_no = inventory_store.add_batch(
            tx, batch_id="census", kind=inventory_store.IMPORT, source="示例普查表.xlsx", sha256="", at=at, actor="普查员",
            body={},
        )  # fmt: skip
        said = [
            Statement(
                subject_kind="system", subject_id=system_id, source="workbook", place="示例普查表.xlsx!系统!B2", observed_at=at,
                values={"name": system_id, "classified": False},
            )
            for system_id in systems
        ]  # fmt: skip
        inventory_store.add_statements(tx, batch_no, said)
        merge_inventory(session, tx)


def _fingerprint(public_key: str) -> str:
    digest = hashlib.sha256(b64decode(public_key.split()[1])).digest()
    return "SHA256:" + b64encode(digest).decode().rstrip("=")
