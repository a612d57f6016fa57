"""A takeover from its plan to both signatures in the browser, and what the forms refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from desk import Desk, open_desk, text_of

from govcloud.workflow import takeover
from govcloud.workflow.takeover_archive import verify_archive
from govcloud.workflow.timeline import Wanted, read_timeline

PAPER = "设计文件示例\n".encode()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("takeovers") / "w") as opened:
        yield opened


def systems(desk: Desk) -> list[str]:
    return re.findall(r'href="/takeovers/systems/([^"]+)"', desk.get("owner", "/takeovers").text)


def begun(desk: Desk, number: int) -> str:
    """A takeover of the inventory's `number`th system, listed only. Returns its id."""
    page = desk.post(
        "owner", f"/takeovers/systems/{systems(desk)[number]}/start", {"level": "register", "builder": "示例建设单位"}
    )
    assert page.status_code == 200, text_of(page)
    return page.url.path.rpartition("/")[2]


def seen(page: httpx.Response) -> str:
    (found,) = set(re.findall(r'name="seen" value="([0-9a-f]{64})"', page.text))
    return str(found)


def sign(desk: Desk, login: str, handover: str) -> httpx.Response:
    page = desk.get(login, f"/takeovers/{handover}")
    return desk.post(login, f"/takeovers/{handover}/sign", {"role": login, "seen": seen(page)})


def items_to_accept(desk: Desk, handover: str) -> list[str]:
    return [item.item_id for item in takeover.get_takeover(desk.session, handover).open]


def test_from_the_plan_to_both_signatures_each_step_in_its_persons_name(desk: Desk, tmp_path: Path) -> None:
    system = systems(desk)[0]
    plan = {"level": "register", "builder": "示例建设单位", "until": "2026-12-31"}
    assert "已列入计划" in text_of(desk.post("owner", f"/takeovers/systems/{system}/plan", plan))
    handover = begun(desk, 0)
    design = {"item": "design", "note": "第 3 版"}
    page = desk.post("owner", f"/takeovers/{handover}/evidence", design, {"file": ("设计 文件.pdf", PAPER)})
    assert "已收：设计文件" in text_of(page)
    page = desk.post(
        "builder", f"/takeovers/{handover}/accept", {"items": ["design", *items_to_accept(desk, handover)]}
    )
    assert "已接收" in text_of(page)
    assert "等待另一方" in text_of(sign(desk, "owner", handover))
    assert "接管完成" in text_of(sign(desk, "builder", handover))
    told = read_timeline(desk.session, Wanted(takeover=handover), limit=None).records
    steps = [(record["step"], record["actor"], record["role"], record["identity"]) for record in told]
    assert steps == [
        ("plan", "示例owner", "owner", "account"), ("start", "示例owner", "owner", "account"),
        ("evidence", "示例owner", "owner", "account"), ("accept", "示例builder", "builder", "account"),
        ("sign", "示例owner", "owner", "account"), ("sign", "示例builder", "builder", "account"),
    ]  # fmt: skip
    packed = tmp_path / "package.tar"
    packed.write_bytes(desk.post("auditor", f"/takeovers/{handover}/package").content)
    assert verify_archive(packed).problems == ()
    assert (
        desk.post("builder", f"/takeovers/{handover}/refuse", {"items": ["design"], "reason": "太晚"}).status_code
        == 409
    )
    assert "设计 文件.pdf" in text_of(desk.get("auditor", f"/takeovers/{handover}"))


def test_the_receiver_gets_back_the_very_bytes_that_were_handed_over(desk: Desk) -> None:
    handover = begun(desk, 1)
    desk.post("owner", f"/takeovers/{handover}/evidence", {"item": "design"}, {"file": ("设计.pdf", PAPER * 2)})
    (address,) = re.findall(
        r'href="(/ledger/evidence/[0-9a-f]{64})"', desk.get("builder", f"/takeovers/{handover}").text
    )
    answer = desk.get("builder", f"{address}/file")
    assert answer.content == PAPER * 2
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''%E8%AE%BE%E8%AE%A1.pdf"


def test_nobody_accepts_his_own_paper_and_the_page_says_why(desk: Desk) -> None:
    handover = begun(desk, 2)
    desk.post("builder", f"/takeovers/{handover}/evidence", {"item": "source_code", "note": "示例仓库 v1"})
    page = desk.post("builder", f"/takeovers/{handover}/accept", {"items": ["source_code"]})
    assert page.status_code == 409
    assert 'role="alert"' in page.text
    assert takeover.get_takeover(desk.session, handover).standings["source_code"].state == "given"


def test_what_is_sent_back_tells_the_giver_why(desk: Desk) -> None:
    handover = begun(desk, 3)
    desk.post("owner", f"/takeovers/{handover}/evidence", {"item": "source_code", "note": "见附件"})
    page = desk.post("builder", f"/takeovers/{handover}/refuse", {"items": ["source_code"], "reason": "缺版本号"})
    assert "已退回" in text_of(page)
    assert "缺版本号" in text_of(desk.get("owner", f"/takeovers/{handover}"))
    assert desk.post("builder", f"/takeovers/{handover}/refuse", {"items": ["source_code"]}).status_code == 400


