"""Tensors that are larger than the buffers: read in parts, whatever way they are cut, and the same file for any --memory.

A 3 x 3 convolution, a dense layer behind a flattening and an LSTM (whose gates stand in another order), of 2 to 20 MiB
each: with --memory 1 they are cut, with the default they are not, or not so fine.
"""

import os
import resource
import subprocess

import numpy as np
import pytest
from predict import PYTHON, TIEOUT, predict, tieout

MAKE = """
import sys
import numpy as np
import torch
from torch import nn

class Last(nn.Module):
    def forward(self, x):
        return x[0][:, -1]

torch.manual_seed(1)
image = nn.Sequential(nn.Conv2d(160, 400, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(400 * 4 * 6, 500))
sequence = nn.LSTM(300, 350, batch_first=True)
for name, model, shape in ("image", image, (2, 160, 4, 6)), ("sequence", sequence, (2, 5, 300)):
    torch.save(model, f"{sys.argv[1]}/{name}.pt")
    inputs = torch.rand(shape)
    with torch.no_grad():
        outputs = model(inputs)
    outputs = outputs[0] if name == "sequence" else outputs
    layout = (0, 2, 3, 1) if name == "image" else (0, 1, 2)
    np.save(f"{sys.argv[1]}/{name}_inputs.npy", inputs.permute(layout).numpy())
    np.save(f"{sys.argv[1]}/{name}_outputs.npy", outputs.numpy())
"""
IO = 3  # the exit code
SHAPES = {"image": "160,4,6", "sequence": "5,300"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("large")
    subprocess.run([PYTHON["torch"], "-c", MAKE, path], check=True, timeout=300)
    return path


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_parts_are_the_whole(folder, tmp_path, name, suffix):
    small, usual = tmp_path / f"small.{suffix}", tmp_path / f"usual.{suffix}"
    tieout("convert", folder / f"{name}.pt", small, "--input-shape", SHAPES[name], "--memory", 1)
    tieout("convert", folder / f"{name}.pt", usual, "--input-shape", SHAPES[name])
    assert small.read_bytes() == usual.read_bytes()

    seen = predict("keras", {"there": {"model": small, "inputs": folder / f"{name}_inputs.npy"}}, tmp_path)["there"]
    assert not isinstance(seen, str), seen
    wanted = np.load(folder / f"{name}_outputs.npy")
    assert np.max(np.abs(seen - wanted)) <= 1e-5 * np.max(np.abs(wanted))

    # Back: the very weights, each in the place of the one that it came from; but Keras has one bias where an LSTM has two.
    back = tmp_path / "back.safetensors"
    tieout("convert", small, back, "--like", folder / f"{name}.pt", "--memory", 1)
    script = (
        "import sys, torch, safetensors.torch; a = torch.load(sys.argv[1], weights_only=False).state_dict();"
        "b = safetensors.torch.load_file(sys.argv[2]); assert a.keys() == b.keys();"
        "assert all(torch.equal(a[k], b[k]) for k in a if not k.startswith('bias_'))"
    )
    subprocess.run([PYTHON["torch"], "-c", script, folder / f"{name}.pt", back], check=True, timeout=300)


DENSE = """
import sys
import h5py, numpy as np, torch
torch.save(torch.nn.Sequential(torch.nn.Linear(4096, 6144)), sys.argv[1] + "/template.pt")
with h5py.File(sys.argv[1] + "/packed.weights.h5", "w") as file:
    kernel = (np.arange(4096 * 6144) % 251).astype(sys.argv[2]).reshape(4096, 6144)
    options = {"compression": "gzip", "compression_opts": 1, "chunks": (256, 1024)} if sys.argv[3] == "gzip" else {}
    file.create_dataset("layers/dense/vars/0", data=kernel, **options)
    file.create_dataset("layers/dense/vars/1", data=np.arange(6144, dtype="f4"))
"""
SAME_DENSE = """
import sys
import h5py, torch
state = torch.load(sys.argv[1], weights_only=True)
with h5py.File(sys.argv[2]) as file:
    kernel, bias = (torch.from_numpy(file[f"layers/dense/vars/{k}"][()].astype("f4")) for k in range(2))
assert torch.equal(state["0.weight"], kernel.T) and torch.equal(state["0.bias"], bias)
"""


def run_with_data(megabytes, *arguments):
    """Of all data of the process (RLIMIT_DATA, getrlimit(2)), on two processors, since a thread's stack counts 8 MiB."""

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes << 20, megabytes << 20))
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])

    return subprocess.run(
        [TIEOUT, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=limit,
    )


def test_the_proof_holds_few_values(tmp_path):
    """24 values of 16 MiB on each side, of which the two models need a few at a time."""
    script = (
        "import sys, torch; from torch import nn; convolutions = [nn.Conv2d(4, 4, 3, padding=1) for _ in range(12)];"
        "torch.save(nn.Sequential(*[layer for conv in convolutions for layer in (conv, nn.Tanh())]), sys.argv[1])"
    )
    subprocess.run([PYTHON["torch"], "-c", script, tmp_path / "deep.pt"], check=True, timeout=300)
    shape = ["--input-shape", "4,512,512"]
    done = run_with_data(400, "convert", tmp_path / "deep.pt", tmp_path / "deep.keras", *shape)
    assert done.returncode == 0, done.stderr
    assert "ties out" in done.stdout


@pytest.mark.parametrize(("dtype", "stored"), [("<f4", "gzip"), (">f4", "plain")])
def test_what_must_be_unpacked_is_not_held_in_memory(tmp_path, dtype, stored):
    """96 MiB of numbers with 80 MiB of data."""
    python = PYTHON["torch"]
    subprocess.run([python, "-c", DENSE, tmp_path, dtype, stored], check=True, timeout=300)
    source, target = tmp_path / "packed.weights.h5", tmp_path / "out.pt"
    options = ["--like", tmp_path / "template.pt", "--input-shape", "4096", "--memory", "16", "--no-verify"]
    done = run_with_data(80, "convert", source, target, *options)
    assert done.returncode == 0, done.stderr
    subprocess.run([python, "-c", SAME_DENSE, target, source], check=True, timeout=300)


@pytest.mark.parametrize("why", ["no folder", "no room"])
def test_no_room_to_unpack(tmp_path, why):
    """No TMPDIR, or no file may grow beyond 64 MiB: the target has 48. Said with the way out, and nothing is left."""
    subprocess.run([PYTHON["torch"], "-c", DENSE, tmp_path, "<f4", "gzip"], check=True, timeout=300)
    options = ["--like", tmp_path / "template.pt", "--input-shape", "4096", "--dtype", "float16", "--no-verify"]
    done = subprocess.run(
        [TIEOUT, "convert", tmp_path / "packed.weights.h5", tmp_path / "out.pt", *options],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "TMPDIR": str(tmp_path / "nowhere" if why == "no folder" else tmp_path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20)),
        restore_signals=False,  # Python ignores the signal that comes with it
    )
    assert done.returncode == IO, done.stderr
    assert "temporary file of 96 MiB" in done.stderr
    assert "TMPDIR" in done.stderr
    assert not (tmp_path / "out.pt").exists()


def test_what_is_too_large_to_run_is_not_proven(tmp_path):
    """Two images, 983 million numbers together: written all the same, and called what it is."""
    source, target = tmp_path / "large.keras", tmp_path / "large.pt"
    script = (
        "import os; os.environ.update(KERAS_BACKEND='tensorflow', CUDA_VISIBLE_DEVICES='');"
        "import sys, keras; from keras import layers;"
        "keras.Sequential([keras.Input((64, 64, 3)), layers.Conv2D(3, 1), layers.UpSampling2D(200)]).save(sys.argv[1])"
    )
    subprocess.run([PYTHON["keras"], "-c", script, source], check=True, timeout=300)
    said = tieout("convert", source, target)
    assert "not proven" in said
    assert "ties out" not in said
    assert "way out" in said
    assert target.exists()
