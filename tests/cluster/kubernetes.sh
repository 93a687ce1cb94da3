# shellcheck shell=bash disable=SC2154,SC2164
# Kubernetes: the script's objects are valid, and what its containers run gives the results. There is no Kubernetes
# here, so a shell has the part of the node.
# (`run`, which reads this file, sets $here and $work, and ends at the first command that fails.)

python="$(python_with kubernetes-validate==1.37.0 pyyaml)"
make_study "$work/kubernetes"
cd "$work/kubernetes"
"$SMALLNET" study cut.toml --script kubernetes --shards 3 > study.yaml
"$python" - study.yaml <<'PY'
import sys
import kubernetes_validate
import yaml

objects = [item for item in yaml.safe_load_all(open(sys.argv[1])) if item]
for item in objects:
    kubernetes_validate.validate(item, "1.34", strict=True)
    print("valid:", item["kind"], item["metadata"]["name"])
config = next(item for item in objects if item["kind"] == "ConfigMap")
for name, text in config["data"].items():
    open(f"from-{name}", "w").write(text)
for item in objects:
    if item["kind"] == "Job":
        container, = item["spec"]["template"]["spec"]["containers"]
        open(f"{item['metadata']['name']}.sh", "w").write(container["args"][0])
PY
mkdir study
for file in cut.toml base-base.toml; do mv "from-$file" "study/$file"; done
mkdir bin
printf '#!/bin/sh\nexec "%s" "$@"\n' "$SMALLNET" > bin/smallnet
chmod 755 bin/smallnet
sed -i "s#/study/#$PWD/study/#; s#/artifacts#$PWD/artifacts#" study-cut.sh study-cut-merge.sh
# The merge fails while a shard is missing, and Kubernetes would start it again.
for index in 0 1; do PATH="$PWD/bin:$PATH" CPUS=1 JOB_COMPLETION_INDEX=$index sh study-cut.sh >/dev/null; done
if PATH="$PWD/bin:$PATH" CPUS=1 sh study-cut-merge.sh >/dev/null 2>early; then echo "merged too early" >&2; exit 1; fi
grep 'have no result' early
PATH="$PWD/bin:$PATH" CPUS=1 JOB_COMPLETION_INDEX=2 sh study-cut.sh >/dev/null
PATH="$PWD/bin:$PATH" CPUS=1 sh study-cut-merge.sh >/dev/null
same_as_one_process artifacts "kubernetes: three shards by the commands of the Indexed Job"
cd "$here"
