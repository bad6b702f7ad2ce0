"""TensorFlow's checkpoints: what it writes is read, what tieout writes sets every variable of the real models."""

import json
import pathlib
import re
import subprocess

import numpy as np
import pytest
from predict import PYTHON, tieout
from safetensors.numpy import load_file

HERE = pathlib.Path(__file__).parent
ALL = ("chain", "graph", "sequence", "attention", "others", "nested", "compiled")
NAMES = ("chain", "graph", "sequence", "attention", "nested", "compiled")
COMPOSED = ("nested",)  # what tieout does not put together again without a checkpoint as the template


def run(*arguments):
    subprocess.run([PYTHON["keras"], *map(str, arguments)], check=True, timeout=600)


def in_order(tensors):
    """By names, the numbers in them as numbers: Keras numbers the same layers anew in each model."""
    return [tensors[key] for key in sorted(tensors, key=lambda key: re.sub(r"\d+", lambda n: n[0].zfill(5), key))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    run(HERE / "checkpoint_models.py", "make", folder)
    return folder


@pytest.fixture(scope="module")
def verdicts(folder):
    """{file: "equal" or a traceback} for every file that tieout wrote, all loaded in one process."""
    cases = []

    def add(saved, file, how):
        cases.append({"saved": saved, "file": file, "how": how})

    for name in ALL:
        saved, other = folder / f"{name}_saved", folder / f"{name}_other"
        how = "compiled" if name == "compiled" else "model="
        if name not in COMPOSED:
            tieout("convert", f"{saved}.keras", folder / f"{name}_written.ckpt")
            add(f"{name}_saved.keras", f"{name}_written.ckpt", how)
        if name not in NAMES:
            continue
        tieout("convert", saved, folder / f"{name}_read.keras", "--like", f"{other}.keras")
        add(f"{name}_saved.keras", f"{name}_read.keras", "model")
        tieout("convert", f"{saved}.keras", folder / f"{name}_like.ckpt", "--like", other)
        add(f"{name}_saved.keras", f"{name}_like.ckpt", how)
        if name in COMPOSED:
            continue
        tieout("convert", f"{saved}.keras", folder / f"{name}.pt")
        tieout("convert", folder / f"{name}.pt", folder / f"{name}_back.keras")
        tieout("convert", folder / f"{name}.pt", folder / f"{name}_back.index")
        add(f"{name}_back.keras", f"{name}_back", "alone")
    tieout("convert", folder / "chain_saved.keras", folder / "chain_spread.ckpt", "--max-shard-size", "200")
    add("chain_saved.keras", "chain_spread.ckpt", "model=")
    (folder / "cases.json").write_text(json.dumps(cases))
    run(HERE / "checkpoint_models.py", "judge", folder)
    return json.loads((folder / "verdicts.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_fills_a_template(verdicts, name):
    assert verdicts[f"{name}_read.keras"] == "equal"


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_becomes_the_state_dict_that_the_model_becomes(folder, tmp_path, name):
    template = tmp_path / "other.pt"
    tieout("convert", folder / f"{name}_other.keras", template)
    tieout("convert", folder / f"{name}_saved", tmp_path / "read.safetensors", "--like", template)
    tieout("convert", folder / f"{name}_saved.keras", tmp_path / "wanted.safetensors")
    found, wanted = (in_order(load_file(tmp_path / f"{which}.safetensors")) for which in ("read", "wanted"))
    assert len(found) == len(wanted)
    assert all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_template_that_is_a_checkpoint_keeps_its_keys(verdicts, name):
    assert verdicts[f"{name}_like.ckpt"] == "equal"


@pytest.mark.parametrize("name", [name for name in ALL if name not in COMPOSED])
def test_a_keras_model_becomes_a_checkpoint(verdicts, name):
    assert verdicts[f"{name}_written.ckpt"] == "equal"


def test_spread_over_data_files(verdicts, folder, tmp_path):
    """At most 200 bytes each, or one variable that is larger; and read again, all are what one file holds."""
    assert verdicts["chain_spread.ckpt"] == "equal"
    spread, whole = tmp_path / "spread.safetensors", tmp_path / "whole.safetensors"
    tieout("convert", folder / "chain_saved.keras", tmp_path / "template.pt")
    tieout("convert", folder / "chain_spread.ckpt", spread, "--like", tmp_path / "template.pt")
    tieout("convert", folder / "chain_written.ckpt", whole, "--like", tmp_path / "template.pt")
    assert spread.read_bytes() == whole.read_bytes()
    largest = max(array.nbytes for array in load_file(whole).values())
    _, *rest = sorted(folder.glob("chain_spread.ckpt.data-*"))  # the first one holds the graph of objects too
    assert len(rest) > 2
    assert all(file.stat().st_size <= max(200, largest) for file in rest)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in COMPOSED])
def test_a_pytorch_model_becomes_a_checkpoint(verdicts, name):
    assert verdicts[f"{name}_back"] == "equal"
