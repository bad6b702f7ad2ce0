"""Damaged and hostile files: each row of EXPECT.tsv is a file, the exit code of `tieout inspect`, and the lie in it.

The files are in files/; the two that are large because they nest very deep are made here. TIEOUT names the program.
"""

import csv
import io
import json
import os
import pathlib
import struct
import subprocess
import sys
import zipfile

import pytest

HERE = pathlib.Path(__file__).parent
TIEOUT = os.environ.get("TIEOUT", str(HERE.parents[1] / "build" / "tieout"))
MALFORMED = 4


def deep_pickle():
    """1e6 nested tuples: a reader that recurses runs out of stack."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + b"(" * 1_000_000 + b"t" * 1_000_000 + b".")
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/version", "3\n")
    return buffer.getvalue()


def deep_json():
    """JSON nested 200 000 deep."""
    text = b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    return struct.pack("<Q", len(text)) + text


MADE = {"pt_pickle_deep.pt": deep_pickle, "st_deep_json.safetensors": deep_json}


def rows():
    with open(HERE / "EXPECT.tsv", encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table, delimiter="\t"))


def inspect(path):
    # 2 GiB of address space: a size that the file only claims must not be allocated. (The sanitizers reserve more.)
    limit = [] if os.environ.get("TIEOUT_SANITIZED") else ["prlimit", f"--as={2 << 30}"]
    return subprocess.run([*limit, TIEOUT, "inspect", str(path), "--json"], capture_output=True, text=True, timeout=60)


def path_of(name, folder):
    if name in MADE:
        path = folder / name
        path.write_bytes(MADE[name]())
        return path
    return HERE / "files" / name


def test_every_file_has_a_row():
    names = {row["file"] for row in rows()}
    assert names == {path.name for path in (HERE / "files").iterdir()} | set(MADE)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_exit_code(row, tmp_path):
    path = path_of(row["file"], tmp_path)
    result = inspect(path)
    assert result.returncode == int(row["exit"]), result.stdout + result.stderr
    if result.returncode != 0:
        error = json.loads(result.stdout)["error"]
        assert error["kind"] == "malformed"
        assert error["file"] == str(path)
        assert error["message"]


@pytest.mark.parametrize("name", ["pt_ok.pt", "pt_ok_hand.pt", "st_ok.safetensors", "st_ok_scalar_empty.safetensors"])
def test_a_file_cut_anywhere_is_malformed(name, tmp_path):
    whole = (HERE / "files" / name).read_bytes()
    path = tmp_path / name
    for size in range(0, len(whole), 1 if len(whole) < 200 else 7):
        path.write_bytes(whole[:size])
        result = inspect(path)
        assert result.returncode == MALFORMED, f"cut at {size}: {result.stdout}{result.stderr}"


# ---- a pickle that would make a file, were it run: each way in which a pickle can call something


def text(value):
    data = str(value).encode()
    return b"X" + struct.pack("<I", len(data)) + data


def short(value):
    """Protocol 4's short string, as STACK_GLOBAL takes it."""
    return b"\x8c" + bytes([len(value)]) + value.encode()


def calls(module, name, argument):
    """Pickles that call module.name(argument), by the opcode that calls."""
    named = f"c{module}\n{name}\n".encode()
    stacked = short(module) + short(name) + b"\x93"
    # The first state gives the object a __setstate__ of the attacker's, the second one is given to it.
    states = b"}" + text("__setstate__") + named + b"sb" + text(argument) + b"b"
    return {
        "REDUCE": b"\x80\x02" + named + text(argument) + b"\x85R.",
        "REDUCE of STACK_GLOBAL": b"\x80\x04" + stacked + text(argument) + b"\x85R.",
        "NEWOBJ": b"\x80\x02" + named + text(argument) + b"\x85\x81.",
        "NEWOBJ_EX": b"\x80\x04" + named + text(argument) + b"\x85}\x92.",
        "INST": b"(" + text(argument) + f"i{module}\n{name}\n".encode() + b".",
        "OBJ": b"(" + named + text(argument) + b"o.",
        "BUILD": b"\x80\x02" + named + text(argument) + b"b.",
        "BUILD of __setstate__": b"\x80\x02ccollections\nOrderedDict\n)R" + states + b".",
        "REDUCE inside a state_dict": b"\x80\x02ccollections\nOrderedDict\n)R"
        + text("w")
        + named
        + text(argument)
        + b"\x85Rs.",
        "BINPERSID": b"\x80\x02" + named + text(argument) + b"\x85RQ.",
        "the global alone": b"\x80\x02" + named + b".",
    }


