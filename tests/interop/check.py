"""Runs the script of each peer, two at a time, and prints the table of results: see `run`."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import common

HERE = pathlib.Path(__file__).resolve().parent
# Scripts that take PATH_TO_SMALLNET and a folder. Longest first.
PEERS = ["peer_pytorch.py", "peer_keras.py", "peer_onnx.py", "peer_hub.py", "peer_jax.py", "peer_sklearn.py"]
# Scripts of trackers and tuners: they take PATH_TO_SMALLNET alone and have no rows. Each runs in the environment of
# the list requirements/NAME.txt.
OTHERS = {"tracking.py": "tracking", "tuning.py": "tuning"}

HEADER = ["program", "way", "network", "bytes", "export s", "import s", "right there", "right in smallnet",
          "probabilities differ", "logits differ"]


def environment(name):
    """The Python of an environment, which is installed if it is not there."""
    return subprocess.run([HERE / "setup", name], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def run(script, binary, folder, python):
    """Runs a script; returns its rows and failures and prints how long it took."""
    start, rows = time.perf_counter(), folder / f"{pathlib.Path(script).stem}.json"
    arguments = [folder] if script in PEERS else []
    done = subprocess.run([python, HERE / script, binary, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    print(f"{script}: {time.perf_counter() - start:.0f} s, exit {done.returncode}", flush=True)
    result = json.loads(rows.read_text()) if rows.exists() else {"rows": [], "failures": []}
    if done.returncode != 0 and not result["failures"]:
        result["failures"] = [f"{script} ended with {done.returncode}:\n{done.stdout[-3000:]}"]
    return result


def cells(row):
    return [row["peer"], row["way"], row["network"], f"{row['bytes']:,}", f"{row['export_seconds']:.2f}",
            f"{row['import_seconds']:.2f}", f"{row['peer_right']:,}", f"{row['smallnet_right']:,}",
            f"{row['probabilities']:.1e}", f"{row['logits']:.1e}"]


def text_table(rows):
    table = [HEADER, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*table)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in table)


def markdown(rows):
    align = ["---"] * 3 + ["---:"] * (len(HEADER) - 3)
    return "\n".join("| " + " | ".join(line) + " |" for line in [HEADER, align, *map(cells, rows)])


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{line.split(':')[1].strip()}, {os.cpu_count()} cores"
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", type=pathlib.Path, help="the smallnet program")
    parser.add_argument("--markdown", type=pathlib.Path, help="write the table to this file")
    options = parser.parse_args()
    binary = options.binary.resolve()
    jobs = [(script, sys.executable) for script in PEERS] + [(script, environment(name)) for script, name in OTHERS.items()]
    with tempfile.TemporaryDirectory(prefix="smallnet-interop-") as folder, ThreadPoolExecutor(2) as pool:
        folder = pathlib.Path(folder)
        common.Smallnet(binary, folder / "check", folder / "trained").networks()
        started = [pool.submit(run, script, binary, folder, python) for script, python in jobs]
        results = [job.result() for job in started]
    rows = [row for result in results for row in result["rows"]]
    failures = [failure for result in results for failure in result["failures"]]
    print(text_table(rows))
    if options.markdown:
        version = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout.strip()
        where = f"{datetime.date.today()}, {version}, Python {platform.python_version()}, {processor()}"
        options.markdown.write_text(f"{where}:\n\n{markdown(rows)}\n")
    for failure in failures:
        print(f"FAILED {failure}")
    print(f"{len(rows)} exchanges with other programs, {len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
