"""Files and targets that people get wrong: each case is a clear message with a way out, its exit code, and nothing half-written."""

import json
import resource
import shutil
import struct
import subprocess
import unicodedata

import pytest
from program import (
    IO,
    MALFORMED,
    MODELS,
    TIEOUT,
    UNSUPPORTED,
    USAGE,
    as_json,
    done,
    refused,
    refused_as_json,
    tieout,
)

MODULE = MODELS / "lenet5_module.pt"
STATE_DICT = MODELS / "lenet5.pt"
KERAS = MODELS / "lenet5.keras"
CLASSICAL_KERAS = MODELS / "lenet5_classical.keras"


# ---- files that are not there, or not what they seem

# Each command that reads a model, with the model in the place of FILE.
READERS = {
    "inspect": ["inspect", "FILE"],
    "match": ["match", "FILE", KERAS],
    "match target": ["match", KERAS, "FILE"],
    "verify": ["verify", "FILE", KERAS],
    "verify B": ["verify", KERAS, "FILE"],
    "convert": ["convert", "FILE", "out.keras"],
    "convert like": ["convert", STATE_DICT, "out.keras", "--like", "FILE"],
    "run": ["run", "FILE", "-o", "out.npz"],
    "run probe": ["run", KERAS, "--probe", "FILE", "-o", "out.npz"],
    "verify probe": ["verify", KERAS, KERAS, "--probe", "FILE"],
}
JSON_READERS = [name for name in READERS if READERS[name][0] in ("inspect", "match", "verify")]


def command(reader, file):
    return [file if word == "FILE" else word for word in READERS[reader]]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.txt").write_text("This is no model, and no suffix says that it is one.\n")
    (tmp_path / "empty.txt").write_bytes(b"")
    for suffix in ("pt", "keras", "h5", "safetensors"):
        (tmp_path / f"text.{suffix}").write_text("This is no model, whatever the suffix says.\n")
    return tmp_path


