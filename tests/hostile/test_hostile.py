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


def test_nothing_in_a_pickle_is_run(tmp_path):
    """A pickle that would make a file, were it run."""
    target = tmp_path / "ran"
    command = f"touch {target}".encode()
    pickle = b"\x80\x02cos\nsystem\nX" + struct.pack("<I", len(command)) + command + b"\x85R."
    path = tmp_path / "evil.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("evil/data.pkl", pickle)
        archive.writestr("evil/version", "3\n")
    result = inspect(path)
    assert result.returncode == MALFORMED
    assert "os.system" in json.loads(result.stdout)["error"]["message"]
    assert not target.exists()
