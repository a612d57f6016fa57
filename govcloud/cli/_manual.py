"""What --help shows beside a command's own words: a line for each verb, and examples.

The lines of the verbs stand here so that `govcloud --help` and completion import none of them. A test holds them equal to the
commands' own words and parses each example, so that neither can rot.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from govcloud.model.text import Text


class Example(NamedTuple):
    arguments: str
    """As typed after `govcloud`. Words in capitals stand for an id that a list shows."""
    says: Text

    @property
    def line(self) -> str:
        return f"govcloud {self.arguments}"


# fmt: off
VERBS: Mapping[str, Text] = {
    "accounts": Text("账号：谁可以做什么，口令和令牌", "Accounts: who may do what; passwords and tokens"),
    "audit": Text("台账：查看、签检查点、导出、核对；法规条款覆盖", "The ledger: read, sign, export, check; coverage of the clauses"),
    "catalog": Text("政务云服务目录", "The service catalog of the government cloud"),
    "check": Text("按法规核对资产，按服务目录核对申请", "Check the estate against the rules and requests against the catalog"),
    "completion": Text("输出命令补全脚本：bash、zsh 或 fish", "Print the completion script for bash, zsh or fish"),
    "demo": Text("在本机真实主机上把全程走一遍（示例数据）", "Walk the whole road on the sample estate, against real hosts on this machine"),
    "discover": Text("登录主机，读取云平台，核实实际情况", "Ask hosts and clouds what is really there"),
    "doctor": Text("检查本机和工作区缺什么、该怎么办", "What is missing on this machine and in the workspace, and what to do"),
    "import": Text("导入各部门报来的工作簿和其他工具的导出", "Import the departments' workbooks and exports of other tools"),
    "init": Text("建立一个站点的工作区", "Make a workspace for a site"),
    "inventory": Text("已知的系统、服务器、网络、依赖，及其出处", "What is known, from where, since when"),
    "networks": Text("业务专网台账：尚存的专网、撤并障碍、保留依据、核对结果和变化", "The ledger of dedicated networks: what remains, what blocks closing it, exemptions, contradictions, trend"),
    "plan": Text("排定迁移批次并说明理由", "Plan the waves of the migration, and say why"),
    "projects": Text("项目台账和法定时限", "Project records and statutory deadlines"),
    "report": Text("写出离线报告和各类文书（Word、网页、表格）", "Write the offline report and the papers (Word, pages, workbooks)"),
    "run": Text("执行迁移：发起、批准、跟踪、暂停、决定、回退、验收", "Carry out migrations: start, approve, follow, hold, decide, roll back, accept"),
    "serve": Text("网页看板：资产、计划、执行、接管和台账", "The dashboard: estate, plan, runs, takeovers and ledger as pages"),
    "takeover": Text("运维接管：计划、资料、接收、换钥、签字", "Maintenance takeover: plan, papers, acceptance, keys, signatures"),
    "template": Text("生成发给各部门填写的调查表", "Make the survey forms that departments fill in"),
    "waiver": Text("豁免：有理由、有批准、有期限地暂不处理一个问题", "Waivers: leave a finding for a time, with a reason and an approval"),
    "worker": Text("工作进程：执行某些网络区的迁移步骤", "A worker: carries out the steps of systems in some zones"),
}

EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "": (
        Example("init city --site jincheng", Text("建立工作区，其余命令在 city 目录里运行", "make a workspace; run the other commands in the folder city")),
        Example("-w city --format json inventory systems", Text("从别处使用它，输出交给程序", "use it from elsewhere, for a program")),
    ),
    "accounts add": (
        Example("accounts add zhang --name 张示例 --unit 示例信息中心 --role administrator", Text("第一个账号：系统管理员，属于当前系统用户", "the first account: an administrator, of the current system user")),
        Example("accounts add li --name 李示例 --unit 示例公司甲 --role builder --os-user li", Text("建设单位人员，凭系统用户进入", "builder's staff, known by the system user")),
    ),
    "accounts change": (Example("accounts change li --role builder --role supervisor", Text("更正角色（写全）", "correct the roles (all of them)")),),
    "accounts disable": (Example("accounts disable li --reason 调离", Text("停用", "disable it")),),
    "accounts enable": (Example("accounts enable li --reason 调回", Text("重新启用", "enable it again")),),
    "accounts list": (Example("accounts list --all", Text("全部账号，含已停用的", "all accounts, also those that are disabled")),),
    "accounts password": (
        Example("accounts password li", Text("为他设初始口令", "set his first password")),
        Example("--user li accounts password", Text("改自己的口令", "set one's own password")),
    ),
    "accounts show": (Example("accounts show li", Text("一个人的角色、权限和令牌", "roles, rights and tokens of a person")),),
    "accounts token list": (Example("accounts token list", Text("自己的令牌", "one's own tokens")),),
    "accounts token new": (Example("accounts token new --label 夜间检查 --days 30 -o token", Text("给自己发一个令牌，写入文件", "a token for oneself, in a file")),),
    "accounts token revoke": (Example("accounts token revoke T-0123456789", Text("撤销", "revoke it")),),
    "audit checkpoint": (Example("audit checkpoint -o /media/usb/2026-11.note", Text("签检查点，存到移动介质", "sign, and keep the copy on other media")),),
    "audit coverage": (Example("audit coverage", Text("每条条款由什么检查", "what tests each clause")),),
    "audit evidence": (Example("audit evidence SHA256", Text("哪些记录写有这个文件，文件是否原样", "which records name this file, and whether it is unchanged")),),
    "audit export": (
        Example("audit export -o bundle", Text("导出后：python3 bundle/verify.py bundle --key 公钥", "then: python3 bundle/verify.py bundle --key KEY")),
        Example("audit export -o bundle --since 100", Text("只导出检查点 100 之后的部分", "only what came after checkpoint 100")),
    ),
    "audit log": (
        Example("audit log --limit 20", Text("最近 20 条记录", "the newest 20 records")),
        Example("audit log --project SLXM-2026-01 --since 2026-01-01", Text("一个项目今年以来的始末", "what happened to a project this year")),
        Example("audit log --takeover HANDOVER", Text("一次接管的始末", "a takeover from beginning to end")),
        Example("audit log --kind approval --actor 李示例", Text("某人作过的批准", "what a person approved")),
    ),
    "audit prove": (Example("audit prove 120 -o record-120.proof", Text("证明第 120 条记录在台账中", "prove that record 120 is in the ledger")),),
    "audit rotate-key": (Example("audit rotate-key", Text("更换台账签名私钥", "change the ledger's signing key")),),
    "audit verify": (
        Example("audit verify", Text("核对本工作区的台账", "check this workspace's own ledger")),
        Example("audit verify bundle --key ledger.vkey", Text("核对一个导出目录", "check an exported folder")),
    ),
    "catalog diff": (Example("catalog diff sample-provincial sample-municipal", Text("两个目录的差别", "what differs between two catalogs")),),
    "catalog list": (Example("catalog list", Text("全部服务项", "every offering")),),
    "catalog show": (Example("catalog show CODE", Text("一个服务项的规格和价格", "size and price of one offering")),),
    "catalog validate": (Example("catalog validate service_catalog", Text("校验本单位自己的目录", "check catalogs of your own")),),
    "catalog versions": (Example("catalog versions", Text("各版本何时有效", "which version is valid when")),),
    "check estate": (Example("check estate", Text("检查全部资产；有问题时退出码为 1", "check everything; exit 1 where something is found")),),
    "check request": (Example("check request requests -o opinions", Text("核对一个目录的申请，写出审核意见", "check a folder of requests and write review opinions")),),
    "check rules": (Example("check rules", Text("试跑每条规则的用例", "try each rule's cases")),),
    "check show": (Example("check show FINDING", Text("一个问题的依据和下一步", "evidence of a finding, and what to do")),),
    "completion": (
        Example("completion bash > ~/.govcloud-completion", Text("bash、zsh：再在 ~/.bashrc 或 ~/.zshrc 中加一行 source ~/.govcloud-completion", "bash; for zsh say zsh. Then add to ~/.bashrc or ~/.zshrc: source ~/.govcloud-completion")),
        Example("completion fish > ~/.config/fish/completions/govcloud.fish", Text("为本人装上 fish 补全", "for yourself, in fish")),
    ),
    "demo": (
        Example("demo", Text("在当前目录下新建一个目录，走完全程", "the whole road, in a new folder under the current one")),
        Example("demo ~/demo --keep", Text("留在 ~/demo，主机继续运行", "in ~/demo, and the hosts stay")),
    ),
    "discover ansible": (Example("discover ansible /etc/ansible/hosts", Text("读取已有的主机清单", "read a list of hosts that exists")),),
    "discover ec2": (Example("discover ec2 --endpoint https://ec2.cloud.example --region r1", Text("密钥取自 AWS_* 变量", "keys come from AWS_* variables")),),
    "discover openstack": (Example("discover openstack --cloud gov --all-projects", Text("clouds.yaml 中的 gov", "the cloud gov of clouds.yaml")),),
    "discover ssh": (
        Example("discover ssh --hosts hosts.yaml", Text("登录清单中的主机", "log in to the hosts of the list")),
        Example("discover ssh --from-inventory --limit 'zone:dmz' --samples 3", Text("只到一个区，连接取样三次", "one zone only, looking at connections three times")),
    ),
    "discover trust": (Example("discover trust --hosts hosts.yaml --expect fingerprints.txt --approve", Text("只认另一途径得来的指纹", "approve only keys whose fingerprints came another way")),),
    "doctor": (
        Example("doctor", Text("缺什么、怎么办；须处理时退出码为 1", "what is missing and what to do; exit 1 where something must be done")),
        Example("--format json doctor", Text("交给监控", "for monitoring")),
    ),
    "import": (
        Example("import census/*.xlsx --returns back", Text("导入普查表；有错的标出，写到 back 供退回", "take the forms; faulty ones are marked in the folder back")),
        Example("import rvtools.xlsx --preview", Text("先看会变什么，不写入", "see what would change, store nothing")),
    ),
    "init": (
        Example("init city --site jincheng", Text("晋城市的工作区", "a workspace of Jincheng")),
        Example("init city --site shanxi --ledger sm3", Text("台账用国密算法 SM3、SM2", "with a ledger in SM3 and SM2")),
    ),
    "inventory ansible": (Example("inventory ansible -o hosts.ansible.yaml", Text("写成静态主机清单", "as a static list of hosts")),),
    "inventory confidence": (Example("inventory confidence", Text("哪些系统的资料最不可靠", "whose facts are weakest")),),
    "inventory confirm": (
        Example("inventory confirm SL-OA-01 department '示例信访局' --reason 电话核实", Text("定下一个字段的值", "settle the value of a field")),
        Example("inventory confirm --file answers.csv --reason 部门书面答复", Text("成批读入填好的确认值", "read many answers at once")),
    ),
    "inventory confirmations": (Example("inventory confirmations", Text("人工确认过的", "what persons have settled")),),
    "inventory conflicts": (Example("--format csv inventory conflicts > answers.csv", Text("输出到文件，填好后交给 confirm --file", "to a file, to be filled in for confirm --file")),),
    "inventory connections": (Example("inventory connections SL-OA-01", Text("谁连这个系统，连哪个端口", "who talks to this system, and to which port")),),
    "inventory departments": (Example("inventory departments", Text("各部门的数量和问题数", "counts and findings of each department")),),
    "inventory dependencies": (Example("inventory dependencies --find SL-OA-01", Text("一个系统的依赖", "those of one system")),),
    "inventory diff": (Example("inventory diff 2026-10-01 now", Text("自 10 月 1 日以来的变化", "what changed since 1 October")),),
    "inventory networks": (Example("inventory networks", Text("全部网络", "all networks")),),
    "inventory overlaps": (Example("inventory overlaps", Text("可考虑整合的系统", "systems that could become one")),),
    "inventory servers": (Example("inventory servers --department 交通", Text("一个部门的服务器", "those of one department")),),
    "inventory show": (Example("inventory show SL-OA-01 --why", Text("每个字段的出处和采用理由", "the source of each field, and why it was taken")),),
    "inventory sizing": (Example("inventory sizing --system SL-OA-01", Text("上云规格建议", "a size on the cloud")),),
    "inventory snapshot": (Example("inventory snapshot 2026Q4", Text("给现在的清单起名", "name the inventory of now")),),
    "inventory snapshots": (Example("inventory snapshots", Text("留存的快照", "those that were kept")),),
    "inventory systems": (Example("inventory systems --find 信访", Text("名称等含“信访”的", "those that hold a word")),),
    "inventory tenants": (Example("inventory tenants", Text("配额和用量", "quotas and what is used")),),
    "inventory undeclared": (Example("inventory undeclared", Text("没人上报的服务器和网段", "servers and address blocks that nobody declared")),),
    "inventory zombies": (Example("inventory zombies --all", Text("连同资料不足的一并列出", "also those of which too little is known")),),
    "networks": (Example("networks -o networks.docx -o networks.xlsx", Text("写成 Word 和 Excel", "as a paper and as a workbook")),),
    "plan build": (
        Example("plan build --starts-on 2026-12-01 --weeks 26", Text("12 月起排半年", "half a year from December")),
        Example("plan build --from latest --set capacity.crews=3", Text("试算：三个班组会怎样", "a trial: what if there were three crews")),
    ),
    "plan compare": (Example("plan compare PLAN OTHER", Text("并排看两个计划", "two plans side by side")),),
    "plan diff": (Example("plan diff", Text("最近两个计划之间的变化", "what moved between the last two")),),
    "plan explain": (Example("plan explain SL-OA-01", Text("为什么排在这一晚，怎样才能提前", "why this night, and what would make it earlier")),),
    "plan export": (
        Example("plan export -o plan.html", Text("甘特图、依赖图、占用曲线", "chart, dependencies, loads")),
        Example("plan export -o plan.xlsx", Text("改后用 plan import 读回", "to be edited and read back with plan import")),
    ),
    "plan import": (Example("plan import plan.xlsx --preview", Text("先看改动的后果", "see first what the edits break")),),
    "plan pin": (Example("plan pin SL-OA-01 --on 2026-12-05 --reason 部门要求", Text("固定到这一天的窗口", "to the window of that day")),),
    "plan pins": (Example("plan pins", Text("现有的固定安排", "those that count now")),),
    "plan show": (Example("plan show --wave 1 --part jobs", Text("第一批的工作", "the jobs of wave 1")),),
    "plan unpin": (Example("plan unpin SL-OA-01 --reason 已协调", Text("取消固定", "take a pin back")),),
    "plan verify": (Example("plan verify", Text("校验最新的计划", "check the latest plan")),),
    "projects deadlines": (Example("projects deadlines --within 30 --ics due.ics", Text("三十天内到期的，导入日历", "due in thirty days, also for a calendar")),),
    "projects due": (Example("projects due contract_signed --on 2026-11-02 --jurisdiction jincheng", Text("合同签订后谁须做什么", "who must do what after a contract was signed")),),
    "projects list": (Example("projects list", Text("全部项目", "all projects")),),
    "projects show": (Example("projects show PROJECT", Text("一个项目的记录和时限", "record and deadlines of one")),),
    "report": (
        Example("report -o reports", Text("写出全部报告", "write all of it")),
        Example("report --kind cutover --kind approval --kind rollback --wave 1 -o papers", Text("第 1 批的割接方案、审批单、回退方案", "the papers of wave 1: cutover plan, approval form, rollback plan")),
        Example("report --kind findings --department 示例交通厅 -o papers", Text("一个部门的问题清单", "one department's findings")),
        Example("report --kind month --month 2026-11 --show", Text("在屏幕上看一个月的月报", "a month's progress, on the screen")),
    ),
    "run accept": (Example("run accept RUN --system SL-OA-01 --reason 试运行期满", Text("试运行通过", "the trial was passed")),),
    "run answer": (Example("run answer RUN SL-OA-01 ticket.json", Text("读入云管人员的答复", "read the cloud desk's answer")),),
    "run approve": (
        Example("--user li run approve RUN --step freeze", Text("批准一道关口（须由他人）", "one gate; by another person")),
        Example("--user li run approve RUN --step freeze --system SL-OA-01 --emergency --reason 故障处置", Text("紧急：两人各批一次，事后复核", "an emergency: two people, reviewed later")),
    ),
    "run cancel": (Example("run cancel RUN --reason 部门要求推迟", Text("中止并撤销已做的", "stop, and undo what was begun")),),
    "run cleanup": (Example("run cleanup RUN --list", Text("先看会删除什么", "see first what would be deleted")),),
    "run decide": (Example("run decide RUN SL-OA-01 replicate rerun --reason 网络已恢复", Text("重做失败待定的一步", "do a step again that failed and is held")),),
    "run hold": (Example("run hold RUN --system SL-OA-01", Text("暂停一个系统", "hold one system")),),
    "run logs": (Example("run logs RUN SL-OA-01 replicate", Text("这一步最后一次尝试的日志", "of the step's last attempt")),),
    "run probe": (Example("run probe RUN SL-OA-01 cutover", Text("只看，不改", "it looks and changes nothing")),),
    "run resume": (Example("run resume RUN", Text("中断、断电或改期之后接着做", "after Ctrl-C, a power cut or a new window")),),
    "run review": (Example("run review RUN --reason 属实", Text("第三人复核", "by a third person")),),
    "run rollback": (Example("run rollback RUN SL-OA-01 --reason 业务部门要求", Text("验收之前都可以回退", "until it is accepted there is a way back")),),
    "run start": (
        Example("run start --wave 1", Text("最新计划的第一批", "wave 1 of the latest plan")),
        Example("run start SL-OA-01 --no-wait", Text("一个系统；到关口即返回", "one system; return at the gates")),
    ),
    "run status": (Example("run status RUN --follow", Text("做到哪里、为何等待、用哪条命令继续", "what it does, why it waits, which command ends the wait")),),
    "run switch-off": (Example("run switch-off RUN --system SL-OA-01", Text("停用已验收系统的源", "the source of an accepted system")),),
    "run trust": (Example("run trust RUN SL-OA-01 --approve", Text("认可新建云主机的密钥", "approve the keys of new machines")),),
    "serve": (
        Example("serve", Text("本机浏览器打开 http://127.0.0.1:8787", "for a browser on this machine: http://127.0.0.1:8787")),
        Example("serve --host 0.0.0.0 --name cloud.example --tls-cert web.pem --tls-key web.key", Text("供局域网使用，须用 TLS", "for the office's network, with TLS")),
    ),
    "takeover accept": (
        Example("takeover accept HANDOVER design deployment", Text("接收方接收两项", "the receiver takes two items")),
        Example("takeover accept HANDOVER --all", Text("接收全部待接收的", "everything that waits")),
    ),
    "takeover check": (Example("takeover check HANDOVER --identity builder.key", Text("再次验证登录密钥", "prove the keys again")),),
    "takeover data": (Example("takeover data HANDOVER licences", Text("许可及到期日", "licences and when they end")),),
    "takeover defer": (Example("takeover defer SL-OA-01 --reason 合同未到期 --until 2027-03-01", Text("暂缓，到期再看", "put it off, and look again on that day")),),
    "takeover evidence": (
        Example("takeover evidence HANDOVER design design.pdf", Text("提交一项资料", "hand one paper over")),
        Example("takeover evidence HANDOVER source_code --note 示例代码库，版本3.2", Text("用一句话说明", "a sentence in place of a file")),
    ),
    "takeover exclude": (Example("takeover exclude SL-OA-01 --reason 系统年内下线", Text("说明为何不接管", "say why it is not taken over")),),
    "takeover history": (
        Example("takeover history SL-OA-01", Text("一个系统由谁运维过", "who maintained a system, and since when")),
        Example("takeover history --unit 示例软件公司甲", Text("一家单位运维过什么", "what a unit maintained")),
    ),
    "takeover list": (Example("takeover list --state papers", Text("正在收资料的", "those whose papers are being collected")),),
    "takeover package": (
        Example("takeover package HANDOVER -o package.tar", Text("导出归档包", "write its package for the archive")),
        Example("takeover package --check package.tar", Text("离线核对一个归档包", "check a package offline")),
    ),
    "takeover papers": (Example("takeover papers HANDOVER papers", Text("提交整个目录，文件以清单项编号命名", "a whole folder, its files named after the items")),),
    "takeover plan": (Example("takeover plan SL-OA-01 --level full --builder 示例软件公司甲 --until 2027-03-31", Text("定下等级、接管单位和日期", "level, unit and day")),),
    "takeover progress": (Example("takeover progress", Text("各部门进度和逾期的", "each department's progress, and what is overdue")),),
    "takeover prove": (
        Example("takeover prove HANDOVER --identity builder.key", Text("在主机上逐项证明", "prove everything on the hosts")),
        Example("takeover prove HANDOVER keys vendor_access --old-key vendor.key", Text("只证明原运维单位已进不去", "only that the old vendor is locked out")),
    ),
    "takeover refuse": (
        Example("takeover refuse HANDOVER design --reason 缺接口说明", Text("退回一项", "send one item back")),
        Example("takeover refuse HANDOVER --all --reason 资料不全", Text("整体退回", "the whole as incomplete")),
    ),
    "takeover resume": (Example("takeover resume SL-OA-01", Text("撤销暂缓或不适用", "take a deferral or an exclusion back")),),
    "takeover rotate": (Example("takeover rotate HANDOVER --identity builder.key", Text("换钥并逐步验证", "change the keys, each step proved")),),
    "takeover sign": (Example("takeover sign HANDOVER --role owner", Text("业主单位签字", "sign for the owner")),),
    "takeover start": (Example("takeover start SL-OA-01 --builder 示例软件公司甲 --builder-key builder.pub", Text("开始一个系统的接管", "begin the takeover of a system")),),
    "takeover status": (Example("takeover status HANDOVER", Text("还差什么、由谁办、用哪条命令", "what is open, who has to do it, with which command")),),
    "template": (
        Example("template census -o census.xlsx", Text("普查表", "the census form")),
        Example("template census servers -o check.xlsx --department 示例交通厅 --filled", Text("预填已知内容，供一个部门核对", "filled in with what is known, for one department to check")),
    ),
    "waiver add": (Example("waiver add FINDING --reason 年内并入统一平台 --role authority --approver 示例处长 --document PAPER --approved-on 2026-11-20 --until 2027-02-20", Text("登记已批准的豁免", "record one that was granted")),),
    "waiver list": (Example("waiver list --all", Text("连同到期和撤销的", "also those that have ended")),),
    "waiver withdraw": (Example("waiver withdraw WAIVER --reason 已整改", Text("撤销", "take it back")),),
    "worker": (
        Example("worker --zone dmz", Text("为一个网络区执行", "for one zone")),
        Example("worker --list", Text("谁在运行", "who is at work")),
    ),
}
# fmt: on
