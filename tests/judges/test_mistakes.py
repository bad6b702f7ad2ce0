"""Conversions done wrong by hand, in the ways that people do them wrong: `verify` must say so, where, and why.

The right Keras file of each net is what tieout writes; test_layers.py and test_lenet5.py have Keras judge those. The
wrong one is the same file with arrays written over it, so shapes never give a mistake away.
"""

import dataclasses
import json
import shutil

import h5py
import numpy as np
import pytest
import torch
from mistakes import MISTAKES, SHAPES, arrays, gru_net, keras_epsilon, normalised_net, overwrite, read, swapped_gates
from predict import ROOT, tieout, verify
from torch import nn

MODELS = ROOT / "examples" / "lenet5" / "models"


@dataclasses.dataclass
class Pair:
    module: nn.Module
    torch_path: object
    keras_path: object
    names: dict  # module's name in PyTorch: layer's in Keras


@pytest.fixture
def right(request, tmp_path):
    """The net of the mistake in both frameworks, converted rightly."""
    net = request.param
    torch.manual_seed(4)
    pair = Pair(net().eval(), tmp_path / "net.pt", tmp_path / "net.h5", {})
    torch.save(pair.module, pair.torch_path)
    tieout("convert", pair.torch_path, pair.keras_path, "--input-shape", SHAPES[net])
    verdict = verify(pair.torch_path, pair.keras_path)
    assert verdict["verdict"] == "ties out"
    assert verdict["first_difference"] is None
    # What is compared with PyTorch's transposed convolution is Keras' and the crop behind it.
    pair.names = {layer["a"]: layer["b"].removesuffix("_crop") for layer in verdict["layers"]}
    return pair


def assert_found(verdict, a, b, cause):
    assert verdict["verdict"] == "differs"
    difference = verdict["first_difference"]
    assert (difference["a"], difference["b"], difference["cause"]) == (a, b, cause), difference
    assert difference["message"]


BOTH_WAYS = pytest.mark.parametrize("reverse", [False, True], ids=["torch first", "keras first"])


@BOTH_WAYS
@pytest.mark.parametrize(
    ("right", "mistake"), [(m.net, m) for m in MISTAKES], ids=[m.make.__name__ for m in MISTAKES], indirect=["right"]
)
def test_keras_file_written_wrongly(right, mistake, reverse):
    name = right.names[mistake.layer]
    mistake.make(right.keras_path, right.module, name)
    if reverse:
        verdict = verify(right.keras_path, right.torch_path, expect=1)
        assert_found(verdict, name, mistake.layer, mistake.cause)
    else:
        verdict = verify(right.torch_path, right.keras_path, expect=1)
        assert_found(verdict, mistake.layer, name, mistake.cause)


def load_gru_plainly(module, path, layer):
    theirs = read(path, layer)
    wrong = {
        "weight_ih_l0": theirs["kernel"].T,
        "weight_hh_l0": theirs["recurrent_kernel"].T,
        "bias_ih_l0": theirs["bias"][0],
        "bias_hh_l0": theirs["bias"][1],
    }
    module.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in wrong.items()})


def load_default_epsilon(module, path, layer):
    module[1].eps = 1e-5


@pytest.mark.parametrize(
    ("right", "load", "layer", "cause"),
    [(gru_net, load_gru_plainly, "", "gate_order"), (normalised_net, load_default_epsilon, "1", "epsilon")],
    ids=["gru", "epsilon"],
    indirect=["right"],
)
def test_torch_file_written_wrongly(right, load, layer, cause):
    """Out of Keras, where the epsilon is 1e-3 when nobody sets it, into PyTorch."""
    name = right.names[layer]
    if cause == "epsilon":
        keras_epsilon(right.keras_path, right.module, name)
    load(right.module, right.keras_path, name)
    torch.save(right.module, right.torch_path)
    verdict = verify(right.keras_path, right.torch_path, expect=1)
    assert_found(verdict, name, layer, cause)


