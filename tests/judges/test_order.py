"""Files that keep no order of their layers: twelve layers of one shape, which only their numbers tell apart.

safetensors sorts names as text ("10" before "2"), and so does HDF5; a wrong pairing would fit every shape.
"""

import pytest
import torch
from predict import tieout, verify
from safetensors.torch import save_file
from torch import nn

LAYERS = 12


class Pairs(nn.Module):
    """Names that tell no order: "after" stands behind "before"."""

    def __init__(self):
        super().__init__()
        self.before, self.after = nn.Linear(4, 4), nn.Linear(4, 4)


@pytest.fixture
def stack(tmp_path):
    """The whole module, and the same network as tieout writes it for Keras."""
    torch.manual_seed(9)
    module = nn.Sequential(*(layer for _ in range(LAYERS) for layer in (nn.Linear(4, 4), nn.Tanh())))
    torch.save(module, tmp_path / "stack.pt")
    save_file(module.state_dict(), tmp_path / "stack.safetensors")
    tieout("convert", tmp_path / "stack.pt", tmp_path / "stack.keras", "--input-shape", "4")
    return tmp_path


def test_safetensors_into_keras(stack):
    tieout("convert", stack / "stack.safetensors", stack / "target.keras", "--like", stack / "stack.keras")
    assert verify(stack / "stack.pt", stack / "target.keras")["verdict"] == "ties out"


def test_keras_weights_there_and_back(stack):
    """The second time neither file holds an architecture."""
    weights, back, bare = stack / "target.weights.h5", stack / "back.pt", stack / "bare.safetensors"
    tieout("convert", stack / "stack.pt", weights, "--like", stack / "stack.keras")
    tieout("convert", weights, back, "--like", stack / "stack.pt", "--input-shape", "4")
    assert verify(back, stack / "stack.keras")["verdict"] == "ties out"
    tieout("convert", weights, bare, "--like", stack / "stack.safetensors")
    tieout("convert", bare, stack / "again.keras", "--like", stack / "stack.keras")
    assert verify(stack / "stack.pt", stack / "again.keras")["verdict"] == "ties out"


def test_names_without_order_are_refused(tmp_path):
    torch.manual_seed(9)
    module = Pairs()
    save_file(module.state_dict(), tmp_path / "pairs.safetensors")
    torch.save(nn.Sequential(module.before, module.after), tmp_path / "module.pt")
    tieout("convert", tmp_path / "module.pt", tmp_path / "pairs.keras", "--input-shape", "4")
    target = tmp_path / "target.keras"
    like = ["--like", tmp_path / "pairs.keras"]
    with pytest.raises(AssertionError, match=r"(?s)exit code 5.*after, before"):
        tieout("convert", tmp_path / "pairs.safetensors", target, *like)
    assert not target.exists()
