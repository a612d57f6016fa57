"""What is decided about a takeover as a whole: planned, started, deferred, found not applicable, resumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from govcloud.access import FILE as HOSTS_FILE
from govcloud.access import load_hosts
from govcloud.errors import InputError, UsageError
from govcloud.execution.spec import FOLDER as SPEC_FOLDER
from govcloud.execution.spec import load_spec
from govcloud.handover.evidence import refuse_secrets
from govcloud.handover.login import load_identity, parse_public_key
from govcloud.handover.signoff import is_signed
from govcloud.handover.states import verify_decision
from govcloud.model.handover import Act, Decision, Handover, Level, Origin
from govcloud.model.ids import build_id, normalize
from govcloud.model.inventory import System
from govcloud.model.run import MOVED
from govcloud.model.server import Server
from govcloud.model.text import Text
from govcloud.store import handover as handover_store
from govcloud.store.listing import load_entities
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import Takeover, checklist_of, record, show, today

VERSION = 2
"""Of the rules by which new takeovers go (model.handover.Handover.version)."""


def plan_takeover(
    session: Session, system_id: str, *, level: Level, builder: str, until: date, dual_run_until: date | None = None
) -> Takeover:
    """List the system for takeover by a unit until a day, or change what was planned; the dual run's day can be agreed anew.

    Obstacles are in the result. Raises UsageError for an unknown system, and for another unit once the work has begun.
    """

    def build(handover: Handover, decision: Decision) -> tuple[Handover, dict[str, object]]:
        unit = builder.strip()
        if handover.builder and unit != handover.builder and any(d.act == "start" for d in handover.decisions):
            raise UsageError(
                Text("接管已开始，不能换接管单位", "The takeover has begun: its unit stays"), where=handover.handover_id
            )
        agreed = dual_run_until or handover.dual_run_until
        body: dict[str, object] = {
            "builder": unit, "level": level, "until": str(until), "dual_run_until": str(agreed) if agreed else None
        }  # fmt: skip
        return replace(handover, builder=unit, level=level, dual_run_until=agreed), body

    return _decide(session, system_id, "plan", build, until=until)


def defer(session: Session, system_id: str, *, reason: str, until: date | None = None) -> Takeover:
    """Put the takeover off, for a reason; `until`: when it is looked at again."""
    body: dict[str, object] = {"reason": reason, "until": str(until) if until else None}
    return _decide(session, system_id, "defer", lambda h, _: (h, body), reason=reason, until=until)


def exclude(session: Session, system_id: str, *, reason: str) -> Takeover:
    """The system is not taken over at all, for a reason."""
    return _decide(session, system_id, "exclude", lambda h, _: (h, {"reason": reason}), reason=reason)


def resume(session: Session, system_id: str) -> Takeover:
    """Take a deferral or an exclusion back: the takeover goes on where it was."""
    return _decide(session, system_id, "resume", lambda h, _: (h, {}))


def start_takeover(
    session: Session,
    system_id: str,
    *,
    builder: str | None = None,
    builder_key: Path | None = None,
    identity: Path | None = None,
    hosts: Sequence[str] = (),
    dual_run_until: date | None = None,
    level: Level | None = None,
) -> Takeover:
    """Begin the work. Unit and level: as given, else as planned; level `full` where nothing was.

    Hosts: as named; else the migration target of a system that a run moved, the servers of any other that hosts.yaml
    knows. At level `register` access stays where it is: neither key nor hosts are needed. `identity` only proves here
    that the builder holds the private key; it is not kept. Raises UsageError for an unknown system or host and where the
    unit is missing, InputError for an unusable key.
    """
    key = _public_key(builder_key) if builder_key else ""
    if identity is not None and key.split()[1:2] != [load_identity(identity).get_base64()]:
        raise InputError(
            Text("私钥与对方公钥不是一对", "The private key does not belong to the public key"), where=str(identity)
        )
    with session.store.read() as tx:
        origin: Origin = "migrated" if system_id in handover_store.moved_systems(tx, MOVED) else "legacy"
        planned = _newest(tx, system_id)
        wanted = level or (planned.level if planned else "full")
        names = tuple(dict.fromkeys(hosts)) or (
            () if wanted == "register" else _hosts_of(session, _system(tx, system_id), tx, origin)
        )
    if wanted != "register" and not key:
        raise UsageError(
            Text("换钥需要对方公钥", "Keys change hands: the builder's public key is needed"),
            where=system_id,
            next_step=Text(
                "加 --builder-key 文件.pub，或 --level register 只登记",
                "Add --builder-key FILE.pub, or --level register",
            ),
        )
    _check_hosts(session, names, key)

    def build(handover: Handover, decision: Decision) -> tuple[Handover, dict[str, object]]:
        unit = (builder or handover.builder).strip()
        if not unit:
            raise UsageError(
                Text("没有写接管单位", "Who takes over is missing"),
                where=system_id,
                next_step=Text("加 --builder 单位名称", "Add --builder NAME"),
            )
        started = replace(
            handover, builder=unit, builder_key=key, hosts=names, level=wanted, origin=origin,
            dual_run_until=dual_run_until or handover.dual_run_until, started_by=decision.actor, started_at=decision.at,
        )  # fmt: skip
        return started, {
            "builder": unit, "builder_key": key, "hosts": list(names), "level": wanted, "origin": origin,
            "dual_run_until": str(started.dual_run_until) if started.dual_run_until else None, "key_pair_shown": identity is not None,
        }  # fmt: skip

    return _decide(session, system_id, "start", build)


def _decide(
    session: Session,
    system_id: str,
    act: Act,
    build: Callable[[Handover, Decision], tuple[Handover, dict[str, object]]],
    *,
    reason: str | None = None,
    until: date | None = None,
) -> Takeover:
    """One decision about the newest takeover of the system, or about a new one where there is none or it is signed."""
    if reason is not None:
        refuse_secrets(reason.encode(), system_id, passwords=True)
    checklist = checklist_of(session)
    decision = Decision(act=act, actor=session.actor, at=session.now(), reason=reason, until=until)
    with session.store.begin() as tx:
        _system(tx, system_id)
        found = handover_store.handovers_of(tx, system_id)
        handover = _newest(tx, system_id) or Handover(
            handover_id=build_id("H", system_id, decision.at.isoformat()), system_id=system_id, builder="",
            started_by=decision.actor, started_at=decision.at, version=VERSION,
        )  # fmt: skip
        obstacles = verify_decision(checklist, found[-1] if found else None, act, today(session))
        if obstacles:
            return show(session, checklist, found[-1] if found else handover, obstacles)
        changed, body = build(handover, decision)
        changed = replace(changed, decisions=(*changed.decisions, decision))
        record(session, tx, changed, act, body)
    return show(session, checklist, changed)


def _newest(tx: Connection, system_id: str) -> Handover | None:
    """The takeover that is going on; a signed one is over, and the next unit gets one of its own."""
    found = handover_store.handovers_of(tx, system_id)
    return found[-1] if found and not is_signed(found[-1]) else None


def _system(tx: Connection, system_id: str) -> System:
    found = load_entities(tx, "system", [system_id])
    if not found:
        raise UsageError(
            Text("台账中没有这个系统", "No such system in the inventory"),
            where=system_id,
            next_step=Text(
                "先导入普查表，用 govcloud inventory systems 查看编号",
                "Import the census first; govcloud inventory systems shows the ids",
            ),
        )
    entity: System = found[0].entity
    return entity


def _public_key(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            Text("公钥文件读不了：{why}", "The public key can't be read: {why}").format(
                why=getattr(error, "strerror", None) or error
            ),
            where=str(path),
        ) from None
    refuse_secrets(text.encode(), str(path))
    return parse_public_key(text, str(path))


def _hosts_of(session: Session, system: System, tx: Connection, origin: Origin) -> tuple[str, ...]:
    """Names in hosts.yaml of the hosts that the system is on."""
    if origin == "migrated":
        spec = load_spec(session.workspace.path / SPEC_FOLDER, system.system_id)
        return tuple(dict.fromkeys(machine.target for machine in spec.machines))
    servers: list[Server] = [found.entity for found in load_entities(tx, "server", system.servers)]
    told = {normalize(text) for s in servers for text in (s.server_id, s.name, *s.addresses)}
    known = load_hosts(session.workspace.path / HOSTS_FILE)
    names = tuple(host.name for host in known if {normalize(host.name), host.address} & told)
    if not names:
        raise UsageError(
            Text("hosts.yaml 中没有该系统的主机", "hosts.yaml has no host of this system"),
            where=system.system_id,
            next_step=Text(
                "用 --host 指定主机，或 --level register 只登记", "Name them with --host, or use --level register"
            ),
        )
    return names


def _check_hosts(session: Session, names: Sequence[str], key: str) -> None:
    path = session.workspace.path / HOSTS_FILE
    known = {host.name: host for host in load_hosts(path)} if names else {}
    for name in names:
        host = known.get(name)
        if host is None or host.key_file is None:
            raise UsageError(
                Text("hosts.yaml 中没有这台主机，或没有写 key_file", "Not in hosts.yaml, or without a key_file"),
                where=name,
                next_step=Text("在 {path} 中补上", "Add it to {path}").format(path=path),
            )
        if key and load_identity(Path(host.key_file)).get_base64() == key.split()[1]:
            raise InputError(
                Text("对方公钥就是我方现用的密钥", "The builder's key is the one that we use"),
                where=name,
                next_step=Text(
                    "请对方生成自己的密钥，只交公钥", "Let the builder make a key of his own and give the public part"
                ),
            )