def test_a_terminal_obeys_no_name(tmp_path):
    """Escape sequences, line feeds and right-to-left marks in names, element types and messages."""
    name = "a\x1b[31mred\nverdict: ties out\u202e\x9b.weight"
    for dtype, file in ("F32", "names.safetensors"), ("F\x1b[31m", "dtype.safetensors"):
        header = json.dumps({name: {"dtype": dtype, "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
        content = struct.pack("<Q", len(header)) + header + struct.pack("<4f", 1, 2, 3, float("nan"))
        (tmp_path / file).write_bytes(content)
    names = tmp_path / "names.safetensors"
    for command in (
        ["inspect", names, "--check"],
        ["inspect", tmp_path / "dtype.safetensors"],
        ["match", names, KERAS],
        ["verify", names, KERAS],
        ["convert", names, tmp_path / "out.pt", "--dry-run"],
        ["convert", names, tmp_path / "out.keras", "--like", KERAS],
    ):
        said = tieout(*command)
        text = said.stdout + said.stderr
        assert not [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf")], command
        assert not [line for line in text.splitlines() if line.startswith("verdict: ties out")], command
    assert "a\\x1b[31mred\\nverdict: ties out\\u202e\\x9b.weight" in done("inspect", names).stdout


BAD_FILES = [
    ("missing.pt", IO, ["missing.pt", "No such file"]),
    ("folder", IO, ["folder", "is a directory"]),
    ("text.txt", UNSUPPORTED, ["text.txt", "unknown content", ".keras", ".safetensors", ".pt", ".h5"]),
    ("empty.txt", UNSUPPORTED, ["empty.txt", "unknown content"]),
    ("text.pt", MALFORMED, ["text.pt", "content", "PyTorch", "damaged or misnamed"]),
    ("text.keras", MALFORMED, ["text.keras", "content", "Keras 3", "damaged or misnamed"]),
    ("text.h5", MALFORMED, ["text.h5", "content", "Keras", "damaged or misnamed"]),
    ("text.safetensors", MALFORMED, ["text.safetensors", "content", "damaged or misnamed"]),
]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("file", "code", "words"), BAD_FILES, ids=[row[0] for row in BAD_FILES])
def test_a_file_that_is_no_model(folder, reader, file, code, words):
    refused(folder, code, words, *command(reader, file))


@pytest.mark.parametrize("reader", JSON_READERS)
@pytest.mark.parametrize(("file", "code", "words"), BAD_FILES, ids=[row[0] for row in BAD_FILES])
def test_a_file_that_is_no_model_as_json(folder, reader, file, code, words):
    error = refused_as_json(folder, code, words, *command(reader, file))
    assert error["file"] == file


# ---- targets


@pytest.mark.parametrize("target", ["out.xyz", "out", ".pt", "out.pt.gz"])
def test_a_target_of_unknown_suffix(folder, target):
    refused(
        folder,
        USAGE,
        [target, "suffix", ".keras", ".h5", ".weights.h5", ".safetensors", ".pt"],
        "convert",
        KERAS,
        target,
    )


def test_an_output_of_unknown_suffix(folder):
    refused(folder, USAGE, ["out.txt", ".npz", ".safetensors"], "run", KERAS, "-o", "out.txt")


def test_a_target_in_a_folder_that_is_not_there(folder):
    refused(folder, IO, ["nowhere/out.keras", "cannot create", "folder"], "convert", KERAS, "nowhere/out.keras")


def test_a_target_that_is_a_folder(folder):
    (folder / "folder.keras").mkdir()
    refused(folder, IO, ["folder.keras", "is a directory"], "convert", KERAS, "folder.keras", "--force")


TARGETS = ["out.pt", "out.safetensors", "out.keras", "out.h5", "out.weights.h5"]


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_that_exists(folder, target):
    (folder / target).write_text("precious")
    refused(folder, IO, [target, "exists already", "--force"], "convert", KERAS, target)
    done("convert", KERAS, target, "--force", cwd=folder)
    assert (folder / target).read_bytes() != b"precious"
    assert as_json("inspect", folder / target)["parameters"] == 61706


def test_the_code_beside_a_target_exists(folder):
    (folder / "out.py").write_text("precious")
    refused(folder, IO, ["out.py", "exists already", "--force"], "convert", KERAS, "out.pt")
    done("convert", KERAS, "out.pt", "--force", cwd=folder)
    assert "class" in (folder / "out.py").read_text()


def test_a_model_may_be_overwritten_by_what_is_made_of_it(folder):
    shutil.copy(KERAS, folder / "net.keras")
    refused(folder, IO, ["exists already"], "convert", "net.keras", "net.keras")
    done("convert", "net.keras", "net.keras", "--force", cwd=folder)
    done("verify", "net.keras", KERAS, cwd=folder)


def test_other_outputs_that_exist(folder):
    (folder / "map.json").write_text("precious")
    (folder / "out.npz").write_text("precious")
    refused(folder, IO, ["map.json", "exists already", "--force"], "match", MODULE, KERAS, "-o", "map.json")
    refused(folder, IO, ["out.npz", "exists already", "--force"], "run", KERAS, "-o", "out.npz")
    done("match", MODULE, KERAS, "-o", "map.json", "--force", cwd=folder)
    done("run", KERAS, "-o", "out.npz", "--force", cwd=folder)


# ---- a full disk


def full_disk(size):
    """No file grows beyond size: writes fail as on a full disk (EFBIG; Python ignores the signal that comes with it)."""
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)), "restore_signals": False}


@pytest.mark.parametrize("size", [0, 1, 4096, 100_000, 240_000])
@pytest.mark.parametrize("target", TARGETS)
def test_a_disk_that_is_full(folder, target, size):
    refused(folder, IO, [target, "cannot", "File too large"], "convert", CLASSICAL_KERAS, target, **full_disk(size))


def test_a_disk_that_is_full_keeps_what_was_there(folder):
    (folder / "out.keras").write_text("precious")
    refused(folder, IO, ["out.keras"], "convert", KERAS, "out.keras", "--force", **full_disk(100_000))


@pytest.mark.parametrize("target", ["out.npz", "out.safetensors"])
def test_a_disk_that_is_full_when_running(folder, target):
    refused(folder, IO, [target, "cannot write"], "run", KERAS, "-o", target, **full_disk(4096))


def test_a_disk_that_is_full_when_matching(folder):
    refused(folder, IO, ["map.json", "cannot write"], "match", MODULE, KERAS, "-o", "map.json", **full_disk(100))


@pytest.mark.parametrize("arguments", [["inspect", KERAS], ["inspect", KERAS, "--json"], ["layers"], ["formats"]])
def test_output_that_does_not_arrive(arguments):
    with open("/dev/full", "w", encoding="utf-8") as full:
        result = subprocess.run(
            [TIEOUT, *map(str, arguments)], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert result.returncode == IO
    if "--json" not in arguments:
        assert "cannot write" in result.stderr
