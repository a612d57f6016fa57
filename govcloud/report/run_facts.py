"""What attempts report of themselves, in the order in which a person reads it."""

from __future__ import annotations

from collections.abc import Mapping

from govcloud.model.text import Text, same

DIGEST_CHARS = 16
_FACTS: Mapping[str, Text] = {
    "level": Text("核验级别 {v}", "level {v}"),
    "hosts": Text("{v} 台主机可达", "{v} hosts reached"),
    "tables": Text("{v} 张表", "{v} tables"),
    "rows": Text("{v} 行", "{v} rows"),
    "files": Text("{v} 个文件", "{v} files"),
    "sent": Text("传送 {v} 个", "{v} sent"),
    "tables_sent": Text("重传 {v} 张表", "{v} tables sent again"),
    "removed": Text("清除目标多余文件 {v} 个", "{v} left-over files removed from the target"),
    "attributes_left": Text(
        "{v} 个文件的 ACL 等扩展属性未随迁", "ACLs or other extended attributes of {v} files did not go along"
    ),
    "data_bytes": Text("数据共 {v}", "data {v}"),
    "source_bytes": Text("源文件 {v}", "source files {v}"),
    "source_files": Text("源上 {v} 个文件", "{v} files at the source"),
    "bytes": Text("文件 {v}", "files {v}"),
    "database_bytes": Text("数据库 {v}", "database {v}"),
    "databases_frozen": Text("冻结 {v} 个数据库", "{v} databases frozen"),
    "sessions_closed": Text("断开 {v} 个数据库会话", "{v} database sessions closed"),
    "can_still_write": Text("仍可写入的账号：{v}", "accounts that could still write: {v}"),
    "tables_published": Text("持续复制 {v} 张表", "{v} tables replicated"),
    "tables_left_out": Text(
        "无主键、留待最后同步的表：{v}", "tables without a key wait for the final synchronisation: {v}"
    ),
    "lag_bytes": Text("复制落后 {v}", "replication {v} behind"),
    "lag_s": Text("复制追上用时 {v} 秒", "{v} s to catch up"),
    "log_kept_bytes": Text("源为复制保留的日志 {v}", "log kept back at the source {v}"),
    "database_kept": Text("早先副本保留为 {v}", "an earlier copy is kept as {v}"),
    "accounts_without_password": Text("需另设口令的账号：{v}", "accounts that need a password: {v}"),
    "accounts_not_carried": Text("账号未迁移：{v}", "accounts were not carried: {v}"),
    "taken_rows": Text(
        "目标在割接后新增或改动 {v} 行（见证据 taken-*.jsonl）",
        "{v} rows that only the target took (evidence taken-*.jsonl)",
    ),
    "taken_deleted": Text("目标在割接后删除 {v} 行", "{v} rows deleted at the target"),
    "services": Text("{v} 个服务", "{v} services"),
    "running": Text("{v} 个在运行", "{v} running"),
    "carried": Text("随迁配置文件 {v} 个", "{v} configuration files carried"),
    "carried_back": Text("撤回随迁文件 {v} 个", "{v} carried files taken back"),
    "left_changed": Text("{v} 个随迁文件已被改动，保留", "{v} carried files were changed since and stay"),
    "tls_days_left": Text("证书还有 {v} 天到期", "the certificate ends in {v} days"),
    "tls_keys_not_compared": Text("{v} 个证书的私钥无法核对", "{v} certificates' keys could not be compared"),
    "entrances": Text("{v} 个入口", "{v} entrances"),
    "ttl_s": Text("域名记录缓存 {v} 秒", "DNS records are kept for {v} s"),
    "http_checks": Text("{v} 项服务检查", "{v} service checks"),
    "direct": Text("其中 {v} 项绕过入口", "{v} of them past the entrance"),
    "flows": Text("{v} 条访问关系", "{v} flows"),
    "cells": Text("实测 {v} 条通路", "{v} paths measured"),
    "reachable": Text("可达 {v} 条", "{v} reachable"),
    "not_measured": Text("{v} 条访问关系未能实测", "{v} flows could not be measured"),
    "routes": Text("撤除路由 {v} 条", "{v} routes withdrawn"),
    "tunnels": Text("撤除隧道 {v} 条", "{v} tunnels withdrawn"),
    "rules_file": Text("规则文件 {v}", "rules file {v}"),
    "resources": Text("云上资源 {v} 项", "{v} cloud resources"),
    "quota": Text("配额不足：{v}", "exhausted quota: {v}"),
    "cuts": Text("断线重连 {v} 次", "{v} broken connections mended"),
    "way": Text("路径 {v}", "by way of {v}"),
    "database_sha256": Text("数据库摘要 {v}", "database digest {v}"),
}
_OF: Mapping[str, Text] = {
    "sha256 ": Text("{of} 摘要 {v}", "{of} digest {v}"),
    "boot ": Text("{of} 是脚本，开机启动设置未改", "{of} is a script: its boot setting was not changed"),
    "can_still_write ": Text("{of} 仍可写入的账号：{v}", "accounts that could still write {of}: {v}"),
    "flavor.": Text("{of} 规格 {v}", "{of}: flavor {v}"),
    "size.": Text("{of} 大小 {v}", "{of}: size {v}"),
    "disk_gib.": Text("{of} 系统盘 {v} GiB", "{of}: disk of {v} GiB"),
    "asked.": Text("{of} 申请大小 {v}", "{of}: asked for {v}"),
    "image.": Text("{of} 镜像 {v}", "{of}: image {v}"),
    "address.": Text("{of} 地址 {v}", "{of}: address {v}"),
    "host_key.": Text("{of} 主机密钥 {v}", "{of}: host key {v}"),
    "host_key_from.": Text("{of} 主机密钥来自 {v}", "{of}: host key from {v}"),
    "ticket.": Text("{of} 工单 {v}", "{of}: ticket {v}"),
    "disk_bytes.": Text("{of} 磁盘 {v}", "{of}: disk {v}"),
    "disk_sha256.": Text("{of} 磁盘摘要 {v}", "{of}: disk digest {v}"),
    "disk_state.": Text("{of} 磁盘状态 {v}", "{of}: disk {v}"),
    "image_sha512.": Text("{of} 镜像摘要 {v}", "{of}: image digest {v}"),
}
_VALUES: Mapping[str, Text] = {
    "relay": Text("经本机中转", "this machine"),
    "direct": Text("源与目标直连", "the direct connection of source and target"),
    "console": Text("控制台输出", "the console's output"),
    "network": Text("网络应答", "the network's answer"),
    "ticket": Text("工单", "the ticket"),
}
_SILENT_AT_ZERO = frozenset((
    "removed", "bytes", "tables_sent", "attributes_left", "sessions_closed", "tables_left_out", "lag_bytes", "lag_s",
    "log_kept_bytes", "taken_rows", "taken_deleted", "carried", "carried_back", "left_changed", "tls_keys_not_compared", "direct",
    "not_measured", "routes", "tunnels", "cuts",
))  # fmt: skip


