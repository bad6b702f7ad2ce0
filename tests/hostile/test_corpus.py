"""What fuzzing kept (fuzz/corpus): the program reads every fifth file, or says what is wrong with it, and never fails itself."""

import os
import pathlib
import subprocess
import tarfile

import pytest
from test_hostile import TIEOUT

ARCHIVES = sorted((pathlib.Path(__file__).parents[2] / "fuzz" / "corpus").glob("*.tar.xz"))
# A start takes some milliseconds, under the sanitizers ten times as long: `./dev fuzz` begins with all of them.
EVERY = 50 if "TIEOUT_SANITIZED" in os.environ else 5
DONE, USAGE, IO, MALFORMED, UNSUPPORTED = 0, 2, 3, 4, 5


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def test_corpus(tmp_path, archive):
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    files = sorted(tmp_path.iterdir())
    assert files
    for path in files[::EVERY]:
        done = subprocess.run([TIEOUT, "inspect", path], capture_output=True, timeout=60)
        # io: an index whose shards are not there.
        assert done.returncode in (DONE, USAGE, IO, MALFORMED, UNSUPPORTED), (path.name, done.stderr[-2000:])


def test_there_is_a_corpus():
    assert len(ARCHIVES) == 20
