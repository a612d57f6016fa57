"""The commands of a takeover as two parties use them, exit codes and all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from handover_place import SYSTEM, Place, fill_papers, give_papers, make_key, prove_all

from govcloud import resources
from govcloud.cli.main import run as run_cli
from govcloud.errors import NotAllowed
from govcloud.model.account import Acting
from govcloud.model.handover import Role
from govcloud.store import ledger as ledger_store
from govcloud.workflow import takeover
from govcloud.workflow.inventory import read_inventory

SAMPLE = resources.folder("inventory") / "sample" / "handover"


def start(place: Place, capsys: pytest.CaptureFixture[str], level: str = "technical") -> str:
    code = place.cli(
        "start", SYSTEM, "--builder", "示例建设单位", "--builder-key", f"{place.builder}.pub", "--level", level,
        "--identity", str(place.builder), "--host", "cloud-01",
    )  # fmt: skip
    assert code == 0
    out = capsys.readouterr().out
    return next(word for word in out.split() if word.startswith("H-"))


def ask(place: Place, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    capsys.readouterr()
    assert run_cli(["-w", str(place.workspace), "--lang", "en", "--format", "json", "takeover", *words]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def state_of(place: Place, capsys: pytest.CaptureFixture[str], system: str = SYSTEM) -> str:
    rows = ask(place, capsys, "list")["takeovers"]["rows"]  # type: ignore[index]
    return str(next(row["state"] for row in rows if row["system_id"] == system))


def complete(place: Place, handover_id: str, folder: Path) -> None:
    fill_papers(place, handover_id, folder)
    fill_papers(place, handover_id, folder)  # what another state asks for only later
    prove_all(place, handover_id)


def test_the_whole_way_from_assessment_to_operation(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user sees each state once, in order, and at the end the inventory and the ledger know who maintains the system."""
    seen = [state_of(place, capsys)]
    plan = ("plan", SYSTEM, "--level", "technical", "--builder", "示例建设单位", "--until", "2099-06-30")
    assert place.cli(*plan) == 0
    seen.append(state_of(place, capsys))
    key = ("--builder-key", f"{place.builder}.pub", "--host", "cloud-01")
    assert place.cli("start", SYSTEM, *key) == 0
    h = next(word for word in capsys.readouterr().out.split() if word.startswith("H-"))
    seen.append(state_of(place, capsys))
    folder = tmp_path / "资料"
    folder.mkdir()
    for paper in SAMPLE.glob("*.md"):
        if paper.stem != "training":
            (folder / paper.name).write_bytes(paper.read_bytes())
    assert place.cli("papers", h, str(folder)) == 0
    assert state_of(place, capsys) == "papers", "nothing counts before it is accepted"
    assert place.cli("accept", h, "--all", user="王示例") == 0
    seen.append(state_of(place, capsys))
    assert place.cli("evidence", h, "training", str(SAMPLE / "training.md")) == 0
    assert place.cli("accept", h, "training", user="王示例") == 0
    seen.append(state_of(place, capsys))
    assert place.cli("sign", h, "--role", "owner", user="李示例") == 1, "access has not changed hands"
    prove_all(place, h)
    seen.append(state_of(place, capsys))
    assert place.cli("sign", h, "--role", "owner", user="李示例") == 0
    assert place.cli("sign", h, "--role", "builder", user="李示例") == 1
    assert "必须是不同的人" in capsys.readouterr().out
    assert place.cli("sign", h, "--role", "builder", user="王示例") == 0
    seen.append(state_of(place, capsys))
    assert seen == [
        "to_assess", "planned", "papers", "knowledge_transfer", "dual_run", "confirmed", "operating",
    ]  # fmt: skip
    assert place.cli("evidence", h, "build", "--note", "补充") == 1, "nothing changes after both have signed"
    assert place.cli("sign", h, "--role", "supervisor", user="监理示例") == 0
    with place.session() as session:
        system = read_inventory(session).system(SYSTEM)
        assert system is not None
        assert system.maintained_by == "示例建设单位"
        with session.store.read() as tx:
            assert len(ledger_store.checkpoints(tx)) == 1, "the second signature signs the ledger, too"
    assert run_cli(["-w", str(place.workspace), "audit", "verify"]) == 0
    assert place.cli("start", SYSTEM, "--level", "register", "--builder", "下一家单位") == 0, "the next unit's takeover"


