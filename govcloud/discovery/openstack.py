"""Reads an OpenStack cloud with openstacksdk: the only caller of that library.

Credentials come from the SDK's own places (clouds.yaml, secure.yaml, OS_* variables) and stay there: no statement,
gap or error repeats what a service or the SDK said in its own words. Certificates are always verified.
https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html
"""

from __future__ import annotations

import itertools
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from keystoneauth1 import exceptions as identity_errors
from openstack import exceptions as sdk_errors
from openstack.config import OpenStackConfig
from openstack.config.cloud_region import CloudRegion
from openstack.connection import Connection

from govcloud.discovery.cloud_openstack import SOURCE, Raw, Resource, build_openstack_statements
from govcloud.errors import GovcloudError, InputError, OutsideError, UsageError
from govcloud.model.clouds import CloudGap, CloudReading
from govcloud.model.text import Text

TIMEOUT_SECONDS = 30
RETRIES = 2
MAX_RESOURCES = 200_000
"""Of one kind: a service that never stops turning pages must not fill our memory."""

# What goes wrong is told by a gap or an error; the libraries' own lines on stderr tell a user nothing.
for _name in ("keystoneauth", "openstack", "urllib3"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

_EXPECTED = (
    sdk_errors.SDKException, identity_errors.ClientException, identity_errors.RetriableConnectionFailure, ValueError,
    OSError,
)  # fmt: skip
_ABSENT = (
    identity_errors.EndpointNotFound, sdk_errors.EndpointNotFound, sdk_errors.NotSupported, sdk_errors.NotFoundException,
    sdk_errors.ServiceDisabledException, identity_errors.NotFound,
)  # fmt: skip
_FORBIDDEN = (sdk_errors.ForbiddenException, identity_errors.Forbidden, identity_errors.Unauthorized)
_ALL = "*"


def collect_openstack(
    cloud: str | None,
    *,
    ca: Path | None = None,
    all_projects: bool = False,
    name: str | None = None,
    now: Callable[[], datetime],
    department: str | None = None,
    zone: str | None = None,
    on_kind: Callable[[str, int, int], None] = lambda kind, done, total: None,
) -> CloudReading:
    """Everything that the account may see in its project, or in all of them.

    `cloud` is what clouds.yaml calls it. That differs from account to account; in the inventory the cloud is called
    `name`, by default HOST/REGION of its identity service, so that all accounts tell of one cloud.
    Raises UsageError for a cloud that is not configured and OutsideError where nobody can log in; what single services
    refuse is a gap. `on_kind` is called with (kind, done, total) after each kind.
    """
    notes: tuple[Text, ...] = ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        region = _region(cloud, ca)
        connection = Connection(config=region)
        try:
            login = _log_in(connection, region)
            raw, gaps = _read(connection, login, all_projects, on_kind)
            if all_projects and "projects" not in raw:
                all_projects, notes = False, (_OWN_ONLY,)
        finally:
            connection.close()
    name = name or "/".join(filter(None, (_host(region), login.region)))
    statements = build_openstack_statements(
        raw, cloud=name, region=login.region or "", observed_at=now(), department=department, zone=zone,
        own_project=(login.project_id, login.project_name),
    )  # fmt: skip
    scope = (login.region, _ALL if all_projects else login.project_name or login.project_id)
    return CloudReading(
        source=SOURCE, cloud=name, scope="/".join(filter(None, scope)),
        statements=statements, gaps=tuple(gaps), counts={kind: len(found) for kind, found in raw.items()},
        notes=(*notes, *((_PLAIN.format(a=_origin(region)),) if _auth_url(region).startswith("http:") else ())),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Login:
    project_id: str
    project_name: str | None
    region: str | None


_OWN_ONLY = Text(
    "账号不能列出全部项目，只读了它自己的项目", "The account may not list all projects: only its own was read"
)
_PLAIN = Text(
    "与 {a} 的连接没有加密（http）：账号密码在网上是明文，请云平台开通 https",
    "The connection to {a} is not encrypted (http): the password crosses the network in the clear; ask for https",
)


def _region(cloud: str | None, ca: Path | None) -> CloudRegion:
    """The cloud's configuration. Our time limits hold where the file gives none."""
    if ca is not None and not ca.is_file():
        raise InputError(Text("CA 证书文件不存在", "No such CA bundle"), where=str(ca))
    limits = {"api_timeout": TIMEOUT_SECONDS, "connect_retries": RETRIES, "status_code_retries": RETRIES}
    try:
        config = OpenStackConfig(override_defaults=limits)
        cloud = _chosen(config, cloud)
        region = config.get_one(cloud=cloud, **({"cacert": str(ca)} if ca is not None else {}))  # type: ignore[arg-type]
    except UsageError:
        raise
    except Exception as error:
        # yaml's errors, the SDK's own and bare ones: whichever it is, its words may quote the file with its passwords.
        raise UsageError(
            Text("云的配置用不了（{w}）", "The cloud's configuration can't be used ({w})").format(
                w=type(error).__name__
            ),
            where=cloud or "clouds.yaml",
            next_step=_HOW,
        ) from None
    if not region.get_requests_verify_args()[0]:
        raise UsageError(
            Text("配置关闭了证书校验（verify: false 或 insecure），拒绝连接",
                 "Refused: the configuration switches the check of certificates off (verify: false or insecure)"),
            where=cloud or "clouds.yaml",
            next_step=Text("去掉该项，用 cacert 或 --ca 指明签发证书的 CA",
                           "Take that out and name the CA that issued the certificate with cacert or --ca"),
        )  # fmt: skip
    return region


def _chosen(config: OpenStackConfig, cloud: str | None) -> str:
    """The cloud that was named, the one of OS_CLOUD or of the OS_* variables, or the only one there is."""
    known = sorted(n for n in config.get_cloud_names() if n != "defaults")
    if not known:
        raise _not_configured()
    if cloud is None:
        usual = [n for n in (config.default_cloud, "envvars") if n in known]
        if usual or len(known) == 1:
            return str((usual or known)[0])
    elif cloud in known:
        return cloud
    what = Text("clouds.yaml 里有几个云，请指明一个", "clouds.yaml has several clouds: name one")
    if cloud is not None:
        what = Text("clouds.yaml 里没有这个云", "clouds.yaml has no such cloud")
    raise UsageError(
        what, where=cloud or "--cloud", next_step=Text("可选：{k}", "Choose one of: {k}").format(k=", ".join(known))
    )


_HOW = Text(
    "在 ~/.config/openstack/clouds.yaml 中写好该云，或设置 OS_AUTH_URL 等环境变量",
    "Describe the cloud in ~/.config/openstack/clouds.yaml, or set OS_AUTH_URL and its companions",
)


def _not_configured() -> UsageError:
    return UsageError(Text("没有配置任何 OpenStack 云", "No OpenStack cloud is configured"), next_step=_HOW)


def _auth_url(region: CloudRegion) -> str:
    auth = region.get_auth_args() if isinstance(region.config.get("auth"), dict) else {}
    return str(auth.get("auth_url") or "")


def _origin(region: CloudRegion) -> str:
    """`https://host:port`, never the user that some people write into the address."""
    parts = urlsplit(_auth_url(region))
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{parts.scheme}://{parts.hostname}{port}" if parts.hostname else str(region.name)


def _host(region: CloudRegion) -> str:
    return urlsplit(_auth_url(region)).hostname or str(region.name)


def _log_in(connection: Connection, region: CloudRegion) -> _Login:
    """The project that the account works in, and the region: the configured one, or that of the catalog's compute service."""
    where, found = _origin(region), False
    try:
        session: Any = connection.session
        found = bool(_auth_url(region)) and _knock(session, _auth_url(region))
        access = session.auth.get_access(session)
    except identity_errors.OptionError:
        raise _not_configured() from None
    except Exception as error:
        # The library raises bare exceptions, too: `password is a required attribute`.
        if found and isinstance(error, identity_errors.NotFound):
            # Keystone's word for a token that it does not know (any more).
            error = identity_errors.Unauthorized()
        raise _login_error(error, where) from None
    if not access.project_id:
        raise UsageError(
            Text("账号没有指定项目", "The account works in no project"), where=where,
            next_step=Text("在配置中写明 project_name 或 project_id", "Name project_name or project_id in the configuration"),
        )  # fmt: skip
    doors = access.service_catalog.get_endpoints(service_type="compute").get("compute", ())
    regions = [region.region_name, *(door.get("region_id") or door.get("region") for door in doors)]
    return _Login(
        project_id=str(access.project_id), project_name=access.project_name,
        region=next((str(r) for r in regions if r), None),
    )  # fmt: skip


def _knock(session: Any, url: str) -> bool:
    """Ask for the versions without a token, which Keystone answers to anybody: whether there are some.

    keystoneauth (5.18) waits for ever on its own lock where that question is answered with 401, as a proxy in front does.
    """
    answer = session.get(url, authenticated=False, raise_exc=False)
    if answer.status_code == 401:
        raise identity_errors.DiscoveryFailure("HTTP 401")
    return int(answer.status_code) < 400


def _login_error(error: BaseException, where: str) -> GovcloudError:
    # The SDK wraps a failed handshake into "could not find versioned endpoints": the cause is further down.
    chain = list(_causes(error))
    if any(isinstance(e, identity_errors.SSLError) for e in chain):
        return OutsideError(
            Text("对方的证书不可信", "The certificate that it shows is not trusted"), where=where,
            next_step=Text("向云平台索取 CA 证书，用 --ca 文件 指明；不要关闭校验",
                           "Get the CA's certificate from the cloud's operator and name it with --ca FILE; never switch the check off"),
        )  # fmt: skip
    if any(isinstance(e, (identity_errors.Unauthorized, identity_errors.Forbidden)) for e in chain):
        return OutsideError(
            Text("账号、密码或令牌被拒绝", "The account, its password or its token was refused"), where=where,
            next_step=Text("核对 clouds.yaml 或 OS_* 中的账号、域和项目",
                           "Check the account, its domain and project in clouds.yaml or OS_*"),
        )  # fmt: skip
    if type(error) is Exception or isinstance(error, AttributeError):
        return UsageError(
            Text("配置的登录信息不全", "The configuration lacks a part of the credentials"), where=where, next_step=_HOW
        )
    if any(isinstance(e, (identity_errors.ConnectionError, OSError)) for e in chain):
        return OutsideError(
            Text("连不上（{w}）", "It can't be reached ({w})").format(w=_kind_of(chain)), where=where,
            next_step=Text("检查地址、端口和防火墙，再运行一次", "Check address, port and firewall, then run it again"),
        )  # fmt: skip
    return OutsideError(
        Text("那里没有可用的 OpenStack 认证服务（{w}）", "There is no usable OpenStack identity service ({w})")
        .format(w=_kind_of(chain)), where=where,
        next_step=Text("检查 auth_url 是否写到 /v3", "Check that auth_url ends in /v3"),
    )  # fmt: skip


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _kind_of(chain: Iterable[BaseException]) -> str:
    """`HTTP 503` or the name of the innermost error that the client itself names; no message, it may quote a request."""
    named = [e for e in chain if isinstance(e, (identity_errors.ClientException, sdk_errors.SDKException))]
    error = named[-1] if named else None
    status = getattr(error, "http_status", None) or getattr(error, "status_code", None)
    return f"HTTP {status}" if status else type(error).__name__ if error is not None else "?"


def _read(
    connection: Connection, login: _Login, all_projects: bool,
    on_kind: Callable[[str, int, int], None],
) -> tuple[Raw, list[CloudGap]]:  # fmt: skip
    raw: dict[str, list[Resource]] = {}
    gaps: list[CloudGap] = []
    own: list[Resource] = [{"id": login.project_id, "name": login.project_name}]
    lists, quotas = _lists(connection, None if all_projects else login.project_id), _quotas(connection)
    total = len(lists) + len(quotas)
    for done, kind in enumerate(lists, start=1):
        if kind == "servers" and "projects" not in raw:
            # Who may not list projects may not list what is in them, either: the account's own is left.
            lists = _lists(connection, login.project_id)
        with _gap(kind, gaps):
            raw[kind] = own if kind == "projects" and not all_projects else _limited(lists[kind]())
        on_kind(kind, done, total)
    for done, (kind, ask) in enumerate(quotas.items(), start=len(lists) + 1):
        with _gap(kind, gaps):
            raw[kind] = [{**_plain(ask(str(p["id"]))), "project_id": p["id"]} for p in raw.get("projects") or own]
        on_kind(kind, done, total)
    return raw, gaps


def _lists(connection: Connection, project_id: str | None) -> dict[str, Callable[[], Iterable[Any]]]:
    """Kind -> its listing. An administrator sees everybody's things: `project_id` keeps to one project."""
    c: Any = connection
    own = {"project_id": project_id} if project_id else {}
    everywhere: dict[str, Any] = {} if project_id else {"all_projects": True}
    return {
        "projects": lambda: c.identity.projects(),
        "servers": lambda: c.compute.servers(details=True, **everywhere),
        "flavors": lambda: c.compute.flavors(details=True),
        "images": lambda: c.image.images(),
        "volumes": lambda: c.block_storage.volumes(details=True, **everywhere),
        "networks": lambda: c.network.networks(),
        "subnets": lambda: c.network.subnets(),
        "ports": lambda: c.network.ports(**own),
        "routers": lambda: c.network.routers(**own),
        "floating_ips": lambda: c.network.ips(**own),
        "security_groups": lambda: c.network.security_groups(**own),
    }


def _quotas(connection: Connection) -> dict[str, Callable[[str], Any]]:
    c: Any = connection
    return {
        "compute_quotas": lambda project: c.compute.get_quota_set(project, usage=True),
        "volume_quotas": lambda project: c.block_storage.get_quota_set(project, usage=True),
        "network_quotas": lambda project: c.network.get_quota(project, details=True),
    }


def _limited(found: Iterable[Any]) -> list[Resource]:
    read = [_plain(r) for r in itertools.islice(found, MAX_RESOURCES + 1)]
    if len(read) > MAX_RESOURCES:
        raise ValueError("too many resources")
    return read


def _plain(resource: Any) -> Resource:
    found: dict[str, Any] = resource.to_dict(computed=False)
    return found


@contextmanager
def _gap(kind: str, gaps: list[CloudGap]) -> Iterator[None]:
    try:
        yield
    except (*_EXPECTED, AttributeError, KeyError, TypeError) as error:
        # The last three: the SDK takes some answers apart without a check, and one bad answer must not end the rest.
        gaps.append(_reason(kind, error))


def _reason(kind: str, error: BaseException) -> CloudGap:
    if isinstance(error, _ABSENT):
        return CloudGap(kind=kind, absent=True, reason=Text("该云没有这项服务", "The cloud has no such service"))
    if isinstance(error, _FORBIDDEN):
        return CloudGap(kind=kind, reason=Text("账号无权读取", "The account may not read it"))
    return CloudGap(
        kind=kind,
        reason=Text("读取失败（{w}）", "It could not be read ({w})").format(w=_kind_of(list(_causes(error)))),
    )
