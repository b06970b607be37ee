#!/bin/sh
# namespaces.sh GROUP GROUPS_FILE COMMAND… : runs the command as process 1 of net, mount, cgroup, pid, ipc and uts namespaces of its own, in control
# groups of its own, which it writes down, one a line. All that it starts dies with this process.
set -eu
group=$1 groups=$2; shift 2
lines=$(cat /proc/self/cgroup)   # as it was: the loop moves this process
while IFS=: read -r _ controller path; do
  if [ -n "$controller" ]; then parent=/sys/fs/cgroup/${controller#name=}${path%/}
  elif [ -f /sys/fs/cgroup/cgroup.controllers ]; then parent=/sys/fs/cgroup${path%/}   # version 2
  else continue; fi
  mkdir "$parent/$group"
  echo "$parent/$group" >> "$groups"
  if [ "$controller" = cpuset ]; then   # a new group of it has no processors before it is given some
    for file in cpuset.cpus cpuset.mems; do cat "$parent/$file" > "$parent/$group/$file"; done
  fi
  echo $$ > "$parent/$group/cgroup.procs"
done <<LINES
$lines
LINES
exec unshare --net --mount --cgroup --pid --ipc --uts --fork --kill-child --mount-proc "$@"
