"""Copies directories and databases between two hosts; called by our Ansible modules on the controller.

Only what differs by content is sent. It arrives beside its final place, is checked there, and only then gets its name.
The source is only ever read.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from govcloud import resources
from govcloud.execution import digest
from govcloud.execution.stream import Passed, Remote, capture, pipe
from govcloud.model.text import Text

_TAR_CHANGED = frozenset({0, 1})
_DIGEST_STALL_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Whose copy this is, and where the evidence goes."""

    system_id: str
    run_id: str
    attempt: int
    source_host: str
    target_host: str
    marker: str
    """Path on the target; the far end refuses to write unless it names this copy."""
    evidence: Path
    remote: Remote


def sync_files(copy: Copy, pair: Mapping[str, str], *, live: bool) -> dict[str, int | str]:
    """Make the target directory equal to the source's. Raises StreamError.

    `live`: the source still serves, so files may change while they are read; a later frozen pass makes it exact.
    """
    source = _manifest(copy, copy.source_host, pair["source"], "source")
    target = _manifest(copy, copy.target_host, pair["target"], "target")
    difference = digest.diff_manifests(source, target)
    passed = Passed(0, "")
    owner = {"marker": copy.marker, "system_id": copy.system_id, "run_id": copy.run_id}
    if difference.changed or difference.extra or not target:
        suffix = f"{copy.run_id}-{copy.attempt}"
        partial = _ask(
            copy, copy.target_host, "gov_manifest", "stage", {**owner, "target": pair["target"], "suffix": suffix}
        ).strip()
        if difference.changed:
            passed = _send(copy, pair["source"], partial, difference.changed, live=live)
        expected = {p: (source[p].kind, source[p].mode, "" if live else source[p].digest) for p in difference.changed}
        lists = json.dumps({"expected": expected, "extra": difference.extra}).encode()
        arguments = {**owner, "partial": partial, "target": pair["target"]}
        _ask(copy, copy.target_host, "gov_manifest", "promote", arguments, give=lists)
    return {
        "files": len(source),
        "sent": len(difference.changed),
        "removed": len(difference.extra),
        "bytes": passed.bytes,
    }


def _send(copy: Copy, root: str, partial: str, paths: tuple[str, ...], *, live: bool) -> Passed:
    names = b"\0".join(unquote_to_bytes(path) for path in paths)
    read = ["tar", "-C", root, "--null", "--no-recursion", "--hard-dereference", "--numeric-owner"]
    # A serving source may remove a file between the manifest and now.
    read += ["--ignore-failed-read"] if live else []
    read += ["--verbatim-files-from", "-T", "-", "-cf", "-"]
    write = ["tar", "-C", partial, "--numeric-owner", "--no-overwrite-dir", "-p", "-xf", "-"]
    return pipe(
        copy.remote.argv(copy.source_host, read), copy.remote.argv(copy.target_host, write),
        give=names, source_codes=_TAR_CHANGED if live else frozenset({0}),
    )  # fmt: skip


def verify_files(copy: Copy, pair: Mapping[str, str]) -> tuple[list[Text], dict[str, int | str]]:
    """Compare both directories by content. Problems, and what was counted."""
    source = _manifest(copy, copy.source_host, pair["source"], "source")
    target = _manifest(copy, copy.target_host, pair["target"], "target")
    return digest.verify_manifests(source, target, pair["source"]), {
        "files": len(source),
        "bytes": sum(entry.size for entry in source.values()),
        "sha256": digest.manifest_digest(source),
    }


def send_database(copy: Copy, source: Mapping[str, Any], target: Mapping[str, Any], into: str) -> Passed:
    """pg_dump on the source's host into pg_restore on the target's, into the empty database `into`."""
    read = _script("gov_postgres", "dump", {"database": source})
    write = _script("gov_postgres", "restore", {"database": target, "into": into})
    return pipe(
        copy.remote.argv(copy.source_host, read), copy.remote.argv(copy.target_host, write), stall_s=_DIGEST_STALL_S
    )


def database_digests(copy: Copy, source: Mapping[str, Any], target: Mapping[str, Any]) -> tuple[Any, Any]:
    """Digests of both databases; kept as evidence, too."""
    found = []
    for side, host, spec in (("source", copy.source_host, source), ("target", copy.target_host, target)):
        text = _ask(copy, host, "gov_postgres", "digest", {"database": spec})
        (copy.evidence / f"database-{side}.json").write_text(text, "utf-8")
        found.append(json.loads(text))
    return found[0], found[1]


def _manifest(copy: Copy, host: str, root: str, side: str) -> dict[str, digest.Entry]:
    path = copy.evidence / f"manifest-{side}{root.replace('/', '_')}.txt"
    with path.open("wb") as stream:
        capture(
            copy.remote.argv(host, _script("gov_manifest", "manifest", {"root": root})), stream, stall_s=_DIGEST_STALL_S
        )
    with path.open(encoding="utf-8", newline="\n") as lines:
        return digest.parse_manifest(lines)


def _ask(copy: Copy, host: str, script: str, action: str, arguments: Mapping[str, Any], give: bytes = b"") -> str:
    answer = io.BytesIO()
    capture(copy.remote.argv(host, _script(script, action, arguments)), answer, give=give, stall_s=_DIGEST_STALL_S)
    return answer.getvalue().decode()


def _script(name: str, action: str, arguments: Mapping[str, Any]) -> list[str]:
    """The host's end of a pipe: our own text given to its Python, data as one JSON argument."""
    text = (resources.folder("playbooks") / "library" / "module_utils" / f"{name}.py").read_text("utf-8")
    return ["python3", "-c", text, action, json.dumps(arguments, ensure_ascii=True)]
