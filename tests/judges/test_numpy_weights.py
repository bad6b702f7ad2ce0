"""Weights as NumPy arrays in an .npz, as people save them from either framework, carried both ways."""

import json
import subprocess
import zipfile

import numpy as np
import pytest
import torch
from predict import PYTHON
from torch import nn
from torch_files import TIEOUT, assert_same, tieout

KERAS = """
import os
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import sys
import keras
import numpy as np
from keras import layers

folder = sys.argv[1]
keras.utils.set_random_seed(1)
model = keras.Sequential([
    keras.Input((9, 4)), layers.Conv1D(5, 3, padding="same", bias_initializer="random_normal"),
    layers.BatchNormalization(moving_mean_initializer="random_normal"),
    layers.LSTM(7, bias_initializer="random_normal"), layers.Dense(7, bias_initializer="random_normal"),
    layers.Dense(7, use_bias=False), layers.Dense(2, bias_initializer="random_normal")])
model.save(folder + "/model.keras")
np.savez(folder + "/list.npz", *model.get_weights())
np.savez_compressed(folder + "/named.npz", **{v.path: np.asarray(v) for v in model.weights})
np.savez(folder + "/colons.npz", **{v.path + ":0": np.asfortranarray(v) for v in model.weights})
np.savez(folder + "/other.npz", *model.get_weights()[:-1])
plain = keras.Sequential([keras.Input((4,)), layers.Dense(5), layers.BatchNormalization(), layers.Dense(2)])
for variable in plain.weights:
    variable.assign(keras.random.normal(variable.shape))
plain.save(folder + "/plain.keras")
np.savez(folder + "/plain.npz", **{f"{layer.name}/{v.name}": np.asarray(v) for layer in plain.layers for v in layer.weights})
"""
LOAD = """
import os
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import sys
import keras
import numpy as np

wanted = keras.models.load_model(sys.argv[1])
for by_name in (False, True):
    found = keras.models.clone_model(wanted)
    found.load_weights(sys.argv[2], by_name=by_name)
    assert all(np.array_equal(a, b) for a, b in zip(found.get_weights(), wanted.get_weights(), strict=True))
"""


def network():
    return nn.Sequential(nn.Conv2d(3, 4, (3, 2)), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(60, 5))


def arrays(state):
    return {name: tensor.numpy() for name, tensor in state.items()}


@pytest.fixture
def state(tmp_path):
    torch.manual_seed(0)
    model = network()
    model(torch.randn(6, 3, 5, 6))
    torch.save(model.eval(), tmp_path / "module.pt")
    return model.state_dict()


@pytest.mark.parametrize("form", ["stored", "compressed", "fortran", "slashes"])
def test_a_state_dict(tmp_path, state, form):
    source, target, back = tmp_path / "source.npz", tmp_path / "target.pt", tmp_path / "back.npz"
    held = arrays(state)
    if form == "fortran":
        held = {name: np.asfortranarray(array) if array.ndim > 1 else array for name, array in held.items()}
    if form == "slashes":
        held = {name.replace(".", "/"): array for name, array in held.items()}
    (np.savez_compressed if form == "compressed" else np.savez)(source, **held)
    tieout("convert", source, target)
    assert_same(torch.load(target, weights_only=True), state)
    tieout("convert", target, back)
    with np.load(back, allow_pickle=False) as loaded:
        assert list(loaded) == list(state)
        assert all(loaded[name].dtype == tensor.numpy().dtype for name, tensor in state.items())
        assert all(np.array_equal(loaded[name], tensor.numpy()) for name, tensor in state.items())
    tieout("verify", source, tmp_path / "module.pt", "--input-shape", "3,5,6", "--probes", "1", expect=6)


def test_types_that_numpy_has_not(tmp_path):
    source = tmp_path / "source.pt"
    torch.save({"a.weight": torch.ones(3), "b.weight": torch.ones(3).bfloat16()}, source)
    said = subprocess.run([TIEOUT, "convert", source, tmp_path / "out.npz"], capture_output=True, text=True, timeout=60)
    assert (
        said.returncode == 5
        and "tensor b.weight" in said.stderr
        and "bfloat16" in said.stderr
        and list(tmp_path.iterdir()) == [source]
    )


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras")
    subprocess.run([PYTHON["keras"], "-c", KERAS, folder], check=True, timeout=300)
    tieout("convert", folder / "model.keras", folder / "model.pt")
    return folder


