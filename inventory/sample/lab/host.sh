#!/bin/sh
# host.sh SEED PYTHON BIND...: becomes a lab host; runs inside new mount, uts, ipc and pid namespaces.
# Its root is a tmpfs: SEED's files, the machine's programs (BIND and /usr, read-only), and the few files of /etc that programs
# can't do without. Not all of /etc: on a real machine that holds keys and password hashes.
set -eu
seed=$1 python=$2
shift 2
root=/run/host
mkdir -p "$root"
mount -t tmpfs -o size=1g,mode=0755 lab "$root"
cd "$root"
mkdir -p proc sys dev run tmp root srv mnt home opt usr etc var/log var/lib var/cache var/spool
chmod 1777 tmp
ln -s /tmp var/tmp
ln -s /run var/run

for path in ld.so.cache ld.so.conf ld.so.conf.d alternatives os-release debian_version redhat-release openEuler-release \
    kylin-release system-release localtime timezone protocols services nsswitch.conf login.defs shells \
    ssl/openssl.cnf pki/tls/openssl.cnf crypto-policies; do
    [ ! -e "/etc/$path" ] || { mkdir -p "etc/$(dirname "$path")"; cp -a --no-preserve=ownership "/etc/$path" "etc/$path"; }
done
cp -a --no-preserve=ownership "$seed/." .

bind() {
    mkdir -p ".$1"
    mount --rbind "$1" ".$1"
    # Inside a user namespace the flags that the original mount has must stay.
    mount -o remount,bind,ro ".$1" 2>/dev/null || mount -o remount,bind,ro,nosuid,nodev ".$1"
}
bind /usr
for path in bin sbin lib lib32 lib64 libx32; do
    if [ -L "/$path" ]; then ln -s "$(readlink "/$path")" "$path"; elif [ -d "/$path" ]; then bind "/$path"; fi
done
for path in "$@"; do bind "$path"; done

mount --rbind /dev dev
mount -t tmpfs -o mode=1777 lab dev/shm
mount -t tmpfs lab run
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys 2>/dev/null || true
mkdir -p run/old
pivot_root . run/old
cd /
umount -l /run/old
rmdir /run/old
exec "$python" -m govcloud.demo.host
