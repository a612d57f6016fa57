"""/api: the ledger's records, their verification, checkpoints and proofs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import ConfigDict, JsonValue

from govcloud.model.ledger import Checkpoint
from govcloud.model.text import Text
from govcloud.web.api_shape import Day, Exporting, Name, Out, Reading, Sealing, new_router
from govcloud.workflow import audit as workflow
from govcloud.workflow.timeline import Wanted, read_timeline

router = new_router("ledger")


class Record(Out):
    """As it was hashed, with the hash; records of later versions may have more fields."""

    model_config = ConfigDict(extra="allow")
    seq: int
    at: datetime
    kind: str
    actor: str
    subject_id: str | None = None
    run_id: str | None = None
    project_id: str | None = None
    body: dict[str, JsonValue]
    leaf_hash: str


class Records(Out):
    items: list[Record]
    earlier: bool
    """There are older ones that fit, too."""


class Fault(Out):
    text: Text
    seq: int | None


class Verification(Out):
    code: int
    """0: everything adds up; 5: it does not."""
    records: int
    signed: int
    unsigned: int
    checkpoints: int
    root: str
    problems: list[Fault]


class Proof(Out):
    seq: int
    text: str
    """What `verify.py --proof` reads from a file."""


@router.get("/ledger/records", response_model=Records)
def get_records(
    visit: Reading, project: Name | None = None, system: Name | None = None, run: Name | None = None,
    takeover: Name | None = None, kind: Name | None = None, actor: Name | None = None, since: Day | None = None,
    until: Day | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> Any:  # fmt: skip
    """The newest that fit, oldest first."""
    wanted = Wanted(
        project=project, system=system, run=run, takeover=takeover, kind=kind, actor=actor, since=since, until=until
    )
    found = read_timeline(visit.session, wanted, limit=limit)
    return {"items": found.records, "earlier": found.earlier}


@router.get("/ledger/verification", response_model=Verification)
def verify_ledger(visit: Reading) -> Any:
    """Recomputes everything from the records, as the auditors' own verifier does."""
    found = workflow.verify_ledger(visit.session)
    report = found.report
    return {
        "code": 5 if report.problems else 0, "records": report.records, "signed": report.signed,
        "unsigned": found.unsigned, "checkpoints": report.checkpoints, "root": report.root,
        "problems": [{"text": Text(p.zh, p.en), "seq": p.seq} for p in report.problems],
    }  # fmt: skip


@router.post("/ledger/checkpoints", response_model=Checkpoint)
def add_checkpoint(visit: Sealing) -> Any:
    return workflow.checkpoint(visit.session)


@router.post("/ledger/records/{record}/proof", response_model=Proof)
def prove_record(visit: Exporting, record: Name) -> Any:
    """That the record, by number or leaf hash, is in the ledger; signs a checkpoint where none has it."""
    seq = workflow.find_record(visit.session, record)
    (proof,) = workflow.prove(visit.session, [seq])
    return {"seq": seq, "text": proof.decode()}
