"""Loads models in the real Keras as a user would and runs them, in float32. See predict.py."""

import os

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import keras
import numpy as np
from case_runner import main


def load(item):
    if "template" not in item:
        return keras.saving.load_model(item["model"])
    model = keras.saving.load_model(item["template"])
    model.set_weights([np.zeros_like(array) for array in model.get_weights()])  # what is not loaded shows
    model.load_weights(item["model"])
    return model


def perform(item):
    keras.backend.clear_session()
    model = load(item)
    inputs = np.load(item["inputs"])
    outputs = [model(inputs[start : start + 500], training=False) for start in range(0, len(inputs), 500)]
    np.save(item["outputs"], np.concatenate(outputs))


if __name__ == "__main__":
    main(perform)
