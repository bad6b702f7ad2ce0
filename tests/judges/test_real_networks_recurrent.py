"""BeatNet, a recurrent network that others trained and published, carried into Keras and back. See tests/data."""

import subprocess

import numpy as np
from predict import PYTHON, ROOT, predict, tieout, verify

DATA = ROOT / "tests" / "data" / "beatnet"
WEIGHTS = DATA / "model_1_weights.pt"

# The network's forward() as a Keras user would write it: 272 numbers a step through a small convolution, then two LSTMs.
TEMPLATE = """
import sys
import keras
from keras import layers

step = [layers.Reshape((272, 1)), layers.Conv1D(2, 10, activation="relu"), layers.MaxPooling1D(2), layers.Flatten()]
model = keras.Sequential([keras.Input((50, 272))])
model.add(layers.TimeDistributed(step[0]))
for layer in step[1:]:
    model.add(layers.TimeDistributed(layer))
model.add(layers.TimeDistributed(layers.Dense(150)))
model.add(layers.LSTM(150, return_sequences=True))
model.add(layers.LSTM(150, return_sequences=True))
model.add(layers.Dense(3))
model.save(sys.argv[1])
"""


def recorded():
    """A step's input, and what the network's own code gave for it in PyTorch: three activations a step."""
    with np.load(DATA / "recorded.npz") as file:
        return file["in0"], file["out0"].transpose(0, 2, 1)


def test_beatnet(tmp_path):
    template, there, back = tmp_path / "template.keras", tmp_path / "there.keras", tmp_path / "back.pt"
    subprocess.run([PYTHON["keras"], "-c", TEMPLATE, template], check=True, capture_output=True, timeout=600)
    tieout("convert", WEIGHTS, there, "--like", template)
    tieout("convert", there, back)
    inputs, outputs = recorded()
    np.save(tmp_path / "in.npy", inputs)
    one = {"inputs": tmp_path / "in.npy"}
    got = {
        "keras": predict("keras", {"net": {"model": there, **one}}, tmp_path)["net"],
        "torch": predict("torch", {"net": {"model": back, "code": tmp_path / "back.py", **one}}, tmp_path)["net"],
    }
    for framework, array in got.items():
        assert not isinstance(array, str), f"{framework}: {array}"
        assert array.shape == outputs.shape
        assert np.abs(array - outputs).max() <= 1e-5 * np.abs(outputs).max(), framework
    assert verify(there, back)["verdict"] == "ties out"
