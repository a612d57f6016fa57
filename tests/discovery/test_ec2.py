"""`discover ec2` against a real moto server, and against places that refuse: without it a cloud's servers are typed by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cloud_places import AT, free_port, make_certificate, moto_server, now, serving
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.discovery.cloud_ec2 import build_ec2_statements
from govcloud.discovery.ec2 import collect_ec2
from govcloud.errors import GovcloudError, InputError, OutsideError, UsageError
from govcloud.model.clouds import CloudReading
from govcloud.model.observation import Statement

REGION = "cn-north-1"
SECRET = "shili-secret-key"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "shili")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture(scope="module")
def made(endpoint: str) -> dict[str, str]:
    """A VPC with two instances, an elastic address, a second volume, a line to a department, a bucket."""
    place = {
        "endpoint_url": endpoint, "region_name": REGION, "aws_access_key_id": "shili", "aws_secret_access_key": "x",
    }  # fmt: skip
    ec2: Any = boto3.client("ec2", **place)
    s3: Any = boto3.client("s3", **place)

    def name(text: str, kind: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": text}]}]

    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=name("示例政务网", "vpc"))["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.1.0/24")["Subnet"]["SubnetId"]
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]
    oa, db = ec2.run_instances(
        ImageId=image["ImageId"], MinCount=2, MaxCount=2, InstanceType="m5.xlarge", SubnetId=subnet,
        TagSpecifications=name("示例 OA {{ 7*7 }}", "instance"),
    )["Instances"]  # fmt: skip
    ec2.stop_instances(InstanceIds=[db["InstanceId"]])
    gone = ec2.run_instances(ImageId=image["ImageId"], MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"][0]
    ec2.terminate_instances(InstanceIds=[gone["InstanceId"]])
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=oa["InstanceId"])
    volume = ec2.create_volume(Size=100, AvailabilityZone=f"{REGION}a")["VolumeId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=oa["InstanceId"], Device="/dev/sdf")
    peer = ec2.create_customer_gateway(Type="ipsec.1", PublicIp="203.0.113.7", BgpAsn=65000)["CustomerGateway"]
    ours = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]
    vpn = ec2.create_vpn_connection(
        Type="ipsec.1", CustomerGatewayId=peer["CustomerGatewayId"], VpnGatewayId=ours["VpnGatewayId"]
    )["VpnConnection"]  # fmt: skip
    s3.create_bucket(Bucket="shili-oa-backup", CreateBucketConfiguration={"LocationConstraint": REGION})
    return {
        "vpc": vpc, "oa": oa["InstanceId"], "db": db["InstanceId"], "gone": gone["InstanceId"], "subnet": subnet,
        "vpn": vpn["VpnConnectionId"], "image": image["Name"], "oa_ip": oa["PrivateIpAddress"],
    }  # fmt: skip


def by_id(reading: CloudReading, cloud_id: str) -> Statement:
    return next(s for s in reading.statements if s.place.endswith(f"/{cloud_id}"))


def test_everything_that_the_account_has(endpoint: str, made: dict[str, str]) -> None:
    reading = collect_ec2(endpoint=endpoint, region=REGION, name="示例云", now=now, department="示例局")
    assert reading.complete and not reading.gaps
    assert reading.counts["vpn_connections"] == reading.counts["buckets"] == reading.counts["addresses"] == 1
    oa = by_id(reading, made["oa"])
    assert oa.source == "ec2" and oa.observed_at == AT
    values = dict(oa.values)
    # moto gives elastic addresses of the loopback network.
    private, public = values.pop("addresses")  # type: ignore[misc]
    assert private == made["oa_ip"] and public.startswith("127.")
    (mac,) = values.pop("macs")  # type: ignore[misc]
    assert mac == mac.lower() and len(mac) == 17
    root_gib = 108 - 100
    assert values == {
        "name": "示例 OA {{ 7*7 }}", "department": "示例局", "zone": f"示例云/{made['vpc']}", "virtual": True,
        "cloud": "示例云", "cloud_id": made["oa"], "tenant": "123456789012", "flavor": "m5.xlarge",
        "image": made["image"], "os_name": "Windows", "arch": "x86_64", "cpu_count": 4, "memory_gib": 16.0,
        "disk_gib": 108.0, "disks": (f"sda1 {root_gib}", "sdf 100"), "power": "on",
    }  # fmt: skip
    assert by_id(reading, made["db"]).values["power"] == "off"
    assert not [s for s in reading.statements if made["gone"] in s.place]


def test_networks_and_the_line_to_the_department(endpoint: str, made: dict[str, str]) -> None:
    reading = collect_ec2(endpoint=endpoint, region=REGION, name="示例云", now=now)
    vpc, subnet = by_id(reading, made["vpc"]), by_id(reading, made["subnet"])
    assert vpc.values == {"name": "示例云/示例政务网", "kind": "cloud", "prefixes": ("10.20.0.0/16",)}
    assert subnet.values["prefixes"] == ("10.20.1.0/24",)
    servers = {s.subject_id for s in reading.statements if s.subject_kind == "server"}
    assert set(subnet.values["servers"]) == servers  # type: ignore[arg-type]
    tenant = by_id(reading, "123456789012")
    assert tenant.values["vpn_connections"] == (f"{made['vpn']} 203.0.113.7 -",)
    assert tenant.values["buckets"] == (f"shili-oa-backup {REGION}",)
    assert tenant.values["server_used"] == 2 and "vcpu_quota" in tenant.unknown


def test_without_a_name_the_cloud_is_called_by_its_host(endpoint: str, made: dict[str, str]) -> None:
    reading = collect_ec2(endpoint=endpoint, region=REGION, now=now, zone="政务外网")
    assert reading.cloud == f"{endpoint.removeprefix('http://')}/{REGION}"
    assert by_id(reading, made["oa"]).values["zone"] == "政务外网"


def refused(code: str) -> str:
    return f"<Response><Errors><Error><Code>{code}</Code><Message>{SECRET}</Message></Error></Errors></Response>"


def test_wrong_keys_end_it_and_missing_rights_are_gaps() -> None:
    with serving(lambda *_: (401, refused("AuthFailure"))) as url, pytest.raises(OutsideError) as caught:
        collect_ec2(endpoint=url, region=REGION, now=now)
    assert SECRET not in caught.value.message("zh") + caught.value.message("en")

    def some(method: str, path: str, body: str) -> tuple[int, object]:
        if "DescribeVpcs" in body:
            return 200, "<DescribeVpcsResponse><vpcSet></vpcSet></DescribeVpcsResponse>"
        if "DescribeVpnConnections" in body:
            return 400, refused("InvalidAction")
        return 403, refused("UnauthorizedOperation")

    with serving(some) as url:
        reading = collect_ec2(endpoint=url, region=REGION, now=now)
    assert not reading.complete and reading.counts["vpcs"] == 0
    gaps = {g.kind: g for g in reading.gaps}
    assert gaps["vpn_connections"].absent and not gaps["volumes"].absent
    assert SECRET not in "".join(g.reason.en for g in reading.gaps)


def test_what_is_no_cloud_is_told_apart(tmp_path: Path) -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    certificate = make_certificate(tmp_path)
    told: list[GovcloudError] = []

    def ask(error: type[GovcloudError], **options: Any) -> str:
        with pytest.raises(error) as caught:
            collect_ec2(**{"region": REGION, "now": now, **options})
        told.append(caught.value)
        return caught.value.what.en

    assert "can't be reached" in ask(OutsideError, endpoint=closed)
    with serving(lambda *_: (200, {"hello": 1})) as url:
        assert "no usable EC2" in ask(OutsideError, endpoint=url)
    with serving(lambda *_: (401, refused("AuthFailure")), certificate) as url:
        assert "certificate" in ask(OutsideError, endpoint=url)
        # With the right CA the conversation goes on, to the refused keys.
        assert "credentials" in ask(OutsideError, endpoint=url, ca=certificate[0])
    assert "CA bundle" in ask(InputError, endpoint=closed, ca=tmp_path / "none.pem")
    assert "profile" in ask(UsageError, endpoint=closed, profile="nosuch")
    assert "http(s)" in ask(UsageError, endpoint="file:///etc/passwd")
    assert "region" in ask(UsageError, endpoint=closed, region=None)
    assert all(e.next_step for e in told if not isinstance(e, InputError))


def test_without_keys_the_user_is_told_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(UsageError, match="credentials"):
        collect_ec2(endpoint=f"http://127.0.0.1:{free_port()}", region=REGION, now=now)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    "InstanceId", "VpcId", "SubnetId", "State", "Tags", "NetworkInterfaces", "BlockDeviceMappings", "OwnerId", "Size",
    "CidrBlock", "CidrBlockAssociationSet", "VCpuInfo", "MemoryInfo", "Name", "Routes", "CpuOptions", "InstanceType",
)  # fmt: skip
KINDS = ("instances", "instance_types", "volumes", "vpcs", "subnets", "vpn_connections", "buckets", "security_groups")


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(KINDS), st.lists(st.dictionaries(st.sampled_from(KEYS), JSON), max_size=3)))
def test_no_answer_of_a_cloud_makes_it_fall(raw: dict[str, Any]) -> None:
    """A broken or hostile service must not end the night's discovery with a traceback."""
    for statement in build_ec2_statements(raw, cloud="c", observed_at=AT):
        for value in statement.values.values():
            assert isinstance(value, (str, int, float, bool, tuple))
            str(value).encode()
