"""A state_dict in several files with an index, as Hugging Face's libraries save it: read as the one that it is part of, and written."""

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


# Loads files as transformers does, each by the library of its kind, and compares them with the source.
LOAD = """
import json, pathlib, sys
import safetensors.torch, torch
source, index, most = torch.load(sys.argv[1], weights_only=True), pathlib.Path(sys.argv[2]), int(sys.argv[3])
text = json.loads(index.read_text())
found, sizes = {}, []
for name in sorted(set(text["weight_map"].values())):
    path = index.with_name(name)
    load = safetensors.torch.load_file if name.endswith(".safetensors") else (lambda p: torch.load(p, weights_only=True))
    part = load(path)
    assert {key for key, file in text["weight_map"].items() if file == name} == set(part)
    storages = {tensor.untyped_storage().data_ptr(): tensor.nbytes for tensor in part.values()}
    sizes.append(sum(storages.values()))
    assert sizes[-1] <= most or len(part) == 1
    found.update(part)
assert text["metadata"]["total_size"] == sum(sizes)
found.update({alias: found[name] for alias, name in text["metadata"].items() if name in found})
assert found.keys() == source.keys()
assert all(torch.equal(found[name], source[name]) and found[name].dtype == source[name].dtype for name in source)
print(len(sizes))
"""
TIED = """
import sys, torch
weight = torch.randn(40, 30)
torch.save({"a.weight": weight, "b.bias": torch.randn(7), "c.weight": weight, "d.half": torch.randn(9).half()}, sys.argv[1])
"""


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


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("most, files", [(100_000, 3), (5_000_000, 1), (1, 10)])
def test_spread_for_torch(tmp_path, suffix, most, files):
    index = tmp_path / f"net.{suffix}.index.json"
    tieout("convert", MODELS / "lenet5.pt", index, "--max-shard-size", most)
    command = [PYTHON["torch"], "-c", LOAD, MODELS / "lenet5.pt", index, str(most)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == files


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_tied_tensors_are_stored_once(tmp_path, suffix):
    source, index = tmp_path / "tied.pt", tmp_path / f"net.{suffix}.index.json"
    subprocess.run([PYTHON["torch"], "-c", TIED, source], check=True, timeout=300)
    tieout("convert", source, index, "--max-shard-size", "5KB")
    subprocess.run([PYTHON["torch"], "-c", LOAD, source, index, "5000"], check=True, timeout=300)
    again = tmp_path / "again.pt"
    tieout("convert", index, again)
    listing = json.loads(tieout("inspect", again, "--json"))
    assert {tensor["name"] for tensor in listing["tensors"]} == {"a.weight", "b.bias", "c.weight", "d.half"}


def test_a_folder_is_read_as_transformers_reads_it(saved, tmp_path):
    def found():
        return json.loads(tieout("inspect", tmp_path, "--json"))

    for name in ("model.bin", "model.safetensors"):
        index = (saved / f"{name}.index.json").read_text()
        (tmp_path / f"{'pytorch_' if name == 'model.bin' else ''}{name}.index.json").write_text(index)
        for shard in set(json.loads(index)["weight_map"].values()):
            shutil.copy(saved / shard, tmp_path)
        assert found()["format"] == "torch_shards" and len(found()["tensors"]) == 10
    shutil.copy(MODELS / "lenet5.pt", tmp_path / "pytorch_model.bin")
    assert found()["format"] == "torch_shards"
    tieout("convert", MODELS / "lenet5.pt", tmp_path / "model.safetensors")
    assert found()["format"] == "safetensors"


def test_one_shard_says_that_there_are_others(index):
    suffix = index.suffixes[0]
    said = tieout("inspect", index.with_name(f"model-00001-of-00002{suffix}"))
    assert "is one file of 2, and the tensors of the others are not in it" in said
    assert str(index) in said
    assert "is one file of" not in tieout("inspect", index)


def test_an_index_with_a_large_architecture(tmp_path):
    """The metadata stand before the shards' names, and there the architecture."""
    layers = 700
    source, index = tmp_path / "deep.pt", tmp_path / "deep.safetensors.index.json"
    make = f"import sys, torch; torch.save(torch.nn.Sequential(*(torch.nn.Linear(2, 2) for _ in range({layers}))), sys.argv[1])"
    subprocess.run([PYTHON["torch"], "-c", make, source], check=True, timeout=300)
    tieout("convert", source, index, "--no-verify", "--input-shape", "2")
    assert index.read_text().find("weight_map") > 1 << 16
    found = json.loads(tieout("inspect", index, "--json"))
    assert found["architecture"] and len(found["layers"]) == layers


def test_the_size_is_for_indices_only(tmp_path):
    command = [TIEOUT, "convert", MODELS / "lenet5.pt", tmp_path / "out.pt", "--max-shard-size", "1MB"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "NAME.safetensors.index.json" in done.stderr


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
