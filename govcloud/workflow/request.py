"""Departments' requests against the office's catalog; each check with its record, and the review opinions on them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from govcloud.compliance import request_quota, request_source
from govcloud.compliance.catalog_match import Matcher
from govcloud.discovery.request_form import parse_form
from govcloud.discovery.workbook import load_workbook
from govcloud.errors import InputError, UsageError
from govcloud.events import Event
from govcloud.model.answers import Query
from govcloud.model.catalog import Catalog
from govcloud.model.ledger import LedgerEntry
from govcloud.model.regulation import Regulation
from govcloud.model.request import FaultyRequest, RequestCheck, RequestRun
from govcloud.model.text import Lang, Text
from govcloud.report.files import save
from govcloud.report.opinion import Opinion, build_opinion, render_opinion_json, render_opinion_text
from govcloud.store import ledger as ledger_store
from govcloud.store import listing
from govcloud.store import request as request_store
from govcloud.workflow.office import Rulebook, office_catalog, office_rulebook, today
from govcloud.workflow.session import Session

_YAML = (".yaml", ".yml", ".json")
_FORMS = (".xlsx", ".xls", ".xlsb", ".ods", ".csv")
_READ = frozenset((*_YAML, *_FORMS))
_Form = Literal[".docx", ".txt", ".json"]
_OPINIONS: tuple[_Form, ...] = (".docx", ".txt", ".json")


def check_request(session: Session, paths: Sequence[Path], opinions: Path | None = None) -> RequestRun:
    """Files, and folders of them, against the office's catalog of the day of each application.

    A faulty file does not stop the others: it is told at the end, and not recorded; alone it raises InputError.
    `opinions`: a file (.docx, .txt, .json) for one request, a folder for several (one .docx each). Raises UsageError
    where there is nothing to check or an opinion is there already, InputError for a faulty catalog, OutsideError where
    an opinion can't be written.
    """
    files = _request_files(paths)
    targets = _opinion_targets(files, opinions, session.lang) if opinions else {}
    rulebook = office_rulebook(session)
    quotas = _quotas(session)
    checks: list[RequestCheck] = []
    faulty: list[FaultyRequest] = []
    read: list[Path] = []
    catalogs = _Catalogs(session, rulebook.own)
    catalogs.current()  # a faulty catalog is nobody's request
    what = Text("核对申请", "Checking requests")
    for done, path in enumerate(files):
        session.observer.on_event(Event(what=what, subject=path.name, done=done, total=len(files)))
        try:
            check = _check_file(path, catalogs)
        except InputError as error:
            if len(files) == 1:
                raise
            faulty.append(FaultyRequest(file=path.name, where=error.where, what=error.what))
            continue
        checks.append(check)
        read.append(path)
    run = RequestRun(
        checks=request_quota.build_quota_lines(checks, quotas), faulty=tuple(faulty), at=session.now()
    )  # fmt: skip
    _record(session, run)
    if targets:
        made = [
            (targets[path], _opinion(session, check, rulebook, run.at))
            for path, check in zip(read, run.checks, strict=True)
        ]
        _write_opinions(session, made)
    return run


def latest_requests(session: Session) -> tuple[tuple[RequestCheck, datetime], ...]:
    """The newest check of every request, with its instant."""
    with session.store.read() as tx:
        return request_store.latest_requests(tx)


class _Catalogs:
    """The office's catalog by day. Loading one takes longer than checking a hundred requests."""

    def __init__(self, session: Session, own: Regulation) -> None:
        self._session, self._own = session, own
        self._found: dict[date, Matcher] = {}

    def on(self, day: date) -> Matcher:
        if day not in self._found:
            same = (known for loaded_on, known in self._found.items() if _is_same(known.catalog, loaded_on, day))
            self._found[day] = next(same, None) or Matcher(office_catalog(self._session, day), self._own)
        return self._found[day]

    def current(self) -> Matcher:
        return self.on(today(self._session))


def _is_same(catalog: Catalog, loaded_on: date, day: date) -> bool:
    """Whether the other day would give the same: in the same version's time, and no offering ends in between."""
    first, last = sorted((loaded_on, day))
    if first < catalog.effective_from or (catalog.effective_to is not None and catalog.effective_to < last):
        return False
    ends = (end for offering in catalog.offerings for end in (offering.closed_on, offering.retired_on))
    return not any(end is not None and first < end <= last for end in ends)


