"""Tunes smallnet with Optuna and stops bad trials early: `pip install optuna`.

    python optuna_pruning.py smallnet 20 [arguments of `smallnet train`]

A trial is trained for 1, 3 and 9 epochs. `resume` continues it exactly: a trial that is not pruned
ends with the weights of a training of 9 epochs without a stop. A cosine schedule would not do so.
"""
import json, subprocess, sys
import optuna

smallnet, num_trials, *arguments = sys.argv[1:] or ["smallnet", "20"]
rungs = [1, 3, 9]


def run(*words):
    """Runs smallnet. Returns its record, or nothing if it failed, as a training that diverged."""
    done = subprocess.run([smallnet, "--json", "--quiet", *words], stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1):
        sys.exit(done.returncode)  # wrong usage, or interrupted: no result of this trial
    return json.loads(done.stdout) if done.returncode == 0 else None


def objective(trial):
    rate = trial.suggest_float("optimizer.learning_rate", 0.01, 3.0, log=True)
    record = run("train", "--name", "pruned", "--no-test", "--epochs", "1",
                 "--set", "data.validation=10000", f"optimizer.learning_rate={rate}", *arguments)
    for epochs in rungs:
        if epochs > rungs[0]:
            record = run("resume", record["run"], "--epochs", str(epochs))
        if record is None:
            raise optuna.TrialPruned("diverged")
        trial.set_user_attr("run", record["run"])
        trial.report(record["validation_accuracy"], epochs)
        if trial.should_prune():
            raise optuna.TrialPruned()
    return record["validation_accuracy"]


pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
sampler = optuna.samplers.TPESampler(seed=1)
study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
study.optimize(objective, n_trials=int(num_trials))
pruned = len(study.get_trials(states=[optuna.trial.TrialState.PRUNED]))
print("best:", study.best_params, "validation accuracy", study.best_value, "pruned", pruned)
print("test accuracy", run("evaluate", study.best_trial.user_attrs["run"])["accuracy"])
