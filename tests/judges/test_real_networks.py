"""Networks that others trained and published, carried from one framework's file into the other's. See tests/data."""

import json

import h5py
import numpy as np
import pytest
import torch
from predict import ROOT, digits, predict, tieout, verify
from torch import nn

DATA = ROOT / "tests" / "data"
CREPE_TORCH = DATA / "crepe_tiny.pth"
CREPE_KERAS = DATA / "crepe_tiny_original.h5"
ART = DATA / "art_mnist_nompool"
COUNTER = "num_batches_tracked"


def keras_tensors(path):
    """{path in the file: array}, without the groups of layers that hold nothing."""
    found = {}

    def keep(name, entry):
        if isinstance(entry, h5py.Dataset):
            found[name] = entry[()]

    with h5py.File(path) as file:
        file.visititems(keep)
    return found


def texts(attribute):
    """Of fixed length in the original, of variable length in ours: Keras reads both."""
    return [name.decode() if isinstance(name, bytes) else str(name) for name in attribute]


def keras_lists(path):
    """What Keras finds weights by: each layer that has some, and their names, in the file's order."""
    with h5py.File(path) as file:
        layers = texts(file.attrs["layer_names"])
        names = [(layer, texts(file[layer].attrs["weight_names"])) for layer in layers]
    return [(layer, weights) for layer, weights in names if weights]


def torch_tensors(path):
    return {name: tensor.numpy() for name, tensor in torch.load(path, weights_only=True).items()}


def assert_bit_equal(got, wanted):
    assert list(got) == list(wanted)
    for name, array in wanted.items():
        assert got[name].dtype == array.dtype, name
        assert got[name].shape == array.shape, name
        assert got[name].tobytes() == array.tobytes(), name


@pytest.fixture
def emptied(tmp_path):
    """Templates whose numbers are not yet the twin's: a copy of the template would pass otherwise."""
    keras_path, torch_path = tmp_path / "template.h5", tmp_path / "template.pth"
    keras_path.write_bytes(CREPE_KERAS.read_bytes())
    with h5py.File(keras_path, "r+") as file:
        for name in keras_tensors(CREPE_KERAS):
            file[name][...] = 7
    state = torch.load(CREPE_TORCH, weights_only=True)
    torch.save({name: torch.full_like(tensor, 7) for name, tensor in state.items()}, torch_path)
    return keras_path, torch_path


def test_crepe_into_the_keras_file(emptied, tmp_path):
    out = tmp_path / "out.h5"
    tieout("convert", CREPE_TORCH, out, "--like", emptied[0])
    assert len(keras_tensors(out)) == 38
    assert_bit_equal(keras_tensors(out), keras_tensors(CREPE_KERAS))
    assert keras_lists(out) == keras_lists(CREPE_KERAS)


def test_crepe_into_the_pytorch_file(emptied, tmp_path):
    out = tmp_path / "out.pth"
    tieout("convert", CREPE_KERAS, out, "--like", emptied[1])
    got, wanted = torch_tensors(out), torch_tensors(CREPE_TORCH)
    counters = {name for name in wanted if name.endswith(COUNTER)}
    assert len(wanted) - len(counters) == 38
    assert list(got) == list(wanted)
    # Keras has no such counter, and the template's belongs to other weights: it starts again from 0.
    assert all(got.pop(name) == 0 and wanted.pop(name) == 0 for name in counters)
    assert_bit_equal(got, wanted)


def test_crepe_there_and_back(emptied, tmp_path):
    """Each direction from what tieout itself wrote in the other."""
    there, back, again = tmp_path / "there.h5", tmp_path / "back.pth", tmp_path / "again.h5"
    tieout("convert", CREPE_TORCH, there, "--like", emptied[0])
    tieout("convert", there, back, "--like", CREPE_TORCH)
    tieout("convert", back, again, "--like", emptied[0])
    assert_bit_equal(torch_tensors(back), torch_tensors(CREPE_TORCH))
    assert_bit_equal(keras_tensors(again), keras_tensors(CREPE_KERAS))


def test_crepe_every_tensor_is_accounted_for():
    plan = json.loads(tieout("match", CREPE_TORCH, CREPE_KERAS, "--json"))
    assert plan["unmatched_target"] == []
    assert sum(len(pair["target"]) for pair in plan["pairs"]) == 38
    assert all(name.endswith(COUNTER) for name in plan["unmatched_source"])


def art_net():
    net = nn.Sequential(nn.Conv2d(1, 16, 4, stride=3), nn.ReLU(), nn.Flatten(), nn.Linear(1296, 10), nn.Softmax(1))
    places = {"0.weight": "W_CONV2D", "0.bias": "B_CONV2D", "3.weight": "W_DENSE", "3.bias": "B_DENSE"}
    files = {name: np.load(ART / f"{file}_NO_MPOOL_MNIST.npy") for name, file in places.items()}
    net.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in files.items()})
    return net.eval()


def test_art_mnist_in_keras(tmp_path):
    """Rows in the wrong order would leave 7.94 % right."""
    source, target, probe = tmp_path / "art.pt", tmp_path / "art.keras", tmp_path / "digits.npy"
    net = art_net()
    torch.save(net, source)
    tieout("convert", source, target, "--input-shape", "1,28,28")
    whole = digits()
    np.save(probe, whole.images[..., None])
    outputs = predict("keras", {"art": {"model": target, "inputs": probe}}, tmp_path)["art"]
    assert not isinstance(outputs, str), outputs
    assert (outputs.argmax(1) == whole.labels).sum() == 4786  # 95.72 % of 5,000
    with torch.no_grad():
        wanted = net(torch.from_numpy(whole.images[:, None])).numpy()
    assert np.abs(outputs - wanted).max() <= 1e-6
    assert verify(source, target)["verdict"] == "ties out"
