"""Files in the format of PyTorch before 1.6 are read as PyTorch reads them: values, views, whole modules."""

import io
import json
import pathlib
import pickle
import struct
import tarfile

import pytest
import torch
from torch import nn
from torch_files import assert_listed, assert_same, odd_tensors, tieout

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
WRITER = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def save(value, path):
    torch.save(value, path, _use_new_zipfile_serialization=False)


def test_a_state_dict_is_carried_bit_for_bit(tmp_path):
    source, target = tmp_path / "legacy.pth", tmp_path / "target.pt"
    wanted = odd_tensors()  # PyTorch writes uint16 or float8 so, and cannot load them (AttributeError)
    save(wanted, source)
    assert_listed(source, wanted)
    tieout("convert", source, target)
    loaded = torch.load(target, weights_only=True)
    assert_same(loaded, wanted)
    assert loaded["base"].data_ptr() == loaded["again"].data_ptr()


def test_a_whole_module_is_the_same_as_in_a_zip_file(tmp_path):
    module = nn.Sequential(
        nn.Conv2d(3, 5, (3, 2), stride=(2, 1), bias=False), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten(), nn.Linear(80, 7)
    )
    legacy, current = tmp_path / "legacy.pt", tmp_path / "current.pt"
    save(module, legacy)
    torch.save(module, current)
    assert b"class Conv2d(" in legacy.read_bytes()  # the source text, which is a field of the class's persistent id
    listed = [json.loads(tieout("inspect", path, "--json")) for path in (legacy, current)]
    assert listed[0] == listed[1]
    tieout("verify", legacy, current, "--input-shape", "3,9,5", "--probes", "1")


def test_a_file_of_python_2(tmp_path):
    """Its OrderedDict is pickled as a call with a list of pairs, its texts as bytes."""
    source, target = pathlib.Path(__file__).parents[1] / "data" / "lpips" / "alex.pth", tmp_path / "target.pt"
    wanted = torch.load(source, weights_only=True, map_location="cpu")  # they were saved on a GPU
    assert_listed(source, wanted)
    tieout("convert", source, target)
    assert_same(torch.load(target, weights_only=True), wanted)


class Id:
    def __init__(self, *fields):
        self.fields = fields


def legacy_file(value, keys, storages, writer=WRITER):
    """A file of that format by hand; an Id in `value` becomes a persistent id."""
    buffer = io.BytesIO()
    for part in (MAGIC, PROTOCOL, writer):
        pickle.dump(part, buffer, protocol=2)
    pickler = pickle.Pickler(buffer, protocol=2)
    pickler.persistent_id = lambda part: part.fields if isinstance(part, Id) else None
    pickler.dump(value)
    pickle.dump(keys, buffer, protocol=2)
    for count, elements in storages:
        buffer.write(struct.pack("<q", count) + elements)
    return buffer.getvalue()


class View:
    """Pickled as the call that makes a tensor of a storage."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return torch._utils._rebuild_tensor, self.arguments


ELEMENTS = torch.arange(20, dtype=torch.int16).mul(37).sub(300)


def storage(*view):
    return Id("storage", torch.ShortStorage, "base", "cpu", 20, view or None)


def views(**more):
    """PyTorch before 0.4 kept parts of a storage as storages of their own."""
    return legacy_file(
        {
            "whole": View(storage(), 2, (3, 4), (6, 1)),
            "part": View(storage("part", 5, 12), 1, (2, 3), (1, 4)),
            "same": View(storage("part", 5, 12), 1, (2, 3), (1, 4)),
        },
        ["base"],
        [(20, ELEMENTS.numpy().tobytes())],
        **more,
    )


def test_views_of_storages(tmp_path):
    source, target = tmp_path / "views.pt", tmp_path / "target.pt"
    source.write_bytes(views())
    wanted = torch.load(source, weights_only=True)
    assert wanted["part"].tolist() == [[ELEMENTS[6 + i + 4 * j].item() for j in range(3)] for i in range(2)]
    assert_listed(source, wanted)
    tieout("convert", source, target)
    assert_same(torch.load(target, weights_only=True), wanted)


def test_views_that_leave_their_storage(tmp_path):
    path = tmp_path / "leaves.pt"
    for view, strides in (((15, 6), (1, 1)), ((-1, 4), (1, 1)), ((5, 4), (1, 3)), ((2**62, 2**62), (1, 1))):
        value = {"w": View(storage("part", *view), 0, (2, 2), strides)}
        path.write_bytes(legacy_file(value, ["base"], [(20, ELEMENTS.numpy().tobytes())]))
        tieout("inspect", path, expect=4)


def error(path, expect):
    return json.loads(tieout("inspect", path, "--json", expect=expect))["error"]


def test_a_storage_that_is_not_there(tmp_path):
    """PyTorch gives whatever the memory held."""
    path = tmp_path / "missing.pt"
    path.write_bytes(legacy_file({"w": View(storage(), 0, (2, 2), (1, 2))}, [], []))
    said = error(path, 4)
    assert "does not hold the storage base" in said["message"] and said["tensor"] == "w"


def test_another_count_or_more_bytes_than_said(tmp_path):
    path = tmp_path / "counts.pt"
    value = {"w": View(storage(), 0, (2, 2), (1, 2))}
    path.write_bytes(legacy_file(value, ["base"], [(19, ELEMENTS[:19].numpy().tobytes())]))
    assert "should have 20 elements" in error(path, 4)["message"]
    path.write_bytes(views() + b"more")
    assert "left after the last storage" in error(path, 4)["message"]


def test_big_endian_numbers_are_refused(tmp_path):
    """PyTorch does not look at the flag."""
    path = tmp_path / "big.pt"
    path.write_bytes(views(writer=WRITER | {"little_endian": False}))
    assert "big-endian" in error(path, 5)["message"]


def test_the_tar_files_before_it_are_refused_by_name(tmp_path):
    path = tmp_path / "old.pt"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("storages", "tensors", "pickle"):
            member = tarfile.TarInfo(name)
            member.mtime, member.size = 1.5, 700
            archive.addfile(member, io.BytesIO(bytes(700)))
    assert "before 0.1.10" in error(path, 5)["message"]
