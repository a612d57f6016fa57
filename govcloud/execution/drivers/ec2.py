"""Machines of an EC2-compatible cloud, through boto3. The profile of ~/.aws names account, region and endpoint_url.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ · https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore import exceptions as aws_errors
from botocore.config import Config
from botocore.loaders import Loader, create_loader
from botocore.parsers import ResponseParserError
from botocore.session import Session as BotocoreSession

from govcloud.errors import UsageError
from govcloud.execution.drivers import MARK, CloudError, Found, Want
from govcloud.execution.drivers.cloud_init import user_data
from govcloud.execution.drivers.offer import Flavor, Size, choose_flavor, common_arch
from govcloud.model.migration import MachineSpec
from govcloud.model.resource import Resource, ResourceKind
from govcloud.model.text import Text

_EXPECTED = (aws_errors.BotoCoreError, aws_errors.ClientError, ResponseParserError)
_BUSY = frozenset({
    "RequestLimitExceeded", "Throttling", "ThrottlingException", "ServiceUnavailable", "Unavailable", "InternalError",
    "InternalFailure", "SlowDown", "InsufficientInstanceCapacity",
})  # fmt: skip
_QUOTA = {
    "InstanceLimitExceeded": "instances", "VcpuLimitExceeded": "vCPU", "VolumeLimitExceeded": "volumes",
    "NetworkInterfaceLimitExceeded": "ports", "MaxSpotInstanceCountExceeded": "instances", "KeyPairLimitExceeded": "key pairs",
    "InsufficientFreeAddressesInSubnet": "addresses", "AddressLimitExceeded": "addresses",
}  # fmt: skip
_REFUSED = frozenset(
    {"AuthFailure", "UnauthorizedOperation", "AccessDenied", "InvalidClientTokenId", "SignatureDoesNotMatch"}
)
_READY = {"pending": "building", "running": "ready"}


@cache
def _loader() -> Loader:
    """The description of the interface is megabytes of JSON: read once a process, not once a cloud."""
    return create_loader()


def open_cloud(cloud: str, folder: Path) -> Ec2:
    try:
        core = BotocoreSession(profile=cloud or None)
        core.register_component("data_loader", _loader())
        session = boto3.session.Session(botocore_session=core)
        # Trying again is making.py's, which looks first whether the call was carried out.
        limits = Config(connect_timeout=15, read_timeout=60, retries={"total_max_attempts": 1, "mode": "standard"})
        return Ec2(session.client("ec2", config=limits), cloud)
    except (aws_errors.BotoCoreError, ValueError) as error:
        raise UsageError(
            Text("AWS 配置用不了（{w}）", "The AWS configuration can't be used ({w})").format(w=type(error).__name__),
            where=cloud or "~/.aws/config",
            next_step=Text("在 ~/.aws/config 的配置档里写明 region 和 endpoint_url，密钥写在 ~/.aws/credentials",
                           "Name region and endpoint_url in the profile of ~/.aws/config, and the keys in ~/.aws/credentials"),
        ) from None  # fmt: skip


class Ec2:
    """Implements drivers.Driver."""

    def __init__(self, client: Any, cloud: str) -> None:
        self._ec2, self._cloud = client, cloud

    def kinds(self, machine: MachineSpec, size: Size) -> tuple[ResourceKind, ...]:
        return ("keypair", "server")

    def find(self, want: Want) -> Found | None:
        with self._asking():
            if want.kind == "keypair":
                return self._own_pair(want)
            if want.kind == "server":
                filters = [{"Name": f"tag:{MARK}", "Values": [want.mark]},
                           {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]  # fmt: skip
                found = [self._found(i) for i in self._instances(Filters=filters)]
                return found[0] if found else None
        return None

    def create(self, want: Want, made: Mapping[ResourceKind, Resource]) -> Found:
        with self._asking(want):
            if want.kind == "keypair":
                pair = self._ec2.import_key_pair(
                    KeyName=want.name,
                    PublicKeyMaterial=want.public_key.encode(),
                    TagSpecifications=_tags("key-pair", want),
                )
                return Found(external_id=str(pair.get("KeyPairId") or pair["KeyName"]))
            return self._run(want, made)

    def look(self, resource: Resource) -> Found | None:
        with self._asking():
            try:
                if resource.kind == "keypair":
                    pair = self._pair(resource.name)
                    return (
                        Found(external_id=str(resource.external_id))
                        if pair and resource.external_id == _pair_id(pair)
                        else None
                    )
                found = [
                    i for i in self._instances(InstanceIds=[resource.external_id]) if i["State"]["Name"] != "terminated"
                ]
                return self._found(found[0]) if found else None
            except aws_errors.ClientError as error:
                if "NotFound" in _code(error):
                    return None
                raise

    def delete(self, resource: Resource) -> None:
        with self._asking():
            try:
                if resource.kind == "keypair":
                    # Not every compatible cloud deletes by id: by name, after a look at the id.
                    pair = self._pair(resource.name)
                    if pair is not None and resource.external_id == _pair_id(pair):
                        self._ec2.delete_key_pair(KeyName=resource.name)
                else:
                    self._ec2.terminate_instances(InstanceIds=[resource.external_id])
            except aws_errors.ClientError as error:
                if "NotFound" not in _code(error):
                    raise

    def upload(self, want: Want, image: Path, sha512: str, made: Resource | None, beat: Callable[[], None]) -> None:
        raise CloudError(
            Text("EC2 兼容云不支持整机镜像", "The image route is not there for EC2-compatible clouds"),
            where=self._cloud,
        )

    def console(self, resource: Resource) -> str:
        try:
            with self._asking():
                return str(self._ec2.get_console_output(InstanceId=resource.external_id).get("Output") or "")
        except CloudError as error:
            if error.again:
                raise
            return ""

    def _pair(self, name: str) -> Mapping[str, Any] | None:
        try:
            found = self._ec2.describe_key_pairs(KeyNames=[name])["KeyPairs"]
        except aws_errors.ClientError as error:
            if "NotFound" in _code(error):
                return None
            raise
        return next((p for p in found if p["KeyName"] == name), None)

    def _own_pair(self, want: Want) -> Found | None:
        pair = self._pair(want.name)
        if pair is None:
            return None
        if {t["Key"]: t["Value"] for t in pair.get("Tags", ())}.get(MARK) != want.mark:
            raise CloudError(
                Text(
                    "云上已有同名的密钥对，不是本次执行的",
                    "The cloud has a key pair of this name that is not this run's",
                ),
                where=f"{self._cloud} {want.name}",
                next_step=Text("查明是谁的；本工具不动它", "Find out whose it is; it is left alone"),
            )
        return Found(external_id=_pair_id(pair))

    def _run(self, want: Want, made: Mapping[ResourceKind, Resource]) -> Found:
        provision = want.provision
        image = self._image(provision.image)
        flavor = self._flavor(want, common_arch(image.get("Architecture")))
        subnet = self._subnet(provision.network)
        disk = {"DeviceName": image.get("RootDeviceName") or "/dev/sda1",
                "Ebs": {"VolumeSize": provision.disk_gib, "DeleteOnTermination": True}}  # fmt: skip
        answer = self._ec2.run_instances(
            ImageId=image["ImageId"], InstanceType=flavor.id, MinCount=1, MaxCount=1, KeyName=made["keypair"].name,
            SubnetId=subnet["SubnetId"], BlockDeviceMappings=[disk], UserData=user_data(want),
            TagSpecifications=_tags("instance", want), ClientToken=_token(want),
            **({"PrivateIpAddress": provision.address} if provision.address else {}),
            **({"SecurityGroupIds": self._groups(want, subnet)} if provision.security_groups else {}),
        )  # fmt: skip
        found = self._found(answer["Instances"][0])
        facts = {"flavor": flavor.name, "size": f"{flavor.vcpu}C{flavor.memory_mib // 1024}G", "asked": want.size.text}
        return Found(external_id=found.external_id, state=found.state, address=found.address, facts=facts)

    def _instances(self, **arguments: Any) -> Iterator[Any]:
        for page in self._ec2.get_paginator("describe_instances").paginate(**arguments):
            for reservation in page["Reservations"]:
                yield from reservation["Instances"]

    def _found(self, instance: Mapping[str, Any]) -> Found:
        state = _READY.get(instance["State"]["Name"], "failed")
        reason = (instance.get("StateReason") or {}).get("Message") or instance["State"]["Name"]
        return Found(
            external_id=str(instance["InstanceId"]), state=state, address=instance.get("PrivateIpAddress"),  # type: ignore[arg-type]
            why=str(reason)[:200] if state == "failed" else None,
        )  # fmt: skip

    def _image(self, name: str) -> Mapping[str, Any]:
        """By id, or the newest of that name."""
        by_id = {"ImageIds": [name]} if name.startswith("ami-") else _named("name", name)
        images = sorted(self._ec2.describe_images(**by_id)["Images"], key=lambda i: str(i.get("CreationDate")))
        if not images:
            raise self._absent(Text("没有这个镜像", "No such image"), name)
        image: Mapping[str, Any] = images[-1]
        return image

    def _subnet(self, name: str) -> Mapping[str, Any]:
        by_id = {"SubnetIds": [name]} if name.startswith("subnet-") else _named("tag:Name", name)
        found = self._ec2.describe_subnets(**by_id)["Subnets"]
        if len(found) != 1:
            raise self._absent(Text("没有这个子网，或不止一个", "No such subnet, or several"), name)
        subnet: Mapping[str, Any] = found[0]
        return subnet

    def _groups(self, want: Want, subnet: Mapping[str, Any]) -> list[str]:
        found = self._ec2.describe_security_groups(**_named("vpc-id", subnet["VpcId"]))["SecurityGroups"]
        ids = {name: group["GroupId"] for group in found for name in (group["GroupName"], group["GroupId"])}
        for name in want.provision.security_groups:
            if name not in ids:
                raise self._absent(
                    Text("子网所在的 VPC 中没有这个安全组", "No such security group in the subnet's VPC"), name
                )
        return [ids[name] for name in want.provision.security_groups]

    def _flavor(self, want: Want, arch: str | None) -> Flavor:
        exact = [
            {"Name": "vcpu-info.default-vcpus", "Values": [str(want.size.vcpu)]},
            {"Name": "memory-info.size-in-mib", "Values": [str(want.size.memory_gib * 1024)]},
        ]
        # A cloud may have a thousand types: first those of the very size, all of them only where none of these fits.
        flavor = choose_flavor(want.size, 0, self._types(Filters=exact), arch)
        flavor = flavor or choose_flavor(want.size, 0, self._types(), arch)
        if flavor is None:
            raise self._absent(Text("没有这么大、这种架构的规格", "No instance type of this size and architecture"),
                               f"{want.size.text} {want.size.arch or arch or ''}".strip())  # fmt: skip
        return flavor

    def _types(self, **filters: Any) -> list[Flavor]:
        pages = self._ec2.get_paginator("describe_instance_types").paginate(**filters)
        return [_flavor(t) for page in pages for t in page["InstanceTypes"] if not _special(t)]

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
        except _EXPECTED as error:
            raise _translate(error, self._cloud, want) from None


def _named(kind: str, value: str) -> dict[str, Any]:
    return {"Filters": [{"Name": kind, "Values": [value]}]}


def _pair_id(pair: Mapping[str, Any]) -> str:
    return str(pair.get("KeyPairId") or pair["KeyName"])


def _tags(kind: str, want: Want) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": MARK, "Value": want.mark}, {"Key": "Name", "Value": want.name}]}]


def _token(want: Want) -> str:
    """The same for the same intent: the cloud makes no second machine for a call that is repeated."""
    return hashlib.sha256(f"{want.mark} {want.asked_at}".encode()).hexdigest()


def _special(kind: Mapping[str, Any]) -> bool:
    return bool(kind.get("BareMetal") or any(kind.get(k) for k in ("GpuInfo", "FpgaInfo", "InferenceAcceleratorInfo")))


def _flavor(kind: Mapping[str, Any]) -> Flavor:
    name = str(kind["InstanceType"])
    archs = tuple(common_arch(a) or "" for a in kind.get("ProcessorInfo", {}).get("SupportedArchitectures", ()))
    return Flavor(
        name=name,
        id=name,
        vcpu=kind["VCpuInfo"]["DefaultVCpus"],
        memory_mib=kind["MemoryInfo"]["SizeInMiB"],
        archs=archs,
    )


def _code(error: BaseException) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, aws_errors.ClientError) else ""


def _translate(error: Exception, cloud: str, want: Want | None) -> CloudError:
    code = _code(error)
    status = (
        error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if isinstance(error, aws_errors.ClientError)
        else 0
    )
    if code in _QUOTA:
        asked = f"{want.size.text}, {want.provision.disk_gib} GiB" if want is not None else "1"
        return CloudError(
            Text("配额不足：{q}（申请 {a}；该云不告知余量）", "Quota exhausted: {q} (asked: {a}; this cloud does not tell what is left)")
            .format(q=_QUOTA[code], a=asked), where=cloud,
            next_step=Text("请云平台增加配额，然后 govcloud run resume", "Have the quota raised, then govcloud run resume"),
            facts={"wait": "quota", "quota": _QUOTA[code]},
        )  # fmt: skip
    if code in _REFUSED or status in (401, 403):
        return CloudError(
            Text("账号被拒绝或无权（{c}）", "The account was refused or may not do it ({c})").format(c=code or status),
            where=cloud,
        )
    if isinstance(error, (aws_errors.NoCredentialsError, aws_errors.PartialCredentialsError)):
        return CloudError(Text("没有可用的访问密钥", "There are no credentials"), where=cloud,
                          next_step=Text("写在 ~/.aws/credentials 中", "Put them into ~/.aws/credentials"))  # fmt: skip
    if code in _BUSY or status in (429, 500, 502, 503, 504) or isinstance(error, ResponseParserError):
        return CloudError(
            Text("云平台忙（{c}）", "The cloud is busy ({c})").format(c=code or status),
            where=cloud,
            again=True,
            maybe=True,
        )
    if isinstance(error, aws_errors.SSLError):
        return CloudError(Text("对方的证书不可信", "The certificate that it shows is not trusted"), where=cloud)
    if isinstance(error, aws_errors.HTTPClientError):
        return CloudError(
            Text("连不上（{w}）", "It can't be reached ({w})").format(w=type(error).__name__),
            where=cloud,
            again=True,
            maybe=True,
        )
    return CloudError(
        Text("云平台拒绝：{c}", "The cloud refused: {c}").format(c=code or type(error).__name__), where=cloud
    )
