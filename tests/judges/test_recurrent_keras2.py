"""Recurrent layers in files of Keras 2, which Keras 3 cannot load: what tieout makes of them, against Keras 2 itself."""

import subprocess

import numpy as np
import pytest
from predict import PYTHON, predict, tieout

# Keras itself rearranges the weights of a CuDNN layer when it loads them into the plain one.
SCRIPT = """
import os, sys
os.environ.update(CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import numpy as np
import tf_keras
from tf_keras import layers
from tf_keras.src.layers.rnn.cudnn_gru import CuDNNGRU
from tf_keras.src.layers.rnn.cudnn_lstm import CuDNNLSTM

def both(make):
    return lambda: layers.Bidirectional(make())

STORED = {
    "cudnn_lstm": lambda: CuDNNLSTM(5, return_sequences=True),
    "cudnn_gru": lambda: CuDNNGRU(5, return_sequences=True),
    "cudnn_both": both(lambda: CuDNNLSTM(5)),
    "hard_sigmoid": lambda: layers.LSTM(5, recurrent_activation="hard_sigmoid", return_sequences=True),
    "both_hard_sigmoid": both(lambda: layers.GRU(5, recurrent_activation="hard_sigmoid", reset_after=False)),
    "backwards": lambda: layers.SimpleRNN(5, go_backwards=True, return_sequences=True),
}
PLAIN = {
    "cudnn_lstm": lambda: layers.LSTM(5, return_sequences=True),
    "cudnn_gru": lambda: layers.GRU(5, return_sequences=True),
    "cudnn_both": both(lambda: layers.LSTM(5)),
}
folder = sys.argv[1]
source = np.random.default_rng(3)
inputs = source.standard_normal((4, 6, 3)).astype("float32")
np.save(f"{folder}/in.npy", inputs)
for name, make in STORED.items():
    model = tf_keras.Sequential([tf_keras.Input((6, 3)), make()])
    model.set_weights([source.standard_normal(w.shape).astype("float32") * 0.5 for w in model.get_weights()])
    model.save(f"{folder}/{name}.h5")
    if name in PLAIN:
        model = tf_keras.Sequential([tf_keras.Input((6, 3)), PLAIN[name]()])
        model.load_weights(f"{folder}/{name}.h5")
    np.save(f"{folder}/{name}_out.npy", model(inputs, training=False).numpy())
"""
NAMES = ["cudnn_lstm", "cudnn_gru", "cudnn_both", "hard_sigmoid", "both_hard_sigmoid", "backwards"]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """{name: (in PyTorch, in Keras 2)}."""
    folder = tmp_path_factory.mktemp("keras2")
    done = subprocess.run([PYTHON["keras"], "-c", SCRIPT, folder], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    models = {}
    for name in NAMES:
        tieout("convert", folder / f"{name}.h5", folder / f"{name}.pt")
        models[name] = {
            "model": folder / f"{name}.pt",
            "code": folder / f"{name}.py",
            "inputs": folder / "in.npy",
        }
    got = predict("torch", models, folder)
    return {name: (got[name], np.load(folder / f"{name}_out.npy")) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_keras2(outputs, name):
    got, wanted = outputs[name]
    assert not isinstance(got, str), got
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() <= 2e-6
