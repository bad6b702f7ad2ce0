"""PyTorch's own files read by tieout, and tieout's read by PyTorch: bytes, names, dtypes, shapes.

What tieout writes, PyTorch and safetensors read; what they write, tieout reads. TIEOUT names the program.
"""

import collections
import json
import subprocess
import zipfile

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch_files import DTYPES, TIEOUT, assert_listed, assert_same, odd_tensors, tieout


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin"])
def test_state_dict_there_and_back(tmp_path, suffix):
    tensors = odd_tensors()
    source, target = tmp_path / f"source{suffix}", tmp_path / f"target{suffix}"
    torch.save(tensors, source)
    assert_listed(source, tensors)
    tieout("convert", source, target, "--no-verify")
    for mmap in (False, True):
        loaded = torch.load(target, weights_only=True, mmap=mmap)
        assert isinstance(loaded, collections.OrderedDict)
        assert_same(loaded, tensors)
    loaded = torch.load(target, weights_only=True)
    assert loaded["base"].data_ptr() == loaded["again"].data_ptr()


def test_records_are_aligned_and_checked(tmp_path):
    source, target = tmp_path / "source.pt", tmp_path / "target.pt"
    torch.save(nn.Linear(3, 2).state_dict(), source)
    tieout("convert", source, target, "--no-verify")
    content = target.read_bytes()
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        for record in archive.infolist():
            header = content[record.header_offset : record.header_offset + 30]
            sizes = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
            assert (record.header_offset + 30 + sizes) % 64 == 0
        assert not any(name.endswith(".format_version") for name in archive.namelist())


def test_without_crc(tmp_path):
    tensors = odd_tensors()
    path = tmp_path / "no_crc.pt"
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(tensors, path)
    finally:
        torch.serialization.set_crc32_options(True)
    assert_listed(path, tensors)


def test_nested_dicts_are_named_by_path(tmp_path):
    tensor = torch.arange(6.0)
    path = tmp_path / "nested.pt"
    torch.save({"epoch": 3, "model": {"w": tensor, "sub": {"b": tensor[:2]}}}, path)
    assert_listed(path, {"model.w": tensor, "model.sub.b": tensor[:2]})


MODULES = {
    "nested": lambda: nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 6, 5, padding="same", bias=False), nn.BatchNorm2d(6), nn.ReLU()),
        nn.Flatten(),
        nn.Linear(4, 3),
    ),
    "attention": lambda: nn.MultiheadAttention(8, 2),
    "attention_kv": lambda: nn.MultiheadAttention(8, 2, kdim=3, vdim=5, add_bias_kv=True),
    "lstm": lambda: nn.LSTM(3, 4, 2, bidirectional=True, batch_first=True),
    "encoder": lambda: nn.TransformerEncoderLayer(8, 2, batch_first=True),
    "embedding": lambda: nn.Sequential(nn.Embedding(5, 3, padding_idx=0), nn.Dropout(0.3)),
}
LAYERS = {
    "nested": [("0.0", "Conv2d"), ("0.1", "BatchNorm2d"), ("0.2", "ReLU"), ("1", "Flatten"), ("2", "Linear")],
    "attention": [("", "MultiheadAttention")],
    "attention_kv": [("", "MultiheadAttention")],
    "lstm": [("", "LSTM")],
    "encoder": [
        ("self_attn", "MultiheadAttention"),
        ("add1", "torch.add"),
        ("norm1", "LayerNorm"),
        ("linear1", "Linear"),
        ("activation", "ReLU"),
        ("linear2", "Linear"),
        ("add2", "torch.add"),
        ("norm2", "LayerNorm"),
    ],
    "embedding": [("0", "Embedding"), ("1", "Dropout")],
}


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("name", MODULES)
def test_whole_module(tmp_path, name, protocol):
    module = MODULES[name]()
    path = tmp_path / "module.pt"
    torch.save(module, path, pickle_protocol=protocol)
    assert_listed(path, module.state_dict())
    layers = json.loads(tieout("inspect", path, "--json"))["layers"]
    assert [(layer["name"], layer["class"]) for layer in layers] == LAYERS[name]


