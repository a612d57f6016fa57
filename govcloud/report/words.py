"""Enum values and field names of the inventory as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping

from govcloud.model.text import Text

SUBJECTS: Mapping[str, Text] = {
    "department": Text("部门", "department"), "system": Text("系统", "system"), "server": Text("服务器", "server"),
    "network": Text("网络", "network"), "dependency": Text("依赖", "dependency"), "project": Text("项目", "project"),
}  # fmt: skip
HOSTING: Mapping[str, Text] = {
    "own_room": Text("自有机房", "own room"), "hosted_room": Text("托管机房", "hosted room"),
    "gov_cloud": Text("政务云", "government cloud"), "county_cloud": Text("县级云", "county cloud"),
    "industry_cloud": Text("行业云", "industry cloud"), "public_cloud": Text("公有云", "public cloud"),
}  # fmt: skip
LIFECYCLE: Mapping[str, Text] = {
    "planned": Text("规划", "planned"), "building": Text("在建", "being built"), "trial": Text("试运行", "on trial"),
    "operating": Text("在用", "in use"), "idle": Text("闲置", "idle"), "stopped": Text("停用", "stopped"),
}  # fmt: skip
NETWORK_KIND: Mapping[str, Text] = {
    "dedicated": Text("业务专网", "dedicated"), "extranet": Text("政务外网", "extranet"),
    "intranet": Text("政务内网", "intranet"), "internet": Text("互联网", "internet"),
}  # fmt: skip
NETWORK_TARGET: Mapping[str, Text] = {
    "extranet_public": Text("并入外网公用区", "into the extranet, public zone"),
    "extranet_vpn": Text("并入外网专用区", "into the extranet, VPN"), "intranet": Text("并入内网", "into the intranet"),
    "close": Text("撤销", "close"), "keep": Text("保留", "keep"),
}  # fmt: skip
CRITICALITY: Mapping[str, Text] = {
    "core": Text("核心", "core"), "important": Text("重要", "important"), "general": Text("一般", "general"),
}  # fmt: skip
DISPOSITION: Mapping[str, Text] = {
    "retire": Text("下线", "retire"), "retain": Text("保留", "retain"), "rehost": Text("原样迁移", "rehost"),
    "replatform": Text("换平台迁移", "replatform"), "refactor": Text("改造迁移", "refactor"),
    "replace": Text("替换", "replace"), "consolidate": Text("合并", "consolidate"),
}  # fmt: skip
STRENGTH: Mapping[str, Text] = {"strong": Text("强", "strong"), "weak": Text("弱", "weak")}
DEPENDENCY_KIND: Mapping[str, Text] = {
    "database": Text("数据库", "database"), "interface": Text("接口", "interface"), "file": Text("文件", "files"),
    "message": Text("消息", "messages"), "login": Text("登录", "login"), "name": Text("域名解析", "names"),
    "time": Text("对时", "time"), "management": Text("管理监控", "management"),
}  # fmt: skip
SOURCES: Mapping[str, Text] = {
    "workbook": Text("工作簿", "workbook"), "ssh": Text("登录核实", "SSH"), "person": Text("人工确认", "person"),
    "run": Text("迁移执行", "migration"),
}  # fmt: skip
VALUES: Mapping[str, Mapping[str, Text]] = {
    "hosting": HOSTING, "lifecycle": LIFECYCLE, "criticality": CRITICALITY, "disposition": DISPOSITION,
    "target": NETWORK_TARGET, "strength": STRENGTH,
}  # fmt: skip
"""Field -> its values' words; `kind` depends on the subject."""

