"""Four networks of keras.applications, there and back; applications.py takes all 40 and writes docs/applications.md."""

import applications
import pytest


@pytest.mark.parametrize("name", ["ConvNeXtTiny", "EfficientNetV2B0", "MobileNetV3Small", "ResNet50"])
def test_there_and_back(name, tmp_path):
    result = applications.take(name, tmp_path, "64")
    assert result.ties_out, result


def test_table_has_every_network():
    """Of the installed Keras, and each ties out."""
    makers = set(applications.child("keras", "application_keras.py", "list"))
    assert set(applications.NAMES) == makers
    rows = [row.split("|")[1:-1] for row in applications.TABLE.read_text().splitlines() if " x " in row]
    assert {row[0].strip() for row in rows} == makers
    for _, _, _, float32, float64, weights in rows:
        assert float(float32) <= applications.FLOAT32
        assert float(float64) <= applications.FLOAT64
        assert weights.strip() == "all"
