#!/usr/bin/python
"""The entrance's JSON file `{name: url}`: look at one name, or point it elsewhere with an atomic replacement."""

import json
import os
import shutil
import tempfile

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(
        argument_spec={
            "file": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "to": {"type": "str", "required": True},
            "allowed": {"type": "list", "elements": "str", "required": True},
            "action": {"choices": ["check", "switch"], "required": True},
        }
    )
    path, name, to = module.params["file"], module.params["name"], module.params["to"]

    def fail(zh, en):
        module.fail_json(msg=en, problems=[{"zh": zh, "en": en}])

    try:
        with open(path, encoding="utf-8") as stream:
            upstreams = json.load(stream)
        now = upstreams.get(name)
        if now not in module.params["allowed"]:
            fail("入口 %s 现指向 %s，不在预期之内" % (name, now), "The entrance %s points to %s, which was not expected" % (name, now))
        if module.params["action"] == "check" or now == to:
            module.exit_json(changed=False, points_to=now)
        upstreams[name] = to
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".govcloud-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(upstreams, stream, ensure_ascii=False, indent=2)
                stream.flush()
                os.fsync(stream.fileno())
            shutil.copystat(path, temporary)
            found = os.stat(path)
            if os.geteuid() == 0:
                os.chown(temporary, found.st_uid, found.st_gid)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        module.exit_json(changed=True, points_to=to, pointed_to=now)
    except (OSError, ValueError, AttributeError) as error:
        fail("入口文件 %s 无法使用：%s" % (path, error), "The entrance's file %s can't be used: %s" % (path, error))


if __name__ == "__main__":
    main()
