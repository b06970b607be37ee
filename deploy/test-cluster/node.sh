#!/bin/sh
# node.sh FOLDER KEPT COMMAND… : process 1 of a cluster's namespaces. Makes them look like a machine of its own, runs the command, and ends with it.
# What the cluster writes outside of FOLDER it writes into a private /tmp, /run, /var/lib and /var/log, in which nothing of this machine is seen but
# the paths in KEPT (one a line).
set -eu
folder=$1 kept=$2; shift 2
hostname node1
mount --make-rprivate /

if [ -f /sys/fs/cgroup/cgroup.controllers ]; then   # version 2: controllers are only for children of a group without processes
  umount /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mkdir /sys/fs/cgroup/main
  echo 0 > /sys/fs/cgroup/main/cgroup.procs
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control; done
else   # version 1: each controller as seen from the group that this process is in
  for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
    umount "/sys/fs/cgroup/$controller" && mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller"
  done
  umount /sys/fs/cgroup/systemd && mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
  umount /sys/fs/cgroup/unified 2>/dev/null || true
fi

# The kubelet wants these to be so and would change the machine's: it is shown that they are.
mkdir -p "$folder/sysctl"
shown() { echo "$2" > "$folder/sysctl/${1##*/}"; mount --bind "$folder/sysctl/${1##*/}" "$1"; }
shown /proc/sys/vm/overcommit_memory 1
shown /proc/sys/vm/panic_on_oom 0
shown /proc/sys/kernel/panic 10
shown /proc/sys/kernel/panic_on_oops 1

private() {
  own=$folder/private$1
  mkdir -p "$own"
  while read -r path; do
    case $path in "$1"/*)
      if [ -d "$path" ]; then mkdir -p "$own${path#"$1"}"; else mkdir -p "$(dirname "$own${path#"$1"}")"; touch "$own${path#"$1"}"; fi
      mount --bind "$path" "$own${path#"$1"}" ;;
    esac
  done < "$kept"
  mount --rbind "$own" "$1"
}
for directory in /tmp /var/lib /var/log; do private "$directory"; done
chmod 1777 /tmp
mount -t tmpfs tmpfs /run && mkdir /run/lock
# The host-path provisioner always writes there; pods see it too, so that it must not be in what is private to this mount.
mkdir -p "$folder/volumes" /tmp/hostpath_pv /var/lib/kubelet
mount --bind "$folder/volumes" /tmp/hostpath_pv
mount --make-rshared /

ip link set lo up
ip link add node0 type veth peer name gateway0
ip address add 10.89.0.2/24 dev node0
ip link set node0 up && ip link set gateway0 up
ip route add default via 10.89.0.1 dev node0   # nobody: packets for elsewhere end here
echo 1 > /proc/sys/net/ipv4/ip_forward
# What a policy refuses is refused by ICMP, each time: a kernel leaves out most of many, and whoever asks waits for nothing.
unlimited() { if [ -w "/proc/sys/net/ipv4/$1" ]; then echo "$2" > "/proc/sys/net/ipv4/$1"; fi; }
unlimited icmp_ratelimit 0
unlimited icmp_msgs_burst 100000   # older kernels have these two for the whole machine, and show them to no other network
unlimited icmp_msgs_per_sec 100000

# A shell stays process 1: it reaps what loses its parent. The command's standard input is this one's, which a shell takes from what it starts behind it.
exec 3<&0
"$@" <&3 &
exec 3<&-
wait $!
