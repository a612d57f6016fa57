"""What the store knows for a takeover: items of the checklist that nobody writes by hand."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from govcloud.discovery.traffic import port_kind
from govcloud.errors import UsageError
from govcloud.handover.checklist import acceptances_in_force
from govcloud.handover.signoff import is_signed
from govcloud.model.handover import Checklist, ChecklistItem, DataFact, DataItem, DataKind, Handover
from govcloud.model.inventory import Dependency, Network, Project, System
from govcloud.model.server import Server
from govcloud.model.text import Text
from govcloud.store import attempt as attempt_store
from govcloud.store import run as run_store
from govcloud.store.finding import last_check_on, open_findings
from govcloud.store.inventory import load_part
from govcloud.store.listing import load_entities
from govcloud.store.waiver import list_waivers
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import today

_BACKUP = re.compile(r"backup|dump|rsync|restic|borg|bacula|bareos|备份", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    item_id: str
    facts: tuple[DataFact, ...]
    content: bytes
    """JSON: what an acceptance freezes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The part of the store that a system's takeover is about."""

    tx: Connection
    system: System
    servers: tuple[Server, ...]
    networks: tuple[Network, ...]
    dependencies: tuple[Dependency, ...]
    projects: tuple[Project, ...]
    today: date

    @property
    def subjects(self) -> frozenset[str]:
        """Ids of the system and what it stands on."""
        servers, networks = (s.server_id for s in self.servers), (n.network_id for n in self.networks)
        return frozenset({self.system.system_id, *servers, *networks})


def data_items(checklist: Checklist, names: Sequence[str] = ()) -> list[ChecklistItem]:
    """Those named, or all. Raises UsageError for a name that is none."""
    found = {item.item_id: item for group in checklist.groups for item in group.items if item.source == "data"}
    if strange := [name for name in names if name not in found]:
        raise UsageError(
            Text("不是台账自动生成的清单项", "Not an item that the store fills"),
            where=", ".join(strange),
            next_step=Text("可用：{names}", "Those are: {names}").format(names=", ".join(found)),
        )
    return [found[name] for name in dict.fromkeys(names)] or list(found.values())


def build_data(session: Session, handover: Handover, items: Iterable[ChecklistItem]) -> tuple[DataItem, ...]:
    """The data items as the store fills them now, and whether they are still what was accepted.

    What both have signed is past: changes of the estate since then are no matter of this takeover (its own is one of them).
    """
    accepted = {} if is_signed(handover) else acceptances_in_force(handover)
    return tuple(
        DataItem(
            item_id=s.item_id, facts=s.facts, sha256=hashlib.sha256(s.content).hexdigest(),
            accepted_sha256=accepted[s.item_id].sha256 if s.item_id in accepted else None,
        )
        for s in build_snapshots(session, handover, items)
    )  # fmt: skip


def build_snapshots(session: Session, handover: Handover, items: Iterable[ChecklistItem]) -> list[Snapshot]:
    """One for each item of source `data`; same state of the store, same bytes."""
    wanted = [item for item in items if item.data is not None]
    if not wanted:
        return []
    with session.store.read() as tx:
        known = _load(tx, handover.system_id, today(session))
        facts = {item.item_id: tuple(_BUILDERS[item.data](known)) for item in wanted if item.data}
    return [
        Snapshot(item_id=name, facts=found, content=_content(handover.system_id, name, found))
        for name, found in facts.items()
    ]


