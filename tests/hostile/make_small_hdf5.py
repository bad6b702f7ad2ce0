"""Writes the small HDF5 files of files/ with h5py: weights of a layer in four ways, for src/containers/hdf5/damage_test.cpp.

python tests/hostile/make_small_hdf5.py
"""

import pathlib

import h5py
import numpy as np

FILES = pathlib.Path(__file__).parent / "files"
VALUES = np.random.default_rng(3).normal(size=(6, 5)).astype("f4")
PACKED = {"chunks": (4, 3), "compression": "gzip", "shuffle": True, "fletcher32": True}


def write(name, version, fill):
    with h5py.File(FILES / f"{name}.weights.h5", "w", libver=version) as file:
        group = file.create_group("layers/dense/vars")
        group.attrs["name"] = "dense"
        fill(group)


def plain(group):
    group["0"] = VALUES
    group["1"] = VALUES[0] > 0


def packed(group):
    group.create_dataset("0", data=VALUES, **PACKED)
    group.create_dataset("1", data=VALUES[0].astype(">f8"), chunks=(2,), maxshape=(None,))


def dense(group):
    """More than eight members and attributes: a heap and its index."""
    for k in range(10):
        group.create_dataset(str(k), data=np.float32(k), track_times=False)
    for k in range(10):
        group.attrs[f"note_{k}"] = np.bytes_("n" * k)


def indexed(group):
    group.create_dataset("0", data=VALUES, **PACKED)
    group.create_dataset("1", data=VALUES, chunks=(4, 3), maxshape=(None, None), shuffle=True)
    group.create_dataset("2", data=VALUES, chunks=(6, 5), compression="gzip")
    group.create_dataset("3", data=VALUES, chunks=(1, 5), maxshape=(None, 5))


if __name__ == "__main__":
    write("h5_plain", "earliest", plain)
    write("h5_packed", "earliest", packed)
    write("h5_dense", "latest", dense)
    write("h5_indexed", "latest", indexed)