@pytest.mark.parametrize("name", ["list", "named", "colons"])
def test_weights_of_keras(tmp_path, keras, name):
    """They fill what the model itself was carried into, and that gives the same state_dict."""
    template, target = tmp_path / "template.pt", tmp_path / "filled.pt"
    wanted = torch.load(keras / "model.pt", weights_only=True)
    tieout("verify", keras / f"{name}.npz", keras / "model.pt", "--probes", "1", expect=6)
    tieout("verify", keras / f"{name}.npz", keras / "model.keras", "--probes", "1", expect=6)
    template.write_bytes((keras / "model.pt").read_bytes())
    tieout("convert", keras / f"{name}.npz", target, "--like", template)
    assert_same(torch.load(target, weights_only=True), wanted)


def test_a_list_with_another_number_of_arrays(tmp_path, keras):
    said = subprocess.run(
        [TIEOUT, "convert", keras / "other.npz", tmp_path / "out.pt", "--like", keras / "model.pt"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert said.returncode == 5 and not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["list", "named"])
@pytest.mark.parametrize("suffix, code", [(".h5", 5), (".weights.h5", 5), (".keras", 5), (".ckpt", 5), (".pt", 2)])
def test_arrays_of_keras_need_a_template(tmp_path, keras, name, suffix, code):
    said = subprocess.run(
        [TIEOUT, "convert", keras / f"{name}.npz", tmp_path / f"out{suffix}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said.returncode == code and "--like" in said.stderr and not list(tmp_path.iterdir())
    target = tmp_path / "out.keras"
    assert "largest difference: 0 " in tieout("convert", keras / f"{name}.npz", target, "--like", keras / "model.keras")


def test_arrays_that_are_named_by_layer_and_variable(tmp_path, keras):
    target = tmp_path / "out.h5"
    tieout("convert", keras / "plain.npz", target)
    subprocess.run([PYTHON["keras"], "-c", LOAD, keras / "plain.keras", target], check=True, timeout=300)


def test_a_model_written_as_arrays(tmp_path, keras):
    target = tmp_path / "written.npz"
    tieout("convert", keras / "model.keras", target)
    wanted = torch.load(keras / "model.pt", weights_only=True)
    with np.load(target) as loaded:
        assert_same({name: torch.from_numpy(loaded[name]) for name in loaded}, wanted)


def refusal(path, code):
    return json.loads(tieout("inspect", path, "--json", expect=code))["error"]


def test_names_of_neither_framework(tmp_path):
    path = tmp_path / "odd.npz"
    for names in (["w1", "w2"], ["bias"], ["a.weight", "b/kernel"]):
        np.savez(path, **{name: np.random.rand(2, 3) for name in names})
        said = subprocess.run([TIEOUT, "convert", path, tmp_path / "o.pt"], capture_output=True, text=True, timeout=60)
        assert said.returncode == 2 and "--key torch or --key keras" in said.stderr
        assert len(json.loads(tieout("inspect", path, "--json"))["tensors"]) == len(names)
        tieout("convert", path, tmp_path / "o.pt", "--key", "torch", "--force")
        assert list(torch.load(tmp_path / "o.pt")) == [name.replace("/", ".") for name in names]


def test_what_is_no_plain_array_is_refused(tmp_path):
    path = tmp_path / "refused.npz"
    np.savez(path, **{"a.weight": np.array([{"pickled": 1}], dtype=object)})
    assert "'|O'" in refusal(path, 5)["message"]
    np.savez(path, **{"a.weight": np.arange(3, dtype=">f4")})
    assert "'>f4'" in refusal(path, 5)["message"]
    np.savez(path, **{"a.b": np.ones(2), "a/b": np.ones(2), "a.weight": np.ones(2)})
    assert "two arrays" in refusal(path, 4)["message"]
    np.save(tmp_path / "one.npy", np.ones(3))
    assert "single array" in refusal(tmp_path / "one.npy", 5)["message"]


def test_an_archive_that_inflates_to_a_thousand_times_its_size(tmp_path):
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, **{"a.weight": np.zeros(30_000_000, np.float32)})
    assert path.stat().st_size < 200_000
    assert "200 times" in refusal(path, 4)["message"]


def test_a_damaged_array_is_found(tmp_path):
    path = tmp_path / "damaged.npz"
    np.savez(path, **{"a.weight": np.random.rand(40)})
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        content[archive.infolist()[0].header_offset + 300] ^= 1
    path.write_bytes(content)
    assert "CRC" in refusal(path, 4)["message"]
