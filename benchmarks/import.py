"""Import at size: 100,000 servers and 10,000 systems from workbooks to the merged inventory, and the answers after it.

`python benchmarks/import.py [--servers N] [--systems N] [--rounds N] [--json]`

The bound is reading the cells alone with python-calamine, the fastest reader that we know in Python, timed in turns with
the imports in the same run. Times are wall times of whole processes; memory is that of the process and its children
together (proportional set size, sampled). Prints ratios; with --json the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook, load_workbook

READ_CELLS = """
import sys
from python_calamine import CalamineWorkbook
for path in sys.argv[1:]:
    with CalamineWorkbook.from_path(path) as book:
        for name in book.sheet_names:
            book.get_sheet_by_name(name).to_python(skip_empty_area=False)
"""
SERVER_COLUMNS = (
    "资产编号", "服务器名称", "IP地址", "所属部门", "操作系统", "CPU核数", "内存", "磁盘", "机房位置", "是否虚拟机", "品牌", "型号",
    "序列号", "采购日期", "责任人", "联系电话", "用途", "备注",
)  # fmt: skip
"""As asset lists are: a third of the columns is nothing that the inventory keeps."""
SYSTEM_COLUMNS = (
    "系统编号", "系统名称", "所属部门", "归口处室", "系统状态", "等保级别", "部署方式", "用户数", "年访问量", "投入使用时间",
    "承建单位", "服务器IP",
)  # fmt: skip
MAKERS = ("示例甲", "示例乙", "示例丙", "示例丁")
SYSTEMS_OF = ("CentOS 7.6", "银河麒麟V10 SP1", "Windows Server 2012 R2", "openEuler 20.03", "Debian 11")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=int, default=100_000)
    parser.add_argument("--systems", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="govcloud-bench-") as folder:
        result = measure(Path(folder), options.servers, options.systems, options.rounds)
    if options.json:
        print(json.dumps(result))


def measure(folder: Path, servers: int, systems: int, rounds: int) -> dict[str, object]:
    books = [
        write_servers(folder / "服务器清单.xlsx", servers),
        write_systems(folder / "普查表.xlsx", systems, servers),
    ]
    print(f"{servers} servers ({size(books[0])}), {systems} systems ({size(books[1])}), {rounds} rounds")
    cells, first, again = [], [], []
    peak = 0.0
    for number in range(rounds):
        cells.append(timed([sys.executable, "-c", READ_CELLS, *map(str, books)])[0])
        workspace = folder / f"ws{number}"
        govcloud("init", str(workspace), "--site", "shanxi")
        seconds, mib = timed(command(workspace, "import", *map(str, books)))
        first.append(seconds)
        peak = max(peak, mib)
        again.append(timed(command(workspace, "import", *map(str, books)))[0])
    resaved = resave(books[0], folder / "resaved" / books[0].name)
    changed = timed(command(workspace, "import", str(resaved), "--replaces", str(books[0])))[0]
    answers = {
        "list": timed(command(workspace, "inventory", "servers"))[0],
        "find": timed(command(workspace, "inventory", "servers", "--find", f"srv-{servers // 2}"))[0],
        "show": timed(command(workspace, "inventory", "show", f"srv-{servers // 2}"))[0],
    }
    read, imported, repeated = map(statistics.median, (cells, first, again))
    print(f"reading the cells alone      {read:7.2f} s")
    print(
        f"import                       {imported:7.2f} s  {imported / read:5.1f} × the cells (bound 10), peak {peak:.0f} MiB (bound 800)"
    )
    print(f"the same files again         {repeated:7.2f} s  {repeated / imported:5.2f} × the import (bound 0.5)")
    print(f"the servers saved once more  {changed:7.2f} s  {changed / imported:5.2f} × the import")
    for name, seconds in answers.items():
        print(f"inventory: {name:17} {seconds:7.2f} s  (bound 1)")
    return {
        "seconds": round(imported, 2), "peak_mib": round(peak), "ratio_vs_read_only": round(imported / read, 2),
        "read_only_seconds": round(read, 2), "reimport_ratio": round(repeated / imported, 3),
        "resaved_ratio": round(changed / imported, 3), "answers": {k: round(v, 2) for k, v in answers.items()},
        "servers": servers, "systems": systems,
    }  # fmt: skip


def write_servers(path: Path, count: int) -> Path:
    rows = (
        (
            f"ZC-2019-{n:07}", f"srv-{n}", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", f"示例部门{n % 40:02}", SYSTEMS_OF[n % 5],
            4 << n % 3, f"{8 << n % 4}G", f"{100 + n % 900}G", f"{n % 7 + 1}号机房{n % 60 + 1}号机柜", "是" if n % 3 else "否",
            MAKERS[n % 4], f"示例{n % 25}型", f"SN{n * 7919 % 10**9:09}", f"20{10 + n % 14}-0{n % 9 + 1}-15", f"责任人{n % 800}",
            f"0351-{n * 37 % 10**7:07}", f"业务 {n % 500}", f"第 {n % 12 + 1} 批采购，合同 {n % 300}",
        )
        for n in range(count)
    )  # fmt: skip
    return write_book(path, SERVER_COLUMNS, rows)


def write_systems(path: Path, count: int, servers: int) -> Path:
    rows = (
        (
            f"SL-{n:05}", f"示例业务系统{n}", f"示例部门{n % 40:02}", f"{n % 9 + 1}处", "在用", "三级" if n % 4 == 0 else "二级",
            "自有机房" if n % 5 else "政务云", 20 + n % 5000, n * 7 % 90000, f"20{10 + n % 14}-0{n % 9 + 1}-15",
            f"示例公司{n % 60}", f"10.{n % servers >> 16}.{n % servers >> 8 & 255}.{n % servers & 255}",
        )
        for n in range(count)
    )  # fmt: skip
    return write_book(path, SYSTEM_COLUMNS, rows)


def write_book(path: Path, header: Sequence[str], rows: object) -> Path:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("清单")
    sheet.append(list(header))
    for row in rows:  # type: ignore[attr-defined]
        sheet.append(row)
    book.save(path)
    return path


def resave(path: Path, target: Path) -> Path:
    """Other bytes, the same cells: what a department sends that has only opened and saved it."""
    target.parent.mkdir()
    source = load_workbook(path, read_only=True)
    return write_book(target, *_rows(source))


def _rows(book: object) -> tuple[Sequence[str], object]:
    rows = book.active.iter_rows(values_only=True)  # type: ignore[attr-defined]
    return next(rows), rows


def command(workspace: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "govcloud", "-w", str(workspace), "--lang", "en", *arguments]


def govcloud(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "govcloud", "--lang", "en", *arguments], check=True, stdout=subprocess.DEVNULL
    )


def timed(argv: Sequence[str]) -> tuple[float, float]:
    """(seconds, peak MiB of the process and its children). Raises SystemExit when it fails."""
    began = time.monotonic()
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        peak = Peak(process.pid)
        out, err = process.communicate(timeout=600)
        seconds = time.monotonic() - began
        peak.stop()
    if process.returncode:
        sys.exit(
            f"{' '.join(argv[:6])} … exited with {process.returncode}: {(out + err).decode(errors='replace')[-2000:]}"
        )
    return seconds, peak.mib


class Peak:
    """Samples the memory of a process and everything below it, four times a second."""

    def __init__(self, pid: int) -> None:
        self.mib = 0.0
        self._pid, self._done = pid, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.25):
            self.mib = max(self.mib, sum(map(proportional_mib, family(self._pid))))


def family(pid: int) -> list[int]:
    children = read(f"/proc/{pid}/task/{pid}/children").split()
    return [pid, *(p for child in children for p in family(int(child)))]


def proportional_mib(pid: int) -> float:
    for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


if __name__ == "__main__":
    main()
