"""Any sequence of changes to the records of a ledger, whoever makes it, is found by the checkpoints that others hold."""

from __future__ import annotations

import json
from typing import Any

import rfc8785
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from govcloud.ledger import verify
from govcloud.model.ledger import SHA256

SIZE, SIGNED = 8, (3, 5, 8)


def record(seq: int, who: str) -> bytes:
    body: dict[str, Any] = dict.fromkeys(verify.FIELDS | verify.LATER_FIELDS)
    return rfc8785.dumps({**body, "seq": seq, "kind": "test", "actor": who})


def leaves_of(lines: list[bytes]) -> list[bytes]:
    return [SHA256.leaf(line).hex().encode() for line in lines]


class Tampering(RuleBasedStateMachine):
    """An operator with everything but the auditor's three checkpoints."""

    @initialize()
    def start(self) -> None:
        self.true = [record(seq, "甲") for seq in range(SIZE)]
        self.other = [record(seq, "乙") for seq in range(SIZE)]
        roots = [SHA256.root([SHA256.leaf(line) for line in self.true[:size]]) for size in SIGNED]
        self.notes = [verify.Note(str(size), size, root) for size, root in zip(SIGNED, roots, strict=True)]
        self.lines, self.leaves = list(self.true), leaves_of(self.true)

    @rule(place=st.integers(0, SIZE - 1), text=st.sampled_from(["丙", "𠮷", ""]))
    def edit(self, place: int, text: str) -> None:
        if place < len(self.lines):
            self.lines[place] = self.lines[place].replace("甲".encode(), text.encode(), 1)

    @rule(place=st.integers(0, SIZE - 1))
    def delete(self, place: int) -> None:
        del self.lines[place : place + 1], self.leaves[place : place + 1]

    @rule(place=st.integers(0, SIZE - 1), to=st.integers(0, SIZE - 1))
    def move(self, place: int, to: int) -> None:
        for table in (self.lines, self.leaves):
            if place < len(table):
                table.insert(to, table.pop(place))

    @rule(place=st.integers(0, SIZE - 1))
    def duplicate(self, place: int) -> None:
        for table in (self.lines, self.leaves):
            table[place:place] = table[place : place + 1]

    @rule(size=st.integers(0, SIZE))
    def truncate(self, size: int) -> None:
        del self.lines[size:], self.leaves[size:]

    @rule(place=st.integers(0, SIZE))
    def splice(self, place: int) -> None:
        """The end of another ledger."""
        self.lines[place:], self.leaves[place:] = self.other[place:], leaves_of(self.other[place:])

    @rule(place=st.integers(0, SIZE - 1), byte=st.integers(0, 250), bit=st.integers(0, 7))
    def flip(self, place: int, byte: int, bit: int) -> None:
        if place < len(self.lines) and byte < len(self.lines[place]):
            changed = bytearray(self.lines[place])
            changed[byte] ^= 1 << bit
            self.lines[place] = bytes(changed)

    @rule()
    def renumber_and_hash_again(self) -> None:
        """A rebuilt ledger that is sound within itself."""
        made = []
        for seq, line in enumerate(self.lines):
            try:
                made.append(rfc8785.dumps({**json.loads(line), "seq": seq}))
            except (ValueError, TypeError):
                made.append(line)
        self.lines, self.leaves = made, leaves_of(made)

    @rule()
    def give_it_back(self) -> None:
        self.lines, self.leaves = list(self.true), leaves_of(self.true)

    @invariant()
    def it_is_found_and_the_first_bad_record_named(self) -> None:
        report = verify.verify_records(self.lines, self.leaves, self.notes)
        pairs = list(zip(self.true, leaves_of(self.true), strict=True))
        now = list(zip(self.lines, self.leaves, strict=False))
        if self.lines == self.true and now == pairs and len(self.leaves) == SIZE:
            assert report.problems == []
            return
        differs = next((i for i, (a, b) in enumerate(zip(now, pairs, strict=False)) if a != b), min(len(now), SIZE))
        signed = max((size for size in (0, *SIGNED) if size <= differs), default=0)
        assert report.first_bad_seq is not None
        assert signed <= report.first_bad_seq
        assert report.signed <= differs, "nothing from the first difference on is vouched for"
        if self.leaves == leaves_of(self.lines) and any(
            verify.check_record(x, i) for i, x in enumerate(self.lines[: differs + 1])
        ):
            assert report.first_bad_seq <= differs


TestTampering = Tampering.TestCase
TestTampering.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
