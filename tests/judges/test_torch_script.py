"""TorchScript files: the weights of scripted and traced modules, by the names of the loaded module's state_dict()."""

import json
import subprocess
import zipfile

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch_files import TIEOUT, assert_listed, assert_same, tieout

pytestmark = pytest.mark.filterwarnings("ignore")
SHAPE = (3, 5, 6)


class Block(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.conv = nn.Conv2d(3, size, (3, 2))
        self.norm = nn.BatchNorm2d(size)

    def forward(self, x):
        return self.norm(self.conv(x))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = Block(4), Block(6)
        self.plain = torch.randn(3)
        self.sizes, self.names, self.more, self.scale = [1, 2], ["a"], [torch.ones(2)], 1.5
        self.register_buffer("transient", torch.randn(1), persistent=False)
        self.heads = nn.ModuleList([nn.Linear(2, 3), nn.Linear(3, 2, bias=False)])
        self.own = nn.Parameter(torch.randn(2, 1, 3).transpose(0, 2))
        self.narrow = nn.Parameter(torch.randn(4).bfloat16())

    def forward(self, x):
        return self.first(x).sum() * self.scale + self.second(x).sum() + self.own.sum() + self.transient


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Network().eval()


def saved(network, folder, how):
    made = torch.jit.script(network) if how == "scripted" else torch.jit.trace(network, torch.randn(1, *SHAPE))
    path = folder / f"{how}.pt"
    torch.jit.save(made, str(path))
    return path


@pytest.mark.parametrize("how", ["scripted", "traced"])
def test_weights_have_their_names(tmp_path, network, how):
    path, target = saved(network, tmp_path, how), tmp_path / "out.safetensors"
    wanted = torch.jit.load(path).state_dict()
    assert "transient" in wanted and "plain" not in wanted
    assert_listed(path, wanted)
    tieout("convert", path, target)
    assert_same(load_file(target), {name: tensor.contiguous() for name, tensor in wanted.items()}, ordered=False)
    tieout("convert", path, tmp_path / "out.pt")
    network.load_state_dict({k: v for k, v in torch.load(tmp_path / "out.pt").items() if k != "transient"}, strict=True)


def test_a_script_fills_the_layers_of_a_module(tmp_path):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, (3, 2)), nn.ReLU(), nn.Flatten(), nn.Linear(60, 5)).eval()
    script, whole = tmp_path / "script.pt", tmp_path / "whole.pt"
    torch.jit.save(torch.jit.script(module), str(script))
    torch.save(module, whole)
    assert "not proven" in tieout("verify", script, whole, "--input-shape", "3,5,6", "--probes", "1", expect=6)


def refusal(path):
    said = subprocess.run(
        [TIEOUT, "convert", path, path.with_name("out.pt")], capture_output=True, text=True, timeout=60
    )
    assert said.returncode == 5 and not path.with_name("out.pt").exists()
    return said.stderr


def test_a_frozen_module_has_no_names(tmp_path, network):
    path = tmp_path / "frozen.pt"
    torch.jit.save(torch.jit.freeze(torch.jit.script(network)), str(path))
    assert "torch.jit.freeze" in refusal(path) and "without names" in refusal(path)


def test_packed_weights_are_refused_by_name(tmp_path):
    if "fbgemm" not in torch.backends.quantized.supported_engines:
        pytest.skip("this processor has no quantised layers")
    path = tmp_path / "packed.pt"
    module = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(3, 2), nn.ReLU()))
    torch.jit.save(torch.jit.script(module), str(path))
    assert "0._packed_params._packed_params is an object of the class" in refusal(path)


def test_a_class_without_source(tmp_path, network):
    whole, path = saved(network, tmp_path, "scripted"), tmp_path / "damaged.pt"
    for name, edit in (
        ("conv.py", lambda text: None),
        ("conv.py", lambda text: text.replace(b"__parameters__", b"__parameter__")),
        ("batchnorm.py", lambda text: text.replace(b"class BatchNorm2d", b"class BatchNorm3d")),
    ):
        with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
            for record in old.namelist():
                text = edit(old.read(record)) if record.endswith("modules/" + name) else old.read(record)
                if text is not None:
                    new.writestr(record, text)
        assert json.loads(tieout("inspect", path, "--json", expect=4))["error"]["file"] == str(path)
