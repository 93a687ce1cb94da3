# shellcheck shell=bash disable=SC2154,SC2164
# submitit, as a Python user does it: four shards as tasks of its local executor.
# (`run`, which reads this file, sets $here and $work, and ends at the first command that fails.)

python="$(python_with submitit==1.5.4)"
make_study "$work/submitit"
cd "$work/submitit"
"$python" - "$SMALLNET" <<'PY'
import sys
import submitit

program, shards = sys.argv[1], 4
executor = submitit.AutoExecutor(folder="logs", cluster="local")
executor.update_parameters(timeout_min=5)
jobs = [
    executor.submit(submitit.helpers.CommandFunction([program, "study", "cut.toml", "--shard", f"{number}/{shards}"], verbose=False))
    for number in range(1, shards + 1)
]
for job in jobs:
    print(job.result().strip().splitlines()[-2])
PY
"$SMALLNET" study cut.toml --merge --quiet
same_as_one_process artifacts "submitit: four shards"
cd "$here"
