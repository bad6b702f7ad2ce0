"""What match, convert, verify and run print and write."""

import json
import re

import numpy
import pytest
from program import (
    DIFFERS,
    LENET,
    MODELS,
    NOT_PROVEN,
    UNSUPPORTED,
    as_json,
    contents,
    done,
    tieout,
)
from safetensors.numpy import load_file, save_file

MODULE = MODELS / "lenet5_module.pt"
STATE_DICT = MODELS / "lenet5.pt"
KERAS = MODELS / "lenet5.keras"
DIGIT_CHW = LENET / "digit_chw.npy"
DIGIT_HWC = LENET / "digit_hwc.npy"


# ---- match, maps and plans


def test_match():
    plan = as_json("match", STATE_DICT, KERAS)
    assert set(plan) >= {"pairs", "unmatched_source", "unmatched_target", "findings"}
    assert plan["unmatched_source"] == plan["unmatched_target"] == []
    assert [name for pair in plan["pairs"] for name in pair["source"]] == [
        f"{layer}.{name}" for layer in (0, 3, 6, 9, 11) for name in ("weight", "bias")
    ]
    arrangements = [pair["arrangement"] for pair in plan["pairs"]]
    assert arrangements == ["o i h w -> h w i o", "o -> o"] * 3 + ["o i -> i o", "o -> o"] * 2
    assert all(len(pair["target"]) == 1 for pair in plan["pairs"])


def test_match_of_a_flatten():
    plan = as_json("match", MODELS / "lenet5_classical_module.pt", MODELS / "lenet5_classical.keras")
    (dense,) = [pair for pair in plan["pairs"] if pair["source"] == ["c5.weight"]]
    assert dense["arrangement"] == "o (c h w) -> (h w c) o"


def test_match_of_what_does_not_fit():
    plan = as_json("match", MODULE, MODELS / "lenet5_classical.keras", code=UNSUPPORTED)
    assert set(plan["unmatched_source"]) == {f"{layer}.{name}" for layer in (6, 9, 11) for name in ("weight", "bias")}
    assert len(plan["unmatched_target"]) == 6
    assert any(finding["severity"] == "error" and finding["way_out"] for finding in plan["findings"])


@pytest.mark.parametrize("target", ["out.keras", "out.h5"])
def test_a_map_given_back_gives_the_same_bytes(tmp_path, target):
    done("match", STATE_DICT, KERAS, "-o", tmp_path / "map.json")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    done("convert", STATE_DICT, tmp_path / "a" / target, "--like", KERAS)
    done("convert", STATE_DICT, tmp_path / "b" / target, "--like", KERAS, "--map", tmp_path / "map.json")
    assert (tmp_path / "a" / target).read_bytes() == (tmp_path / "b" / target).read_bytes()


def test_an_edited_map_is_followed(tmp_path):
    """Rows and columns of the square kernels exchanged: legal as a map, and not the same network."""
    plan = as_json("match", MODULE, KERAS)
    for pair in plan["pairs"]:
        pair["arrangement"] = pair["arrangement"].replace("-> h w i o", "-> w h i o")
    (tmp_path / "map.json").write_text(json.dumps(plan))
    arguments = ["convert", MODULE, tmp_path / "out.keras", "--like", KERAS, "--map", tmp_path / "map.json"]
    refused = tieout(*arguments)
    assert refused.returncode == DIFFERS, refused.stdout + refused.stderr
    assert "differs" in refused.stderr
    assert "--no-verify" in refused.stderr
    assert not (tmp_path / "out.keras").exists()
    done(*arguments, "--no-verify")
    assert tieout("verify", MODULE, tmp_path / "out.keras").returncode == DIFFERS


def test_match_writes_what_it_prints(tmp_path):
    printed = as_json("match", STATE_DICT, KERAS, "-o", tmp_path / "map.json")
    assert json.loads((tmp_path / "map.json").read_text()) == printed


# ---- convert


