#!/usr/bin/python
"""Looks at a host before a migration and changes nothing: clock, tools, sizes, free space, service, database, marker."""

import json
import os
import shutil
import subprocess
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.gov_postgres import Database, PostgresError

FACTS = (
    "SELECT current_setting('server_version_num'), pg_database_size(current_database()), "
    "current_setting('default_transaction_read_only'), pg_encoding_to_char(encoding), datcollate, datctype "
    "FROM pg_database WHERE datname = current_database()"
)
SETTINGS = (
    "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase "
    "WHERE s.setrole = 0 AND d.datname = current_database()"
)


def tree_size(path):
    """Bytes and entries below a directory; None where it does not exist."""
    if not os.path.isdir(path):
        return None
    size = count = 0
    for folder, _, files in os.walk(path):
        for name in files:
            try:
                size += os.lstat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                continue
            count += 1
    return {"bytes": size, "files": count, "empty": not os.listdir(path)}


def free_bytes(path):
    """Free space of the file system that the path is on, or will be on."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    found = os.statvfs(path)
    return {"bytes": found.f_bavail * found.f_frsize, "device": os.stat(path).st_dev}


def database_facts(spec, running):
    """What the database says of itself; for a target with a data directory of its own, whether one is there."""
    facts = {
        "programs": [p for p in ("psql", "pg_dump", "pg_restore") if os.access(os.path.join(spec["bin"], p), os.X_OK)],
        "password_file": os.access(spec["password_file"], os.R_OK),
    }
    if spec.get("data_dir"):
        facts["initdb"] = os.access(os.path.join(spec["bin"], "initdb"), os.X_OK)
        facts["data_dir_empty"] = not os.path.isdir(spec["data_dir"]) or not os.listdir(spec["data_dir"])
    if "psql" in facts["programs"]:
        said = subprocess.check_output([os.path.join(spec["bin"], "pg_restore"), "--version"], timeout=30)
        facts["client_version"] = int(said.decode().split()[2].split(".")[0])
    if not running or not facts["password_file"]:
        return facts
    try:
        database = Database(spec)
        if spec.get("asks") == "exists":
            exists = database.value("SELECT 1 FROM pg_database WHERE datname = :'n'", "postgres", {"n": spec["name"]})
            facts["exists"] = exists == "1"
            return facts
        row = database.psql(FACTS)[0]
        facts.update(server_version=int(row[0]), bytes=int(row[1]), read_only=row[2] == "on",
                     encoding=row[3], collate=row[4], ctype=row[5])  # fmt: skip
        facts["settings"] = [r[0] for r in database.psql(SETTINGS)]
    except (PostgresError, subprocess.TimeoutExpired) as error:
        facts["problem"] = str(error)
    return facts


def service_running(service):
    if service.get("script"):
        if not os.access(service["script"], os.X_OK):
            return None
        argv = [service["script"], "status"]
    else:
        argv = ["systemctl", "is-active", service["systemd"]]
    return subprocess.call(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           timeout=60) == 0  # fmt: skip


def main():
    module = AnsibleModule(
        argument_spec={
            "paths": {"type": "list", "elements": "str", "default": []},
            "space_at": {"type": "list", "elements": "str", "default": []},
            "tools": {"type": "list", "elements": "str", "default": []},
            "service": {"type": "dict"},
            "database": {"type": "dict"},
            "database_running": {"type": "bool", "default": True},
            "marker": {"type": "str"},
        },
    )
    given = module.params
    try:
        facts = {
            "clock": round(time.time(), 3),
            "missing_tools": [t for t in given["tools"] if shutil.which(t) is None],
            "trees": {p: tree_size(p) for p in given["paths"]},
            "space": {p: free_bytes(p) for p in given["space_at"]},
        }
        if given["service"]:
            facts["service_running"] = service_running(given["service"])
        if given["database"]:
            facts["database"] = database_facts(given["database"], given["database_running"])
        if given["marker"]:
            facts["marker"] = None
            if os.path.exists(given["marker"]):
                with open(given["marker"], encoding="utf-8") as stream:
                    facts["marker"] = json.load(stream)
        module.exit_json(changed=False, facts=facts)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        en, zh = "The host can't be examined: %s" % error, "主机无法检查：%s" % error
        module.fail_json(msg=en, problems=[{"zh": zh, "en": en}])


if __name__ == "__main__":
    main()
