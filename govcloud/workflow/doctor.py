"""What is missing on this machine and in the workspace. It looks and changes nothing; what it can't look at is a line, too."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from govcloud.errors import GovcloudError
from govcloud.model.health import HealthLine, HealthState
from govcloud.model.text import Text, same
from govcloud.settings import Workspace, open_workspace
from govcloud.workflow.doctor_workspace import examine_workspace

_PYTHON = (3, 11)
_SQLITE = (3, 38)
"""The first with JSON functions built in always."""
_FREE_MIB = 1024
"""Below it one large import or one migration's log may fill the disk."""
_OPTIONAL = (
    ("postgres", "psycopg", Text("PostgreSQL 数据库", "a PostgreSQL database")),
    ("clouds", "openstack", Text("读取 OpenStack 云，在云上建机", "discovery of OpenStack, machines made there")),
    ("clouds", "boto3", Text("读取 EC2 兼容的云，在云上建机", "discovery of EC2 clouds, machines made there")),
    ("oidc", "authlib", Text("看板用统一身份认证登录", "sign-in to the dashboard through OpenID Connect")),
    ("sm2", "gmssl_pyx", Text("台账用国密 SM2 签名", "a ledger signed in SM2")),
    ("demo", "asyncssh", Text("govcloud demo 的演示主机", "the hosts of govcloud demo")),
)


def examine(
    path: Path,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    served: Callable[[Workspace, Callable[[], datetime]], Iterable[HealthLine]] = lambda *_: (),
) -> list[HealthLine]:
    """The machine, then the workspace at `path` where there is one, with what `served` says of its dashboard, then the
    optional parts."""
    lines = [*_programs(), *_surroundings()]
    workspace: Workspace | None = None
    try:
        workspace = open_workspace(path)
    except GovcloudError as error:
        # Without a workspace it still looks at the machine; one that was named, or that is broken, is bad news.
        state: HealthState = "note" if error.exit_code == 2 and path == Path() else "act"
        lines.append(
            HealthLine(
                area="workspace", key="settings", title=Text("配置", "Settings"), state=state,
                found=error.what, to_do=error.next_step,
            )
        )  # fmt: skip
    lines.append(_disk(workspace.path if workspace else Path()))
    lines.append(_time_zone(workspace.settings.timezone if workspace else "Asia/Shanghai"))
    if workspace is not None:
        lines += [*examine_workspace(workspace, now()), *served(workspace, now)]
    return [*lines, *_optional()]


def _line(
    key: str, title: Text, good: bool | None, found: Text, to_do: Text | None = None, *, bad: HealthState = "act"
) -> HealthLine:
    """`good` is None where it could not be told."""
    state: HealthState = "note" if good is None else "good" if good else bad
    return HealthLine(
        area="machine", key=key, title=title, state=state, found=found, to_do=to_do if good is False else None
    )


def _programs() -> Iterator[HealthLine]:
    yield _line(
        "python", same("Python"), sys.version_info >= _PYTHON, same(f"{platform.python_version()} {sys.executable}"),
        Text("换用 Python 3.11 以上", "Use Python 3.11 or newer"),
    )  # fmt: skip
    yield _line(
        "sqlite", same("SQLite"), sqlite3.sqlite_version_info >= _SQLITE, same(sqlite3.sqlite_version),
        Text("换用带有 SQLite 3.38 以上的 Python", "Use a Python with SQLite 3.38 or newer"),
    )  # fmt: skip
    ssh = shutil.which("ssh")
    yield _line(
        "ssh", Text("SSH 客户端", "SSH client"), ssh is not None, same(_first_line(["ssh", "-V"])) if ssh else _NONE,
        Text("安装软件包 openssh-client；没有它不能执行迁移", "Install openssh-client; no migration works without it"),
    )  # fmt: skip
    ansible, playbook = _version("ansible-core"), Path(sys.executable).with_name("ansible-playbook")
    yield _line(
        "ansible", same("Ansible"), ansible is not None and os.access(playbook, os.X_OK),
        same(ansible) if ansible else _NONE,
        Text("重新安装 govcloud（缺 ansible-core 或 {p}）", "Install govcloud again (ansible-core or {p} is missing)").format(p=playbook),
    )  # fmt: skip


