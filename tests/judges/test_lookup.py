"""IntegerLookup with a vocabulary that it has learnt, which a .keras file keeps outside its configuration.

Expected values are what the real Keras computes with the models that it saved.
"""

import os
import subprocess
import zipfile

import numpy as np
import pytest
from case_flow import PYTHON, REFUSED, TIEOUT

MALFORMED = 4

MAKE = """
import os, sys
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import keras, numpy as np
from keras import layers

def learnt(numbers, **settings):
    layer = layers.IntegerLookup(**settings)
    layer.adapt(np.array(numbers))
    return layer

def entry():
    return keras.Input((4,), dtype="int64")

inner = entry()
first = learnt([1, 2, 2, 3, 3, 3, 3])
second = learnt([2, 1, 1, 1], mask_token=0, num_oov_indices=2)
nested = keras.Model(inner, layers.Embedding(9, 2)(second(first(inner))))
outer = entry()
given = layers.IntegerLookup(vocabulary=[30, 10, 20])(outer)
counted = learnt([5, 5, 30, 30, 30], output_mode="count", num_oov_indices=2)(outer)
model = keras.Model(outer, [layers.Flatten()(nested(given)), layers.Dense(3)(counted)])
x = np.random.default_rng(5).choice([0, 5, 7, 10, 20, 30], (6, 4))
np.savez(sys.argv[1] + "/probe.npz", **{"input/0": x})
np.savez(sys.argv[1] + "/wanted.npz", *[part.numpy() for part in model(x)])
model.save(sys.argv[1] + "/model.keras")
model.save(sys.argv[1] + "/model.h5")
"""
RUN_TORCH = """
import sys
import numpy as np, torch
sys.path.insert(0, sys.argv[1])
import model
module = getattr(model, [name for name in vars(model) if name.startswith("Functional")][-1])().eval()
module.load_state_dict(torch.load(sys.argv[1] + "/model.pt"), strict=True)
with torch.no_grad():
    outputs = module(torch.from_numpy(np.load(sys.argv[2])["input/0"]))
np.savez(sys.argv[1] + "/got.npz", *[part.numpy() for part in outputs])
"""
RUN_KERAS = """
import os, sys
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import keras, numpy as np
outputs = keras.saving.load_model(sys.argv[1])(np.load(sys.argv[2])["input/0"])
np.savez(sys.argv[3], *[part.numpy() for part in outputs])
"""


def tieout(*arguments):
    return subprocess.run([TIEOUT, *arguments], capture_output=True, text=True, timeout=60)


def python(framework, program, *arguments):
    subprocess.run([PYTHON[framework], "-c", program, *arguments], check=True, timeout=600, env=dict(os.environ))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lookup")
    python("keras", MAKE, folder)
    return folder


def assert_tie_out(got, wanted):
    with np.load(got) as ours, np.load(wanted) as theirs:
        assert len(ours.files) == len(theirs.files) == 2
        for name in theirs.files:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5, atol=1e-6)


def test_learnt_vocabularies_in_torch(made, tmp_path):
    done = tieout("convert", made / "model.keras", tmp_path / "model.pt")
    assert done.returncode == 0, done.stderr
    python("torch", RUN_TORCH, tmp_path, made / "probe.npz")
    assert_tie_out(tmp_path / "got.npz", made / "wanted.npz")


@pytest.mark.parametrize("through", ["pt", None])
def test_learnt_vocabularies_in_keras(made, tmp_path, through):
    """There and back, or copied: the vocabularies are then part of the configuration."""
    source, target = made / "model.keras", tmp_path / "back.keras"
    if through:
        assert tieout("convert", source, tmp_path / "model.pt").returncode == 0
        source = tmp_path / "model.pt"
    done = tieout("convert", source, target)
    assert done.returncode == 0, done.stderr
    python("keras", RUN_KERAS, target, made / "probe.npz", tmp_path / "got.npz")
    assert_tie_out(tmp_path / "got.npz", made / "wanted.npz")


def test_without_vocabulary_is_refused(made, tmp_path):
    """A .h5 has no place for what a lookup has learnt."""
    done = tieout("convert", made / "model.h5", tmp_path / "model.pt")
    assert done.returncode == REFUSED, done.stderr
    assert "does not have its vocabulary" in done.stderr
    assert "way out" in done.stderr
    assert not (tmp_path / "model.pt").exists()


@pytest.mark.parametrize("line", ["two", "1.5", "99999999999999999999", ""])
def test_damaged_vocabulary(made, tmp_path, line):
    with zipfile.ZipFile(made / "model.keras") as old, zipfile.ZipFile(tmp_path / "bad.keras", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) if "vocabulary" not in name else f"-1\n{line}\n7")
    done = tieout("convert", tmp_path / "bad.keras", tmp_path / "model.pt")
    assert done.returncode == MALFORMED, done.stderr
    assert "vocabulary.txt" in done.stderr
    assert not (tmp_path / "model.pt").exists()
