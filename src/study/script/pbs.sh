#!/bin/bash
# The study `{name}` in {shards} shards with PBS: a job array, and a job behind it that puts the results together,
# trains the best configuration and writes the page.
#
#   bash THIS-FILE        in a folder that all nodes see; prints the numbers of both jobs
#
# Run it again after a time limit or a failure: what has a result is not trained again.
set -euo pipefail
program={program}
export SMALLNET="${SMALLNET:-$program}"
cpus="${CPUS:-4}"
resources=(-l "select=1:ncpus=$cpus:mem=${MEMORY:-4gb}" -l "walltime=${TIME_LIMIT:-01:00:00}" -v "SMALLNET,CPUS=$cpus")

# With `exec`, the signal at the time limit reaches smallnet, which saves its results and ends.
array=$(qsub -N {name} -J 1-{shards} -r y -j oe "${resources[@]}" <<'JOB'
#!/bin/bash
cd "$PBS_O_WORKDIR" || exit
exec "$SMALLNET" {command} --shard "$PBS_ARRAY_INDEX/{shards}" --threads {threads}
JOB
)
merge=$(qsub -N {name}-merge -r y -j oe "${resources[@]}" -W depend=afterany:"$array" <<'JOB'
#!/bin/bash
cd "$PBS_O_WORKDIR" || exit
exec "$SMALLNET" {command} --merge --threads {threads}
JOB
)
echo "shards: job $array, merge: job $merge"
printf 'how far they are: %q ' "$SMALLNET"
cat <<'COMMAND'
{command} --status
COMMAND
