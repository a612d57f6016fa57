"""The programs at both ends of a database's way, as the controller calls them."""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from govcloud import resources
from govcloud.execution.bucket import Bucket, bytes_per_s
from govcloud.execution.replicate import beat
from govcloud.execution.stream import Passed, Remote, StreamError, capture, pipe
from govcloud.model.text import Text

_STALL_S = 120.0
"""A far end that is asked says every ten seconds that it is at work."""
_STREAM_STALL_S = 900.0
"""A stream may pause while a server reads a part that is nowhere in memory."""
_COMMON = ("gov_marker_file", "gov_db")
MODULES: Mapping[str, tuple[str, ...]] = {
    "postgresql": (
        "gov_postgres_server", "gov_postgres", "gov_postgres_frame", "gov_postgres_copy", "gov_postgres_digest",
        "gov_postgres_replication", "gov_postgres_far",
    ),
    "mysql": ("gov_mysql", "gov_mysql_copy", "gov_mysql_far"),
    "sqlite": ("gov_sqlite", "gov_sqlite_far"),
    "redis": ("gov_redis", "gov_redis_far"),
}  # fmt: skip
"""Texts of module_utils that a kind's far end consists of, each after what it imports."""


@cache
def program(kind: str) -> str:
    """One text for `python3 -c` from the kind's modules; packed, as an argument may have 128 KiB at most."""
    folder = resources.folder("playbooks") / "library" / "module_utils"
    names = (*_COMMON, *MODULES[kind])
    texts = [(name, (folder / f"{name}.py").read_text("utf-8")) for name in names]
    unpacked = (
        "import sys, types\n"
        "for name in ('ansible', 'ansible.module_utils'):\n"
        "    sys.modules[name] = types.ModuleType(name)\n"
        f"for name, text in {texts!r}:\n"
        "    module = types.ModuleType('ansible.module_utils.' + name)\n"
        "    sys.modules[module.__name__] = module\n"
        "    setattr(sys.modules['ansible.module_utils'], name, module)\n"
        "    exec(compile(text, name + '.py', 'exec'), module.__dict__)\n"
        "sys.modules['ansible.module_utils.gov_db'].far_end(module.ACTIONS, sys.argv[1:])\n"
    )
    packed = base64.b64encode(zlib.compress(unpacked.encode(), 9)).decode()
    return f"import base64, zlib; exec(zlib.decompress(base64.b64decode('{packed}')))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Far:
    """One end of a database on its host."""

    remote: Remote
    host: str
    kind: str
    side: str
    """source or target"""
    end: Mapping[str, Any]
    """DatabaseEnd of this side with index, kind, method, state_dir and marker."""
    system: Mapping[str, Any]
    evidence: Path

    def argv(self, action: str, **given: Any) -> list[str]:
        arguments = {"end": dict(self.end), "side": self.side, "system": dict(self.system), **given}
        return self.remote.argv(
            self.host, ["python3", "-ISc", program(self.kind), action, json.dumps(arguments, ensure_ascii=True)]
        )

    def ask(self, action: str, *, give: bytes = b"", **given: Any) -> Any:
        """What the action returns. Raises StreamError with its words."""
        answer = io.BytesIO()
        try:
            capture(
                self.argv(action, beats=True, **given), answer, give=give, stall_s=_STALL_S,
                beat=beat(self.evidence),
            )  # fmt: skip
        except StreamError as error:
            raise self.told(error) from None
        text = answer.getvalue().decode().strip()
        return json.loads(text) if text else None

    def told(self, error: StreamError) -> StreamError:
        """The far end's own words in both languages, where it had any."""
        _, found, words = error.text.en.rpartition("govcloud: {")
        try:
            said = json.loads("{" + words) if found else None
        except ValueError:
            said = None
        text = Text(said["zh"], said["en"]) if said else error.text
        return StreamError(Text("{h}：{t}", "{h}: {t}").format(h=self.host, t=text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A database with both its ends."""

    index: int
    method: str
    source: Far
    target: Far
    evidence: Path
    bucket: Bucket
    limited: bool

    @property
    def name(self) -> str:
        """As people know it."""
        end = self.source.end
        return str(end["path"] or end["name"] or f"redis {end['host']}")

    def stream(
        self, action: str, into: str, *, give: bytes = b"", given: Mapping[str, Any], taken: Mapping[str, Any]
    ) -> Passed:
        """The source's output into the target's input. Raises StreamError with the words of the end that failed."""
        try:
            return pipe(
                self.source.argv(action, **given), self.target.argv(into, **taken), give=give, stall_s=_STREAM_STALL_S,
                beat=beat(self.evidence), bucket=self.bucket if self.limited else None, hashed=False,
            )  # fmt: skip
        except StreamError as error:
            raise self.target.told(error) from None


def build_pairs(
    spec: Mapping[str, Any], system: Mapping[str, Any], *, evidence: Path, ssh_config: Path
) -> tuple[Pair, ...]:
    """Pairs in the order of the spec (builtins, as a module gets it)."""
    machines = {machine["name"]: machine for machine in spec["machines"]}
    remote, rate = Remote(ssh_config), bytes_per_s((spec.get("limits") or {}).get("bandwidth_mbps"))
    bucket, found = Bucket(rate), []
    for index, database in enumerate(spec["databases"]):
        machine = machines[database["machine"]]
        about = {
            "index": index, "kind": database["kind"], "method": database["method"], "state_dir": machine["state_dir"],
            "marker": f"{machine['state_dir']}/{spec['system_id']}.json",
        }  # fmt: skip
        source, target = (
            Far(
                remote=remote, host=machine[side], kind=database["kind"], side=side, end={**database[side], **about},
                system=system, evidence=evidence,
            )
            for side in ("source", "target")
        )  # fmt: skip
        found.append(
            Pair(
                index=index, method=database["method"], source=source, target=target, evidence=evidence, bucket=bucket,
                limited=rate is not None,
            )
        )  # fmt: skip
    return tuple(found)