def test_status_tells_who_ends_each_open_thing_with_which_command(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command of the list does what it says; followed blindly, the list gets empty."""
    h = start(place, capsys)
    paper = tmp_path / "资料.txt"
    paper.write_text("示例", "utf-8")
    people = {"owner": "李示例", "builder": "王示例"}
    for _ in range(120):
        rows = ask(place, capsys, "status", h)["todo"]["rows"]  # type: ignore[index]
        if not rows:
            break
        who, command = rows[0]["who"][0], str(rows[0]["command"])
        if " rotate " in command or " prove " in command:
            prove_all(place, h)
            continue
        words = command.replace("FILE", str(paper)).replace("TEXT", "见附件").split()[2:]
        assert place.cli(*words, user=people[who]) == 0, command
    assert rows == []
    assert state_of(place, capsys) == "operating"


def test_deferral_and_exclusion_have_reasons_and_can_be_taken_back(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.cli("defer", SYSTEM, "--reason", "年底封网", "--until", "2099-01-31") == 0
    row = ask(place, capsys, "list", "--state", "deferred")["takeovers"]["rows"][0]  # type: ignore[index]
    assert (row["system_id"], row["reason"]) == (SYSTEM, "年底封网")
    assert place.cli("start", SYSTEM, "--level", "register", "--builder", "b") == 1, "a deferred one is resumed first"
    assert "takeover resume" in capsys.readouterr().out
    assert place.cli("exclude", SYSTEM, "--reason", "系统将下线") == 0
    assert state_of(place, capsys) == "not_applicable"
    assert place.cli("resume", SYSTEM) == 0
    assert state_of(place, capsys) == "to_assess"
    assert place.cli("resume", SYSTEM) == 1
    for words in (("defer", SYSTEM), ("exclude", SYSTEM)):
        assert place.cli(*words) == 2, "no reason, no deferral"


def test_progress_counts_every_system_by_department_and_names_what_is_late(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = ("plan", SYSTEM, "--level", "full", "--builder", "示例建设单位", "--until", "2026-01-31")
    assert place.cli(*plan) == 0
    rows = ask(place, capsys, "progress")["takeover_progress"]["rows"]  # type: ignore[index]
    assert rows[-1]["systems"] == 1
    assert rows[-1]["planned"] == 1
    assert rows[-1]["overdue"] == 1
    assert rows[-1]["done_pct"] == 0
    assert place.cli("exclude", SYSTEM, "--reason", "将下线") == 0
    rows = ask(place, capsys, "progress")["takeover_progress"]["rows"]  # type: ignore[index]
    assert (rows[-1]["overdue"], rows[-1]["done_pct"]) == (0, None)


def test_a_system_at_level_register_needs_neither_key_nor_host(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.cli("start", SYSTEM, "--level", "register", "--builder", "示例建设单位") == 0
    h = next(word for word in capsys.readouterr().out.split() if word.startswith("H-"))
    assert place.cli("accept", h, "--all", user="王示例") == 0
    assert state_of(place, capsys) == "confirmed"


def test_the_receiver_refuses_incomplete_papers_item_by_item_and_as_a_whole(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    complete(place, h, tmp_path)
    assert place.cli("refuse", h, "design", "backup", "--reason", "缺数据库图", user="王示例") == 0
    assert place.cli("sign", h, "--role", "owner", user="李示例") == 1
    shown = ask(place, capsys, "status", h)
    rows = shown["checklist"]["rows"]  # type: ignore[index]
    assert {r["item_id"] for r in rows if r["state"] == "refused"} == {"design", "backup"}
    assert {r["why"] for r in shown["todo"]["rows"] if r["item_id"]} == {"缺数据库图"}  # type: ignore[index]
    assert place.cli("refuse", h, "--all", "--reason", "整套资料与现状不符", user="王示例") == 0
    done = ask(place, capsys, "status", h)["checklist"]["done"]  # type: ignore[index]
    assert {name for name, is_done in done.items() if is_done} <= {
        "key_rotation", "vendor_access", "passwords", "bastion", "monitoring_agent", "restore", "clock_dns", "patches",
    }  # fmt: skip
    complete(place, h, tmp_path)
    assert place.cli("sign", h, "--role", "owner", user="李示例") == 0


def test_nobody_accepts_his_own_papers(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    h = start(place, capsys)
    with place.session("王示例") as session:
        give_papers(session, h, tmp_path)
    assert place.cli("accept", h, "design", user="王示例") == 1
    assert "须由另一人接收" in capsys.readouterr().out
    assert place.cli("accept", h, "--all", user="王示例") == 1, "data are accepted, his own papers are named"
    done = ask(place, capsys, "status", h)["checklist"]["done"]  # type: ignore[index]
    assert done["servers"]
    assert not done["design"]


def test_an_account_signs_only_for_the_party_that_it_belongs_to(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    complete(place, h, tmp_path)
    builder = Acting(
        name="王示例", identity="account", unit="示例建设单位", role="builder", roles=frozenset({"builder"})
    )
    asked: tuple[Role, ...] = ("owner", "supervisor", "authority")
    with place.session(builder) as session:
        for role in asked:
            with pytest.raises(NotAllowed):
                takeover.sign(session, h, role)
        assert takeover.sign(session, h, "builder").obstacles == ()


def test_the_ledger_says_of_each_record_what_it_concerns_and_which_files_prove_it(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    paper = tmp_path / "设计.docx"
    paper.write_text("示例", "utf-8")
    assert place.cli("evidence", h, "design", str(paper)) == 0
    assert place.cli("accept", h, "servers", user="王示例") == 0
    with place.session() as session, session.store.read() as tx:
        records = [json.loads(r.canonical) for r in ledger_store.records(tx)]
    records = [r for r in records if r["kind"] == "handover"]
    assert [r["step"] for r in records] == ["start", "evidence", "accept"]
    assert all({SYSTEM, h} <= set(r["concerns"]) for r in records)
    kept = {p.name for p in (place.workspace / "evidence" / h).iterdir()}
    for found in records[1:]:
        assert len(found["evidence"]) == 1
        assert set(found["evidence"]) <= kept


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("evidence", "{h}", "design", "--note", "口头"), 2),
        (("evidence", "{h}", "key_rotation", "--note", "换过了"), 2),
        (("evidence", "{h}", "key_rotation", "--not-applicable", "没有主机"), 2),
        (("evidence", "{h}", "servers", "--not-applicable", "没有"), 2),
        (("evidence", "{h}", "no_such_item", "--note", "x"), 2),
        (("evidence", "{h}", "servers"), 2),
        (("evidence", "{h}"), 2),
        (("papers", "{h}", "/does/not/exist"), 3),
        (("papers", "H-0000000000", "."), 2),
        (("evidence", "{h}", "backup", "--note", " "), 2),
        (("evidence", "{h}", "backup", "--note", "x", "--not-applicable", "y"), 2),
        (("evidence", "{h}", "design", "/does/not/exist"), 3),
        (("evidence", "{h}", "backup", "--note", "root 密码：Abc123!"), 3),
        (("evidence", "H-0000000000", "backup", "--note", "x"), 2),
        (("status", "H-0000000000"), 2),
        (("status",), 2),
        (("data", "{h}", "design"), 2),
        (("accept", "{h}"), 2),
        (("accept", "{h}", "design"), 1),
        (("accept", "{h}", "no_such_item"), 2),
        (("accept", "{h}", "design", "--all"), 2),
        (("refuse", "{h}", "--reason", "x"), 2),
        (("refuse", "{h}", "--all", "--reason", "x"), 1),
        (("refuse", "{h}", "key_rotation", "--reason", "x"), 2),
        (("refuse", "{h}", "design", "--reason", "口令：Abc123!"), 3),
        (("start", SYSTEM, "--builder", "b", "--builder-key", "{pub}", "--host", "cloud-01"), 1),
        (("start", "SL-XX-99", "--builder", "b", "--builder-key", "{pub}", "--host", "cloud-01"), 2),
        (("start", SYSTEM, "--builder", "b", "--builder-key", "{pub}", "--host", "nowhere"), 2),
        (("start", SYSTEM, "--builder", "b", "--builder-key", "{ours}.pub", "--host", "cloud-01"), 3),
        (("start", SYSTEM, "--builder", "b", "--builder-key", "{ours}", "--host", "cloud-01"), 3),
        (("start", SYSTEM, "--builder", "b", "--builder-key", "{pub}"), 2),
        (("start", SYSTEM, "--builder", "b", "--host", "cloud-01"), 2),
        (("plan", SYSTEM, "--level", "technical", "--builder", "另一单位", "--until", "2099-01-01"), 2),
        (("plan", "SL-XX-99", "--level", "full", "--builder", "b", "--until", "2099-01-01"), 2),
        (("plan", SYSTEM, "--level", "some", "--builder", "b", "--until", "2099-01-01"), 2),
        (("defer", SYSTEM, "--reason", "密码：Abc123!"), 3),
        (("sign", "{h}", "--role", "auditor"), 2),
    ],
)
def test_mistakes_have_their_exit_code_and_say_what_next(
    place: Place, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int
) -> None:
    h = start(place, capsys)
    filled = [w.format(h=h, pub=f"{place.builder}.pub", ours=place.ours) for w in words]
    assert place.cli(*filled) == code
    assert "Traceback" not in capsys.readouterr().err


def test_another_persons_identity_is_turned_away(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    stranger = make_key(tmp_path / "stranger")
    for verb in ("rotate", "check"):
        assert place.cli(verb, h, "--identity", str(stranger)) == 3


def test_a_check_before_the_rotation_says_that_the_old_key_still_works(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    assert place.cli("check", h, "--identity", str(place.builder)) == 1
    out = capsys.readouterr().out
    assert "旧钥未被拒绝" in out
    assert "对方密钥登录不了" in out


def test_an_item_that_does_not_exist_for_the_system_needs_a_reason(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    assert place.cli("evidence", h, "database", "--not-applicable", "无数据库") == 0
    place.cli("status", h)
    assert "不适用：无数据库" in capsys.readouterr().out


def test_clauses_of_other_jurisdictions_are_not_shown_and_do_not_bind(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    place.cli("status", h)
    out = capsys.readouterr().out
    assert "SX19-35b" in out
    assert "JC22" not in out
    assert place.cli("evidence", h, "design", "--not-applicable", "成品软件，无设计文件") == 0


def test_in_jiaocheng_the_papers_of_article_16_are_demanded_at_every_level(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = place.workspace / "govcloud.yaml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace("jurisdiction: [SX19", "jurisdiction: [JC22, SX19"), "utf-8")
    assert "JC22" in settings.read_text("utf-8")
    h = start(place, capsys, "register")
    rows = ask(place, capsys, "status", h)["checklist"]["rows"]  # type: ignore[index]
    files = {r["item_id"] for r in rows if r["required"] and "JC22-16" in r["clauses"]}
    assert files == {"design", "test_reports", "source_code", "ownership"}
    capsys.readouterr()
    assert place.cli("evidence", h, "design", "--not-applicable", "成品软件") == 2
    assert "JC22-16" in capsys.readouterr().err


def test_a_folder_of_papers_is_taken_and_strange_files_are_named(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    folder = tmp_path / "资料"
    folder.mkdir()
    for name in ("design.docx", "backup.md", ".hidden", "key_rotation.md", "别的.md"):
        (folder / name).write_text("示例", "utf-8")
    assert place.cli("papers", h, str(folder)) == 1
    out = capsys.readouterr().out
    assert "key_rotation.md" in out
    assert "别的.md" in out
    with place.session() as session:
        given = takeover.get_takeover(session, h).handover.evidence
    assert [(e.item_id, e.file_name) for e in given] == [("backup", "backup.md"), ("design", "design.docx")]


@pytest.mark.parametrize("ours", ["[SX19", "[JC22, SX19"])
def test_with_the_sample_papers_accepted_only_proofs_are_left_of_a_technical_takeover(
    place: Place, capsys: pytest.CaptureFixture[str], ours: str
) -> None:
    settings = place.workspace / "govcloud.yaml"
    settings.write_text(settings.read_text("utf-8").replace("jurisdiction: [SX19", f"jurisdiction: {ours}"), "utf-8")
    h = start(place, capsys)
    assert place.cli("papers", h, str(SAMPLE)) == 0
    assert place.cli("accept", h, "--all", user="王示例") == 0
    with place.session() as session:
        assert {i.item_id for i in takeover.get_takeover(session, h).open} == {"key_rotation", "vendor_access"}


def test_the_sample_papers_are_exactly_those_that_technical_operation_asks_for(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    with place.session() as session:
        asked = {i.item_id for i in takeover.get_takeover(session, h).open if i.source in ("file", "note")}
    there = {path.stem for path in SAMPLE.iterdir()}
    assert there == asked | {"test_reports"}, "and what article 16 of Jiaocheng asks for besides"
