"""Made-up estates for the planner's benchmark: an inventory and a `planning:` section of any size, the same for a seed.

What makes them like real ones, as far as surveys, forms and the planner's own needs tell (none is measured on an agency):

* Departments: 40 to 100, a few of them large (sizes fall off like rank^-0.7). Network zones: three to six, each with a link
  of its own that its department's systems cross.
* Dependencies: ten to a system. Six in ten go to shared services (the n-th most used draws n^-0.9 of them: power-law
  sharing, so that a few are hubs of hundreds), a quarter stay in the department, the rest go anywhere; newer systems
  need older ones, but one edge in fifty points back, which is enough for one giant circle of weak dependencies. One in
  twenty has no stated strength, two in five were seen as traffic.
* Bound together: every twelfth system has a partner that it can't be parted from, in both directions; one in thirty shares
  a database server with a neighbour.
* Size: one to four servers, data log-normal around 60 GiB with a tail into terabytes that takes hours of final sync.
* Dispositions: 3 % retire, 2 % are replaced, 1 % merge into another, 2 % stay, 2 % are on the cloud already, 1 % are
  held back because nobody has said whether they are classified; a tenth of what moves must be adapted, and what goes to the
  domestic pool from another platform as well. MLPS level 2 for six in ten, 3 for a quarter, 1 or unknown for the rest.
* Calendar: two windows a week, statutory holidays, year-end, two sessions, a guarded fortnight for level 3, examinations
  for education, tax days every month, some systems with a calendar of their own.
* Scarce: crews in proportion to the size with four kinds of skills, systems a window and a department, quotas that grow by
  the half year and are opened by the month, links, hands for adaptation and provisioning.
* Agreed dates: 3 % wish a date, 1 % start late; up to sixty dedicated networks of about thirty systems that can close after
  their last one, a third of them by a date; some pilots before all others.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate

from govcloud.model.inventory import Dependency, Inventory, Network, System
from govcloud.model.server import Server

STARTS_ON = date(2027, 1, 4)
WEEKS = 104
WINDOWS = ({"weekday": "wednesday", "minutes": 300}, {"weekday": "saturday", "minutes": 360})
USABLE_WINDOWS = 130
"""Of 208, those that are left after the lead time and the freezes, for sizing what is scarce."""
SKILLS = ("database", "domestic", "network", "mainframe")
_HOLIDAYS = ((1, 1, 3), (2, 5, 7), (4, 4, 3), (5, 1, 5), (6, 9, 3), (9, 25, 3), (10, 1, 7))
"""month, day, days: those with a fixed date, and mean dates for the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    inventory: Inventory
    settings: dict[str, object]
    """The `planning:` section."""
    holidays: tuple[date, ...]
    published_years: frozenset[int]