class Foreign(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.inner = nn.Sequential(nn.Linear(3, 3))
        self.activation = torch.relu
        self.register_buffer("transient", torch.ones(2), persistent=False)


def test_a_foreign_module_is_named_and_its_tensors_are_listed(tmp_path):
    path = tmp_path / "foreign.pt"
    torch.save(Foreign(), path)
    assert_listed(path, Foreign().state_dict())
    layers = json.loads(tieout("inspect", path, "--json"))["layers"]
    assert [layer["class"] for layer in layers] == [f"{Foreign.__module__}.Foreign"]


def refused(tmp_path, value):
    """What a conversion says; inspect lists the other tensors and says the same."""
    path, target = tmp_path / "refused.pt", tmp_path / "out.safetensors"
    torch.save(value, path)
    listed = json.loads(tieout("inspect", path, "--json"))
    (finding,) = [entry for entry in listed["findings"] if "is not read" in entry["message"]]
    assert [entry["name"] for entry in listed["tensors"]] == [name for name in value if name != "t"]
    said = subprocess.run([TIEOUT, "convert", path, target], capture_output=True, text=True, timeout=60)
    assert said.returncode == 5 and finding["message"] in said.stderr and not target.exists()
    assert finding["way_out"] in said.stderr
    return finding["message"]


def test_what_is_refused_is_not_forgotten_beside_a_template(tmp_path):
    """The template has no place for it, and must not take the rest without a word."""
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    source, template = tmp_path / "source.pt", tmp_path / "template.pt"
    torch.save(module, template)
    torch.save(module.state_dict() | {"2.more": torch.eye(3).to_sparse()}, source)
    tieout("convert", source, tmp_path / "out.pt", "--like", template, "--input-shape", "3", expect=5)
    tieout("convert", template, tmp_path / "t.keras", "--input-shape", "3")
    tieout("convert", source, tmp_path / "out.keras", "--like", tmp_path / "t.keras", expect=5)
    assert "2.more is not read" in tieout("verify", source, template, "--input-shape", "3", "--probes", "1", expect=6)


class Ring(torch.Tensor):
    pass


PER_TENSOR = torch.quantize_per_tensor(torch.randn(3, 5), 0.1, 3, torch.qint8)
PER_CHANNEL = torch.quantize_per_channel(torch.randn(3, 5), torch.rand(3), torch.arange(3), 0, torch.quint8)
NOT_PLAIN = {
    "a quantised tensor": [PER_TENSOR, PER_CHANNEL],
    "a sparse tensor": [torch.eye(3).to_sparse(), torch.eye(3).to_sparse_csr()],
    "(meta)": [torch.empty(3, 5, device="meta")],
    "a nested tensor": [torch.nested.nested_tensor([torch.ones(2, 3), torch.ones(4, 3)])],
    "conjugated or negated": [
        torch.ones(3, dtype=torch.complex64).conj(),
        torch.ones(3, dtype=torch.complex64).conj().imag,
    ],
    "torch.complex32": [torch.ones(3, dtype=torch.complex32)],
    "torch.float4_e2m1fn_x2": [torch.ones(3, dtype=torch.uint8).view(torch.float4_e2m1fn_x2)],
}


@pytest.mark.parametrize("words", NOT_PLAIN)
@pytest.mark.filterwarnings("ignore")
def test_tensors_that_are_not_plain_are_refused_by_name(tmp_path, words):
    for tensor in NOT_PLAIN[words]:
        message = refused(tmp_path, {"before": torch.ones(2), "t": tensor, "after": torch.ones(3)})
        assert words in message and "the tensor t " in message


def test_a_lazy_module_that_was_never_run(tmp_path):
    path = tmp_path / "lazy.pt"
    torch.save(nn.Sequential(nn.Linear(2, 2), nn.LazyLinear(3)), path)
    listed = json.loads(tieout("inspect", path, "--json"))
    assert [entry["name"] for entry in listed["tensors"]] == ["0.weight", "0.bias"]
    assert sum("lazy" in entry["message"] for entry in listed["findings"]) == 2
    for arguments in (["convert", path, tmp_path / "out.keras"], ["convert", path, tmp_path / "out.pt"],
                      ["run", path, "-o", tmp_path / "out.npz"]):  # fmt: skip
        said = subprocess.run([TIEOUT, *map(str, arguments)], capture_output=True, text=True, timeout=60)
        assert said.returncode == 5 and "1.weight is not read: a parameter of a lazy module" in said.stderr


def test_tensors_of_classes_that_add_no_elements(tmp_path):
    tensors = {
        "plain": torch.randn(2, 3),
        "subclass": torch.randn(3, 2).as_subclass(Ring),
        "parameter": nn.Parameter(torch.randn(4)),
    }
    path, target = tmp_path / "classes.pt", tmp_path / "out.safetensors"
    torch.save(tensors, path)
    tieout("convert", path, target)
    assert_same(
        load_file(target),
        {name: tensor.detach().as_subclass(torch.Tensor) for name, tensor in tensors.items()},
        ordered=False,
    )


def test_every_type_goes_through_safetensors_and_back(tmp_path):
    tensors = {str(dtype): (torch.randn(3, 5) * 4).abs().to(dtype) for dtype in DTYPES}
    source, middle, target = tmp_path / "source.pt", tmp_path / "middle.safetensors", tmp_path / "target.pt"
    torch.save(tensors, source)
    said = subprocess.run([TIEOUT, "convert", source, middle], capture_output=True, text=True, timeout=60)
    assert said.returncode == 5 and "tensor torch.complex128: safetensors cannot hold" in said.stderr
    del tensors["torch.complex128"]
    torch.save(tensors, source)
    tieout("convert", source, middle)
    assert_same(load_file(middle), tensors, ordered=False)
    tieout("convert", middle, target)
    assert_same(torch.load(target, weights_only=True), tensors, ordered=False)


def test_safetensors_are_written_byte_for_byte_as_the_library_does(tmp_path):
    tensors = {k: v.contiguous().clone() for k, v in odd_tensors().items() if v.dtype != torch.complex128}
    source, target = tmp_path / "source.safetensors", tmp_path / "target.safetensors"
    save_file(tensors, source)
    tieout("convert", source, target, "--no-verify")
    assert target.read_bytes() == source.read_bytes()
    assert_same(load_file(target), tensors, ordered=False)


def test_the_architecture_travels_where_the_frameworks_do_not_look(tmp_path):
    module = MODULES["nested"]()
    source = tmp_path / "module.pt"
    torch.save(module, source)
    wanted = json.loads(tieout("inspect", source, "--json"))["layers"]
    for name in ("carried.pt", "carried.safetensors"):
        target = tmp_path / name
        tieout("convert", source, target, "--like", source, "--no-verify")
        layers = json.loads(tieout("inspect", target, "--json"))["layers"]
        assert [(x["name"], x["class"]) for x in layers] == [(x["name"], x["class"]) for x in wanted]
    module.load_state_dict(torch.load(tmp_path / "carried.pt", weights_only=True), strict=True)
    assert_same(load_file(tmp_path / "carried.safetensors"), module.state_dict(), ordered=False)
    with safe_open(tmp_path / "carried.safetensors", "pt") as file:
        assert json.loads(file.metadata()["tieout"])["tieout"] == 1
