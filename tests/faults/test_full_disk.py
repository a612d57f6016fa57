"""A disk that fills up: a clear message, exit code 4, and nothing recorded by halves."""

import subprocess
import sys
from pathlib import Path

from govcloud import resources
from govcloud.demo.lab_needs import namespaces_work

SCRIPT = """
set -u
mount -t tmpfs -o size=1m tmpfs "$1"; cd "$1"; python=$2; shift 2
govcloud() { "$python" -m govcloud --lang en "$@" >/dev/null; echo "$? $*" | cut -c1-40; }
govcloud init ws --site shanxi
dd if=/dev/zero of=ws/filler bs=1k count=2000 2>/dev/null
govcloud -w ws import "$@"
govcloud -w ws check estate
govcloud -w ws report
govcloud -w ws audit export -o bundle
govcloud init other --site shanxi
rm ws/filler
govcloud -w ws audit verify
govcloud -w ws inventory systems
govcloud -w ws import "$1"
"""


def test_a_full_disk_is_named_and_nothing_is_lost_or_half_done(tmp_path: Path) -> None:
    assert namespaces_work(), "this test mounts a small file system in a user namespace"
    books = sorted((resources.folder("inventory") / "sample" / "workbooks").glob("*.xlsx"))
    argv = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        SCRIPT,
        "sh",
        tmp_path,
        sys.executable,
        *books,
    ]
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, timeout=120)
    codes = [int(line.split()[0]) for line in done.stdout.splitlines()]
    assert codes == [0, 4, 4, 4, 4, 4, 0, 0, 0], done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("Next: ") >= 5 and "disk" in done.stderr
