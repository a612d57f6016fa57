#!/bin/sh
# 离线安装或升级 govcloud · Installs or upgrades govcloud without a network.
#   ./install.sh [--prefix DIR] [--python PYTHON]
# Each version gets a folder of its own below DIR/versions; DIR/current points to the one in use and is switched only when
# the new one has answered. The one before stays as DIR/previous.
set -eu

prefix=/opt/govcloud
python=
fail() { # 中文 · English
  printf '%s\n%s\n' "$1" "$2" >&2
  exit 1
}
while [ $# -gt 0 ]; do
  case "$1" in
    --prefix) [ $# -gt 1 ] || fail "--prefix 后要写目录" "--prefix needs a folder"; prefix=$2; shift 2 ;;
    --python) [ $# -gt 1 ] || fail "--python 后要写解释器" "--python needs an interpreter"; python=$2; shift 2 ;;
    -h | --help) sed -n '2,5s/^# *//p' "$0"; exit 0 ;;
    *) fail "没有这个选项：$1（可用 --prefix、--python）" "No such option: $1 (there are --prefix and --python)" ;;
  esac
done
case "$prefix" in /*) ;; *) prefix=$PWD/$prefix ;; esac
cd "$(dirname "$0")"

# 1. Nothing is run before everything is what was packed.
echo "核对文件摘要 · Checking digests"
sha256sum --check --strict --quiet SHA256SUMS >&2 \
  || fail "文件与 SHA256SUMS 不符：安装包不完整或被改动，未安装" "A file differs from SHA256SUMS: the bundle is damaged or was changed; nothing was installed"
read -r want_python want_machine want_glibc version < PLATFORM

# 2. The machine.
machine=$(uname -m)
[ "$machine" = "$want_machine" ] \
  || fail "本包适用于 $want_machine，本机为 $machine" "This bundle is for $want_machine; this machine is $machine"
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/^glibc //')
[ "$(printf '%s\n' "$want_glibc" "${glibc:-0}" | sort -V | head -n 1)" = "$want_glibc" ] \
  || fail "需要 glibc $want_glibc 以上，本机为 ${glibc:-未知}" "glibc $want_glibc or newer is needed; this machine has ${glibc:-none}"
[ -n "$python" ] || python=$(command -v "python$want_python" || command -v python3 || true)
[ -n "$python" ] || fail "没有 Python $want_python，请先安装，或用 --python 指明" "Python $want_python is missing: install it, or name it with --python"
found=$("$python" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true)
[ "$found" = "$want_python" ] \
  || fail "本包适用于 Python $want_python，$python 为 ${found:-不可用}；用 --python 指明" "This bundle is for Python $want_python; $python is ${found:-not usable}. Name another with --python"
"$python" -I -c 'import ensurepip, venv' 2>/dev/null \
  || fail "缺少 venv 模块，请安装 python3-venv" "The venv module is missing: install python3-venv"

# 3. A folder of its own, dropped again when anything fails: what was installed before is not touched.
mkdir -p "$prefix/versions"
new=$(mktemp -d "$prefix/versions/$version.XXXXXX")
chmod 755 "$new"
trap '[ -z "$new" ] || rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM
echo "安装到 $new · Installing into $new"
"$python" -I -m venv "$new"
"$new/bin/python" -I -m pip --isolated --disable-pip-version-check --no-cache-dir install --quiet --no-index --no-deps --only-binary :all: \
  --require-hashes -f wheels -r requirements.txt
"$new/bin/python" -I -m pip --isolated --disable-pip-version-check check >&2 || fail "依赖不全，未切换" "Dependencies do not fit; not switched"
cp -R systemd docs sample sbom.cdx.json "$new/"
echo "编译排期程序，约一分钟 · Compiling the planner, about a minute"
"$new/bin/python" -I -c 'from govcloud.planning.scheduling.heuristic import warm; warm()'
[ "$("$new/bin/govcloud" --version)" = "govcloud, version $version" ] \
  || fail "新版本不能运行，未切换" "The new version does not run; not switched"

# 4. One rename switches; the version before stays.
mkdir -p "$prefix/bin"
if [ -L "$prefix/current" ]; then
  ln -sfn "$(readlink "$prefix/current")" "$prefix/previous"
fi
ln -sfn "versions/${new##*/}" "$prefix/current.new"
mv -T "$prefix/current.new" "$prefix/current"
kept=${new##*/}
new=
ln -sfn ../current/bin/govcloud "$prefix/bin/govcloud"
for old in "$prefix/versions"/*; do
  name=${old##*/}
  [ "$name" = "$kept" ] || [ "versions/$name" = "$(readlink "$prefix/previous" 2>/dev/null)" ] || rm -rf "$old"
done
cat << END
完成：$prefix/bin/govcloud（$version）。下一步：$prefix/bin/govcloud doctor
退回上一版：ln -sfn \$(readlink $prefix/previous) $prefix/current
服务：见 $prefix/current/systemd 与 docs/admin.md；升级后重启 govcloud-worker@*
Done: $prefix/bin/govcloud ($version). Next: $prefix/bin/govcloud doctor
Back to the version before: ln -sfn \$(readlink $prefix/previous) $prefix/current
Services: see $prefix/current/systemd and docs/admin.md; restart govcloud-worker@* after an upgrade
END
