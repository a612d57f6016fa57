# Process 1 of a plain host: a root of its own on an overlay, sshd, and whatever /etc/boot starts. No systemd.
set -eu
name=$1 folder=$2 base=$3
mount -t overlay overlay -o "lowerdir=$base,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
root=$folder/root
hostname "$name"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir -p "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mkdir -p "$root/.old"
cd "$root"
pivot_root . .old
# Without the link Ansible and others do not take the host for one that systemd has booted.
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 chroot . /bin/sh -euc '
umount -l /.old
rmdir /.old
rm -f /usr/sbin/policy-rc.d /sbin/init
mkdir -p /run/sshd /run/lock
[ ! -x /etc/boot ] || /etc/boot >/var/log/boot.log 2>&1 || { cat /var/log/boot.log >&2; exit 1; }
exec /usr/sbin/sshd -D -e -o UseDNS=no -o PermitRootLogin=prohibit-password'
