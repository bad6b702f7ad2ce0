"""What several of the tests of the commands start from."""

import pytest
from program import MODELS, done


@pytest.fixture(scope="session")
def converted(tmp_path_factory):
    """lenet5_module.pt as a Keras model."""
    path = tmp_path_factory.mktemp("converted") / "lenet5.keras"
    done("convert", MODELS / "lenet5_module.pt", path, "--input-shape", "1,28,28")
    return path
