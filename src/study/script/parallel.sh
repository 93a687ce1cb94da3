#!/bin/bash
# The study `{name}` in {shards} shards over SSH with GNU parallel. Then this machine puts the results together, trains
# the best configuration and writes the page.
#
#   HOSTS=one,two bash THIS-FILE      one and two are names for ssh; `2/one` runs two shards at a time there
#
# Each host needs rsync, and `smallnet` in its PATH or at $SMALLNET, and the images where the study says. The trial log of a
# shard goes to its host and comes back. Run it again after a failure: what has a result is not trained again.
set -euo pipefail
: "${HOSTS:?names of the hosts, such as HOSTS=one,two}"
smallnet="${SMALLNET:-smallnet}"
logs={logs}
mkdir -p "$logs" {folder}
{write-files}
for shard in $(seq {shards}); do touch "$logs/trials-$shard-of-{shards}.jsonl"; done
status=0
# With --quote, the shell of a host does not cut the options into words again.
parallel --quote --sshlogin "$HOSTS" --jobs 1 --workdir {folder} --retries 3 {basefiles} \
  --transferfile "$logs/trials-{}-of-{shards}.jsonl" --return "$logs/trials-{}-of-{shards}.jsonl" --cleanup \
  "$smallnet" {command} --shard {}/{shards}{threads} ::: $(seq {shards}) || status=$?
[ "$status" = 0 ] || echo "$status of {shards} shards did not end well; what they have is used" >&2
exec "$smallnet" {command} --merge{threads}
