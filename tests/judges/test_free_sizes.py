"""Keras networks for images of any size: the PyTorch that is written must find its paddings out as it runs.

Each is one or two layers whose padding depends on the size; even and odd sizes, in float64, there and back.
"""

import os
import subprocess

import numpy as np
import pytest
import torch
from predict import PYTHON, tieout
from predict_torch import make

# Both in a child process: Keras and PyTorch do not share one.
WRITE = r"""
import sys
import keras
import numpy as np
from keras import layers as L

keras.config.set_floatx("float64")
folder = sys.argv[1]
networks = {
    "conv1d": (1, [L.Conv1D(4, 3, strides=2, padding="same")]),
    "causal": (1, [L.Conv1D(4, 3, dilation_rate=2, padding="causal", activation="tanh")]),
    "conv2d": (2, [L.Conv2D(4, 3, strides=2, padding="same"), L.ReLU(), L.Conv2D(2, 5, strides=3, padding="same")]),
    "uneven": (2, [L.Conv2D(4, (4, 3), strides=(2, 1), padding="same")]),
    "same": (2, [L.Conv2D(4, 4, padding="same")]),
    "conv3d": (3, [L.Conv3D(4, 3, strides=2, padding="same")]),
    "depthwise1d": (1, [L.DepthwiseConv1D(3, strides=2, padding="same", depth_multiplier=2)]),
    "depthwise": (2, [L.DepthwiseConv2D(3, strides=2, padding="same")]),
    "dilated": (2, [L.DepthwiseConv2D(3, strides=2, dilation_rate=2, padding="same")]),
    "separable": (2, [L.SeparableConv2D(4, 3, strides=2, padding="same", activation="relu")]),
    "transpose": (2, [L.Conv2DTranspose(4, 3, strides=2, padding="same"), L.Conv2D(2, 3, strides=2, padding="same")]),
}
source = np.random.default_rng(3)
for name, (rank, layers) in networks.items():
    model = keras.Sequential([keras.Input((None,) * rank + (3,)), *layers])
    model.set_weights([source.standard_normal(weight.shape) for weight in model.get_weights()])
    model.save(f"{folder}/{name}.keras")
    for k, sizes in enumerate([(8, 7, 6), (9, 12, 7)]):
        image = source.standard_normal((2, *sizes[:rank], 3))
        np.savez(f"{folder}/{name}{k}.npz", image=image, output=model(image))
"""
RUN = r"""
import sys
import keras
import numpy as np

keras.config.set_floatx("float64")
folder = sys.argv[1]
for name in sys.argv[2:]:
    model = keras.saving.load_model(f"{folder}/{name}_back.keras")
    for k in range(2):
        np.save(f"{folder}/{name}_back{k}.npy", model(np.load(f"{folder}/{name}{k}.npz")["image"]))
"""
NETWORKS = [
    *("conv1d", "causal", "conv2d", "uneven", "same", "conv3d", "depthwise1d", "depthwise", "dilated", "separable"),
    "transpose",
]


def keras_child(code, *arguments):
    environment = dict(os.environ, KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
    done = subprocess.run(
        [PYTHON["keras"], "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("free_sizes")
    keras_child(WRITE, made)
    return made


def load(path):
    module = make(path.with_suffix(".py")).double()
    module.load_state_dict(torch.load(path, weights_only=True), strict=True)
    return module.eval()


def pairs(folder, network):
    """Input and output in PyTorch's layout."""
    for k in range(2):
        with np.load(folder / f"{network}{k}.npz") as arrays:
            yield [torch.from_numpy(np.moveaxis(arrays[name], -1, 1).copy()) for name in ("image", "output")]


@pytest.mark.parametrize("network", NETWORKS)
def test_any_size(folder, network):
    written = folder / f"{network}.pt"
    tieout("convert", folder / f"{network}.keras", written, "--no-verify")
    module = load(written)
    for image, output in pairs(folder, network):
        torch.testing.assert_close(module(image), output, rtol=0, atol=1e-12)


@pytest.mark.parametrize("network", NETWORKS)
def test_export_with_free_sizes(folder, network):
    written = folder / f"{network}_exported.pt"
    tieout("convert", folder / f"{network}.keras", written, "--no-verify")
    examples = list(pairs(folder, network))
    free = dict.fromkeys((0, *range(2, examples[0][0].ndim)), torch.export.Dim.DYNAMIC)
    program = torch.export.export(load(written), (examples[0][0],), dynamic_shapes=(free,))
    for image, output in examples:
        torch.testing.assert_close(program.module()(image), output, rtol=0, atol=1e-12)


@pytest.fixture(scope="session")
def returned(folder):
    """All of them, run by one child: importing Keras takes seconds."""
    for network in NETWORKS:
        tieout("convert", folder / f"{network}.keras", folder / f"{network}_there.pt", "--no-verify")
        tieout("convert", folder / f"{network}_there.pt", folder / f"{network}_back.keras", "--no-verify")
    keras_child(RUN, folder, *NETWORKS)
    return folder


@pytest.mark.parametrize("network", NETWORKS)
def test_and_back(returned, network):
    for k in range(2):
        with np.load(returned / f"{network}{k}.npz") as arrays:
            got = np.load(returned / f"{network}_back{k}.npy")
            np.testing.assert_allclose(got, arrays["output"], rtol=0, atol=1e-12)
