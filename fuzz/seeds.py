"""Makes the files that fuzzing starts from: python fuzz/seeds.py TIEOUT FOLDER fills FOLDER/TARGET for each fuzz target.

They are the small files of tests/hostile and what tieout makes of them in every format that it writes. Archives come a
second time without checksums, as PyTorch writes them when it is told to, so that changes reach what lies behind them.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

FILES = pathlib.Path(__file__).parents[1] / "tests" / "hostile" / "files"
CONTAINERS = {"PK": "container_zip", "\x89HDF": "container_hdf5", "\x93NUMPY": "container_npy", "{": "container_json"}
CRC_AT = {b"PK\3\4": 14, b"PK\1\2": 16, b"PK\7\x08": 4}


def without_crcs(archive):
    changed = bytearray(archive)
    for signature, offset in CRC_AT.items():
        for found in re.finditer(re.escape(signature), archive):
            at = found.start() + offset
            changed[at : at + 4] = bytes(len(changed[at : at + 4]))
    return bytes(changed)


def format_of(tieout, path):
    done = subprocess.run([tieout, "inspect", path, "--json"], capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)["format"] if done.returncode == 0 else None


def written(tieout, folder):
    """The tiny LeNet in each format that tieout writes."""
    formats = json.loads(subprocess.run([tieout, "formats", "--json"], capture_output=True, check=True).stdout)
    for entry in formats:
        for suffix in entry["suffixes"] if entry["writes"] else ():
            like = [] if entry["framework"] == "torch" else ["--like", FILES / "tiny_lenet.keras"]
            target = folder / entry["name"] / f"tiny{suffix}"
            target.parent.mkdir(exist_ok=True)
            command = [tieout, "convert", FILES / "tiny_lenet_module.pt", target, "--input-shape", "1,12,12", *like]
            subprocess.run(command, capture_output=True, timeout=60)
    values = folder / "container_npy" / "values.npz"
    values.parent.mkdir()
    command = [tieout, "run", FILES / "tiny_lenet.keras", "--layer", "conv2d", "-o", values]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".py"]


def varint(number):
    return bytes([number]) if number < 128 else bytes([number % 128 | 128]) + varint(number >> 7)


def field(number, content):
    """Of a protocol buffer: bytes, a text or a message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def saved_model_parts(data_file):
    """What a SavedModel and a checkpoint keep in files of their own, (target, content): the graph's envelope, Keras'
    metadata, and the graph of objects, which is the first text of the data file (its length, a checksum, itself)."""
    yield "saved_model", b"\x08\x01" + field(2, field(1, field(4, b"serve")) + field(2, b""))
    with zipfile.ZipFile(FILES / "tiny_lenet.keras") as archive:
        model = archive.read("config.json")
    layer = json.dumps({"name": "dense", "class_name": "Dense", "config": {"name": "dense", "units": 4}}).encode()
    nodes = (b"root", b"_tf_keras_sequential", model), (b"root.layer-4", b"_tf_keras_layer", layer)
    yield (
        "part_keras_metadata",
        b"".join(field(1, field(3, path) + field(4, kind) + field(5, text)) for path, kind, text in nodes),
    )
    content = data_file.read_bytes()
    length = next(k for k in range(10) if content[k] < 128) + 1
    size = sum((byte & 127) << 7 * k for k, byte in enumerate(content[:length]))
    yield "part_object_graph", content[length + 4 : length + 4 + size]


def main():
    tieout, out = sys.argv[1], pathlib.Path(sys.argv[2])
    shutil.rmtree(out, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        made = written(tieout, pathlib.Path(folder))
        count = 0

        def add(target, content):
            nonlocal count
            (out / target).mkdir(parents=True, exist_ok=True)
            (out / target / f"{count:04}").write_bytes(content)
            count += 1

        data_file = next(path for path in made if ".ckpt.data-" in path.name)
        for target, content in saved_model_parts(data_file):
            add(target, content)
            add("container_protobuf", content)
        for source in sorted(FILES.iterdir()) + made:
            content = source.read_bytes()
            variants = [content, without_crcs(content)] if content.startswith(b"PK") else [content]
            named = {".pt": "torch_pt"}.get(source.suffix, source.suffix[1:])
            format_name = source.parent.name if source in made else format_of(tieout, source) or named
            for variant in variants:
                if re.fullmatch(r"\w+", format_name):
                    add(format_name, variant)
                if source.name.endswith(".index"):
                    add("container_tensor_bundle", variant)
                if source.suffix == ".pb":
                    add("container_protobuf", variant)
                for magic, target in CONTAINERS.items():
                    if variant.startswith(magic.encode("latin1")):
                        add(target, variant)
            if zipfile.is_zipfile(source):
                with zipfile.ZipFile(source) as archive:
                    for name in archive.namelist():
                        if name.endswith(".pkl"):
                            add("container_pickle", archive.read(name))
                        if name.endswith(".json"):
                            add("container_json", archive.read(name))
                        if name.endswith(".npy"):
                            add("container_npy", archive.read(name))
                            add("container_npy", content)


if __name__ == "__main__":
    main()
