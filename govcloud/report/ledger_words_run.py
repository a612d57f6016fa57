"""Records of migration runs, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from govcloud.model.text import Text, same
from govcloud.report.ledger_words_value import Teller, Titles, because, cut, listed
from govcloud.report.run import STATE, WAIT
from govcloud.report.run_overview import PHASE
from govcloud.report.run_records import ORDER, RESULT


def _word(words: Mapping[Any, Text], code: object) -> Text:
    return words.get(code) or same(cut(code))


def _run(record: Mapping[str, Any], _titles: Titles) -> Text:
    systems = record["body"].get("systems", ())
    return Text("登记迁移执行：{s}", "Registered a run of {s}").format(s=listed(systems))


def _step(record: Mapping[str, Any], titles: Titles) -> Text:
    body = record["body"]
    phase = body.get("phase", "apply")
    what = _word(titles, record["step"])
    if phase != "apply":
        what = Text("{s}（{p}）", "{s} ({p})").format(s=what, p=_word(PHASE, phase))
    if record["phase"] == "intent":
        return Text("开始{w}，第 {n} 次", "Begins {w}, attempt {n}").format(w=what, n=record["attempt"])
    told = Text("{w}第 {n} 次：{r}", "{w}, attempt {n}: {r}").format(
        w=what, n=record["attempt"], r=_word(RESULT, body.get("status"))
    )
    reasons = body.get("reasons") or ()
    zh, en = ("；".join(cut(r.get("zh")) for r in reasons), "; ".join(cut(r.get("en")) for r in reasons))
    return Text(f"{told.zh}，{zh}", f"{told.en}, {en}") if reasons else told


def _gate(record: Mapping[str, Any], titles: Titles) -> Text:
    return Text("{s}之前的关口打开，等待放行", "The gate before {s} is open and waits for a word").format(
        s=_word(titles, record["body"].get("step"))
    )


def _approval(record: Mapping[str, Any], titles: Titles) -> Text:
    body = record["body"]
    word = Text("批准", "Approved") if body.get("approved") else Text("不批准", "Refused")
    if body.get("emergency"):
        word = Text("紧急批准", "Approved in an emergency") if body.get("approved") else word
    until = body.get("expires_at") if body.get("approved") else None
    valid = Text("，有效至 {t}", ", valid until {t}").format(t=until[:16].replace("T", " ")) if until else Text("", "")
    return Text("{w}{s}{v}{r}", "{w}: {s}{v}{r}").format(
        w=word, s=_word(titles, body.get("step")), v=valid, r=because(body.get("reason"))
    )


def _order(record: Mapping[str, Any], titles: Titles) -> Text:
    body = record["body"]
    step = Text("（{s}）", " ({s})").format(s=_word(titles, body["step"])) if body.get("step") else Text("", "")
    return Text("命令：{o}{s}{r}", "Order: {o}{s}{r}").format(
        o=_word(ORDER, body.get("order")), s=step, r=because(body.get("reason"))
    )


def _state(record: Mapping[str, Any], _titles: Titles) -> Text:
    body = record["body"]
    wait = (
        Text("，等待{w}", ", waiting for {w}").format(w=_word(WAIT, body["wait"])) if body.get("wait") else Text("", "")
    )
    return Text("由“{a}”转为“{b}”{w}", "From {a} to {b}{w}").format(
        a=_word(STATE, body.get("was")), b=_word(STATE, body.get("state")), w=wait
    )


def _scope(record: Mapping[str, Any], _titles: Titles) -> Text:
    return Text(
        "采用变更后的内容，原批准作废：{p}", "Took over what has changed, earlier approvals are void: {p}"
    ).format(p=listed(record["body"].get("parts", ())))


def _resource(record: Mapping[str, Any], _titles: Titles) -> Text:
    body = record["body"]
    done = (
        Text("已删除", "deleted") if body.get("deleted")
        else Text("已建立", "made") if body.get("created") else Text("已申请", "asked for")
    )  # fmt: skip
    return Text("云资源 {n}（{d}）{w}", "Cloud resource {n} ({d}) {w}").format(
        n=cut(body.get("name")), d=body.get("driver"), w=done
    )


RUN_WORDS: Mapping[str, Teller] = {
    "run": _run, "step": _step, "gate": _gate, "approval": _approval, "order": _order, "run_state": _state,
    "run_scope": _scope, "resource": _resource,
}  # fmt: skip
