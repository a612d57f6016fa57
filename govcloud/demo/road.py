"""The whole road on the sample estate: ten stations, each typed as a user would type it."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from govcloud import resources
from govcloud.demo.lab import Lab, start_lab, write_workspace_files
from govcloud.demo.stage import Stage
from govcloud.errors import OutsideError, UsageError
from govcloud.model.text import Lang, Text
from govcloud.settings import load_site

OPERATOR, APPROVER, OFFICER = "操作员甲", "审批人乙", "值班领导戊"
OWNER, BUILDER = "业主代表丙", "建设单位代表丁"
BUILDER_UNIT = "示例软件公司甲"
"""Who built the migrated system, as its workbook says: SX19-35b wants this unit, and no other, to maintain it."""
GOOD, BAD = "SL-OA-01", "SL-XF-02"
WAIVED = "SL-MZ-16"
_CRASH_WAIT_SECONDS = 90


@dataclass
class Road:
    stage: Stage
    site: str
    crash: bool = True
    times: list[tuple[int, float]] = field(default_factory=list)

    def walk(self) -> None:
        """All stations in order. Raises OutsideError at the first one that does not go as foreseen."""
        stations = (
            self.begin, self.hosts, self.collect, self.discover, self.check,
            self.plan, self.migrate, self.take_over, self.prove, self.report,
        )  # fmt: skip
        for number, station in enumerate(stations, 1):
            self.stage.title(number, TITLES[number - 1])
            started = time.monotonic()
            station()
            self.times.append((number, time.monotonic() - started))
        folder, program = self.stage.folder, Path(sys.executable).with_name("govcloud")
        self.stage.say(
            Text(
                "\n工作区留在 {w}\n报告：{w}/reports/report.zh.html\n看板：{p} -w {w} serve",
                "\nThe workspace stays: {w}\nThe report: {w}/reports/report.en.html\nThe dashboard: {p} -w {w} serve",
            ).format(w=_short(folder), p=_short(program))
        )
        total = sum(seconds for _, seconds in self.times)
        self.stage.say(
            Text("\n全程 {total:.0f} 秒（{each}）", "\nThe road took {total:.0f} s ({each})").format(
                total=total, each=" ".join(f"{number}:{seconds:.0f}" for number, seconds in self.times)
            )
        )

    def begin(self) -> None:
        folder = self.stage.folder
        self.stage.govcloud("init", folder.name, "--site", self.site, folder=folder.parent)
        self.stage.say(Text("\n$ cd {folder}", "\n$ cd {folder}").format(folder=folder.name))

    def hosts(self) -> None:
        lab, folder = self.stage.lab, self.stage.folder
        for note in lab.notes:
            self.stage.say(note)
        write_workspace_files(lab, folder)
        samples = resources.folder("inventory") / "sample"
        for kind in ("workbooks", "requests", "handover"):
            shutil.copytree(samples / kind, folder / kind, dirs_exist_ok=True)
        trust = ("discover", "trust", "--hosts", "hosts.yaml", "--expect", "fingerprints.txt")
        self.stage.govcloud(*trust, "--approve", user=APPROVER)

    def collect(self) -> None:
        # Two rows are faulty on purpose: the answer is "read, but not clean".
        self.stage.govcloud("import", *self._files("workbooks", "*.xlsx"), expect=(1,), user=OPERATOR)

    def _files(self, folder: str, pattern: str) -> list[Path]:
        return [path.relative_to(self.stage.folder) for path in sorted((self.stage.folder / folder).glob(pattern))]

    def discover(self) -> None:
        self.stage.govcloud("discover", "ssh", "--hosts", "hosts.yaml", user=OPERATOR)
        for what in ("conflicts", "undeclared", "dependencies"):
            self.stage.govcloud("inventory", what)

    def check(self) -> None:
        requests = self._files("requests", "*.yaml")
        self.stage.govcloud("check", "request", *requests, "-o", "opinions", expect=(0, 1), user=OPERATOR)
        self.stage.govcloud("check", "estate", expect=(0, 1), user=OPERATOR)
        self._waive()
        self.stage.govcloud("networks", "-o", "networks.docx", "-o", "networks.xlsx")
        self.stage.govcloud("projects", "deadlines", "--ics", "deadlines.ics", expect=(0, 1))

    def _waive(self) -> None:
        rows = self.stage.ask("check", "estate")["findings"]["rows"]
        finding = next((r for r in rows if r["subject_id"] == WAIVED), None)
        if finding is None:
            return  # another site may have no clause about it
        # Yesterday in every time zone that an office may have: nobody approves in the future.
        approved = date.today() - timedelta(days=1)
        paper = ("--reason", "年内并入统一平台", "--approver", "示例处长", "--document", "示例发〔2026〕3号")
        days = ("--approved-on", str(approved), "--until", str(approved + timedelta(days=90)))
        self.stage.govcloud("waiver", "add", finding["finding_id"], "--role", "authority", *paper, *days, user=APPROVER)
        self.stage.govcloud("check", "show", finding["finding_id"])

    def plan(self) -> None:
        self.stage.govcloud("plan", "build", user=OPERATOR)
        last = self.stage.ask("plan", "show")["waves"]["rows"][-1]
        self.stage.govcloud("plan", "explain", last["system_id"])
        self.stage.say(
            Text("审计方此时要走一份检查点，留在别处：", "The auditor takes a checkpoint now and keeps it elsewhere:")
        )
        (self.stage.folder / "auditor").mkdir()
        self.stage.govcloud("audit", "checkpoint", "-o", "auditor/plan.note", user=OPERATOR)

    def migrate(self) -> None:
        plan = self.stage.ask("plan", "show")["waves"]["plan_id"]
        run = self._start(GOOD, "--plan", plan)
        if self.crash:
            self._kill_in_replicate(run)
        self.stage.govcloud("run", "resume", run, "--no-wait", user=OPERATOR)
        self.stage.say(
            Text(
                "\n计划的变更窗口还没到，冻结之前会一直等。演示不等：两人按紧急程序批准，事后由第三人复核。",
                "\nThe planned window is not open yet, and the source is not frozen before that. The demo does not wait: two "
                "people approve as an emergency, and a third one reviews it afterwards.",
            )
        )
        urgent = ("run", "approve", run, "--emergency", "--reason", "演示")
        self.stage.govcloud(*urgent, user=APPROVER)
        self.stage.govcloud(*urgent, user=OFFICER)
        self.stage.govcloud("run", "resume", run, "--no-wait", user=OPERATOR)
        self.stage.govcloud("run", "review", run, "--reason", "属实，窗口外切换经同意", user=OWNER)
        self.stage.say(
            Text(
                "\n第二个系统：迁移文件漏列了一个附件目录，校验应当不过，并自动回退到原系统。",
                "\nThe second system: its migration file forgets one folder of attachments, so verification must fail, "
                "and the old system must serve again.",
            )
        )
        run = self._start(BAD)
        self.stage.govcloud("run", "resume", run, "--no-wait", user=OPERATOR)
        self.stage.govcloud("run", "approve", run, user=APPROVER)
        self.stage.govcloud("run", "resume", run, "--no-wait", expect=(1,), user=OPERATOR)

    def _start(self, system: str, *words: str) -> str:
        """Registered, checked, and approved by another person as far as the first gate."""
        self.stage.govcloud("run", "start", system, *words, "--no-wait", user=OPERATOR)
        run: str = self.stage.ask("run", "status")["run"]["run_id"]
        self.stage.govcloud("run", "approve", run, user=APPROVER)
        return run

    def _kill_in_replicate(self, run: str) -> None:
        process = self.stage.start("run", "resume", run, "--no-wait", user=OPERATOR)
        deadline = time.monotonic() + _CRASH_WAIT_SECONDS
        while not list((self.stage.folder / "evidence" / run / GOOD / "replicate" / "apply").glob("*/intent.json")):
            if process.poll() is not None or time.monotonic() > deadline:
                raise OutsideError(Text("没等到复制开始", "Replication did not begin"), where=run)
            time.sleep(0.05)
        process.kill()
        process.wait()
        self.stage.say(
            Text(
                "复制途中，主控被 kill -9 杀掉。续跑：",
                "In the middle of replication the controller was killed (kill -9). Go on:",
            )
        )

    def take_over(self) -> None:
        self.stage.say(
            Text(
                "建设单位自己生成密钥，只交出公钥：",
                "The construction unit makes its own key and hands over the public half:",
            )
        )
        key = self.stage.lab.folder / "builder_ed25519"
        self.stage.shell("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "builder", "-f", key)
        until = date.today() + timedelta(days=60)
        plan = ("--level", "technical", "--builder", BUILDER_UNIT, "--until", str(until))
        self.stage.govcloud("takeover", "plan", GOOD, *plan, user=OWNER)
        self.stage.govcloud("takeover", "start", GOOD, "--builder-key", f"{key}.pub", user=OWNER)
        rows = self.stage.ask("takeover", "list")["takeovers"]["rows"]
        handover: str = next(row["handover_id"] for row in rows if row["system_id"] == GOOD)
        self.stage.govcloud("takeover", "papers", handover, "handover", user=OWNER)
        reason = ("--not-applicable", "建设单位即开发单位，没有其他原运维单位")
        self.stage.govcloud("takeover", "evidence", handover, "vendor_access", *reason, user=OWNER)
        self.stage.say(
            Text(
                "\n资料须由接收方另一人接收才算数；台账里有的（服务器、合同、未整改问题……）不用人写：",
                "\nPapers count once the receiver, another person, has accepted them; what the store knows (servers, "
                "contracts, open findings …) nobody has to write:",
            )
        )
        self.stage.govcloud("takeover", "data", handover, "servers", "contracts", "findings")
        self.stage.govcloud("takeover", "accept", handover, "--all", user=BUILDER)
        self.stage.govcloud("takeover", "rotate", handover, "--identity", key, user=BUILDER)
        self.stage.govcloud("takeover", "sign", handover, "--role", "owner", user=OWNER)
        self.stage.govcloud("takeover", "sign", handover, "--role", "builder", "--identity", key, user=BUILDER)
        self.stage.govcloud("takeover", "status", handover)
        self.stage.govcloud("takeover", "progress")

    def prove(self) -> None:
        folder = self.stage.folder
        self.stage.govcloud("audit", "export", "-o", "bundle", user=OPERATOR)
        shutil.copy(folder / "keys" / "ledger_ed25519.vkey", folder / "auditor" / "ledger.vkey")
        verify = (sys.executable, "-I", "bundle/verify.py")
        kept = ("--key", "auditor/ledger.vkey", "--checkpoint", "auditor/plan.note", "--lang", self.stage.lang)
        self.stage.shell(*verify, "bundle", *kept)
        self.stage.say(Text("在副本里改动一个字节：", "One byte is changed in a copy:"))
        shutil.copytree(folder / "bundle", folder / "bundle-tampered")
        records = folder / "bundle-tampered" / "records.jsonl"
        data = bytearray(records.read_bytes())
        data[len(data) // 2] ^= 1
        records.write_bytes(data)
        self.stage.shell(*verify, "bundle-tampered", *kept, expect=(5,))

    def report(self) -> None:
        states = [row["state"] for row in self.stage.ask("check", "estate")["findings"]["rows"]]
        gone = states.count("resolved")
        self.stage.say(
            Text(
                "迁移后复查（govcloud check estate）：消除 {gone} 个，尚有 {n} 个问题",
                "Checked again after the moves (govcloud check estate): {gone} resolved, {n} findings left",
            ).format(gone=gone, n=len(states) - gone)
        )
        self.stage.govcloud("report", "-o", "reports", user=OPERATOR)


def _short(path: Path) -> Path:
    """As it is typed from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


