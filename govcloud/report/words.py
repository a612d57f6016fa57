"""Enum values and field names of the inventory as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping

from govcloud.model.text import Text, same

SUBJECTS: Mapping[str, Text] = {
    "department": Text("部门", "department"), "system": Text("系统", "system"), "server": Text("服务器", "server"),
    "network": Text("网络", "network"), "dependency": Text("依赖", "dependency"), "project": Text("项目", "project"),
    "tenant": Text("云租户", "cloud tenant"),
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
    "cloud": Text("云内网络", "inside a cloud"),
}  # fmt: skip
NETWORK_TARGET: Mapping[str, Text] = {
    "extranet_public": Text("并入外网公用区", "into the extranet, public zone"),
    "extranet_vpn": Text("并入外网专用区", "into the extranet, VPN"), "intranet": Text("并入内网", "into the intranet"),
    "close": Text("撤销", "close"), "keep": Text("保留", "keep"),
}  # fmt: skip
NETWORK_LEVEL: Mapping[str, Text] = {
    "superior": Text("上级", "higher level"), "own": Text("本级", "own"), "subordinate": Text("下级", "lower level"),
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
    "run": Text("迁移执行", "migration"), "openstack": same("OpenStack"), "ec2": same("EC2"),
    "ansible": Text("Ansible 清单", "Ansible inventory"), "rvtools": same("RVTools"), "aws_ads": same("AWS ADS"),
    "azure_migrate": same("Azure Migrate"), "google_mc": same("Google Migration Center"), "konveyor": same("Konveyor"),
    "netbox": same("NetBox"),
}  # fmt: skip
TRAFFIC: Mapping[str, Text] = {
    "business": Text("业务", "business"), "management": Text("远程管理", "management"),
    "monitoring": Text("监控", "monitoring"), "naming": Text("域名解析", "names"), "time": Text("对时", "time"),
    "file_share": Text("文件共享", "file share"), "ephemeral": Text("临时端口", "ephemeral"),
}  # fmt: skip
ENVIRONMENT: Mapping[str, Text] = {
    "production": Text("生产", "production"), "test": Text("测试", "test"), "development": Text("开发", "development"),
}  # fmt: skip
POWER: Mapping[str, Text] = {
    "on": Text("开机", "on"),
    "off": Text("关机", "off"),
    "suspended": Text("挂起", "suspended"),
}
VALUES: Mapping[str, Mapping[str, Text]] = {
    "hosting": HOSTING, "lifecycle": LIFECYCLE, "criticality": CRITICALITY, "disposition": DISPOSITION,
    "target": NETWORK_TARGET, "strength": STRENGTH, "traffic": TRAFFIC, "environment": ENVIRONMENT, "power": POWER,
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
    "data_catalogued": Text("信息资源目录", "Data in the resource directory"),
    "controllable": Text("自主可控", "Independently controllable"),
    "risk_assessed_on": Text("安全风险评估", "Security risk assessed on"),
    "emergency_plan_on": Text("应急预案日期", "Contingency plan of"),
    "drilled_on": Text("最近一次演练", "Last drill"),
    "consent_on": Text("同意日期", "Consented on"),
    "consent_valid_until": Text("同意有效期至", "Consent valid until"),
    "access": Text("接入方式", "Kind of access"),
    "purpose": Text("用途", "Purpose"),
    "responsible": Text("责任人", "Responsible"),
    "closure_evidence": Text("完成证据", "Evidence of completion"),
    "lead": Text("项目负责人", "Project lead"),
    "planned": Text("列入年度计划", "In the yearly plan"),
    "opinion_on": Text("审核意见", "Review opinion of"),
    "approval_document": Text("批复文号", "Approval document"),
    "government_approved_on": Text("政府批准", "Approved by the government on"),
    "data_directory": Text("申请材料含信息资源内容", "Application lists its data"),
    "budget_lines": Text("预算明细", "Budget lines"),
    "budget_reviewed_on": Text("预算评审", "Budget reviewed on"),
    "final_yuan": Text("决算（元）", "Final account (yuan)"),
    "maintenance_yuan": Text("年运维费（元）", "Maintenance a year (yuan)"),
    "maintenance_reviewed_on": Text("运维费审核", "Maintenance money reviewed on"),
    "progress_reported_on": Text("最近一次进展报送", "Progress last reported on"),
    "changes": Text("重大变化", "Material changes"),
    "initial_accepted_on": Text("初验", "Initial acceptance"),
    "acceptance_extended_to": Text("验收延期至", "Acceptance extended to"),
    "acceptance_organiser": Text("验收组织单位", "Acceptance organised by"),
    "archives": Text("档号", "Archive references"),
    "accepted_on": Text("所属项目验收", "Accepted with its project on"),
    "environment": Text("环境", "Environment"),
    "build_mode": Text("建设方式", "Built by"),
    "build_basis": Text("建设依据", "Basis"),
    "budget_project": Text("预算项目", "Budget item"),
    "budget_years": Text("预算年度", "Budget years"),
    "scope_region": Text("使用区域", "Region of use"),
    "scope_users": Text("使用对象", "Kinds of user"),
    "monthly_users": Text("月均用户", "Users a month"),
    "visits_basis": Text("访问量测算依据", "How visits were counted"),
    "database": Text("数据库", "Database"),
    "middleware": Text("中间件", "Middleware"),
    "data_rows": Text("数据量（条）", "Data (rows)"),
    "data_growth_gib": Text("年数据增长（GiB）", "Data growth a year (GiB)"),
    "data_update": Text("数据更新频率", "Data update"),
    "data_dictionary": Text("有数据字典", "Has a data dictionary"),
    "uses_foreign_data": Text("使用其他部门数据", "Uses data of others"),
    "sharing_scope": Text("共享范围", "Shared with"),
    "dedicated_address": Text("业务专网地址", "Address on the dedicated network"),
    "mlps_filed_on": Text("等保备案日期", "MLPS filed on"),
    "mlps_filing_authority": Text("等保备案机关", "MLPS filed with"),
    "mlps_assessed_on": Text("等保测评日期", "MLPS assessed on"),
    "mlps_score": Text("等保测评得分", "MLPS score"),
    "crypto_evaluated_on": Text("密评日期", "Cryptography evaluated on"),
    "crypto_level": Text("密码应用等级", "Cryptography level"),
    "developer_contact": Text("开发厂商联系方式", "Developer contact"),
    "maintenance_ends_on": Text("运维合同到期", "Maintenance ends on"),
    "last_changed_on": Text("最近一次更新", "Last change"),
    "zombie_declared": Text("自报僵尸系统", "Declared a zombie"),
    "detached_from_process": Text("与业务流程脱节", "Detached from the process"),
    "replaceable": Text("功能可被替代", "Replaceable"),
    "replaced_by": Text("替代系统", "Replaced by"),
    "resources_idle": Text("资源长期空闲", "Resources idle"),
    "updates_stopped": Text("运维停止更新", "Updates stopped"),
    "narrow_use": Text("使用范围小", "Narrow use"),
    "rare_use": Text("使用频度低", "Rare use"),
    "cleanup_on": Text("计划清理时间", "Clean-up planned for"),
    "deferral_reason": Text("申请暂缓整合原因", "Reason for deferral"),
    "zone": Text("网络区域", "Zone"),
    "uuid": Text("UUID", "UUID"),
    "serial": Text("序列号", "Serial number"),
    "macs": Text("MAC 地址", "MAC addresses"),
    "virtualisation": Text("虚拟化类型", "Virtualisation"),
    "cpu_model": Text("处理器型号", "Processor"),
    "maker": Text("厂商", "Maker"),
    "model": Text("型号", "Model"),
    "power": Text("电源状态", "Power"),
    "hypervisor": Text("宿主机/集群", "Host or cluster"),
    "cloud": Text("所在云", "Cloud"),
    "cloud_id": Text("云实例编号", "Instance id"),
    "tenant": Text("云租户", "Tenant"),
    "flavor": Text("规格", "Flavor"),
    "image": Text("镜像", "Image"),
    "disks": Text("磁盘", "Disks"),
    "filesystems": Text("文件系统", "File systems"),
    "interfaces": Text("网卡", "Interfaces"),
    "packages": Text("软件", "Software"),
    "units": Text("自启服务", "Services at start"),
    "scheduled": Text("定时任务", "Scheduled jobs"),
    "containers": Text("容器", "Containers"),
    "container_engine": Text("容器引擎", "Container engine"),
    "login_users": Text("可登录账号", "Accounts that can log in"),
    "dns_servers": Text("DNS 服务器", "DNS servers"),
    "ntp_servers": Text("时间服务器", "Time servers"),
    "load_15m": Text("15 分钟负载", "Load (15 min)"),
    "booted_at": Text("启动时间", "Booted"),
    "cpu_avg_pct": Text("CPU 平均（%）", "CPU mean (%)"),
    "cpu_p95_pct": Text("CPU 95 分位（%）", "CPU p95 (%)"),
    "cpu_peak_pct": Text("CPU 峰值（%）", "CPU peak (%)"),
    "memory_avg_pct": Text("内存平均（%）", "Memory mean (%)"),
    "memory_p95_pct": Text("内存 95 分位（%）", "Memory p95 (%)"),
    "memory_peak_pct": Text("内存峰值（%）", "Memory peak (%)"),
    "disk_used_gib": Text("已用磁盘（GiB）", "Disk used (GiB)"),
    "utilisation_days": Text("利用率覆盖天数", "Days of utilisation"),
    "utilisation_samples": Text("利用率样本数", "Samples of utilisation"),
    "traffic": Text("流量类别", "Traffic"),
    "source_process": Text("需要方进程", "Process of the client"),
    "target_process": Text("被依赖方进程", "Process of the server"),
    "first_seen_at": Text("首次见到", "First seen"),
    "last_seen_at": Text("最近见到", "Last seen"),
    "samples": Text("见到次数", "Samples"),
    "vcpu_quota": Text("vCPU 配额", "vCPU quota"),
    "vcpu_used": Text("vCPU 已用", "vCPU used"),
    "memory_gib_quota": Text("内存配额（GiB）", "Memory quota (GiB)"),
    "memory_gib_used": Text("内存已用（GiB）", "Memory used (GiB)"),
    "storage_gib_quota": Text("存储配额（GiB）", "Storage quota (GiB)"),
    "storage_gib_used": Text("存储已用（GiB）", "Storage used (GiB)"),
    "server_quota": Text("云主机配额", "Server quota"),
    "server_used": Text("云主机已用", "Servers used"),
    "address_quota": Text("浮动地址配额", "Floating address quota"),
    "address_used": Text("浮动地址已用", "Floating addresses used"),
    "flavors": Text("可选规格", "Flavors"),
    "images": Text("镜像", "Images"),
    "routers": Text("路由器", "Routers"),
    "vpn_connections": Text("VPN 连接", "VPN connections"),
    "security_groups": Text("安全组", "Security groups"),
    "buckets": Text("对象存储桶", "Buckets"),
}  # fmt: skip


def field_title(field: str) -> Text:
    return FIELDS.get(field, Text(field, field))


def value_text(kind: str, field: str, value: object) -> Text | None:
    """The words for an enum value; None where the value is shown as it is."""
    own = {
        ("network", "kind"): NETWORK_KIND,
        ("dependency", "kind"): DEPENDENCY_KIND,
        ("network", "level"): NETWORK_LEVEL,
    }
    words = VALUES.get(field) or own.get((kind, field))
    return words.get(str(value)) if words else None
