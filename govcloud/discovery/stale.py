"""From when on a fact is too old to be relied on. Pure.

The site's `stale_days` is for what machines and clouds were seen to be. What people declared, or confirmed, is asked for
once a year at most and gets twice the time. What a carried-out migration left behind, and facts that do not change any
more (dates, identities, papers), never get stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from govcloud.model.answers import SourceKind, Witness

_SOURCE_KINDS: Mapping[str, SourceKind] = {"person": "confirmed", "workbook": "declared", "netbox": "declared", "konveyor": "declared"}  # fmt: skip
_FACTOR: Mapping[SourceKind, int] = {"measured": 1, "declared": 2, "confirmed": 2}
_NEVER = frozenset({"run"})
_LASTING = frozenset(
    {
        "name", "number", "uuid", "serial", "macs", "maker", "model", "cpu_model", "function", "build_mode", "build_basis",
        "approval_body", "builder", "mlps_filing_no", "mlps_filing_authority", "contract_number", "contract_filed_with",
        "consent_body", "consent_document", "legal_basis", "supervisor", "budget_yuan", "budget_project", "budget_years",
        "booted_at", "source_id", "target_id", "purpose", "closure_evidence", "approval_document", "archives", "lead",
        "acceptance_organiser", "changes", "budget_lines", "final_yuan",
    }
)  # fmt: skip


def source_kind(source: str) -> SourceKind:
    """Whether the witness met the thing, wrote it down, or settled it."""
    return _SOURCE_KINDS.get(source, "measured")


def stale_after(field: str, source: str, stale_days: int) -> timedelta | None:
    """How long the word of such a witness on the field holds; None: for ever."""
    if source in _NEVER or field in _LASTING or field.endswith("_on"):
        return None
    return timedelta(days=stale_days * _FACTOR[source_kind(source)])


def is_stale(field: str, witness: Witness, now: datetime, stale_days: int) -> bool:
    limit = stale_after(field, witness.source, stale_days)
    return limit is not None and now - witness.at > limit


def count_stale(fields: Mapping[str, Witness], now: datetime, stale_days: int) -> int:
    return sum(1 for name, witness in fields.items() if is_stale(name, witness, now, stale_days))
