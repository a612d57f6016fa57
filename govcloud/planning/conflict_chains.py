"""Conflicts along chains: what is needed must not move later than what needs it, and pilots move before all others.

A group that can't move before a window passes that on to everybody who needs it; where it meets a group that has to move
earlier, the chain between the two and what holds its ends are the conflict. No recursion: a chain may have a million links.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from govcloud.planning.conflict_local import Clash, Openings, needed_causes
from govcloud.planning.demands import MOST_NAMED, Cause, places

_Link = tuple[str, str]
"""Target group and dependency id."""


def find_chains(openings: Openings, open_windows: Mapping[str, int]) -> Iterator[Clash]:
    """`open_windows`: of each group that moves, as bits; none of them 0."""
    if openings.problem.weak_mode == "require":
        yield from _weak(openings, open_windows)
    yield from _pilots(openings, open_windows)


def _weak(openings: Openings, open_windows: Mapping[str, int]) -> Iterator[Clash]:
    first, why = _earliest(openings, open_windows)
    blocked: set[str] = set()
    for group_id, window in sorted(first.items()):
        if window < 0 or group_id in blocked:
            continue
        mask = open_windows[group_id]
        if mask >> window:
            continue
        chain = [group_id]
        while chain[-1] in why and why[chain[-1]][0] not in chain[-1:]:
            chain.append(why[chain[-1]][0])
        if not blocked.isdisjoint(chain):
            # Whoever needs a group that has no window left has none either: said once.
            blocked.update(chain)
            continue
        blocked.update(chain)
        yield _chain(openings, open_windows, chain, why)


def _earliest(openings: Openings, open_windows: Mapping[str, int]) -> tuple[dict[str, int], dict[str, _Link]]:
    """The first window of each group when what it needs moves first, and the link that made it so late."""
    group_of = {s: g.group_id for g in openings.problem.groups for s in g.system_ids}
    needed_by: dict[str, list[_Link]] = {}
    for link in openings.problem.weak_links:
        source, target = group_of.get(link.source_id), group_of.get(link.target_id)
        if source in open_windows and target in open_windows and source != target:
            needed_by.setdefault(str(target), []).append((str(source), link.dependency_id))
    first = {g: _lowest(mask) for g, mask in open_windows.items()}
    why: dict[str, _Link] = {}
    last = max((mask.bit_length() for mask in open_windows.values()), default=0)
    waiting = deque(sorted(needed_by, key=lambda g: -first[g]))
    while waiting:
        target = waiting.popleft()
        for source, dependency_id in needed_by.get(target, ()):
            at = first[target]
            if first[source] >= at:
                continue
            left = open_windows[source] >> at
            # Without a window from there on it is late enough to be found, and passes on no more than it was told.
            first[source] = at + _lowest(left) if left else max(at, open_windows[source].bit_length())
            why[source] = (target, dependency_id)
            if left and first[source] <= last:
                waiting.append(source)
    return first, why


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _chain(
    openings: Openings, open_windows: Mapping[str, int], chain: Sequence[str], why: Mapping[str, _Link]
) -> Clash:
    """The head of the chain has to move by a window by which its tail can't yet."""
    head = chain[0]
    last = open_windows[head].bit_length() - 1
    until = (1 << last + 1) - 1
    causes = set(needed_causes(openings, head, ~until))
    reach = 0
    tail = len(chain)
    for n, group_id in enumerate(chain[1:], 1):
        if not open_windows[group_id] & until:
            tail = n + 1
            break
    for group_id in reversed(chain[1:tail]):
        # Windows from `reach` on that this group's own demands close, before the last one of the head.
        rest = (open_windows[group_id] & until) >> reach
        upto = reach + _lowest(rest) if rest else last + 1
        causes.update(needed_causes(openings, group_id, ((1 << upto) - 1) & ~((1 << reach) - 1)))
        reach = upto
    links = [("weak", why[g][1]) for g in chain[: tail - 1]]
    if len(links) > MOST_NAMED:
        links = [("weak", "")]
    return Clash(causes=(*places(chain[:tail]), *links, *sorted(causes)), group_ids=tuple(chain[:tail]))


def _pilots(openings: Openings, open_windows: Mapping[str, int]) -> Iterator[Clash]:
    pilots = [g for g in open_windows if any(t.pilot for t in openings.members(openings.group[g]))]
    if not pilots:
        return
    slow = max(pilots, key=lambda g: (_lowest(open_windows[g]), g))
    first = _lowest(open_windows[slow])
    late = sorted(g for g, mask in open_windows.items() if g not in pilots and mask.bit_length() - 1 <= first)
    if len(late) > MOST_NAMED:
        last = max(open_windows[g].bit_length() for g in late) - 1
        causes: tuple[Cause, ...] = (("pilots", ""), *needed_causes(openings, slow, (1 << last) - 1))
        of_others = {c for g in late[:MOST_NAMED] for c in needed_causes(openings, g, ~((1 << last + 1) - 1))}
        yield Clash(causes=(("place", ""), *dict.fromkeys((*causes, *sorted(of_others)))), group_ids=tuple(late), minimal=False)  # fmt: skip
        return
    for group_id in late:
        last = open_windows[group_id].bit_length() - 1
        own = set(needed_causes(openings, slow, (1 << last) - 1)) | set(needed_causes(openings, group_id, ~((1 << last + 1) - 1)))  # fmt: skip
        yield Clash(causes=(*places((slow, group_id)), ("pilots", ""), *sorted(own)), group_ids=(group_id,))
