#!/bin/sh
# engine.sh FOLDER GROUP SOCKET: process 1 of process and mount namespaces of its own. Runs the Docker engine, which keeps its images in FOLDER, on the
# machine's network, without a bridge or a rule of its own there; ends with whoever holds the other end of its standard input.
set -eu
folder=$1 group=$2 socket=$3
mount --make-rprivate /

# Engine and containerd write to /run, some of it to places that cannot be chosen. How names are resolved may be said there, too.
names=$(readlink -f /etc/resolv.conf)
cp "$names" "$folder/resolv.conf"
mount -t tmpfs tmpfs /run
[ -e "$names" ] || { mkdir -p "$(dirname "$names")" && cp "$folder/resolv.conf" "$names"; }

# Of those before that were killed: this one has the lock.
rm -f "$folder"/docker-*.sock

dockerd --config-file "$folder/daemon.json" --data-root "$folder/data" --exec-root /run/docker --pidfile /run/docker.pid \
  --host "unix://$socket" --cgroup-parent "/$group" --exec-opt native.cgroupdriver=cgroupfs \
  --bridge none --iptables=false --ip6tables=false --ip-forward=false --log-level warn &
engine=$!
exec 3<&0
{ cat <&3 > /dev/null; kill "$engine"; } &
exec 3<&-
wait "$engine"
