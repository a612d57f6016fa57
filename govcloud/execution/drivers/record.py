"""What is being made, one line a change, on the disk before anything is asked of a cloud."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec

from govcloud.model.resource import Resource

FILE = "resources.jsonl"


def read_resources(path: Path) -> tuple[Resource, ...]:
    """The lines in order, each a whole Resource; the last one of an id counts. A line that a crash tore off is left out."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    found = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=Resource))
        except msgspec.DecodeError:
            continue
    return tuple(found)


class Record:
    """The list of one system in one run: what earlier attempts left, and what this one adds to it."""

    def __init__(self, folder: Path, known: Sequence[Resource], now: Callable[[], datetime]) -> None:
        self._path, self._now = folder / FILE, now
        self._latest = {r.resource_id: r for r in (*known, *read_resources(self._path))}
        if self._path.exists() and not self._path.read_bytes().endswith(b"\n"):
            self._append(b"\n")

    @property
    def present(self) -> tuple[Resource, ...]:
        """What exists, or may exist, in the order of asking."""
        return tuple(sorted((r for r in self._latest.values() if r.deleted_at is None), key=lambda r: r.intent_at))

    def get(self, resource_id: str) -> Resource | None:
        found = self._latest.get(resource_id)
        return found if found is not None and found.deleted_at is None else None

    def intend(self, resource: Resource) -> Resource:
        """Before the call. What was intended before keeps its moment: it may exist since then."""
        return self._keep(replace(resource, intent_at=self._now()))

    def made(self, resource: Resource, external_id: str, address: str | None) -> Resource:
        """Right after the answer."""
        created = resource.created_at or self._now()
        return self._keep(replace(resource, external_id=external_id, address=address, created_at=created))

    def deleted(self, resource: Resource) -> Resource:
        return self._keep(replace(resource, deleted_at=self._now()))

    def _keep(self, resource: Resource) -> Resource:
        if self._latest.get(resource.resource_id) != resource:
            self._append(msgspec.json.encode(resource) + b"\n")
            self._latest[resource.resource_id] = resource
        return resource

    def _append(self, data: bytes) -> None:
        new = not self._path.exists()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
