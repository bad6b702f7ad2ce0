"""What each command of the contract prints and writes, and every exit code of it."""

import contextlib
import os
import pty
import re
import subprocess

import pytest
from program import (
    DIFFERS,
    DONE,
    IO,
    MALFORMED,
    MODELS,
    NOT_PROVEN,
    TIEOUT,
    UNSUPPORTED,
    USAGE,
    as_json,
    done,
    tieout,
)

MODULE = MODELS / "lenet5_module.pt"
STATE_DICT = MODELS / "lenet5.pt"
KERAS = MODELS / "lenet5.keras"
H5 = MODELS / "lenet5.h5"

COMMANDS = ["inspect", "convert", "match", "verify", "run", "layers", "formats"]
ESCAPE = "\x1b"


# ---- help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command):
    text = done(command, "--help").stdout
    assert "Examples:" in text
    assert text.count(f"  tieout {command} ") + text.count(f"  tieout {command}\n") >= 2
    assert f"  {command} " in done("--help").stdout


def test_help_names_the_exit_codes():
    text = done("--help").stdout
    for code in ("0 done", "1 does not", "2 usage", "3 cannot", "4 malformed", "5 unsupported", "6 not proven", "70"):
        assert code in text


def test_version():
    name, number = done("--version").stdout.split()
    assert name == "tieout"
    assert len(number.split(".")) == 3


# ---- what is covered


def test_formats():
    formats = as_json("formats")
    for entry in formats:
        assert set(entry) >= {"name", "suffixes", "reads", "writes"}
        assert all(suffix.startswith(".") for suffix in entry["suffixes"])
    by_name = {entry["name"]: entry for entry in formats}
    assert len(by_name) == len(formats)
    for name, suffix in (
        ("keras_zip", ".keras"),
        ("keras_h5", ".h5"),
        ("keras_weights", ".weights.h5"),
        ("torch_pt", ".pt"),
        ("safetensors", ".safetensors"),
    ):
        assert suffix in by_name[name]["suffixes"]
        assert by_name[name]["reads"] is by_name[name]["writes"] is True
    text = done("formats").stdout
    assert all(name in text for name in by_name)


def test_layers():
    layers = as_json("layers")
    for entry in layers:
        assert set(entry) >= {"framework", "class", "status", "kind", "reason", "cases"}
        assert entry["framework"] in ("torch", "keras")
        assert entry["status"] in ("exact", "composed", "refused")
        assert bool(entry["reason"]) or entry["status"] != "refused", entry
        assert isinstance(entry["cases"], int)
    classes = {(entry["framework"], entry["class"]): entry for entry in layers}
    assert len(classes) == len(layers)
    for torch, keras in (
        ("Conv2d", "Conv2D"),
        ("Linear", "Dense"),
        ("LSTM", "LSTM"),
        ("GRU", "GRU"),
        ("MultiheadAttention", "MultiHeadAttention"),
        ("BatchNorm2d", "BatchNormalization"),
    ):
        for key in (("torch", torch), ("keras", keras)):
            assert classes[key]["status"] != "refused"
            assert classes[key]["cases"] > 0, key
    text = done("layers").stdout
    assert "Conv2d" in text
    assert "BatchNormalization" in text


# ---- inspect

KERAS_TENSORS = {
    "conv2d/kernel": [5, 5, 1, 6], "conv2d/bias": [6],
    "conv2d_1/kernel": [5, 5, 6, 16], "conv2d_1/bias": [16],
    "conv2d_2/kernel": [5, 5, 16, 120], "conv2d_2/bias": [120],
    "dense/kernel": [120, 84], "dense/bias": [84],
    "dense_1/kernel": [84, 10], "dense_1/bias": [10],
}  # fmt: skip
TORCH_TENSORS = {
    "0.weight": [6, 1, 5, 5], "0.bias": [6],
    "3.weight": [16, 6, 5, 5], "3.bias": [16],
    "6.weight": [120, 16, 5, 5], "6.bias": [120],
    "9.weight": [84, 120], "9.bias": [84],
    "11.weight": [10, 84], "11.bias": [10],
}  # fmt: skip
# As keras' model.summary() says.
KERAS_LAYERS = [
    ("conv2d", "Conv2D", [None, 28, 28, 6]),
    ("average_pooling2d", "AveragePooling2D", [None, 14, 14, 6]),
    ("conv2d_1", "Conv2D", [None, 10, 10, 16]),
    ("average_pooling2d_1", "AveragePooling2D", [None, 5, 5, 16]),
    ("conv2d_2", "Conv2D", [None, 1, 1, 120]),
    ("flatten", "Flatten", [None, 120]),
    ("dense", "Dense", [None, 84]),
    ("dense_1", "Dense", [None, 10]),
]
TORCH_CLASSES = [
    "Conv2d",
    "Tanh",
    "AvgPool2d",
    "Conv2d",
    "Tanh",
    "AvgPool2d",
    "Conv2d",
    "Tanh",
    "Flatten",
    "Linear",
    "Tanh",
    "Linear",
    "Softmax",
]


