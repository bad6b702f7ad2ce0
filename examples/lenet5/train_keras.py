"""Trains the article's LeNet-5 and the classical one in Keras, and saves each as .keras and as .h5.

Activations are part of their layers, as the article has them. The article's net is saved as it was trained, with the
optimizer's variables, as most users' files are; the classical one without them.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")

import digits
import keras
import numpy as np
import tensorflow
from keras import layers

BATCH = 32
PATIENCE = 4


def article_net():
    """The third convolution sees the whole 5x5 map, so the flatten has one position a channel: order cannot go wrong."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, kernel_size=5, padding="same", activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, kernel_size=5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(120, kernel_size=5, activation="tanh"),
            layers.Flatten(),
            layers.Dense(84, activation="tanh"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def classical_net():
    """The flatten of 5x5 positions of 16 channels meets a dense layer: Keras' rows are in h,w,c order."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, kernel_size=5, padding="same", activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, kernel_size=5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="tanh"),
            layers.Dense(84, activation="tanh"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def arrays(part):
    return part.images[..., None], part.labels


def train(model, data, epochs):
    """Stops when the validation loss has not improved for PATIENCE epochs, and puts the best weights back."""
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping("val_loss", patience=PATIENCE, restore_best_weights=True)
    images, labels = arrays(data.train)
    history = model.fit(
        images,
        labels,
        batch_size=BATCH,
        epochs=epochs,
        validation_data=arrays(data.validation),
        callbacks=[stop],
        verbose=2,
    )
    losses = history.history["val_loss"]
    restored, _ = model.evaluate(*arrays(data.validation), verbose=0)
    if not np.isclose(restored, min(losses), rtol=1e-5):
        raise SystemExit("the best weights were not restored")
    print(f"best epoch {np.argmin(losses) + 1} of {len(losses)}")


def without_optimizer(model):
    copy = keras.Sequential.from_config(model.get_config())  # clone_model() would compile the copy too
    copy.set_weights(model.get_weights())
    return copy


def main():
    options = digits.arguments("Keras")
    data = digits.load(options.data)
    options.output.mkdir(parents=True, exist_ok=True)
    print(f"Keras {keras.__version__}, TensorFlow {tensorflow.__version__}, seed {options.seed}, {data.source}")
    # A seed each: from one seed the two, which compute the same functions, would come out with the same weights.
    nets = [("lenet5", article_net, options.seed), ("lenet5_classical", classical_net, options.seed + 1)]
    for name, make, seed in nets:
        keras.backend.clear_session()  # layer names start again from "conv2d"
        keras.utils.set_random_seed(seed)
        model = make()
        train(model, data, options.epochs)
        _, accuracy = model.evaluate(*arrays(data.test), verbose=0)
        print(f"{name}: {model.count_params()} parameters, test accuracy {accuracy:.4f} of {len(data.test)} digits")
        saved = model if name == "lenet5" else without_optimizer(model)
        saved.save(options.output / f"{name}.keras")
        saved.save(options.output / f"{name}.h5")


if __name__ == "__main__":
    main()
