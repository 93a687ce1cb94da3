#!/bin/bash
# The study `{name}` in {shards} shards with Slurm: a job array, and a job behind it that puts the results together,
# trains the best configuration and writes the page.
#
#   bash THIS-FILE        in a folder that all nodes see; prints the numbers of both jobs
#
# Run it again after a time limit or a failure: what has a result is not trained again.
# sbatch reads SBATCH_PARTITION, SBATCH_ACCOUNT and its other variables, too.
set -euo pipefail
program={program}
export SMALLNET="${SMALLNET:-$program}"
resources=(--cpus-per-task="${CPUS:-4}" --mem-per-cpu="${MEMORY_PER_CPU:-1G}" --time="${TIME_LIMIT:-01:00:00}")

# With `exec`, the signal 60 s before the time limit reaches smallnet, which saves its results and ends. A job whose
# node fails, or that another one displaces, is started again and goes on.
array=$(sbatch --parsable --job-name={name} --array=1-{shards} "${resources[@]}" \
  --requeue --signal=B:TERM@60 --open-mode=append --output={name}-%a.log <<'JOB'
#!/bin/bash
exec "$SMALLNET" {command} --shard "$SLURM_ARRAY_TASK_ID/{shards}" --threads {threads}
JOB
)
merge=$(sbatch --parsable --job-name={name}-merge "${resources[@]}" --dependency=afterany:"$array" \
  --requeue --signal=B:TERM@60 --open-mode=append --output={name}-merge.log <<'JOB'
#!/bin/bash
exec "$SMALLNET" {command} --merge --threads {threads}
JOB
)
echo "shards: job $array, merge: job $merge"
printf 'how far they are: %q ' "$SMALLNET"
cat <<'COMMAND'
{command} --status
COMMAND