def test_an_upload_with_a_private_key_is_refused_by_its_own_name(desk: Desk) -> None:
    handover = begun(desk, 4)
    key = b"-----BEGIN OPENSSH PRIVATE KEY-----\n"
    page = desk.post("owner", f"/takeovers/{handover}/evidence", {"item": "design"}, {"file": ("钥匙.txt", key)})
    assert page.status_code == 422
    assert "钥匙.txt：含私钥，拒绝保存" in text_of(page)
    assert "/tmp" not in page.text
    assert takeover.get_takeover(desk.session, handover).handover.evidence == ()


def test_no_file_name_leads_out_of_the_folder_or_into_the_page(desk: Desk) -> None:
    handover = begun(desk, 5)
    for sent, kept in (
        ("../../../etc/passwd", "passwd"),
        ("C:\\资料\\设计.docx", "设计.docx"),
        ("..", "file"),
        ("<script>alert(1)<script>.pdf", "<script>alert(1)<script>.pdf"),
        ("长" * 80 + ".pdf", "长" * 60 + ".pdf"),
    ):
        page = desk.post("owner", f"/takeovers/{handover}/evidence", {"item": "design"}, {"file": (sent, PAPER)})
        assert page.status_code == 200, text_of(page)
        assert takeover.get_takeover(desk.session, handover).handover.evidence[-1].file_name == kept
        assert "<script>" not in page.text


def test_one_signs_what_one_looked_at(desk: Desk) -> None:
    handover = begun(desk, 6)
    desk.post("builder", f"/takeovers/{handover}/accept", {"items": items_to_accept(desk, handover)})
    looked_at = seen(desk.get("owner", f"/takeovers/{handover}"))
    desk.post("builder", f"/takeovers/{handover}/evidence", {"item": "source_code", "note": "后来补的"})
    page = desk.post("owner", f"/takeovers/{handover}/sign", {"role": "owner", "seen": looked_at})
    assert page.status_code == 409
    assert "内容已有变化，未签字" in text_of(page)
    assert takeover.get_takeover(desk.session, handover).handover.sign_offs == ()


def test_nobody_signs_for_another_party(desk: Desk) -> None:
    handover = begun(desk, 7)
    page = desk.get("builder", f"/takeovers/{handover}")
    assert 'value="owner"' not in page.text
    assert desk.post("builder", f"/takeovers/{handover}/sign", {"role": "owner", "seen": seen(page)}).status_code == 403


def test_put_off_and_taken_up_again(desk: Desk) -> None:
    system = systems(desk)[8]
    assert desk.post("owner", f"/takeovers/systems/{system}/defer").status_code == 422
    assert "已暂缓" in text_of(desk.post("owner", f"/takeovers/systems/{system}/defer", {"reason": "等待合同"}))
    assert "等待合同" in text_of(desk.get("auditor", "/takeovers?state=deferred"))
    assert desk.post("owner", f"/takeovers/systems/{system}/defer", {"reason": "再次"}).status_code == 409
    assert "已恢复" in text_of(desk.post("owner", f"/takeovers/systems/{system}/resume"))


def test_the_list_is_found_by_department_and_state(desk: Desk) -> None:
    everything = text_of(desk.get("auditor", "/takeovers"))
    total = int(re.search(r"共 (\d+) 个系统", everything)[1])  # type: ignore[index]
    counts = {
        state: int(re.search(r"共 (\d+) 个系统", text_of(desk.get("auditor", f"/takeovers?state={state}")))[1])  # type: ignore[index]
        for state in ("to_assess", "planned", "papers", "confirmed", "operating", "deferred", "not_applicable", "dual_run", "knowledge_transfer")
    }  # fmt: skip
    assert sum(counts.values()) == total > 8
    assert "共 0 个系统" in text_of(desk.get("auditor", "/takeovers?department=没有这个部门"))
    assert "合计" in text_of(desk.get("auditor", "/takeovers/progress"))


def test_who_may_only_read_gets_no_forms_and_is_refused_at_the_door(desk: Desk) -> None:
    handover = begun(desk, 9)
    page = desk.get("auditor", f"/takeovers/{handover}")
    for act in ("evidence", "accept", "refuse", "sign"):
        assert f"/takeovers/{handover}/{act}" not in page.text
        sent: dict[str, object] = {"item": "design", "role": "owner", "seen": ""}
        assert desk.post("auditor", f"/takeovers/{handover}/{act}", sent).status_code == 403


def test_access_changes_hands_by_a_public_key_only(desk: Desk) -> None:
    start = f"/takeovers/systems/{systems(desk)[10]}/start"
    technical: dict[str, object] = {"level": "technical", "builder": "示例建设单位"}
    no_hosts = text_of(desk.post("owner", start, technical))
    assert "hosts.yaml：文件不存在" in no_hosts
    assert str(desk.session.workspace.path) not in no_hosts
    assert "换钥需要对方公钥" in text_of(desk.post("owner", start, {**technical, "hosts": "cloud-01"}))
    key = b"-----BEGIN OPENSSH PRIVATE KEY-----\n"
    page = desk.post("owner", start, technical, {"builder_key": ("id_ed25519", key)})
    assert page.status_code == 422
    assert "id_ed25519" in text_of(page)
    assert "/tmp" not in page.text
    assert "清单里没有这个系统" in text_of(desk.get("owner", "/takeovers/systems/SL-NOPE"))
