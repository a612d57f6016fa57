"""Clause by clause: which rules and which answers to requests rest on it, or why none does. Pure."""

from __future__ import annotations

from dataclasses import fields

from govcloud.compliance.deadlines import standing
from govcloud.model.coverage import ClauseCoverage, DocumentCoverage, Handling
from govcloud.model.regulation import Clause, Level, Regulation, RequestClauses


def build_document_coverage(pack: Regulation, level: Level | None = None, *, checked: bool = True) -> DocumentCoverage:
    """`level` of the office that asks; without one no clause is binding or for reference, it only reaches levels."""
    return DocumentCoverage(
        regulation=pack,
        clauses=tuple(_clause(clause, pack, level) for clause in pack.clauses.values()),
        checked=checked,
    )


def _clause(clause: Clause, pack: Regulation, level: Level | None) -> ClauseCoverage:
    rules = tuple(rule.rule_id for rule in pack.rules if clause.clause_id in rule.clauses)
    requests = tuple(name for name, clauses in request_clauses(pack.requests).items() if clause.clause_id in clauses)
    handling: Handling | None = "rule" if rules else "request" if requests else clause.treatment
    if handling is None:
        raise ValueError(clause.clause_id)  # the loader lets no such clause pass
    return ClauseCoverage(
        clause=clause,
        handling=handling,
        standing=standing((clause,), level) if level else None,
        rules=rules,
        requests=requests,
    )


def request_clauses(requests: RequestClauses) -> dict[str, tuple[str, ...]]:
    """Kind of answer -> the clauses behind it, of every field of `requests:` that lists clauses."""
    values = {f.name: getattr(requests, f.name) for f in fields(requests)}
    return {name: value for name, value in values.items() if isinstance(value, tuple)}
