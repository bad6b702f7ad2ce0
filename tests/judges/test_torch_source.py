"""NAME.py as a person would use it: made from Keras networks, loaded, run, trained and exported by the real PyTorch.

The two frameworks run in processes of their own; ruff is the one of `./dev lint`, or that of the path.
"""

import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest
from predict import HERE, PYTHON, ROOT, tieout

# The most lines that NAME.py may have. Without blocks ResNet50 has 679.
NETWORKS = {"small": 130, "ResNet50": 170, "MobileNetV2": 220}

MAKE = """
import os
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import sys
import keras
import numpy as np
from keras import layers

def residual(x, channels, stride, name):
    y = layers.Conv2D(channels, 3, strides=stride, padding="same" if stride == 1 else "valid", name=name + "_1_conv")(x)
    y = layers.BatchNormalization(name=name + "_1_bn")(y)
    y = layers.Activation("relu", name=name + "_1_relu")(y)
    y = layers.Conv2D(channels, 3, padding="same", name=name + "_2_conv")(y)
    y = layers.BatchNormalization(name=name + "_2_bn")(y)
    if stride > 1:
        x = layers.Conv2D(channels, 3, strides=stride, name=name + "_0_conv")(x)
        x = layers.BatchNormalization(name=name + "_0_bn")(x)
    return layers.Activation("relu", name=name + "_out")(layers.Add(name=name + "_add")([x, y]))

def small():
    inputs = layers.Input((20, 24, 3))
    x = layers.Conv2D(8, 3, name="stem_conv")(inputs)
    for stage, channels in enumerate((8, 12, 16), start=1):
        for block in range(1, 5):
            first = block == 1 and stage > 1
            x = residual(x, channels, 2 if first else 1, f"stage{stage}_block{block}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(5, activation="softmax", name="predictions")(x), name="small")

folder, *names = sys.argv[1:]
for name in names:
    keras.utils.set_random_seed(1)
    model = small() if name == "small" else getattr(keras.applications, name)(weights=None)
    rng = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            shape = layer.gamma.shape
            layer.set_weights([rng.uniform(0.5, 1.5, shape), *rng.normal(0, 0.2, (2, *shape)), rng.uniform(0.5, 1.5, shape)])
    model.save(f"{folder}/{name}.keras")
    images = rng.normal(size=(3, *model.input_shape[1:])).astype("float32")
    np.save(f"{folder}/{name}_inputs.npy", np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    np.save(f"{folder}/{name}_wanted.npy", model(images, training=False))
"""

USE = """
import json
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import torch
from predict_torch import make

folder, *names = sys.argv[2:]
torch.manual_seed(0)
seen = {}
for name in names:
    model = make(f"{folder}/{name}.py")
    state = torch.load(f"{folder}/{name}.pt", weights_only=True)
    model.load_state_dict(state, strict=True)
    inputs = torch.from_numpy(np.load(f"{folder}/{name}_inputs.npy"))
    model.eval()
    with torch.no_grad():
        np.save(f"{folder}/{name}_got.npy", model(inputs).numpy())
        np.save(f"{folder}/{name}_one.npy", model(inputs[:1]).numpy())
        batch = torch.export.Dim("batch", max=64)
        for way, strict in (("exported", False), ("traced", True)):  # strict: by torch.compile's own tracer
            program = torch.export.export(model, (inputs[:2],), dynamic_shapes=({0: batch},), strict=strict)
            np.save(f"{folder}/{name}_{way}.npy", program.module()(inputs).numpy())
        compiled = torch.compile(model, fullgraph=True, backend="eager")
        np.save(f"{folder}/{name}_compiled.npy", compiled(inputs).numpy())
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    before = {key: value.clone() for key, value in model.named_parameters()}
    # Not their squares: of 1000 probabilities those have gradients too small to move a float32.
    model(inputs)[:, 0].log().sum().neg().backward()
    optimizer.step()
    seen[name] = {
        "keys": list(model.state_dict()) == list(state),
        "without_gradient": [key for key, value in model.named_parameters() if value.grad is None],
        "moved": sum(not torch.equal(value, before[key]) for key, value in model.named_parameters()),
        "parameters": len(before),
    }
print(json.dumps(seen))
"""


def run_python(framework, program, *arguments):
    command = [PYTHON[framework], "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("networks")
    run_python("keras", MAKE, made, *NETWORKS)
    for name in NETWORKS:
        tieout("convert", made / f"{name}.keras", made / f"{name}.pt", "--no-verify")
    return made


@pytest.fixture(scope="module")
def used(folder):
    return json.loads(run_python("torch", USE, HERE, folder, *NETWORKS).splitlines()[-1])


@pytest.mark.parametrize("name", NETWORKS)
def test_it_computes_what_keras_computes_on_any_batch_and_exported(folder, used, name):
    wanted, got, one, *exported = (
        np.load(folder / f"{name}_{what}.npy") for what in ("wanted", "got", "one", "exported", "traced", "compiled")
    )
    scale = np.abs(wanted).max()
    for each, of in ((got, wanted), (one, wanted[:1]), *((each, wanted) for each in exported)):
        assert each.shape == of.shape
        assert np.abs(each - of).max() <= 1e-5 * scale


@pytest.mark.parametrize("name", NETWORKS)
def test_it_has_the_keys_of_the_file_and_trains(used, name):
    assert used[name]["keys"]
    assert used[name]["without_gradient"] == []
    assert used[name]["moved"] > 0.9 * used[name]["parameters"]


@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_short_and_clean(folder, name):
    code = folder / f"{name}.py"
    text = code.read_text()
    assert len(text.splitlines()) <= NETWORKS[name]
    assert {line for line in text.splitlines() if re.match(r"(from|import) ", line)} == {"from torch import nn"}
    ruff = ROOT / ".cache" / "lint" / "bin" / "ruff"
    ruff = str(ruff) if ruff.exists() else shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not here; `./dev lint` installs it")
    settings = {**os.environ, "RUFF_CACHE_DIR": str(folder / "ruff")}
    for command in (["check"], ["format", "--diff"]):
        done = subprocess.run(
            [ruff, *command, "--isolated", str(code)], capture_output=True, text=True, timeout=60, env=settings
        )
        assert done.returncode == 0, done.stdout + done.stderr


def names_of_layers(path):
    return [layer["name"] for layer in json.loads(tieout("inspect", path, "--json"))["layers"]]


def test_the_way_back_gives_the_names_again(folder):
    tieout("convert", folder / "small.pt", folder / "back.keras", "--no-verify")
    wanted = {name for name in names_of_layers(folder / "small.keras") if name.startswith("stage")}
    assert len(wanted) == 88
    assert wanted <= set(names_of_layers(folder / "back.keras"))
