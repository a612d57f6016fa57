"""Kinds of ledger records as a table names them; what a record says in words is ledger_words.py's."""

from __future__ import annotations

from collections.abc import Mapping

from govcloud.model.text import Text

KIND: Mapping[str, Text] = {
    "init": Text("建立工作区", "workspace made"), "import": Text("导入", "import"), "discover": Text("采集核实", "discovery"),
    "confirm": Text("人工确认", "confirmation"), "host_keys": Text("主机密钥", "host keys"), "snapshot": Text("清单快照", "snapshot"),
    "check": Text("合规核对", "check"), "waiver": Text("豁免", "waiver"), "plan": Text("计划", "plan"),
    "plan_pin": Text("计划固定", "plan pin"), "run": Text("执行", "run"), "run_scope": Text("执行范围", "scope of a run"),
    "run_state": Text("执行状态", "state in a run"), "step": Text("步骤", "step"), "gate": Text("关口", "gate"),
    "approval": Text("审批", "approval"), "order": Text("指令", "order"), "resource": Text("云资源", "cloud resource"),
    "handover": Text("运维接管", "takeover"), "signoff": Text("移交签署", "sign-off"), "report": Text("报告", "report"),
    "export": Text("台账导出", "ledger export"), "key_rotation": Text("换台账密钥", "change of the ledger key"), "account": Text("账号", "account"),
    "sign_in": Text("登录", "sign-in"), "refused": Text("拒绝", "refusal"),
}  # fmt: skip
