"""Prints the first output of several `tieout run -o NAME.npz` files, one above the other.

Only the standard library: ./dev demo runs on a machine without numpy.
"""

import ast
import struct
import sys
import zipfile
from pathlib import Path

TYPES = {"<f4": "f", "<f8": "d"}


def read_npy(data):
    """The values of an .npy file of floats, flat. Format: numpy.lib.format, versions 1.0 and 2.0."""
    if data[:6] != b"\x93NUMPY":
        raise SystemExit("not an .npy file")
    start, width = (10, "<H") if data[6] == 1 else (12, "<I")
    length = struct.unpack_from(width, data, 8)[0]
    header = ast.literal_eval(data[start : start + length].decode("latin-1"))
    count = 1
    for size in header["shape"]:
        count *= size
    return struct.unpack_from(f"<{count}{TYPES[header['descr']]}", data, start + length)


def first_output(path):
    with zipfile.ZipFile(path) as archive:
        return read_npy(archive.read("output/0.npy"))


def main(paths):
    rows = [(Path(path).stem, first_output(path)) for path in paths]
    width = max(len(name) for name, _ in rows)
    print(" " * width, *(f"{digit:>10}" for digit in range(len(rows[0][1]))), sep="")
    for name, values in rows:
        print(f"{name:<{width}}", *(f"{value:10.6f}" for value in values), sep="")
    first = rows[0][1]
    largest = max(abs(a - b) for _, values in rows[1:] for a, b in zip(first, values, strict=True))
    print(f"the digit is read as {first.index(max(first))}; largest difference {largest:.1e}")


if __name__ == "__main__":
    main(sys.argv[1:])