_NONE = Text("没有", "none")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _surroundings() -> Iterator[HealthLine]:
    fonts = _chinese_fonts()
    yield _line(
        "fonts", Text("中文字体", "Chinese fonts"), fonts if fonts is None else fonts > 0,
        Text("无法查看（没有 fc-list）", "can't be told (no fc-list)") if fonts is None else Text("{n} 种", "{n}").format(n=fonts),
        Text("图表转成图片时中文会成方框：安装 fonts-noto-cjk 或 fonts-wqy-microhei",
             "Charts that are made into pictures would show boxes: install fonts-noto-cjk or fonts-wqy-microhei"),
        bad="note",
    )  # fmt: skip
    encoding = sys.getfilesystemencoding()
    yield _line(
        "encoding", Text("文件名编码", "Encoding of file names"), encoding.lower() in ("utf-8", "utf8"), same(encoding),
        Text("设置 LANG=zh_CN.UTF-8 或 C.UTF-8", "Set LANG=zh_CN.UTF-8 or C.UTF-8"),
    )  # fmt: skip
    synchronised = _first_line(["timedatectl", "show", "-p", "NTPSynchronized", "--value"])
    yield _line(
        "clock", Text("时钟同步", "Clock synchronisation"), {"yes": True, "no": False}.get(synchronised),
        Text("已同步", "synchronised") if synchronised == "yes" else Text("未同步", "not synchronised") if synchronised == "no"
        else Text("无法查看（没有 timedatectl）", "can't be told (no timedatectl)"),
        Text("配置 NTP（chrony 或 systemd-timesyncd）；台账的时间以本机为准", "Set up NTP (chrony or systemd-timesyncd): the ledger's times are this machine's"),
        bad="note",
    )  # fmt: skip


def _chinese_fonts() -> int | None:
    """None: fontconfig is not here to be asked."""
    if shutil.which("fc-list") is None:
        return None
    return len(_output(["fc-list", ":lang=zh", "family"]).splitlines())


def _disk(folder: Path) -> HealthLine:
    free = shutil.disk_usage(folder).free // 2**20
    return _line(
        "disk", Text("磁盘剩余", "Free disk space"), free >= _FREE_MIB,
        Text("{n} MiB（{where}）", "{n} MiB ({where})").format(n=free, where=folder.resolve()),
        Text("腾出空间：至少 {n} MiB", "Make room: {n} MiB at least").format(n=_FREE_MIB),
    )  # fmt: skip


def _time_zone(name: str) -> HealthLine:
    try:
        ZoneInfo(name)
        good = True
    except (ZoneInfoNotFoundError, ValueError):
        good = False
    return _line(
        "time_zone", Text("时区数据", "Time zone data"), good, same(name),
        Text("安装软件包 tzdata", "Install the package tzdata"),
    )  # fmt: skip


def _optional() -> Iterator[HealthLine]:
    for extra, module, what in _OPTIONAL:
        present = find_spec(module) is not None
        yield HealthLine(
            area="optional", key=module, title=what, state="good" if present else "note",
            found=Text("已安装", "installed") if present else Text("未安装", "not installed"),
            to_do=None if present else Text("需要时：pip install 'govcloud[{e}]'", "If you need it: pip install 'govcloud[{e}]'").format(e=extra),
        )  # fmt: skip


def _first_line(argv: list[str]) -> str:
    return next(iter(_output(argv).splitlines()), "")


def _output(argv: list[str]) -> str:
    """stdout and stderr (where ssh tells its version); empty where the program is not here or does not answer."""
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