def _content(system_id: str, item_id: str, facts: Sequence[DataFact]) -> bytes:
    def plain(value: Text | str | None) -> object:
        return {"zh": value.zh, "en": value.en} if isinstance(value, Text) else value

    rows = [
        {"subject": f.subject, "what": plain(f.what), "value": plain(f.value), "ends_on": str(f.ends_on) if f.ends_on else None}
        for f in facts
    ]  # fmt: skip
    document = {"system_id": system_id, "item_id": item_id, "facts": rows}
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _load(tx: Connection, system_id: str, day: date) -> _Known:
    found = load_entities(tx, "system", [system_id])
    system: System = found[0].entity if found else System(system_id=system_id, name=system_id)
    servers: tuple[Server, ...] = tuple(e.entity for e in load_entities(tx, "server", system.servers))
    estate = load_part(tx, ("network", "dependency", "project"))
    ends = {system_id, *system.servers}
    return _Known(
        tx=tx, system=system, servers=servers, today=day,
        networks=tuple(n for n in estate.networks if n.network_id in system.networks or system_id in n.systems),
        dependencies=tuple(d for d in estate.dependencies if d.binds and {d.source_id, d.target_id} & ends),
        projects=tuple(p for p in estate.projects if system_id in p.systems),
    )  # fmt: skip


def _fact(subject: str, zh: str, en: str, value: object, ends_on: date | None = None) -> DataFact:
    told = value if isinstance(value, Text) or value is None else str(value)
    return DataFact(subject=subject, what=Text(zh, en), value=told or None, ends_on=ends_on)


def _joined(parts: Iterable[object]) -> str | None:
    return ", ".join(str(part) for part in parts if part is not None) or None


def _servers(known: _Known) -> Iterator[DataFact]:
    if not known.servers:
        yield _fact(known.system.system_id, "服务器", "servers", None)
    for s in known.servers:
        yield _fact(s.server_id, "名称与位置", "name and place", _joined((s.name, s.cloud or s.location)))
        yield _fact(s.server_id, "操作系统", "operating system", _joined((s.os_name, s.os_version)))
        size = (_number(s.cpu_count, "vCPU"), _number(s.memory_gib, "GiB RAM"), _number(s.disk_gib, "GiB disk"))
        yield _fact(s.server_id, "处理器、内存、磁盘", "processors, memory, disk", _joined(size))


def _number(value: float | None, unit: str) -> str | None:
    return None if value is None else f"{value:g} {unit}"


def _ports(known: _Known) -> Iterator[DataFact]:
    for s in known.servers:
        yield _fact(s.server_id, "地址", "addresses", _joined(s.addresses))
        sockets = sorted({f"{k.port}/{k.protocol} {k.process or ''}".strip() for k in s.sockets})
        yield _fact(s.server_id, "监听端口", "listening ports", _joined(sockets))


def _networks(known: _Known) -> Iterator[DataFact]:
    for n in known.networks:
        if n.kind in ("dedicated", None) and n.closed_on is None:
            told = _joined((n.name, n.carrier, n.target))
            yield _fact(
                n.network_id,
                "业务专网及合同到期日",
                "dedicated network and end of its contract",
                told,
                n.contract_ends_on,
            )


def _licences(known: _Known) -> Iterator[DataFact]:
    for s in known.servers:
        for package in s.packages:
            yield _fact(s.server_id, "软件", "software", _joined((package.name, package.version)))
            yield DataFact(
                subject=s.server_id, value=None,
                what=Text("{name} 的许可到期日", "end of the licence of {name}").format(name=package.name),
            )  # fmt: skip


def _names(known: _Known) -> Iterator[DataFact]:
    s = known.system
    yield _fact(s.system_id, "访问地址", "address on the web", s.url)
    yield _fact(s.system_id, "证书到期日", "end of the certificate", None)
    yield _fact(s.system_id, "等保备案号", "number of the classified-protection filing", s.mlps_filing_no)


def _interfaces(known: _Known) -> Iterator[DataFact]:
    if not known.dependencies:
        yield _fact(known.system.system_id, "接口与依赖", "interfaces and dependencies", None)
    own = {known.system.system_id, *known.system.servers}
    for d in known.dependencies:
        told = _joined((d.target_id if d.source_id in own else d.source_id, d.kind, d.port, d.strength))
        if d.source_id in own:
            yield _fact(d.source_id, "依赖", "needs", told)
        else:
            yield _fact(d.target_id, "被依赖", "is needed by", told)


