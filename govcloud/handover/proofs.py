"""What the proofs of a takeover say together: pure."""

from __future__ import annotations

from govcloud.model.handover import Handover, Proof, ProofKind


def latest(handover: Handover, kind: ProofKind) -> dict[str, Proof]:
    """Host -> its newest proof of this kind."""
    return {host: proof for proof in handover.proofs if proof.kind == kind for host in proof.hosts}


def verdict(handover: Handover, kind: ProofKind) -> bool | None:
    """True: proved on every host of the takeover. False: disproved on one. None: not looked at everywhere.

    A restore is a matter of the hosts that have backups: those count for which it was tried, and at least one must.
    """
    found: dict[str, bool | None] = {host: proof.ok for host, proof in latest(handover, kind).items()}
    if kind == "keys":
        found |= _rotated(handover)
    hosts = tuple(host for host in handover.hosts if host in found) if kind == "restore" else handover.hosts
    answers = [found.get(host) for host in hosts]
    if False in answers:
        return False
    return True if answers and None not in answers else None


def _rotated(handover: Handover) -> dict[str, bool | None]:
    """Host -> what the newest change of keys proved of the account that we log in to, where no proof is newer."""
    proved = {host: proof.at for host, proof in latest(handover, "keys").items()}
    return {
        done.host: done.ok
        for rotation in handover.rotations
        for done in rotation.hosts
        if done.host not in proved or rotation.at > proved[done.host]
    }
