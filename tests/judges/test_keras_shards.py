"""Weights in several files: what Keras saved (save_weights with max_shard_size) is read as one file; what tieout spreads, Keras loads."""

import json
import subprocess

import pytest
from predict import PYTHON, TIEOUT, tieout

MODEL = """
import os
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import sys
import keras
import numpy as np
from keras import layers

def make(seed):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((6, 5, 3))
    x = layers.Conv2D(40, 3, bias_initializer="random_normal")(inputs)
    x = layers.BatchNormalization(moving_mean_initializer="random_normal")(x)
    x = layers.Reshape((12, 40))(x)
    x = layers.LSTM(50)(x)
    for units in (90, 60, 4):
        x = layers.Dense(units, bias_initializer="random_normal")(x)
    return keras.Model(inputs, x)
"""
SAVE = MODEL + "make(1).save_weights(sys.argv[1] + '/net.weights.json', max_shard_size=5e-5)"
LOAD = (
    MODEL
    + """
saved, loaded = make(1), make(2)
loaded.load_weights(sys.argv[1])
assert all(np.array_equal(a, b) for a, b in zip(saved.get_weights(), loaded.get_weights(), strict=True))
"""
)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    subprocess.run([PYTHON["keras"], "-c", SAVE, folder], check=True, timeout=300)
    assert len(list(folder.glob("*.weights.h5"))) > 2
    return folder / "net.weights.json"


def test_shards_are_one_file(index, tmp_path):
    joined = tmp_path / "joined.weights.h5"
    tieout("convert", index, joined)
    subprocess.run([PYTHON["keras"], "-c", LOAD, joined], check=True, timeout=300)


@pytest.mark.parametrize("most, least_files", [("20KB", 4), ("1MB", 1), ("1", 13)])
def test_spread_for_keras(index, tmp_path, most, least_files):
    """A layer's variables may lie in two files, and one that is larger than a file has its own."""
    tieout("convert", index, tmp_path / "again.weights.json", "--max-shard-size", most)
    files = list(tmp_path.glob("again_*.weights.h5"))
    assert len(files) >= least_files
    if most == "20KB":  # the largest variable, 40 x 200 floats of the LSTM, has 32,000 bytes; HDF5's own tables 6,000
        assert max(path.stat().st_size for path in files) < 50_000
    subprocess.run([PYTHON["keras"], "-c", LOAD, tmp_path / "again.weights.json"], check=True, timeout=300)


def test_a_shard_is_missing(index, tmp_path):
    content = json.loads(index.read_text())
    content["weight_map"]["/layers/dense/vars"] = "gone.weights.h5"
    alone = tmp_path / "net.weights.json"
    alone.write_text(json.dumps(content))
    done = subprocess.run([TIEOUT, "inspect", alone], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "must lie beside it" in done.stderr
