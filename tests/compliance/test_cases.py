"""Do the shipped cases notice a rule that was changed? A case that holds for any rule would let a wrong one through to an
office: here the rules are changed on purpose, part by part and number by number, and the cases have to see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import zip_longest
from pathlib import Path
from shutil import rmtree

import pytest

from govcloud.compliance.calendar import WorkCalendar
from govcloud.compliance.cases import run_cases
from govcloud.compliance.load import load_packs
from govcloud.compliance.subjects import DERIVED
from govcloud.model.condition import All, Any, Compare, Condition, InTime, Not, Recorded
from govcloud.model.regulation import CaseResult, Clause, Regulation, Rule

IDS = ("JC22", "JN19", "SD", "SX17", "SX19")
ALWAYS = All(())
NEVER_FILLED = "no such field"
ONE_DAY = timedelta(days=1)
Change = tuple[str, Rule]
Tried = Callable[[Regulation], tuple[CaseResult, ...]]


@pytest.fixture(scope="module", params=IDS)
def pack(request: pytest.FixtureRequest, regulations: Path) -> Regulation:
    (pack,) = load_packs(regulations, [request.param])
    return pack


@pytest.fixture
def tried(regulations: Path, calendar: WorkCalendar, tmp_path: Path) -> Tried:
    """The shipped cases of a changed pack, and of no more rules than it has."""

    def run(pack: Regulation) -> tuple[CaseResult, ...]:
        folder = tmp_path / pack.regulation_id / "cases"
        folder.mkdir(parents=True)
        for rule in pack.rules:
            name = f"{rule.rule_id.partition('/')[2]}.yaml"
            (folder / name).symlink_to(regulations / pack.regulation_id / "cases" / name)
        results = run_cases(tmp_path, pack, calendar)
        rmtree(folder)
        return results

    return run


def rearranged(condition: Condition) -> Iterator[tuple[str, Condition]]:
    """The condition without one of its parts, for each part at any depth, and with `all` and `any` swapped."""
    match condition:
        case All(parts) | Any(parts):
            kind = type(condition)
            if len(parts) > 1:
                yield f"with all and any swapped over {parts}", Any(parts) if kind is All else All(parts)
            for number, part in enumerate(parts):
                if len(parts) > 1:
                    yield f"without {part}", kind(parts[:number] + parts[number + 1 :])
                for what, changed in rearranged(part):
                    yield what, kind((*parts[:number], changed, *parts[number + 1 :]))
        case Not(part):
            yield from ((what, Not(changed)) for what, changed in rearranged(part))


def with_leaves(condition: Condition, change: Callable[[Condition], Iterator[Condition]]) -> Iterator[Condition]:
    """The condition with one leaf in another form, for each leaf and each form."""
    match condition:
        case All(parts) | Any(parts):
            kind = type(condition)
            for number, part in enumerate(parts):
                for changed in with_leaves(part, change):
                    yield kind((*parts[:number], changed, *parts[number + 1 :]))
        case Not(part):
            yield from (Not(changed) for changed in with_leaves(part, change))
        case _:
            yield from change(condition)


def neighbours(leaf: Condition) -> Iterator[Condition]:
    """The leaf as someone might have mistyped it: a day or a number off, an option short, of two dates only the same day
    or all but that."""
    if not isinstance(leaf, Compare):
        return
    value = leaf.value
    if isinstance(value, tuple):
        yield from (replace(leaf, value=tuple(o for o in value if o != option)) for option in value)
    elif isinstance(value, date):
        yield from (replace(leaf, value=value + step) for step in (-ONE_DAY, ONE_DAY))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from (replace(leaf, value=value + step) for step in (-1, 1))
    if leaf.op in ("not_before", "not_after", "at_most"):
        same = replace(leaf, op="same_as")
        yield from (same, All((leaf, Not(same))))


def changes(rule: Rule) -> Iterator[Change]:
    """The rule with one single change, for each that the cases have to notice."""
    if rule.when is not None:
        yield "concerns everybody", replace(rule, when=None)
        for what, when in rearranged(rule.when):
            yield f"when {what}", replace(rule, when=when)
        for when in with_leaves(rule.when, neighbours):
            yield f"when {_differing(rule.when, when)}", replace(rule, when=when)
    yield "demands nothing", replace(rule, must=ALWAYS)
    for what, must in rearranged(rule.must):
        yield f"must {what}", replace(rule, must=must)
    for must in with_leaves(rule.must, neighbours):
        yield f"must {_differing(rule.must, must)}", replace(rule, must=must)


def _leaves(condition: Condition) -> Iterator[Condition]:
    match condition:
        case All(parts) | Any(parts):
            for part in parts:
                yield from _leaves(part)
        case Not(part):
            yield from _leaves(part)
        case _:
            yield condition


def _differing(old: Condition, new: Condition) -> str:
    known = set(_leaves(old))
    return f"with {[leaf for leaf in _leaves(new) if leaf not in known] or new}"


def disagreeing(results: tuple[CaseResult, ...]) -> set[str]:
    return {result.rule_id for result in results if not result.agrees}


def test_every_single_change_of_a_rule_is_noticed_by_one_of_its_cases(pack: Regulation, tried: Tried) -> None:
    """The n-th changes of all the rules are tried together: the cases of a rule ask nothing of the others."""
    unnoticed = []
    for round_ in zip_longest(*map(changes, pack.rules)):
        made = [change for change in round_ if change is not None]
        seen = disagreeing(tried(replace(pack, rules=tuple(rule for _, rule in made))))
        unnoticed += [f"{rule.rule_id}: {what}" for what, rule in made if rule.rule_id not in seen]
    assert unnoticed == []


@pytest.mark.parametrize("step", [-1, 1])
def test_a_clause_with_another_number_of_days_would_be_noticed(pack: Regulation, tried: Tried, step: int) -> None:
    """So would be a document that came into force a day earlier or later."""
    timed = {rule.rule_id: pack.clauses[clause_id] for rule in pack.rules if (clause_id := _timed(rule))}
    pack = replace(pack, rules=tuple(rule for rule in pack.rules if rule.rule_id in timed))
    ranges = {rule_id for rule_id, clause in timed.items() if clause.deadline and clause.deadline.n_min is not None}
    later = {key: _shifted(clause, n=step) for key, clause in pack.clauses.items()}
    assert set(timed) - disagreeing(tried(replace(pack, clauses=later))) == set()
    opened = {key: _shifted(clause, n_min=step) for key, clause in pack.clauses.items()}
    assert ranges - disagreeing(tried(replace(pack, clauses=opened))) == set()
    if pack.effective_from is not None:
        moved = replace(pack, effective_from=pack.effective_from + step * ONE_DAY)
        assert set(timed) - disagreeing(tried(moved)) == set()


def _shifted(clause: Clause, n: int = 0, n_min: int = 0) -> Clause:
    """The clause with other numbers in its deadline, where it has them."""
    deadline = clause.deadline
    if deadline is None:
        return clause
    end, start = deadline.n and deadline.n + n, deadline.n_min and deadline.n_min + n_min
    return replace(clause, deadline=replace(deadline, n=end, n_min=start))


def _timed(rule: Rule) -> str | None:
    return next((leaf.clause_id for leaf in _leaves(rule.must) if isinstance(leaf, InTime)), None)


def test_rules_that_can_lack_an_answer_have_a_case_for_that(pack: Regulation, tried: Tried) -> None:
    """Otherwise a rule that turned "nobody told us" into a violation, or into a pass, would go through. Which field can
    leave a rule without an answer is found out by emptying its fields one after another; a rule that asks whether the
    field is recorded has its own answer for that."""
    shown = {result.rule_id for result in tried(pack) if result.expected == "undetermined"}
    assert {rule.rule_id for rule in pack.rules if _timed(rule)} - shown == set()
    for round_ in zip_longest(*([(rule, field) for field in sorted(_asked(rule))] for rule in pack.rules)):
        asked = [pair for pair in round_ if pair is not None]
        emptied = tried(replace(pack, rules=tuple(_emptied(rule, field) for rule, field in asked)))
        lacking = {result.rule_id for result in emptied if result.actual == "undetermined"}
        assert lacking - shown == set(), asked
        guessed = [pair for pair in asked if pair[0].rule_id in lacking and pair[1] not in _recorded(pair[0])]
        for answer in (True, False):
            rules = tuple(_guessing(rule, field, answer) for rule, field in guessed)
            seen = disagreeing(tried(replace(pack, rules=rules)))
            assert [(rule.rule_id, field) for rule, field in guessed if rule.rule_id not in seen] == [], answer


def _rule_leaves(rule: Rule) -> list[Condition]:
    return [leaf for part in (rule.when, rule.must) if part is not None for leaf in _leaves(part)]


def _asked(rule: Rule) -> set[str]:
    """Its fields but for those of projects that are worked out: they are never empty."""
    fields = {leaf.field for leaf in _rule_leaves(rule) if isinstance(leaf, Compare | Recorded)}
    return fields - set(DERIVED["project"])


def _recorded(rule: Rule) -> set[str]:
    return {leaf.field for leaf in _rule_leaves(rule) if isinstance(leaf, Recorded)}


def _guessing(rule: Rule, field: str, answer: bool) -> Rule:
    """The rule as it would be if the empty field counted as an answer."""

    def guessing(condition: Condition) -> Condition:
        match condition:
            case All(parts) | Any(parts):
                return type(condition)(tuple(map(guessing, parts)))
            case Not(part):
                return Not(guessing(part))
            case Compare(field=name, value=other) if field in (name, other):
                empty = Recorded(field=field, value=False)
                return Any((empty, condition)) if answer else All((Not(empty), condition))
        return condition

    return replace(rule, when=rule.when and guessing(rule.when), must=guessing(rule.must))


def _emptied(rule: Rule, field: str) -> Rule:
    """The rule as it looks at subjects whose field nobody filled in."""

    def emptied(condition: Condition) -> Condition:
        match condition:
            case All(parts) | Any(parts):
                return type(condition)(tuple(map(emptied, parts)))
            case Not(part):
                return Not(emptied(part))
            case Compare(field=name) | Recorded(field=name) if name == field:
                return replace(condition, field=NEVER_FILLED)
            case Compare(value=other) if other == field:
                return replace(condition, value=NEVER_FILLED)
        return condition

    return replace(rule, when=rule.when and emptied(rule.when), must=emptied(rule.must))


def test_a_rule_turned_round_would_be_noticed_by_each_case(pack: Regulation, tried: Tried) -> None:
    results = tried(replace(pack, rules=tuple(replace(rule, must=Not(rule.must)) for rule in pack.rules)))
    assert not [r for r in results if r.agrees and r.expected in ("pass", "fail")]


def test_every_case_agrees_and_has_a_name_of_its_own(pack: Regulation, tried: Tried) -> None:
    results = tried(pack)
    assert not [r for r in results if not r.agrees]
    assert [name for name, n in Counter((r.rule_id, r.name) for r in results).items() if n > 1] == []
