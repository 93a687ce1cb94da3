#!/usr/bin/env bash
# Tunes smallnet with Optuna's command line: `pip install optuna`.
#
#     bash optuna_cli.sh smallnet 20 [arguments of `smallnet train`]
set -euo pipefail
smallnet=${1:-smallnet} trials=${2:-20}
export OPTUNA_STORAGE=sqlite:///optuna.db
space='{"optimizer.learning_rate":
  {"name": "FloatDistribution", "attributes": {"low": 0.01, "high": 3.0, "step": null, "log": true}}}'
field() { python3 -c "import json, sys; print(eval('json.load(sys.stdin)' + sys.argv[1]))" "$1"; }

optuna --quiet create-study --study-name cli --direction maximize --skip-if-exists > /dev/null
for _ in $(seq "$trials"); do
  asked=$(optuna --quiet ask --study-name cli --search-space "$space" --format json)
  number=$(field '["number"]' <<< "$asked")
  rate=$(field '["params"]["optimizer.learning_rate"]' <<< "$asked")
  if record=$("$smallnet" train --json --quiet --name cli --no-test \
    --set data.validation=10000 "optimizer.learning_rate=$rate" "${@:3}"); then
    accuracy=$(field '["validation_accuracy"]' <<< "$record")
    optuna --quiet tell --study-name cli --trial-number "$number" --values "$accuracy" --state complete
  else
    optuna --quiet tell --study-name cli --trial-number "$number" --state fail
  fi
done
optuna --quiet best-trial --study-name cli --format json
