"""A report is written whole or not at all; what was there before survives a failure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from govcloud.errors import OutsideError
from govcloud.report.files import save


def test_a_file_is_written_over_an_earlier_one(tmp_path: Path) -> None:
    target = tmp_path / "新 目录" / "报告.html"
    assert save(target, b"1") == target
    save(target, b"22")
    assert target.read_bytes() == b"22"
    assert [p.name for p in target.parent.iterdir()] == ["报告.html"]


def test_a_folder_that_cannot_be_made_is_an_outside_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutsideError) as caught:
        save(tmp_path / "file" / "report.html", b"x")
    assert caught.value.exit_code == 4 and "-o" in caught.value.message("zh")


def test_a_folder_in_the_way_leaves_no_rest(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutsideError):
        save(tmp_path / "report.html", b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from govcloud.errors import OutsideError
from govcloud.report.files import save
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    save(Path(sys.argv[1]), b"x" * 5000)
except OutsideError as error:
    print(error.message("zh"))
    sys.exit(error.exit_code)
"""


def test_no_room_keeps_the_old_report_and_leaves_no_rest(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: the kernel refuses the write in the same way."""
    target = tmp_path / "report.html"
    target.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(target)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 4 and "原有文件没有改动" in done.stdout, done.stderr
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
