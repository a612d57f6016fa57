"""/api: the ledger's records, their verification, checkpoints, proofs, evidence and bundles."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import ConfigDict, Field, JsonValue, StringConstraints
from starlette.responses import Response

from govcloud.model.ledger import Checkpoint
from govcloud.model.text import Text
from govcloud.web.api_shape import Body, Day, Exporting, Name, Out, Reading, Sealing, gives, new_router
from govcloud.web.downloads import BINARY, MEDIA, give_bundle, give_evidence
from govcloud.workflow import audit as workflow
from govcloud.workflow.evidence import find_evidence
from govcloud.workflow.timeline import Wanted, read_timeline

router = new_router("ledger")
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{8,64}$")]


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


class Evidence(Out):
    sha256: str
    here: bool = Field(description="This workspace has the file")
    size_bytes: int | None
    records: list[Record]


class BundleWanted(Body):
    since: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")] | None = Field(
        default=None, description="Size of the checkpoint after which it begins; from the first record by default"
    )


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


@router.get("/ledger/evidence/{sha256}", response_model=Evidence)
def get_evidence(visit: Reading, sha256: Digest) -> Any:
    """A file of evidence by its digest, or the digest's first characters, and the records that name it."""
    found = find_evidence(visit.session, sha256)
    return {
        "sha256": found.sha256, "here": found.path is not None, "size_bytes": found.size_bytes, "records": found.records
    }  # fmt: skip


@router.get("/ledger/evidence/{sha256}/file", response_class=Response, responses=gives(BINARY))
def get_evidence_file(visit: Reading, sha256: Digest) -> Response:
    return give_evidence(visit.session, sha256)


@router.post("/ledger/bundles", response_class=Response, responses=gives(MEDIA["tar"]))
def export_bundle(visit: Exporting, wanted: BundleWanted) -> Response:
    """The auditor's folder, which `verify.py` checks without us, as a tar file; signs a checkpoint."""
    return give_bundle(visit.session, wanted.since)


@router.post("/ledger/checkpoints", response_model=Checkpoint)
def add_checkpoint(visit: Sealing) -> Any:
    return workflow.checkpoint(visit.session)


@router.post("/ledger/records/{record}/proof", response_model=Proof)
def prove_record(visit: Exporting, record: Name) -> Any:
    """That the record, by number or leaf hash, is in the ledger; signs a checkpoint where none has it."""
    seq = workflow.find_record(visit.session, record)
    (proof,) = workflow.prove(visit.session, [seq])
    return {"seq": seq, "text": proof.decode()}
