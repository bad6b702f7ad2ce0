"""Mel spectrograms in decibels, in float64.

TensorFlow makes a float32 of Keras' ref_power, and so refuses decibels in float64, unless it is NumPy's float64: no
layer's case can say that.
"""

import json
import subprocess

import numpy as np
import pytest
from predict import PYTHON, predict, tieout

# Keras computes the filters in float32 at each call. The last digit of the mel scale, which its backends' logarithms do
# not share, is 2.4e-4 at 2840 mel: 1e-5 of a band of 20 mel.
ROUNDED = 1e-5

SETTINGS = {
    "defaults": {},
    "magnitudes of a short window": {"mag_exp": 1.0, "fft_length": 512, "sequence_length": 400, "window": "hamming"},
    "cut off": {"top_db": 10.0, "num_mel_bins": 40, "sequence_stride": 160, "fft_length": 512},
    "another reference and band": {"ref_power": -3.0, "min_power": 1e-3, "min_freq": 125, "max_freq": 3800},
}

KERAS = """
import json, os, sys
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import keras, numpy as np
keras.config.set_floatx("float64")
folder = sys.argv[1]
signals = np.load(folder + "/signals.npy")
for k, settings in enumerate(json.loads(sys.argv[2])):
    settings["ref_power"] = np.float64(settings.get("ref_power", 1.0))
    entry = keras.Input(signals.shape[1:])
    model = keras.Model(entry, keras.layers.MelSpectrogram(**settings, name="mel")(entry))
    model.save(f"{folder}/{k}.keras")
    np.save(f"{folder}/{k}.npy", model(signals))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mel")
    # Tones of a falling strength in noise.
    time = np.arange(6000) / 16000
    tones = sum(2.0**-k * np.sin(2 * np.pi * 220 * (k + 1) * time) for k in range(6))
    signals = tones + 0.01 * np.random.default_rng(5).standard_normal((2, 6000))
    np.save(folder / "signals.npy", signals)
    np.savez(folder / "probe.npz", **{"input/0": signals})
    command = [PYTHON["keras"], "-c", KERAS, folder, json.dumps(list(SETTINGS.values()))]
    done = subprocess.run(command, timeout=600, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def in_torch(folder):
    models = {}
    for k, name in enumerate(SETTINGS):
        written = folder / f"written{k}.pt"
        tieout("convert", folder / f"{k}.keras", written)
        models[name] = {"model": written, "code": written.with_suffix(".py"), "inputs": folder / "signals.npy"}
    return predict("torch", models, folder)


def assert_close(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=0, atol=ROUNDED * np.abs(wanted).max())


@pytest.mark.parametrize("name", SETTINGS)
def test_in_torch(folder, in_torch, name):
    assert not isinstance(in_torch[name], str), in_torch[name]
    assert_close(in_torch[name], np.load(folder / f"{list(SETTINGS).index(name)}.npy"))


@pytest.mark.parametrize("name", SETTINGS)
def test_interpreter(folder, tmp_path, name):
    k = list(SETTINGS).index(name)
    tieout("run", folder / f"{k}.keras", "--probe", folder / "probe.npz", "-o", tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as outputs:
        assert_close(outputs["output/0"], np.load(folder / f"{k}.npy"))
