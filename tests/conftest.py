"""Settings of all Python tests: the frameworks run on the processor, quietly, also in the processes that tests start."""

import os

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
for name in ("KERAS_HOME", "TF_USE_LEGACY_KERAS", "PYTHONPATH", "PYTHONHOME"):
    os.environ.pop(name, None)
