"""The real HDF5 library writes weights in all its ways, tieout reads them: each value is compared with h5py's own.

What tieout read is seen through `tieout convert` into another file of weights, which h5py reads again.
"""

import json
import subprocess

import h5py
import ml_dtypes
import numpy as np
import pytest
from predict import TIEOUT, tieout

UNSUPPORTED = 5
VERSIONS = ["earliest", "v108", "v110", "latest"]


def add(file, name, values=None, **options):
    """A variable of a layer of its own, where Keras would keep it."""
    return file.create_dataset(f"layers/{name}/vars/0", data=values, **options)


def numbers(*shape, dtype="f4"):
    return (np.random.default_rng(len(shape) + shape[0]).normal(size=shape) * 40).astype(dtype)


def add_types(file):
    for dtype in ("i1", "u1", "<i2", ">i2", "<u4", ">u4", "<i8", ">u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"):
        order = "big" if dtype.startswith(">") else "little"
        values = np.abs(numbers(3, 5)) if "u" in dtype else numbers(3, 5)
        add(file, f"{order}_{np.dtype(dtype).name}", values.astype(dtype))
    add(file, "bool", numbers(3, 5) > 0)
    for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
        values = numbers(4, 3).astype(getattr(ml_dtypes, name))
        add(file, name, values.view(f"V{values.itemsize}")).attrs["dtype"] = name
    file["type"] = np.dtype("<f4")
    add(file, "committed", numbers(2, 3), dtype=file["type"])
    add(file, "committed_too", numbers(3, 2), dtype=file["type"])


def add_shapes(file):
    add(file, "scalar", np.float64(3.25))
    add(file, "empty", shape=(0, 3), dtype="f4")
    add(file, "empty_chunks", shape=(0, 3), dtype="f4", chunks=(2, 2), maxshape=(None, None))
    add(file, "never_written", shape=(4, 3), dtype=">f8", fillvalue=-2.25)
    add(file, "never_written_zeros", shape=(4, 3), dtype="i4")
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    values = numbers(5, 7)
    place = file.create_group("layers/compact/vars").id
    h5py.h5d.create(place, b"0", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((5, 7)), compact).write(
        h5py.h5s.ALL, h5py.h5s.ALL, values
    )
    file["layers/second_name/vars/0"] = file["layers/scalar/vars/0"]


def add_chunks(file):
    packed = {"compression": "gzip", "shuffle": True, "fletcher32": True}
    add(file, "packed", numbers(37, 11, dtype="f8"), chunks=(5, 4), **packed)
    add(file, "packed_big_endian", numbers(9, 11, 3, dtype=">i4"), chunks=(4, 3, 2), **packed)
    add(file, "gzip", numbers(37, 11), chunks=(8, 11), compression="gzip")
    add(file, "shuffle", numbers(37, 11), chunks=(8, 3), shuffle=True)
    add(file, "fletcher32_odd", numbers(7, 5, dtype="i1"), chunks=(3, 5), fletcher32=True)
    add(file, "many_chunks", numbers(60, 41, dtype="i2"), chunks=(1, 1))  # pages of an array, levels of a B-tree
    add(file, "one_chunk", numbers(6, 5), chunks=(6, 5))
    add(file, "one_packed_chunk", numbers(6, 5), chunks=(6, 5), **packed)
    for name, most in (("bounded", (40, 100)), ("unbounded", (None, None))):
        add(file, f"may_grow_{name}", numbers(30, 13), chunks=(4, 5), maxshape=most)
        add(file, f"may_grow_{name}_packed", numbers(30, 13), chunks=(4, 5), maxshape=most, **packed)
    for name, most in (("rows", (None, 13)), ("columns", (40, None))):
        add(file, f"growing_{name}", numbers(30, 13), chunks=(4, 5), maxshape=most)
        add(file, f"growing_{name}_packed", numbers(30, 13), chunks=(4, 5), maxshape=most, **packed)
    add(file, "growing_far", numbers(66000, dtype="i1"), chunks=(1,), maxshape=(None,))
    add(file, "growing_many", numbers(3, 900, dtype="i2"), chunks=(2, 1), maxshape=(5, None))
    add(file, "unbounded_many", numbers(70, 31, dtype="i2"), chunks=(1, 2), maxshape=(None, None))
    holes = add(file, "holes", shape=(20, 20), dtype=">f4", chunks=(3, 7), fillvalue=1.5, compression="gzip")
    holes[5:8, 9:12] = numbers(3, 3)
    shrunk = add(file, "shrunk", numbers(20, 9), chunks=(3, 4), maxshape=(30, 9))
    shrunk.resize((10, 5))
    # A chunk that its filter would not make smaller is stored without it.
    mixed = add(file, "filter_left_out", numbers(4, 6), chunks=(2, 6), compression="gzip")
    mixed.id.write_direct_chunk((2, 0), numbers(9, 6)[:2].tobytes(), filter_mask=1)
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    early.set_chunk((4, 5))
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    space = h5py.h5s.create_simple((10, 13), (20, 30))
    place = file.create_group("layers/without_index/vars").id
    h5py.h5d.create(place, b"0", h5py.h5t.IEEE_F32LE, space, early).write(h5py.h5s.ALL, h5py.h5s.ALL, numbers(10, 13))


