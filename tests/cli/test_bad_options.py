"""Templates, shapes, probes and maps that do not fit: each case is a clear message with a way out, its exit code, and nothing half-written."""

import json
import zipfile

import numpy
import pytest
from program import (
    DONE,
    IO,
    LENET,
    MALFORMED,
    MODELS,
    UNSUPPORTED,
    USAGE,
    as_json,
    contents,
    done,
    refused,
    refused_as_json,
    tieout,
)
from safetensors.numpy import load_file, save_file

MODULE = MODELS / "lenet5_module.pt"
STATE_DICT = MODELS / "lenet5.pt"
KERAS = MODELS / "lenet5.keras"
CLASSICAL_KERAS = MODELS / "lenet5_classical.keras"
DIGIT_CHW = LENET / "digit_chw.npy"
DIGIT_HWC = LENET / "digit_hwc.npy"


@pytest.fixture
def folder(tmp_path):
    return tmp_path


# ---- architectures and templates


@pytest.mark.parametrize("target", ["out.keras", "out.h5", "out.weights.h5"])
def test_a_state_dict_without_architecture(folder, target):
    refused(folder, USAGE, ["lenet5.pt", "no architecture", "--like"], "convert", STATE_DICT, target)


def test_running_what_holds_no_architecture(folder):
    refused(folder, USAGE, ["lenet5.pt", "no architecture", "whole module"], "run", STATE_DICT, "-o", "out.npz")


def test_a_template_of_the_other_framework(folder):
    refused(
        folder, USAGE, ["lenet5.pt", "other framework", "suffix"], "convert", KERAS, "out.keras", "--like", STATE_DICT
    )


def test_a_template_that_does_not_fit_a_module(folder):
    refused(
        folder,
        UNSUPPORTED,
        ["6 (conv2d)", "9 (dense)", "11 (dense)", "dense_1", "dense_2", "way out"],
        "convert",
        MODULE,
        "out.keras",
        "--like",
        CLASSICAL_KERAS,
    )


def test_a_template_that_does_not_fit_names_every_mismatch(folder):
    done("convert", MODULE, "bare.safetensors", "--input-shape", "1,28,28", cwd=folder)
    tensors = load_file(folder / "bare.safetensors")
    resized = {"0": (8, 1), "3": (20, 6), "6": (100, 16)}
    for layer, (outputs, inputs) in resized.items():
        tensors[f"{layer}.weight"] = numpy.zeros((outputs, inputs, 5, 5), numpy.float32)
        tensors[f"{layer}.bias"] = numpy.zeros(outputs, numpy.float32)
    save_file(tensors, folder / "bare.safetensors")
    result = refused(
        folder,
        UNSUPPORTED,
        ["way out", "(8, 1, 5, 5)", "(20, 6, 5, 5)", "(100, 16, 5, 5)"],
        "convert",
        "bare.safetensors",
        "out.keras",
        "--like",
        KERAS,
    )
    for layer in ("conv2d", "conv2d_1", "conv2d_2"):
        assert f"{layer} " in result.stderr


