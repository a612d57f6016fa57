"""Machines that are not there yet: what a driver for a cloud can do, and what the rest of a run needs to know of it.

A driver talks to one cloud as one account. It makes one thing a call and never decides whether to: making.py does, and
writes down each intent before the call and each id after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Literal, Protocol

from govcloud.errors import OutsideError, UsageError
from govcloud.execution.drivers.offer import Size
from govcloud.model.access import HostAccess
from govcloud.model.migration import DriverName, MachineSpec, ProvisionSpec
from govcloud.model.resource import Resource, ResourceKind
from govcloud.model.text import Text

MARK = "govcloud_resource"
"""Metadata key, tag or property under which a thing says which resource of which run it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """One thing that a machine needs."""

    kind: ResourceKind
    resource_id: str
    mark: str
    """What only our own thing carries: the resource's id and a digest of the key that opens the machine. Run numbers
    repeat from workspace to workspace; keys don't."""
    name: str
    system_id: str
    machine: MachineSpec
    provision: ProvisionSpec
    size: Size
    public_key: str
    """OpenSSH's one-line form without the comment; empty where no key is named."""
    zone: str | None = None
    asked_at: datetime | None = None
    """Moment of the recorded intent: the same for every call that may be the same one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    external_id: str
    state: Literal["building", "ready", "failed"] = "ready"
    address: str | None = None
    why: str | None = None
    """failed: the cloud's own word."""
    facts: Mapping[str, int | str] | None = None
    """What was chosen: flavor, size."""


class CloudError(OutsideError):
    """A cloud said no, or nothing. `again`: worth another try soon; `maybe`: the call may have been carried out all the same.

    `facts`: `wait` (quota, ticket) tells the run that a person has to do something before the next attempt.
    """

    def __init__(
        self, what: Text, *, where: str | Text = "", next_step: Text | None = None, again: bool = False,
        maybe: bool = False, pause_s: float | None = None, facts: Mapping[str, int | str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(what, where=where, next_step=next_step)
        self.again, self.maybe, self.pause_s, self.facts = again, maybe, pause_s, dict(facts or {})


class Driver(Protocol):
    """Every method may raise CloudError; none of them tries again by itself."""

    def kinds(self, machine: MachineSpec, size: Size) -> tuple[ResourceKind, ...]:
        """What the machine consists of, in the order of making. Deleting goes backwards."""

    def find(self, want: Want) -> Found | None:
        """The thing that carries our mark. One with our name and another mark, or none, is somebody else's."""

    def create(self, want: Want, made: Mapping[ResourceKind, Resource]) -> Found:
        """Ask for it once. `made`: what the machine has already."""

    def look(self, resource: Resource) -> Found | None:
        """By its recorded id; None: it is gone."""

    def delete(self, resource: Resource) -> None:
        """Ask for the deletion of the recorded id; one that is gone already is no error."""

    def upload(self, want: Want, image: Path, sha512: str, made: Resource | None, beat: Callable[[], None]) -> None:
        """Fill the image that `made` is with a qcow2 file, or see that it holds it already."""

    def console(self, resource: Resource) -> str:
        """What the machine printed while it booted; empty where the cloud does not tell."""


def open_driver(name: DriverName, cloud: str, *, folder: Path) -> Driver:
    """A driver for an entry of clouds.yaml or a profile. `folder`: where `existing` writes its tickets.

    Raises UsageError where the cloud is not configured or its library is not installed.
    """
    try:
        module = import_module(f"govcloud.execution.drivers.{name}")
    except ModuleNotFoundError as error:
        raise UsageError(
            Text("没有安装云平台的接口库：{n}", "The cloud's library is not installed: {n}").format(n=error.name),
            where=name,
            next_step=Text("安装 govcloud[clouds]", "Install govcloud[clouds]"),
        ) from None
    driver: Driver = module.open_cloud(cloud, folder)
    return driver


def credential_files(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Variables that name the files in which the SDKs find clouds and accounts, for a process that has another home.

    Only names of files that exist: accounts in variables (OS_PASSWORD, AWS_SECRET_ACCESS_KEY …) are not passed on, as an
    attempt's environment is written down.
    """
    places = {
        "OS_CLIENT_CONFIG_FILE": (Path("clouds.yaml"), home / ".config/openstack/clouds.yaml", Path("/etc/openstack/clouds.yaml")),
        "OS_CLIENT_SECURE_FILE": (Path("secure.yaml"), home / ".config/openstack/secure.yaml", Path("/etc/openstack/secure.yaml")),
        "AWS_CONFIG_FILE": (home / ".aws/config",),
        "AWS_SHARED_CREDENTIALS_FILE": (home / ".aws/credentials",),
    }  # fmt: skip
    found = {}
    for key, usual in places.items():
        candidates = (Path(environ[key]).expanduser(),) if environ.get(key) else usual
        chosen = next((path for path in candidates if path.is_file()), None)
        if chosen is not None:
            found[key] = str(chosen.absolute())
    return found


def reach(machine: MachineSpec, resources: Sequence[Resource]) -> HostAccess | None:
    """How a provisioned target is reached; None as long as it has no address, or where nothing is provisioned."""
    if machine.provision is None:
        return None
    address = next(
        (r.address for r in resources
         if r.kind == "server" and r.machine == machine.name and r.deleted_at is None and r.external_id and r.address),
        None,
    )  # fmt: skip
    if address is None:
        return None
    provision = machine.provision
    return HostAccess(name=machine.target, address=address, user=provision.user, key_file=provision.key_file)
