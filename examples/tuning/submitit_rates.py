"""Trains smallnet with several learning rates and seeds, as jobs of submitit: `pip install submitit`.

    python submitit_rates.py smallnet [arguments of `smallnet train`]

`cluster="local"` starts processes on this machine, `cluster="slurm"` jobs of Slurm.
"""
import json, statistics, sys
import submitit

smallnet, *arguments = sys.argv[1:] or ["smallnet"]
rates, seeds = [0.1, 0.5, 1.0], [1, 2]


def command(rate, seed):
    # Two trainings may begin in the same second: each finds a free name for its folder.
    return [smallnet, "train", "--json", "--quiet", "--no-test", "--name", "rates", "--seed", str(seed),
            "--threads", "1", "--set", "data.validation=10000", f"optimizer.learning_rate={rate}", *arguments]


executor = submitit.AutoExecutor(folder="submitit_logs", cluster="local")
executor.update_parameters(timeout_min=60, cpus_per_task=1)
jobs = {}
for rate in rates:
    for seed in seeds:
        function = submitit.helpers.CommandFunction(command(rate, seed), verbose=False)
        jobs[rate, seed] = executor.submit(function)
for rate in rates:
    records = [json.loads(jobs[rate, seed].result().splitlines()[-1]) for seed in seeds]
    accuracies = [record["validation_accuracy"] for record in records]
    print(f"learning rate {rate}: validation accuracy {statistics.mean(accuracies):.4f}")
