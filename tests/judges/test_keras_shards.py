"""Weights that Keras saved in several files (save_weights with max_shard_size) are read as the one file they are part of."""

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


def test_a_shard_is_missing(index, tmp_path):
    content = json.loads(index.read_text())
    content["weight_map"]["/layers/dense/vars"] = "gone.weights.h5"
    alone = tmp_path / "net.weights.json"
    alone.write_text(json.dumps(content))
    done = subprocess.run([TIEOUT, "inspect", alone], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "must lie beside it" in done.stderr
