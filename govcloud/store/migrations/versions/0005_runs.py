"""Runs get a row for each system, attempts a phase and a token; gates, answers and orders take the place of one approval a run.

What an older version had begun is never carried on: its playbooks, markers and approvals mean something else now. Its systems
end here, with words, and as near to the truth as the old records allow; where the source may be frozen the way back stays
open, from the migration file as it was frozen then. The ledger keeps every old record as it was written.
"""

import json
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from alembic import op

from govcloud.store.schema import metadata

revision = "0005"
down_revision = "0004"

_OLD = ("attempt", "approval", "run")
_BEFORE_FREEZE = ("precheck", "replicate")
_ENDS = {"done": "trial", "failed": "failed", "rolled_back": "rolled_back", "needs_person": "needs_person"}
_ORDERS = {"rerun": "rerun", "mark-done": "done", "abort": "abort"}
_UNKNOWN = {
    "zh": "由旧版本开始，升级时没有结果；不知道它做到了哪里",
    "en": "begun by an older version and without a result when it was upgraded; how far it came is not known",
}
_GO_BACK = {
    "zh": "这次迁移由旧版本开始，不能由本版本继续。先确认没有旧的 ansible-playbook 进程，再让源恢复服务："
    "govcloud run rollback {run} {system}；之后可重新发起",
    "en": "This migration was begun by an older version and can't be carried on by this one. See that no ansible-playbook "
    "of it is left, then let the source serve again: govcloud run rollback {run} {system}; after that it can be started anew",
}
_GIVEN_UP = {
    "zh": "这次迁移由旧版本开始，不能由本版本继续；源没有被触碰，仍在服务。可重新发起：govcloud run start {system}",
    "en": "This migration was begun by an older version and can't be carried on by this one; its source was not touched and "
    "serves. Start it anew: govcloud run start {system}",
}
_TRIAL = {
    "zh": "由旧版本迁移，目标正在服务，源仍保留。验收：govcloud run accept {run} {system}；"
    "回到源：govcloud run rollback {run} {system}",
    "en": "Migrated by an older version: the target serves and the source is kept. Accept it: govcloud run accept {run} "
    "{system}; go back: govcloud run rollback {run} {system}",
}


def upgrade() -> None:
    bind = op.get_bind()
    # A new database has today's tables from 0001; `approval` is one that only older ones have.
    if sa.inspect(bind).has_table("approval"):
        _convert(bind)
    metadata.create_all(bind)


def _convert(bind: sa.Connection) -> None:
    runs = [json.loads(body) for body in bind.execute(sa.text("SELECT body FROM run ORDER BY created_at")).scalars()]
    approvals = bind.execute(sa.text("SELECT * FROM approval ORDER BY at")).mappings().all()
    attempts = _attempts(
        json.loads(body) for body in bind.execute(sa.text("SELECT body FROM attempt ORDER BY claimed_at")).scalars()
    )
    for name in _OLD:
        op.drop_table(name)
    metadata.create_all(bind)
    rows: dict[str, list[dict[str, Any]]] = {
        "run": [_run_row(run) for run in runs],
        "run_system": [
            _system_row(run, position, [a for a in attempts if _of(a, run["run_id"], system)])
            for run in runs
            for position, system in enumerate(run["systems"], start=1)
        ],
        "step_attempt": [_attempt_row(attempt) for attempt in attempts],
        "run_order": [_order_row(run, n, d) for run in runs for n, d in enumerate(run.get("decisions", ()), start=1)],
        **_gate_rows(runs, approvals, attempts),
    }
    for name, values in rows.items():
        if values:
            bind.execute(sa.insert(metadata.tables[name]), values)


def _of(attempt: dict[str, Any], run_id: str, system_id: str) -> bool:
    return (attempt["key"]["run_id"], attempt["key"]["system_id"]) == (run_id, system_id)


