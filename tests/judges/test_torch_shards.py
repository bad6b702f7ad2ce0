"""A state_dict in several files with an index, as Hugging Face's libraries save it, is read as the one that it is part of."""

import json
import shutil
import subprocess

import pytest
from predict import PYTHON, ROOT, TIEOUT, tieout

MODELS = ROOT / "examples" / "lenet5" / "models"
SAVE = """
import json, sys
import safetensors.torch, torch
source, folder, *suffixes = sys.argv[1:]
tensors = torch.load(source, weights_only=True)
names = list(tensors)
for suffix in suffixes:
    weight_map = {}
    for number, part in enumerate([names[:3], names[3:]], 1):
        shard = f"model-{number:05}-of-00002.{suffix}"
        content = {name: tensors[name].contiguous() for name in part}
        if suffix == "bin":
            torch.save(content, f"{folder}/{shard}")
        else:
            safetensors.torch.save_file(content, f"{folder}/{shard}", metadata={"format": "pt"})
        weight_map.update({name: shard for name in part})
    size = sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(weight_map.items()))}
    open(f"{folder}/model.{suffix}.index.json", "w").write(json.dumps(index, indent=2))
"""
SUFFIXES = ["safetensors", "bin"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    subprocess.run([PYTHON["torch"], "-c", SAVE, MODELS / "lenet5.pt", folder, *SUFFIXES], check=True, timeout=300)
    return folder


@pytest.fixture(params=SUFFIXES)
def index(request, saved, tmp_path):
    """In a folder of its own, with all shards beside it."""
    shutil.copytree(saved, tmp_path, dirs_exist_ok=True)
    return tmp_path / f"model.{request.param}.index.json"


def test_shards_are_one_model(index, tmp_path):
    whole, parts = tmp_path / "whole.keras", tmp_path / "parts.keras"
    for source, target in (MODELS / "lenet5.pt", whole), (index, parts):
        tieout("convert", source, target, "--like", MODELS / "lenet5.keras")
    assert parts.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    "change, code, words",
    [
        (lambda index: index["weight_map"].update({"0.weight": "../model.bin"}), 4, "leaves the index's folder"),
        (lambda index: index["weight_map"].update({"0.weight": "gone.bin"}), 3, "gone.bin"),
        (lambda index: index["weight_map"].update({"0.gamma": index["weight_map"]["0.weight"]}), 4, "0.gamma"),
        (lambda index: index["weight_map"].update({"0.weight": 1}), 4, "must be a text"),
        (lambda index: index.update({"weight_map": ["a.bin"]}), 4, "weight_map"),
    ],
)
def test_wrong_indices(index, tmp_path, change, code, words):
    content = json.loads(index.read_text())
    change(content)
    index.write_text(json.dumps(content))
    target = tmp_path / "out.keras"
    command = [TIEOUT, "convert", index, target, "--like", MODELS / "lenet5.keras"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert not target.exists()


def test_a_shard_that_is_no_shard(index, tmp_path):
    content = json.loads(index.read_text())
    (tmp_path / "inner.index.json").write_text(json.dumps(content))
    content["weight_map"]["0.weight"] = "inner.index.json"
    index.write_text(json.dumps(content))
    done = subprocess.run([TIEOUT, "inspect", index], capture_output=True, text=True, timeout=60)
    assert done.returncode == 4
    assert "a shard must be" in done.stderr
