"""Clouds and existing Ansible inventories into the inventory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from govcloud.discovery.ansible_inventory import read_ansible_inventory
from govcloud.errors import UsageError
from govcloud.events import Event
from govcloud.model.clouds import AnsibleResult, CloudReading, CloudResult
from govcloud.model.collect import Change
from govcloud.model.text import Text
from govcloud.workflow.session import Session
from govcloud.workflow.statements import store_statements

_READ = Text("读取云平台", "Read the cloud")


def discover_openstack(
    session: Session,
    *,
    cloud: str | None = None,
    all_projects: bool = False,
    ca: Path | None = None,
    name: str | None = None,
    department: str | None = None,
    zone: str | None = None,
) -> CloudResult:
    """Ask an OpenStack cloud of clouds.yaml or OS_* what it runs. Raises UsageError, OutsideError."""
    try:
        from govcloud.discovery.openstack import collect_openstack
    except ImportError as error:
        raise _not_installed(error) from None
    reading = collect_openstack(
        cloud, ca=ca, all_projects=all_projects, name=name, now=session.now, department=department, zone=zone,
        on_kind=_progress(session),
    )  # fmt: skip
    return _store(session, reading)


def discover_ec2(
    session: Session,
    *,
    endpoint: str | None = None,
    s3_endpoint: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    ca: Path | None = None,
    name: str | None = None,
    department: str | None = None,
    zone: str | None = None,
) -> CloudResult:
    """Ask a cloud with an EC2-compatible interface what it runs. Raises UsageError, OutsideError."""
    try:
        from govcloud.discovery.ec2 import collect_ec2
    except ImportError as error:
        raise _not_installed(error) from None
    reading = collect_ec2(
        endpoint=endpoint, s3_endpoint=s3_endpoint, region=region, profile=profile, ca=ca, name=name, now=session.now,
        department=department, zone=zone, on_kind=_progress(session),
    )  # fmt: skip
    return _store(session, reading)


def discover_ansible(
    session: Session, paths: Sequence[Path], *, department: str | None = None, zone: str | None = None
) -> AnsibleResult:
    """Take the hosts of existing Ansible inventories. Raises InputError before anything of any of them is stored."""
    at = session.now()
    readings = tuple(
        read_ansible_inventory(path, observed_at=at, department=department, zone=zone)
        for path in dict.fromkeys(p.resolve() for p in paths)
    )
    changes: list[Change] = []
    for reading in readings:
        body = {
            "ansible_inventory": reading.file, "hosts": len(reading.hosts), "refused": len(reading.refused),
            "ignored_variables": list(reading.ignored_variables),
        }  # fmt: skip
        source = f"ansible:{reading.file}"
        changes += store_statements(
            session, kind="import", source=source, statements=reading.statements, body=body
        ).changes
    return AnsibleResult(readings=readings, changes=tuple(changes))


def _store(session: Session, reading: CloudReading) -> CloudResult:
    # What a complete reading does not show is gone from the cloud. One with gaps can't know: it only adds.
    stored = store_statements(
        session, kind="import" if reading.complete else "discover", source=reading.place,
        statements=reading.statements,
        body={
            "cloud": reading.cloud, "scope": reading.scope, "counts": dict(reading.counts),
            "gaps": {gap.kind: gap.reason.en for gap in reading.gaps},
        },
    )  # fmt: skip
    return CloudResult(reading=reading, changes=stored.changes)


def _progress(session: Session) -> Callable[[str, int, int], None]:
    def on_kind(kind: str, done: int, total: int) -> None:
        session.observer.on_event(Event(what=_READ, subject=kind, done=done, total=total))

    return on_kind


def _not_installed(error: ImportError) -> UsageError:
    return UsageError(
        Text("没有安装读取云平台的组件", "The part that reads clouds is not installed"), where=error.name or "",
        next_step=Text('运行 pip install "govcloud[clouds]"', 'Run pip install "govcloud[clouds]"'),
    )  # fmt: skip
