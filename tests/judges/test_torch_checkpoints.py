"""Checkpoints of trainings: which of their tensors are the model, under which names, as PyTorch itself loads them."""

import collections
import json
import subprocess

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch_files import TIEOUT, assert_same, tieout


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def network():
    return nn.Sequential(
        collections.OrderedDict(
            conv=nn.Conv2d(3, 4, (3, 2)), norm=nn.BatchNorm2d(4), act=nn.ReLU(), flat=nn.Flatten(), fc=nn.Linear(24, 5)
        )
    )


SHAPE = ["--input-shape", "3,5,3"]


def trained(optimizer=torch.optim.Adam):
    model = network()
    steps = optimizer(model.parameters(), lr=1e-2)
    for _ in range(2):
        model(torch.randn(6, 3, 5, 3)).square().sum().backward()
        steps.step()
    return model, steps


def paths(value, path=""):
    """Every tensor in dicts and lists, by its path."""
    if isinstance(value, torch.Tensor):
        return {path: value}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    return {
        name: tensor
        for key, item in items
        for name, tensor in paths(item, f"{path}.{key}" if path else str(key)).items()
    }


def notes(listed):
    return " | ".join(entry["message"] for entry in listed["findings"])


def check(tmp_path, checkpoint, model, key=None, wanted=None):
    """All is listed by path; layers, and what is written, have the model's own names; PyTorch loads that as the model."""
    path = tmp_path / "checkpoint.pth.tar"
    torch.save(checkpoint, path)
    with_key = ["--key", key] if key else []
    listed = json.loads(tieout("inspect", path, "--json", *with_key))
    wanted_paths = paths(checkpoint) if wanted is None else wanted
    assert [entry["name"] for entry in listed["tensors"]] == list(wanted_paths)
    state = model.state_dict()
    assert [layer["name"] for layer in listed["layers"] if layer["parameters"]] == ["conv", "norm", "fc"]
    for target in (tmp_path / "out.pt", tmp_path / "out.safetensors"):
        tieout("convert", path, target, "--force", *with_key, *(SHAPE if listed["architecture"] else []))
    assert_same(torch.load(tmp_path / "out.pt", weights_only=True), state)
    assert_same(load_file(tmp_path / "out.safetensors"), state, ordered=False)
    network().load_state_dict(torch.load(tmp_path / "out.pt", weights_only=True), strict=True)
    # Each value is in its layer: the outputs are the same, and proven where the architecture is not assumed.
    module = tmp_path / "module.pt"
    torch.save(model, module)
    verdict = 0 if listed["architecture"] else 6
    said = tieout("verify", path, module, *with_key, *SHAPE, "--probes", "1", expect=verdict)
    assert all(entry["message"] in said for entry in listed["findings"] if entry["message"].startswith("the model is"))
    return listed


@pytest.mark.parametrize("name", ["state_dict", "model", "model_state_dict", "net", "params"])
def test_the_only_dict_of_weights_is_the_model(tmp_path, name):
    model, steps = trained()
    checkpoint = {
        "epoch": 3,
        "best_loss": torch.tensor(0.25),
        name: model.state_dict(),
        "optimizer": steps.state_dict(),
        "scheduler": torch.optim.lr_scheduler.StepLR(steps, 3).state_dict(),
        "rng": torch.get_rng_state(),
        "nothing": None,
    }
    listed = check(tmp_path, checkpoint, model)
    assert f"the model is '{name}' of the file" in notes(listed)
    assert "20 other tensors" in notes(listed)  # 3 for each of 6 parameters, and the two beside it
    torch.load(tmp_path / "checkpoint.pth.tar", weights_only=True)


def test_lightning(tmp_path):
    model, steps = trained(torch.optim.AdamW)
    state = {f"net.{name}": tensor for name, tensor in model.state_dict().items()}
    checkpoint = {
        "epoch": 1,
        "global_step": 20,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": collections.OrderedDict(state) | {"loss.weight": torch.randn(5)},
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 1}}}},
        "callbacks": {"ModelCheckpoint{'monitor': 'val'}": {"best_model_score": torch.tensor(0.5), "kth": None}},
        "optimizer_states": [steps.state_dict()],
        "lr_schedulers": [{"last_epoch": 1, "_last_lr": [0.01]}],
        "hyper_parameters": {"lr": 0.01},
    }
    listed = check(tmp_path, checkpoint, model, key="state_dict.net")
    assert "the model is 'state_dict.net'" in notes(listed)
    listed = json.loads(tieout("inspect", tmp_path / "checkpoint.pth.tar", "--json"))
    assert [layer["name"] for layer in listed["layers"]] == ["net.conv", "net.norm", "net.fc", "loss"]
    assert "optimizer_states.0.state.3.exp_avg_sq" in [entry["name"] for entry in listed["tensors"]]


