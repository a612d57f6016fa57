"""Machines of an OpenStack cloud, through openstacksdk. The entry of clouds.yaml names account, project and region.

https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html · https://docs.openstack.org/api-ref/
"""

from __future__ import annotations

import base64
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from keystoneauth1 import exceptions as identity_errors
from openstack import exceptions as sdk_errors
from openstack.config import OpenStackConfig
from openstack.connection import Connection

from govcloud.errors import UsageError
from govcloud.execution.drivers import MARK, CloudError, Found, Want
from govcloud.execution.drivers.cloud_init import user_data
from govcloud.execution.drivers.offer import Flavor, Size, choose_flavor, common_arch
from govcloud.execution.drivers.openstack.errors import translate
from govcloud.model.migration import MachineSpec
from govcloud.model.resource import Resource, ResourceKind
from govcloud.model.text import Text

for _name in ("keystoneauth", "openstack", "urllib3"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
_EXPECTED = (sdk_errors.SDKException, identity_errors.ClientException, ValueError, OSError)
_GONE = (sdk_errors.NotFoundException, identity_errors.NotFound)
_ORDINARY = re.compile(r"resources:(VCPU|MEMORY_MB|DISK_GB)")
_SPECIAL = re.compile(r"resources\d*:|pci_passthrough:|accel:")
"""Extra specs of flavors with more than CPU, memory and disk: nobody should get one by chance."""
_CONSOLE_LINES = 2000


def open_cloud(cloud: str, folder: Path) -> OpenStack:
    # Trying again is making.py's, which looks first whether a call was carried out.
    limits = {"api_timeout": 60, "connect_retries": 0, "status_code_retries": 0}
    try:
        region = OpenStackConfig(override_defaults=limits).get_one(cloud=cloud)
        verified = region.get_requests_verify_args()[0]
    except Exception as error:
        # yaml's errors and bare ones: their words may quote the file with its passwords.
        raise UsageError(
            Text("云的配置用不了（{w}）", "The cloud's configuration can't be used ({w})").format(w=type(error).__name__),
            where=cloud,
            next_step=Text("在 ~/.config/openstack/clouds.yaml 中写好该云；执行时不使用 OS_* 变量",
                           "Describe the cloud in ~/.config/openstack/clouds.yaml; a run does not use OS_* variables"),
        ) from None  # fmt: skip
    if not verified:
        raise UsageError(
            Text("配置关闭了证书校验，拒绝连接", "Refused: the configuration switches the check of certificates off"), where=cloud,
            next_step=Text("用 cacert 指明签发证书的 CA", "Name the CA that issued the certificate with cacert"),
        )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return OpenStack(Connection(config=region), cloud)


class OpenStack:
    """Implements drivers.Driver."""

    def __init__(self, connection: Connection, cloud: str) -> None:
        self._cloud = cloud
        self._c: Any = connection
        self._flavors: list[Flavor] | None = None

    def kinds(self, machine: MachineSpec, size: Size) -> tuple[ResourceKind, ...]:
        """A volume where no flavor of the size has a disk that is large enough."""
        assert machine.provision is not None  # noqa: S101 - only such machines come here
        with self._asking():
            flavor = self._flavor(size, machine.provision.disk_gib, self._arch(machine, machine.provision.image))
        volume: tuple[ResourceKind, ...] = ("volume",) if flavor.disk_gib < machine.provision.disk_gib else ()
        image: tuple[ResourceKind, ...] = ("image",) if machine.image is not None else ()
        return (*image, "keypair", "port", *volume, "server")

    def find(self, want: Want) -> Found | None:
        with self._asking():
            if want.kind == "keypair":
                return self._find_keypair(want)
            if want.kind == "port":
                found = [_found_port(p) for p in self._c.network.ports(name=want.name) if p.description == want.mark]
            elif want.kind == "volume":
                found = [_found_volume(v) for v in self._c.block_storage.volumes(details=True, name=want.name)
                         if (v.metadata or {}).get(MARK) == want.mark]  # fmt: skip
            elif want.kind == "image":
                images = self._c.image.images(name=want.name)
                found = [_found_image(i) for i in images if (i.properties or {}).get(MARK) == want.mark]
            elif want.kind == "server":
                servers = self._c.compute.servers(details=True, name=f"^{re.escape(want.name)}$")
                found = [_found_server(s) for s in servers if (s.metadata or {}).get(MARK) == want.mark]
            else:
                found = []
        return found[0] if found else None

    def create(self, want: Want, made: Mapping[ResourceKind, Resource]) -> Found:
        makers = {
            "keypair": self._create_keypair, "port": self._create_port, "volume": self._create_volume,
            "image": self._create_image, "server": self._create_server,
        }  # fmt: skip
        with self._asking(want):
            return makers[want.kind](want, made)

    def look(self, resource: Resource) -> Found | None:
        with self._asking():
            try:
                if resource.kind == "keypair":
                    pair = self._c.compute.find_keypair(resource.external_id, ignore_missing=True)
                    return Found(external_id=str(pair.name)) if pair is not None else None
                if resource.kind == "port":
                    return _found_port(self._c.network.get_port(resource.external_id))
                if resource.kind == "volume":
                    return _found_volume(self._c.block_storage.get_volume(resource.external_id))
                if resource.kind == "image":
                    return _found_image(self._c.image.get_image(resource.external_id))
                server = self._c.compute.get_server(resource.external_id)
                return None if server.status == "DELETED" else _found_server(server)
            except _GONE:
                return None

    def delete(self, resource: Resource) -> None:
        call: Any = {
            "keypair": lambda i: self._c.compute.delete_keypair(i), "port": lambda i: self._c.network.delete_port(i),
            "volume": lambda i: self._c.block_storage.delete_volume(i), "image": lambda i: self._c.image.delete_image(i),
            "server": lambda i: self._c.compute.delete_server(i),
        }[resource.kind]  # fmt: skip
        with self._asking():
            try:
                call(resource.external_id)
            except _GONE:
                return

    def upload(self, want: Want, image: Path, sha512: str, made: Resource | None, beat: Callable[[], None]) -> None:
        """Glance keeps no part of an upload that broke off: the entry is `queued` again and the file sent from its start."""
        assert made is not None and made.external_id is not None  # noqa: S101 - the entry comes first
        with self._asking(want):
            entry = self._c.image.get_image(made.external_id)
            if entry.status == "queued":
                with image.open("rb") as stream:
                    answer = self._c.image.put(
                        f"/images/{entry.id}/file", data=_Told(stream, image.stat().st_size, beat),
                        headers={"Content-Type": "application/octet-stream", "Accept": ""},
                    )  # fmt: skip
                sdk_errors.raise_from_response(answer)
                entry = self._c.image.get_image(made.external_id)
        if entry.status != "active":
            raise CloudError(
                Text("镜像的状态是 {s}", "The image's state is {s}").format(s=entry.status), where=f"{self._cloud} {want.name}",
                again=entry.status in ("queued", "saving", "importing"), pause_s=5,
            )  # fmt: skip
        if entry.hash_algo != "sha512" or entry.hash_value != sha512:
            raise CloudError(
                Text("云上镜像的校验值与文件不同", "The image in the cloud has another digest than the file"), where=f"{self._cloud} {want.name}",
                next_step=Text("撤销创建步骤后再执行", "Undo the step, then run it again"),
            )  # fmt: skip

    def console(self, resource: Resource) -> str:
        try:
            with self._asking():
                answer = self._c.compute.get_server_console_output(resource.external_id, length=_CONSOLE_LINES)
                return str((answer or {}).get("output") or "")
        except CloudError as error:
            if error.again:
                raise
            return ""  # many clouds don't show it to tenants

    def _find_keypair(self, want: Want) -> Found | None:
        """Key pairs carry no metadata: ours has our name and our key."""
        pair = self._c.compute.find_keypair(want.name, ignore_missing=True)
        if pair is None:
            return None
        if " ".join(str(pair.public_key).split()[:2]) != want.public_key:
            raise CloudError(
                Text("云上已有同名的密钥对，但公钥不同", "The cloud has a key pair of this name with another key"), where=f"{self._cloud} {want.name}",
                next_step=Text("查明是谁的；本工具不动它", "Find out whose it is; it is left alone"),
            )  # fmt: skip
        return Found(external_id=str(pair.name))

    def _create_keypair(self, want: Want, made: Mapping[ResourceKind, Resource]) -> Found:
        return Found(external_id=str(self._c.compute.create_keypair(name=want.name, public_key=want.public_key).name))

    def _create_port(self, want: Want, made: Mapping[ResourceKind, Resource]) -> Found:
        network = self._c.network.find_network(want.provision.network, ignore_missing=True)
        if network is None:
            raise self._absent(Text("没有这个网络", "No such network"), want.provision.network)
        fixed = {"fixed_ips": [{"ip_address": want.provision.address}]} if want.provision.address else {}
        groups = {"security_groups": self._groups(want)} if want.provision.security_groups else {}
        port = self._c.network.create_port(
            network_id=network.id, name=want.name, description=want.mark, **fixed, **groups
        )
        return _found_port(port)

    def _groups(self, want: Want) -> list[str]:
        ids = []
        for name in want.provision.security_groups:
            group = self._c.network.find_security_group(name, ignore_missing=True)
            if group is None:
                raise self._absent(Text("没有这个安全组", "No such security group"), name)
            ids.append(str(group.id))
        return ids

    def _create_volume(self, want: Want, made: Mapping[ResourceKind, Resource]) -> Found:
        volume = self._c.block_storage.create_volume(
            name=want.name,
            size=want.provision.disk_gib,
            image_id=self._image(want, made).id,
            metadata={MARK: want.mark},
        )
        return _found_volume(volume)

    def _create_image(self, want: Want, made: Mapping[ResourceKind, Resource]) -> Found:
        """Only the entry; images.py sends the data."""
        arch = {"architecture": want.size.arch} if want.size.arch else {}
        image = self._c.image.create_image(
            name=want.name, disk_format="qcow2", container_format="bare", visibility="private", allow_duplicates=True,
            disable_vendor_agent=True, min_disk=0, govcloud_title=want.provision.image, **{MARK: want.mark}, **arch,
        )  # fmt: skip
        return _found_image(image)

    def _create_server(self, want: Want, made: Mapping[ResourceKind, Resource]) -> Found:
        image = self._image(want, made)
        flavor = self._flavor(want.size, want.provision.disk_gib, common_arch(image.architecture))
        if "volume" in made:
            self._demand_volume(made["volume"])
            disk: dict[str, Any] = {"block_device_mapping": [{
                "boot_index": 0, "uuid": made["volume"].external_id, "source_type": "volume", "destination_type": "volume",
                "delete_on_termination": False,
            }]}  # fmt: skip
        else:
            disk = {"image_id": image.id}
        server = self._c.compute.create_server(
            name=want.name, flavor_id=flavor.id, networks=[{"port": made["port"].external_id}], key_name=made["keypair"].name,
            metadata={MARK: want.mark}, user_data=base64.b64encode(user_data(want).encode()).decode(), **disk,
        )  # fmt: skip
        facts: dict[str, int | str] = {
            "flavor": flavor.name, "size": f"{flavor.vcpu}C{flavor.memory_mib // 1024}G", "asked": want.size.text,
                 "disk_gib": max(flavor.disk_gib, want.provision.disk_gib)}  # fmt: skip
        return Found(external_id=str(server.id), state="building", facts=facts)

    def _demand_volume(self, resource: Resource) -> None:
        volume = self._c.block_storage.get_volume(resource.external_id)
        if volume.status in ("creating", "downloading"):
            raise CloudError(
                Text("云硬盘还没有就绪", "The volume is not ready yet"), where=resource.name, again=True, pause_s=2
            )
        if volume.status != "available":
            raise CloudError(
                Text("云硬盘状态为 {s}", "The volume's state is {s}").format(s=volume.status), where=resource.name
            )

    def _image(self, want: Want, made: Mapping[ResourceKind, Resource]) -> Any:
        if "image" in made:
            return self._c.image.get_image(made["image"].external_id)
        image = self._c.image.find_image(want.provision.image, ignore_missing=True)
        if image is None:
            raise self._absent(Text("没有这个镜像", "No such image"), want.provision.image)
        said = common_arch(image.architecture)
        if want.size.arch is not None and said is not None and said != want.size.arch:
            raise self._absent(
                Text("镜像的架构是 {i}，目录规格是 {s}", "The image is {i}, the offering {s}").format(
                    i=said, s=want.size.arch
                ),
                want.provision.image,
            )
        return image

    def _arch(self, machine: MachineSpec, name: str) -> str | None:
        """Of the image that the machine boots from; None where the cloud does not say, or there is none yet."""
        image = self._c.image.find_image(name, ignore_missing=True) if machine.image is None else None
        return common_arch(image.architecture) if image is not None else None

    def _flavor(self, size: Size, disk_gib: int, image_arch: str | None) -> Flavor:
        if self._flavors is None:
            found = self._c.compute.flavors(details=True, get_extra_specs=True)
            self._flavors = [_flavor(f) for f in found if not _is_special(f.extra_specs or {}) and not f.is_disabled]
        flavor = choose_flavor(size, disk_gib, self._flavors, image_arch)
        if flavor is None:
            raise self._absent(
                Text("没有这么大、这种架构的规格", "No flavor of this size and architecture"),
                f"{size.text} {size.arch or image_arch or ''}".strip(),
            )
        return flavor

    def _absent(self, what: Text, name: str) -> CloudError:
        return CloudError(
            what,
            where=f"{self._cloud} {name}",
            next_step=Text("核对迁移文件的 provision", "Check `provision` in the migration file"),
        )

    @contextmanager
    def _asking(self, want: Want | None = None) -> Iterator[None]:
        try:
            yield
        except CloudError:
            raise
        except _EXPECTED as error:
            raise translate(error, self._cloud, self._c, want) from None


class _Told:
    """A file whose reading shows that something moves; requests asks for its length and reads it."""

    def __init__(self, stream: IO[bytes], length: int, beat: Callable[[], None]) -> None:
        self._stream, self._length, self._beat = stream, length, beat

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        self._beat()
        return self._stream.read(size)


def _is_special(extra: Mapping[str, str]) -> bool:
    return any(_SPECIAL.match(key) and not _ORDINARY.fullmatch(key) for key in extra)


def _flavor(flavor: Any) -> Flavor:
    extra = flavor.extra_specs or {}
    arch = common_arch(
        extra.get("hw:architecture") or extra.get("capabilities:cpu_info:arch") or extra.get("hw_architecture")
    )
    return Flavor(
        name=str(flavor.name), id=str(flavor.id), vcpu=int(flavor.vcpus), memory_mib=int(flavor.ram), disk_gib=int(flavor.disk or 0),
        archs=(arch,) if arch else (),
    )  # fmt: skip


def _found_port(port: Any) -> Found:
    addresses = [str(ip["ip_address"]) for ip in port.fixed_ips or ()]
    return Found(external_id=str(port.id), address=addresses[0] if addresses else None)


def _found_volume(volume: Any) -> Found:
    return Found(
        external_id=str(volume.id), state="failed" if "error" in str(volume.status) else "ready", why=str(volume.status)
    )


def _found_image(image: Any) -> Found:
    return Found(
        external_id=str(image.id), state="ready" if image.status == "active" else "building", why=str(image.status)
    )


def _found_server(server: Any) -> Found:
    addresses = [
        str(a["addr"])
        for net in (server.addresses or {}).values()
        for a in net
        if a.get("OS-EXT-IPS:type") != "floating"
    ]
    address = addresses[0] if addresses else None
    if server.status == "ERROR":
        why = str((server.fault or {}).get("message") or "ERROR")[:300]
        return Found(external_id=str(server.id), state="failed", address=address, why=why)
    return Found(
        external_id=str(server.id), state="ready" if server.status == "ACTIVE" else "building", address=address
    )
