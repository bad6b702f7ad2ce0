"""Layers whose weights are kept in bounds while they train: the layer is carried, the constraint is not, and it is said so.

Expected values are what the real frameworks compute with the models that they saved.
"""

import os
import pathlib
import subprocess

import pytest
from case_flow import PYTHON, REFUSED, TIEOUT

HERE = pathlib.Path(__file__).parent

MAKE_KERAS = """
import os, sys
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import keras
entry = keras.Input((6, 7, 3))
value = keras.layers.SpectralNormalization(keras.layers.Conv2D(4, 3), name="conv")(entry)
model = keras.Model(entry, keras.layers.SpectralNormalization(keras.layers.Dense(5), name="dense")(value))
model.save(sys.argv[1] + "/constrained.keras")
model.save(sys.argv[1] + "/constrained.h5")
"""
SAME_VARIABLES = """
import os, sys
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import keras, numpy
models = [keras.saving.load_model(path) for path in sys.argv[1:]]
for left, right in zip(*(model.variables for model in models), strict=True):
    numpy.testing.assert_array_equal(left.numpy(), right.numpy())
"""


def tieout(*arguments):
    return subprocess.run([TIEOUT, *arguments], capture_output=True, text=True, timeout=60)


def python(framework, program, *arguments):
    command = [PYTHON[framework], "-c", program, *arguments]
    return subprocess.run(command, check=True, timeout=600, env={**os.environ, "PYTHONPATH": str(HERE)})


@pytest.fixture(scope="module")
def keras_models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras")
    python("keras", MAKE_KERAS, folder)
    return folder


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_keras_says_what_is_left_behind(keras_models, tmp_path, suffix):
    done = tieout("convert", keras_models / f"constrained.{suffix}", tmp_path / "out.pt")
    assert done.returncode == 0, done.stderr
    for layer in ("conv", "dense"):
        assert f"note: {layer} (SpectralNormalization): " in done.stderr


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_keras_copy_keeps_all_variables(keras_models, tmp_path, suffix):
    source, copy = keras_models / f"constrained.{suffix}", tmp_path / f"copy.{suffix}"
    done = tieout("convert", source, copy)
    assert done.returncode == 0, done.stderr
    python("keras", SAME_VARIABLES, source, copy)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_keras_template_is_refused(keras_models, tmp_path, suffix):
    source, template = keras_models / "constrained.keras", keras_models / f"constrained.{suffix}"
    assert tieout("convert", source, tmp_path / "plain.pt").returncode == 0
    done = tieout("convert", tmp_path / "plain.pt", tmp_path / f"out.{suffix}", "--like", template)
    assert done.returncode == REFUSED, done.stderr
    assert "conv (SpectralNormalization)" in done.stderr
    assert "way out" in done.stderr
    assert not (tmp_path / f"out.{suffix}").exists()


@pytest.mark.parametrize("pair", [("keras", "h5"), ("h5", "keras")])
def test_keras_other_format_is_refused(keras_models, tmp_path, pair):
    source, target = (f"constrained.{suffix}" for suffix in pair)
    done = tieout("convert", keras_models / source, tmp_path / target)
    assert done.returncode == REFUSED, done.stderr
    assert "SpectralNormalization" in done.stderr
    assert not (tmp_path / target).exists()
