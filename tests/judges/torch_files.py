"""Tensors of every sort, and how tests compare what PyTorch and tieout make of a file. TIEOUT names the program."""

import collections
import json
import os
import pathlib
import subprocess

import torch

TIEOUT = os.environ.get("TIEOUT", str(pathlib.Path(__file__).parents[2] / "build" / "tieout"))

DTYPES = [
    torch.float16, torch.bfloat16, torch.float32, torch.float64,
    torch.int8, torch.int16, torch.int32, torch.int64,
    torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.bool,
    torch.complex64, torch.complex128,
    torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float8_e8m0fnu,
]  # fmt: skip


def tieout(*arguments, expect=0):
    result = subprocess.run([TIEOUT, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert result.returncode == expect, result.stdout + result.stderr
    return result.stdout


def raw(tensor):
    """The elements' bytes, whatever the type."""
    flat = tensor.detach().contiguous().reshape(-1)
    return bytes(flat.view(torch.uint8).tolist()) if flat.numel() else b""


def assert_same(got, wanted, ordered=True):
    assert list(got) == list(wanted) if ordered else set(got) == set(wanted)
    for name, tensor in wanted.items():
        assert got[name].dtype == tensor.dtype, name
        assert got[name].shape == tensor.shape, name
        assert raw(got[name]) == raw(tensor), name


def assert_listed(path, wanted):
    listed = json.loads(tieout("inspect", path, "--json"))["tensors"]
    found = [(entry["name"], entry["dtype"], entry["shape"]) for entry in listed]
    assert found == [(name, str(t.dtype).removeprefix("torch."), list(t.shape)) for name, t in wanted.items()]


def odd_tensors():
    """Views of one storage, strides of every sort, no axes, no elements, every type."""
    base = torch.arange(24.0).reshape(2, 3, 4)
    tensors = {
        "base": base,
        "transposed": base.permute(2, 0, 1),
        "offset": base[1],
        "stepped": base[:, ::2, 1:3],
        "expanded": torch.ones(3, 1).expand(3, 5),
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 4),
        "channels_last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
    }
    for dtype in DTYPES:
        tensors[str(dtype).removeprefix("torch.")] = (torch.randn(3, 5) * 4).abs().to(dtype)
    tensors["again"] = base
    return collections.OrderedDict(tensors)