def hostile_globals(marker):
    touch = f"touch {marker}"
    return {
        "os.system": ("os", "system", touch),
        "posix.system": ("posix", "system", touch),
        "builtins.eval": ("builtins", "eval", f"open({str(marker)!r}, 'w')"),
        "builtins.exec": ("builtins", "exec", f"open({str(marker)!r}, 'w')"),
        "__builtin__.eval": ("__builtin__", "eval", f"open({str(marker)!r}, 'w')"),
        "subprocess.getoutput": ("subprocess", "getoutput", touch),
        "runpy._run_code": ("runpy", "_run_code", touch),
        "torch.hub.load": ("torch.hub", "load", touch),
    }


FORMS = list(calls("os", "system", ""))
GLOBALS = list(hostile_globals(""))


def write_pt(path, pickle):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("evil/data.pkl", pickle)
        archive.writestr("evil/byteorder", "little")
        archive.writestr("evil/version", "3\n")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", GLOBALS)
def test_nothing_in_a_pickle_is_run(name, form, tmp_path):
    marker = tmp_path / "ran"
    module, function, argument = hostile_globals(marker)[name]
    path = tmp_path / "evil.pt"
    write_pt(path, calls(module, function, argument)[form])
    result = inspect(path)
    assert result.returncode == MALFORMED, result.stdout + result.stderr
    if form.startswith("REDUCE"):
        assert f"the pickle calls '{name}'" in json.loads(result.stdout)["error"]["message"]
    converted = subprocess.run(
        [TIEOUT, "convert", str(path), str(tmp_path / "out.safetensors")], capture_output=True, text=True, timeout=60
    )
    assert converted.returncode == MALFORMED
    assert "evil.pt" in converted.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["evil.pt"]


def test_the_pickles_of_these_tests_would_run(tmp_path):
    """Python's own unpickler does run them; without that the test above would show nothing."""
    for form in (
        "REDUCE",
        "REDUCE of STACK_GLOBAL",
        "INST",
        "OBJ",
        "BUILD of __setstate__",
        "REDUCE inside a state_dict",
    ):
        marker = tmp_path / form.replace(" ", "_")
        module, function, argument = hostile_globals(marker)["os.system"]
        code = "import pickle, sys; pickle.loads(sys.stdin.buffer.read())"
        subprocess.run(
            [sys.executable, "-c", code], input=calls(module, function, argument)[form], timeout=60, check=True
        )
        assert marker.exists(), form


# ---- the trained LeNet files, cut

LENET = HERE.parents[1] / "examples" / "lenet5" / "models"
EDGE = 200
STEP = 997


@pytest.fixture(scope="session")
def lenet_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lenet")
    files = {
        name: LENET / name
        for name in ("lenet5.pt", "lenet5_module.pt", "lenet5_classical.keras", "lenet5_classical.h5")
    }
    for name, source in (("lenet5.safetensors", "lenet5.keras"), ("lenet5.weights.h5", "lenet5_classical.keras")):
        files[name] = folder / name
        subprocess.run([TIEOUT, "convert", LENET / source, files[name]], check=True, capture_output=True, timeout=120)
    return files


def cuts(size):
    """Sizes to cut to: the first and last bytes, and some everywhere between."""
    return sorted({*range(EDGE), *range(0, size, STEP), *range(size - EDGE, size)})


@pytest.mark.parametrize(
    "name",
    [
        "lenet5.pt",
        "lenet5_module.pt",
        "lenet5.safetensors",
        "lenet5_classical.keras",
        "lenet5_classical.h5",
        "lenet5.weights.h5",
    ],
)
def test_lenet_cut(name, lenet_files, tmp_path):
    """No cut leaves a whole file, of the HDF5 ones neither: the superblock says where the file ends."""
    path = tmp_path / name
    path.write_bytes(lenet_files[name].read_bytes())
    target = tmp_path / ("out.pt" if name.endswith(("keras", "h5")) else "out.keras")
    for size in reversed(cuts(path.stat().st_size)):
        os.truncate(path, size)
        shape = ["--input-shape", "1,28,28"] if name == "lenet5_module.pt" else []
        result = subprocess.run(
            [TIEOUT, "convert", str(path), str(target), *shape], capture_output=True, text=True, timeout=60
        )
        assert result.returncode == MALFORMED, f"cut at {size}: {result.stdout}{result.stderr}"
        assert f"{path}" in result.stderr, result.stderr
        assert "byte " in result.stderr, f"cut at {size}: {result.stderr}"
        assert list(tmp_path.iterdir()) == [path]
