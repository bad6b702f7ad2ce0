"""Files of 4.5 GiB, one tensor of which is larger than 4 GiB, in every format that holds it, read by the real frameworks.

They take 30 GiB of disk, 14 GiB of memory and some minutes, so they are asked for: TIEOUT_SLOW=1 ./dev test, or
TIEOUT_SLOW=1 python -m pytest tests/judges/test_huge.py.
"""

import os
import subprocess

import pytest
from predict import PYTHON, tieout

pytestmark = pytest.mark.skipif("TIEOUT_SLOW" not in os.environ, reason="30 GiB and minutes: TIEOUT_SLOW=1 asks for it")

ROWS, COLUMNS = 36864, 32768
# Exclusive-or of all elements' bits along each axis: exact, and in whatever order the elements are met.
BITS = """
import numpy as np
def bits(array, axes):
    whole = array.view(np.int32)
    return np.concatenate([np.bitwise_xor.reduce(whole, axis=axis) for axis in axes])
"""
MAKE = (
    BITS
    + f"""
import sys, torch
torch.manual_seed(1)
layer = torch.nn.Linear({COLUMNS}, {ROWS})
with torch.no_grad():
    part = torch.randn(64, {COLUMNS})
    for row in range(0, {ROWS}, 64):
        layer.weight[row : row + 64] = part + row
torch.save(torch.nn.Sequential(layer), sys.argv[1])
np.save(sys.argv[2], bits(layer.weight.detach().numpy(), (0, 1)))
"""
)
IN_TORCH = (
    BITS
    + """
import sys, torch
path, wanted = sys.argv[1], np.load(sys.argv[2])
if path.endswith(".safetensors"):
    import safetensors.torch
    found = [safetensors.torch.load_file(path)]
elif path.endswith(".npz"):
    found = [{name: torch.from_numpy(array) for name, array in np.load(path).items()}]
else:
    found = (torch.load(path, weights_only=True, mmap=mapped) for mapped in (False, True))
for tensors in found:
    weight, = (tensor for tensor in tensors.values() if tensor.ndim == 2)
    assert np.array_equal(bits(weight.numpy(), (0, 1)), wanted)
"""
)
IN_KERAS = (
    BITS
    + f"""
import os
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import sys, zipfile, keras, tensorflow as tf
path, wanted = sys.argv[1], np.load(sys.argv[2])
# load_model would draw random numbers first, which takes five times the memory of the weights.
model = keras.Sequential([keras.Input(({COLUMNS},)), keras.layers.Dense({ROWS}, kernel_initializer="zeros")])
if path.endswith(".keras"):
    with zipfile.ZipFile(path) as archive:
        path = archive.extract("model.weights.h5", os.path.dirname(path))
if path.endswith(".ckpt"):
    tf.train.Checkpoint(model=model).read(path).assert_existing_objects_matched()
else:
    model.load_weights(path)
assert np.array_equal(bits(model.layers[-1].kernel.numpy(), (1, 0)), wanted)
"""
)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("huge")
    subprocess.run([PYTHON["torch"], "-c", MAKE, folder / "huge.pt", folder / "bits.npy"], check=True, timeout=900)
    yield folder / "huge.pt"
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize(
    "name",
    ["out.keras", "model.h5", "out.weights.h5", "out.weights.json", "out.ckpt", "out.safetensors", "out.pt", "out.npz"],
)
def test_huge(source, tmp_path, name):
    target = tmp_path / name
    framework = "keras" if name.endswith(("keras", "h5", "json", "ckpt")) else "torch"
    shape = ["--input-shape", COLUMNS] if framework == "keras" else []
    tieout("convert", source, target, "--no-verify", *shape)
    judge = IN_KERAS if framework == "keras" else IN_TORCH
    subprocess.run([PYTHON[framework], "-c", judge, target, source.with_name("bits.npy")], check=True, timeout=900)
    if framework == "keras" and name != "out.ckpt":  # and back, which reads each of them
        again = tmp_path / "again.safetensors"
        tieout("convert", target, again, "--no-verify", "--like", source, "--input-shape", COLUMNS)
        command = [PYTHON["torch"], "-c", IN_TORCH, again, source.with_name("bits.npy")]
        subprocess.run(command, check=True, timeout=900)
    for path in tmp_path.iterdir():
        path.unlink()
