#!/usr/bin/python
"""Turns the disks of machines that can't be re-installed into images of the cloud, on the controller."""

from pathlib import Path

import msgspec
from ansible.module_utils.basic import AnsibleModule
from govcloud.errors import GovcloudError
from govcloud.execution.drivers import CloudError
from govcloud.execution.drivers.making import Maker
from govcloud.execution.images import DiskReader
from govcloud.execution.stream import Remote
from govcloud.model.migration import MigrationSpec
from govcloud.model.resource import Resource
from govcloud.model.text import Text


def main():
    module = AnsibleModule(
        argument_spec={
            "spec": {"type": "dict", "required": True},
            "system": {"type": "dict", "required": True},
            "resources": {"type": "list", "elements": "dict", "required": True},
            "evidence": {"type": "path", "required": True},
            "work": {"type": "path", "required": True},
            "workspace": {"type": "path", "required": True},
            "ssh_config": {"type": "path", "required": True},
        }
    )
    given = module.params
    spec = msgspec.convert(given["spec"], MigrationSpec)
    maker = Maker(
        spec, given["system"]["run_id"], Path(given["evidence"]), msgspec.convert(given["resources"], list[Resource]),
        base=Path(given["workspace"]), zone=given["system"].get("zone"),
    )  # fmt: skip
    before = maker.listing()
    try:
        for machine in maker.machines:
            if machine.image is not None:
                provide(maker, machine, given)
    except GovcloudError as error:
        problems = [Text(error.message("zh").replace("\n", "；"), error.message("en").replace("\n", "; ")), *maker.listing()]
        facts = dict(maker.facts, **(error.facts if isinstance(error, CloudError) else {}))
        module.fail_json(msg=problems[0].en, problems=[{"zh": p.zh, "en": p.en} for p in problems], gov=facts)
    module.exit_json(changed=before != maker.listing(), gov=maker.facts)


def provide(maker, machine, given):
    reader = DiskReader(
        Remote(Path(given["ssh_config"])), machine.source, machine.image, Path(given["work"]), machine.name,
        beat=maker.beat, bandwidth_mbps=maker.spec.limits.bandwidth_mbps,
    )  # fmt: skip
    made = reader.make()
    needed = -(-made.virtual_bytes >> 30)
    if needed > machine.provision.disk_gib:
        raise CloudError(
            Text("磁盘有 {n} GiB，目标只有 {d} GiB", "The disk has {n} GiB, the target only {d} GiB").format(n=needed, d=machine.provision.disk_gib),
            where=machine.name,
            next_step=Text("在迁移文件中加大 disk_gib", "Raise disk_gib in the migration file"),
        )  # fmt: skip
    maker.facts["disk_state." + machine.name] = made.state
    maker.facts["disk_bytes." + machine.name] = made.bytes
    maker.facts["disk_sha256." + machine.name] = made.sha256
    maker.facts["image_sha512." + machine.name] = made.qcow2_sha512
    maker.upload(machine, reader.qcow2, made.qcow2_sha512)


if __name__ == "__main__":
    main()