def test_of_several_one_must_be_named(tmp_path):
    model, other = trained()[0], trained()[0]
    checkpoint = {"model": model.state_dict(), "ema": {"decay": 0.9, "state_dict": other.state_dict()}}
    path, target = tmp_path / "two.pt", tmp_path / "out.pt"
    torch.save(checkpoint, path)
    for arguments in (["convert", path, target], ["run", path, "-o", tmp_path / "x.npz"], ["match", path, path]):
        said = subprocess.run([TIEOUT, *map(str, arguments)], capture_output=True, text=True, timeout=60)
        assert said.returncode == 2
        assert "several models: model, ema.state_dict" in said.stderr and "--key" in said.stderr
    assert not target.exists()
    listed = json.loads(tieout("inspect", path, "--json"))
    assert [entry["name"] for entry in listed["tensors"]] == list(paths(checkpoint))
    assert "several models" in notes(listed)
    check(tmp_path, checkpoint, model, key="model")
    check(tmp_path, checkpoint, other, key="ema.state_dict")
    said = subprocess.run(
        [TIEOUT, "convert", path, target, "--key", "emma"], capture_output=True, text=True, timeout=60
    )
    assert said.returncode == 2 and "'emma'" in said.stderr and "model, ema.state_dict" in said.stderr
    tieout("convert", path, tmp_path / "all.pt", "--key", ".")
    assert_same(torch.load(tmp_path / "all.pt", weights_only=True), paths(checkpoint))


def test_one_key_for_two_files(tmp_path):
    """Where one of them is a plain state_dict, the key is for the other."""
    model, other = trained()[0], trained()[0]
    two, plain = tmp_path / "two.pt", tmp_path / "plain.pt"
    torch.save({"model": model.state_dict(), "ema": other.state_dict()}, two)
    torch.save(other.state_dict(), plain)
    assert "the key 'ema' is not used" in tieout("match", two, plain, "--key", "ema")


def test_weights_beside_a_dict_of_weights_are_not_passed_over(tmp_path):
    path = tmp_path / "mixed.pt"
    torch.save({"w": torch.randn(2, 3), "sub": {"b": torch.randn(3)}}, path)
    tieout("convert", path, tmp_path / "out.pt", expect=2)
    tieout("convert", path, tmp_path / "out.pt", "--key", ".")
    assert list(torch.load(tmp_path / "out.pt")) == ["w", "sub.b"]


def wrapped(model, kind):
    if kind == "DataParallel":
        return nn.DataParallel(model)
    if kind == "AveragedModel":
        return torch.optim.swa_utils.AveragedModel(model)
    if kind == "compile":
        return torch.compile(model)
    return torch.compile(nn.DataParallel(model))


@pytest.mark.parametrize("kind", ["DataParallel", "AveragedModel", "compile", "compile of DataParallel"])
@pytest.mark.parametrize("key", ["", "model"])
def test_prefixes_of_wrappers(tmp_path, kind, key):
    model, _ = trained()
    state = wrapped(model, kind).state_dict()
    listed = check(tmp_path, {key: state} if key else state, model)
    prefixes = ["_orig_mod.", "module."] if "of" in kind else ["_orig_mod." if kind == "compile" else "module."]
    for prefix in prefixes:
        assert f"every name begins with '{prefix}'" in notes(listed)
    assert ("1 other tensor of" in notes(listed)) == (kind == "AveragedModel")


def test_a_module_named_module_among_others_keeps_its_name(tmp_path):
    state = {"module.weight": torch.randn(2, 3), "head.weight": torch.randn(3)}
    path, target = tmp_path / "named.pt", tmp_path / "out.pt"
    torch.save(state, path)
    tieout("convert", path, target)
    assert_same(torch.load(target, weights_only=True), state)


@pytest.mark.parametrize("parallel", [False, True])
def test_a_module_inside_a_dict(tmp_path, parallel):
    model, steps = trained(torch.optim.SGD)
    model.eval()
    held = nn.DataParallel(model) if parallel else model
    prefix = "model.module." if parallel else "model."
    listed = check(
        tmp_path,
        {"epoch": 4, "ema": None, "model": held, "optimizer": steps.state_dict()},
        model,
        wanted={prefix + name: tensor for name, tensor in model.state_dict().items()},
    )
    assert listed["architecture"]
    assert [layer["class"] for layer in listed["layers"]] == ["Conv2d", "BatchNorm2d", "ReLU", "Flatten", "Linear"]


def test_what_is_refused_outside_the_model_does_not_matter(tmp_path):
    model, _ = trained()
    checkpoint = {
        "model": model.state_dict(),
        "optimizer": {"state": {0: torch.eye(3).to_sparse()}, "param_groups": []},
    }
    path = tmp_path / "sparse.pt"
    torch.save(checkpoint, path)
    assert "optimizer.state.0 is not read" in notes(json.loads(tieout("inspect", path, "--json")))
    tieout("convert", path, tmp_path / "out.pt")
    assert_same(torch.load(tmp_path / "out.pt", weights_only=True), model.state_dict())


def test_tied_weights_are_listed_under_each_name(tmp_path):
    model = nn.ModuleDict({"embedding": nn.Embedding(7, 3), "head": nn.Linear(3, 7, bias=False)})
    model["head"].weight = model["embedding"].weight
    path = tmp_path / "tied.pt"
    torch.save(model.state_dict(), path)
    first, second = json.loads(tieout("inspect", path, "--json"))["tensors"]
    assert (first["same_as"], second["same_as"]) == (None, "embedding.weight")
    assert "the same as embedding.weight" in tieout("inspect", path)
