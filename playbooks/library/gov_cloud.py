#!/usr/bin/python
"""Makes, looks at and takes away the machines of a system, on the controller. Every id is recorded before it is used."""

from pathlib import Path

import msgspec
from ansible.module_utils.basic import AnsibleModule
from govcloud.errors import GovcloudError
from govcloud.execution.drivers import CloudError
from govcloud.execution.drivers.making import Maker
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
            "workspace": {"type": "path", "default": "."},
            "action": {"choices": ["create", "check", "delete"], "required": True},
            "limit_s": {"type": "int", "default": 600},
        }
    )
    given = module.params
    system = given["system"]
    if given["action"] == "delete" and system.get("phase") != "rollback":
        # A slip in a playbook must not take a machine away.
        module.fail_json(msg="delete is the undo's", problems=[{"zh": "只有撤销时才能删除", "en": "only the undo may delete"}])
    maker = None
    try:
        maker = Maker(
            msgspec.convert(given["spec"], MigrationSpec), system["run_id"], Path(given["evidence"]),
            msgspec.convert(given["resources"], list[Resource]), base=Path(given["workspace"]), zone=system.get("zone"),
            limit_s=given["limit_s"],
        )  # fmt: skip
        changed = getattr(maker, given["action"])()
    except GovcloudError as error:
        problems = [_told(error)] + (maker.listing() if maker else [])
        facts = dict(maker.facts if maker else {})
        if isinstance(error, CloudError):
            facts.update(error.facts)
        facts["resources"] = len(maker.record.present) if maker else 0
        module.fail_json(msg=problems[0].en, problems=[{"zh": p.zh, "en": p.en} for p in problems], gov=facts)
    module.exit_json(changed=bool(changed), gov=maker.facts)


def _told(error):
    return Text(error.message("zh").replace("\n", "；"), error.message("en").replace("\n", "; "))


if __name__ == "__main__":
    main()
