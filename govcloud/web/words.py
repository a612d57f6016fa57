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
}
