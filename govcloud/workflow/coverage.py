"""Which clauses of which documents are tested, for an office or for all documents that come along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from govcloud.compliance.coverage import build_document_coverage
from govcloud.compliance.load import pack_ids
from govcloud.errors import UsageError
from govcloud.model.coverage import DocumentCoverage
from govcloud.model.regulation import Regulation
from govcloud.model.text import Text
from govcloud.settings import Workspace, load_site, site_ids
from govcloud.workflow.office import load_rulebook, regulation_folders


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    documents: tuple[DocumentCoverage, ...]
    topics: dict[str, Text]
    own: Regulation | None
    """The document of the office; None where all documents are shown for nobody in particular."""


def list_coverage(
    workspace: Workspace | None = None, jurisdiction: str | None = None, document: str | None = None
) -> Coverage:
    """Of `jurisdiction` (id of a pack or a site), or of the workspace's office, or of every pack there is.

    Packs in WORKSPACE/regulations that the office does not name are shown, too, as unchecked. `document`: only this pack.
    Raises UsageError for an unknown name, InputError for a faulty pack.
    """
    path = workspace.path if workspace else None
    known = pack_ids(*regulation_folders(path))
    unchecked: list[str] = []
    named: Sequence[str] = ()
    if jurisdiction is not None:
        named = _jurisdiction(jurisdiction, known)
    elif workspace is not None and workspace.settings.jurisdiction:
        named = workspace.settings.jurisdiction
        unchecked = [pack_id for pack_id in pack_ids(workspace.path / "regulations") if pack_id not in named]
    office = workspace if workspace and jurisdiction is None else None
    rulebook = load_rulebook([*named, *unchecked] or known, path, office.settings.limits if office else None)
    own = rulebook.own if named else None
    documents = tuple(
        build_document_coverage(pack, own.level if own else None, checked=pack.regulation_id not in unchecked)
        for pack in rulebook.packs
    )
    if document is not None:
        documents = _only(documents, document)
    return Coverage(documents=documents, topics=rulebook.topics, own=own)


def _jurisdiction(name: str, known: Sequence[str]) -> tuple[str, ...]:
    wanted = name.casefold()
    packs = {pack_id.casefold(): pack_id for pack_id in known}
    if wanted in packs:
        return (packs[wanted],)
    if wanted in site_ids():
        return load_site(wanted).jurisdiction
    raise UsageError(
        Text("没有这个法规包或站点", "No such rule pack or site"),
        where=name,
        next_step=Text("可选：{known}", "Choose one of: {known}").format(known=", ".join((*known, *site_ids()))),
    )


def _only(documents: Sequence[DocumentCoverage], name: str) -> tuple[DocumentCoverage, ...]:
    found = tuple(d for d in documents if d.regulation.regulation_id.casefold() == name.casefold())
    if not found:
        raise UsageError(
            Text("这些法规中没有这个文件", "These regulations have no such document"),
            where=name,
            next_step=Text("可选：{known}", "Choose one of: {known}").format(
                known=", ".join(d.regulation.regulation_id for d in documents)
            ),
        )
    return found