FIELDS: Mapping[str, Text] = {
    "name": Text("名称", "Name"), "department": Text("部门", "Department"), "office": Text("处室", "Office"),
    "function": Text("功能", "Function"), "lifecycle": Text("状态", "State"), "classified": Text("涉密", "Classified"),
    "mlps_level": Text("等保级别", "MLPS level"), "mlps_filing_no": Text("等保备案号", "MLPS filing number"),
    "hosting": Text("部署方式", "Hosting"), "servers": Text("服务器", "Servers"), "networks": Text("所在网络", "Networks"),
    "url": Text("访问地址", "Address"), "in_directory": Text("列入目录", "In the directory"),
    "shares_data": Text("接入共享平台", "Shares data"), "users": Text("用户数", "Users"),
    "visits_per_year": Text("年访问量", "Visits a year"), "go_live_on": Text("投入使用", "In use since"),
    "stopped_on": Text("停用日期", "Stopped on"), "approval_body": Text("审批部门", "Approved by"),
    "approved_on": Text("审批日期", "Approved on"), "funding_source": Text("经费来源", "Funding"),
    "data_gib": Text("数据量（GiB）", "Data (GiB)"), "builder": Text("承建单位", "Builder"),
    "maintained_by": Text("运维单位", "Maintained by"), "contact": Text("联系人", "Contact"),
    "criticality": Text("重要程度", "Criticality"), "disposition": Text("处置方式", "Disposition"),
    "addresses": Text("地址", "Addresses"), "os_name": Text("操作系统", "Operating system"),
    "os_version": Text("系统版本", "OS version"), "kernel": Text("内核", "Kernel"), "arch": Text("架构", "Architecture"),
    "cpu_count": Text("核数", "Cores"), "memory_gib": Text("内存（GiB）", "Memory (GiB)"),
    "disk_gib": Text("磁盘（GiB）", "Disk (GiB)"), "location": Text("位置", "Location"), "virtual": Text("虚拟机", "Virtual"),
    "declared": Text("有填报", "Declared"), "seen": Text("已登录核实", "Seen"), "sockets": Text("监听端口", "Listening"),
    "connections": Text("连接", "Connections"), "routes": Text("路由", "Routes"),
    "process_count": Text("进程数", "Processes"), "services": Text("服务程序", "Services"), "kind": Text("类型", "Kind"),
    "prefixes": Text("网段", "Address blocks"), "carrier": Text("运营商", "Carrier"),
    "bandwidth_mbps": Text("带宽（Mbps）", "Bandwidth (Mbps)"), "nodes": Text("节点数", "Nodes"),
    "yearly_cost_yuan": Text("年费用（元）", "Yearly cost (yuan)"), "contract_ends_on": Text("合同到期", "Contract ends on"),
    "built_on": Text("建成日期", "Built on"), "legal_basis": Text("建设依据", "Legal basis"),
    "consent_body": Text("同意部门", "Consenting body"), "consent_document": Text("同意文件", "Consent document"),
    "utilisation_pct": Text("利用率（%）", "Utilisation (%)"), "target": Text("整合去向", "Target"),
    "target_on": Text("整合目标日期", "Target date"), "closed_on": Text("撤销日期", "Closed on"),
    "source_id": Text("需要方", "Needs"), "target_id": Text("被依赖方", "Needed"), "strength": Text("强度", "Strength"),
    "port": Text("端口", "Port"), "measured": Text("已测得", "Measured"), "number": Text("编号", "Number"),
    "systems": Text("涉及系统", "Systems"), "budget_yuan": Text("预算（元）", "Budget (yuan)"),
    "contract_number": Text("合同编号", "Contract number"), "contract_signed_on": Text("合同签订", "Contract signed on"),
    "contract_filed_on": Text("合同备案", "Contract filed on"), "contract_filed_with": Text("备案部门", "Filed with"),
    "supervisor": Text("监理单位", "Supervisor"), "supervisor_filed_on": Text("监理备案", "Supervisor filed on"),
    "construction_completed_on": Text("建设完成", "Construction completed on"),
    "acceptance_applied_on": Text("申请验收", "Acceptance applied for on"),
    "acceptance_completed_on": Text("验收", "Accepted on"), "acceptance_filed_on": Text("验收备案", "Acceptance filed on"),
    "in_use_on": Text("投入使用", "In use since"), "self_evaluated_on": Text("自评价", "Self-evaluated on"),
    "level": Text("层级", "Level"),
}  # fmt: skip


def field_title(field: str) -> Text:
    return FIELDS.get(field, Text(field, field))


def value_text(kind: str, field: str, value: object) -> Text | None:
    """The words for an enum value; None where the value is shown as it is."""
    words = VALUES.get(field) or (
        {"network": NETWORK_KIND, "dependency": DEPENDENCY_KIND}.get(kind) if field == "kind" else None
    )
    return words.get(str(value)) if words else None
