"""Tunes smallnet with Optuna, by the validation images: `pip install optuna`.

    python optuna_ask_tell.py smallnet 20 [arguments of `smallnet train`]
"""
import json, subprocess, sys
import optuna

smallnet, num_trials, *arguments = sys.argv[1:] or ["smallnet", "20"]


def run(*words):
    """Runs smallnet. Returns its record, or nothing if it failed, as a training that diverged."""
    done = subprocess.run([smallnet, "--json", "--quiet", *words], stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1):
        sys.exit(done.returncode)  # wrong usage, or interrupted: no result of this trial
    return json.loads(done.stdout) if done.returncode == 0 else None


storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend("optuna.log"))
sampler = optuna.samplers.TPESampler(seed=1)
study = optuna.create_study(
    study_name="tuned", direction="maximize", sampler=sampler, storage=storage, load_if_exists=True)
for _ in range(int(num_trials)):
    trial = study.ask()
    settings = {
        "optimizer.learning_rate": trial.suggest_float("optimizer.learning_rate", 0.01, 3.0, log=True),
        "training.batch_size": trial.suggest_categorical("training.batch_size", [32, 64, 128, 256]),
    }
    record = run("train", "--name", "tuned", "--no-test", "--set", "data.validation=10000",
                 *(f"{key}={value}" for key, value in settings.items()), *arguments)
    if record is None:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        continue
    trial.set_user_attr("run", record["run"])
    study.tell(trial, record["validation_accuracy"])

best = study.best_trial
print("best:", best.params, "validation accuracy", best.value)
# The test images have chosen nothing: they are used once, now.
test = run("evaluate", best.user_attrs["run"])
print("test accuracy", test["accuracy"])
