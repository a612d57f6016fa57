"""Who maintained what: views."""

from __future__ import annotations

from collections.abc import Sequence

from govcloud.model.maintenance import MaintenancePeriod
from govcloud.model.text import Text
from govcloud.report.view import Column, View


def build_history_view(periods: Sequence[MaintenancePeriod]) -> View:
    """One line a unit and stretch of time; by system, oldest first."""
    units = {p.unit for p in periods if p.until is None}
    return View(
        name="maintenance",
        title=Text("运维单位沿革", "Who maintained what"),
        columns=(
            Column("system_id", Text("系统", "System")),
            Column("system_name", Text("名称", "Name")),
            Column("unit", Text("运维单位", "Maintained by")),
            Column("since", Text("起", "Since")),
            Column("until", Text("止", "Until")),
            Column("basis", Text("依据", "By")),
            Column("source", Text("出处", "Source")),
            Column("actor", Text("经办人", "Brought in by")),
            Column("contract_ends_on", Text("运维合同到期", "Contract ends")),
        ),
        rows=tuple(
            {
                "system_id": p.system_id, "system_name": p.system_name, "unit": p.unit, "since": p.since,
                "until": p.until or Text("至今", "still"),
                "basis": Text("接管 {h}", "takeover {h}").format(h=p.handover_id) if p.handover_id else Text("填报", "stated"),
                "source": p.source, "actor": p.actor, "contract_ends_on": p.contract_ends_on,
            }
            for p in periods
        ),
        notes=(
            Text("现有运维单位 {n} 家。“填报”的起始日是最早见于资料的时间，实际可能更早。",
                 "{n} units maintain systems now. Where it is only stated, the time is when it was first said; it may have begun earlier.")
            .format(n=len(units)),
        ) if periods else (),
        facts={
            "periods": [
                {"system_id": p.system_id, "unit": p.unit, "since": p.since, "until": p.until, "handover_id": p.handover_id}
                for p in periods
            ]
        },
    )  # fmt: skip
