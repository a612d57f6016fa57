"""Crews with the same skills are one pool while dates are sought; their names are given to jobs afterwards."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from govcloud.model.plan_problem import Crew, PlanProblem

Pool = tuple[Crew, ...]


def build_pools(problem: PlanProblem) -> tuple[Pool, ...]:
    """Those with the fewest skills first, so that rare skills are spared. A crew that a pin names is a pool of its own:
    which of two equal crews a pinned job has is settled for it."""
    named = {p.crew for p in problem.pins if p.source != "executed" and p.crew is not None}
    found: dict[tuple[frozenset[str], str], list[Crew]] = {}
    for crew in problem.crews:
        key = (frozenset(crew.skills), crew.name if crew.name in named else "")
        found.setdefault(key, []).append(crew)
    return tuple(tuple(pool) for _, pool in sorted(found.items(), key=lambda item: len(item[0][0])))


def pools_for(skills: Iterable[str], named: Set[str], pools: Sequence[Pool]) -> tuple[int, ...]:
    """Pools whose crews have all of these skills; of the one crew that pins name, where they name one."""
    wanted = set(skills)
    return tuple(
        i
        for i, pool in enumerate(pools)
        if wanted <= set(pool[0].skills) and (not named or (len(pool) == 1 and {pool[0].name} == named))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A job that a crew of a pool does."""

    job_id: str
    start: int
    end: int
    """Exclusive; equal to the start for work of no length, which keeps nobody busy."""
    pool: int
    preferred: str | None = None
    """The crew that the earlier plan gave it."""


def name_crews(stays: Iterable[Stay], pools: Sequence[Sequence[str]]) -> Mapping[str, str]:
    """Crew of each job. Raises ValueError when a pool has more to do at a tick than it has crews.

    By start, so that whoever is free will do: the preferred crew where it is free; else one that no other job is about to
    claim, the least loaded first.
    """
    ordered = sorted(stays, key=lambda s: (s.start, s.end, s.job_id))
    claims: dict[str, list[int]] = {}
    for stay in ordered:
        if stay.preferred is not None:
            claims.setdefault(stay.preferred, []).append(stay.start)
    free_at = {name: 0 for pool in pools for name in pool}
    load = dict.fromkeys(free_at, 0)
    found: dict[str, str] = {}
    for stay in ordered:
        free = [n for n in pools[stay.pool] if free_at[n] <= stay.start or stay.start == stay.end]
        if not free:
            raise ValueError(stay.job_id)
        if stay.preferred in free:
            name = stay.preferred
        else:
            name = min(free, key=lambda n: (_claimed(claims.get(n, ()), stay), load[n]))
        found[stay.job_id] = name
        free_at[name] = max(free_at[name], stay.end)
        load[name] += stay.end - stay.start
    return found


def _claimed(starts: Sequence[int], stay: Stay) -> bool:
    at = bisect_left(starts, stay.start)
    return at < len(starts) and starts[at] < stay.end