TITLES = (
    Text("建立工作区", "Make a workspace"),
    Text("启动真实主机并认可主机密钥", "Real hosts, and their keys approved"),
    Text("导入各部门工作簿", "Import the departments' workbooks"),
    Text("登录主机核实，并与工作簿合并", "Discover the hosts and merge"),
    Text("对照法规与服务目录", "Check against the regulations and the catalog"),
    Text("编排迁移批次", "Plan the waves"),
    Text("审批、迁移、断点续跑、校验不过则回退", "Approve, migrate, survive a crash, roll back what fails"),
    Text("运维接管", "Take maintenance over"),
    Text("核验台账", "Verify the ledger"),
    Text("报告", "Report"),
)


_RESERVED = Text("演示目录里已有内容，未改动", "The demo's folder is not empty; nothing was changed")


@contextmanager
def walk(folder: Path, *, site: str, lang: Lang, crash: bool = True, loopback: bool = False) -> Iterator[Lab]:
    """Start the lab, walk the road, and yield the lab while its hosts are still there; they end with the context.

    The workspace `folder` stays. Raises UsageError when the folder is in use, OutsideError when a host or a station fails.
    """
    load_site(site)
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            _RESERVED,
            where=str(folder),
            next_step=Text("换一个目录，或不写目录名", "Name another folder, or none"),
        )
    place = Path(tempfile.mkdtemp(prefix="govcloud-lab-"))
    try:
        print(Text("正在启动演示主机……", "Starting the hosts …").to(lang), flush=True)  # noqa: T201
        with start_lab(place, mode="loopback" if loopback else None) as lab:
            Road(Stage(folder, lang, lab), site, crash).walk()
            yield lab
    finally:
        shutil.rmtree(place, ignore_errors=True)
