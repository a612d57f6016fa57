"""Which systems may do the same, by the words of their names and functions. Pure and explainable.

Names lose what says nothing (系统, 平台, 管理 …, the department, the place); what is left is compared by pairs of
neighbouring characters, so that no dictionary is needed. A rare pair weighs more than one that half of the estate has.
Names decide; functions, servers, databases, suppliers and users only support. Candidates, never verdicts.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from govcloud.model.catalog import Catalog
from govcloud.model.ids import normalize
from govcloud.model.inventory import Inventory, System
from govcloud.model.overlap import Overlap, Support

CANDIDATE_FROM = 60
"""Score of a candidate; our default, no document has a number."""
_NAMES_FROM = 0.5
"""Below this likeness of the names nothing else makes two systems a candidate …"""
_FUNCTIONS_FROM = 0.75
"""… but functions that say nearly the same."""
_SUPPORT = 5
"""Points for each further thing in common."""
_COMMON = 200
"""Pairs of characters that more systems have do not bring two systems together by themselves."""
_STOP = re.compile(
    r"信息化|信息系统|管理信息|综合信息|信息|系统|平台|管理|服务|综合|业务|政务|电子|数字化|智慧|应用|软件|项目|工程|子系统|一体化|"
    r"统一|公共|网络|中心|建设|升级|改造|二期|三期|一期|示例|[vV]?\d+(\.\d+)*|[^\w]|_"
)
_PLACE = re.compile(
    r"^(?:[\u4e00-\u9fff]{2,3}?(?:省|市|县|区|州|盟)|全省|全市|全县|省级|市级|县级|区级|省|市|县|区)(?=[\u4e00-\u9fff]{2})"
)
_BODY = re.compile(r"(省|市|县|区)?(人民政府|委员会|办公厅|办公室|厅|局|委|办|院|中心)$")
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "sms": ("短信", "短消息"), "unified_identity": ("身份认证", "单点登录", "统一认证"), "e_seal": ("电子印章", "电子签章"),
    "e_licence": ("电子证照",), "video_conference": ("视频会议",), "ocr": ("文字识别",), "unified_payment": ("统一支付", "非税支付"),
    "map_service": ("地理信息", "电子地图"), "site_cluster": ("门户网站", "政府网站", "网站集约"), "mail": ("邮箱", "邮件系统"),
    "office_suite": ("协同办公", "办公自动化", "公文流转"), "survey": ("问卷调查",), "work_order": ("工单",),
    "data_exchange": ("数据交换", "共享交换"),
}  # fmt: skip
"""Service class -> what departments call their own systems of that kind; the catalog's titles count as well."""


@dataclass(frozen=True, slots=True)
class _Words:
    """What is left of a system's texts."""

    name: str
    function: str
    name_pairs: frozenset[str]
    function_pairs: frozenset[str]


def core(text: str, department: str | None = None) -> str:
    """The words of a name that tell it from others; empty where it says nothing of its own (业务管理系统)."""
    folded = normalize(text).replace(" ", "")
    rest = _PLACE.sub("", folded.removeprefix("示例"))
    if department:
        body = _PLACE.sub("", normalize(department).replace(" ", "").removeprefix("示例"))
        own = next((n for n in (body, _BODY.sub("", body)) if len(n) > 1 and rest.startswith(n)), "")
        rest = rest.removeprefix(own)
    rest = _STOP.sub("", rest)
    rest = rest if len(rest) > 1 else _STOP.sub("", folded)
    return rest if len(rest) > 1 else ""


def _pairs(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 2] for i in range(len(text) - 1))


def build_overlaps(inventory: Inventory, catalog: Catalog | None = None) -> tuple[Overlap, ...]:
    """Groups of systems that may do the same, the likeliest first, then systems that a common service may replace.

    Classified systems, those that stop, and copies for tests are left out: nothing is to be merged into them.
    """
    systems = [s for s in inventory.systems if _is_considered(s)]
    groups = _Overlaps(inventory, systems).groups()
    common = _public_services(systems, catalog) if catalog else []
    return tuple(sorted([*groups, *common], key=lambda o: (o.kind != "same_function", -o.score, o.system_ids)))


def _is_considered(system: System) -> bool:
    stops = system.lifecycle == "stopped" or system.disposition == "retire"
    return not (system.classified or stops or system.environment in ("test", "development"))


