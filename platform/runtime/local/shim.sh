#!/bin/sh
# Runs one attempt of a workload and outlives the platform: it belongs to no terminal and writes to files alone.
#
#   shim.sh ATTEMPT_DIRECTORY sandbox|plain CGROUP_PROCS_FILES -- COMMAND...
#
# It leaves in ATTEMPT_DIRECTORY: `pid` (its own, first of all), `sandbox` (bwrap's JSON, what it started and how that ended),
# `not-started` (when the command could not be run at all), and last, atomically, `exit` (the exit code).
# SIGTERM is passed on to the command itself. Whoever wants more (SIGKILL of all) asks the cgroup.
set -u
directory=$1
mode=$2
groups=$3
shift 4

echo "$$" > "$directory/pid.new" && mv "$directory/pid.new" "$directory/pid"

finish() {
  echo "$1" > "$directory/exit.new" && mv "$directory/exit.new" "$directory/exit"
  exit "$1"
}

# Joined before anything is started, so that nothing the command does happens outside of its limits.
for group in $groups; do
  if ! echo "$$" > "$group"; then
    echo "The limits of this workload could not be set up ($group)."
    : > "$directory/not-started"
    finish 125
  fi
done
# When memory runs out the kernel shall end the command, not the one who reports it. Not allowed without root; harmless then.
(echo -900 > /proc/self/oom_score_adj) 2> /dev/null && echo -900 > /proc/self/oom_score_adj
ulimit -c 0

children_of() {
  cat "/proc/$1/task/$1/children" 2> /dev/null
}

# bwrap dies of SIGTERM and takes everything with it at once: what should have the signal is the only child of the sandbox's init.
pass_on() {
  if [ "$mode" = sandbox ]; then
    for init in $(children_of "$child"); do
      for command in $(children_of "$init"); do
        kill -TERM "$command" 2> /dev/null
        return
      done
    done
  fi
  kill -TERM "$child" 2> /dev/null
}

child=
trap 'stopping=1; [ -z "$child" ] || pass_on' TERM
stopping=

if [ "$mode" = sandbox ]; then
  (
    trap - TERM
    echo 300 > /proc/self/oom_score_adj
    exec "$@" 3< "$directory/arguments" 4> "$directory/sandbox"
  ) < /dev/null &
else
  (
    trap - TERM
    (echo 300 > /proc/self/oom_score_adj) 2> /dev/null && echo 300 > /proc/self/oom_score_adj
    trap ': > "$directory/not-started"' EXIT
    # The environment comes last: nothing in it may change how this script works.
    # It sets `working_directory` and `program` besides, which are not exported.
    . "$directory/environment"
    cd "$working_directory" || exit 125
    command -v "$program" > /dev/null || { echo "$program: not found" >&2; exit 127; }
    exec "$@"
  ) < /dev/null &
fi
child=$!
[ -z "$stopping" ] || pass_on

# `wait` also returns when a signal was handled: the child has ended only when it is there no more.
while :; do
  wait "$child"
  code=$?
  kill -0 "$child" 2> /dev/null || break
done
finish "$code"
