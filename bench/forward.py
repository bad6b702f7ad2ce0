"""Times the forward pass alone in float64: tieout's interpreter beside PyTorch itself, on two processors.

    python bench/forward.py --tieout build/tieout

ResNet-50 on one image of 224 x 224 (keras.applications, random weights) and LeNet-5 on 256 images, each as the .keras
file and as the PyTorch model that tieout makes of it. Both ways have their weights in memory; they run in turn, and the
medians count. Before that the outputs are compared. The memory is what the tieout process allocates at most (anonymous
memory; the pages of mapped files, its own code among them, are the system's to take back), looked at every few
milliseconds; "alive" is what a forward pass needs at least: the weights and the values that are there at the same time,
all in float64.
"""

import argparse
import importlib.util
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from lenet import MODELS, ROOT, median
from process import run

THREADS = 2
EXACT = 1e-12
# At most so many times PyTorch's time, and of the memory alive.
ALLOWED = {"resnet50": 1.5, "lenet5": 1.0}
MEMORY = 2.0
MAKE_RESNET = """
import sys, keras
keras.utils.set_random_seed(1)
keras.applications.ResNet50(weights=None).save(sys.argv[1])
"""


def torch_model(path):
    """The model in NAME.py with the weights of NAME.pt, in float64."""
    spec = importlib.util.spec_from_file_location(path.stem, path.with_suffix(".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    classes = [value for value in vars(module).values() if isinstance(value, type) and value.__module__ == path.stem]
    model = classes[-1]()
    model.load_state_dict(torch.load(path, weights_only=True))
    return model.double().eval()


def seconds_of(model, image):
    start = time.perf_counter()
    model(image)
    return time.perf_counter() - start


def measure(options, name, keras_file, shape, folder):
    """Prints one model's row; True when it is within what is allowed."""
    written = folder / f"{name}.pt"
    run([options.tieout, "convert", keras_file, written])
    image = np.random.default_rng(0).normal(size=shape)
    np.save(folder / "image.npy", image)
    model = torch_model(written)
    # What the PyTorch model takes: the channels before the rows.
    image = torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, -1, 1)))
    ours, theirs, peak, alive = [], [], 0.0, 0.0
    for _ in range(options.rounds):
        command = [options.tieout, "run", keras_file, "--probe", folder / "image.npy"]
        done = run([*command, "--repeat", options.repeat, "-o", folder / "out.npz", "--force"])
        figures = [
            float(text) for text in re.search(r"forward (\S+) s, .*; (\S+) MiB .* (\S+) MiB", done.said).groups()
        ]
        ours.append(figures[0])
        peak, alive = max(peak, done.allocated), figures[1] + figures[2]
        theirs.append(median([seconds_of(model, image) for _ in range(options.repeat)]))
    outputs = np.load(folder / "out.npz")
    got, wanted = outputs["output/0"], model(image).numpy()
    difference = float(np.max(np.abs(got - wanted)) / np.max(np.abs(wanted)))
    ratio = median(ours) / median(theirs)
    print(
        f"{name:9} tieout {median(ours):.4f} s, PyTorch {median(theirs):.4f} s: {ratio:.2f} times, at most "
        f"{ALLOWED[name]}; at most {peak:.0f} MiB allocated, {peak / alive:.2f} times the {alive:.0f} MiB alive, at most "
        f"{MEMORY}; differs by {difference:.1e}",
        flush=True,
    )
    return ratio <= ALLOWED[name] and peak <= MEMORY * alive and difference <= EXACT


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tieout", type=Path, default=ROOT / "build" / "tieout")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=5, help="forward passes of each in a round")
    return parser.parse_args()


def main():
    options = arguments()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    torch.set_num_threads(THREADS)
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        resnet = folder / "resnet50.keras"
        run([sys.executable, "-c", MAKE_RESNET, resnet])
        results = [
            measure(options, "resnet50", resnet, (1, 224, 224, 3), folder),
            measure(options, "lenet5", MODELS / "lenet5.keras", (256, 28, 28, 1), folder),
        ]
    print(f"forward: {sum(results)} of {len(results)} networks are within their bounds")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
