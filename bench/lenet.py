"""Times whole processes: `tieout convert lenet5.pt OUT.keras --like lenet5.keras` beside the Python way.

    python bench/lenet.py --tieout build/tieout --python .venv/bin/python

One unmeasured run of each, then the two in turn; medians. The peak memory is what the kernel reports for each process;
it is never below what this script itself holds, about 10 MiB, since a process starts as a copy of its parent.
tieout also verifies what it wrote, as it does by default. In the end `tieout verify` compares the two files.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "examples" / "lenet5" / "models"
SOURCE, TEMPLATE = MODELS / "lenet5.pt", MODELS / "lenet5.keras"


def measure(command):
    """Wall seconds and peak MiB of one process, which must succeed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {process.returncode}\n{said.decode(errors='replace')}")
    return seconds, usage.ru_maxrss / 1024


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tieout", type=Path, default=ROOT / "build" / "tieout")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv" / "bin" / "python")
    parser.add_argument("--runs", type=int, default=7)
    return parser.parse_args()


def main():
    options = arguments()
    ways = {
        "tieout": lambda target: [options.tieout, "convert", SOURCE, target, "--like", TEMPLATE],
        "python": lambda target: [options.python, ROOT / "bench" / "python_way.py", SOURCE, TEMPLATE, target],
    }
    seen = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as directory:
        for run in range(options.runs + 1):
            for way, command in ways.items():
                seen[way].append(measure(command(Path(directory) / f"{way}{run}.keras")))
        results = [Path(directory) / f"{way}{options.runs}.keras" for way in ways]
        measure([options.tieout, "verify", *results])
    seconds = {way: median([run[0] for run in runs[1:]]) for way, runs in seen.items()}
    peaks = {way: max(run[1] for run in runs[1:]) for way, runs in seen.items()}
    for way in ways:
        print(f"{way:7} {seconds[way] * 1000:9.1f} ms (median of {options.runs}) {peaks[way]:8.1f} MiB peak")
    print(f"lenet: {seconds['python'] / seconds['tieout']:.0f} times faster; both files tie out")


if __name__ == "__main__":
    main()