def build_estate(size: int, seed: int) -> Estate:
    """`size` systems, about ten dependencies each."""
    dice = random.Random(f"{seed} {size}")
    departments = [f"示例部门{n:03d}" for n in range(min(100, 40 + size // 800))]
    owners = dice.choices(range(len(departments)), [(n + 1) ** -0.7 for n in range(len(departments))], k=size)
    zones = [f"示例网区{n}" for n in range(min(6, 3 + size // 5000))]
    networks = [
        Network(
            network_id=f"N-{n:03d}", name=f"示例专网{n:03d}", kind="dedicated", target="close",
            target_on=STARTS_ON + timedelta(days=dice.randint(400, 700)) if n % 3 == 0 else None,
        )
        for n in range(max(4, min(60, size // 100)))
    ]  # fmt: skip
    servers = [s for n in range(size) for s in _servers(dice, n, zones[owners[n] % len(zones)], zones)]
    of: dict[int, list[str]] = {}
    for server in servers:
        of.setdefault(int(server.server_id[2:7]), []).append(server.server_id)
    on_networks = min(0.25, 30 * len(networks) / size)
    systems = [
        _system(dice, n, departments[owners[n]], [*of[n], *_shared(n, size)], networks, on_networks)
        for n in range(size)
    ]
    inventory = Inventory(
        systems=tuple(systems), servers=tuple(servers), networks=tuple(networks),
        dependencies=tuple(_dependencies(dice, owners)),
    )  # fmt: skip
    years = range(STARTS_ON.year, STARTS_ON.year + 4)
    return Estate(
        inventory=inventory,
        settings=_settings(dice, inventory, owners, departments, zones),
        holidays=tuple(
            date(y, m, d) + timedelta(days=n) for y in years for m, d, length in _HOLIDAYS for n in range(length)
        ),
        published_years=frozenset(years),
    )


def change_estate(estate: Estate, share: float, seed: int) -> tuple[Estate, frozenset[str]]:
    """The same estate a week later, and the systems that changed: twice the data, a new dependency or a freeze of its own
    (until the end of the third quarter), a third of them each."""
    dice = random.Random(f"change {seed}")
    systems = {s.system_id: s for s in estate.inventory.systems}
    changed = dice.sample(sorted(systems), max(3, round(share * len(systems))))
    more, frozen = [], []
    for n, system_id in enumerate(changed):
        if n % 3 == 0:
            systems[system_id] = replace(systems[system_id], data_gib=2 * (systems[system_id].data_gib or 50.0))
        elif n % 3 == 1:
            target = dice.choice([s for s in dice.sample(sorted(systems), 2) if s != system_id])
            more.append(Dependency(dependency_id=f"D-new-{n}", source_id=system_id, target_id=target, strength="weak"))
        else:
            frozen.append(system_id)
    freeze = {
        "name": "示例新增封网", "starts_on": date(STARTS_ON.year, 1, 1), "ends_on": date(STARTS_ON.year, 9, 30), "systems": frozen,
    }  # fmt: skip
    settings = {**estate.settings, "freezes": [*estate.settings["freezes"], freeze]}  # type: ignore[misc]
    inventory = replace(
        estate.inventory, systems=tuple(systems.values()), dependencies=(*estate.inventory.dependencies, *more)
    )
    return replace(estate, inventory=inventory, settings=settings), frozenset(changed)


def _servers(dice: random.Random, n: int, home: str, zones: list[str]) -> list[Server]:
    domestic = dice.random()
    return [
        Server(
            server_id=f"H-{n:05d}-{k}", name=f"示例主机{n:05d}-{k}", zone=home if dice.random() < 0.97 else dice.choice(zones),
            arch=None if domestic > 0.96 else "aarch64" if domestic < 0.06 else "x86_64",
            os_name=None if domestic > 0.96 else "麒麟 V10" if domestic < 0.15 else "CentOS 7",
            cpu_count=None if dice.random() < 0.03 else dice.choice((2, 4, 8, 8, 16, 32)),
            memory_gib=dice.choice((8.0, 16.0, 32.0, 64.0)), disk_gib=dice.choice((100.0, 200.0, 500.0)),
            services=("postgres",) if k == 0 and n % 30 == 1 else (),
        )
        for k in range(dice.choices((1, 2, 3, 4), (50, 30, 12, 8))[0])
    ]  # fmt: skip


def _shared(n: int, size: int) -> list[str]:
    """Every thirtieth system works on its neighbour's database server."""
    return [f"H-{n + 1:05d}-0"] if n % 30 == 0 and n + 1 < size else []


def _system(
    dice: random.Random, n: int, department: str, servers: list[str], networks: list[Network], on_networks: float
) -> System:
    def pick(*choices: tuple[object, float]) -> object:
        return dice.choices([c for c, _ in choices], [w for _, w in choices])[0]

    fate = pick(
        (None, 80), ("replatform", 10), ("retire", 3), ("replace", 2), ("consolidate", 1), ("retain", 2), ("cloud", 2),
    )  # fmt: skip
    secret = dice.random() < 0.01
    return System(
        system_id=f"S-{n:05d}", name=f"示例系统{n:05d}", department=department, servers=tuple(servers), lifecycle="operating",
        classified=None if secret else False,
        hosting="gov_cloud" if fate == "cloud" else "own_room",
        disposition=None if fate == "cloud" else fate,  # type: ignore[arg-type]
        replaced_by=f"示例系统{max(0, n - 7):05d}" if fate == "consolidate" else None,
        criticality=pick(("core", 6), ("important", 30), ("general", 60), (None, 4)),  # type: ignore[arg-type]
        mlps_level=pick((2, 60), (3, 25), (1, 8), (None, 7)),  # type: ignore[arg-type]
        environment=pick(("production", 85), ("test", 10), ("development", 5)),  # type: ignore[arg-type]
        data_gib=None if dice.random() < 0.05 else round(min(8000.0, dice.lognormvariate(4.1, 1.5)), 1),
        networks=(dice.choice(networks).network_id,) if dice.random() < on_networks and fate != "retain" and not secret else (),
    )  # fmt: skip


def _dependencies(dice: random.Random, owners: list[int]) -> list[Dependency]:
    size = len(owners)
    mates: dict[int, list[int]] = {}
    for n, owner in enumerate(owners):
        mates.setdefault(owner, []).append(n)
    # Services are spread over the estate; the earlier half of the systems has most of them.
    services = dice.sample(range(max(2, size // 2)), max(1, size // 4))
    drawn = list(accumulate((rank + 1) ** -0.9 for rank in range(len(services))))
    pairs: dict[tuple[int, int], str | None] = {}
    for n in range(0, size - 1, 12):
        partner = dice.choice(
            [m for m in dice.sample(mates[owners[n]], min(3, len(mates[owners[n]]))) if m != n] or [n + 1]
        )
        pairs[(n, partner)] = pairs[(partner, n)] = "strong"
    while len(pairs) < min(10 * size, size * (size - 1) // 3):
        a, kind = dice.randrange(size), dice.random()
        if kind < 0.6:
            b = dice.choices(services, cum_weights=drawn)[0]
        else:
            b = dice.choice(mates[owners[a]]) if kind < 0.85 else dice.randrange(size)
        back = dice.random() < 0.02
        if a != b:
            pairs.setdefault(
                (min(a, b), max(a, b)) if back else (max(a, b), min(a, b)), None if dice.random() < 0.05 else "weak"
            )
    return [
        Dependency(
            dependency_id=f"D-{a:05d}-{b:05d}", source_id=f"S-{a:05d}", target_id=f"S-{b:05d}", strength=strength,  # type: ignore[arg-type]
            kind="interface", measured=(seen := dice.random() < 0.4), traffic="business" if seen else None,
            samples=dice.randint(1, 200) if seen else None,
        )
        for (a, b), strength in sorted(pairs.items())
    ]  # fmt: skip


def _settings(
    dice: random.Random, inventory: Inventory, owners: list[int], departments: list[str], zones: list[str]
) -> dict[str, object]:
    size = len(inventory.systems)
    ids = [s.system_id for s in inventory.systems]
    movers = [
        s for s in inventory.systems if s.disposition is None and s.hosting == "own_room" and s.classified is False
    ]
    plain = [s.system_id for s in movers if (s.data_gib or 100) < 40 and s.criticality == "general"]
    return {
        "weeks": WEEKS,
        "windows": list(WINDOWS),
        "platform": {"mlps_level": 3},
        "core_from_window": 8,
        "pilots": dice.sample(plain, min(len(plain), 3 + size // 2000)),
        "crews": _crews(dice, size),
        "skills": {i: dice.sample(SKILLS, 1 + (dice.random() < 0.2)) for i in ids if dice.random() < 0.3},
        "capacity": _capacity(size, owners, zones),
        "freezes": _freezes(dice, departments, ids),
        "targets": _targets(dice, movers),
        "priorities": {i: dice.randint(2, 20) for i in ids if dice.random() < 0.2},
        "apart": [{"systems": dice.sample(ids, 2), "reason": "互为备份"} for _ in range(size // 200)],
    }


def _crews(dice: random.Random, size: int) -> list[dict[str, object]]:
    """Every other crew has two skills or three, some all of them."""
    count = max(4, -(-size // 250))
    skills = [dice.sample(SKILLS, dice.choice((2, 3))) if n % 2 else [] for n in range(count)]
    for n in range(0, count, 5):
        skills[n] = list(SKILLS)
    return [{"name": f"示例班组{n:03d}", "skills": each} for n, each in enumerate(skills)]


def _capacity(size: int, owners: list[int], zones: list[str]) -> dict[str, object]:
    largest = max(Counter(owners).values())
    half_years = [date(STARTS_ON.year, 7, 1), date(STARTS_ON.year + 1, 1, 1)]

    def pool(vcpus: int, **more: object) -> dict[str, object]:
        """A half to begin with, three quarters after half a year, all after a year; a tenth can be opened in a month."""
        changes = [{"starts_on": day, "vcpus": vcpus * part // 4} for day, part in zip(half_years, (3, 4), strict=True)]
        return {"vcpus": vcpus // 2, "changes": changes, "monthly": {"vcpus": max(64, vcpus // 10)}, **more}

    return {
        "systems_per_window": max(6, 2 * size // USABLE_WINDOWS),
        "systems_per_department": max(2, 3 * largest // USABLE_WINDOWS),
        "parallel": {"adapt": max(6, size // 20), "provision": max(6, size // 25), "rehearse": max(4, size // 60)},
        # Two hundred Mbit/s a copy, of which a day or two a system; the zones differ.
        "links": {z: max(600, size * (3 + n % 3) // (3 * len(zones)) * 2) for n, z in enumerate(zones)},
        "pools": {"示例通用池": pool(30 * size), "示例信创池": pool(8 * size, domestic=True)},
    }


def _freezes(dice: random.Random, departments: list[str], ids: list[str]) -> list[dict[str, object]]:
    year = STARTS_ON.year
    of = dice.sample(departments, 8)

    def freeze(name: str, first: date, last: date, **scope: object) -> dict[str, object]:
        return {"name": f"示例{name}", "starts_on": first, "ends_on": last, **scope}

    return [
        freeze("年终决算", date(year, 12, 20), date(year + 1, 1, 8), every_year=True),
        freeze("会议保障", date(year, 3, 1), date(year, 3, 14), every_year=True),
        freeze("重要保障", date(year, 9, 8), date(year, 9, 22), every_year=True, min_mlps=3),
        freeze("考试录取", date(year, 6, 1), date(year, 7, 20), every_year=True, departments=of[:2]),
        freeze("征期", date(year, 1, 8), date(year, 1, 17), every_month=True, departments=of[2:4]),
        freeze("集中缴费", date(year, 10, 20), date(year, 12, 31), every_year=True, departments=of[4:6]),
        freeze("汛期", date(year, 6, 15), date(year, 8, 31), every_year=True, departments=of[6:]),
        *(
            freeze(f"业务日历{n}", date(year, 2 + 2 * n, 1), date(year, 3 + 2 * n, 15), every_year=True,
                   systems=dice.sample(ids, max(1, len(ids) // 400)))
            for n in range(4)
        ),
    ]  # fmt: skip


def _targets(dice: random.Random, movers: list[System]) -> dict[str, object]:
    found: dict[str, object] = {}
    for system in movers:
        chance = dice.random()
        if chance < 0.03:
            found[system.system_id] = {"due_on": STARTS_ON + timedelta(days=dice.randint(200, 600))}
        elif chance < 0.04:
            found[system.system_id] = {"not_before_on": STARTS_ON + timedelta(days=dice.randint(60, 270))}
    return found