def add_many_members(file):
    for k in range(300):
        add(file, f"member_{k}", numbers(2, 3) + k)


PARTS = {"types": add_types, "shapes": add_shapes, "chunks": add_chunks, "members": add_many_members}


def datasets(path):
    """By path. bfloat16 as its bytes, with what they are."""
    found = {}

    def see(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = (item[()], item.attrs.get("dtype"))

    with h5py.File(path) as file:
        file.visititems(see)
        for name in ("layers/second_name/vars/0",):  # visititems() sees each object once
            if name in file:
                found[name] = (file[name][()], None)
    return found


def compare(path, tmp_path):
    out = tmp_path / "out.weights.h5"
    tieout("convert", path, out)
    expected, read = datasets(path), datasets(out)
    assert expected.keys() == read.keys()
    for name, (values, dtype) in expected.items():
        assert read[name][1] == dtype, name
        assert read[name][0].shape == values.shape, name
        assert read[name][0].dtype == values.dtype.newbyteorder("="), name
        assert np.array_equal(read[name][0], values), name
    return expected


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("part", PARTS)
def test_values_are_h5pys(part, version, tmp_path):
    path = tmp_path / f"{part}.weights.h5"
    with h5py.File(path, "w", libver=(version, version if version != "earliest" else "latest")) as file:
        PARTS[part](file)
    assert len(compare(path, tmp_path)) >= 7


@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_order_of_creation_is_tracked(version, tmp_path):
    path = tmp_path / "tracked.weights.h5"
    with h5py.File(path, "w", libver=version, track_order=True) as file:
        add_many_members(file)
    compare(path, tmp_path)


@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_groups_of_several_levels(version, tmp_path):
    """3,000 groups: B-trees of three levels, heaps with tables of blocks."""
    path = tmp_path / "wide.weights.h5"
    with h5py.File(path, "w", libver=version) as file:
        for k in range(3000):
            add(file, f"a_layer_with_a_long_name_{k}", np.float32(k))
    found = json.loads(tieout("inspect", path, "--json"))
    assert len(found["tensors"]) == 3000


def test_user_block(tmp_path):
    path = tmp_path / "block.weights.h5"
    with h5py.File(path, "w", userblock_size=1024) as file:
        add_shapes(file)
    with open(path, "r+b") as raw:
        raw.write(b"#!/bin/sh\n")
    compare(path, tmp_path)


def test_user_block_put_before_a_file(tmp_path):
    """The addresses in the file know nothing of it (h5jam does so)."""
    path = tmp_path / "plain.weights.h5"
    with h5py.File(path, "w") as file:
        add_chunks(file)
    before = tmp_path / "jammed.weights.h5"
    before.write_bytes(b"x" * 512 + path.read_bytes())
    out = tmp_path / "out.weights.h5"
    tieout("convert", before, out)
    assert datasets(out).keys() == datasets(path).keys()


def legacy_h5(path, version, write_names):
    """A legacy .h5 file of weights: attributes name the layers and their weights."""
    layers = {f"layer_{'x' * 60}_{k}": numbers(2, 3) + k for k in range(1200)}
    with h5py.File(path, "w", libver=version) as file:
        write_names(file.attrs, "layer_names", list(layers))
        for name, values in layers.items():
            write_names(file.create_group(name).attrs, "weight_names", ["kernel:0"])
            file[f"{name}/kernel:0"] = values
    return layers


def variable(attrs, name, texts):
    attrs.create(name, texts, dtype=h5py.string_dtype())


def fixed(attrs, name, texts):
    attrs.create(name, np.array([text.encode() for text in texts]))


def many(attrs, name, texts):
    """More than eight attributes go to a heap of their own."""
    for k in range(30 if name == "layer_names" else 0):
        attrs[f"note_{k}"] = "n" * k
    fixed(attrs, name, texts)


@pytest.mark.parametrize(
    "version, write_names",
    # 1,200 names are more than 64 KiB, which only dense storage can hold.
    [("earliest", variable), ("latest", variable), ("latest", fixed), ("latest", many)],
)
def test_attributes(version, write_names, tmp_path):
    path = tmp_path / "legacy.h5"
    layers = legacy_h5(path, version, write_names)
    found = json.loads(tieout("inspect", path, "--json"))
    assert {layer["name"] for layer in found["layers"]} == set(layers)


def soft_link(file):
    file["layers/link/vars/0"] = h5py.SoftLink("/layers/plain/vars/0")


def external_link(file):
    file["layers/link/vars/0"] = h5py.ExternalLink("other.h5", "/a")


def virtual_dataset(file):
    layout = h5py.VirtualLayout(shape=(2, 3), dtype="f4")
    layout[:] = h5py.VirtualSource("other.h5", "a", shape=(2, 3))
    file.create_virtual_dataset("layers/virtual/vars/0", layout)


def external_storage(file):
    add(file, "outside", shape=(2, 3), dtype="f4", external=[("outside.bin", 0, 24)])


def lzf(file):
    add(file, "lzf", numbers(6, 5), chunks=(6, 5), compression="lzf")


def scale_offset(file):
    add(file, "scaled", numbers(6, 5, dtype="i4"), chunks=(6, 5), scaleoffset=0)


def compound(file):
    add(file, "compound", np.zeros(3, dtype="f4, i4"))


def texts(file):
    add(file, "texts", ["a", "bc"])


def without_shape(file):
    add(file, "without_shape", h5py.Empty("f4"))


REFUSED = {
    soft_link: "a soft link",
    external_link: "a link to another file",
    virtual_dataset: "a virtual dataset",
    external_storage: "a dataset whose elements are in another file",
    lzf: 'a dataset packed with the HDF5 filter 32000 "lzf"',
    scale_offset: "a dataset packed with the HDF5 filter 6",
    compound: "a compound type of 8 bytes",
    texts: "a variable-length type of 16 bytes",
    without_shape: "a dataset without a shape",
}


@pytest.mark.parametrize("version", ["earliest", "latest"])
@pytest.mark.parametrize("write", REFUSED, ids=lambda write: write.__name__)
def test_refused_by_name(write, version, tmp_path):
    path = tmp_path / "refused.weights.h5"
    with h5py.File(path, "w", libver=version) as file:
        add(file, "plain", numbers(2, 3))
        write(file)
    done = subprocess.run([TIEOUT, "inspect", path, "--json"], capture_output=True, text=True, timeout=60)
    assert done.returncode == UNSUPPORTED, done.stdout
    assert REFUSED[write] in json.loads(done.stdout)["error"]["message"]


def test_too_many_growing_chunks_are_refused(tmp_path):
    """From some 131,000 chunks on, libver="latest" adds pages to the array that keeps them."""
    path = tmp_path / "growing.weights.h5"
    with h5py.File(path, "w", libver="latest") as file:
        add(file, "growing", numbers(132000, dtype="i1"), chunks=(1,), maxshape=(None,))
    tieout("inspect", path, expect=UNSUPPORTED)


MALFORMED = {
    "a group that is reached by two ways": lambda file: file.__setitem__("layers/loop", file["/"]),
    "datasets of more than": lambda file: add(file, "huge", shape=(10**6, 10**6), dtype="f4"),
}


@pytest.mark.parametrize("message", MALFORMED)
def test_malformed(message, tmp_path):
    path = tmp_path / "malformed.weights.h5"
    with h5py.File(path, "w") as file:
        add(file, "plain", numbers(2, 3))
        MALFORMED[message](file)
    done = subprocess.run([TIEOUT, "inspect", path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 4
    assert message in done.stderr


def test_a_damaged_chunk_is_found(tmp_path):
    path = tmp_path / "damaged.weights.h5"
    with h5py.File(path, "w") as file:
        chunk = add(file, "packed", numbers(8, 5), chunks=(4, 5), fletcher32=True).id.get_chunk_info(1)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + 3] ^= 1
    path.write_bytes(content)
    done = subprocess.run([TIEOUT, "inspect", path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 4
    assert "fletcher32" in done.stderr and f"byte {chunk.byte_offset}" in done.stderr
