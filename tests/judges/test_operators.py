"""Keras models of operators, to PyTorch and back: both give what Keras gave (make_operator_models.py)."""

import subprocess

import numpy as np
import pytest
from predict import HERE, PYTHON, predict, tieout

NAMES = ["image", "hard_sigmoid", "each_against_each", "attention", "one_part", "bias_trap"]
# Whose input and output are images with the channels first in PyTorch.
IMAGES = {"image", "hard_sigmoid", "bias_trap"}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("operators")
    subprocess.run([PYTHON["keras"], HERE / "make_operator_models.py", folder], check=True, timeout=600)
    there, back = {}, {}
    for name in NAMES:
        inputs = folder / f"{name}_inputs.npy"
        tieout("convert", folder / f"{name}.keras", folder / f"{name}.pt")
        tieout("convert", folder / f"{name}.pt", folder / f"{name}_back.keras")
        back[name] = {"model": folder / f"{name}_back.keras", "inputs": inputs}
        if name in IMAGES:
            np.save(folder / f"{name}_first.npy", np.load(inputs).transpose(0, 3, 1, 2).copy())
            inputs = folder / f"{name}_first.npy"
        there[name] = {"model": folder / f"{name}.pt", "inputs": inputs, "code": folder / f"{name}.py"}
    made = {name: np.load(folder / f"{name}_outputs.npy") for name in NAMES}
    return made, predict("torch", there, folder), predict("keras", back, folder)


def assert_same(got, wanted):
    assert isinstance(got, np.ndarray), got
    if got.ndim == 4 and got.shape != wanted.shape:
        got = got.transpose(0, 2, 3, 1)
    assert got.shape == wanted.shape
    assert np.max(np.abs(got - wanted)) <= 1e-5 * np.max(np.abs(wanted))


@pytest.mark.parametrize("name", NAMES)
def test_in_torch(outputs, name):
    made, there, _ = outputs
    assert_same(there[name], made[name])


@pytest.mark.parametrize("name", NAMES)
def test_back_in_keras(outputs, name):
    made, _, back = outputs
    assert_same(back[name], made[name])
