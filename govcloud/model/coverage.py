"""What becomes of every clause of a document: tested, asked of a request, or told why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from govcloud.model.regulation import Clause, Regulation, Standing

Handling = Literal["rule", "request", "information", "not_automatable"]
"""`rule`: tested by `check estate`; `request`: stands behind an answer of `check request`; the others as model.regulation.Treatment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseCoverage:
    clause: Clause
    handling: Handling
    standing: Standing | None
    """For the office that asked; None where no office did."""
    rules: tuple[str, ...] = ()
    """Ids of the rules that cite the clause."""
    requests: tuple[str, ...] = ()
    """Answers to a request that cite it, by their keys in `requests:` (`use_catalog`, `own_cloud` …)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentCoverage:
    regulation: Regulation
    clauses: tuple[ClauseCoverage, ...]
    """In the order of the document."""
    checked: bool = True
    """False: the pack lies in the workspace, but the office does not name it, so nothing is checked by it."""

    def count(self, handling: Handling) -> int:
        return sum(clause.handling == handling for clause in self.clauses)
