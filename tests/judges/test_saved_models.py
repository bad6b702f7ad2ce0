"""SavedModels of Keras 3 and tf-keras, and tf-keras' checkpoints: every weight arrives in the real libraries."""

import json
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
from predict import PYTHON, TIEOUT, tieout
from safetensors.numpy import load_file

HERE = pathlib.Path(__file__).parent
KERAS3 = ("chain", "sequence", "attention", "compiled")
KERAS2 = ("convolutions", "branches", "recurrent", "attention", "nested")
PLAIN = [name for name in KERAS2 if name != "nested"]


def run(command, folder):
    subprocess.run([PYTHON["keras"], HERE / "saved_models.py", command, folder], check=True, timeout=600)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    run("make", folder)
    return folder


@pytest.fixture(scope="module")
def verdicts(folder):
    """{file: "equal" or a traceback} for every file that tieout wrote, all loaded in one process."""
    cases = []

    def convert(source, file, *options, saved, how):
        tieout("convert", folder / source, folder / file, *options)
        cases.append({"saved": saved, "file": file.removesuffix(".index"), "how": how})

    for name in KERAS3:
        like = ("--like", folder / f"{name}_other.keras")
        convert(f"{name}_export", f"{name}_export.keras", *like, saved=f"{name}_3.keras", how="keras")
        convert(f"{name}_saved", f"{name}_saved.keras", *like, saved=f"{name}_3.keras", how="keras")
    for name in KERAS2:
        like = ("--like", folder / f"{name}_weights")
        convert(f"{name}_2.h5", f"{name}_like.index", *like, saved=f"{name}_2.h5", how=name)
    for name in PLAIN:
        like = ("--like", folder / f"{name}_other.h5")
        convert(f"{name}_2", f"{name}_out.h5", saved=f"{name}_2.h5", how="tf_keras")
        convert(f"{name}_weights", f"{name}_read.h5", *like, saved=f"{name}_2.h5", how="tf_keras")
        convert(f"{name}_2.h5", f"{name}_written.index", saved=f"{name}_2.h5", how=name)
    (folder / "cases.json").write_text(json.dumps(cases))
    run("judge", folder)
    return json.loads((folder / "verdicts.json").read_text())


@pytest.mark.parametrize("name", KERAS3)
@pytest.mark.parametrize("how", ["export", "saved"])
def test_the_weights_of_a_keras_3_model(verdicts, name, how):
    assert verdicts[f"{name}_{how}.keras"] == "equal"


@pytest.mark.parametrize("name", PLAIN)
def test_a_tf_keras_model_is_whole(verdicts, name):
    assert verdicts[f"{name}_out.h5"] == "equal"


@pytest.mark.parametrize("name", KERAS2)
def test_a_tf_keras_model_is_carried_as_its_h5(folder, name):
    for source in (f"{name}_2", f"{name}_2.h5"):
        tieout("convert", folder / source, folder / f"{source}.safetensors")
    found, wanted = (load_file(folder / f"{name}_2{suffix}.safetensors") for suffix in ("", ".h5"))
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[key], wanted[key]) for key in wanted)


@pytest.mark.parametrize("name", PLAIN)
def test_tf_keras_checkpoints_fill_templates(verdicts, name):
    assert verdicts[f"{name}_read.h5"] == "equal"


@pytest.mark.parametrize("name", KERAS2)
def test_tf_keras_loads_what_was_like_its_checkpoint(verdicts, name):
    assert verdicts[f"{name}_like"] == "equal"


@pytest.mark.parametrize("name", PLAIN)
def test_tf_keras_loads_checkpoints_that_are_written(verdicts, name):
    assert verdicts[f"{name}_written"] == "equal"


@pytest.mark.parametrize("file", ["saved_model.pb", "keras_metadata.pb", "variables/variables.index"])
def test_files_that_were_cut_are_malformed(folder, tmp_path, file):
    cut = tmp_path / "model"
    shutil.copytree(folder / "branches_2", cut)
    whole = (cut / file).read_bytes()
    for size in (0, 3, len(whole) // 3, len(whole) - 1):
        (cut / file).write_bytes(whole[:size])
        done = subprocess.run([TIEOUT, "inspect", cut], capture_output=True, text=True, timeout=60)
        assert done.returncode == 4, done.stdout + done.stderr


def test_a_saved_model_without_variables_is_refused(folder, tmp_path):
    (tmp_path / "saved_model.pb").write_bytes((folder / "branches_2" / "saved_model.pb").read_bytes())
    done = subprocess.run([TIEOUT, "inspect", tmp_path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 5
    assert "no variables" in done.stderr
