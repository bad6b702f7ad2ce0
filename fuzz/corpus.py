"""The files that fuzzing found and that make a difference, kept in the repository: fuzz/corpus/TARGET.tar.xz.

python fuzz/corpus.py unpack BUILD    into BUILD/corpus/TARGET, beside what is there
python fuzz/corpus.py pack BUILD      those of BUILD/corpus and BUILD/seeds that reach something of their own
"""

import io
import lzma
import pathlib
import subprocess
import sys
import tarfile
import tempfile

KEPT = pathlib.Path(__file__).parent / "corpus"
LARGEST = 65536


def unpack(build):
    for archive in sorted(KEPT.glob("*.tar.xz")):
        folder = build / "corpus" / archive.name.removesuffix(".tar.xz")
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")


def reduced(build, target):
    """The fewest files that together reach what all of them reach, by libFuzzer's own count."""
    with tempfile.TemporaryDirectory() as folder:
        found = [build / part / target for part in ("corpus", "seeds")]
        command = [build / "targets" / target, "-merge=1", f"-max_len={LARGEST}", folder, *found]
        subprocess.run(command, check=True, capture_output=True)
        return {path.name: path.read_bytes() for path in sorted(pathlib.Path(folder).iterdir())}


def pack(build):
    KEPT.mkdir(exist_ok=True)
    for target in sorted(path.name for path in (build / "targets").iterdir()):
        files = reduced(build, target)
        if not files:
            sys.exit(f"{target} reaches nothing: it needs seeds that it does not turn away (fuzz/seeds.py)")
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as packed:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                packed.addfile(entry, io.BytesIO(content))
        compressed = lzma.compress(plain.getvalue(), preset=9)
        (KEPT / f"{target}.tar.xz").write_bytes(compressed)
        print(f"{target}: {len(files)} files, {len(compressed) >> 10} KiB")


if __name__ == "__main__":
    {"unpack": unpack, "pack": pack}[sys.argv[1]](pathlib.Path(sys.argv[2]))
