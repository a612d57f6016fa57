"""The judge of what Ansible reports: for each system every task once, or it is not green. Pure; the exit code alone says
nothing, since empty, skipped, ignored, rescued and check-mode runs end with 0."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from govcloud.model.attempt import ResultStatus, StepResult
from govcloud.model.text import Text

Event = Mapping[str, Any]

_BAD = ("runner_on_failed", "runner_on_unreachable")
_ENDINGS = ("successful", "failed")
_OTHERS_FAILED = 2 | 4
"""ansible-playbook's exit code when hosts failed (2) or were unreachable (4); anything else is an error of its own."""
_SHOWN_CHARS = 600
_SHOWN_REASONS = 10


def read_events(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Events in order, and what is damaged about them: unreadable files, left-over partial ones, gaps in the numbers."""
    events, damage = [], []
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.name.endswith(("-partial.json", ".tmp")):
            damage.append(path.name)
            continue
        try:
            event = json.loads(path.read_text("utf-8"))
            events.append((int(event["counter"]), event))
        except (ValueError, KeyError, TypeError, OSError):
            damage.append(path.name)
    numbers = Counter(number for number, _ in events)
    missing = set(range(1, max(numbers, default=0) + 1)) - set(numbers)
    damage += [f"event {n} is missing" for n in sorted(missing)[:5]]
    damage += [f"event {n} came {times} times" for n, times in sorted(numbers.items()) if times > 1]
    return [event for _, event in sorted(events, key=lambda pair: pair[0])], damage


def host_of(event: Event) -> str | None:
    """The system that an event is about; None for events of the whole play."""
    data = event.get("event_data") or {}
    return str(data["host"]) if str(event.get("event", "")).startswith("runner_") and "host" in data else None


class Tally:
    """What has been seen of one system so far."""

    def __init__(self, tasks: Sequence[str]) -> None:
        self._wanted = Counter(tasks)
        self._done: Counter[str] = Counter()
        self._reasons: list[Text] = []
        self._unreachable: list[bool] = []
        self._not_done: list[str] = []
        self._facts: dict[str, int | str] = {}

    def take(self, event: Event) -> None:
        data = event.get("event_data") or {}
        kind, result, task = event.get("event"), data.get("res") or {}, str(data.get("task"))
        if kind == "runner_on_ok" and not data.get("ignore_errors") and not _partly(result):
            self._done[task] += 1
            _merge(self._facts, _facts(result))
        elif kind in _BAD and not data.get("ignore_errors"):
            self._unreachable.append(kind == "runner_on_unreachable" or _all_unreachable(result))
            _merge(self._facts, _facts(result))
            self._reasons += _problems(task, result)
        elif kind in ("runner_on_skipped", "runner_on_ok", *_BAD):
            self._not_done.append(task)

    @property
    def failed(self) -> bool:
        return bool(self._reasons)

    def settled(self) -> StepResult | None:
        """Nothing that may follow can change it: a failure, or everything done and nothing else."""
        if self._reasons:
            return self._verdict("failed", self._reasons)
        return self._verdict("ok", ()) if self._done == self._wanted and not self._not_done else None

    def verdict(self, damage: Sequence[str], status: str, code: int | None, *, others_failed: bool) -> StepResult:
        """At the end of the run. ok: every task was done, nothing else happened. unknown: the report can't tell."""
        if self._reasons:
            return self._verdict("failed", self._reasons)
        if status not in _ENDINGS or damage:
            why = "; ".join(damage[:5]) or status
            return self._verdict(
                "unknown",
                [Text("执行记录不完整，结果不明：{why}", "The report is incomplete, the outcome unknown: {why}").format(why=why)],
            )  # fmt: skip
        sound = (status, code) == ("successful", 0) or (
            status == "failed" and others_failed and code is not None and code & ~_OTHERS_FAILED == 0
        )
        if sound and not self._not_done and self._done == self._wanted:
            return self._verdict("ok", ())
        few = Text("应有 {a} 项逐一完成，只证实 {b} 项", "{a} tasks had to be done, only {b} are proven").format(
            a=sum(self._wanted.values()), b=self._proven()
        )
        return self._verdict("failed", [few] if status == "successful" or others_failed else [])

    def _proven(self) -> int:
        return sum((self._done & self._wanted).values())

    def _verdict(self, status: ResultStatus, reasons: Sequence[Text]) -> StepResult:
        return StepResult(
            status=status, reasons=tuple(reasons[:_SHOWN_REASONS]), expected=sum(self._wanted.values()),
            unreachable=status == "failed" and bool(self._unreachable) and all(self._unreachable),
            proven=self._proven(), facts=dict(self._facts),
        )  # fmt: skip


def judge(
    events: Iterable[Event], damage: Sequence[str], tasks: Sequence[str], systems: Sequence[str], status: str, code: int | None,
) -> dict[str, StepResult]:  # fmt: skip
    """A verdict for each system from the recorded events of the whole run."""
    tallies = {system: Tally(tasks) for system in systems}
    strange = set()
    for event in events:
        host = host_of(event)
        if host in tallies:
            tallies[host].take(event)
        elif host is not None:
            strange.add(host)
    if strange:
        # A host that nobody asked for: the report is about something else.
        damage = [*damage, *(f"unexpected host {name}" for name in sorted(strange))]
    failing = {name for name, tally in tallies.items() if tally.failed}
    return {
        name: tally.verdict(damage, status, code, others_failed=bool(failing - {name}))
        for name, tally in tallies.items()
    }


def with_tail(result: StepResult, said: Path) -> StepResult:
    """A failure without a word of ours: what Ansible said last."""
    if result.status != "failed" or result.reasons or not said.is_file():
        return result
    tail = _line(said.read_text("utf-8", errors="replace"))
    return replace(result, reasons=(Text(f"Ansible：{tail}", f"Ansible: {tail}"),))


def log_lines(event: Event) -> list[str]:
    """An event of a system as lines of its log: when, how it went, which task, where; and what a failure said."""
    data = event.get("event_data") or {}
    kind, result = str(event.get("event")), data.get("res") or {}
    if not kind.startswith("runner_") or kind == "runner_on_start":
        return []
    at, took = str(event.get("created", ""))[:19], data.get("duration")
    on = _delegate(result) or (_item_host(result) if "_item_" in kind else None)
    how = kind.removeprefix("runner_").removeprefix("item_").removeprefix("on_")
    lines = [f"{at} {how:<11} {data.get('task')}{f' [{on}]' if on else ''}{f' {took:.1f} s' if took else ''}"]
    if kind.endswith(("failed", "unreachable")):
        lines += [f"    {line}" for line in json.dumps(result, ensure_ascii=False, indent=1, default=str).splitlines()]
    elif isinstance(result.get("gov"), Mapping):
        lines.append("    " + json.dumps(result["gov"], ensure_ascii=False, default=str))
    return lines


def _items(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Of a loop; a module may call something of its own `results`."""
    found = result.get("results")
    if not isinstance(found, list):
        return []
    return [item for item in found if isinstance(item, Mapping) and "ansible_loop_var" in item]


def _partly(result: Mapping[str, Any]) -> bool:
    """Reported as done, but it or a part of it was not."""
    return any(part.get(key) for part in (result, *_items(result)) for key in ("skipped", "failed", "unreachable"))


def _all_unreachable(result: Mapping[str, Any]) -> bool:
    bad = [item for item in _items(result) if item.get("failed") or item.get("unreachable")]
    return bool(bad) and all(item.get("unreachable") for item in bad)


def _facts(result: Mapping[str, Any]) -> dict[str, int | str]:
    """`gov` of a task; over the items of a loop numbers are added, and texts that differ go by their hosts' names."""
    if not _items(result):
        return _plain(result.get("gov"))
    found = [(_item_host(item) or str(index), _plain(item.get("gov"))) for index, item in enumerate(_items(result))]
    merged: dict[str, int | str] = {}
    for key in dict.fromkeys(key for _, facts in found for key in facts):
        values = [(host, facts[key]) for host, facts in found if key in facts]
        numbers = [value for _, value in values if isinstance(value, int)]
        if len(numbers) == len(values):
            merged[key] = sum(numbers)
        elif key == "level":
            merged[key] = min(str(value) for _, value in values)
        elif len({value for _, value in values}) == 1:
            merged[key] = values[0][1]
        else:
            merged |= {f"{host}.{key}": value for host, value in values}
    return merged


def _merge(facts: dict[str, int | str], more: Mapping[str, int | str]) -> None:
    """Later tasks know better; the level that all of them reached is the lowest."""
    level = min((str(f["level"]) for f in (facts, more) if "level" in f), default=None)
    facts.update(more)
    if level is not None:
        facts["level"] = level


def _plain(given: Any) -> dict[str, int | str]:
    if not isinstance(given, Mapping):
        return {}
    return {str(k): v for k, v in given.items() if isinstance(v, (int, str)) and not isinstance(v, bool)}


def _problems(task: str, result: Mapping[str, Any]) -> list[Text]:
    bad = [item for item in _items(result) if item.get("failed") or item.get("unreachable")]
    return [text for item in bad for text in _said(task, item, _item_host(item))] or _said(
        task, result, _delegate(result)
    )


def _said(task: str, result: Mapping[str, Any], host: str | None) -> list[Text]:
    given = result.get("problems")
    at = (f"{host}：", f"{host}: ") if host else ("", "")
    if isinstance(given, list) and given and all(isinstance(p, Mapping) and {"zh", "en"} <= p.keys() for p in given):
        return [Text(f"{at[0]}{_line(p['zh'])}", f"{at[1]}{_line(p['en'])}") for p in given]
    message = _line(result.get("msg") or result.get("module_stderr") or result.get("exception") or "—")
    if result.get("unreachable"):
        return [Text(f"{at[0]}无法连接：{message}", f"{at[1]}unreachable: {message}")]
    return [Text(f"{at[0]}{task}：{message}", f"{at[1]}{task}: {message}")]


def _delegate(result: Mapping[str, Any]) -> str | None:
    """The host that did it, where that isn't our own machine."""
    given = result.get("_ansible_delegated_vars")
    host = given.get("ansible_delegated_host") or given.get("ansible_host") if isinstance(given, Mapping) else None
    return str(host) if host and host != "govcloud" else None


def _item_host(item: Mapping[str, Any]) -> str | None:
    what = item.get("item")
    host = what.get("host") if isinstance(what, Mapping) else None
    return str(host) if host is not None else _delegate(item)


def _line(text: object) -> str:
    """What a program said, on one line and not too long."""
    return " ".join(str(text).split())[-_SHOWN_CHARS:]
