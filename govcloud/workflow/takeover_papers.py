"""A whole folder of papers at once: files named after the checklist's items."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from govcloud.errors import InputError
from govcloud.model.text import Text
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import Takeover, add_evidence, checklist_of, get_takeover


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    takeover: Takeover
    taken: tuple[str, ...]
    unknown: tuple[str, ...]
    """File names that are no item of the checklist; they were left alone."""


def add_papers(session: Session, handover_id: str, folder: Path) -> Papers:
    """Hand over every file of the folder whose name without extension is an item. Raises InputError for no folder.

    One record a file, so an interrupted call may simply be repeated.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise InputError(
            Text("资料目录打不开：{why}", "The folder of papers can't be opened: {why}").format(why=error.strerror),
            where=str(folder),
            next_step=Text("检查路径", "Check the path"),
        ) from None
    found = get_takeover(session, handover_id)
    checklist = checklist_of(session)
    taken, unknown = [], []
    for file in files:
        item = checklist.item(file.stem)
        if item is None or item.evidence == "rotation":
            unknown.append(file.name)
            continue
        found = add_evidence(session, handover_id, item.item_id, file=file)
        if found.obstacles:
            break
        taken.append(item.item_id)
    return Papers(takeover=found, taken=tuple(taken), unknown=tuple(unknown))