def _request_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Each once, in the order given; those of a folder by name, without hidden and lock files."""
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _in_folder(path) if path.is_dir() else (path,):
            found.setdefault(file.resolve(), file)
    if not found:
        raise UsageError(
            Text("没有找到申请文件", "No requests were found"), where=", ".join(map(str, paths)),
            next_step=Text("申请写成 YAML，或填写 govcloud template request 生成的表", "Requests are YAML files, or the form that govcloud template request makes"),
        )  # fmt: skip
    return tuple(found.values())


def _in_folder(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        hidden = any(part.startswith((".", "~$")) for part in file.relative_to(folder).parts)
        if not hidden and file.suffix.lower() in _READ and file.is_file():
            yield file


def _check_file(path: Path, catalogs: _Catalogs) -> RequestCheck:
    """YAML, or the form that `govcloud template request` makes. Raises InputError."""
    if path.suffix.lower() in _YAML:
        draft = request_source.load_draft(path)
    else:
        # The words of the form's lists are those of the catalog that it was made from, which is today's or close to it.
        form = parse_form(load_workbook(path), catalogs.current().catalog.classes)
        draft = request_source.build_draft(form.values, form.place)
    matcher = catalogs.on(draft.applied_on)
    request = request_source.build_from_draft(draft, matcher.catalog)
    return matcher.check(request, path.name, hashlib.sha256(path.read_bytes()).hexdigest())


def _quotas(session: Session) -> request_quota.Quotas:
    with session.store.read() as tx:
        tenants, _ = listing.list_entities(tx, "tenant", Query())
    return request_quota.parse_quotas(session.workspace.settings.quotas, tenants)


def _record(session: Session, run: RequestRun) -> None:
    with session.store.begin() as tx:
        digests = request_store.save_requests(tx, run.checks, run.at)
        entries = [
            LedgerEntry(
                kind="check",
                actor=session.actor,
                at=run.at,
                subject_id=check.request.system_id,
                project_id=check.request.project_id,
                evidence=(check.sha256,) if check.sha256 else (),
                body=_request_body(check, digest),
            )
            for check, digest in zip(run.checks, digests, strict=True)
        ]
        ledger_store.append_all(tx, entries)


def _request_body(check: RequestCheck, digest: str) -> dict[str, object]:
    """Which line had which outcome; the whole check lies in the table, and its digest here."""
    outcomes: dict[str, list[int]] = {}
    for verdict in check.lines:
        outcomes.setdefault(verdict.outcome, []).append(verdict.line.line)
    return {
        "what": "request",
        "file": check.file,
        "sha256": check.sha256,
        "department": check.request.department,
        "applied_on": check.request.applied_on.isoformat(),
        "catalog": check.catalog_id,
        "catalog_version": check.catalog_version,
        "conforms": check.conforms,
        "conclusion": check.conclusion,
        "over_quota": [line.resource for line in check.quota if line.over],
        "outcomes": outcomes,
        "clauses": sorted({clause for verdict in check.lines for clause in verdict.clauses}),
        "yearly_fen": str(sum(verdict.yearly_fen or 0 for verdict in check.lines)),
        "check_sha256": digest,
    }


def _opinion_targets(files: Sequence[Path], opinions: Path, lang: Lang) -> Mapping[Path, Path]:
    """File -> where its opinion goes. An opinion goes to one department, so several requests never share one."""
    if opinions.suffix.lower() in _OPINIONS and not opinions.is_dir():
        if len(files) > 1:
            raise UsageError(
                Text("多份申请的审核意见要写到目录，一份一个文件", "Opinions on several requests go to a folder, a file each"),
                where=str(opinions), next_step=Text("改写目录名，例如 --opinion 审核意见", "Name a folder, for example --opinion opinions"),
            )  # fmt: skip
        targets = {files[0]: opinions}
    elif opinions.suffix and not opinions.is_dir():
        raise UsageError(
            Text("审核意见只能写成 {k}，或写到目录", "An opinion is written as {k}, or to a folder").format(k=", ".join(_OPINIONS)),
            where=str(opinions), next_step=Text("例如 --opinion 审核意见.docx", "For example --opinion opinion.docx"),
        )  # fmt: skip
    else:
        targets, taken = {}, set[str]()
        word = Text("审核意见", "opinion").to(lang)
        for file in files:
            name, number = f"{file.stem}-{word}", 1
            while name in taken:
                number += 1
                name = f"{file.stem}-{word}-{number}"
            taken.add(name)
            targets[file] = opinions / f"{name}.docx"
    there = next((target for target in targets.values() if target.exists()), None)
    if there is not None:
        raise UsageError(
            Text("文件已经存在", "The file is there already"), where=str(there),
            next_step=Text("换一个名称：审核人可能已修改或签署，不会被覆盖", "Choose another name: the reviewer may have edited or signed it, it is never overwritten"),
        )  # fmt: skip
    return targets


def _opinion(session: Session, check: RequestCheck, rulebook: Rulebook, at: datetime) -> Opinion:
    settings = session.workspace.settings
    return build_opinion(
        check, rulebook.own, office=settings.name, at=at, timezone=settings.timezone, made_by=session.actor
    )


def _write_opinions(session: Session, made: Sequence[tuple[Path, Opinion]]) -> None:
    """The ledger keeps the digest of each file, so that a copy met later can be matched to its check."""
    digests: dict[str, str] = {}
    what = Text("写审核意见", "Writing opinions")
    for done, (path, opinion) in enumerate(made):
        session.observer.on_event(Event(what=what, subject=path.name, done=done, total=len(made)))
        data = _RENDER[path.suffix.lower()](session, opinion)
        save(path, data)
        digests[path.name] = hashlib.sha256(data).hexdigest()
    if digests:
        body = {"what": "opinion", "files": digests}
        asked = [opinion.check.request for _, opinion in made]
        about = dict.fromkeys(i for request in asked for i in (request.system_id, request.project_id) if i)
        entry = LedgerEntry(
            kind="report", actor=session.actor, at=session.now(), concerns=tuple(about), evidence=tuple(digests.values()),
            body=body,
        )  # fmt: skip
        with session.store.begin() as tx:
            ledger_store.append(tx, entry)


def _docx(session: Session, opinion: Opinion) -> bytes:
    # Loaded when a paper is wanted: it takes a tenth of a second, which every check would pay.
    from govcloud.report.docx import render_docx

    return render_docx(opinion.document, session.lang)


_RENDER: Mapping[str, Callable[[Session, Opinion], bytes]] = {
    ".docx": _docx,
    ".txt": lambda session, opinion: render_opinion_text(opinion, session.lang).encode(),
    ".json": lambda session, opinion: render_opinion_json(opinion, session.lang).encode(),
}
