"""Times whole conversions of large files beside `cp` of the source, and beside the ways there are in Python.

    python bench/files.py --tieout build/tieout [--sizes 1 4] [--folder FOLDER]

The files hold 3 x 3 convolutions and dense layers in float32, one of them behind a flattening; PyTorch writes the first
one, tieout the others, the shards of 300 MB too. All lie in --folder, by default in memory (/dev/shm), so that no disk
is measured. `cp` and the conversion run in turn, --runs times, and the medians count. Memory is what the process
allocates at most; the pages of mapped files are the system's to take back.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from lenet import ROOT, median
from process import run

GIBIBYTE = 1 << 30
# Times `cp`, at most: where a CRC is owed, and where not. MiB at most, whatever the size.
ALLOWED = {"pt": 1.5, "keras": 1.5, "h5": 1.3, "safetensors": 1.3, "json": 1.3}
MEMORY = 256
PYTHON_RUNS = 3
MAKE = """
import sys, torch
from torch import nn
gibibytes = int(sys.argv[1])
torch.manual_seed(0)
layers = []
for _ in range(28 * gibibytes):
    layers += [nn.Conv2d(512, 512, 3, padding=1), nn.ReLU()]
layers += [nn.Flatten(), nn.Linear(512 * 8 * 8, 4096), nn.ReLU()]
for _ in range(4 * gibibytes + 8 * (gibibytes - 1)):
    layers += [nn.Linear(4096, 4096), nn.ReLU()]
torch.save(nn.Sequential(*layers), sys.argv[2])
"""
SHAPE = "512,8,8"


def convert(options, source, target):
    return [
        options.tieout,
        "convert",
        source,
        target,
        "--no-verify",
        *(["--input-shape", SHAPE] if source.suffix == ".pt" else []),
        *(["--max-shard-size", "300MB"] if target.suffix == ".json" else []),
    ]


def seconds_of_copy(source):
    """Of the file, or of the index with all that it names, which then have a folder of their own."""
    whole = source.parent if source.suffix == ".json" else source
    copy = whole.with_name("copy")
    seconds = run(["cp", "-r", whole, copy]).seconds
    shutil.rmtree(copy) if copy.is_dir() else copy.unlink()
    return seconds


def remove_written(target):
    """NAME.py stands beside PyTorch's files, and shards beside an index."""
    for written in target.parent.glob("out[._]*"):
        written.unlink()


def measure(options, name, source, target):
    """Prints one row; True when it is within what is allowed."""
    copied, converted, peak = [], [], 0.0
    for _ in range(options.runs):
        copied.append(seconds_of_copy(source))
        done = run(convert(options, source, target))
        converted.append(done.seconds)
        peak = max(peak, done.allocated)
        remove_written(target)
    ratio, allowed = median(converted) / median(copied), ALLOWED[target.name.split(".")[-1]]
    print(
        f"{name:48} cp {median(copied):.2f} s, tieout {median(converted):.2f} s: {ratio:.2f} times, at most {allowed}; "
        f"{peak:.0f} MiB, at most {MEMORY}",
        flush=True,
    )
    return ratio <= allowed and peak <= MEMORY


def measure_python(way, source, target):
    """Prints one row of a Python way, which has no bound."""
    copied, converted, peak = [], [], 0.0
    for _ in range(PYTHON_RUNS):
        copied.append(seconds_of_copy(source))
        done = run([sys.executable, ROOT / "bench" / "python_files.py", way, source, target])
        converted.append(float(done.said.split()[-1]))
        peak = max(peak, done.allocated)
        remove_written(target)
    ratio = median(converted) / median(copied)
    print(f"  {way} to {target.name.removeprefix('out')}: {ratio:.1f} times cp; {peak:.0f} MiB", flush=True)


def rows(options, gibibytes, folder):
    """Each source is made of the one before it, which is then removed: at most two files lie there at a time."""
    source = folder / "model.pt"
    run([sys.executable, "-c", MAKE, gibibytes, source])
    for made, targets in (
        (source, {"out.weights.h5": ("h5py", "keras"), "out.keras": ("keras",)}),
        (folder / "model.keras", {"out.pt": ("h5py", "keras")}),
        (folder / "model.h5", {"out.safetensors": ("h5py", "keras")}),
        (folder / "shards" / "model.safetensors.index.json", {"out.weights.json": ("keras",)}),
    ):
        if made != source:
            made.parent.mkdir(exist_ok=True)
            run(convert(options, source, made))
            source.unlink()
            source = made
        for target, ways in targets.items():
            name = f"{gibibytes} GiB {source.name.removeprefix('model')} -> {target.removeprefix('out')}"
            yield measure(options, name, source, folder / target)
            for way in ways if gibibytes == 1 else ():  # several times the size in memory
                measure_python(way, source, folder / target)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tieout", type=Path, default=ROOT / "build" / "tieout")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 4], metavar="GIB")
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"))
    return parser.parse_args()


def main():
    options = arguments()
    results = []
    for gibibytes in options.sizes:
        with tempfile.TemporaryDirectory(dir=options.folder) as directory:
            needed = 2 * gibibytes * GIBIBYTE + GIBIBYTE // 2
            if shutil.disk_usage(directory).free < needed:
                sys.exit(
                    f"{options.folder} has not the {needed / GIBIBYTE} GiB free that this takes: give another --folder"
                )
            results += rows(options, gibibytes, Path(directory))
    print(f"files: {sum(results)} of {len(results)} conversions are within their bounds")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
