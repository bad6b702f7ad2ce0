"""Variables of every type, and checkpoints of other writers than tf.train.Checkpoint. Run by itself:

checkpoint_variables.py FOLDER     saves them, and their values as TensorFlow reads them back, in values.npz
"""

import os

os.environ.update(CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import pathlib
import sys

import numpy as np
import tensorflow as tf

TYPES = "float32 float64 float16 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128"


def values(random, dtype, shape):
    numbers = random.integers(0, 2 if dtype == "bool" else 100, shape)
    if dtype.startswith("complex"):
        numbers = numbers + 1j * random.normal(size=shape)
    elif "float" in dtype:
        numbers = random.normal(size=shape)
    return tf.cast(tf.constant(numbers), dtype)


def of_types(folder):
    random = np.random.default_rng(5)
    variables = {dtype: tf.Variable(values(random, dtype, (3, 5))) for dtype in TYPES.split()}
    variables["scalar"] = tf.Variable(random.normal(size=()))
    variables["none"] = tf.Variable(np.zeros((0, 4), "float32"))
    variables["a/b.c"] = tf.Variable(random.normal(size=7))
    module = tf.train.Checkpoint(words=tf.Variable(["one", "", "three"]))
    for name, variable in variables.items():
        module._track_trackable(variable, name)
    tf.train.Checkpoint(m=module).write(str(folder / "types"))
    return {f"m/{name}": variable for name, variable in variables.items()}


def of_many(folder):
    """Names that fill several blocks of the index."""
    random = np.random.default_rng(6)
    variables = {f"v{i:05}": tf.Variable(random.normal(size=2)) for i in range(3000)}
    tf.train.Checkpoint(many=variables).write(str(folder / "many"))
    return {f"many/{name}": variable for name, variable in variables.items()}


def of_slices(folder):
    random = np.random.default_rng(7)
    variables = {"rows": tf.Variable(random.normal(size=(64, 3))), "one": tf.Variable(random.normal(size=()))}
    policy = tf.train.experimental.MaxShardSizePolicy(max_shard_size=1000)
    options = tf.train.CheckpointOptions(experimental_sharding_callback=policy)
    tf.train.Checkpoint(**variables).write(str(folder / "slices"), options=options)
    return variables


def of_tensorflow_1(folder):
    tf1 = tf.compat.v1
    with tf.Graph().as_default(), tf1.Session() as session:
        variables = {}
        for layer, kernel in (("conv/first", (3, 3, 2, 4)), ("dense", (4, 5))):
            for name, shape in (("kernel", kernel), ("bias", kernel[-1:])):
                with tf1.variable_scope(layer):
                    variable = tf1.get_variable(name, shape, initializer=tf1.random_normal_initializer(seed=len(shape)))
                variables[f"{layer}/{name}"] = variable
        partitioner = tf1.fixed_size_partitioner(3, axis=1)
        initializer = tf1.random_normal_initializer(seed=9)
        parts = tf1.get_variable("columns", (4, 10), partitioner=partitioner, initializer=initializer)
        loss = sum(tf.reduce_sum(variable**2) for variable in variables.values())
        tf1.train.AdamOptimizer().minimize(loss)
        session.run(tf1.global_variables_initializer())
        tf1.train.Saver().save(session, str(folder / "tensorflow_1" / "model.ckpt"), global_step=40)
        return session.run({**variables, "columns": parts.as_tensor()})


def main(folder):
    wanted = {}
    for make in (of_types, of_many, of_slices, of_tensorflow_1):
        for name, value in make(folder).items():
            array = value if isinstance(value, np.ndarray) else value.numpy()
            # NumPy has no bfloat16: its bits.
            wanted[f"{make.__name__[3:]}:{name}"] = array.view("uint16") if array.dtype.name == "bfloat16" else array
    np.savez(folder / "values.npz", **wanted)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
