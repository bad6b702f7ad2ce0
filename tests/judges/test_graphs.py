"""Graphs of Keras models: nested models, shared layers, several inputs and outputs, open sizes, masks.

In float64: the real PyTorch computes from NAME.py what the real Keras does, and so does Keras from what came back.
"""

import subprocess

import h5py
import numpy as np
import pytest
from predict import HERE, PYTHON, tieout

NAMES = [
    "nested",
    "nested_in_nested",
    "frozen_inside",
    "shared",
    "shared_over_two_inputs",
    "order_of_calls",
    "any_size",
    "masked_words",
    "masked_steps",
    "video",
    "sentences",
    "masked_mean",
    "masked_transformer",
    "masked_decoder",
    "masked_outside",
    "mask_beside_states",
]
EXACT = 1e-12


def child(framework, script, *arguments):
    done = subprocess.run(
        [PYTHON[framework], HERE / script, *map(str, arguments)], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("graphs")
    child("keras", "graph_keras.py", "make", folder)
    written = []
    for name in NAMES:
        for source, target in ((f"{name}.keras", name), (f"{name}.h5", f"{name}_h5")):
            tieout("convert", folder / source, folder / f"{target}.pt")
            written.append(target)
        shape = ("--input-shape", "3,8,7") if name == "any_size" else ()
        tieout("convert", folder / f"{name}.pt", folder / f"{name}_back.keras", *shape)
    child("torch", "graph_torch.py", folder, *written)
    child("keras", "graph_keras.py", "back", folder)
    return folder


def assert_equal(got, wanted):
    got, wanted = (list(np.load(path).values()) for path in (got, wanted))
    assert len(got) == len(wanted)
    for ours, theirs in zip(got, wanted, strict=True):
        assert ours.shape == theirs.shape
        assert np.max(np.abs(ours - theirs)) <= EXACT * np.max(np.abs(theirs))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("source", ["", "_h5"])
def test_to_torch(folder, name, source):
    assert_equal(folder / f"{name}{source}_torch.npz", folder / f"{name}_output.npz")


@pytest.mark.parametrize("name", NAMES)
def test_and_back(folder, name):
    assert_equal(folder / f"{name}_back.npz", folder / f"{name}_output.npz")


@pytest.mark.parametrize("name", ["nested", "nested_in_nested", "frozen_inside", "shared", "video"])
@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_into_a_template(folder, tmp_path, name, suffix):
    """The original Keras file is the template: each tensor returns to its own place, bit by bit."""
    target = tmp_path / f"target.{suffix}"
    template = folder / f"{name}.{suffix}"
    tieout("convert", folder / f"{name}.pt", target, "--like", template)
    if suffix == "h5":
        assert datasets(target) == datasets(template)
    else:
        assert tieout("match", template, target, "--json")


def datasets(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update({name: item[()].tobytes()}) if isinstance(item, h5py.Dataset) else None
        )
    return found
