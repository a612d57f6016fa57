"""The workspace's part of the doctor: modes of files, database, hosts, workers, and how far the ledger is covered by signatures."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection

from govcloud.access import FILE as HOSTS_FILE
from govcloud.access import load_hosts
from govcloud.errors import GovcloudError
from govcloud.execution.dispatch import LIVING_S
from govcloud.model.health import HealthLine, HealthState
from govcloud.model.text import Text, same
from govcloud.settings import Workspace
from govcloud.store import account as account_store
from govcloud.store import ledger as ledger_store
from govcloud.store import open_store
from govcloud.store import worker as worker_store
from govcloud.store.condition import Condition, look

_CLOCK_SLACK = timedelta(minutes=5)
"""Machines that share a database may differ by so much."""
_UNSIGNED_DAYS = 7
_EXPORT_DAYS = 30
"""Our own advice, no rule of anybody: what is not signed, or is signed on this machine only, can be rewritten unseen."""
_POSTGRESQL = 15
"""The oldest that the tests run with."""
_EXPORTS = ("export", "checkpoint")
_LOOK_BACK = 20_000
"""Records to look through for the last export."""


def examine_workspace(workspace: Workspace, now: datetime) -> Iterator[HealthLine]:
    yield _line("settings", Text("配置", "Settings"), "good", same(workspace.path))
    yield _modes(workspace.path)
    yield _hosts(workspace.path)
    condition = look(workspace.database_url)
    yield from _database(condition)
    if condition.revision != condition.current:
        return
    try:
        store = open_store(workspace.database_url)
        try:
            with store.read() as tx:
                yield _accounts(tx, workspace)
                yield _workers(tx, now)
                yield from _ledger(tx, now)
        finally:
            store.close()
    except GovcloudError as error:
        yield _line("ledger", Text("台账", "Ledger"), "act", error.what, error.next_step)


def _line(key: str, title: Text, state: HealthState, found: Text, to_do: Text | None = None) -> HealthLine:
    return HealthLine(area="workspace", key=key, title=title, state=state, found=found, to_do=to_do)


def _modes(folder: Path) -> HealthLine:
    """Of the workspace (0700) and of the secrets in keys/ (0600 or less, no links)."""
    title = Text("目录和密钥权限", "Modes of folder and keys")
    keys = [p for p in sorted((folder / "keys").glob("*")) if p.suffix not in (".vkey", ".pub")]
    if linked := [p for p in keys if p.is_symlink()]:
        return _line(
            "modes", title, "act", Text("密钥是符号链接：{p}", "A key is a symbolic link: {p}").format(p=linked[0]),
            Text("换成文件本身", "Put the file itself there"),
        )  # fmt: skip
    open_keys = [p for p in keys if p.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and p.is_file()]
    if open_keys:
        return _line(
            "modes", title, "act", Text("他人可读：{p}", "Others can read {p}").format(p=open_keys[0]),
            Text("运行 chmod 600 {p}；已泄露的密钥要更换", "Run chmod 600 {p}; change a key that was read").format(p=open_keys[0]),
        )  # fmt: skip
    if folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return _line(
            "modes", title, "act", Text("他人可进入 {p}", "Others can enter {p}").format(p=folder),
            Text("运行 chmod 700 {p}", "Run chmod 700 {p}").format(p=folder),
        )  # fmt: skip
    return _line("modes", title, "good", Text("仅本用户可用", "for this user only"))


def _hosts(folder: Path) -> HealthLine:
    title = Text("主机清单", "List of hosts")
    if not (folder / HOSTS_FILE).exists():
        return _line(
            "hosts", title, "note", Text("没有 {f}", "no {f}").format(f=HOSTS_FILE),
            Text("登录主机和迁移要用；写法见 docs/formats.md", "Needed to log in and to migrate; see docs/formats.md"),
        )  # fmt: skip
    try:
        count = len(load_hosts(folder / HOSTS_FILE))
    except GovcloudError as error:
        where = Text("{what}（{where}）", "{what} ({where})").format(what=error.what, where=error.where)
        return _line("hosts", title, "act", where, error.next_step)
    return _line("hosts", title, "good", Text("{n} 台", "{n} hosts").format(n=count))


def _database(found: Condition) -> Iterator[HealthLine]:
    title = Text("数据库", "Database")
    if found.trouble:
        yield _line(
            "database", title, "act", Text("连不上：{why}", "can't be reached: {why}").format(why=found.trouble),
            Text("检查 govcloud.yaml 的 database、服务和权限；丢失的从备份恢复（docs/admin.md）",
                 "Check `database` in govcloud.yaml, the server and permissions; restore a lost one from a backup (docs/admin.md)"),
        )  # fmt: skip
    elif found.revision is None:
        yield _line(
            "database", title, "note", Text("{k}，空库", "{k}, empty").format(k=found.kind),
            Text("下一条命令打开时建表", "The next command that opens it makes its tables"),
        )  # fmt: skip
    elif found.revision < found.current:
        yield _line(
            "database", title, "note", Text("结构版本 {r}，将升到 {c}", "schema {r}, will become {c}").format(r=found.revision, c=found.current),
            Text("先备份；下一条命令打开时自动升级", "Back it up first: the next command that opens it converts it"),
        )  # fmt: skip
    elif found.revision > found.current:
        yield _line(
            "database", title, "act", Text("由更新的 govcloud 写成（{r}）", "written by a newer govcloud ({r})").format(r=found.revision),
            Text("升级本机的 govcloud", "Upgrade govcloud on this machine"),
        )  # fmt: skip
    else:
        yield _line("database", title, "good", same(f"{found.kind} {found.revision}"))
    if found.kind == "postgresql" and found.version:
        old = int(found.version.partition(".")[0]) < _POSTGRESQL
        yield _line(
            "postgresql", Text("PostgreSQL 版本", "Version of PostgreSQL"), "note" if old else "good", same(found.version),
            Text("未在 {n} 以前的版本上测试过", "Versions before {n} were never tested").format(n=_POSTGRESQL) if old else None,
        )  # fmt: skip


def _accounts(tx: Connection, workspace: Workspace) -> HealthLine:
    title = Text("账号", "Accounts")
    if not account_store.has_accounts(tx):
        return _line(
            "accounts", title, "note", Text("没有：能进入本目录的人什么都可以做", "none: whoever can enter this folder may do everything"),
            Text("多人使用时：govcloud accounts add", "Where several people work: govcloud accounts add"),
        )  # fmt: skip
    if workspace.settings.execution.get("people"):
        return _line(
            "accounts", title, "note", Text("有账号，execution.people 不再起作用", "there are accounts; execution.people does not count any more"),
            Text("从 govcloud.yaml 中删去 execution.people", "Take execution.people out of govcloud.yaml"),
        )  # fmt: skip
    return _line("accounts", title, "good", Text("按账号放行", "let in by account"))


def _workers(tx: Connection, now: datetime) -> HealthLine:
    title = Text("工作进程", "Workers")
    # One that has left in order has no process; a command in the foreground serves itself.
    meant = [w for w in worker_store.workers(tx) if w.pid and not w.worker_id.partition("/")[2].startswith("cli")]
    silent = [w for w in meant if (now - w.seen_at).total_seconds() > LIVING_S]
    if silent:
        return _line(
            "workers", title, "act",
            Text("{n} 个失联，如 {w}（{h}）", "{n} silent, such as {w} ({h})").format(n=len(silent), w=silent[0].worker_id, h=silent[0].host),
            Text("到该机器上看 systemctl status 'govcloud-worker@*' 并重新启动", "Look at systemctl status 'govcloud-worker@*' there, and start it again"),
        )  # fmt: skip
    return _line("workers", title, "good", Text("{n} 个在线", "{n} alive").format(n=len(meant)))


def _ledger(tx: Connection, now: datetime) -> Iterator[HealthLine]:
    size, signed = ledger_store.size(tx), max((c.size for c in ledger_store.checkpoints(tx)), default=0)
    last = _at(tx, size - 1)
    ahead = last is not None and last > now + _CLOCK_SLACK
    yield _line(
        "ledger_clock", Text("时钟与台账", "Clock and ledger"), "act" if ahead else "good",
        Text("最后一条记录：{t:%Y-%m-%d %H:%M} UTC", "last record: {t:%Y-%m-%d %H:%M} UTC").format(t=last) if last else Text("尚无记录", "no records"),
        Text("本机时钟落后于最后一条记录：先校时", "This machine's clock is behind the last record: set it right first") if ahead else None,
    )  # fmt: skip
    waits = _days(_at(tx, signed), now)
    late = waits is not None and waits >= _UNSIGNED_DAYS
    yield _line(
        "unsigned", Text("未签名的记录", "Records without a signature"),
        "act" if late else "note" if size > signed else "good",
        Text("{n} 条，最早 {d} 天前", "{n}, the oldest {d} days old").format(n=size - signed, d=waits or 0) if size > signed else same(0),
        Text("govcloud audit checkpoint -o 文件，把文件存到本机以外", "govcloud audit checkpoint -o FILE, and keep the file elsewhere") if size > signed else None,
    )  # fmt: skip
    exported = _last_export(tx)
    age = _days(exported, now)
    # Nobody owes an export of a ledger that has just begun.
    due = size > 0 and (age if age is not None else _days(_at(tx, 0), now) or 0) >= _EXPORT_DAYS
    yield _line(
        "export", Text("最近一次导出", "Last export"), "act" if due else "good" if exported else "note",
        Text("{d} 天前", "{d} days ago").format(d=age) if age is not None else Text("没有", "none"),
        Text("govcloud audit export -o 目录，交审计方保存；只有离开本机的副本才能揭露重造的台账",
             "govcloud audit export -o DIR, for the auditor to keep: only a copy elsewhere shows a rebuilt ledger") if due or not exported else None,
    )  # fmt: skip


def _at(tx: Connection, seq: int) -> datetime | None:
    """When a record was written; None where there is none."""
    found = next(ledger_store.iterate(tx, seq), None) if seq >= 0 else None
    return _instant(found.canonical) if found is not None else None


def _instant(canonical: str) -> datetime:
    return datetime.fromisoformat(json.loads(canonical)["at"])


def _days(at: datetime | None, now: datetime) -> int | None:
    return max(0, (now - at).days) if at is not None else None


def _last_export(tx: Connection) -> datetime | None:
    newest = islice(ledger_store.iterate(tx, newest_first=True), _LOOK_BACK)
    # The text is canonical: the kind stands there in exactly this form.
    marks = tuple(f'"kind":"{kind}"' for kind in _EXPORTS)
    return next((_instant(r.canonical) for r in newest if any(m in r.canonical for m in marks)), None)