@pytest.mark.parametrize(("model", "format_name"), [(KERAS, "keras_zip"), (H5, "keras_h5")])
def test_inspect_keras(model, format_name):
    shown = as_json("inspect", model)
    assert (shown["format"], shown["framework"], shown["parameters"]) == (format_name, "keras", 61706)
    assert [(layer["name"], layer["class"], layer["output_shape"]) for layer in shown["layers"]] == KERAS_LAYERS
    tensors = {tensor["name"]: tensor for tensor in shown["tensors"] if tensor["layer"] is not None}
    assert {name: tensor["shape"] for name, tensor in tensors.items()} == KERAS_TENSORS
    assert {tensor["dtype"] for tensor in tensors.values()} == {"float32"}
    assert all(name.startswith(tensor["layer"] + "/") for name, tensor in tensors.items())


@pytest.mark.parametrize("model", [STATE_DICT, MODULE])
def test_inspect_torch(model):
    shown = as_json("inspect", model)
    assert (shown["format"], shown["framework"], shown["parameters"]) == ("torch_pt", "torch", 61706)
    assert {tensor["name"]: tensor["shape"] for tensor in shown["tensors"]} == TORCH_TENSORS
    assert {tensor["dtype"] for tensor in shown["tensors"]} == {"float32"}


def test_inspect_a_module_with_its_input_shape():
    layers = as_json("inspect", MODULE, "--input-shape", "1,28,28")["layers"]
    assert [layer["class"] for layer in layers] == TORCH_CLASSES
    assert [layer["output_shape"] for layer in layers if layer["class"] == "AvgPool2d"] == [
        [None, 6, 14, 14],
        [None, 16, 5, 5],
    ]


def test_inspect_as_text():
    text = done("inspect", KERAS).stdout
    assert "61,706 parameters" in text
    for name in KERAS_TENSORS:
        assert name in text
    assert "(None, 28, 28, 6)" in text


# ---- for people and for programs


def test_no_colours_when_not_a_terminal(tmp_path, converted):
    for arguments in (
        ["inspect", KERAS],
        ["verify", MODULE, KERAS],
        ["verify", MODULE, converted],
        ["layers"],
        ["formats"],
        ["match", MODULE, MODELS / "lenet5_classical.keras"],
        ["inspect", "missing.pt"],
        ["convert", STATE_DICT, tmp_path / "out.keras", "--like", KERAS],
    ):
        result = tieout(*arguments)
        assert ESCAPE not in result.stdout + result.stderr


def test_progress_on_a_terminal():
    """One line that is written anew and goes away; nothing of it where standard error is a file."""
    command = [TIEOUT, "verify", KERAS, KERAS, "--probes", "1000"]  # seconds: what is sooner done shows none
    parent, child = pty.openpty()
    process = subprocess.Popen(command, stderr=child, stdout=subprocess.DEVNULL)
    os.close(child)
    text = b""
    with contextlib.suppress(OSError):  # EIO: the other end is closed
        while piece := os.read(parent, 10_000):
            text += piece
    os.close(parent)
    assert process.wait(timeout=120) == 0
    assert re.search(rb"compared \d+ of \d+ values \(\d+ %\), \d+ s left", text)
    assert text.endswith(b"\r\x1b[K")
    assert tieout(*command[1:]).stderr == ""


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_on_a_terminal(environment, coloured):
    parent, child = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    subprocess.run(
        [TIEOUT, "inspect", "missing.pt"],
        stderr=child,
        stdout=subprocess.DEVNULL,
        timeout=60,
        env=clean | {"TERM": "xterm"} | environment,
        check=False,
    )
    os.close(child)
    text = os.read(parent, 10_000).decode()
    os.close(parent)
    assert "missing.pt" in text
    assert (ESCAPE in text) == coloured


EXIT_CODES = {
    DONE: ["inspect", KERAS],
    DIFFERS: ["verify", MODULE, KERAS],
    USAGE: ["convert", STATE_DICT, "out.keras"],
    IO: ["inspect", "missing.pt"],
    MALFORMED: ["inspect", "cut.keras"],
    UNSUPPORTED: ["convert", MODULE, "out.keras", "--like", MODELS / "lenet5_classical.keras"],
    NOT_PROVEN: ["verify", STATE_DICT, STATE_DICT],
}


@pytest.mark.parametrize("code", EXIT_CODES)
def test_exit_code(tmp_path, code):
    (tmp_path / "cut.keras").write_bytes(KERAS.read_bytes()[:1000])
    assert tieout(*EXIT_CODES[code], cwd=tmp_path).returncode == code
