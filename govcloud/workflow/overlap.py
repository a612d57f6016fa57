"""Systems by department and office, and systems that may do the same."""

from __future__ import annotations

from dataclasses import dataclass

from govcloud.compliance.departments import build_departments
from govcloud.compliance.overlap import build_overlaps
from govcloud.model.catalog import Catalog
from govcloud.model.inventory import Inventory
from govcloud.model.overlap import DepartmentRow, Overlap
from govcloud.workflow.confidence import read_confidence
from govcloud.workflow.office import load_estate, office_catalog
from govcloud.workflow.session import Session
from govcloud.workflow.zombies import list_zombies


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlaps:
    inventory: Inventory
    catalog: Catalog
    found: tuple[Overlap, ...]


def list_departments(session: Session) -> tuple[DepartmentRow, ...]:
    """Raises UsageError before the first import."""
    zombies = list_zombies(session)
    states = {v.system_id: v.state for v in zombies.verdicts}
    scores = {i: float(c.score) for i, c in read_confidence(session, zombies.inventory).items()}
    return build_departments(zombies.inventory, states, scores)


def list_overlaps(session: Session, *, department: str | None = None) -> Overlaps:
    """With `department`: those that one of its systems is part of. Raises UsageError before the first import."""
    inventory, catalog = load_estate(session), office_catalog(session)
    found = build_overlaps(inventory, catalog)
    return Overlaps(
        inventory=inventory, catalog=catalog,
        found=tuple(o for o in found if department is None or department in o.departments),
    )  # fmt: skip
