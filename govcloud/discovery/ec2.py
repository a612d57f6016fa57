"""Reads a cloud with an EC2-compatible interface with boto3: the only caller of that library.

Credentials come from boto3's own places (profiles, AWS_* variables, the instance's role) and stay there. Certificates
are always verified. https://boto3.amazonaws.com/v1/documentation/api/latest/guide/credentials.html
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore import exceptions as aws_errors
from botocore.config import Config
from botocore.parsers import ResponseParserError

from govcloud.discovery.cloud_ec2 import SOURCE, Resource, build_ec2_statements
from govcloud.errors import GovcloudError, InputError, OutsideError, UsageError
from govcloud.model.clouds import CloudGap, CloudReading
from govcloud.model.text import Text

CONNECT_SECONDS, READ_SECONDS, TRIES = 10, 30, 3
MAX_RESOURCES = 200_000
"""Of one kind: a service that never stops turning pages must not fill our memory."""
_TYPES_A_CALL = 100
"""DescribeInstanceTypes takes no more names than that."""
_IMAGES_A_CALL = 200

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
_REFUSED = frozenset({
    "AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException", "ExpiredToken",
    "RequestExpired", "InvalidAccessKeyId", "InvalidToken",
})  # fmt: skip
_FORBIDDEN = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "OptInRequired", "Forbidden"})
_ABSENT = frozenset({
    "InvalidAction", "UnsupportedOperation", "NotImplemented", "UnknownOperationException", "MethodNotAllowed",
})  # fmt: skip
# The last one, for an answer that is no XML, is none of the library's own kinds.
_EXPECTED = (aws_errors.BotoCoreError, aws_errors.ClientError, ResponseParserError)
_SIMPLE = (
    # Kind, operation with a paginator (or without one), key of the answer.
    ("vpcs", "describe_vpcs", "Vpcs"), ("subnets", "describe_subnets", "Subnets"),
    ("volumes", "describe_volumes", "Volumes"), ("security_groups", "describe_security_groups", "SecurityGroups"),
    ("addresses", "describe_addresses", "Addresses"), ("vpn_connections", "describe_vpn_connections", "VpnConnections"),
    ("customer_gateways", "describe_customer_gateways", "CustomerGateways"),
)  # fmt: skip


def collect_ec2(
    *,
    endpoint: str | None = None,
    s3_endpoint: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    ca: Path | None = None,
    name: str | None = None,
    now: Callable[[], datetime],
    department: str | None = None,
    zone: str | None = None,
    on_kind: Callable[[str, int, int], None] = lambda kind, done, total: None,
) -> CloudReading:
    """Everything that the account may see in one region. `name` is what the inventory calls the cloud, by default HOST/REGION.

    Raises UsageError for missing configuration and OutsideError where nobody can log in; what is refused in single
    operations is a gap. `on_kind` is called with (kind, done, total) after each kind.
    """
    for option, url in (("--endpoint", endpoint), ("--s3-endpoint", s3_endpoint)):
        _check_url(option, url)
    if ca is not None and not ca.is_file():
        raise InputError(Text("CA 证书文件不存在", "No such CA bundle"), where=str(ca))
    # A profile may name its own endpoint: the host that is really spoken to is the cloud's name.
    session, ec2 = _client(profile, region, endpoint, ca)
    spoken_to = urlsplit(str(ec2.meta.endpoint_url))
    host = spoken_to.netloc.rpartition("@")[2]
    region_name = str(ec2.meta.region_name)
    s3 = session.client("s3", **_options(s3_endpoint or endpoint, ca))
    reading = _Reading(ec2, s3, on_kind)
    reading.read(f"{spoken_to.scheme}://{host}")
    name = name or f"{host}/{region_name}"
    statements = build_ec2_statements(reading.raw, cloud=name, observed_at=now(), department=department, zone=zone)
    return CloudReading(
        source=SOURCE, cloud=name, scope=f"{region_name}/{reading.account}", statements=statements,
        gaps=tuple(reading.gaps), counts={kind: len(found) for kind, found in reading.raw.items()},
    )  # fmt: skip


def _check_url(option: str, url: str | None) -> None:
    if url is not None and not (urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname):
        raise UsageError(
            Text("不是 http(s) 地址", "Not an http(s) address"), where=option,
            next_step=Text("例如 https://ec2.example.gov.cn", "For example https://ec2.example.gov.cn"),
        )  # fmt: skip


def _options(endpoint: str | None, ca: Path | None) -> dict[str, Any]:
    limits = Config(
        connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": TRIES, "mode": "standard"}
    )  # fmt: skip
    return {"endpoint_url": endpoint, "config": limits, **({"verify": str(ca)} if ca is not None else {})}


def _client(profile: str | None, region: str | None, endpoint: str | None, ca: Path | None) -> tuple[Any, Any]:
    try:
        session = boto3.session.Session(profile_name=profile, region_name=region)
        return session, session.client("ec2", **_options(endpoint, ca))
    except aws_errors.ProfileNotFound:
        raise UsageError(
            Text("没有这个配置档", "No such profile"), where=profile or "AWS_PROFILE",
            next_step=Text("在 ~/.aws/config 和 ~/.aws/credentials 中写好它", "Describe it in ~/.aws/config and ~/.aws/credentials"),
        ) from None  # fmt: skip
    except aws_errors.NoRegionError:
        raise UsageError(
            Text("没有写明区域", "No region is named"), where="--region",
            next_step=Text("例如 --region cn-north-1", "For example --region cn-north-1"),
        ) from None  # fmt: skip
    except (aws_errors.BotoCoreError, ValueError) as error:
        raise UsageError(
            Text("AWS 配置用不了（{w}）", "The AWS configuration can't be used ({w})").format(w=type(error).__name__),
            where=profile or "~/.aws/config",
        ) from None  # fmt: skip


class _Reading:
    """What was read so far, and what was not."""

    def __init__(self, ec2: Any, s3: Any, on_kind: Callable[[str, int, int], None]) -> None:
        self.ec2, self.s3, self.on_kind = ec2, s3, on_kind
        self.raw: dict[str, list[Resource]] = {}
        self.gaps: list[CloudGap] = []
        self.total = len(_SIMPLE) + 4

    @property
    def account(self) -> str:
        return next(
            (
                str(r["OwnerId"])
                for r in (*self.raw.get("vpcs", ()), *self.raw.get("instances", ()))
                if r.get("OwnerId")
            ),
            "-",
        )

    def read(self, where: str) -> None:
        try:
            self.ec2.describe_vpcs(MaxResults=5)
        except _EXPECTED as error:
            # Whoever may not list VPCs has logged in all the same.
            if problem := _login_error(error, where):
                raise problem from None
        for kind, operation, key in _SIMPLE:
            self.take(kind, partial(self.pages, operation, key))
        self.take("instances", self.instances)
        used = sorted({str(i["InstanceType"]) for i in self.raw.get("instances", ()) if i.get("InstanceType")})
        self.take("instance_types", lambda: self.named("describe_instance_types", "InstanceTypes", used, _TYPES_A_CALL))
        images = sorted({str(i["ImageId"]) for i in self.raw.get("instances", ()) if i.get("ImageId")})
        self.take("images", lambda: self.named("describe_images", "Images", images, _IMAGES_A_CALL, "ImageIds"))
        self.take("buckets", self.buckets)

    def take(self, kind: str, listing: Callable[[], Iterable[Any]]) -> None:
        try:
            found = list(itertools.islice(listing(), MAX_RESOURCES + 1))
            if len(found) > MAX_RESOURCES:
                raise ValueError("too many resources")
            self.raw[kind] = found
        except (*_EXPECTED, ValueError, KeyError, TypeError) as error:
            self.gaps.append(_gap(kind, error))
        self.on_kind(kind, len(self.raw) + len(self.gaps), self.total)

    def pages(self, operation: str, key: str, **arguments: Any) -> Iterable[Resource]:
        if self.ec2.can_paginate(operation):
            for page in self.ec2.get_paginator(operation).paginate(**arguments):
                yield from page[key]
        else:
            yield from getattr(self.ec2, operation)(**arguments)[key]

    def instances(self) -> Iterable[Resource]:
        for reservation in self.pages("describe_instances", "Reservations"):
            for instance in reservation["Instances"]:
                yield {**instance, "OwnerId": reservation.get("OwnerId")}

    def named(self, operation: str, key: str, wanted: list[str], a_call: int, option: str = "") -> Iterable[Resource]:
        for start in range(0, len(wanted), a_call):
            yield from self.pages(operation, key, **{option or key: wanted[start : start + a_call]})

    def buckets(self) -> Iterable[Resource]:
        """Names and regions only: nobody looks into a bucket."""
        for bucket in self.s3.list_buckets()["Buckets"]:
            region = bucket.get("BucketRegion")
            if region is None:
                try:
                    region = self.s3.get_bucket_location(Bucket=bucket["Name"]).get("LocationConstraint")
                except _EXPECTED:
                    region = None
            yield {"Name": bucket["Name"], "Region": region}


def _code(error: BaseException) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, aws_errors.ClientError) else ""


def _status(error: BaseException) -> int | None:
    if not isinstance(error, aws_errors.ClientError):
        return None
    status: int | None = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status


def _login_error(error: Exception, where: str) -> GovcloudError | None:
    if isinstance(
        error, (aws_errors.NoCredentialsError, aws_errors.PartialCredentialsError, aws_errors.CredentialRetrievalError)
    ):
        return UsageError(
            Text("没有可用的访问密钥", "There are no credentials"), where=where,
            next_step=Text("在 ~/.aws/credentials 中写好，用 --profile 指明，或设置 AWS_ACCESS_KEY_ID 等环境变量",
                           "Put them into ~/.aws/credentials and name the --profile, or set AWS_ACCESS_KEY_ID and its companions"),
        )  # fmt: skip
    if isinstance(error, aws_errors.SSLError):
        return OutsideError(
            Text("对方的证书不可信", "The certificate that it shows is not trusted"), where=where,
            next_step=Text("向云平台索取 CA 证书，用 --ca 文件 指明；不要关闭校验",
                           "Get the CA's certificate from the cloud's operator and name it with --ca FILE; never switch the check off"),
        )  # fmt: skip
    if isinstance(error, (aws_errors.ConnectionError, aws_errors.HTTPClientError)):
        return OutsideError(
            Text("连不上（{w}）", "It can't be reached ({w})").format(w=type(error).__name__), where=where,
            next_step=Text("检查地址、端口和防火墙，再运行一次", "Check address, port and firewall, then run it again"),
        )  # fmt: skip
    if _code(error) in _REFUSED or _status(error) == 401:
        return OutsideError(
            Text("访问密钥被拒绝", "The credentials were refused"), where=where,
            next_step=Text("核对密钥、区域和本机时间", "Check the keys, the region and this machine's clock"),
        )  # fmt: skip
    if _code(error) in _FORBIDDEN:
        return None
    return OutsideError(
        Text("那里没有可用的 EC2 接口（{w}）", "There is no usable EC2 interface ({w})")
        .format(w=_code(error) or type(error).__name__), where=where,
        next_step=Text("检查 --endpoint 和 --region", "Check --endpoint and --region"),
    )  # fmt: skip


def _gap(kind: str, error: BaseException) -> CloudGap:
    code = _code(error)
    if code in _ABSENT or _status(error) in (404, 405, 501):
        return CloudGap(kind=kind, absent=True, reason=Text("该云没有这项服务", "The cloud has no such service"))
    if code in _FORBIDDEN or code in _REFUSED:
        return CloudGap(kind=kind, reason=Text("账号无权读取", "The account may not read it"))
    return CloudGap(
        kind=kind,
        reason=Text("读取失败（{w}）", "It could not be read ({w})").format(w=code or type(error).__name__),
    )
