"""Facts of one host before a migration: sizes, space, services, files to carry, users. Looks only.

Standard library only, Python 3.6 or newer.
"""

import grp
import os
import pwd
import stat

from ansible.module_utils.gov_service_unit import ServiceError, held, is_cron, look, name_of


def tree(path):
    """{"there", "empty", "bytes", "files", "special"}: what lies below a directory. `special`: devices and pipes, which
    are not copied, at most three of them."""
    about = {"path": path, "there": os.path.isdir(path), "empty": True, "bytes": 0, "files": 0, "special": []}
    if not about["there"]:
        return about
    about["empty"] = not os.listdir(path)
    waiting = [path]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except FileNotFoundError:
            continue  # the source serves: what was there a moment ago may be gone
        for entry in entries:
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            about["files"] += 1
            if stat.S_ISDIR(found.st_mode):
                waiting.append(entry.path)
            elif stat.S_ISREG(found.st_mode):
                about["bytes"] += found.st_size
            elif not stat.S_ISLNK(found.st_mode) and not stat.S_ISSOCK(found.st_mode) and len(about["special"]) < 3:
                about["special"].append(ascii(entry.path))
    return about


def space(path):
    """Free bytes and inodes of the file system that the path is on, or will be on. inodes -1: it has no limit."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    found = os.statvfs(path)
    return {"bytes": found.f_bavail * found.f_frsize, "inodes": found.f_favail if found.f_files else -1,
            "device": os.stat(path).st_dev}  # fmt: skip


def service(item):
    """State of a service, or the problem that keeps us from telling it."""
    try:
        return dict(look(item), index=item["index"])
    except ServiceError as error:
        return {"index": item["index"], "name": name_of(item), "state": "unknown", "problem": {"zh": error.zh, "en": error.en}}


def carried(path):
    """What lies at the path of a file that goes along: kind file, folder (drop-ins), absent or other; its owners."""
    real = held(path) if is_cron(path) and not os.path.lexists(path) else path
    about = {"path": path, "kind": "absent", "owners": [], "groups": []}
    if not os.path.lexists(real):
        return about
    mode = os.lstat(real).st_mode
    about["kind"] = "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"
    for one in [real] + ([os.path.join(real, name) for name in os.listdir(real)] if about["kind"] == "folder" else []):
        found = os.lstat(one)
        about["owners"].append(_name(pwd.getpwuid, found.st_uid))
        about["groups"].append(_name(grp.getgrgid, found.st_gid))
    return about


def _name(ask, number):
    try:
        return ask(number)[0]
    except KeyError:
        return str(number)


def people():
    """Names of the users and groups of this host."""
    return sorted(p.pw_name for p in pwd.getpwall()), sorted(g.gr_name for g in grp.getgrall())
