"""The root file system that every host of the root lab starts from: made once, kept outside the repository."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = (
    "bind9", "bind9-dnsutils", "chrony", "cron", "curl", "dbus", "distro-info-data", "iproute2", "mariadb-server", "nftables", "nginx-light",
    "openssh-server", "postgresql", "procps", "prometheus-node-exporter", "python3", "python3-psycopg2", "python3-pymysql", "redis-server",
    "rsync", "sqlite3", "sudo", "systemd", "systemd-sysv",
)  # fmt: skip
SUITE = "bookworm"
# Debian makes a cluster as it installs the server; the tests make theirs, with the options that they need.
_NO_CLUSTER = 'mkdir -p "$1/etc/postgresql-common"; echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"'
# Every host has host keys of its own, and nothing starts unless a test starts it.
_CLEAN = (
    'rm -rf "$1"/etc/ssh/ssh_host_* "$1"/var/cache/apt/archives "$1"/var/lib/apt/lists "$1"/var/lib/mysql "$1"/etc/machine-id; '
    'touch "$1/etc/machine-id"; for unit in bind9 chrony cron mariadb named nginx postgresql prometheus-node-exporter redis-server apt-daily.timer '
    "apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer logrotate.timer fstrim.timer; "
    'do chroot "$1" systemctl disable -q $unit || true; done'
)
LIMIT_S = 900


def make_base(cache: Path) -> Path:
    """The directory tree, made again when what it consists of has changed. Raises CalledProcessError with apt's words."""
    key = hashlib.sha256("\n".join((SUITE, _NO_CLUSTER, _CLEAN, *PACKAGES)).encode()).hexdigest()[:12]
    base = cache / f"base-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not base.exists():
            for old in cache.glob("base-*"):
                shutil.rmtree(old)
            new = cache / "new"
            shutil.rmtree(new, ignore_errors=True)
            _mmdebstrap(new)
            new.rename(base)
    return base


def _mmdebstrap(folder: Path) -> None:
    argv = [
        "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}",
        f"--essential-hook={_NO_CLUSTER}", f"--customize-hook={_CLEAN}", SUITE, str(folder),
    ]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S, check=False, env=_environment())
    assert done.returncode == 0, f"the base of the test bed could not be made:\n{done.stderr[-4000:]}"


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": os.environ.get("HOME", "/root"), "LANG": "C.UTF-8"} | {
        name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")
    }


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "govcloud-bed"
