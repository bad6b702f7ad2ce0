"""Each class that `tieout layers` lists as refused: exit code 5, a message with layer, class, reason and way out, no file.

Where Keras makes a model of the class with plain arguments, that is converted; otherwise the name of the class is
written into the config of another model.
"""

import json
import pathlib
import subprocess
import zipfile

import pytest
from case_flow import PYTHON, REFUSED, TIEOUT

HERE = pathlib.Path(__file__).parent
LISTED = json.loads(subprocess.run([TIEOUT, "layers", "--json"], capture_output=True, timeout=60, check=True).stdout)
CLASSES = {
    framework: {
        entry["class"]: entry["reason"]
        for entry in LISTED
        if entry["framework"] == framework and entry["status"] == "refused" and entry["class"].isidentifier()
    }
    for framework in ("keras", "torch")
}


def rename_class(source, target, name):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            if entry == "config.json":
                config = json.loads(data)
                config["config"]["layers"][-1]["class_name"] = name
                data = json.dumps(config)
            new.writestr(entry, data)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folders = {}
    for framework, classes in CLASSES.items():
        folder = folders[framework] = tmp_path_factory.mktemp(framework)
        names = folder / "names.json"
        names.write_text(json.dumps(list(classes)))
        command = [PYTHON[framework], HERE / "make_refused.py", framework, names, folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
        for name in json.loads(done.stdout.splitlines()[-1]):
            rename_class(folder / "base.keras", folder / f"{name}.keras", name)
    return folders


def assert_refused(source, target, layer, name, reason, *options):
    done = subprocess.run([TIEOUT, "convert", source, target, *options], capture_output=True, text=True, timeout=60)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == REFUSED, said
    for part in (layer, name, reason, "way out"):
        assert part in said, f"{part!r} is not in: {said}"
    assert not list(target.parent.glob(target.stem + ".*"))


@pytest.mark.parametrize("name", CLASSES["keras"])
def test_keras(models, tmp_path, name):
    source = models["keras"] / f"{name}.keras"
    assert_refused(source, tmp_path / "out.pt", "odd", name, CLASSES["keras"][name])


@pytest.mark.parametrize("name", CLASSES["torch"])
def test_torch(models, tmp_path, name):
    source = models["torch"] / f"{name}.pt"
    assert_refused(source, tmp_path / "out.keras", "1", name, CLASSES["torch"][name], "--input-shape", "3")
