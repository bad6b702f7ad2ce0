"""Networks for images that others trained and published, carried into the other framework and back. See tests/data."""

import subprocess

import numpy as np
import torch
from predict import PYTHON, ROOT, predict, tieout

DATA = ROOT / "tests" / "data"
CLOSE = 1e-5  # of the output's largest value

# MTCNN's P-Net as a Keras user would write it; "same" pooling is PyTorch's ceil_mode here.
PNET = """
import sys
import keras
from keras import layers

x = keras.Input((72, 61, 3))
y = layers.PReLU(shared_axes=[1, 2], name="prelu1")(layers.Conv2D(10, 3, name="conv1")(x))
y = layers.MaxPooling2D(2, padding="same")(y)
y = layers.PReLU(shared_axes=[1, 2], name="prelu2")(layers.Conv2D(16, 3, name="conv2")(y))
y = layers.PReLU(shared_axes=[1, 2], name="prelu3")(layers.Conv2D(32, 3, name="conv3")(y))
face = layers.Softmax(name="softmax4_1")(layers.Conv2D(2, 1, name="conv4_1")(y))
box = layers.Conv2D(4, 1, name="conv4_2")(y)
keras.Model(x, [face, box]).save(sys.argv[1])
"""

RUN_PNET = """
import sys
import keras
import numpy as np

outputs = keras.saving.load_model(sys.argv[1])(np.load(sys.argv[2]), training=False)
np.savez(sys.argv[3], *(np.asarray(output) for output in outputs))
"""


def recorded(name):
    with np.load(DATA / name / "recorded.npz") as file:
        return [file[key] for key in sorted(file.files)]


def assert_close(got, wanted):
    assert not isinstance(got, str), got
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() <= CLOSE * np.abs(wanted).max()


def channels_first(images):
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def there_and_back(tmp_path, source, images, *options):
    """Outputs of NAME.py in PyTorch, and of what came back from it in Keras."""
    written, back = tmp_path / "there.pt", tmp_path / "back.keras"
    tieout("convert", source, written, *options)
    tieout("convert", written, back, *options)
    np.save(tmp_path / "torch.npy", channels_first(images))
    np.save(tmp_path / "keras.npy", images)
    net = {"model": written, "code": tmp_path / "there.py", "inputs": tmp_path / "torch.npy"}
    in_torch = predict("torch", {"net": net}, tmp_path)["net"]
    in_keras = predict("keras", {"net": {"model": back, "inputs": tmp_path / "keras.npy"}}, tmp_path)["net"]
    return in_torch, in_keras


def test_mini_xception(tmp_path):
    images, emotions = recorded("fer")
    in_torch, in_keras = there_and_back(tmp_path, DATA / "fer" / "emotion_model.hdf5", images)
    assert_close(in_torch, emotions)
    assert_close(in_keras, emotions)


def test_esrgan(tmp_path):
    images, doubled = recorded("esrgan")
    in_torch, in_keras = there_and_back(tmp_path, DATA / "esrgan" / "esrgan2x.keras", images)
    assert_close(in_torch, channels_first(doubled))
    assert_close(in_keras, doubled)


def test_pnet(tmp_path):
    """Its file is of the form that PyTorch wrote before 1.6; PyTorch itself writes it anew."""
    images, box, face = recorded("mtcnn")
    source, template, there = tmp_path / "pnet.pt", tmp_path / "template.keras", tmp_path / "there.keras"
    torch.save(torch.load(DATA / "mtcnn" / "pnet.pt", weights_only=True), source)
    subprocess.run([PYTHON["keras"], "-c", PNET, template], check=True, capture_output=True, timeout=600)
    tieout("convert", source, there, "--like", template)
    np.save(tmp_path / "in.npy", images.transpose(0, 2, 3, 1))
    outputs = tmp_path / "out.npz"
    run = [PYTHON["keras"], "-c", RUN_PNET, there, tmp_path / "in.npy", outputs]
    subprocess.run(run, check=True, capture_output=True, timeout=600)
    with np.load(outputs) as file:
        assert_close(channels_first(file["arr_0"]), face)
        assert_close(channels_first(file["arr_1"]), box)
