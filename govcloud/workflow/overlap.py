"""Systems by department and office, and systems that may do the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

from govcloud.compliance.departments import build_departments
from govcloud.compliance.overlap import build_overlaps
from govcloud.compliance.zombies import build_zombies, parse_zombie_rules
from govcloud.model.catalog import Catalog
from govcloud.model.inventory import Inventory
from govcloud.model.overlap import DepartmentRow, Overlap
from govcloud.workflow.confidence import read_scores
from govcloud.workflow.office import load_estate, office_catalog, today
from govcloud.workflow.session import Session
from govcloud.workflow.zombies import read_use


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlaps:
    inventory: Inventory
    catalog: Catalog
    found: tuple[Overlap, ...]


def list_departments(session: Session) -> tuple[DepartmentRow, ...]:
    """Raises UsageError before the first import."""
    inventory = load_estate(session)
    rules = parse_zombie_rules(session.workspace.settings.zombies)
    with session.store.read() as tx:
        use = read_use(tx, inventory)
    # Verdicts are counted here, nobody asks by which fact: looking that up costs a query a server.
    verdicts = build_zombies(replace(inventory, evidence={}), rules, use, today(session))
    states = {v.system_id: v.state for v in verdicts}
    return build_departments(inventory, states, read_scores(session, inventory))


def list_overlaps(session: Session, *, department: str | None = None) -> Overlaps:
    """With `department`: those that one of its systems is part of. Raises UsageError before the first import."""
    inventory, catalog = load_estate(session), office_catalog(session)
    found = build_overlaps(inventory, catalog)
    return Overlaps(
        inventory=inventory, catalog=catalog,
        found=tuple(o for o in found if department is None or department in o.departments),
    )  # fmt: skip
