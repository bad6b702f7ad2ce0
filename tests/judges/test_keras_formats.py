"""The real Keras writes models, tieout reads them: `tieout inspect --json` against Keras' own listing."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

TIEOUT = os.environ.get("TIEOUT", "build/tieout")

# Runs in a child process, so that the frameworks never share one with each other or with pytest.
WRITE = r"""
import json, sys
import keras
from keras import layers as L

def sequential():
    return keras.Sequential([keras.Input((8, 9, 1)), L.Conv2D(3, 3, padding="same", activation="tanh"),
                             L.AveragePooling2D(2), L.Conv2D(2, 3), L.Flatten(), L.Dense(5)])

def branching():
    x = keras.Input((8, 8, 3), name="image")
    v = keras.Input((4,), name="vector")
    a = L.Conv2D(4, 3, padding="same")(x)
    b = L.ReLU()(L.BatchNormalization()(a))
    shared = L.Dense(4, name="shared")
    y = L.Concatenate()([L.GlobalAveragePooling2D()(L.Add()([a, b])), shared(shared(v))])
    return keras.Model([x, v], [L.Dense(3, name="head")(y), y])

def recurrent():
    x = keras.Input((6, 8))
    y = L.LayerNormalization()(L.MultiHeadAttention(2, 4)(x, x))
    y = L.Bidirectional(L.LSTM(5, return_sequences=True))(y)
    return keras.Model(x, L.GRU(3)(L.LSTM(4, return_sequences=True)(y)))

folder = sys.argv[1]
for make in (sequential, branching, recurrent):
    keras.utils.set_random_seed(1)
    model = make()
    for suffix in (".keras", ".h5"):
        model.save(f"{folder}/{make.__name__}{suffix}")
    model.save_weights(f"{folder}/{make.__name__}.weights.h5")
    with open(f"{folder}/{make.__name__}.json", "w") as out:
        json.dump({"layers": [l.name for l in model.layers if type(l).__name__ != "InputLayer"],
                   "shapes": sorted(list(w.shape) for w in model.weights),
                   "parameters": model.count_params()}, out)
"""

MODELS = ["sequential", "branching", "recurrent"]


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras_formats")
    python = os.environ.get("TIEOUT_KERAS_PYTHON", sys.executable)
    environment = dict(os.environ, KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
    subprocess.run([python, "-c", WRITE, str(folder)], check=True, env=environment, timeout=300)
    return folder


def inspect(path: pathlib.Path) -> dict:
    done = subprocess.run([TIEOUT, "inspect", str(path), "--json"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "suffix, format_name", [(".keras", "keras_zip"), (".h5", "keras_h5"), (".weights.h5", "keras_weights")]
)
def test_lists_what_keras_lists(written, model, suffix, format_name):
    expected = json.loads((written / f"{model}.json").read_text())
    found = inspect(written / f"{model}{suffix}")
    assert found["format"] == format_name
    assert found["framework"] == "keras"
    assert found["parameters"] == expected["parameters"]
    assert sorted(t["shape"] for t in found["tensors"]) == expected["shapes"]
    if suffix != ".weights.h5":
        # A shared layer is listed for each call; the order of independent branches is tieout's own.
        assert {layer["name"] for layer in found["layers"]} == set(expected["layers"])


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_content_decides_not_the_suffix(written, tmp_path, suffix):
    other = tmp_path / "model.pt"
    other.write_bytes((written / f"sequential{suffix}").read_bytes())
    assert inspect(other)["format"] == inspect(written / f"sequential{suffix}")["format"]
