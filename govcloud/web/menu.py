"""The pages that stand in the menu, each for those who may look at it."""

from __future__ import annotations

from dataclasses import dataclass

from govcloud.model.account import Action
from govcloud.model.text import Text


@dataclass(frozen=True, slots=True)
class Entry:
    path: str
    title: Text
    action: Action = "read"
    also: tuple[str, ...] = ()
    """Other pages that belong to it."""

    def holds(self, path: str) -> bool:
        """Whether the page is one of the entry's own."""
        return path == self.path or any(f"{path}/".startswith(f"{p}/") for p in (self.path, *self.also) if p != "/")


MENU: tuple[Entry, ...] = (
    Entry("/", Text("总览", "Overview")),
    Entry("/departments", Text("部门", "Departments")),
    Entry("/systems", Text("系统", "Systems"), also=("/conflicts",)),
    Entry("/servers", Text("服务器", "Servers")),
    Entry("/networks", Text("业务专网", "Networks")),
    Entry("/findings", Text("合规问题", "Findings"), also=("/waivers",)),
    Entry("/catalog", Text("服务目录", "Catalog"), also=("/requests",)),
    Entry("/plan", Text("迁移计划", "Plan")),
    Entry("/runs", Text("执行", "Runs")),
    Entry("/approvals", Text("批准", "Approvals")),
    Entry("/takeovers", Text("运维接管", "Takeovers")),
    Entry("/projects", Text("项目期限", "Projects"), also=("/deadlines",)),
    Entry("/papers", Text("文书", "Papers"), "export"),
    Entry("/ledger", Text("台账", "Ledger")),
    Entry("/accounts", Text("账号", "Accounts"), "administer"),
)
