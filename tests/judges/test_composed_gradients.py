"""What Keras gets as a composition of several layers must train as PyTorch's layer does: equal gradients, zeros included.

A root has no gradient at 0, and 0 times infinity would spoil every weight in front of it.
"""

import json
import subprocess

import numpy as np
import pytest
import torch
from predict import PYTHON, tieout
from torch import nn

LAYERS = {
    "norm": (nn.LPPool2d(2, 2), [(3, 6, 7)]),
    "norm, ceil": (nn.LPPool1d(4, 3, stride=2, ceil_mode=True), [(3, 8)]),
    "local response": (nn.LocalResponseNorm(3, alpha=0.5), [(5, 4, 3)]),
    "cosine": (nn.CosineSimilarity(), [(5,), (5,)]),
    "distance": (nn.PairwiseDistance(eps=0.0), [(5,), (5,)]),
    "third power": (nn.PairwiseDistance(p=3.0, eps=0.0), [(5,), (5,)]),
    "zeros between": (nn.ConvTranspose2d(3, 2, 3, stride=2, dilation=2), [(3, 4, 5)]),
    "bilinear": (nn.Bilinear(5, 4, 3), [(5,), (4,)]),
}

KERAS = """
import json, os, sys
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import keras, numpy as np, tensorflow as tf
for k in json.loads(sys.argv[2]):
    model = keras.saving.load_model(f"{sys.argv[1]}/{k}.keras")
    with np.load(f"{sys.argv[1]}/{k}.npz") as file:
        inputs = [tf.constant(file[name]) for name in file.files]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(model(inputs if len(inputs) > 1 else inputs[0], training=True) ** 2)
    np.savez(f"{sys.argv[1]}/{k}_gradients.npz", *[g.numpy() for g in tape.gradient(loss, inputs)])
"""


def make_inputs(shapes):
    """The first sample is all 0."""
    source = np.random.default_rng(4)
    inputs = [source.standard_normal((3, *shape)).astype(np.float32) for shape in shapes]
    for array in inputs:
        array[0] = 0
    return inputs


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gradients")
    for k, (layer, shapes) in enumerate(LAYERS.values()):
        torch.save(layer.eval(), folder / f"{k}.pt")
        names = (
            [""] if len(shapes) == 1 else ["input1=", "input2="] if isinstance(layer, nn.Bilinear) else ["x1=", "x2="]
        )
        given = [name + ",".join(map(str, shape)) for name, shape in zip(names, shapes, strict=True)]
        tieout("convert", folder / f"{k}.pt", folder / f"{k}.keras", *(f"--input-shape={text}" for text in given))
        np.savez(folder / f"{k}.npz", *[np.moveaxis(array, 1, -1) for array in make_inputs(shapes)])
    command = [PYTHON["keras"], "-c", KERAS, folder, json.dumps(list(range(len(LAYERS))))]
    done = subprocess.run(command, timeout=600, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.parametrize("name", LAYERS)
def test_gradients(folder, name):
    layer, shapes = LAYERS[name]
    inputs = [torch.from_numpy(array).requires_grad_() for array in make_inputs(shapes)]
    (layer(*inputs) ** 2).sum().backward()
    with np.load(folder / f"{list(LAYERS).index(name)}_gradients.npz") as file:
        gradients = [np.moveaxis(file[key], -1, 1) for key in file.files]
    for got, wanted in zip(gradients, inputs, strict=True):
        assert np.isfinite(got).all()
        wanted = wanted.grad.numpy()
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
