"""Hostile files that are made here (made.py), looked at and converted: refused as damaged or not supported, or harmless.

What a file claims is never believed before it is checked: each runs with 2 GiB of addresses. Nothing is written but what
was asked for, and when the answer is no, not even that.
"""

import json
import os
import subprocess

import made
import pytest
from test_hostile import TIEOUT, inspect

MALFORMED, UNSUPPORTED = 4, 5
FILES = made.files()
# Odd, and what they say is true: read as they are.
HARMLESS = {
    "name _archive___.pt", "name _aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_.pt",
    "memo of 2^32.pt", "storage bomb.pt", "lambda.keras", "class of os.keras", "name of 1 MB.safetensors",
    "no name.safetensors", "100,000 empty tensors.safetensors", "alias of itself.safetensors",
}  # fmt: skip


def limited():
    return [] if os.environ.get("TIEOUT_SANITIZED") else ["prlimit", f"--as={2 << 30}"]


@pytest.mark.parametrize("name", FILES)
def test_refused_or_harmless(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    result = inspect(path)
    allowed = {0} if name in HARMLESS else {MALFORMED, UNSUPPORTED}
    assert result.returncode in allowed, f"exit {result.returncode}: {result.stdout[:2000]}{result.stderr[:2000]}"
    if result.returncode:
        error = json.loads(result.stdout)["error"]
        assert error["file"].startswith(str(tmp_path)) and error["message"]
    target = tmp_path / "out.safetensors"
    command = [*limited(), TIEOUT, "convert", path, target]
    converted = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert converted.returncode in {*allowed, 2, UNSUPPORTED}, converted.stderr[:2000]
    left = {entry.name for entry in tmp_path.iterdir()}
    assert left == {name} | ({target.name} if converted.returncode == 0 else set())


def test_every_opcode_out_of_place(tmp_path):
    path = tmp_path / "odd.pt"
    count, step = 0, 5 if "TIEOUT_SANITIZED" in os.environ else 1
    for code, where, pickle in made.opcodes(step):
        path.write_bytes(made.small_torch(pickle))
        result = inspect(path)
        what = f"opcode {code:#x} {where}: exit {result.returncode}: {result.stdout}{result.stderr}"
        assert result.returncode in (0, MALFORMED, UNSUPPORTED), what
        assert result.returncode or json.loads(result.stdout)["tensors"] == [], what
        count += 1
    assert count == 5 * len(range(0, 256, step))


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "broken link", "link to itself"])
def test_what_is_no_file(kind, tmp_path):
    path = tmp_path / "model.pt"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to({"device": "/dev/zero", "broken link": "gone.pt", "link to itself": "model.pt"}[kind])
    result = inspect(path)
    assert result.returncode == 3, result.stdout
