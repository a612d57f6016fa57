"""Each record of the ledger as one sentence. Records of every version are told: what a body lacks is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from govcloud.model.text import Text, same
from govcloud.report.ledger_words_account import ACCOUNT_WORDS
from govcloud.report.ledger_words_run import RUN_WORDS
from govcloud.report.ledger_words_takeover import TAKEOVER_WORDS
from govcloud.report.ledger_words_value import Teller, Titles, cut, listed
from govcloud.report.request import CONCLUSION


def tell(record: Mapping[str, Any], titles: Titles) -> Text:
    """`record`: the JSON object; `titles`: of steps and items by id. What another version or another hand has written in a
    form that is not known here is shown as it stands."""
    teller = WORDS.get(record["kind"], _as_it_stands)
    try:
        return teller(record, titles)
    except (LookupError, TypeError, AttributeError, ValueError):
        return _as_it_stands(record, titles)


def _as_it_stands(record: Mapping[str, Any], _titles: Titles) -> Text:
    return same(" ".join([cut(record["kind"]), *(f"{k}={cut(v)}" for k, v in record["body"].items())]))


def _init(record: Mapping[str, Any], _titles: Titles) -> Text:
    return Text("建立工作区，站点 {s}", "Workspace made for the site {s}").format(s=record["body"].get("site"))


def _changes(body: Mapping[str, Any]) -> Text:
    return Text("新增 {a}，变更 {c}，移除 {r}", "{a} added, {c} changed, {r} removed").format(
        a=body.get("added", 0), c=body.get("changed", 0), r=body.get("removed", 0)
    )


def _import(record: Mapping[str, Any], _titles: Titles) -> Text:
    body = record["body"]
    source = listed([f["file"] for f in body["files"]]) if "files" in body else cut(body.get("source"))
    return Text("导入 {f}：{c}", "Imported {f}: {c}").format(f=source, c=_changes(body))


def _discover(record: Mapping[str, Any], _titles: Titles) -> Text:
    body = record["body"]
    hosts = Text("，主机 {n} 台", ", {n} hosts").format(n=len(body["hosts"])) if "hosts" in body else Text("", "")
    return Text("采集 {f}{h}：{c}", "Read {f}{h}: {c}").format(f=cut(body.get("source")), h=hosts, c=_changes(body))


def _confirm(record: Mapping[str, Any], _titles: Titles) -> Text:
    body = record["body"]
    told: Sequence[Mapping[str, Any]] = body.get("confirmed") or body.get("withdrawn") or ()
    facts = listed([f"{one['subject_id']} {one['field']}={cut(one['value'])}" for one in told])
    if "withdrawn" in body:
        return Text("撤回人工确认：{f}；理由：{r}", "Took back what was confirmed: {f}; reason: {r}").format(
            f=facts, r=cut(body.get("reason"))
        )
    reason = told[0] if told else {}
    return Text("人工确认：{f}；依据：{d}", "Confirmed: {f}; by: {d}").format(
        f=facts, d=cut(reason.get("document") or reason.get("reason"))
    )


def _host_keys(record: Mapping[str, Any], _titles: Titles) -> Text:
    keys = record["body"].get("keys", ())
    return Text("认可主机公钥：{h}", "Approved the keys of hosts: {h}").format(h=listed([k["host"] for k in keys]))


def _check(record: Mapping[str, Any], _titles: Titles) -> Text:
    body = record["body"]
    if body.get("what") == "request":
        conclusion = CONCLUSION.get(body.get("conclusion"), same(body.get("conclusion")))
        return Text("核对{d}的资源申请 {f}：{c}", "Checked the request {f} of {d}: {c}").format(
            d=body.get("department"), f=body.get("file"), c=conclusion
        )
    return Text(
        "按 {r} 核对全部资产（截至 {d}）：违规 {n}，已豁免 {w}，待查 {u}",
        "Checked the estate under {r} as of {d}: {n} violated, {w} waived, {u} undetermined",
    ).format(
        r=listed(body.get("regulations", ())), d=body.get("as_of"), n=body.get("binding_fail", 0), w=body.get("waived", 0),
        u=body.get("binding_undetermined", 0),
    )  # fmt: skip


def _report(record: Mapping[str, Any], _titles: Titles) -> Text:
    body = record["body"]
    files = listed(sorted(body.get("files", ())))
    if body.get("what") == "opinion":
        return Text("出具审核意见：{f}", "Wrote review opinions: {f}").format(f=files)
    return Text("编制报告：{f}", "Wrote reports: {f}").format(f=files)


def _plan(record: Mapping[str, Any], _titles: Titles) -> Text:
    body = record["body"]
    what = Text("试排", "Tried") if body.get("what_if") else Text("编制", "Made")
    return Text(
        "{w}迁移计划 {p}：{n} 批，{s} 个系统，自 {d} 起", "{w} the migration plan {p}: {n} waves, {s} systems, from {d}"
    ).format(
        w=what, p=body.get("plan_id") or record["subject_id"], n=body.get("waves"), s=body.get("systems"),
        d=body.get("starts_on"),
    )  # fmt: skip


def _plan_pin(record: Mapping[str, Any], _titles: Titles) -> Text:
    body = record["body"]
    if body.get("what") == "withdraw":
        return Text("取消对 {s} 的固定安排：{r}", "Released the pin of {s}: {r}").format(
            s=record["subject_id"], r=cut(body.get("reason"))
        )
    place = listed([v for v in (body.get("opens_on"), body.get("crew")) if v])
    return Text("固定 {s} 的安排（{p}）：{r}", "Pinned {s} ({p}): {r}").format(
        s=record["subject_id"], p=place, r=cut(body.get("reason"))
    )


def _waiver(record: Mapping[str, Any], _titles: Titles) -> Text:
    body = record["body"]
    if body.get("what") == "withdraw":
        return Text("撤销豁免 {w}：{r}", "Withdrew the waiver {w}: {r}").format(
            w=body.get("waiver_id"), r=cut(body.get("reason"))
        )
    return Text(
        "豁免问题 {f} 至 {d}，批准人 {a}：{r}", "Waived the finding {f} until {d}, approved by {a}: {r}"
    ).format(f=body.get("finding_id"), d=body.get("valid_until"), a=body.get("approver"), r=cut(body.get("reason")))


def _snapshot(record: Mapping[str, Any], _titles: Titles) -> Text:
    body = record["body"]
    return Text("留存清单快照“{n}”，摘要 {d}", "Named the inventory of now {n}, digest {d}").format(
        n=body.get("label"), d=body["sha256"][:12]
    )


def _export(record: Mapping[str, Any], _titles: Titles) -> Text:
    return Text("导出台账，{n} 条记录", "Exported the ledger, {n} records").format(n=record["body"].get("records"))


WORDS: Mapping[str, Teller] = {
    "init": _init, "import": _import, "discover": _discover, "confirm": _confirm, "host_keys": _host_keys,
    "check": _check, "report": _report, "plan": _plan, "plan_pin": _plan_pin, "waiver": _waiver, "snapshot": _snapshot,
    "export": _export, **RUN_WORDS, **TAKEOVER_WORDS, **ACCOUNT_WORDS,
}  # fmt: skip
