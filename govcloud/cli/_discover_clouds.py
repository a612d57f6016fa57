from __future__ import annotations

from pathlib import Path

import click

from govcloud.cli.base import App, command, option, pass_app
from govcloud.model.text import Text
from govcloud.report.clouds import build_ansible_views, build_cloud_views
from govcloud.workflow import clouds

_ca = option(
    "--ca",
    type=click.Path(path_type=Path, dir_okay=False),
    text=Text("签发云平台证书的 CA 证书文件", "CA bundle that the cloud's certificate is checked against"),
)
_department = option("--department", text=Text("这些主机所属的部门", "Department that these servers belong to"))
_zone = option(
    "--zone",
    text=Text(
        "地址在哪个网络区域内唯一；默认每个云内网络自成一区",
        "Network zone in which the addresses are unique; by default each cloud network is its own",
    ),
)


_name = option(
    "--name",
    text=Text("在清单中怎么称呼这个云，默认 主机/区域", "What the inventory calls the cloud; HOST/REGION by default"),
)


@command(
    Text("读取 OpenStack 云（clouds.yaml 或 OS_* 变量）", "Read an OpenStack cloud (clouds.yaml or OS_* variables)"),
    action="collect",
)
@option("--cloud", text=Text("clouds.yaml 中的名称", "Its name in clouds.yaml"))
@option(
    "--all-projects", is_flag=True, text=Text("读取全部项目（需要管理权限）", "Read all projects (needs the right to)")
)
@_name
@_ca
@_department
@_zone
@pass_app
def openstack(
    app: App,
    cloud: str | None,
    all_projects: bool,
    name: str | None,
    ca: Path | None,
    department: str | None,
    zone: str | None,
) -> int:
    with app.session() as session:
        result = clouds.discover_openstack(
            session, cloud=cloud, all_projects=all_projects, name=name, ca=ca, department=department, zone=zone
        )
    app.show(*build_cloud_views(result))
    return 0 if result.reading.complete else 1


@command(
    Text(
        "读取 EC2 兼容的云（AWS 配置档或 AWS_* 变量）",
        "Read a cloud with an EC2 interface (AWS profile or AWS_* variables)",
    ),
    action="collect",
)
@option("--endpoint", metavar="URL", text=Text("EC2 接口地址", "Address of the EC2 interface"))
@option(
    "--s3-endpoint",
    metavar="URL",
    text=Text("对象存储接口地址，默认同 --endpoint", "Address of the S3 interface; --endpoint by default"),
)
@option("--region", text=Text("区域", "Region"))
@option("--profile", text=Text("AWS 配置档的名称", "Name of an AWS profile"))
@_name
@_ca
@_department
@_zone
@pass_app
def ec2(
    app: App,
    endpoint: str | None,
    s3_endpoint: str | None,
    region: str | None,
    profile: str | None,
    name: str | None,
    ca: Path | None,
    department: str | None,
    zone: str | None,
) -> int:
    with app.session() as session:
        result = clouds.discover_ec2(
            session, endpoint=endpoint, s3_endpoint=s3_endpoint, region=region, profile=profile, ca=ca, name=name,
            department=department, zone=zone,
        )  # fmt: skip
    app.show(*build_cloud_views(result))
    return 0 if result.reading.complete else 1


@command(
    Text(
        "读取已有的 Ansible 主机清单（只读，不执行）", "Read existing Ansible inventories; nothing in them is executed"
    ),
    action="collect",
)
@click.argument("inventories", metavar="INVENTORY...", nargs=-1, required=True, type=click.Path(path_type=Path))
@_department
@_zone
@pass_app
def ansible(app: App, inventories: tuple[Path, ...], department: str | None, zone: str | None) -> int:
    with app.session() as session:
        result = clouds.discover_ansible(session, inventories, department=department, zone=zone)
    app.show(*build_ansible_views(result))
    return 1 if any(r.refused for r in result.readings) else 0
