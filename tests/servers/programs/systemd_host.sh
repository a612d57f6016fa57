# A host that systemd boots: nspawn in a process namespace of its own, so that killing this ends all of it.
set -eu
name=$1 folder=$2 base=$3 namespace=$4
mount -t overlay overlay -o "lowerdir=$base,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec systemd-nspawn --quiet --register=no --keep-unit --machine="$name" --resolv-conf=off --capability=CAP_NET_ADMIN --directory="$folder/root" \
  --network-namespace-path="/run/netns/$namespace" --boot