def _attempts(old: Any) -> list[dict[str, Any]]:
    """In the order in which they were claimed; tokens count the claims of each system, as they do from now on."""
    tokens: dict[str, int] = {}
    made = []
    for was in old:
        system = was["system_id"]
        tokens[system] = tokens.get(system, 0) + 1
        # The old way back was one playbook for everything; what matters of it is that the source was thawed.
        back = was["step"] == "rollback"
        key = {
            "run_id": was["run_id"], "system_id": system, "step": "freeze" if back else was["step"],
            "phase": "rollback" if back else "apply", "number": was["number"],
        }  # fmt: skip
        result = was.get("result") or {"status": "unknown", "reasons": [_UNKNOWN], "started_at": was["claimed_at"]}
        if result["status"] == "skipped":
            result = {**result, "status": "ok"}
        made.append({
            "key": key, "token": tokens[system], "executor": was["executor"],
            "machine_id": was["executor"].rpartition("@")[2], "state": "ended", "claimed_at": was["claimed_at"],
            "heartbeat_at": was["claimed_at"],
            "result": {**result, "finished_at": result.get("finished_at") or was["claimed_at"]},
        })  # fmt: skip
    return made


def _run_row(run: dict[str, Any]) -> dict[str, Any]:
    kept = ("run_id", "plan_id", "wave", "scope", "scope_hash", "created_at", "created_by", "systems")
    return {
        "run_id": run["run_id"], "plan_id": run.get("plan_id"), "scope_hash": run["scope_hash"],
        "created_at": _instant(run["created_at"]), "created_by": run["created_by"],
        # Tells the way to leave it alone: these attempts are not the steps that it knows.
        "body": _dump({key: run.get(key) for key in kept} | {"settings": {"older_version": down_revision}}),
    }  # fmt: skip


