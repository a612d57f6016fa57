"""Which systems are zombies, by what the inventory and the samples of connections say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection

from govcloud.compliance.evaluate import build_coverage
from govcloud.compliance.zombies import build_zombies, parse_zombie_rules
from govcloud.discovery.flows import Talk, build_use
from govcloud.model.inventory import Inventory
from govcloud.model.observation import Statement
from govcloud.model.regulation import TopicCoverage
from govcloud.model.zombie import ServerUse, ZombieRules, ZombieVerdict
from govcloud.store import inventory as inventory_store
from govcloud.workflow.office import load_estate, office_rulebook, today
from govcloud.workflow.session import Session

_TOPIC = "zombie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zombies:
    as_of: date
    rules: ZombieRules
    coverage: TopicCoverage
    """The clauses on zombies here; `binding` is empty where there are none."""
    inventory: Inventory
    verdicts: tuple[ZombieVerdict, ...]

    @property
    def found(self) -> bool:
        return any(v.state == "zombie" for v in self.verdicts)


def list_zombies(session: Session, *, department: str | None = None, as_of: date | None = None) -> Zombies:
    """Raises UsageError before the first import, InputError for a faulty `zombies:` section."""
    rules = parse_zombie_rules(session.workspace.settings.zombies)
    inventory, rulebook = load_estate(session), office_rulebook(session)
    day = as_of or today(session)
    packs = [pack for pack in rulebook.packs if pack.in_force(day)]
    with session.store.read() as tx:
        use = read_use(tx, inventory)
        # Judged first without witnesses, which tells whose are wanted: to look each up when it is wanted costs a query a server.
        wanted = _facts(build_zombies(replace(inventory, evidence={}), rules, use, day))
        systems = {s.system_id for s in inventory.systems}
        evidence = {
            **inventory_store.load_observations(tx, "system", {i: f for i, f in wanted.items() if i in systems}),
            **inventory_store.load_observations(tx, "server", {i: f for i, f in wanted.items() if i not in systems}),
        }
    verdicts = build_zombies(replace(inventory, evidence=evidence), rules, use, day)
    return Zombies(
        as_of=day, rules=rules, inventory=inventory,
        coverage=build_coverage(packs, {_TOPIC: rulebook.topics[_TOPIC]}, rulebook.own)[0],
        verdicts=tuple(v for v in verdicts if department in (None, v.department)),
    )  # fmt: skip


def _facts(verdicts: Iterable[ZombieVerdict]) -> dict[str, set[str]]:
    """Subject id -> fields that the verdicts rest on."""
    wanted: dict[str, set[str]] = {}
    for verdict in verdicts:
        told = [e for criterion in verdict.criteria for e in criterion.evidence]
        for fact in (*told, *([verdict.declared] if verdict.declared else ())):
            wanted.setdefault(fact.subject_id, set()).add(fact.field)
    return wanted


def read_use(tx: Connection, inventory: Inventory) -> dict[str, ServerUse]:
    """Server id -> who was seen using it, of the servers of systems that a discovery reached."""
    wanted = {server_id for system in inventory.systems for server_id in system.servers}
    servers = {s.server_id: s for s in inventory.servers if s.seen and s.server_id in wanted}
    members = inventory_store.members_by_id(tx, "server")
    ids = {server_id: (server_id, *(m.subject_id for m in members.get(server_id, ()))) for server_id in servers}
    said: dict[str, list[tuple[int, Statement]]] = {}
    for number, statement in enumerate(inventory_store.statements_of(tx, [i for own in ids.values() for i in own])):
        if "connections" in statement.values:
            said.setdefault(statement.subject_id, []).append((number, statement))
    talks = (
        Talk(server, [s for i in ids[server_id] for s in said.get(i, ())]) for server_id, server in servers.items()
    )
    return {talk.server.server_id: build_use(talk) for talk in talks if talk.samples}
