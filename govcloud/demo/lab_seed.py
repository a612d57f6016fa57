"""What each lab host holds when it starts: keys, programs, settings, secrets and its boot script."""

from __future__ import annotations

import json
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from govcloud import resources
from govcloud.safe_yaml import load_yaml

APP_PORT, PROXY_PORT, DATABASE_PORT = 8080, 8000, 5432


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One host as others reach it. In the fallback all hosts share 127.0.0.1 and differ by their ports and folders."""

    name: str
    zone: str
    address: str
    ssh_port: int
    app_port: int
    database_port: int
    root: str
    """`` where the host has its own root, else the folder that stands for `/`."""
    pgsql: str
    """Folder of PostgreSQL's binaries, as the host sees it."""

    def at(self, path: str) -> str:
        """An absolute path of the host, as one writes it in a command on that host."""
        return self.root + path


def load_topology() -> dict[str, Any]:
    topology: dict[str, Any] = load_yaml(resources.folder("inventory") / "sample" / "lab" / "topology.yaml")
    return topology


class Seeds:
    """Writes the start content of every host; one secret per database and machine, made anew for each lab."""

    def __init__(self, topology: Mapping[str, Any], places: Mapping[str, Place], public_key: str, pgsql: Path) -> None:
        self._hosts, self._apps = topology["hosts"], topology["apps"]
        self._places, self._public_key, self._pgsql = places, public_key, pgsql
        self._programs = resources.folder("inventory") / "sample" / "apps"
        self._backup_password = secrets.token_urlsafe(18)

    def write(self, name: str, target: Path) -> None:
        host, place = self._hosts[name], self._places[name]
        for folder in ("root/.ssh", "etc", "opt/lab/bin", "srv", "tmp", "var/log"):
            (target / folder).mkdir(parents=True, exist_ok=True)
        (target / "root").chmod(0o700)
        (target / "root/.ssh").chmod(0o700)
        _private(target / "root/.ssh/authorized_keys", self._public_key + "\n")
        python = f'#!/bin/sh\nexec {quote(sys.executable)} "$@"\n'
        _program(target / "opt/lab/bin/python3", python)
        (target / "opt/pgsql").symlink_to(self._pgsql)
        if not place.root:
            self._identity(target / "etc", name)
        boot = ["set -eu"]
        if database := host.get("database"):
            boot += self._database(target, place, database)
        for app in host.get("apps", ()):
            boot += self._app(target, place, app)
        if app := host.get("target_of"):
            self._prepared_target(target, place, app)
        (target / "etc/boot").write_text("\n".join(boot) + "\n", "utf-8")

    def _identity(self, etc: Path, name: str) -> None:
        lines = ["127.0.0.1 localhost"] + [f"{p.address} {p.name}" for p in self._places.values()]
        (etc / "hosts").write_text("\n".join(lines) + "\n")
        (etc / "hostname").write_text(name + "\n")
        (etc / "passwd").write_text(
            "root:x:0:0:root:/root:/bin/sh\npostgres:x:1000:1000::/srv/database:/bin/sh\n"
            "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
        )
        (etc / "group").write_text("root:x:0:\npostgres:x:1000:\nnogroup:x:65534:\n")

    def _database(self, target: Path, place: Place, app: str) -> list[str]:
        home = target / "srv/database"
        home.mkdir()
        _program(home / "ctl", (self._programs / "database/ctl").read_text("utf-8"))
        own = place.root != ""
        settings = {
            "BIN": place.pgsql, "LISTEN": "127.0.0.1" if own else "*", "PORT": place.database_port,
            "ALLOW": "127.0.0.1/32" if own else "samenet", "DB": app, "PASSWORD_FILE": place.at(f"/srv/{app}/db.pass"),
        }  # fmt: skip
        _settings(target / "etc/database.env", settings)
        (target / f"srv/{app}").mkdir()
        _private(target / f"srv/{app}/db.pass", secrets.token_urlsafe(18) + "\n")
        roles = f"CREATE ROLE backup LOGIN PASSWORD '{self._backup_password}' IN ROLE pg_read_all_data;\n"
        _private(home / "roles.sql", roles)
        tool = f'PGPASSWORD="$(cat {quote(place.at(f"/srv/{app}/db.pass"))})" {quote(place.pgsql)}'
        login = f"-h 127.0.0.1 -p {place.database_port} -U {app}"
        return [
            f"{quote(place.at('/srv/database/ctl'))} start",
            f"{tool}/createdb {login} {app}",
            f"{tool}/psql -qX -v ON_ERROR_STOP=1 {login} -d {app} -f {quote(place.at('/srv/database/roles.sql'))}",
            f"rm {quote(place.at('/srv/database/roles.sql'))}",
        ]

    def _app(self, target: Path, place: Place, name: str) -> list[str]:
        app = self._apps[name]
        home = target / f"srv/{name}"
        shutil.copytree(self._programs / app["program"], home / "app", ignore=shutil.ignore_patterns("__pycache__"))
        _program(home / "app/ctl", (self._programs / "ctl").read_text("utf-8"))
        (home / "ctl").symlink_to("app/ctl")
        boot = [f"{quote(place.at(f'/srv/{name}/ctl'))} start"]
        if app["program"] == "documents":
            settings = {"database": name, "title": app["title"], "kind": app["kind"], "folders": app["folders"]}
            (home / "app/settings.json").write_text(json.dumps(settings, ensure_ascii=False, indent=1) + "\n", "utf-8")
            fill = f"python3 {quote(place.at(f'/srv/{name}/app/fill.py'))} {app['rows']} {app['megabytes']}"
            env = quote(place.at(f"/etc/{name}.env"))
            boot.insert(0, f"( set -a; [ ! -r {env} ] || . {env}; PYTHONDONTWRITEBYTECODE=1; {fill} )")
        if app["program"] == "entry":
            self._write_upstreams(home / "upstreams.json")
        self._settings_of(target, place, name)
        return boot

    def _settings_of(self, target: Path, place: Place, name: str) -> None:
        app = self._apps[name]
        values: dict[str, object] = {"PYTHONDONTWRITEBYTECODE": 1}
        if place.root:
            values |= {
                "LISTEN": "127.0.0.1",
                "PORT": place.app_port,
                "DB_PORT": place.database_port,
                "HOST_NAME": place.name,
            }
        if app["program"] == "backup":
            source = self._places[self._serving(app["source"])]
            _private(target / f"srv/{name}/db.pass", self._backup_password + "\n")
            values |= {"DB_HOST": source.address, "DB_PORT": source.database_port, "DB_NAME": app["source"]}
        _settings(target / f"etc/{name}.env", values)

    def _prepared_target(self, target: Path, place: Place, app: str) -> None:
        """What an administrator puts on a new machine beforehand: its own secret and settings. No data, no program."""
        (target / f"srv/{app}").mkdir()
        _private(target / f"srv/{app}/db.pass", secrets.token_urlsafe(18) + "\n")
        self._settings_of(target, place, app)

    def _write_upstreams(self, file: Path) -> None:
        upstreams = {}
        for name, app in self._apps.items():
            if app["program"] == "documents":
                place = self._places[self._serving(name)]
                upstreams[name] = f"http://{place.address}:{place.app_port}"
        file.write_text(json.dumps(upstreams, indent=1) + "\n", "utf-8")

    def _serving(self, app: str) -> str:
        return next(place.name for place in self._places.values() if app in self._hosts[place.name].get("apps", ()))


def _settings(file: Path, values: Mapping[str, object]) -> None:
    file.write_text("".join(f"{key}={quote(str(value))}\n" for key, value in values.items()), "utf-8")


def _program(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")
    file.chmod(0o755)


def _private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text, "utf-8")
