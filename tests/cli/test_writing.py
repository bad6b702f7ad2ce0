"""What a conversion leaves behind when it is killed, when the disk is full, and when its input goes away under it."""

import os
import random
import resource
import signal
import subprocess
import time

import numpy
import pytest
from program import IO, MODELS, TIEOUT, contents, done, tieout
from safetensors.numpy import save_file

KILLS = 40 if "TIEOUT_SANITIZED" in os.environ else 200


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """16 MiB of weights, which take some milliseconds to write."""
    path = tmp_path_factory.mktemp("large") / "large.safetensors"
    values = numpy.random.default_rng(0).standard_normal((1 << 22,), dtype=numpy.float32)
    save_file({"a.weight": values.reshape(1024, 4096), "a.bias": values[:1024]}, path)
    return path


@pytest.mark.parametrize("suffix", ["pt", "safetensors.index.json"])
def test_killed_at_any_moment(large, tmp_path, suffix):
    """The old file or the new one, whole, and nothing beside it; of several files, those that the index names."""
    target = tmp_path / f"out.{suffix}"
    command = [TIEOUT, "convert", large, target, "--force"]
    if suffix != "pt":
        command += ["--max-shard-size", "9MB"]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    whole = time.perf_counter() - began
    wanted = contents(tmp_path)
    old = {name: b"old " + content[:100] for name, content in wanted.items()}
    chance, states = random.Random(1), set()
    for _ in range(KILLS):
        for name, content in old.items():
            (tmp_path / name).write_bytes(content)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, 1.3 * whole))
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = contents(tmp_path)
        # A name that was given just before rename() is the finished file's.
        assert all(any(str(name).startswith(str(known)) for known in wanted) for name in found), found.keys()
        for name in wanted:
            assert found[name] in (old[name], wanted[name]), f"{name} is neither the old nor the new one"
        if found.get(target.relative_to(tmp_path)) == wanted[target.relative_to(tmp_path)]:
            assert all(found[name] == wanted[name] for name in wanted), "the index came before what it names"
        states.add(found[target.relative_to(tmp_path)] == old[target.relative_to(tmp_path)])
        for name in set(found) - set(wanted):
            (tmp_path / name).unlink()
    assert states == {True, False}, "the moments were all before the end, or all behind it"


def limited(megabytes):
    """For a child: files end there, as on a full disk, by an error and not by a signal."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes << 20, megabytes << 20))

    return limit


@pytest.mark.parametrize("suffix", ["pt", "safetensors", "bin.index.json"])
def test_no_room_for_the_target(large, tmp_path, suffix):
    result = tieout("convert", large, tmp_path / f"out.{suffix}", preexec_fn=limited(5))
    assert result.returncode == IO, result.stdout + result.stderr
    assert "cannot write" in result.stderr
    assert contents(tmp_path) == {}


def test_no_room_for_a_keras_target(tmp_path):
    result = tieout("convert", MODELS / "lenet5_module.pt", tmp_path / "out.keras", "--input-shape", "1,28,28",
                    preexec_fn=limited(0))  # fmt: skip
    assert result.returncode == IO, result.stdout + result.stderr
    assert contents(tmp_path) == {}


def test_a_full_device(large, tmp_path):
    """A real file system without room: a tmpfs of 4 MiB, where this user may mount one in a namespace of its own."""
    script = f'mount -t tmpfs -o size=4m none "{tmp_path}" && "$@"; code=$?; ls -A "{tmp_path}"; exit $code'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    if subprocess.run([*command, "true"], capture_output=True).returncode != 0:
        pytest.skip("this system lets no user mount a file system in a namespace")
    result = subprocess.run([*command, TIEOUT, "convert", large, tmp_path / "out.pt"], capture_output=True, text=True)
    assert result.returncode == IO
    assert "No space left on device" in result.stderr
    assert result.stdout == ""


def test_the_target_may_be_the_source(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes((MODELS / "lenet5.pt").read_bytes())
    done("convert", path, path, "--force")
    once, twice = tmp_path / "once.safetensors", tmp_path / "twice.safetensors"
    done("convert", MODELS / "lenet5.pt", once)
    done("convert", path, twice)
    assert once.read_bytes() == twice.read_bytes()


def test_permissions_are_those_of_any_new_file(tmp_path):
    path = tmp_path / "out.safetensors"
    mask = os.umask(0o027)
    try:
        done("convert", MODELS / "lenet5.pt", path)
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o640