def _system_row(run: dict[str, Any], position: int, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    system = run["systems"][position - 1]
    state = _state(run, system, attempts)
    last = attempts[-1] if attempts else None
    since = last["result"]["finished_at"] if last else run["created_at"]
    words = {"needs_person": _GO_BACK, "trial": _TRIAL}.get(state)
    if run.get("outcomes", {}).get(system) is None and state == "cancelled":
        words = _GIVEN_UP
    wait = None
    if words is not None:
        text = {lang: line.format(run=run["run_id"], system=system) for lang, line in words.items()}
        wait = {"kind": "order", "text": text, "since": since}
    body = {
        "run_id": run["run_id"], "system_id": system, "position": position, "spec": _spec(run["specs"][system]),
        "scope_hash": run["scope_hash"], "state": state, "step": last["key"]["step"] if last else None, "leg": 0,
        "since": since, "wait": wait, **_downtime(attempts),
    }  # fmt: skip
    return {
        "run_id": run["run_id"], "system_id": system, "position": position, "state": state, "zone": None,
        "wait_kind": wait and wait["kind"], "leg": 0, "body": _dump(body),
    }  # fmt: skip


def _state(run: dict[str, Any], system: str, attempts: list[dict[str, Any]]) -> str:
    """What is known of both ends. A system without an outcome was under way, or had not begun."""
    if (outcome := run.get("outcomes", {}).get(system)) is not None:
        return _ENDS[outcome]
    if attempts and attempts[-1]["key"]["phase"] == "rollback" and attempts[-1]["result"]["status"] == "ok":
        return "rolled_back"
    touched = any(a["key"]["phase"] == "rollback" or a["key"]["step"] not in _BEFORE_FREEZE for a in attempts)
    return "needs_person" if touched else "cancelled"


def _downtime(attempts: list[dict[str, Any]]) -> dict[str, Any]:
    """From the first freeze to the last proof of service, from either end."""
    frozen = [a["result"].get("started_at") or a["claimed_at"] for a in attempts if _is(a, "freeze", "apply")]
    served = [
        a["result"]["finished_at"]
        for a in attempts
        if a["result"]["status"] == "ok" and (_is(a, "verify_service", "apply") or _is(a, "freeze", "rollback"))
    ]
    return {"downtime_from": frozen[0] if frozen else None, "downtime_to": served[-1] if frozen and served else None}


def _is(attempt: dict[str, Any], step: str, phase: str) -> bool:
    return bool(attempt["key"]["step"] == step and attempt["key"]["phase"] == phase)


def _attempt_row(attempt: dict[str, Any]) -> dict[str, Any]:
    result = attempt["result"]
    return {
        **attempt["key"], "token": attempt["token"], "executor": attempt["executor"], "state": "ended",
        "machine_id": attempt["machine_id"], "claimed_at": _instant(attempt["claimed_at"]),
        "heartbeat_at": _instant(attempt["heartbeat_at"]), "status": result["status"],
        "finished_at": _instant(result["finished_at"]), "body": _dump(attempt),
    }  # fmt: skip


def _order_row(run: dict[str, Any], number: int, decision: dict[str, Any]) -> dict[str, Any]:
    step = decision.get("step")
    whole = step is None  # was said of the system: the way back
    body = {
        "number": number, "run_id": run["run_id"], "system_id": decision["system_id"],
        "kind": "rollback" if whole else _ORDERS[decision["choice"]],
        "step": "freeze" if step == "rollback" else step,
        "phase": None if whole else "rollback" if step == "rollback" else "apply",
        "attempt": None if whole else decision["attempt"], "actor": decision["actor"], "at": decision["at"],
        "reason": decision.get("reason"),
    }  # fmt: skip
    return {"run_id": run["run_id"], "number": number, "system_id": body["system_id"], "body": _dump(body)}


def _gate_rows(runs: list[dict[str, Any]], approvals: Any, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer for a whole run was asked for before its first replication, where `prepare` has its gate now."""
    given = {
        run_id: list(found)
        for run_id, found in groupby(sorted(approvals, key=itemgetter("run_id")), itemgetter("run_id"))
    }
    gates, answers = [], []
    for run in runs:
        for system in run["systems"]:
            gate_id = f"{run['run_id']}/{system}/prepare/1"
            own = [a for a in attempts if _of(a, run["run_id"], system) and a["key"]["step"] != "precheck"]
            used = own[0]["claimed_at"] if own else None
            said = given.get(run["run_id"], [])
            if not said:
                continue
            body = {
                "gate_id": gate_id, "run_id": run["run_id"], "system_id": system, "step": "prepare", "kind": "approval",
                "scope_hash": run["scope_hash"], "opened_at": run["created_at"], "used_at": used,
            }  # fmt: skip
            gates.append({
                "gate_id": gate_id, "run_id": run["run_id"], "system_id": system, "opened_at": _instant(run["created_at"]),
                "used_at": used and _instant(used), "body": _dump(body),
            })  # fmt: skip
            for row in said:
                # Over as soon as it was given: what it approved ended with the older version.
                answer = {
                    "gate_id": gate_id, "actor": row["actor"], "at": row["at"], "granted": row["decision"] == "approved",
                    "expires_at": row["at"], "reason": row["reason"],
                }  # fmt: skip
                answers.append({
                    "gate_id": gate_id, "actor_key": row["actor"].strip().casefold(), "at": row["at"],
                    "body": _dump(answer),
                })  # fmt: skip
    return {"gate": gates, "gate_answer": answers}


def _spec(old: dict[str, Any]) -> dict[str, Any]:
    source, target, entry = old["source"], old["target"], old["entry"]
    database = []
    if source.get("database") and target.get("database"):
        database = [{"kind": "postgresql", "source": source["database"], "target": target["database"]}]
    machine = {"source": source["host"], "target": target["host"]}
    if target.get("state_dir"):
        machine["state_dir"] = target["state_dir"]
    made = {
        "system_id": old["system_id"], "machines": [machine], "files": old.get("files", []), "databases": database,
        "services": [{"source": source["service"], "target": target["service"]}],
        "entrances": [{"kind": "json", **{key: entry[key] for key in ("host", "file", "name", "source", "target")}}],
        "verify": {
            "url": entry["url"], "source_url": entry["source"], "target_url": entry["target"], "checks": old["verify"],
            **{key: entry[key] for key in ("served_by_header",) if key in entry},
        },
        "on_failure": old.get("on_failure", "rollback"), "limits": {"deadline_min": old.get("deadline_min", 240)},
    }  # fmt: skip
    return made


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _instant(written: str) -> str:
    """Columns sort as text: microseconds always written, as store.codec.instant does."""
    return datetime.fromisoformat(written).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
