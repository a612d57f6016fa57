"""What came of reading workbooks and asking hosts: results, good and bad, that a person looks at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from govcloud.model.access import HostAccess
from govcloud.model.inventory import Conflict
from govcloud.model.observation import Statement, SubjectKind
from govcloud.model.text import Text

SheetKind = Literal[
    "census", "servers", "networks", "dependencies", "projects",
    "rvtools", "aws_ads", "azure_servers", "azure_dependencies", "google_mc", "konveyor", "netbox",
]  # fmt: skip
"""The survey forms, then exports of other tools."""
FileState = Literal["new", "newer", "unchanged", "refused"]
HostStatus = Literal[
    "ok", "unreachable", "refused", "timed_out", "auth_failed", "key_unknown", "key_changed", "connection_lost"
]
TrustState = Literal["trusted", "new", "approved", "changed", "replaced", "not_expected", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """A cell that could not be read as it should, by file, sheet and cell."""

    file: str
    sheet: str
    cell: str
    """`C7`."""
    read: str
    expected: Text
    taken: bool = False
    """The row was taken all the same."""
    left_out: bool = False
    """The row was taken without this cell; False beside `taken`: its value is used, but somebody should look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetReading:
    """One sheet: what kind it is, how many rows were taken, and what is wrong in it."""

    file: str
    sheet: str
    kind: SheetKind | None
    """None: no known table in the sheet."""
    rows: int = 0
    taken: int = 0
    problems: tuple[RowError, ...] = ()
    unknown_columns: tuple[str, ...] = ()
    """Cell and header of columns that no wording matches; they were not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileImport:
    path: Path
    state: FileState
    """`newer`: another version of a file that was imported before, whose facts it replaces."""
    sha256: str = ""
    source: str = ""
    """What its newer versions replace: the file's path, or the number that a returned form carries."""
    sheets: tuple[SheetReading, ...] = ()
    refusal: Text | None = None
    """Why nothing of it was read."""

    @property
    def problems(self) -> tuple[RowError, ...]:
        return tuple(p for sheet in self.sheets for p in sheet.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    kind: SubjectKind
    subject_id: str
    name: str
    change: Literal["added", "changed", "removed"]
    fields: tuple[str, ...] = ()
    """Of a changed subject: the fields that differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    files: tuple[FileImport, ...]
    changes: tuple[Change, ...]
    unchanged: int
    """Subjects that are as they were."""
    conflicts: tuple[Conflict, ...]
    """Facts that were not in dispute before."""
    preview: bool
    """Nothing was stored."""

    @property
    def rejected(self) -> tuple[RowError, ...]:
        """What somebody has to correct: the cells that cost a row, and those that were left out of one."""
        return tuple(p for file in self.files for p in file.problems if not p.taken or p.left_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeGap:
    """A probe that a host did not answer: its fields stay unknown."""

    probe: str
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class HostResult:
    host: HostAccess
    status: HostStatus
    reason: Text | None = None
    """Why it is not `ok`."""
    key_type: str | None = None
    fingerprint: str | None = None
    """`SHA256:…` of the key that the host showed, as OpenSSH prints it."""
    approved_fingerprints: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    gaps: tuple[ProbeGap, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryResult:
    hosts: tuple[HostResult, ...]
    changes: tuple[Change, ...]

    @property
    def failed(self) -> tuple[HostResult, ...]:
        return tuple(h for h in self.hosts if h.status != "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTrust:
    """A host's key as it shows it now, against what was approved."""

    host: HostAccess
    state: TrustState
    key_type: str | None = None
    shown: str | None = None
    """Fingerprint of the key that the host shows now."""
    approved: tuple[str, ...] = ()
    """Fingerprints that had been approved before."""
    approved_by: tuple[str, ...] = ()
    reason: Text | None = None
