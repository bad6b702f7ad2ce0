"""Runs the program that TIEOUT names, and looks at what it leaves behind."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).parents[2]
LENET = ROOT / "examples" / "lenet5"
MODELS = LENET / "models"
TIEOUT = os.environ.get("TIEOUT", str(ROOT / "build" / "tieout"))

DONE, DIFFERS, USAGE, IO, MALFORMED, UNSUPPORTED, NOT_PROVEN = range(7)


def tieout(*arguments, **options):
    command = [TIEOUT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def done(*arguments, **options):
    result = tieout(*arguments, **options)
    assert result.returncode == DONE, result.stdout + result.stderr
    return result


def as_json(*arguments, code=DONE):
    result = tieout(*arguments, "--json")
    assert result.returncode == code, result.stdout + result.stderr
    return json.loads(result.stdout)


def contents(folder):
    """Every file below the folder, with its bytes."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(folder, code, words, *arguments, **options):
    """Runs in the folder; it must say all the words and a way out, with this exit code, and leave all as it was."""
    before = contents(folder)
    result = tieout(*arguments, cwd=folder, **options)
    assert result.returncode == code, f"exit {result.returncode}: {result.stdout}{result.stderr}"
    for word in words:
        assert word in result.stderr, f"{word!r} is not in: {result.stderr}"
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) > 1, f"no way out: {result.stderr}"
    assert contents(folder) == before
    return result


def refused_as_json(folder, code, words, *arguments):
    """The same with --json: one object on standard output, and nothing else anywhere."""
    before = contents(folder)
    result = tieout(*arguments, "--json", cwd=folder)
    assert result.returncode == code, f"exit {result.returncode}: {result.stdout}{result.stderr}"
    assert result.stderr == ""
    error = json.loads(result.stdout)["error"]
    assert set(error) >= {"kind", "message", "file", "entry", "offset", "tensor", "layer", "hint"}
    said = " ".join(str(value) for value in error.values())
    for word in words:
        assert word in said, f"{word!r} is not in: {said}"
    assert error["hint"]
    assert contents(folder) == before
    return error
