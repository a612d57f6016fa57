"""The ledger in the browser: read, verified, taken away by an auditor who checks it with the standalone verifier."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import Desk, open_desk, text_of

from govcloud import ledger
from govcloud.workflow.audit import verify_ledger
from govcloud.workflow.ledger_record import public_key

VERIFIER = Path(ledger.__path__[0]) / "verify.py"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("ledger") / "w") as opened:
        yield opened


def check(desk: Desk, *words: str) -> int:
    key = public_key(desk.session)
    assert key is not None
    return subprocess.run([sys.executable, str(VERIFIER), *words, "--key", key], capture_output=True).returncode


def test_what_happened_is_found_by_kind_person_and_day(desk: Desk) -> None:
    assert "示例builder" in text_of(desk.get("auditor", "/ledger?kind=account"))
    assert 'href="/ledger/0"' in desk.get("auditor", "/ledger?kind=init").text
    assert 'href="/ledger/0"' not in desk.get("auditor", "/ledger?kind=init&since=2031-01-01").text
    assert desk.get("auditor", "/ledger?since=yesterday").status_code == 422
    assert desk.get("auditor", "/ledger?kind=account&as=csv").text.count("account") > 3


def test_a_record_shows_its_proof_and_the_downloaded_one_convinces_the_verifier(desk: Desk, tmp_path: Path) -> None:
    assert "尚无检查点覆盖" in text_of(desk.get("auditor", "/ledger/1"))
    proof = tmp_path / "record-1.json"
    proof.write_bytes(desk.post("auditor", "/ledger/1/proof").content)
    assert check(desk, "--proof", str(proof)) == 0
    assert "核对通过" in text_of(desk.get("auditor", "/ledger/1"))
    proof.write_text(proof.read_text().replace("导入", "倒入").replace("import", "inport"))
    assert check(desk, "--proof", str(proof)) != 0


def test_the_bundle_verifies_without_us_and_says_who_exported_it(desk: Desk, tmp_path: Path) -> None:
    answer = desk.post("auditor", "/ledger/export")
    assert answer.headers["content-type"] == "application/x-tar"
    subprocess.run(["tar", "-xf", "-", "-C", str(tmp_path)], input=answer.content, check=True)
    (bundle,) = tmp_path.iterdir()
    assert check(desk, str(bundle)) == 0
    page = text_of(desk.get("auditor", "/ledger?kind=export"))
    assert "示例auditor" in page


def test_a_checkpoint_is_signed_and_a_later_change_contradicts_it(desk: Desk, tmp_path: Path) -> None:
    note = tmp_path / "checkpoint.txt"
    note.write_bytes(desk.post("auditor", "/ledger/checkpoint").content)
    size = int(note.read_text().split("\n")[1])
    assert size > 4
    assert verify_ledger(desk.session, kept=[note]).report.problems == []
    note.write_text(note.read_text().replace(f"\n{size}\n", f"\n{size - 1}\n"))
    assert verify_ledger(desk.session, kept=[note]).report.problems != []


def test_the_verification_tells_the_key_and_the_verdict(desk: Desk) -> None:
    desk.post("auditor", "/ledger/checkpoint")
    page = text_of(desk.get("builder", "/ledger/verification"))
    assert "核对通过" in page
    assert str(public_key(desk.session)) in page


def test_what_is_not_there_is_said_in_words(desk: Desk) -> None:
    for path in ("/ledger/999999", "/ledger/evidence/" + "0" * 64, "/ledger/evidence/xyz"):
        page = desk.get("auditor", path)
        assert page.status_code == 400, path
        assert "Traceback" not in page.text
    assert desk.get("auditor", "/ledger/-1").status_code in (400, 404, 422)
    assert desk.get("auditor", "/ledger/99999999999999999999999").status_code in (400, 404, 422)


def test_an_administrator_reads_no_ledger_and_an_auditor_signs_for_nobody(desk: Desk) -> None:
    assert desk.get("admin", "/ledger").status_code == 403
    assert desk.post("owner", "/ledger/export").status_code == 200
    assert desk.post("admin", "/ledger/export").status_code == 403
    assert not re.findall("/ledger/export", desk.get("admin", "/accounts").text)
