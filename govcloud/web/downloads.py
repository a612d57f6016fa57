"""Papers, packages and bundles as downloads: made in a folder that goes away, under the names that the commands give them."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from starlette.responses import StreamingResponse

from govcloud.errors import UsageError
from govcloud.model.text import Text
from govcloud.web.files import attached
from govcloud.workflow import audit
from govcloud.workflow.evidence import find_evidence
from govcloud.workflow.paper_kind import FORMS, Form, Kind, Scope
from govcloud.workflow.plan_files import export_plan
from govcloud.workflow.session import Session

_OFFICE = "application/vnd.openxmlformats-officedocument."
MEDIA: Mapping[str, str] = {
    "docx": f"{_OFFICE}wordprocessingml.document", "xlsx": f"{_OFFICE}spreadsheetml.sheet", "html": "text/html; charset=utf-8",
    "json": "application/json", "csv": "text/csv; charset=utf-8", "ics": "text/calendar; charset=utf-8",
    "md": "text/markdown; charset=utf-8", "txt": "text/plain; charset=utf-8", "tar": "application/x-tar",
}  # fmt: skip
BINARY = "application/octet-stream"
NEEDED: Mapping[str, tuple[str, Text]] = {
    "wave": ("wave", Text("批次", "wave")),
    "run": ("run_id", Text("执行", "run")),
    "takeover": ("handover_id", Text("接管", "takeover")),
}
"""What a paper is about -> the field of its scope that a download has to name: it is one paper."""


def made(path: Path, name: str | None = None) -> StreamingResponse:
    """A file of our own making."""
    return attached(path, name or path.name, MEDIA[path.suffix[1:]])


def paper_kinds() -> Mapping[str, Kind]:
    # Drawings and Word files take libraries that the start of the server need not wait for.
    from govcloud.workflow.papers import KINDS

    return {kind.kind_id: kind for kind in KINDS}


def give_paper(session: Session, kind_id: str, scope: Scope, form: str) -> StreamingResponse:
    """One paper, as `report --kind` writes it. Raises UsageError where there is none yet, or the scope leaves open which."""
    from govcloud.workflow.report import write_report

    kind = paper_kinds().get(kind_id)
    if kind is None or form not in FORMS:
        raise UsageError(Text("没有这种文书", "There is no such paper"), where=f"{kind_id}.{form}"[:200])
    field, title = NEEDED.get(kind.about, ("", None))
    if title is not None and getattr(scope, field) is None:
        raise UsageError(Text("请选择{t}", "Choose a {t}").format(t=title), where=kind.title)
    forms: Mapping[str, Form] = {known: known for known in get_args(Form)}
    with TemporaryDirectory(prefix="govcloud-paper-") as folder:
        written = write_report(session, Path(folder), kinds=[kind], scope=scope, forms=[forms[form]])
        if not written.files:
            raise UsageError(written.missing[0].why, where=kind.title)
        return made(next(iter(written.files)))


def give_plan(session: Session, form: str, plan_id: str) -> StreamingResponse:
    """As `plan export` writes it."""
    with TemporaryDirectory(prefix="govcloud-plan-") as folder:
        return made(export_plan(session, Path(folder) / f"{plan_id}.{form}", plan_id))


def give_package(session: Session, handover_id: str) -> StreamingResponse:
    """The file of a takeover."""
    # Word and the pages take a while to load, which every other page would pay.
    from govcloud.workflow.takeover_package import write_package

    with TemporaryDirectory(prefix="govcloud-package-") as folder:
        target = Path(folder) / "package.tar"
        write_package(session, handover_id, target)
        return made(target, f"{handover_id}.tar")


def give_bundle(session: Session, since: str | None) -> StreamingResponse:
    """The auditor's folder as a tar file. `since`: size of the checkpoint after which it begins."""
    with TemporaryDirectory(prefix="govcloud-export-") as folder:
        bundle = Path(folder) / f"ledger-{session.workspace.settings.site}"
        size = audit.export_bundle(session, bundle, since).checkpoint.size
        packed = bundle.with_suffix(".tar")
        with tarfile.open(packed, "w", format=tarfile.USTAR_FORMAT) as tar:
            tar.add(bundle, bundle.name)
        return made(packed, f"{bundle.name}-{size}.tar")


def give_evidence(session: Session, sha256: str) -> StreamingResponse:
    """What people handed over, so of no media type that a browser would open. Raises UsageError where it is not here."""
    found = find_evidence(session, sha256)
    if found.path is None:
        raise UsageError(Text("本工作区没有这个文件", "This workspace has no such file"), where=found.sha256)
    return attached(found.path, _given_name(found.sha256, found.records) or found.path.name, BINARY)


def _given_name(sha256: str, records: Any) -> str | None:
    """As the one called it who handed it over."""
    bodies = (record["body"] for record in records)
    names = (body.get("file") for body in bodies if body.get("sha256") == sha256)
    return next((name for name in names if isinstance(name, str)), None)
