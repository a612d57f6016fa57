"""A county writes its own rule pack in the workspace, without Python, and gets one clear line where it slips."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from govcloud.cli.main import run
from govcloud.errors import GovcloudError
from govcloud.model.inventory import Inventory, Merged, Network
from govcloud.settings import open_workspace
from govcloud.store import entities
from govcloud.workflow.check import check_estate, check_rules
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import open_session

PACK = """
regulation:
  id: SLX
  title: {zh: 示例县专网管理规定, en: Sample county rules on networks}
  number: null
  issuer: 示例县人民政府办公室
  level: county
  issued_on: 2024-01-02
  effective_from: 2024-02-01
  effective_to: null
  superseded_by: null
  scope: {zh: 示例, en: sample}
  roles: {owner: 示例县直部门, authority: 示例县主管局}
clauses:
  - {id: SLX-1, article: 第一条, topics: [dedicated_network], zh: 用得少的专网要撤, en: Little-used networks are closed, who: [owner]}
  - {id: SLX-2, article: 第二条, topics: [scope], zh: 适用范围, en: Scope, information: {zh: 适用范围, en: Scope}}
"""
RULES = """
limits:
  sample_little_used_pct: {value: 20, title: {zh: 利用率低于多少算少, en: Use below which it is little}}
rules:
  - id: sample-network-little-used
    topic: dedicated_network
    subject: network
    clauses: [SLX-1]
    severity: medium
    responsible: owner
    title: {zh: 专网利用率低, en: Little-used network}
    message: {zh: "利用率低于 {sample_little_used_pct}%", en: "Use below {sample_little_used_pct} %"}
    next_step: {zh: 撤销, en: Close it}
    note: {zh: "{sample_little_used_pct}% 是本单位定的", en: "{sample_little_used_pct} % is the office's own number"}
    when: {kind: dedicated}
    must: {utilisation_pct: {ge: limit:sample_little_used_pct}}
"""
CASES = """
rule: sample-network-little-used
cases:
  - {name: 用得多, expect: pass, as_of: 2026-01-05, network: {network_id: N, name: n, kind: dedicated, utilisation_pct: 20}}
  - {name: 用得少, expect: fail, as_of: 2026-01-05, network: {network_id: N, name: n, kind: dedicated, utilisation_pct: 19}}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Of an office whose own pack lies in the workspace, before one of the packs that come with the program."""
    path = tmp_path / "w"
    init_workspace(path, "jiaocheng", actor="甲")
    text = (path / "govcloud.yaml").read_text("utf-8")
    assert "jurisdiction: [JC22" in text
    (path / "govcloud.yaml").write_text(text.replace("jurisdiction: [JC22", "jurisdiction: [SLX"), "utf-8")
    return path


@pytest.fixture
def write(workspace: Path) -> Callable[..., Path]:
    def pack(pack: str = PACK, rules: str = RULES, cases: str | None = CASES) -> Path:
        folder = workspace / "regulations" / "SLX"
        (folder / "cases").mkdir(parents=True, exist_ok=True)
        (folder / "pack.yaml").write_text(pack, "utf-8")
        (folder / "rules.yaml").write_text(rules, "utf-8")
        if cases is not None:
            (folder / "cases" / "sample-network-little-used.yaml").write_text(cases, "utf-8")
        return folder

    return pack


def little_used(workspace: Path) -> list[str]:
    with open_session(open_workspace(workspace), actor="甲", now=lambda: datetime(2026, 3, 2, tzinfo=UTC)) as session:
        network = Network(network_id="N-1", name="示例专网", kind="dedicated", utilisation_pct=25.0)
        with session.store.begin() as tx:
            entities.replace_inventory(tx, Merged(inventory=Inventory(networks=(network,))), ())
        found = check_estate(session).findings
    return [f.message.zh for f in found if f.rule_id == "SLX/sample-network-little-used"]


def test_the_office_is_measured_by_its_own_pack_and_its_own_numbers(
    workspace: Path, write: Callable[..., Path]
) -> None:
    write()
    assert little_used(workspace) == []
    settings = workspace / "govcloud.yaml"
    settings.write_text(settings.read_text("utf-8") + "\nlimits: {sample_little_used_pct: 30}\n", "utf-8")
    assert little_used(workspace) == ["利用率低于 30%"]


def test_its_cases_are_tried_with_all_others(workspace: Path, write: Callable[..., Path]) -> None:
    """By the pack's own limits: what the site sets for itself must not break the examples of the pack."""
    write()
    settings = workspace / "govcloud.yaml"
    settings.write_text(settings.read_text("utf-8") + "\nlimits: {sample_little_used_pct: 30}\n", "utf-8")
    results = check_rules(workspace)
    assert [r.agrees for r in results if r.rule_id == "SLX/sample-network-little-used"] == [True, True]
    assert {r.rule_id.partition("/")[0] for r in results} >= {"SLX", "SX19", "SD"}


@pytest.mark.parametrize(
    ("change", "line", "what"),
    [
        ({"rules": RULES.replace("[SLX-1]", "[SLX-9]")}, "rules.yaml", "SLX-9"),
        ({"rules": RULES.replace("limit:sample_little_used_pct", "limit:nosuch")}, "rules.yaml", "nosuch"),
        ({"rules": RULES.replace("utilisation_pct: {ge", "use_pct: {ge")}, "rules.yaml", "use_pct"),
        ({"cases": None}, "SLX", "sample-network-little-used"),
        ({"cases": CASES.replace("expect: fail", "expect: pass")}, "sample-network-little-used.yaml", "fail"),
        ({"pack": PACK.replace("effective_from: 2024-02-01", "effective_from: 2023-02-01")}, "pack.yaml", "SLX"),
        ({"pack": PACK.replace("effective_to: null", "effective_to: 2024-01-31")}, "pack.yaml", "SLX"),
        ({"pack": PACK.replace("2024-02-01", "2024-02-30")}, "pack.yaml", "pack.yaml:9:"),
        ({"pack": PACK.replace("information:", "remark:")}, "pack.yaml", "remark"),
    ],
)
def test_a_slip_is_one_clear_line(
    workspace: Path, write: Callable[..., Path], change: dict[str, str | None], line: str, what: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    write(**change)
    with pytest.raises(GovcloudError) as refused:
        check_rules(workspace)
    said, *rest = str(refused.value).splitlines()
    assert line in said
    assert what in said
    assert len(rest) <= 1, "what to do next"
    assert run(["-w", str(workspace), "--lang", "zh", "check", "rules"]) == 3
    assert len(capsys.readouterr().err.splitlines()) <= 2


def test_packs_can_be_checked_without_a_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["--lang", "zh", "check", "rules"]) == 0
    assert run(["-w", str(tmp_path), "check", "rules"]) == 2, "one that was named must be there"
    assert "SX19/not-in-directory" in capsys.readouterr().out
