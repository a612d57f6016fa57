"""What an OpenStack service says no with, and which quota it was."""

from __future__ import annotations

import re
from typing import Any

from keystoneauth1 import exceptions as identity_errors
from openstack import exceptions as sdk_errors

from govcloud.execution.drivers import CloudError, Want
from govcloud.model.text import Text

_BUSY = (413, 429, 500, 502, 503, 504)
_QUOTA = re.compile(r"quota", re.IGNORECASE)
_NAMES = {
    "cores": Text("vCPU", "vCPU"), "ram_mib": Text("内存（MiB）", "memory (MiB)"), "instances": Text("云主机数", "servers"),
    "key pairs": Text("密钥对", "key pairs"), "ports": Text("端口", "ports"), "volumes": Text("云硬盘数", "volumes"),
    "gigabytes": Text("云硬盘容量（GiB）", "volume capacity (GiB)"), "images": Text("镜像", "images"),
}  # fmt: skip


def translate(error: Exception, cloud: str, connection: Any, want: Want | None) -> CloudError:
    """The cause, whether trying again may help, and for an exhausted quota its numbers."""
    status = int(getattr(error, "status_code", None) or getattr(error, "http_status", None) or 0)
    said = _said(error)
    if want is not None and status in (403, 409, 413) and _QUOTA.search(said):
        return _quota(cloud, connection, want)
    if isinstance(error, identity_errors.SSLError):
        return CloudError(Text("对方的证书不可信", "The certificate that it shows is not trusted"), where=cloud)
    if status in (401, 403):
        return CloudError(
            Text("账号被拒绝或无权", "The account was refused or may not do it"), where=cloud,
            next_step=Text("核对 clouds.yaml 中的账号、项目和角色", "Check account, project and roles in clouds.yaml"),
        )  # fmt: skip
    if status in _BUSY:
        pause = _retry_after(error)
        return CloudError(
            Text("云平台忙或暂时不可用（HTTP {s}）{w}", "The cloud is busy or unavailable (HTTP {s}){w}").format(s=status, w=f": {said}" if said else ""),
            where=cloud, again=True, maybe=status >= 500, pause_s=pause,
        )  # fmt: skip
    # The SDK's own refusals are OSErrors, too.
    if not status and isinstance(
        error, (identity_errors.ConnectionError, identity_errors.RetriableConnectionFailure, OSError)
    ):
        return CloudError(
            Text("连不上（{w}）", "It can't be reached ({w})").format(w=type(error).__name__),
            where=cloud,
            again=True,
            maybe=True,
        )
    what = f"HTTP {status}" if status else type(error).__name__
    return CloudError(
        Text("云平台拒绝（{w}）：{s}", "The cloud refused ({w}): {s}").format(w=what, s=said or "—"), where=cloud
    )


def _said(error: Exception) -> str:
    """The service's own words, on one line. Keystone's are not repeated: they may quote the account."""
    if not isinstance(error, sdk_errors.HttpException):
        return ""
    return " ".join(str(error.details or error.message or "").split())[:300]


def _retry_after(error: Exception) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    value = str(headers.get("Retry-After", ""))
    return float(value) if value.isdigit() and int(value) <= 300 else None


def _quota(cloud: str, connection: Any, want: Want) -> CloudError:
    asked = _asked(want)
    left = _left(connection, want)
    short = [name for name, number in asked.items() if name in left and left[name] < number] or list(asked)
    told = [
        Text("{n}：申请 {a}，余 {r}", "{n}: asked {a}, left {r}").format(n=_NAMES[name], a=asked[name], r=left.get(name, "?")) for name in short
    ]  # fmt: skip
    return CloudError(
        Text("配额不足：{t}", "Quota exhausted: {t}").format(t=Text("；".join(t.zh for t in told), "; ".join(t.en for t in told))),
        where=cloud,
        next_step=Text("请云平台增加配额，然后 govcloud run resume", "Have the quota raised, then govcloud run resume"),
        facts={"wait": "quota", "quota": ", ".join(short)},
    )  # fmt: skip


def _asked(want: Want) -> dict[str, int]:
    if want.kind == "server":
        return {"cores": want.size.vcpu, "ram_mib": want.size.memory_gib * 1024, "instances": 1}
    if want.kind == "volume":
        return {"volumes": 1, "gigabytes": want.provision.disk_gib}
    return {{"keypair": "key pairs", "port": "ports", "image": "images"}[want.kind]: 1}


def _left(connection: Any, want: Want) -> dict[str, int]:
    """What the service that refused says is left; nothing where it does not tell this account."""
    try:
        if want.kind == "server":
            limit = connection.compute.get_limits().absolute
            pairs = {"cores": (limit.total_cores, limit.total_cores_used), "ram_mib": (limit.total_ram, limit.total_ram_used),
                     "instances": (limit.instances, limit.instances_used)}  # fmt: skip
        elif want.kind == "keypair":
            most = connection.compute.get_limits().absolute.keypairs
            pairs = {"key pairs": (most, sum(1 for _ in connection.compute.keypairs()))}
        elif want.kind == "volume":
            limit = connection.block_storage.get_limits().absolute
            pairs = {"volumes": (limit.max_total_volumes, limit.total_volumes_used),
                     "gigabytes": (limit.max_total_volume_gigabytes, limit.total_gigabytes_used)}  # fmt: skip
        elif want.kind == "port":
            ports = connection.network.get_quota(connection.current_project_id, details=True).ports
            pairs = {"ports": (ports["limit"], int(ports["used"]) + int(ports.get("reserved") or 0))}
        else:
            pairs = {}
    except Exception:
        # Whatever the library makes of it: the refusal itself is what has to be told.
        return {}
    return {
        name: max(0, int(most) - int(used or 0))
        for name, (most, used) in pairs.items()
        if most is not None and int(most) >= 0
    }