def test_gates_swapped_by_hand_are_what_was_written(tmp_path):
    """The right arrangement, by hand: otherwise the wrong one above might be the right one."""
    torch.manual_seed(4)
    module = gru_net()
    torch.save(module, tmp_path / "gru.pt")
    tieout("convert", tmp_path / "gru.pt", tmp_path / "gru.h5", "--input-shape", "4,3")
    ours, theirs = arrays(module), read(tmp_path / "gru.h5", "layer")
    assert (theirs["kernel"] == swapped_gates(ours["weight_ih_l0"].T)).all()
    assert (theirs["recurrent_kernel"] == swapped_gates(ours["weight_hh_l0"].T)).all()
    assert (theirs["bias"] == swapped_gates(np.stack([ours["bias_ih_l0"], ours["bias_hh_l0"]]))).all()


CLASSICAL = {"c1": "conv2d", "c3": "conv2d_1", "c5": "dense", "f6": "dense_1", "output": "dense_2"}


def classical_names():
    """The Keras file's own layer names, in the order of the network."""
    with h5py.File(MODELS / "lenet5_classical.h5") as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
    stored = [entry["config"]["name"] for entry in layers if entry["class_name"] in ("Conv2D", "Dense")]
    return dict(zip(CLASSICAL, stored, strict=True))


def carry_by_hand(path, rows_in_hwc):
    """PyTorch's trained weights into a copy of the Keras network, as a notebook does it."""
    shutil.copy(MODELS / "lenet5_classical.h5", path)
    state = torch.load(MODELS / "lenet5_classical.pt", weights_only=True)
    for ours, theirs in classical_names().items():
        weight = state[f"{ours}.weight"].numpy()
        if ours == "c5" and rows_in_hwc:
            weight = weight.reshape(120, 16, 5, 5).transpose(0, 2, 3, 1).reshape(120, 400)
        kernel = weight.transpose(2, 3, 1, 0) if weight.ndim == 4 else weight.T
        overwrite(path, theirs, {"kernel": kernel, "bias": state[f"{ours}.bias"].numpy()})


def test_classical_lenet5_carried_rightly(tmp_path):
    carry_by_hand(tmp_path / "right.h5", rows_in_hwc=True)
    assert verify(MODELS / "lenet5_classical_module.pt", tmp_path / "right.h5")["verdict"] == "ties out"


@BOTH_WAYS
def test_classical_lenet5_carried_with_plain_transposes(tmp_path, reverse):
    carry_by_hand(tmp_path / "wrong.h5", rows_in_hwc=False)
    ours, theirs = "c5", classical_names()["c5"]
    pair = (MODELS / "lenet5_classical_module.pt", tmp_path / "wrong.h5")
    names = (ours, theirs)
    verdict = verify(*(pair[::-1] if reverse else pair), expect=1)
    assert_found(verdict, *(names[::-1] if reverse else names), "flatten_order")


def test_the_frameworks_themselves_show_the_mistake(tmp_path):
    """The difference is the real frameworks' own; the cause is found by the interpreter."""
    carry_by_hand(tmp_path / "wrong.h5", rows_in_hwc=False)
    witnesses = ["--witness", "A=torch", "--witness", "B=keras"]
    verdict = verify(MODELS / "lenet5_classical_module.pt", tmp_path / "wrong.h5", *witnesses, expect=1)
    assert verdict["witnesses"] == {"a": "torch", "b": "keras"}
    assert_found(verdict, "c5", classical_names()["c5"], "flatten_order")


def test_classical_lenet5_loaded_with_plain_transposes(tmp_path):
    """Keras' trained weights into the PyTorch module."""
    module = torch.load(MODELS / "lenet5_classical_module.pt", weights_only=False)
    names = classical_names()
    state = {}
    for ours, theirs in names.items():
        trained = read(MODELS / "lenet5_classical.h5", theirs)
        kernel = trained["kernel"]
        weight = kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T
        state |= {f"{ours}.weight": torch.from_numpy(weight.copy()), f"{ours}.bias": torch.from_numpy(trained["bias"])}
    module.load_state_dict(state)
    torch.save(module, tmp_path / "wrong.pt")
    verdict = verify(MODELS / "lenet5_classical.keras", tmp_path / "wrong.pt", expect=1)
    assert_found(verdict, names["c5"], "c5", "flatten_order")
