"""Makes the machines of one system and takes them away again, whatever was interrupted before.

A thing is looked for before it is asked for, an intent is on the disk before each call and the id right after it. Only
recorded ids are deleted; somebody else's thing with the same name is never touched, as it lacks our mark.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from govcloud.execution.drivers import CloudError, Driver, Found, Want, host_key, open_driver
from govcloud.execution.drivers.cloud_init import load_public_key
from govcloud.execution.drivers.offer import Size, parse_offering
from govcloud.execution.drivers.record import Record
from govcloud.model.migration import DriverName, MachineSpec, MigrationSpec
from govcloud.model.resource import RESOURCE_NAMES, Resource, ResourceKind
from govcloud.model.text import Text

_DELETE_ORDER: tuple[ResourceKind, ...] = ("server", "port", "volume", "image", "keypair", "ticket")
_POLL_S = 2.0
_PAUSES_S = (1, 2, 4, 8, 15, 30)

T = TypeVar("T")
Facts = dict[str, int | str]


def _now() -> datetime:
    return datetime.now(UTC)


class Maker:
    """`folder`: the attempt's evidence; `base`: what a relative `key_file` starts from; `limit_s`: how long a cloud that
    is busy or does not answer is asked again, and a machine may take to boot."""

    def __init__(
        self, spec: MigrationSpec, run_id: str, folder: Path, known: Sequence[Resource], *, base: Path,
        zone: str | None = None, limit_s: float = 600, now: Callable[[], datetime] = _now,
    ) -> None:  # fmt: skip
        self.spec, self.run_id, self.folder, self.base, self.zone = spec, run_id, folder, base, zone
        self.limit_s = limit_s
        own = [r for r in known if (r.run_id, r.system_id) == (run_id, spec.system_id)]
        self.record = Record(folder, own, now)
        self._now = now
        self._drivers: dict[tuple[DriverName, str], Driver] = {}
        self.facts: Facts = {}

    @property
    def machines(self) -> tuple[MachineSpec, ...]:
        return tuple(m for m in self.spec.machines if m.provision is not None)

    def create(self) -> bool:
        """Whether anything had to be made. Raises CloudError and InputError; what was made by then is in the record."""
        before = {r.resource_id: r.external_id for r in self.record.present}
        for machine in self.machines:
            self._create(machine)
        self.facts["resources"] = len(self.record.present)
        return before != {r.resource_id: r.external_id for r in self.record.present}

    def check(self) -> None:
        """Everything recorded is there, the machines run and answer SSH with the key that their console showed."""
        for machine in self.machines:
            driver, missing = self.driver(machine), []
            for kind in self._steady(driver.kinds, machine, self._size(machine)):
                resource = self.record.get(self._id(machine, kind))
                if resource is None or resource.external_id is None or not self._steady(driver.look, resource):
                    missing.append(RESOURCE_NAMES[kind])
            if missing:
                raise CloudError(
                    Text("机器 {m} 还缺：{k}", "Machine {m} lacks: {k}").format(
                        m=machine.name, k=Text("、".join(k.zh for k in missing), ", ".join(k.en for k in missing))
                    ),
                    where=machine.target,
                )
            self._check_host_key(machine, self._await_ready(machine))

    def delete(self) -> bool:
        """Whether anything was there to delete. What can't be deleted is named at the end; the rest is gone."""
        self._adopt()
        refused: list[CloudError] = []
        found = [r for kind in _DELETE_ORDER for r in self.record.present if r.kind == kind]
        for resource in found:
            try:
                self._delete(resource)
            except CloudError as error:
                refused.append(error)
        if refused:
            raise refused[0]
        return bool(found)

    def listing(self) -> list[Text]:
        """One line for everything that exists or may exist."""
        lines = []
        for r in self.record.present:
            known = r.external_id or Text("已请求，编号未知", "asked for, id unknown")
            lines.append(
                Text("云上现有：{k} {n}（{i}）", "In the cloud: {k} {n} ({i})").format(
                    k=RESOURCE_NAMES[r.kind], n=r.name, i=known
                )
            )
        return lines

    def driver(self, machine: MachineSpec) -> Driver:
        assert machine.provision is not None  # noqa: S101 - only such machines come here
        return self._open(machine.provision.driver, machine.provision.cloud)

    def want(self, machine: MachineSpec, kind: ResourceKind) -> Want:
        assert machine.provision is not None  # noqa: S101 - only such machines come here
        resource_id, public_key = self._id(machine, kind), load_public_key(machine, self.base)
        mark = f"{resource_id}#{hashlib.sha256(public_key.encode()).hexdigest()[:16]}"
        slug = "-".join(re.findall(r"[a-z0-9]+", f"{self.spec.system_id} {machine.name}".lower()))[:32].strip("-")
        name = f"gc-{slug}-{kind}-{hashlib.sha256(mark.encode()).hexdigest()[:10]}"
        return Want(
            kind=kind, resource_id=resource_id, mark=mark, name=name, system_id=self.spec.system_id, machine=machine,
            provision=machine.provision, size=self._size(machine), public_key=public_key, zone=self.zone,
        )  # fmt: skip

    def ensure(self, want: Want, made: Mapping[ResourceKind, Resource]) -> Resource:
        """The one thing, found again or asked for."""
        driver = self.driver(want.machine)
        known = self.record.get(want.resource_id)
        if known is not None and known.external_id is not None:
            if self._steady(driver.look, known) is not None:
                return known
            self.record.deleted(known)  # somebody took it away by hand
            known = None
        found = self._steady(driver.find, want)
        resource = known or self.record.intend(self._template(want))
        if found is None:
            found = self._ask(driver, replace(want, asked_at=resource.intent_at), made)
        for key, value in (found.facts or {}).items():
            self.facts[f"{key}.{want.machine.name}"] = value
        return self.record.made(resource, found.external_id, found.address)

    def upload(self, machine: MachineSpec, image: Path, sha512: str) -> None:
        """The image that the machine boots from, recorded like everything else."""
        driver, want = self.driver(machine), self.want(machine, "image")
        made = self.ensure(want, {}) if "image" in self._steady(driver.kinds, machine, want.size) else None
        self._steady(driver.upload, want, image, sha512, made, self.beat)
        if made is not None:
            self.facts[f"image.{machine.name}"] = made.external_id or ""

    def beat(self) -> None:
        """A sign of life for the watchdog."""
        (self.folder / "heartbeat").touch()

    def _create(self, machine: MachineSpec) -> None:
        driver = self.driver(machine)
        made: dict[ResourceKind, Resource] = {}
        for kind in self._steady(driver.kinds, machine, self._size(machine)):
            want = self.want(machine, kind)
            if kind == "image":
                known = self.record.get(want.resource_id)
                if known is None or known.external_id is None:
                    raise CloudError(
                        Text("整机镜像还没有上传", "The machine's image has not been uploaded"), where=machine.name
                    )
                made[kind] = known
            else:
                made[kind] = self.ensure(want, made)
        self._await_ready(machine)

    def _await_ready(self, machine: MachineSpec) -> Resource:
        driver, deadline = self.driver(machine), time.monotonic() + self.limit_s
        server = self.record.get(self._id(machine, "server"))
        assert server is not None  # noqa: S101 - made or checked just now
        while True:
            self.beat()
            found = self._steady(driver.look, server)
            if found is None or found.state == "failed":
                why = found.why if found is not None and found.why else "?"
                raise CloudError(
                    Text("云主机没有建成：{w}", "The server was not built: {w}").format(w=why), where=f"{machine.name} {server.name}",
                    next_step=Text("撤销创建步骤（按登记编号清理）后再执行", "Undo the step (recorded ids are cleaned up), then run it again"),
                )  # fmt: skip
            if found.state == "ready" and found.address:
                self.facts[f"address.{machine.name}"] = found.address
                return self.record.made(server, server.external_id or found.external_id, found.address)
            if time.monotonic() > deadline:
                raise CloudError(
                    Text("云主机 {s:.0f} 秒内没有建成", "The server was not built within {s:.0f} s").format(
                        s=self.limit_s
                    ),
                    where=f"{machine.name} {server.name}",
                )
            time.sleep(_POLL_S)

    def _check_host_key(self, machine: MachineSpec, server: Resource) -> None:
        assert server.address is not None  # noqa: S101 - ready machines have one
        shown = host_key.await_ssh(server.address, deadline_s=self.limit_s, beat=self.beat)
        if not shown:
            raise CloudError(
                Text("{a} 的 SSH 在 {s:.0f} 秒内没有应答", "SSH at {a} did not answer within {s:.0f} s").format(a=server.address, s=self.limit_s),
                where=machine.target,
                next_step=Text("检查安全组、路由和云主机的控制台", "Check security groups, routes and the server's console"),
            )  # fmt: skip
        told = host_key.parse_console(self._steady(self.driver(machine).console, server))
        both = told.keys() & shown.keys()
        if any(told[kind] != shown[kind] for kind in both):
            kind = next(k for k in both if told[k] != shown[k])
            raise CloudError(
                Text("主机公钥与控制台显示的不同：控制台 {c}，网络 {n}", "The host key differs from the console's: console {c}, network {n}")
                .format(c=told[kind], n=shown[kind]),
                where=f"{machine.target} {server.address}",
                next_step=Text("该地址可能被别的机器占用或连接被冒充，查清前不要登录",
                               "Another machine may have the address, or somebody is in between: don't log in before that is clear"),
            )  # fmt: skip
        self.facts[f"host_key.{machine.name}"] = host_key.best({k: shown[k] for k in both} or shown)
        self.facts[f"host_key_from.{machine.name}"] = "console" if both else "network"

    def _adopt(self) -> None:
        """What an interrupted attempt asked for, here or on another machine, gets its id recorded before it is deleted."""
        for machine in self.machines:
            for kind in _DELETE_ORDER:
                want = self.want(machine, kind)
                known = self.record.get(want.resource_id)
                if known is not None and known.external_id is not None:
                    continue
                found = self._steady(self.driver(machine).find, want)
                if found is not None:
                    known = known or self.record.intend(self._template(want))
                    self.record.made(known, found.external_id, found.address)
                elif known is not None:
                    self.record.deleted(known)  # it never came to be

    def _delete(self, resource: Resource) -> None:
        if resource.external_id is None:
            return
        driver, deadline = self._open(resource.driver, resource.cloud), time.monotonic() + self.limit_s
        self._steady(driver.delete, resource)
        while self._steady(driver.look, resource) is not None:
            self.beat()
            if time.monotonic() > deadline:
                raise CloudError(
                    Text("{k} 没有在 {s:.0f} 秒内删除", "The {k} was not deleted within {s:.0f} s").format(k=RESOURCE_NAMES[resource.kind], s=self.limit_s),
                    where=f"{resource.name} {resource.external_id}",
                )  # fmt: skip
            time.sleep(_POLL_S / 4)
        self.record.deleted(resource)

    def _ask(self, driver: Driver, want: Want, made: Mapping[ResourceKind, Resource]) -> Found:
        """Once, and again only while the cloud is busy and what was asked for is not there."""
        deadline, number = time.monotonic() + self.limit_s, 0
        while True:
            self.beat()
            try:
                return driver.create(want, made)
            except CloudError as error:
                pause = error.pause_s or _PAUSES_S[min(number, len(_PAUSES_S) - 1)]
                if not error.again or time.monotonic() + pause > deadline:
                    raise
            time.sleep(pause)
            number += 1
            if (found := self._steady(driver.find, want)) is not None:
                return found

    def _steady(self, call: Callable[..., T], *arguments: object) -> T:
        """A call that changes nothing, or that may be repeated."""
        deadline, number = time.monotonic() + self.limit_s, 0
        while True:
            try:
                return call(*arguments)
            except CloudError as error:
                pause = error.pause_s or _PAUSES_S[min(number, len(_PAUSES_S) - 1)]
                if not error.again or time.monotonic() + pause > deadline:
                    raise
            self.beat()
            time.sleep(pause)
            number += 1

    def _open(self, name: DriverName, cloud: str) -> Driver:
        if (name, cloud) not in self._drivers:
            self._drivers[(name, cloud)] = open_driver(name, cloud, folder=self.folder)
        return self._drivers[(name, cloud)]

    def _id(self, machine: MachineSpec, kind: ResourceKind) -> str:
        return f"{self.run_id}/{self.spec.system_id}/{machine.name}/{kind}"

    def _size(self, machine: MachineSpec) -> Size:
        assert machine.provision is not None  # noqa: S101 - only such machines come here
        return parse_offering(machine.provision.offering, getattr(machine.provision, "arch", None))

    def _template(self, want: Want) -> Resource:
        return Resource(
            resource_id=want.resource_id, run_id=self.run_id, system_id=self.spec.system_id, machine=want.machine.name,
            kind=want.kind, driver=want.provision.driver, cloud=want.provision.cloud, name=want.name, intent_at=self._now(),
        )  # fmt: skip