class _Overlaps:
    def __init__(self, inventory: Inventory, systems: Sequence[System]) -> None:
        self.systems = {s.system_id: s for s in systems}
        self.words = {s.system_id: _words(s) for s in systems}
        counts = Counter(p for w in self.words.values() for p in w.name_pairs | w.function_pairs)
        self.weights = {pair: math.log(1 + len(systems) / n) for pair, n in counts.items()}
        self.databases = _databases(inventory)

    def groups(self) -> list[Overlap]:
        """Complete-link: in a group every two are candidates, so that a chain of half likenesses makes no group."""
        scores = {pair: score for pair in self._likely() if (score := self._score(*pair)) >= CANDIDATE_FROM}
        members: dict[str, set[str]] = {}
        for (a, b), _ in sorted(scores.items(), key=lambda item: (-item[1], item[0])):
            left, right = members.get(a, {a}), members.get(b, {b})
            if left is not right and all((min(x, y), max(x, y)) in scores for x in left for y in right):
                joined = left | right
                members.update(dict.fromkeys(joined, joined))
        done = {frozenset(group) for group in members.values()}
        grouped = [self._overlap(sorted(group), scores) for group in done]
        # A pair whose ends went to different groups is still told.
        loose = [p for p in scores if members.get(p[0]) is not members.get(p[1])]
        return [*grouped, *(self._overlap(pair, scores) for pair in loose)]

    def _likely(self) -> set[tuple[str, str]]:
        """Pairs of systems that share a part of a name that is not everybody's, or a whole name."""
        places: dict[str, list[str]] = {}
        for system_id, words in self.words.items():
            for pair in {words.name, *words.name_pairs, *words.function_pairs} - {""}:
                places.setdefault(pair, []).append(system_id)
        return {
            (min(a, b), max(a, b))
            for ids in places.values() if 1 < len(ids) <= _COMMON
            for number, a in enumerate(ids) for b in ids[number + 1 :]
        }  # fmt: skip

    def _score(self, a: str, b: str) -> int:
        names = self._likeness(self.words[a].name_pairs, self.words[b].name_pairs)
        functions = self._likeness(self.words[a].function_pairs, self.words[b].function_pairs)
        if self.words[a].name and self.words[a].name == self.words[b].name:
            return 100
        if names < _NAMES_FROM and functions < _FUNCTIONS_FROM:
            return 0
        words = max(names, 0.4 * names + 0.6 * functions)
        return min(99, round(100 * words) + _SUPPORT * len(self._supports((a, b))))

    def _likeness(self, a: frozenset[str], b: frozenset[str]) -> float:
        """Weighted Dice coefficient, 0 to 1."""
        total = sum(self.weights[p] for p in a) + sum(self.weights[p] for p in b)
        return 2 * sum(self.weights[p] for p in a & b) / total if total and a and b else 0.0

    def _overlap(self, ids: Sequence[str], scores: Mapping[tuple[str, str], int]) -> Overlap:
        pairs = [(a, b) for number, a in enumerate(ids) for b in ids[number + 1 :]]
        first = self.words[ids[0]]
        words = _matched(first.name, [self.words[i].name for i in ids[1:]])
        words += [w for w in _matched(first.function, [self.words[i].function for i in ids[1:]]) if w not in words]
        return Overlap(
            kind="same_function", system_ids=tuple(ids), score=min(scores[min(p), max(p)] for p in pairs),
            departments=tuple(sorted({d for i in ids if (d := self.systems[i].department)})), words=tuple(words[:6]),
            supports=self._supports(ids),
        )  # fmt: skip

    def _supports(self, ids: Sequence[str]) -> tuple[tuple[Support, str], ...]:
        """What all of them have in common beside words."""
        found: list[tuple[Support, str]] = []
        systems = [self.systems[i] for i in ids]
        servers = set.intersection(*(set(s.servers) for s in systems))
        found += [("server", server_id) for server_id in sorted(servers)]
        databases = set.intersection(*(self.databases.get(i, set()) for i in ids)) - servers
        found += [("database", target) for target in sorted(databases)]
        if (builder := systems[0].builder) and all(s.builder == builder for s in systems):
            found.append(("supplier", builder))
        users = systems[0].scope_users
        if users and all(s.scope_users == users and s.scope_region == systems[0].scope_region for s in systems):
            found.append(("users", users))
        return tuple(found)


def _words(system: System) -> _Words:
    name = core(system.name, system.department)
    function = _STOP.sub("", normalize(system.function or "").replace(" ", ""))
    return _Words(name, function, _pairs(name), _pairs(function) if len(function) > 3 else frozenset())


def _databases(inventory: Inventory) -> dict[str, set[str]]:
    """System -> what it uses as a database, by declaration or by a measured connection."""
    found: dict[str, set[str]] = {}
    for dependency in inventory.dependencies:
        if "database" in (dependency.kind or ""):
            found.setdefault(dependency.source_id, set()).add(dependency.target_id)
    return found


def _matched(first: str, others: Iterable[str]) -> list[str]:
    """Longest parts of two characters or more that all texts have, in the order of the first."""
    others, found, start = list(others), [], 0
    while start < len(first) - 1:
        end = start + 2
        if not all(first[start:end] in other for other in others):
            start += 1
            continue
        while end < len(first) and all(first[start : end + 1] in other for other in others):
            end += 1
        found.append(first[start:end])
        start = end
    return list(dict.fromkeys(found))


def _public_services(systems: Sequence[System], catalog: Catalog) -> list[Overlap]:
    """Systems whose name says that they are a service which the catalog offers in common."""
    found = []
    for offering in catalog.offerings:
        if not offering.common or offering.status != "active":
            continue
        titles = (offering.name.zh, catalog.classes[offering.service_class].zh)
        words = dict.fromkeys((*_ALIASES.get(offering.service_class, ()), *filter(_telling, titles)))
        for system in systems:
            matched = tuple(word for word in words if normalize(word) in normalize(system.name))
            if matched:
                found.append(Overlap(
                    kind="public_service", system_ids=(system.system_id,), score=100 if core(system.name) == core(matched[0]) else 80,
                    departments=(system.department,) if system.department else (), words=matched, offering=offering.code,
                ))  # fmt: skip
    return found


def _telling(title: str) -> bool:
    return len(_STOP.sub("", title)) > 1
