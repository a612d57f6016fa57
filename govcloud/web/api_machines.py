"""/api: what a run made in clouds: the tickets of the cloud desk, and the host keys of new machines."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import File, UploadFile
from pydantic import Field

from govcloud.model.collect import HostTrust, TrustState
from govcloud.model.resource import Resource
from govcloud.model.text import Text
from govcloud.web.api_shape import Body, Name, Operating, Out, Reading, new_router
from govcloud.web.files import uploaded
from govcloud.web.machine_keys import look_at_keys, trust_keys
from govcloud.workflow import run_machines as workflow

router = new_router("runs")
Fingerprint = Annotated[str, Field(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]


class ShownKey(Out):
    host: str
    address: str
    port: int
    state: TrustState
    key_type: str | None
    shown: str | None = Field(description="Fingerprint of the key that the machine shows now")
    approved: list[str] = Field(description="Fingerprints that had been approved before")
    reason: Text | None


class KeysWanted(Body):
    fingerprints: Annotated[dict[Name, Fingerprint], Field(max_length=1000)] = Field(
        default={}, description="Host -> fingerprint that was compared; only these are approved. Empty: look only"
    )


@router.get("/runs/{run_id}/resources", response_model=list[Resource])
def get_resources(visit: Reading, run_id: Name) -> Any:
    """What the run made in clouds, deleted things and tickets included."""
    return workflow.list_resources(visit.session, run_id)


@router.post("/runs/{run_id}/systems/{system_id}/ticket", response_model=Resource)
def answer_ticket(visit: Operating, run_id: Name, system_id: Name, file: Annotated[UploadFile, File()]) -> Any:
    """The ticket that the cloud desk has filled in."""
    with uploaded(file) as path:
        return workflow.answer_ticket(visit.session, run_id, system_id, path)


@router.post("/runs/{run_id}/systems/{system_id}/host-keys", response_model=list[ShownKey])
def compare_host_keys(visit: Operating, run_id: Name, system_id: Name, wanted: KeysWanted) -> Any:
    """Asks the machines that were made for the system; where all keys are approved the system goes on."""
    if wanted.fingerprints:
        found = trust_keys(visit.session, run_id, system_id, wanted.fingerprints)
    else:
        found = look_at_keys(visit.session, run_id, system_id)
    return [_shown(trust) for trust in found]


def _shown(trust: HostTrust) -> dict[str, Any]:
    host = {"host": trust.host.name, "address": trust.host.address, "port": trust.host.port}
    return {**host, **{name: getattr(trust, name) for name in ShownKey.model_fields if name not in host}}