def told(facts: Mapping[str, int | str]) -> list[Text]:
    """Facts as words; those without words of their own as they are."""
    shown = {key: fact for key, fact in facts.items() if not (fact == 0 and key in _SILENT_AT_ZERO)}
    said = [text.format(v=_value(key, shown[key])) for key, text in _FACTS.items() if key in shown]
    said += [_of(key, fact) for key, fact in shown.items() if key not in _FACTS]
    return said


def _of(key: str, fact: int | str) -> Text:
    """A fact of one thing: of a folder, a database, a machine; or a host's own where the hosts of a step differ."""
    for head, text in _OF.items():
        if key.startswith(head):
            return text.format(of=key.removeprefix(head), v=_value(key, fact))
    host, _, name = key.rpartition(".")
    if name in _FACTS:
        return Text("{h}：{t}", "{h}: {t}").format(h=host, t=_FACTS[name].format(v=_value(name, fact)))
    return same(f"{key} {fact}")


def _value(key: str, fact: int | str) -> str | Text:
    if isinstance(fact, str):
        if key == "way" or key.startswith("host_key_from."):
            return _VALUES.get(fact, fact)
        return fact[:DIGEST_CHARS] if "sha256" in key or "sha512" in key else fact
    if "bytes" not in key:
        return str(fact)
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if fact >= size:
            return f"{fact / size:,.1f} {unit}"
    return f"{fact} B"