@pytest.mark.parametrize("target", ["out.keras", "out.h5", "out.weights.h5"])
def test_a_dry_run_writes_nothing(tmp_path, target):
    text = done("convert", MODULE, target, "--input-shape", "1,28,28", "--dry-run", cwd=tmp_path).stdout
    assert "o i h w -> h w i o" in text
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("source", "target", "files"),
    [
        (MODULE, "out.keras", {"out.keras"}),
        (MODULE, "out.h5", {"out.h5"}),
        (MODULE, "out.weights.h5", {"out.weights.h5"}),
        (KERAS, "out.pt", {"out.pt", "out.py"}),
        (KERAS, "out.safetensors", {"out.safetensors", "out.py"}),
    ],
)
def test_convert_says_what_it_wrote(tmp_path, source, target, files):
    shape = ["--input-shape", "1,28,28"] if source == MODULE else []
    text = done("convert", source, target, *shape, cwd=tmp_path).stdout
    assert {str(path) for path in contents(tmp_path)} == files
    assert all(f"wrote {name}" in text for name in files)
    assert as_json("inspect", tmp_path / target)["parameters"] == 61706


def test_convert_is_deterministic(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for target in ("out.keras", "out.h5"):
            done("convert", MODULE, tmp_path / name / target, "--input-shape", "1,28,28")
        for target in ("out.pt", "out2.safetensors"):
            done("convert", KERAS, tmp_path / name / target)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_weights_survive_there_and_back(tmp_path, converted):
    done("convert", converted, tmp_path / "back.safetensors")
    done("convert", STATE_DICT, tmp_path / "source.safetensors")
    source = load_file(tmp_path / "source.safetensors")
    back = load_file(tmp_path / "back.safetensors")
    assert [array.tobytes() for array in back.values()] == [array.tobytes() for array in source.values()]


def test_a_state_dict_that_the_safetensors_library_sorted(tmp_path):
    """It sorts by name: 0.bias, 0.weight, 11.bias, 11.weight, 3.bias, ..."""
    done("convert", STATE_DICT, tmp_path / "ours.safetensors")
    save_file(load_file(tmp_path / "ours.safetensors"), tmp_path / "sorted.safetensors")
    shown = as_json("inspect", tmp_path / "sorted.safetensors")
    assert [layer["name"] for layer in shown["layers"]] == ["0", "3", "6", "9", "11"]
    done("convert", tmp_path / "sorted.safetensors", tmp_path / "a.keras", "--like", KERAS)
    done("convert", STATE_DICT, tmp_path / "b.keras", "--like", KERAS)
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()


def test_weights_of_a_bare_state_dict_reach_a_weights_file(tmp_path):
    """Neither file holds an architecture; the template does."""
    result = done("convert", STATE_DICT, tmp_path / "out.weights.h5", "--like", KERAS)
    assert "refused" not in result.stdout + result.stderr
    assert "not proven" in result.stdout
    done("convert", STATE_DICT, tmp_path / "out.keras", "--like", KERAS)
    shown = [as_json("inspect", tmp_path / name)["parameters"] for name in ("out.weights.h5", "out.keras")]
    assert shown == [61706, 61706]


# ---- verify


def test_verify_ties_out(converted):
    result = as_json("verify", MODULE, converted)
    assert set(result) >= {"verdict", "max_abs", "max_rel", "witnesses", "layers", "first_difference", "findings"}
    assert result["verdict"] == "ties out"
    assert result["witnesses"] == {"a": "interpreter", "b": "interpreter"}
    assert result["first_difference"] is None
    assert result["max_abs"] <= 1e-12
    assert len(result["layers"]) == 13
    for layer in result["layers"]:
        assert set(layer) >= {"a", "b", "shape", "max_abs", "max_rel", "tolerance", "ties_out"}
        assert layer["ties_out"] is True
        assert layer["max_abs"] <= layer["tolerance"]


def test_verify_with_a_probe(converted):
    result = as_json("verify", MODULE, converted, "--probe", DIGIT_CHW)
    assert result["verdict"] == "ties out"
    assert all(layer["shape"][0] == 1 for layer in result["layers"])


def test_verify_differs():
    result = as_json("verify", MODULE, KERAS, code=DIFFERS)
    assert result["verdict"] == "differs"
    first = result["first_difference"]
    assert set(first) >= {"a", "b", "cause", "message"}
    assert (first["a"], first["b"]) == ("0", "conv2d")
    assert "kernel" in first["message"]
    text = tieout("verify", MODULE, KERAS)
    assert text.returncode == DIFFERS
    assert "differs" in text.stdout


def test_verify_of_an_assumed_architecture_is_not_proven(tmp_path):
    done("convert", STATE_DICT, tmp_path / "out.keras", "--like", KERAS)
    result = as_json("verify", STATE_DICT, tmp_path / "out.keras", code=NOT_PROVEN)
    assert result["verdict"] == "not proven"
    assert result["max_abs"] <= 1e-12
    assert any("assumed" in finding["message"] for finding in result["findings"])


def test_verify_against_recorded_evidence(tmp_path, converted):
    evidence = tmp_path / "evidence.npz"
    layers = [word for layer in as_json("inspect", converted)["layers"] for word in ("--layer", layer["name"])]
    done("run", converted, *layers, "-o", evidence)
    result = as_json("verify", MODULE, converted, "--witness", f"B={evidence}")
    assert result["verdict"] == "ties out"


# ---- run


def softmax_of_last(values):
    exponentials = numpy.exp(values - values.max())
    return exponentials / exponentials.sum()


def load(path):
    return dict(numpy.load(path)) if path.suffix == ".npz" else load_file(path)


@pytest.mark.parametrize("name", ["out.npz", "out.safetensors"])
def test_run_keras(tmp_path, name):
    done("run", KERAS, "--probe", DIGIT_HWC, "--layer", "conv2d", "--layer", "flatten", "-o", tmp_path / name)
    written = load(tmp_path / name)
    assert set(written) >= {"output/0", "layer/conv2d", "layer/flatten"}
    assert written["output/0"].shape == (1, 10)
    assert written["layer/conv2d"].shape == (1, 28, 28, 6)
    assert written["layer/flatten"].shape == (1, 120)
    assert written["output/0"].sum() == pytest.approx(1, abs=1e-12)
    assert written["output/0"].argmax() == 6  # the digit is a 6
    assert numpy.array_equal(written["input/0"], numpy.load(DIGIT_HWC))


@pytest.mark.parametrize("name", ["out.npz", "out.safetensors"])
def test_run_torch(tmp_path, name):
    done("run", MODULE, "--probe", DIGIT_CHW, "--layer", "0", "--layer", "11", "-o", tmp_path / name)
    written = load(tmp_path / name)
    assert written["layer/0"].shape == (1, 6, 28, 28)
    assert written["layer/11"].shape == (1, 10)
    assert written["output/0"].argmax() == 6
    assert numpy.allclose(softmax_of_last(written["layer/11"]), written["output/0"], rtol=0, atol=1e-14)


def test_run_both_sides_of_a_conversion(tmp_path, converted):
    done("run", MODULE, "--probe", DIGIT_CHW, "-o", tmp_path / "torch.npz")
    done("run", converted, "--probe", DIGIT_HWC, "-o", tmp_path / "keras.npz")
    difference = load(tmp_path / "torch.npz")["output/0"] - load(tmp_path / "keras.npz")["output/0"]
    assert numpy.abs(difference).max() <= 1e-14


def test_run_in_plain_loops_and_timed(tmp_path):
    """The fast ways and the plain loops say the same; --repeat says how long a forward pass takes."""
    said = done("run", KERAS, "--repeat", 2, "-o", tmp_path / "fast.npz").stdout
    assert re.match(
        r"forward \d+\.\d+ s, the median of 2; \d+\.\d MiB of weights, at most \d+\.\d MiB of values\n", said
    )
    done("run", KERAS, "--witness", "plain", "-o", tmp_path / "plain.npz")
    fast, plain = (load(tmp_path / name)["output/0"] for name in ("fast.npz", "plain.npz"))
    assert numpy.abs(fast - plain).max() <= 1e-13
    assert as_json("verify", KERAS, KERAS, "--witness", "B=plain")["verdict"] == "ties out"


def test_a_random_probe_depends_on_the_seed_only(tmp_path):
    for name, seed in (("a.npz", 1), ("b.npz", 1), ("c.npz", 2)):
        done("run", KERAS, "--seed", seed, "-o", tmp_path / name)
    a, b, c = (load(tmp_path / name) for name in ("a.npz", "b.npz", "c.npz"))
    assert numpy.array_equal(a["output/0"], b["output/0"])
    assert not numpy.array_equal(a["input/0"], c["input/0"])
