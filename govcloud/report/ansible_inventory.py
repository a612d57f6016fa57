"""A static Ansible inventory in YAML, for machines on which this program is not installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import yaml

from govcloud.model.text import Term, Text
from govcloud.report.view import Column, View

_KINDS = {
    "department": Text("部门", "department"), "system": Text("系统", "system"), "wave": Text("批次", "wave"),
    "zone": Text("网络区域", "network zone"), "os": Text("操作系统", "operating system"),
}  # fmt: skip


class _Unsafe(str):
    """Text that Ansible must show and never evaluate: written with the tag `!unsafe`."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))


def render_ansible_inventory(
    groups: Mapping[str, Sequence[str]], hosts: Mapping[str, Mapping[str, object]]
) -> str:  # fmt: skip
    """Group -> hosts and host -> variables as the YAML that Ansible's own `yaml` plugin reads."""
    tree = {
        "all": {
            "hosts": {name: {key: _marked(value) for key, value in given.items()} for name, given in hosts.items()},
            "children": {group: {"hosts": dict.fromkeys(members)} for group, members in groups.items()},
        }
    }
    return yaml.dump(tree, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000)


def _marked(value: object) -> object:
    if isinstance(value, str):
        return _Unsafe(value)
    if isinstance(value, list):
        return [_marked(item) for item in value]
    return value


def build_ansible_groups_view(
    groups: Mapping[str, Sequence[str]], meanings: Mapping[str, tuple[str, str]], left_out: Sequence[str]
) -> View:
    """What the groups' names stand for. `meanings`: group -> (kind, the name as people write it)."""
    note = Text(
        "没有地址、未列入的服务器 {n} 台：{s}", "{n} servers are left out, having no address: {s}"
    ).format(n=len(left_out), s=", ".join(left_out[:10]) + (" …" if len(left_out) > 10 else ""))  # fmt: skip
    return View(
        name="ansible_groups", title=Text("Ansible 主机组", "Ansible groups"),
        columns=(
            Column("group", Text("组", "Group")), Column("kind", Text("按", "By")), Column("meaning", Text("含义", "Meaning")),
            Column("hosts", Text("主机", "Hosts"), "right"),
        ),
        rows=tuple(
            {
                "group": group, "kind": Term(_KINDS[meanings[group][0]].zh, _KINDS[meanings[group][0]].en, meanings[group][0]),
                "meaning": meanings[group][1], "hosts": len(hosts),
            }
            for group, hosts in groups.items()
        ),
        notes=(note,) if left_out else (),
        facts={"left_out": list(left_out)},
    )  # fmt: skip
