"""What the module gov_data does: one action on all databases of a migration file, in its order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from govcloud.execution.databases.far import Pair, build_pairs
from govcloud.execution.databases.kind import Facts, Kind
from govcloud.execution.databases.mysql import MySQL
from govcloud.execution.databases.postgresql import PostgreSQL
from govcloud.execution.databases.redis import Redis
from govcloud.execution.databases.sqlite import SQLite
from govcloud.model.text import Text

KINDS: Mapping[str, type[Kind]] = {"postgresql": PostgreSQL, "mysql": MySQL, "sqlite": SQLite, "redis": Redis}

Done = tuple[list[Text], Facts]
ACTIONS: Mapping[str, Callable[[Kind], Done]] = {
    "replicate": lambda kind: ([], kind.replicate()),
    "compare": lambda kind: kind.compare(),
    "check_replicated": lambda kind: kind.check_replicated(),
    "pause_replication": lambda kind: ([], kind.pause()),
    "resume_replication": lambda kind: ([], kind.resume()),
    "final": lambda kind: ([], kind.final()),
    "verify": lambda kind: kind.verify(),
    "end_replication": lambda kind: ([], kind.end_replication()),
    "export_taken": lambda kind: ([], kind.export_taken()),
}
CHANGING = frozenset(ACTIONS) - {"compare", "check_replicated", "verify"}


def work(action: str, spec: Mapping[str, Any], system: Mapping[str, Any], *, evidence: Path, ssh_config: Path) -> Done:
    """Problems (empty: it is done, or proven), and what was counted. Raises StreamError.

    Every database is looked at, whatever an earlier one had to say: a person wants the whole list at once.
    """
    problems: list[Text] = []
    facts: Facts = {}
    for pair in build_pairs(spec, system, evidence=evidence, ssh_config=ssh_config):
        told, found = ACTIONS[action](load_kind(pair))
        problems += told
        _merge(facts, found)
    return problems, facts


def load_kind(pair: Pair) -> Kind:
    return KINDS[pair.source.kind](pair)


def _merge(facts: Facts, found: Facts) -> None:
    """Numbers are added, texts are put one behind the other."""
    for key, value in found.items():
        if key not in facts:
            facts[key] = value
        elif isinstance(value, int) and isinstance(facts[key], int):
            facts[key] = int(facts[key]) + value
        elif key == "level":
            facts[key] = min(str(facts[key]), str(value))
        else:
            facts[key] = f"{facts[key]}; {value}"
