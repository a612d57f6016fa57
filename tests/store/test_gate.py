"""Gates, answers and orders: good once, one word a person, and nothing is ever taken out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from run_rows import AT, SYSTEM, at
from sqlalchemy.exc import IntegrityError

from govcloud.model.gate import Answer, Gate, Order
from govcloud.store import Store
from govcloud.store import gate as gate_store

GATE = Gate(
    gate_id=f"r1/{SYSTEM}/freeze/1", run_id="r1", system_id=SYSTEM, step="freeze", kind="approval", scope_hash="b" * 64,
    opened_at=AT,
)  # fmt: skip


def answer(actor: str = "审批人乙", seconds: float = 1, *, granted: bool = True) -> Answer:
    return Answer(
        gate_id=GATE.gate_id, actor=actor, unit="示例大数据局", role="处长", at=at(seconds), granted=granted,
        expires_at=at(seconds) + timedelta(hours=72),
    )  # fmt: skip


def opened(store: Store) -> None:
    with store.begin() as tx:
        gate_store.open_gate(tx, GATE)


def test_a_gate_is_good_for_one_passage(store: Store) -> None:
    """The same approval must never let a second cutover through."""
    opened(store)

    def use(number: int) -> bool:
        with store.begin() as tx:
            return gate_store.use_gate(tx, GATE.gate_id, at(number))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(8))) == 1
    with store.read() as tx:
        (gate,) = gate_store.gates(tx, "r1", SYSTEM)
    assert gate.used_at is not None and replace(gate, used_at=None) == GATE
    assert not use(9), "and not later either"


def test_what_fails_after_the_passage_gives_it_back(store: Store) -> None:
    """The claim of the attempt and the use of the gate are one transaction."""
    opened(store)
    with pytest.raises(RuntimeError), store.begin() as tx:
        assert gate_store.use_gate(tx, GATE.gate_id, AT)
        raise RuntimeError
    with store.read() as tx:
        assert gate_store.gates(tx, "r1") == [GATE]


def test_a_gate_that_is_there_stays_as_it_is(store: Store) -> None:
    opened(store)
    with store.begin() as tx:
        gate_store.open_gate(tx, replace(GATE, scope_hash="c" * 64, opened_at=at(60)))
    with store.read() as tx:
        assert gate_store.gates(tx, "r1") == [GATE]
        assert gate_store.gates(tx, "r2") == gate_store.gates(tx, "r1", "SL-XF-02") == []


@pytest.mark.parametrize("again", ["审批人乙", " 审批人乙 ", "审批人乙\n"])
def test_nobody_answers_twice_at_a_gate(store: Store, again: str) -> None:
    """An emergency needs two people: the same one with a space is not two."""
    opened(store)
    with store.begin() as tx:
        gate_store.add_answer(tx, answer())
    with pytest.raises(IntegrityError), store.begin() as tx:
        gate_store.add_answer(tx, answer(again, 2))


def test_latin_names_differ_in_more_than_their_case(store: Store) -> None:
    opened(store)
    with store.begin() as tx:
        gate_store.add_answer(tx, answer("Zhang"))
        gate_store.add_answer(tx, answer("Li", 2))
    with pytest.raises(IntegrityError), store.begin() as tx:
        gate_store.add_answer(tx, answer("ZHANG", 3))


def test_answers_come_with_their_gate_by_time(store: Store) -> None:
    opened(store)
    later, first = answer("审批人乙", 9), answer("审批人丙", 3, granted=False)
    with store.begin() as tx:
        gate_store.add_answer(tx, later)
        gate_store.add_answer(tx, first)
    with store.read() as tx:
        assert gate_store.answers(tx, "r1") == {GATE.gate_id: [first, later]}
        assert gate_store.answers(tx, "r2") == {}


def test_orders_are_numbered_and_kept(store: Store) -> None:
    made = []
    for kind, system_id in (("hold", SYSTEM), ("resume", SYSTEM), ("rollback", "SL-XF-02")):
        with store.begin() as tx:
            number = gate_store.next_order_number(tx, "r1")
            made.append(
                Order(number=number, run_id="r1", system_id=system_id, kind=kind, actor="操作员甲", at=at(number))  # type: ignore[arg-type]
            )
            gate_store.add_order(tx, made[-1])
    with store.read() as tx:
        assert [order.number for order in made] == [1, 2, 3]
        assert gate_store.orders(tx, "r1") == made
        assert gate_store.orders(tx, "r1", SYSTEM) == made[:2] and gate_store.next_order_number(tx, "r2") == 1
    with pytest.raises(IntegrityError), store.begin() as tx:
        gate_store.add_order(tx, replace(made[0], kind="cancel"))
