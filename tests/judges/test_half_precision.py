"""Layers of a Keras model that compute in half precision are named: what is carried computes in the type of its weights."""

import subprocess

from predict import PYTHON, TIEOUT

MAKE = """
import sys
import keras
from keras import layers
model = keras.Sequential([
    keras.Input((4,)),
    layers.Dense(3, dtype="mixed_float16"),
    layers.Dense(3, dtype="mixed_float16"),
    layers.Dense(3, dtype="bfloat16", name="last"),
    layers.Dense(2),
])
model.save(sys.argv[1])
"""


def test_policies_are_named(tmp_path):
    source = tmp_path / "half.keras"
    subprocess.run([PYTHON["keras"], "-c", MAKE, source], check=True, capture_output=True, timeout=300)
    convert = [TIEOUT, "convert", source, tmp_path / "half.pt"]
    said = subprocess.run(convert, check=True, capture_output=True, text=True, timeout=60).stderr
    assert "2 layers compute in half precision (dtype policy mixed_float16)" in said
    assert "last: computes in half precision (dtype policy bfloat16)" in said
