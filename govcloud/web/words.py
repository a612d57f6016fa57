"""The words of the pages' frame."""

from __future__ import annotations

from collections.abc import Mapping

from govcloud.model.text import Text

WORDS: Mapping[str, Text] = {
    "skip": Text("跳到正文", "Skip to the content"),
    "menu": Text("菜单", "Menu"),
    "product": Text("政务云迁移", "Government cloud"),
    "other_language": Text("English", "中文"),
    "sign_in": Text("登录", "Sign in"),
    "sign_out": Text("退出", "Sign out"),
    "login": Text("账号", "Account"),
    "password": Text("口令", "Password"),
    "none": Text("（无）", "(none)"),
    "find": Text("查找", "Find"),
    "filter": Text("筛选", "Filter"),
    "all": Text("全部", "All"),
    "pages": Text("翻页", "Pages"),
    "previous": Text("上一页", "Previous"),
    "next": Text("下一页", "Next"),
    "rows": Text("行", "rows"),
    "as_file": Text("导出", "As a file"),
    "apply": Text("应用", "Apply"),
    "missing": Text("尚无内容", "Nothing here yet"),
    "next_step": Text("下一步", "Next"),
    "answers": Text("批准", "Approvals"),
    "orders": Text("命令", "Orders"),
    "reason": Text("理由（记入台账）", "Reason (goes into the ledger)"),
    "emergency": Text("紧急：两人批准，事后复核", "Emergency: two people, reviewed later"),
    "approve": Text("批准", "Approve"),
    "refuse": Text("不予批准", "Refuse"),
    "which_systems": Text("对哪些系统（不选为全部）", "For which systems (none: all)"),
    "contents": Text("目录", "Contents"),
    "request_file": Text("申请文件（.xlsx、.yaml、.json、.csv）", "Request (.xlsx, .yaml, .json, .csv)"),
    "check": Text("核对", "Check"),
    "os_user": Text("本机用户", "user of this machine"),
    "waive": Text("登记豁免", "Record a waiver"),
    "withdraw_waiver": Text("撤销豁免", "Withdraw the waiver"),
    "granted_by": Text("批准方", "Granted by"),
    "approver": Text("批准人", "Approver"),
    "document": Text("批准文件", "Document"),
    "approved_on": Text("批准日期", "Approved on"),
    "valid_until": Text("有效至", "Valid until"),
    "next_steps": Text("下一步", "What comes next"),
    "all_done": Text("没有待办事项", "Nothing is left to do"),
    "witnesses": Text("各来源的说法和历次变化", "What each witness said, and when"),
    "more": Text("全部", "All of them"),
}
