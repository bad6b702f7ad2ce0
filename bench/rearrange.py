"""Times the rearranging kernels beside memcpy and numpy, on two processors.

    python bench/rearrange.py --program build/bench/rearrange

For each pattern, tensors of 256 MiB together are carried from one arrangement into the other, one after another: no
tensor is in a cache when its turn comes, as in a file. In each round memcpy copies them by two threads, the kernel
rearranges them, and numpy does with np.ascontiguousarray, whose results all stay; medians count. numpy takes new memory
for them, the other two write into memory that they have.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from lenet import ROOT, median

THREADS = 2
TOTAL_MIB = 256
# At least so much of memcpy's speed, and so many times numpy's.
OF_MEMCPY = 0.5
TIMES_NUMPY = 4.0
TYPES = {1: np.uint8, 2: np.uint16, 4: np.float32, 8: np.float64}


def to_hwio(a):
    return np.ascontiguousarray(a.transpose(2, 3, 1, 0))


def to_oihw(a):
    return np.ascontiguousarray(a.transpose(3, 2, 0, 1))


def transposed(a):
    return np.ascontiguousarray(a.T)


def swap_gates(a):
    """Three blocks of rows, the first two swapped, and transposed."""
    r, z, n = np.split(a, 3)
    return np.ascontiguousarray(np.concatenate([z, r, n]).T)


def conv(o, i, h, w):
    return [
        ("o i h w", "h w i o", {"o": o, "i": i, "h": h, "w": w}, 4, (o, i, h, w), to_hwio),
        ("h w i o", "o i h w", {"o": o, "i": i, "h": h, "w": w}, 4, (h, w, i, o), to_oihw),
    ]


def matrix(o, i, element):
    return ("o i", "i o", {"o": o, "i": i}, element, (o, i), transposed)


FLAT = {"o": 4096, "c": 512, "h": 7, "w": 7}
GATES = {"u": 1024, "i": 1024}
CASES = [
    *conv(512, 512, 3, 3),
    *conv(2048, 512, 1, 1),
    *conv(256, 256, 3, 3),
    matrix(4096, 4096, 4),
    matrix(4096, 4096, 8),
    matrix(4096, 4096, 2),
    matrix(4096, 4096, 1),
    matrix(1000, 2048, 4),
    ("o (c h w)", "(h w c) o", FLAT, 4, (4096, 512, 7, 7), to_hwio),
    ("(h w c) o", "o (c h w)", FLAT, 4, (7, 7, 512, 4096), to_oihw),
    ("(g{i f g o} u) i", "i (g{i f g o} u)", GATES, 4, (4096, 1024), transposed),
    ("(g{r z n} u) i", "i (g{z r n} u)", GATES, 4, (3072, 1024), swap_gates),
]


def measure(options, case):
    """Prints one pattern's row; True when it is as fast as asked."""
    source, target, sizes, element, shape, by_numpy = case
    axes = ",".join(f"{name}={size}" for name, size in sizes.items())
    command = [options.program, source, target, axes, str(element), str(TOTAL_MIB)]
    size = int(np.prod(shape)) * element
    tensors = max((TOTAL_MIB << 20) // size, 1)
    arrays = np.ones((tensors, *shape), TYPES[element])
    copied, rearranged, numpy = [], [], []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        for _ in range(options.rounds + 1):
            process.stdin.write("\n")
            said = process.stdout.readline()
            if not said:
                sys.exit(f"{options.program}: exit {process.wait()}")
            by_memcpy, ours = map(float, said.split())
            start = time.perf_counter()
            results = [by_numpy(array) for array in arrays]
            numpy.append((time.perf_counter() - start) / tensors)
            del results
            copied.append(by_memcpy / tensors)
            rearranged.append(ours / tensors)
        process.stdin.close()
    # The first round is the one that gets the memory.
    seconds = median(rearranged[1:])
    share, times = median(copied[1:]) / seconds, median(numpy[1:]) / seconds
    print(
        f"{source:>17} -> {target:17} {axes:23} {element} B  {size / seconds / 1e9:5.1f} GB/s, "
        f"{share:4.2f} of memcpy, at least {OF_MEMCPY}; {times:4.1f} times numpy, at least {TIMES_NUMPY}",
        flush=True,
    )
    return share >= OF_MEMCPY and times >= TIMES_NUMPY


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "bench" / "rearrange")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def main():
    options = arguments()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    results = [measure(options, case) for case in CASES]
    print(f"rearrange: {sum(results)} of {len(results)} rearrangements are within their bounds")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
