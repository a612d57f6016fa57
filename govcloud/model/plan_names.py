"""What jobs, goals and inputs of a plan are called."""

from __future__ import annotations

from collections.abc import Mapping

from govcloud.model.plan_problem import JobKind
from govcloud.model.schedule import GoalKind
from govcloud.model.text import Text

JOB_NAMES: Mapping[JobKind, Text] = {
    "adapt": Text("适配改造", "adaptation"), "provision": Text("资源开通", "provisioning"),
    "replicate": Text("数据首次复制", "first copy of the data"), "rehearse": Text("演练", "rehearsal"),
    "cutover": Text("割接", "cutover"), "trial": Text("试运行", "trial run"),
    "refile": Text("等保备案变更", "MLPS filing update"), "accept": Text("验收", "acceptance"),
    "takeover": Text("运维接管", "takeover"), "retention": Text("源端保留", "source retention"),
    "switch_off": Text("源端关停", "source switch-off"), "notice": Text("停用告知", "notice to users"),
    "archive": Text("数据归档", "archive of the data"), "close": Text("专网撤销", "network closing"),
}  # fmt: skip
GOAL_NAMES: Mapping[GoalKind, Text] = {
    "deadlines": Text("期限延误", "lateness"), "networks": Text("专网撤销时间", "closing of networks"),
    "risk": Text("核心系统过早割接", "core systems moved too early"), "makespan": Text("总工期", "length of the plan"),
    "bridges": Text("断开的依赖", "broken dependencies"), "peak": Text("班组峰值", "peak load of crews"),
    "changes": Text("比上一计划改变", "changes from the previous plan"), "waiting": Text("系统等待", "waiting of systems"),
}  # fmt: skip
INPUT_NAMES: Mapping[str, Text] = {
    "data_gib": Text("数据量", "data"), "criticality": Text("重要程度", "criticality"),
    "mlps_level": Text("等保级别", "MLPS level"), "hosting": Text("部署位置", "hosting"),
    "cpu_count": Text("处理器数", "CPUs"), "memory_gib": Text("内存", "memory"),
    "zone": Text("所在网络区域", "zone"), "arch": Text("处理器架构", "processor architecture"),
}  # fmt: skip
"""What may be unknown of a system and then is assumed (MoveTask.assumed)."""
