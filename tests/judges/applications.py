"""The networks of keras.applications, from Keras to PyTorch and back.

Run as a program, it takes all 40 (or those named) and writes their rows of docs/applications.md; that takes an hour or
two. test_applications.py takes small ones.

    python tests/judges/applications.py [NAME ...]
"""

import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from predict import HERE, PYTHON, ROOT, tieout

TABLE = ROOT / "docs" / "applications.md"
FLOAT32 = 1e-5
FLOAT64 = 1e-11

# Each takes images of its own default size, but three of more than 100 M parameters.
SIDE = "default"
SIDES = dict.fromkeys(("ConvNeXtLarge", "ConvNeXtXLarge", "EfficientNetV2L"), "64")

NAMES = [
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Large",
    "MobileNetV3Small",
    "NASNetLarge",
    "NASNetMobile",
    "ResNet101",
    "ResNet101V2",
    "ResNet152",
    "ResNet152V2",
    "ResNet50",
    "ResNet50V2",
    "VGG16",
    "VGG19",
    "Xception",
]


@dataclasses.dataclass
class Result:
    name: str
    parameters: int
    input: list
    float32: float  # PyTorch's output beside Keras', both float32, relative to the largest value
    float64: float  # PyTorch's in float64 beside the interpreter's, likewise
    back: float  # Keras' own output from what came back beside that from the original
    lost: list  # shapes of weights that are not bit-equal after the way back

    @property
    def ties_out(self):
        return self.float32 <= FLOAT32 and self.float64 <= FLOAT64 and not self.lost

    def row(self):
        size = " x ".join(map(str, self.input))
        lost = "all" if not self.lost else f"not {len(self.lost)}"
        return f"| {self.name} | {self.parameters / 1e6:.1f} M | {size} | {self.float32:.1e} | {self.float64:.1e} | {lost} |"


def child(framework, script, *arguments):
    done = subprocess.run(
        [PYTHON[framework], HERE / script, *map(str, arguments)], capture_output=True, text=True, timeout=3600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout else None


def difference(got, wanted):
    assert got.shape == wanted.shape
    assert np.isfinite(wanted).all()
    return float(np.max(np.abs(got - wanted)) / np.max(np.abs(wanted)))


def take(name, folder, size=None):
    """There and back; a Result."""
    made = child("keras", "application_keras.py", "make", name, size or SIDES.get(name, SIDE), folder)
    # What convert proves by itself, on random inputs, is proven here by the frameworks.
    tieout("convert", folder / "source.keras", folder / "written.pt", "--no-verify")
    child("torch", "application_torch.py", folder)
    tieout("run", folder / "source.keras", "--probe", folder / "input.npy", "-o", folder / "ours.npz")
    tieout("convert", folder / "written.pt", folder / "back.keras", "--no-verify")
    back = child("keras", "application_keras.py", "compare", folder)
    ours = np.load(folder / "ours.npz")
    keras_output = np.load(folder / "output.npy")
    return Result(
        name,
        made["parameters"],
        made["input"],
        difference(np.load(folder / "float32.npy"), keras_output),
        difference(np.load(folder / "float64.npy"), ours[ours.files[-1]]),
        difference(np.load(folder / "back.npy"), keras_output),
        back["lost"],
    )


HEAD = """\
# keras.applications

Each network with random parameters, running statistics included, from `.keras` to `.pt` and back, written by
`python tests/judges/applications.py`. Differences are relative to the largest value of the output:
PyTorch beside Keras in float32, PyTorch beside tieout's interpreter in float64. *Weights*: bit-equal after the
way back.

| network | parameters | input | float32 | float64 | weights |
|---|---|---|---|---|---|
"""


def write_row(result):
    """In its place among those that are there."""
    there = TABLE.read_text().splitlines()[HEAD.count("\n") :] if TABLE.exists() else []
    rows = {row.split()[1]: row for row in there}
    rows[result.name] = result.row()
    TABLE.write_text(HEAD + "".join(rows[name] + "\n" for name in sorted(rows)))


def main(names):
    for name in names or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                result = take(name, pathlib.Path(folder))
            except (AssertionError, subprocess.TimeoutExpired) as error:
                print(f"{name}: {str(error)[-1500:]}", flush=True)
                continue
        print(result.row(), flush=True)
        write_row(result)


if __name__ == "__main__":
    main(sys.argv[1:])
