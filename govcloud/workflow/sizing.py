"""Servers as offerings of the office's catalog, and the application that a department may make of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from govcloud.compliance.sizing import build_request, build_sizing, parse_sizing_rules
from govcloud.errors import UsageError
from govcloud.model.inventory import Inventory, System
from govcloud.model.sizing import Sizing
from govcloud.model.text import Text
from govcloud.report.files import save
from govcloud.report.sizing import render_request
from govcloud.workflow.office import load_estate, office_catalog, office_rulebook, today
from govcloud.workflow.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    inventory: Inventory
    sizing: Sizing
    system: System | None
    on: date


def size_servers(session: Session, *, department: str | None = None, system_id: str | None = None) -> Sized:
    """Raises UsageError before the first import and for an unknown system, InputError for a faulty `sizing:` section."""
    rules = parse_sizing_rules(session.workspace.settings.sizing)
    inventory, catalog, rulebook = load_estate(session), office_catalog(session), office_rulebook(session)
    system = inventory.system(system_id) if system_id is not None else None
    if system_id is not None and system is None:
        raise UsageError(
            Text("清单里没有这个系统编号", "The inventory has no such system"),
            where=system_id,
            next_step=Text("用 govcloud inventory systems 查看编号", "govcloud inventory systems shows the ids"),
        )
    day = today(session)
    sizing = build_sizing(inventory, catalog, rulebook.own, rules, day, department=department, system_id=system_id)
    return Sized(inventory=inventory, sizing=sizing, system=system, on=day)


def write_request(sized: Sized, path: Path) -> Path:
    """The lines that fit as an application of one department, in the form that `check request` reads.

    A path without a folder goes to the folder where it stands. Raises UsageError where there is not one department, or
    nothing that fits.
    """
    departments = {s.department for s in sized.sizing.servers if s.lines}
    if sized.system is not None and sized.system.department is not None:
        departments = {sized.system.department}
    named = sorted(d for d in departments if d is not None)
    if len(departments) != 1 or not named:
        raise UsageError(
            Text("一份申请只能属于一个部门", "An application belongs to one department"),
            where=", ".join(named) or str(path),
            next_step=Text("加 --department 或 --system", "Add --department or --system"),
        )
    request = build_request(sized.sizing, on=sized.on, system=sized.system, department=named[0])
    if request is None:
        raise UsageError(
            Text("没有可以申请的服务器", "There is no server that fits anything"),
            where=str(path),
            next_step=Text("先看 inventory sizing 给出的原因", "See the reasons that inventory sizing gives"),
        )
    return save(path, render_request(request).encode())
