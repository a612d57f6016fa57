"""The only caller of ansible-runner, and the judge of what it reports: green means proven, never the exit code alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import ansible_runner

from govcloud.execution.scene import Job as Job
from govcloud.execution.steps import expected_tasks
from govcloud.model.run import StepResult
from govcloud.model.text import Text

_IDENT = "play"
_BAD = ("runner_on_failed", "runner_on_unreachable")
_SHOWN_CHARS = 600


def run_playbook(job: Job) -> StepResult:
    """Run it to its end or its deadline; the verdict. Started and finished times and evidence are the caller's."""
    private = job.folder / "private"
    runner = ansible_runner.run(
        private_data_dir=str(private), artifact_dir=str(job.folder / "artifacts"), ident=_IDENT,
        playbook=str(job.playbook), inventory=str(private / "inventory"), quiet=True, rotate_artifacts=0,
        settings={"job_timeout": job.timeout_s, "suppress_ansible_output": True},
    )  # fmt: skip
    status, code = str(runner.status), runner.rc
    events, damage = read_events(job.folder / "artifacts" / _IDENT / "job_events")
    wanted = expected_hosts_and_tasks(expected_tasks(job.playbook), job.groups)
    result = judge(events, damage, wanted, status, code)
    said = job.folder / "artifacts" / _IDENT / "stdout"
    if result.status == "failed" and not result.reasons and said.is_file():
        tail = said.read_text("utf-8", errors="replace")
        tail = _line(tail)
        result = replace(result, reasons=(Text(f"Ansible：{tail}", f"Ansible: {tail}"),))
    return result


def expected_hosts_and_tasks(
    tasks: Iterable[tuple[str, str]], groups: Mapping[str, tuple[str, ...]]
) -> Counter[tuple[str, str, str]]:
    """(group, task, host) that must each be reported as done. A group without hosts expects the impossible: one of them."""
    return Counter((group, task, host) for group, task in tasks for host in groups.get(group, ()) or ("",))


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


def judge(
    events: Iterable[Mapping[str, Any]], damage: list[str], wanted: Counter[tuple[str, str, str]], status: str,
    code: int | None,
) -> StepResult:  # fmt: skip
    """ok: every wanted task was done on every wanted host, nothing else happened. unknown: the report can't tell."""
    done: Counter[tuple[str, str, str]] = Counter()
    reasons: list[Text] = []
    facts: dict[str, int | str] = {}
    not_done: list[str] = []
    for event in events:
        data = event.get("event_data") or {}
        kind, result = event.get("event"), data.get("res") or {}
        if kind == "runner_on_ok" and not data.get("ignore_errors"):
            done[(str(data.get("play_pattern")), str(data.get("task")), str(data.get("host")))] += 1
            facts.update(_facts(result))
        elif kind in _BAD:
            facts.update(_facts(result))
            reasons += _problems(str(data.get("host")), str(data.get("task")), result)
        elif kind == "runner_on_skipped":
            not_done.append(f"{data.get('host')}: {data.get('task')}")
    proven = sum((done & wanted).values())
    verdict = StepResult(status="ok", expected=sum(wanted.values()), proven=proven, facts=facts)
    if reasons:
        return _verdict(verdict, "failed", reasons)
    if status not in ("successful", "failed") or damage:
        why = "; ".join(damage[:5]) or status
        return _verdict(
            verdict, "unknown",
            [Text("执行记录不完整，结果不明：{why}", "The report is incomplete, the outcome unknown: {why}").format(why=why)],
        )  # fmt: skip
    if status != "successful" or code != 0 or not_done or done != wanted:
        if status == "successful":
            reasons = [
                Text("应有 {a} 项逐一完成，只证实 {b} 项", "{a} tasks had to be done, only {b} are proven").format(
                    a=verdict.expected, b=proven
                )
            ]
        return _verdict(verdict, "failed", reasons)
    return verdict


def _verdict(base: StepResult, status: Any, reasons: list[Text]) -> StepResult:
    return replace(base, status=status, reasons=tuple(reasons[:10]))


def _facts(result: Mapping[str, Any]) -> dict[str, int | str]:
    given = result.get("gov")
    if not isinstance(given, Mapping):
        return {}
    return {str(k): v for k, v in given.items() if isinstance(v, (int, str)) and not isinstance(v, bool)}


def _problems(host: str, task: str, result: Mapping[str, Any]) -> list[Text]:
    problems = result.get("problems")
    if (
        isinstance(problems, list)
        and problems
        and all(isinstance(p, Mapping) and {"zh", "en"} <= p.keys() for p in problems)
    ):
        return [Text(f"{host}：{_line(p['zh'])}", f"{host}: {_line(p['en'])}") for p in problems]
    message = _line(result.get("msg") or result.get("module_stderr") or "—")
    return [Text(f"{host}，{task}：{message}", f"{host}, {task}: {message}")]


def _line(text: object) -> str:
    """What a program said, on one line and not too long."""
    return " ".join(str(text).split())[-_SHOWN_CHARS:]
