"""One service of a host: a script called with one word (LSB exit codes) or a systemd unit, with its cron tables.

Standard library only, Python 3.6 or newer. A service is {"script", "systemd", "carry"} as the migration file has it. Its
cron tables (paths of `carry` in cron's folders) belong to its life: while the service is stopped they are held, that is
renamed so that cron does not see them. A name with a leading dot is read by no cron (Debian's and cronie's crond.8).
"""

import os
import subprocess
import tempfile
import time

CRON_FOLDERS = ("/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly",
                "/var/spool/cron", "/var/spool/cron/crontabs", "/var/spool/cron/tabs")  # fmt: skip
_HELD = ".govcloud-held-"
_SETTLE_S = 1.0
_SAID_CHARS = 400
# LSB 5.0 section 22.2: 0 running, 1 and 2 dead with a file left behind, 3 not running; anything else says nothing.
_LSB = {0: "running", 1: "stopped", 2: "stopped", 3: "stopped"}
_ACTIVE = {"active": "running", "reloading": "running", "inactive": "stopped", "failed": "stopped"}


class ServiceError(Exception):
    """`zh` and `en` are for a person."""

    def __init__(self, zh, en):
        Exception.__init__(self, en)
        self.zh, self.en = zh, en


def name_of(service):
    return service.get("systemd") or service.get("script")


def run(argv, timeout, outlives_us=False):
    """Exit code and what it said. Output goes to a file: a daemon that keeps a pipe open would hold us for ever."""
    with tempfile.TemporaryFile() as output:
        try:
            code = subprocess.call(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=timeout,
                                   start_new_session=outlives_us)  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ServiceError("%s 在 %d 秒内没有结束" % (" ".join(argv), timeout),
                               "%s did not end within %d s" % (" ".join(argv), timeout))  # fmt: skip
        except OSError as error:
            raise ServiceError("%s 无法执行：%s" % (argv[0], error), "%s can't be run: %s" % (argv[0], error))
        output.seek(0)
        return code, output.read(1 << 16).decode("utf-8", "replace").strip()


def look(service, timeout=60):
    """{"name", "state": running|stopped|changing|absent, "boot": systemd's UnitFileState or "", "starters": units that
    would start it again, "cron": tables that cron reads now, "held": those that it does not, "user": of the unit}. Raises ServiceError when it can't be told."""
    active, waiting = _tables(service)
    about = {"name": name_of(service), "boot": "", "user": "", "starters": [], "cron": active, "held": waiting}
    if service.get("script"):
        about["state"] = _script_state(service["script"], timeout)
        return about
    keys = ("LoadState", "ActiveState", "UnitFileState", "TriggeredBy", "User")
    options = [word for key in keys for word in ("-p", key)]
    code, said = run(["systemctl", "show", "--no-pager"] + options + ["--", service["systemd"]], timeout)
    found = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    if code != 0 or "LoadState" not in found:
        raise ServiceError("systemd 没有回答 %s 的状态：%s" % (about["name"], said[-_SAID_CHARS:]),
                           "systemd does not tell the state of %s: %s" % (about["name"], said[-_SAID_CHARS:]))  # fmt: skip
    about["boot"], about["user"] = found.get("UnitFileState", ""), found.get("User", "")
    if found["LoadState"] == "not-found":
        about["state"] = "absent"
        return about
    about["state"] = _ACTIVE.get(found.get("ActiveState"), "changing")
    for unit in found.get("TriggeredBy", "").split():
        if run(["systemctl", "is-active", "--quiet", "--", unit], timeout)[0] == 0:
            about["starters"].append(unit)
    return about


def _script_state(script, timeout):
    if not os.path.exists(script):
        return "absent"
    code, said = run([script, "status"], timeout)
    if code not in _LSB:
        raise ServiceError("%s status 的退出码 %d 说明不了状态：%s" % (script, code, said[-_SAID_CHARS:]),
                           "Exit code %d of %s status tells no state: %s" % (code, script, said[-_SAID_CHARS:]))  # fmt: skip
    return _LSB[code]


def start(service, wait, with_cron=True):
    """Whether anything had to be done. Returns when it runs and goes on running."""
    about = look(service, wait)
    if about["state"] == "absent":
        raise ServiceError("没有服务 %s" % about["name"], "There is no service %s" % about["name"])
    changed = about["state"] != "running"
    if changed:
        if about["boot"] == "masked":
            raise ServiceError("服务 %s 被屏蔽（masked）" % about["name"], "Service %s is masked" % about["name"])
        _order(service, "start", wait)
        _await(service, "running", wait)
        # Type=simple counts as started before the program has read its configuration.
        time.sleep(_SETTLE_S)
        if look(service, wait)["state"] != "running":
            raise _ended(service)
    return (with_cron and _release(service)) or changed


