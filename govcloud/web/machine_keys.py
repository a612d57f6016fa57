"""Host keys of machines that a run has made, compared by whoever sits at a page or asks by /api."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from govcloud.model.collect import HostTrust
from govcloud.workflow import run_machines
from govcloud.workflow.session import Session


def look_at_keys(session: Session, run_id: str, system_id: str) -> Sequence[HostTrust]:
    return run_machines.trust_made(session, run_id, system_id, approve=False)


def trust_keys(session: Session, run_id: str, system_id: str, compared: Mapping[str, str]) -> Sequence[HostTrust]:
    """`compared`: host -> fingerprint that the person saw; another one that shows up since is not approved."""
    with TemporaryDirectory(prefix="govcloud-keys-") as folder:
        expected = Path(folder) / "fingerprints"
        expected.write_text("".join(f"{host} {shown}\n" for host, shown in compared.items()), "utf-8")
        return run_machines.trust_made(session, run_id, system_id, approve=True, expect=expected)
