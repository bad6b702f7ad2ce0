"""--dtype: weights are rounded as PyTorch rounds them, to the bit, and what a type cannot hold is refused."""

import subprocess

import pytest
from predict import PYTHON, TIEOUT, tieout

DTYPES = ["float16", "bfloat16", "float32", "float64"]
# Numbers of all sizes, ties of both parities, the ends of float16's range, subnormal and special ones; what is no float.
MAKE = """
import sys, torch
torch.manual_seed(3)
wide = torch.randn(50, 33, dtype=torch.float64) * 10.0 ** torch.randint(-9, 4, (50, 33))
ties = 1 + torch.arange(64, dtype=torch.float64) * 2.0 ** -11
ends = torch.tensor([65504.0, 65519.0, 2.0 ** -24, 2.0 ** -25, 3 * 2.0 ** -25, -0.0, float("inf"), float("nan")], dtype=torch.float64)
tensors = {"count": torch.tensor([1, 2, 3])}
for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
    name = str(dtype).removeprefix("torch.")
    tensors |= {name + ".wide": wide.to(dtype), name + ".ties": ties.to(dtype), name + ".ends": ends.clamp(-6e4, 6e4).to(dtype)}
tensors["float64.ends"] = ends
torch.save(tensors, sys.argv[1])
"""
COMPARE = """
import sys, torch
before, dtype = torch.load(sys.argv[1], weights_only=True), getattr(torch, sys.argv[2])
after = torch.load(sys.argv[3], weights_only=True)
assert after.keys() == before.keys()
bits = {2: torch.int16, 4: torch.int32, 8: torch.int64}
for name, tensor in before.items():
    wanted = tensor.to(dtype) if tensor.is_floating_point() else tensor
    assert after[name].dtype == wanted.dtype, name
    numbers = ~wanted.isnan()
    assert torch.equal(after[name].isnan(), ~numbers), name
    kind = bits[wanted.element_size()]
    assert torch.equal(after[name][numbers].view(kind), wanted[numbers].view(kind)), name
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("dtypes") / "all.pt"
    subprocess.run([PYTHON["torch"], "-c", MAKE, path], check=True, timeout=300)
    return path


@pytest.mark.parametrize("dtype", DTYPES)
def test_rounded_as_torch_rounds(source, tmp_path, dtype):
    target = tmp_path / "out.pt"
    tieout("convert", source, target, "--dtype", dtype)
    subprocess.run([PYTHON["torch"], "-c", COMPARE, source, dtype, target], check=True, timeout=300)


def test_a_value_beyond_the_range(tmp_path):
    source, target = tmp_path / "large.pt", tmp_path / "out.safetensors"
    make = "import sys, torch; torch.save({'a.weight': torch.tensor([1.0, 7e4])}, sys.argv[1])"
    subprocess.run([PYTHON["torch"], "-c", make, source], check=True, timeout=300)
    done = subprocess.run([TIEOUT, "convert", source, target, "--dtype", "float16"], capture_output=True, text=True)
    assert done.returncode == 5
    assert "70000" in done.stderr and "float16" in done.stderr
    assert not target.exists()
    tieout("convert", source, target, "--dtype", "bfloat16")


def test_only_floats_can_be_asked_for(source, tmp_path):
    done = subprocess.run(
        [TIEOUT, "convert", source, tmp_path / "o.pt", "--dtype", "int8"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "float16" in done.stderr