def stop(service, wait):
    changed = _hold(service)
    if look(service, wait)["state"] not in ("stopped", "absent"):
        _order(service, "stop", wait)
        _await(service, "stopped", wait)
        changed = True
    return changed


def why_not_stopped(about):
    """A problem (zh, en) when the service runs, may be started again by itself, or cron still works for it."""
    if about["state"] not in ("stopped", "absent"):
        return "服务 %s 仍在运行（%s）" % (about["name"], about["state"]), "Service %s is %s" % (about["name"], about["state"])
    if about["starters"]:
        units = ", ".join(about["starters"])
        return ("服务 %s 已停止，但会被 %s 重新启动；请把它也列入迁移文件的 services" % (about["name"], units),
                "Service %s is stopped, but %s would start it again: list it in the migration file's services too" % (about["name"], units))  # fmt: skip
    if about["cron"]:
        tables = ", ".join(about["cron"])
        return "计划任务仍有效：%s" % tables, "These cron tables are still read: %s" % tables
    return None


def disable(service, wait):
    """Stop it and keep it from starting at boot; (changed, what its boot setting was). A script has no such setting."""
    changed = stop(service, wait)
    before = look(service, wait)
    if service.get("script") or before["state"] == "absent":
        return changed, before["boot"]
    if before["boot"] in ("enabled", "enabled-runtime", "generated", "linked", "alias"):
        _order(service, "disable", wait)
        changed = True
    elif before["boot"] in ("static", "indirect") and run(["systemctl", "mask", "--", service["systemd"]], wait)[0] == 0:
        # Units without [Install] are started by others; a unit file in /etc can't be masked and stays as it is.
        changed = True
    return changed, before["boot"]


def enable(service, wait, before="enabled"):
    """Undo `disable`: `before` is what it said the boot setting was."""
    if service.get("script"):
        return False
    about = look(service, wait)
    if about["state"] == "absent":
        raise ServiceError("没有服务 %s" % about["name"], "There is no service %s" % about["name"])
    changed = False
    if about["boot"] == "masked":
        _order(service, "unmask", wait)
        changed, about = True, look(service, wait)
    if before not in ("disabled", "static", "indirect", "masked") and about["boot"] == "disabled":
        _order(service, "enable", wait)
        changed = True
    return changed


def held(path):
    folder, name = os.path.split(path)
    return os.path.join(folder, _HELD + name)


def is_cron(path):
    return os.path.dirname(path) in CRON_FOLDERS


def _tables(service):
    """Cron tables of the service: those that cron reads, and those that are held."""
    tables = [path for path in service.get("carry") or [] if is_cron(path)]
    return [p for p in tables if os.path.lexists(p)], [p for p in tables if os.path.lexists(held(p))]


def _hold(service):
    active = _tables(service)[0]
    for path in active:
        os.rename(path, held(path))
    return bool(active)


def _release(service):
    active, waiting = _tables(service)
    for path in waiting:
        if path in active:
            raise ServiceError("计划任务 %s 同时有生效和停用的两份，请人工核对" % path,
                               "Cron table %s is there twice, in force and held: look at both" % path)  # fmt: skip
        os.rename(held(path), path)
    return bool(waiting)


def _order(service, action, wait):
    argv = [service["script"], action] if service.get("script") else ["systemctl", "--no-pager", action, "--", service["systemd"]]
    code, said = run(argv, wait, outlives_us=action == "start")
    if code != 0:
        why = (said or _log(service))[-_SAID_CHARS:]
        raise ServiceError("服务 %s 执行 %s 失败（%d）：%s" % (name_of(service), action, code, why),
                           "Service %s did not %s (%d): %s" % (name_of(service), action, code, why))  # fmt: skip


def _await(service, wanted, wait):
    deadline = time.monotonic() + wait
    while True:
        state = look(service, wait)["state"]
        if state == wanted or (wanted == "stopped" and state == "absent"):
            return
        if wanted == "running" and state == "stopped" and service.get("systemd"):
            # systemd said that it was started: it has ended since.
            raise _ended(service)
        if time.monotonic() > deadline:
            raise ServiceError("服务 %s 在 %d 秒内未达到 %s，现为 %s" % (name_of(service), wait, wanted, state),
                               "Service %s is %s, not %s, after %d s" % (name_of(service), state, wanted, wait))  # fmt: skip
        time.sleep(0.3)


def _ended(service):
    name, why = name_of(service), _log(service)
    return ServiceError("服务 %s 启动后随即退出：%s" % (name, why), "Service %s started and ended at once: %s" % (name, why))


def _log(service):
    """Its last words, where systemd keeps them."""
    if not service.get("systemd"):
        return ""
    try:
        said = run(["journalctl", "--no-pager", "-q", "-o", "cat", "-n", "5", "-u", service["systemd"]], 20)[1]
    except ServiceError:
        return ""
    return " / ".join(said.splitlines())[-_SAID_CHARS:]