def _login_accounts(known: _Known) -> Iterator[DataFact]:
    for s in known.servers:
        yield _fact(s.server_id, "可登录账号", "accounts that can log in", _joined(s.login_users))


def _contracts(known: _Known) -> Iterator[DataFact]:
    s = known.system
    yield _fact(s.system_id, "现运维单位及到期日", "maintained by, until", s.maintained_by, s.maintenance_ends_on)
    yield _fact(s.system_id, "建设单位", "built by", s.builder)
    yield _fact(s.system_id, "开发方联系方式", "how to reach the developer", s.developer_contact)
    for p in known.projects:
        yield _fact(p.project_id, "项目", "project", _joined((p.number, p.name)))
        yield _fact(
            p.project_id,
            "合同编号与签订日",
            "contract and day of signature",
            _joined((p.contract_number, p.contract_signed_on)),
        )
        yield _fact(p.project_id, "竣工验收日", "day of acceptance", p.acceptance_completed_on)


def _monitoring_targets(known: _Known) -> Iterator[DataFact]:
    for s in known.servers:
        agents = sorted(
            {f"{k.port} {k.process or ''}".strip() for k in s.sockets if port_kind(k.port, k.process) == "monitoring"}
        )
        yield _fact(s.server_id, "监控代理", "monitoring agents", _joined(agents))


def _backup_jobs(known: _Known) -> Iterator[DataFact]:
    for s in known.servers:
        jobs = [job for job in s.scheduled if _BACKUP.search(job)]
        yield _fact(s.server_id, "定时备份任务", "scheduled backup jobs", _joined(jobs))


def _capacity(known: _Known) -> Iterator[DataFact]:
    for s in known.servers:
        load = (
            _number(s.cpu_p95_pct, "% CPU p95"),
            _number(s.memory_p95_pct, "% RAM p95"),
            _number(s.disk_used_gib, "GiB used"),
        )
        yield _fact(s.server_id, "负载", "load", _joined(load))


def _findings(known: _Known) -> Iterator[DataFact]:
    if last_check_on(known.tx) is None:
        yield _fact(known.system.system_id, "合规核对", "check against the regulations", None)
    waived = {w.finding_id for w in list_waivers(known.tx) if w.valid(known.today)}
    for f in open_findings(known.tx):
        if f.subject_id in known.subjects and f.finding_id not in waived:
            yield DataFact(subject=f.subject_id, what=f.title, value=f.finding_id, ends_on=f.due_on)


def _waivers(known: _Known) -> Iterator[DataFact]:
    for w in list_waivers(known.tx):
        if w.subject_id in known.subjects and w.valid(known.today):
            yield _fact(
                w.subject_id, "豁免，依据文件", "waived by document", f"{w.document} ({w.finding_id})", w.valid_until
            )


def _run_faults(known: _Known) -> Iterator[DataFact]:
    """The last attempt of a step and phase, where it did not succeed or has no result."""
    for run_id in sorted(run_store.runs_of(known.tx, [known.system.system_id])):
        attempts = attempt_store.attempts(known.tx, run_id, known.system.system_id)
        for a in {(a.key.step, a.key.phase): a for a in attempts}.values():
            if a.result is None or a.result.status != "ok":
                why = a.result.reasons[0] if a.result and a.result.reasons else Text("没有结果", "no result")
                step = Text("步骤 {step}（{phase}）", "step {step} ({phase})").format(
                    step=a.key.step, phase=a.key.phase
                )
                yield DataFact(subject=run_id, what=step, value=why)


_BUILDERS: Mapping[DataKind, Callable[[_Known], Iterator[DataFact]]] = {
    "servers": _servers, "ports": _ports, "licences": _licences, "names": _names, "interfaces": _interfaces,
    "login_accounts": _login_accounts, "contracts": _contracts, "monitoring_targets": _monitoring_targets,
    "backup_jobs": _backup_jobs, "capacity": _capacity, "findings": _findings, "waivers": _waivers,
    "run_faults": _run_faults, "dedicated_networks": _networks,
}  # fmt: skip
