"""Layers whose weights are kept in bounds while they train: the layer is carried, the constraint is not, and it is said so.

Expected values are what the real frameworks compute with the models that they saved.
"""

import itertools
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
from case_flow import PYTHON, REFUSED, TIEOUT

HERE = pathlib.Path(__file__).parent
LAYERS = ("Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "Embedding")
CONSTRAINTS = ("weight_norm", "weight_norm1", "weight_norm_all", "spectral_norm")
# How the module was made and saved.
SAVED = ("hook_module", "hook_state_dict", "parametrized_state_dict")

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


@pytest.fixture(scope="module")
def torch_models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("torch")
    subprocess.run([PYTHON["torch"], HERE / "make_constrained.py", folder], check=True, timeout=600)
    return folder


def read(path, name):
    with np.load(path) as file:
        return file[name]


def shape_of(models, name):
    return ",".join(map(str, read(models / f"{name}.npz", "input").shape[1:]))


CARRY_ALL = """
import json, os, sys
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import keras, numpy as np
for model, wanted in json.loads(open(sys.argv[1]).read()):
    x = np.load(wanted)["input"]
    images = x.ndim > 2
    x = np.moveaxis(x, 1, -1) if images else x
    y = keras.saving.load_model(model)(x, training=False).numpy()
    np.save(model + ".npy", np.moveaxis(y, -1, 1) if images else y)
"""


@pytest.fixture(scope="module")
def carried(torch_models, tmp_path_factory):
    """All of them in Keras: {(layer, constraint, saved): (what tieout said, model)}, and each model's output beside it."""
    folder = tmp_path_factory.mktemp("carried")
    done, jobs = {}, []
    for layer in LAYERS:
        plain = [torch_models / f"{layer}_plain.pt", folder / f"{layer}.keras"]
        shape = shape_of(torch_models, f"{layer}_weight_norm_hook")
        assert tieout("convert", *plain, "--input-shape", shape).returncode == 0
    for layer, constraint, saved in itertools.product(LAYERS, CONSTRAINTS, SAVED):
        name = f"{layer}_{constraint}_{saved}"
        wanted = f"{layer}_{constraint}_{saved.split('_')[0]}"
        target = folder / f"{name}.keras"
        options = ["--like", folder / f"{layer}.keras"]
        if saved.endswith("module"):
            options = ["--input-shape", shape_of(torch_models, wanted)]
        done[layer, constraint, saved] = tieout("convert", torch_models / f"{name}.pt", target, *options), target
        if target.exists():
            jobs.append([str(target), str(torch_models / f"{wanted}.npz")])
    (folder / "jobs.json").write_text(json.dumps(jobs))
    python("keras", CARRY_ALL, folder / "jobs.json")
    return done


@pytest.mark.parametrize("saved", SAVED)
@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("layer", LAYERS)
def test_torch_in_keras(torch_models, carried, layer, constraint, saved):
    """The real Keras computes with the carried weight what the real PyTorch computes at each call."""
    done, model = carried[layer, constraint, saved]
    assert done.returncode == 0, done.stderr
    name = "spectral_norm" if constraint == "spectral_norm" else "weight_norm"
    assert f"training goes on without {name}" in done.stderr
    wanted = read(torch_models / f"{layer}_{constraint}_{saved.split('_')[0]}.npz", "output")
    got = np.load(f"{model}.npy")
    assert got.shape == wanted.shape
    assert np.max(np.abs(got - wanted)) <= 2e-6 * np.max(np.abs(wanted))


WEIGHTS = """
import sys, numpy, torch
for path in sys.argv[1:]:
    numpy.save(path + ".npy", torch.load(path)["0.weight"].numpy())
"""


@pytest.fixture(scope="module")
def plain(torch_models, tmp_path_factory):
    """Each as a plain module of the same names: {(layer, constraint): (what tieout said, its weight's file)}."""
    folder = tmp_path_factory.mktemp("plain")
    done = {}
    for layer, constraint in itertools.product(LAYERS, CONSTRAINTS):
        name, target = f"{layer}_{constraint}_hook", folder / f"{layer}_{constraint}.pt"
        shape = shape_of(torch_models, name)
        said = tieout("convert", torch_models / f"{name}_module.pt", target, "--input-shape", shape)
        done[layer, constraint] = said, f"{target}.npy"
    python("torch", WEIGHTS, *folder.glob("*.pt"))
    return done


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("layer", LAYERS)
def test_torch_weight(torch_models, plain, layer, constraint):
    """PyTorch's own but for the last places of float32."""
    done, weight = plain[layer, constraint]
    assert done.returncode == 0, done.stderr
    got, wanted = np.load(weight), read(torch_models / f"{layer}_{constraint}_hook.npz", "weight")
    assert got.dtype == wanted.dtype == np.float32
    assert np.all(np.abs(got - wanted) <= 3 * np.spacing(np.abs(wanted)))


@pytest.mark.parametrize("constraint", ["weight_norm", "spectral_norm"])
def test_real_pytorch_against_real_keras(torch_models, carried, constraint):
    """In float64, where PyTorch does not round the weight that the file holds in float32."""
    source = torch_models / f"Conv2d_{constraint}_hook_module.pt"
    _, model = carried["Conv2d", constraint, "hook_module"]
    pythons = ["--torch-python", PYTHON["torch"], "--keras-python", PYTHON["keras"]]
    done = tieout("verify", source, model, "--witness", "A=torch", "--witness", "B=keras", *pythons)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ties out" in done.stdout


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
@pytest.mark.parametrize("saved", ["hook_state_dict", "parametrized_state_dict"])
def test_torch_copy_keeps_the_parts(torch_models, tmp_path, saved, suffix):
    """A state_dict in another file stays what its module loads."""
    source, target = torch_models / f"Conv1d_spectral_norm_{saved}.pt", tmp_path / f"copy.{suffix}"
    done = tieout("convert", source, target)
    assert done.returncode == 0, done.stderr
    program = """
import sys, torch, safetensors.torch
load = torch.load if sys.argv[2].endswith("pt") else safetensors.torch.load_file
left, right = torch.load(sys.argv[1]), load(sys.argv[2])
assert left.keys() == right.keys(), right.keys()
assert all(torch.equal(left[name], right[name]) for name in left)
"""
    python("torch", program, source, target)


@pytest.mark.parametrize("saved", SAVED)
def test_torch_template_is_refused(torch_models, carried, tmp_path, saved):
    _, source = carried["Conv1d", "weight_norm", "hook_module"]
    target = tmp_path / "out.pt"
    done = tieout("convert", source, target, "--like", torch_models / f"Conv1d_weight_norm_{saved}.pt")
    assert done.returncode == REFUSED, done.stderr
    assert "weight_norm computes its weight" in done.stderr
    assert "way out" in done.stderr
    assert not target.exists()


@pytest.mark.parametrize("name", ["half", "twice"])
def test_torch_what_is_not_computed_is_refused(torch_models, tmp_path, name):
    done = tieout("convert", torch_models / f"{name}.pt", tmp_path / "out.keras", "--input-shape", "3")
    assert done.returncode == REFUSED, done.stdout + done.stderr
    assert "way out" in done.stderr
    assert not (tmp_path / "out.keras").exists()


@pytest.mark.parametrize("name", ["conv", "transposed", "both"])
def test_torch_square_kernels(torch_models, tmp_path, name):
    """The template tells which axis spectral_norm goes along, unless it has convolutions of both kinds."""
    template, target = tmp_path / "template.keras", tmp_path / "out.keras"
    plain = torch_models / f"square_{name}_plain.pt"
    assert tieout("convert", plain, template, "--input-shape", "3,6,7").returncode == 0
    done = tieout("convert", torch_models / f"square_{name}.pt", target, "--like", template)
    if name == "both":
        assert done.returncode == REFUSED, done.stdout + done.stderr
        assert "way out" in done.stderr
        assert not target.exists()
        return
    assert done.returncode == 0, done.stderr
    (tmp_path / "jobs.json").write_text(json.dumps([[str(target), str(torch_models / f"square_{name}.npz")]]))
    python("keras", CARRY_ALL, tmp_path / "jobs.json")
    got, wanted = np.load(f"{target}.npy"), read(torch_models / f"square_{name}.npz", "output")
    assert np.max(np.abs(got - wanted)) <= 2e-6 * np.max(np.abs(wanted))
