"""The `execution:` section of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec

from govcloud.errors import InputError
from govcloud.model.migration import MigrationSpec
from govcloud.model.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneRules:
    slots: int = 10
    """So many systems may be between two waits at the same time."""
    link_mbps: int | None = None
    """All replications of the zone together."""

    def limited(self, spec: MigrationSpec) -> MigrationSpec:
        """Its system's share of the link: with one for each slot, all of them never take more than the link, whichever
        workers carry them and whether bytes pass them or go straight from source to target."""
        if self.link_mbps is None:
            return spec
        share, own = self.link_mbps // self.slots, spec.limits.bandwidth_mbps
        return replace(spec, limits=replace(spec.limits, bandwidth_mbps=share if own is None else min(share, own)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    name: str
    unit: str = ""
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHolder(Person):
    """A person by his account: his roles are those of model.account, and its table says what they may."""

    known_as: tuple[str, ...] = ()
    """Other names under which records from before the account may hold him."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRules:
    zones: Mapping[str, ZoneRules] = field(default_factory=dict)
    """Zone of hosts.yaml -> its limits; other zones have the defaults."""
    slots: int = 10
    """For systems without a zone."""
    approval_hours: int = 72
    """An approval that has not been used for so long is void."""
    max_failed_pct: int = 0
    """More failed or rolled-back systems than this share of a wave: no further system of it is frozen."""
    trial_days: int = 0
    """The shortest trial run before acceptance."""
    retention_days: int = 30
    """So long after acceptance the source is kept."""
    review_days: int = 3
    """An emergency must be reviewed within so many calendar days."""
    precheck_valid_min: int = 15
    """A check older than that is made again before the source is frozen."""
    refresh_hours: int = 12
    """A copy that is older than that when its window opens is brought up to date before; 0: never."""
    gates: tuple[str, ...] = ("provision", "freeze")
    """Steps that need an approval. Those that need an order need it always. `prepare` stands in for `provision` where nothing is made."""
    approver_roles: tuple[str, ...] = ()
    """Only people with one of these roles may approve; empty: anybody listed, or anybody at all where nobody is listed."""
    people: tuple[Person, ...] = ()
    """Who may approve and decide, with unit and role as records name them; empty: names are self-declared. Where accounts are
    kept, their holders stand here instead."""

    def zone(self, name: str | None) -> ZoneRules:
        return self.zones.get(name, ZoneRules()) if name is not None else ZoneRules(slots=self.slots)

    def with_people(self, holders: tuple[AccountHolder, ...] | None) -> ExecutionRules:
        """`holders`: of the enabled accounts at this moment; None where no accounts are kept."""
        return self if holders is None else replace(self, people=holders)


def parse_rules(section: Mapping[str, object], where: str = "govcloud.yaml") -> ExecutionRules:
    """Raises InputError for unknown keys, wrong types and values that can't be meant."""
    try:
        rules = msgspec.convert(section, ExecutionRules)
    except msgspec.ValidationError as error:
        raise _error(Text("{e}", "{e}").format(e=error), where) from None
    known = set(ExecutionRules.__dataclass_fields__)
    if unknown := sorted(set(section) - known):
        raise _error(Text("不认识的项：{k}", "unknown keys: {k}").format(k=", ".join(unknown)), where)
    numbers = {"slots": rules.slots, "approval_hours": rules.approval_hours, "review_days": rules.review_days}
    for key, value in numbers.items():
        if value < 1:
            raise _error(Text("{k} 至少为 1", "{k} is at least 1").format(k=key), where)
    for name, zone in rules.zones.items():
        if unknown := sorted(set(section["zones"][name]) - set(ZoneRules.__dataclass_fields__)):  # type: ignore[index]
            raise _error(
                Text("{z} 中不认识的项：{k}", "{z}: unknown keys: {k}").format(z=name, k=", ".join(unknown)), where
            )
        if zone.slots < 1 or (zone.link_mbps is not None and zone.link_mbps < zone.slots):
            raise _error(
                Text(
                    "{z}：slots 至少为 1，link_mbps 至少为 slots", "{z}: slots is at least 1, link_mbps at least slots"
                ).format(z=name),
                where,
            )
    if rules.refresh_hours < 0:
        raise _error(Text("refresh_hours 不能为负", "refresh_hours can't be negative"), where)
    if not 0 <= rules.max_failed_pct <= 100:
        raise _error(Text("max_failed_pct 须在 0 至 100 之间", "max_failed_pct must be between 0 and 100"), where)
    return rules


def _error(why: Text, where: str) -> InputError:
    return InputError(
        Text("execution 部分不合要求：{why}", "The execution section is not valid: {why}").format(why=why),
        where=where,
        next_step=Text("对照 docs/formats.md 改正", "Correct it after docs/formats.md"),
    )
