"""What runs ask of a person at one moment: gates to answer, orders that can be given, attempts to decide on, reviews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from govcloud.model.attempt import AttemptKey
from govcloud.model.gate import Answer, Gate, OrderKind
from govcloud.model.run import Run
from govcloud.model.step import StepName
from govcloud.model.text import Text
from govcloud.report.run_facts import DIGEST_CHARS
from govcloud.report.run_overview import SystemStatus
from govcloud.report.view import Column, View, filled

Word = Literal["approve", "refuse", "emergency"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Gates of one step of one run, at all of which one person may say the same."""

    run: Run
    step: StepName
    title: Text
    """Of the step."""
    systems: tuple[SystemStatus, ...]
    gates: tuple[Gate, ...]
    """One for each of the systems, in their order."""
    answers: tuple[Answer, ...]
    """Given so far."""
    words: frozenset[Word]
    """What the person may answer."""
    why_not: Text | None
    """Why he may not approve in the ordinary way."""
    waits: bool
    """They wait for an approval; else for their window, which only an emergency opens."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """System id -> id and name."""

    @property
    def is_due(self) -> bool:
        """The person's word is waited for."""
        return self.waits and bool(self.words & {"approve", "emergency"}) and self.why_not is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An attempt that goes no further without a person's word."""

    key: AttemptKey
    words: tuple[str, ...]
    """Of rerun, done, abort: those that the person may say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Emergency approvals of one system that nobody has looked at since."""

    run: Run
    system_id: str
    answers: tuple[Answer, ...]
    why_not: Text | None
    """Why it is not for this person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """All that one person may say to one run now."""

    asked: tuple[Asked, ...]
    orders: Mapping[OrderKind, tuple[str, ...]]
    """Order -> systems that can follow it; without those that none can follow, or that the person may not give."""
    questions: Mapping[str, Question]
    """By system."""
    reviews: tuple[Review, ...]


def build_asked_view(asked: Asked) -> View:
    """What the word is for: one line a system. The digest of all that is approved stands over it where there is one system."""
    view = View(
        name="asked-" + asked.gates[0].gate_id.replace("/", "-"),
        title=Text("批准的内容", "What is approved"),
        columns=(
            Column("system", Text("系统", "System")),
            Column("since", Text("等待自", "Waits since")),
            Column("opens_at", Text("窗口开启", "Window opens")),
            Column("closes_at", Text("窗口关闭", "Window closes")),
            Column("needed_min", Text("需要（分钟）", "Needed (min)"), "right"),
            Column("data_mib", Text("数据（MiB）", "Data (MiB)"), "right"),
            Column("scope", Text("范围摘要", "Scope digest")),
        ),
        rows=tuple(
            {
                "system": asked.labels.get(s.row.system_id, s.row.system_id), "since": s.row.since, "opens_at": s.row.opens_at, "closes_at": s.row.closes_at,
                "needed_min": s.needed_min, "data_mib": -(-s.row.data_bytes // 2**20) if s.row.data_bytes else None,
                "scope": gate.scope_hash[:DIGEST_CHARS],
            }
            for s, gate in zip(asked.systems, asked.gates, strict=True)
        ),
    )  # fmt: skip
    return filled(view, without=("scope",) if len(asked.systems) == 1 else ())


def build_waiting_view(others: Sequence[Asked]) -> View:
    """Gates that wait for somebody else."""
    return View(
        name="others",
        title=Text("等待他人批准", "Waiting for somebody else"),
        columns=(
            Column("run_id", Text("执行", "Run")),
            Column("step", Text("步骤", "Step")),
            Column("systems", Text("系统", "Systems")),
            Column("created_by", Text("发起人", "Started by")),
            Column("answers", Text("已答复", "Answered by")),
            Column("why", Text("为何不是您", "Why not you")),
        ),
        rows=tuple(
            {
                "run_id": a.run.run_id, "step": a.title, "systems": [a.labels.get(s.row.system_id, s.row.system_id) for s in a.systems],
                "created_by": a.run.created_by, "answers": sorted({x.actor for x in a.answers}), "why": a.why_not,
            }
            for a in others
        ),
    )  # fmt: skip
