"""What stays open when a system changes hands: from the data items, the proofs and the checklist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from govcloud.handover.checklist import build_standings
from govcloud.handover.proofs import latest
from govcloud.model.handover import Checklist, DataFact, DataItem, DataKind, Handover, ProofKind
from govcloud.model.open_risk import OpenRisk, RiskKind
from govcloud.model.text import Text, same
from govcloud.report.handover import SOON

_KINDS: Mapping[DataKind, RiskKind] = {
    "findings": "finding", "waivers": "waiver", "run_faults": "run_fault", "dedicated_networks": "network",
}  # fmt: skip


def build_risks(
    handover: Handover, checklist: Checklist, data: Sequence[DataItem], as_of: date
) -> tuple[OpenRisk, ...]:
    """In the order of `RiskKind`'s meaning for the receiver: what came out badly first, what ends later last."""
    return (*_proofs(handover), *_items(handover, checklist), *_facts(checklist, data, as_of))


def _proofs(handover: Handover) -> Iterator[OpenRisk]:
    kinds: list[ProofKind] = sorted({proof.kind for proof in handover.proofs})
    for kind in kinds:
        for host, proof in sorted(latest(handover, kind).items()):
            if proof.ok is not True:
                yield OpenRisk(kind="proof", subject=host, what=proof.detail)


def _items(handover: Handover, checklist: Checklist) -> Iterator[OpenRisk]:
    standings = build_standings(checklist, handover)
    for item in (item for group in checklist.groups for item in group.items):
        found = standings[item.item_id]
        if found.refusal is not None:
            why = Text("{t}：已退回，{r}", "{t}: sent back, {r}").format(t=item.title, r=found.refusal.reason)
            yield OpenRisk(kind="refused", subject=item.item_id, what=why)
        elif found.required and not found.done:
            yield OpenRisk(kind="missing", subject=item.item_id, what=item.title)


def _facts(checklist: Checklist, data: Sequence[DataItem], as_of: date) -> Iterator[OpenRisk]:
    kinds = {item.item_id: item.data for group in checklist.groups for item in group.items}
    for item in data:
        of_kind = kinds.get(item.item_id)
        for fact in item.facts:
            if of_kind is not None and of_kind in _KINDS and fact.value is not None:
                yield OpenRisk(
                    kind=_KINDS[of_kind], subject=fact.subject, what=_told(fact, of_kind), until=fact.ends_on
                )
            elif fact.ends_on is not None and fact.ends_on <= as_of + SOON:
                ended = fact.ends_on < as_of
                yield OpenRisk(
                    kind="expired" if ended else "ending",
                    subject=fact.subject,
                    what=_told(fact, of_kind),
                    until=fact.ends_on,
                )


def _told(fact: DataFact, kind: DataKind | None) -> Text:
    value = fact.value if isinstance(fact.value, Text) else same(fact.value or "—")
    told = Text("{w}（{v}）", "{w} ({v})") if kind == "findings" else Text("{w}：{v}", "{w}: {v}")
    return told.format(w=fact.what, v=value)