def with_classes(source, target, classes):
    """A .keras file in which layers have other classes."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                for layer in config["config"]["layers"]:
                    layer["class_name"] = classes.get(layer["config"]["name"], layer["class_name"])
                data = json.dumps(config)
            new.writestr(name, data)


def test_unsupported_layers_are_all_named(folder):
    with_classes(
        KERAS,
        folder / "odd.keras",
        {"average_pooling2d": "StringLookup", "average_pooling2d_1": "Wobble", "flatten": "Hashing"},
    )
    words = [
        "average_pooling2d (StringLookup)",
        "it turns text or hashes into numbers",
        "average_pooling2d_1 (Wobble)",
        "flatten (Hashing)",
        "way out",
        "nothing was written",
    ]
    refused(folder, UNSUPPORTED, words, "convert", "odd.keras", "out.pt")
    refused(folder, UNSUPPORTED, words[:4], "run", "odd.keras", "-o", "out.npz")
    shown = as_json("inspect", folder / "odd.keras")
    assert shown["parameters"] == 61706
    assert sum(finding["severity"] == "error" for finding in shown["findings"]) == 3


# ---- input shapes


def test_an_input_shape_that_is_missing(folder):
    words = ["shape of the input", "not known", "--input-shape"]
    refused(folder, USAGE, words, "convert", MODULE, "out.keras")
    refused(folder, USAGE, words, "run", MODULE, "-o", "out.npz")
    refused(folder, USAGE, words, "verify", MODULE, MODULE)


MISFITS = {
    "three channels": (MODULE, "3,28,28", ["(3, 28, 28)", "does not fit", "layer 0", "1 "]),
    "a larger image": (MODULE, "1,32,32", ["(1, 32, 32)", "does not fit", "layer 9", "120", "480"]),
    "a larger image, classical": (MODELS / "lenet5_classical_module.pt", "1,32,32", ["does not fit", "layer c5"]),
    "a smaller image": (MODELS / "lenet5_classical_module.pt", "1,20,20", ["does not fit", "layer c5", "400", "144"]),
    "a tiny image": (MODULE, "1,4,4", ["does not fit", "window of 5"]),
    "no channels": (MODULE, "28,28", ["(28, 28)", "does not fit", "rank 4"]),
    "the other layout": (MODULE, "28,28,1", ["(28, 28, 1)", "does not fit", "layer 0"]),
    "another than the file's": (KERAS, "32,32,1", ["(None, 32, 32, 1)", "(None, 28, 28, 1)"]),
    "no such input": (MODULE, "image=1,28,28", ["image", "does not have", "inputs: "]),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_an_input_shape_that_does_not_fit(folder, misfit):
    model, shape, words = MISFITS[misfit]
    target = "out.pt" if model.suffix == ".keras" else "out.keras"
    refused(folder, USAGE, words, "convert", model, target, "--input-shape", shape)
    refused(folder, USAGE, words, "run", model, "-o", "out.npz", "--input-shape", shape)
    refused_as_json(
        folder,
        USAGE,
        [word for word in words if not word.startswith("layer ")],
        "inspect",
        model,
        "--input-shape",
        shape,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,28,28",
        "1,28,28,",
        ",1,28",
        "1,,28",
        "1;28;28",
        "1,-28,28",
        "1,0,28",
        "1.5,28",
        "1, 28,28",
        "image=",
        "=",
        "99999999999999999999,1,1",
        "0x1,2,3",
    ],
)
def test_an_input_shape_that_is_no_shape(folder, text):
    words = ["--input-shape", "not a list of sizes", "1,28,28"]
    refused(folder, USAGE, words, "convert", MODULE, "out.keras", "--input-shape", text)
    refused_as_json(folder, USAGE, words, "inspect", MODULE, "--input-shape", text)
    refused_as_json(folder, USAGE, words, "verify", MODULE, KERAS, "--input-shape", text)


def test_an_input_shape_given_twice(folder):
    result = tieout("inspect", MODULE, "--input-shape", "1,28,28", "--input-shape", "1,28,28", cwd=folder)
    assert result.returncode == USAGE
    assert "twice" in result.stderr


# ---- probes


@pytest.mark.parametrize(("model", "digit"), [(KERAS, DIGIT_CHW), (MODULE, DIGIT_HWC)])
def test_a_probe_in_the_other_layout(folder, model, digit):
    refused(folder, USAGE, ["28", "layout"], "run", model, "--probe", digit, "-o", "out.npz")


def test_a_probe_of_the_wrong_shape(folder):
    numpy.save(folder / "flat.npy", numpy.zeros((1, 784), numpy.float32))
    numpy.save(folder / "large.npy", numpy.zeros((2, 32, 32, 1), numpy.float32))
    numpy.save(folder / "scalar.npy", numpy.float32(1))
    for probe, shape in (("flat.npy", "(1, 784)"), ("large.npy", "(2, 32, 32, 1)"), ("scalar.npy", "()")):
        words = ["probe", shape, "(None, 28, 28, 1)"]
        refused(folder, USAGE, words, "run", KERAS, "--probe", probe, "-o", "out.npz")
        refused_as_json(folder, USAGE, words, "verify", KERAS, MODULE, "--probe", probe)


def test_a_probe_with_too_many_arrays(folder):
    numpy.savez(folder / "two.npz", a=numpy.zeros((1, 28, 28, 1)), b=numpy.zeros((1, 28, 28, 1)))
    refused(folder, USAGE, ["2 arrays", "1 input"], "run", KERAS, "--probe", "two.npz", "-o", "out.npz")


@pytest.mark.parametrize("size", [8, 60, 127, 128, 1000, 3263])
def test_a_probe_that_is_cut(folder, size):
    whole = DIGIT_HWC.read_bytes()
    assert len(whole) == 3264
    (folder / "cut.npy").write_bytes(whole[:size])
    result = tieout("run", KERAS, "--probe", "cut.npy", "-o", "out.npz", cwd=folder)
    assert result.returncode == MALFORMED, result.stdout + result.stderr
    assert "cut.npy" in result.stderr
    assert not (folder / "out.npz").exists()


def test_a_layer_that_is_not_there(folder):
    refused(folder, USAGE, ["no layer", "conv9", "tieout inspect"], "run", KERAS, "--layer", "conv9", "-o", "out.npz")


# ---- maps


@pytest.fixture(scope="module")
def good_map(tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.json"
    done("match", STATE_DICT, KERAS, "-o", path)
    return json.loads(path.read_text())


def edited(good, edit):
    copy = json.loads(json.dumps(good))
    edit(copy["pairs"])
    return copy


# What is wrong with the map: (the edit of its pairs, exit code, words of the message).
MAPS = {
    "a pattern that names an axis twice": (lambda p: p[0].update(arrangement="o i h w -> h w i o o"), USAGE, ["twice"]),
    "a pattern with an open bracket": (lambda p: p[0].update(arrangement="o i h w -> (h w i o"), USAGE, ["pattern"]),
    "a pattern for another shape": (lambda p: p[0].update(arrangement="o i h w -> i o h w"), USAGE, ["shape"]),
    "a pattern of another rank": (lambda p: p[0].update(arrangement="o i -> i o"), USAGE, ["axes"]),
    "an axis from nowhere": (lambda p: p[0].update(arrangement="o i h w -> h w i x"), USAGE, []),
    "no arrow": (lambda p: p[0].update(arrangement="o i h w"), USAGE, ["from -> to"]),
    "an arrangement that is no text": (lambda p: p[0].update(arrangement=7), USAGE, ["arrangement"]),
    "no such source": (lambda p: p[0].update(source=["nope"]), USAGE, ["nope"]),
    "no such target": (lambda p: p[0].update(target=["nope"]), USAGE, ["nope"]),
    "a target filled twice": (lambda p: p.append(p[0]), USAGE, ["twice"]),
    "two targets of one pair": (lambda p: p[0].update(target=["a", "b"]), USAGE, ["one target"]),
    "a size that does not fit": (lambda p: p[0]["sizes"].update(h=500), USAGE, ["500"]),
    "a size that is no number": (lambda p: p[0]["sizes"].update(h="5"), USAGE, ["sizes"]),
    "sizes that are a list": (lambda p: p[0].update(sizes=[1]), USAGE, ["sizes"]),
    "a tensor of another size": (lambda p: p[0].update(source=["3.weight"]), USAGE, []),
    "a pair that is no object": (lambda p: p.append("x"), USAGE, ["missing"]),
    "a pair left out": (lambda p: p.pop(), UNSUPPORTED, ["9 of the target's 10"]),
    "no pairs": (lambda p: p.clear(), UNSUPPORTED, ["0 of the target's 10"]),
}


@pytest.mark.parametrize("what", MAPS)
def test_a_map_that_is_wrong(folder, good_map, what):
    edit, code, words = MAPS[what]
    (folder / "map.json").write_text(json.dumps(edited(good_map, edit)))
    before = contents(folder)
    result = tieout("convert", STATE_DICT, "out.keras", "--like", KERAS, "--map", "map.json", cwd=folder)
    assert result.returncode == code, result.stdout + result.stderr
    for word in words:
        assert word in result.stderr
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", MALFORMED),
        ("{", MALFORMED),
        ("[1]", USAGE),
        ("{}", USAGE),
        ('{"pairs": 1}', USAGE),
        ("[" * 100_000, MALFORMED),
    ],
)
def test_a_map_that_is_no_map(folder, text, code):
    (folder / "map.json").write_text(text)
    for arguments in (["convert", STATE_DICT, "out.keras", "--like", KERAS], ["verify", STATE_DICT, KERAS]):
        before = contents(folder)
        result = tieout(*arguments, "--map", "map.json", cwd=folder)
        assert result.returncode == code, result.stdout + result.stderr
        assert "map" in result.stderr
        assert contents(folder) == before


def test_a_map_that_is_not_there(folder):
    refused(
        folder,
        IO,
        ["map.json", "No such file"],
        "convert",
        STATE_DICT,
        "out.keras",
        "--like",
        KERAS,
        "--map",
        "map.json",
    )


# ---- the command line itself


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nosuch"],
        ["inspect"],
        ["convert", KERAS],
        ["inspect", KERAS, "--nosuch"],
        ["run", KERAS],
        ["verify", KERAS, KERAS, "--probes", "0"],
        ["verify", KERAS, KERAS, "--witness", "torch"],
        ["verify", KERAS, KERAS, "--seed", "x"],
    ],
)
def test_a_command_line_that_is_wrong(folder, arguments):
    refused(folder, USAGE, [], *arguments)


def test_a_command_line_that_is_wrong_as_json(folder):
    error = refused_as_json(folder, USAGE, ["TARGET"], "match", KERAS)
    assert error["kind"] == "usage"


def test_the_files_of_these_tests_are_right():
    for model in (MODULE, STATE_DICT, KERAS, CLASSICAL_KERAS):
        assert tieout("inspect", model).returncode == DONE
