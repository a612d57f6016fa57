"""The way back: what was begun is undone, users first, the source next, the target last. Pure."""

from __future__ import annotations

from govcloud.execution import waits
from govcloud.execution.history import (
    MAX_TRIES,
    next_number,
    retry_at,
    since_begun,
    source_touched,
    streak,
    tries,
    word_on,
)
from govcloud.execution.journal import Seen
from govcloud.execution.moves import Act, Back, Ended, Park
from govcloud.execution.steps import WAY_BACK
from govcloud.model.run import SystemState
from govcloud.model.step import StepName
from govcloud.model.text import Text

# A rehearsal that was cut short is undone before the target is given up.
_UNDONE: tuple[StepName, ...] = (*(s for s in WAY_BACK if s != "prepare"), "rehearse", "prepare")


def go_back(seen: Seen, back: Back) -> Act | Park | Ended:
    """The next undo, or the end: rolled_back where the source had been touched."""
    touched = source_touched(seen)
    for step in _UNDONE:
        move = undo(seen, step, "rolling_back" if touched else "running")
        if move is not None:
            return move
    return Ended(state="rolled_back" if touched else back.state)


def undo(seen: Seen, step: StepName, state: SystemState) -> Act | Park | None:
    """What brings this step's undo forward; None: it was never begun, or it has been undone since. All undoing may be repeated."""
    if not tries(seen, step, "apply"):
        return None
    done = since_begun(seen, step, "rollback")
    number = next_number(seen, step, "rollback")
    if not done or done[-1].result is None:
        return Act(step=step, phase="rollback", number=number, state=state)
    last, result = done[-1], done[-1].result
    word = word_on(seen, last.key, True)
    if result.status == "ok" or (word is not None and word.kind == "done"):
        return None
    if word is not None and word.kind == "rerun":
        return Act(step=step, phase="rollback", number=number, rerun=True, state=state)
    tried = streak(seen, done, lambda r: r.status != "ok")
    if tried > MAX_TRIES:
        return Park(state="needs_person", wait=waits.person_wait(seen, last, _stuck(seen, step)), about=last.key)
    if result.unreachable and (until := retry_at(seen, last, tried)) is not None:
        # To the outside it is still the same: only a source that was touched is on its way back.
        waiting: SystemState = "rolling_back" if state == "rolling_back" else "waiting"
        return Park(state=waiting, wait=waits.unreachable_wait(seen, last, until))
    return Act(step=step, phase="rollback", number=number, state=state)


def _stuck(seen: Seen, step: StepName) -> Text:
    """What both ends are like, as far as attempts prove it."""
    begun = [s for s in _UNDONE if tries(seen, s, "apply")]
    undone = [s for s in begun if undone_ok(seen, s)]
    left = [s for s in begun if s not in undone]
    return Text(
        "“{step}”的撤销没有成功；已撤销：{done}；尚未撤销：{left}",
        'The undo of "{step}" did not succeed; undone: {done}; not undone yet: {left}',
    ).format(step=step, done=", ".join(undone) or "—", left=", ".join(left) or "—")


def undone_ok(seen: Seen, step: StepName) -> bool:
    done = since_begun(seen, step, "rollback")
    last = done[-1] if done else None
    if last is None or last.result is None:
        return False
    word = word_on(seen, last.key, True)
    return last.result.status == "ok" or (word is not None and word.kind == "done")
