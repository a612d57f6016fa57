"""What an import or a discovery brought, as Views."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from govcloud.model.collect import Change, DiscoveryResult, FileImport, HostResult, HostTrust, ImportResult
from govcloud.model.text import Text
from govcloud.report import words
from govcloud.report.view import Cell, Column, View

_FILE_STATES = {
    "new": Text("新", "new"), "newer": Text("更新版", "newer version"),
    "unchanged": Text("已导入过，无变化", "imported before, unchanged"), "refused": Text("拒收", "refused"),
}  # fmt: skip
_KINDS = {
    "census": Text("普查表", "census"), "servers": Text("服务器清单", "servers"), "networks": Text("网络", "networks"),
    "dependencies": Text("依赖", "dependencies"), "projects": Text("项目", "projects"),
}  # fmt: skip
_HOST_STATES = {
    "ok": Text("正常", "ok"), "unreachable": Text("连不上", "unreachable"), "refused": Text("拒绝连接", "refused"),
    "timed_out": Text("超时", "timed out"), "auth_failed": Text("登录被拒", "login refused"),
    "key_unknown": Text("密钥未认可", "key not approved"), "key_changed": Text("密钥变了", "key changed"),
    "connection_lost": Text("连接中断", "connection lost"),
}  # fmt: skip
_TRUST_STATES = {
    "trusted": Text("已认可", "approved before"), "new": Text("待认可", "to be approved"), "approved": Text("现予认可", "approved now"),
    "changed": Text("密钥变了", "key changed"), "replaced": Text("已换成新密钥", "replaced now"),
    "not_expected": Text("与预期不符", "not the expected key"), "failed": Text("取不到", "no answer"),
}  # fmt: skip
_CHANGES = {"added": Text("新增", "added"), "changed": Text("变化", "changed"), "removed": Text("去掉", "removed")}


def _column(key: str, zh: str, en: str, align: str = "left") -> Column:
    return Column(key, Text(zh, en), "right" if align == "right" else "left")


def build_import_views(result: ImportResult) -> tuple[View, ...]:
    """Files, faulty cells, columns that were not read, and (for a preview) every change."""
    views = [_files(result), _problems(result)]
    unknown = [
        {"file": s.file, "sheet": s.sheet, "column": column}
        for f in result.files for s in f.sheets for column in s.unknown_columns
    ]  # fmt: skip
    if unknown:
        views.append(View(
            name="unknown_columns", title=Text("没有读的列", "Columns that were not read"),
            columns=(_column("file", "文件", "File"), _column("sheet", "工作表", "Sheet"), _column("column", "单元格与表头", "Cell and header")),
            rows=tuple(unknown),
        ))  # fmt: skip
    if result.preview:
        views.append(build_changes_view(result.changes))
    return tuple(views)


def _files(result: ImportResult) -> View:
    counted = Counter(c.change for c in result.changes)
    done = Text("预览，未写入", "Preview, nothing was stored") if result.preview else Text("已写入", "Stored")
    return View(
        name="files", title=Text("导入的工作簿", "Workbooks"),
        columns=(
            _column("file", "文件", "File"), _column("sheet", "工作表", "Sheet"), _column("kind", "类型", "Kind"),
            _column("state", "情况", "State"), _column("rows", "行数", "Rows", "right"), _column("taken", "采用", "Taken", "right"),
            _column("rejected", "退回", "Rejected", "right"),
        ),
        rows=tuple(row for file in result.files for row in _file_rows(file)),
        notes=(
            Text("{done}：新增 {a}、变化 {c}、去掉 {r}、不变 {u}，退回 {e} 行",
                 "{done}: {a} added, {c} changed, {r} removed, {u} unchanged; {e} rows rejected").format(
                done=done, a=counted["added"], c=counted["changed"], r=counted["removed"], u=result.unchanged,
                e=_rejected(result)),
        ),
        facts={
            "preview": result.preview, "added": counted["added"], "changed": counted["changed"],
            "removed": counted["removed"], "unchanged": result.unchanged, "rejected": _rejected(result),
        },
    )  # fmt: skip


def _rejected(result: ImportResult) -> int:
    return sum(s.rows - s.taken for f in result.files for s in f.sheets)


def _file_rows(file: FileImport) -> list[Mapping[str, Cell]]:
    state = _FILE_STATES[file.state]
    if file.refusal is not None:
        why = Text("{s}：{w}", "{s}: {w}").format(s=state, w=file.refusal)
        return [{"file": file.path.name, "state": why, "rows": 0, "taken": 0, "rejected": 0}]
    return [
        {
            "file": file.path.name, "sheet": s.sheet,
            "kind": _KINDS[s.kind] if s.kind else Text("没有认出的表，未读", "no known table, not read"),
            "state": state, "rows": s.rows, "taken": s.taken, "rejected": s.rows - s.taken,
        }
        for s in file.sheets
    ]  # fmt: skip


def _problems(result: ImportResult) -> View:
    return View(
        name="problems", title=Text("有问题的单元格", "Cells with problems"),
        columns=(
            _column("file", "文件", "File"), _column("sheet", "工作表", "Sheet"), _column("cell", "单元格", "Cell"),
            _column("read", "读到", "Read"), _column("expected", "应为", "Expected"), _column("row", "该行", "Row"),
        ),
        rows=tuple(
            {
                "file": p.file, "sheet": p.sheet, "cell": p.cell, "read": p.read, "expected": p.expected,
                "row": Text("已采用，请核对", "taken, please check") if p.taken else Text("退回", "rejected"),
            }
            for f in result.files for p in f.problems
        ),
    )  # fmt: skip


def build_changes_view(changes: Sequence[Change]) -> View:
    return View(
        name="changes", title=Text("清单的变化", "Changes of the inventory"),
        columns=(
            _column("kind", "类别", "Kind"), _column("subject_id", "编号", "Id"), _column("name", "名称", "Name"),
            _column("change", "变化", "Change"), _column("fields", "字段", "Fields"),
        ),
        rows=tuple(
            {
                "kind": words.SUBJECTS[c.kind], "subject_id": c.subject_id, "name": c.name, "change": _CHANGES[c.change],
                "fields": list(c.fields),
            }
            for c in changes
        ),
    )  # fmt: skip


def build_discovery_views(result: DiscoveryResult) -> tuple[View, ...]:
    """A row a host, and what was left unknown on the hosts that answered."""
    counted = Counter(c.change for c in result.changes)
    hosts = View(
        name="hosts", title=Text("登录核实", "Hosts"),
        columns=(
            _column("host", "主机", "Host"), _column("address", "地址", "Address"), _column("status", "结果", "Result"),
            _column("os", "操作系统", "Operating system"), _column("facts", "事实", "Facts", "right"),
            _column("seconds", "秒", "Seconds", "right"), _column("reason", "说明", "Reason"),
        ),
        rows=tuple(_host_row(h) for h in result.hosts),
        notes=(
            Text("{ok} 台正常，{bad} 台没有结果；清单新增 {a}、变化 {c}", "{ok} ok, {bad} without a result; inventory: {a} added, {c} changed")
            .format(ok=len(result.hosts) - len(result.failed), bad=len(result.failed), a=counted["added"], c=counted["changed"]),
        ),
        facts={
            "ok": len(result.hosts) - len(result.failed), "failed": len(result.failed),
            "statuses": {h.host.name: h.status for h in result.hosts},
        },
    )  # fmt: skip
    gaps: list[Mapping[str, Cell]] = [
        {"host": h.host.name, "probe": g.probe, "reason": g.reason} for h in result.hosts for g in h.gaps
    ]
    if not gaps:
        return (hosts,)
    return (hosts, View(
        name="gaps", title=Text("没有问到的", "What stayed unknown"),
        columns=(_column("host", "主机", "Host"), _column("probe", "探测", "Probe"), _column("reason", "原因", "Reason")),
        rows=tuple(gaps),
    ))  # fmt: skip


def _host_row(result: HostResult) -> Mapping[str, Cell]:
    facts = {o.field: o.value for o in result.observations}
    system = " ".join(str(facts[f]) for f in ("os_name", "os_version") if f in facts)
    return {
        "host": result.host.name, "address": f"{result.host.address}:{result.host.port}", "status": _HOST_STATES[result.status],
        "os": system or None, "facts": len(result.observations) or None, "seconds": round(result.seconds, 1), "reason": result.reason,
    }  # fmt: skip


def build_trust_view(trusts: Sequence[HostTrust]) -> View:
    waiting = sum(1 for t in trusts if t.state == "new")
    changed = [t.host.name for t in trusts if t.state == "changed"]
    notes = []
    if waiting:
        notes.append(Text(
            "{n} 台待认可：用另一条途径核对指纹后，加 --approve 再运行一次",
            "{n} to be approved: check the fingerprints by another way, then run it again with --approve").format(n=waiting))  # fmt: skip
    if changed:
        notes.append(Text(
            "{h} 的密钥变了：查明原因之前不要登录；确属换机或重装，再用 --approve --replace 主机名",
            "The key of {h} has changed: find out why before anybody logs in; --approve --replace HOST accepts the new one"
        ).format(h=", ".join(changed)))  # fmt: skip
    return View(
        name="host_keys", title=Text("主机密钥", "Host keys"),
        columns=(
            _column("host", "主机", "Host"), _column("address", "地址", "Address"), _column("state", "情况", "State"),
            _column("key_type", "类型", "Type"), _column("fingerprint", "现在的指纹", "Fingerprint shown"),
            _column("approved", "先前认可的指纹", "Approved before"), _column("approved_by", "认可人", "Approved by"),
            _column("reason", "说明", "Reason"),
        ),
        rows=tuple(
            {
                "host": t.host.name, "address": f"{t.host.address}:{t.host.port}", "state": _TRUST_STATES[t.state],
                "key_type": t.key_type, "fingerprint": t.shown,
                "approved": [f for f in t.approved if f != t.shown], "approved_by": list(t.approved_by), "reason": t.reason,
            }
            for t in trusts
        ),
        notes=tuple(notes),
        facts={"states": {t.host.name: t.state for t in trusts}},
    )  # fmt: skip
