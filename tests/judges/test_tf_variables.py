"""The elements of TensorFlow's checkpoints, of every type and every writer, and what damage does to them."""

import json
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
from predict import PYTHON, TIEOUT, tieout

HERE = pathlib.Path(__file__).parent
WRITERS = ("types", "many", "slices", "tensorflow_1")
# Reads what tieout wrote, all in one process, by TensorFlow itself.
READ = """
import sys
import numpy as np
import tensorflow as tf

found = {}
for writer in sys.argv[2:]:
    reader = tf.train.load_checkpoint(f"{sys.argv[1]}/{writer}_out")
    for key in reader.get_variable_to_dtype_map():
        if key != "_CHECKPOINTABLE_OBJECT_GRAPH":
            array = reader.get_tensor(key)
            name = key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE").replace(".S", "/").replace("..", ".")
            found[f"{writer}:{name}"] = array.view("uint16") if array.dtype.name == "bfloat16" else array
np.savez(f"{sys.argv[1]}/found.npz", **found)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("variables")
    (folder / "tensorflow_1").mkdir()
    subprocess.run([PYTHON["keras"], HERE / "checkpoint_variables.py", folder], check=True, timeout=600)
    return folder


@pytest.fixture(scope="module")
def found(folder):
    for writer in WRITERS:
        tieout("convert", folder / writer, folder / f"{writer}_out.index")
    subprocess.run([PYTHON["keras"], "-c", READ, folder, *WRITERS], check=True, timeout=600)
    return np.load(folder / "found.npz")


@pytest.mark.parametrize("writer", WRITERS)
def test_every_element_arrives(folder, found, writer):
    wanted = np.load(folder / "values.npz")
    names = [name for name in wanted.files if name.startswith(f"{writer}:")]
    assert names
    for name in names:
        assert found[name].dtype == wanted[name].dtype, name
        assert np.array_equal(found[name], wanted[name]), name


def listed(path):
    return {tensor["name"]: tensor for tensor in json.loads(tieout("inspect", path, "--json"))["tensors"]}


def test_strings_are_not_carried_and_named(folder):
    done = subprocess.run([TIEOUT, "inspect", folder / "types"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "not carried: m/words" in done.stdout


def test_names_are_those_of_the_objects(folder):
    assert listed(folder / "types")["m/a/b.c"]["dtype"] == "float64"


def test_a_folder_is_its_latest_checkpoint_also_where_it_was_moved_to(folder, tmp_path):
    moved = shutil.copytree(folder / "tensorflow_1", tmp_path / "moved")
    assert str(folder) in (moved / "checkpoint").read_text()  # TensorFlow 1 notes absolute paths
    assert "dense/kernel" in listed(moved)


@pytest.mark.parametrize("latest", ["../types", "a/b", "..", "", 'a\\"b'])
def test_the_latest_checkpoint_stays_in_its_folder(folder, tmp_path, latest):
    (tmp_path / "checkpoint").write_text(f'model_checkpoint_path: "{latest}"\n')
    done = subprocess.run([TIEOUT, "inspect", tmp_path], capture_output=True, text=True, timeout=60)
    assert done.returncode in (3, 4)
    assert "checkpoint" in done.stderr


def test_layers_of_tensorflow_1_are_paired_by_name(folder):
    text = tieout("inspect", folder / "tensorflow_1")
    layers = [
        line.split()[0] for line in text.splitlines() if line.startswith("  ") and "Dense" in line or "Conv2D" in line
    ]
    assert layers == ["conv/first", "dense"]  # no slot of Adam's among them


def test_layers_without_an_order_make_no_h5(folder, tmp_path):
    done = subprocess.run(
        [TIEOUT, "convert", folder / "tensorflow_1", tmp_path / "out.h5"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 5 and "in their order" in done.stderr and not list(tmp_path.iterdir())


def test_a_data_file_is_missing(folder, tmp_path):
    shutil.copy(folder / "types.index", tmp_path)
    done = subprocess.run([TIEOUT, "inspect", tmp_path / "types"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "types.data-00000-of-00001" in done.stderr


def test_damaged_elements_are_refused(folder, tmp_path):
    for suffix in (".index", ".data-00000-of-00001"):
        shutil.copy(folder / f"types{suffix}", tmp_path)
    data = tmp_path / "types.data-00000-of-00001"
    whole = bytearray(data.read_bytes())
    for at in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[at] ^= 4
        data.write_bytes(damaged)
        done = subprocess.run([TIEOUT, "inspect", tmp_path / "types"], capture_output=True, text=True, timeout=60)
        # A string that is not carried is not read either.
        assert done.returncode == 4 or b"onethree" in whole[max(0, at - 20) : at + 20], at
    data.write_bytes(whole[:-1])
    tieout("inspect", tmp_path / "types", expect=4)
