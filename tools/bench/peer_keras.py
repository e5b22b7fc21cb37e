"""The whole job of models/fashion-mlp.yaml in Keras: the same data, network, optimizer, batch,
epochs and validation. usage: peer_keras.py FOLDER EPOCHS; KERAS_BACKEND chooses what computes.
The last line of output is JSON."""

import time

START = time.perf_counter()

import gzip
import json
import sys

import keras
import numpy

IMPORTED = time.perf_counter()


def load(folder, part):
    pictures = gzip.open(f"{folder}/{part}-images-idx3-ubyte.gz").read()
    labels = gzip.open(f"{folder}/{part}-labels-idx1-ubyte.gz").read()
    x = numpy.frombuffer(pictures, numpy.uint8, offset=16).reshape(-1, 784)
    return x.astype(numpy.float32) / 255, numpy.frombuffer(labels, numpy.uint8, offset=8)


def main():
    folder, epochs = sys.argv[1], int(sys.argv[2])
    keras.utils.set_random_seed(1)
    x, y = load(folder, "train")
    test = load(folder, "t10k")
    hidden = [keras.layers.Dense(128, activation="relu") for _ in range(3)]
    model = keras.Sequential([keras.Input((784,)), *hidden, keras.layers.Dense(10)])
    model.compile(optimizer=keras.optimizers.Adam(0.001), metrics=["accuracy"],
                  loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, batch_size=128, epochs=epochs, validation_data=test, verbose=0)
    loss, accuracy = model.evaluate(*test, batch_size=128, verbose=0)
    print(json.dumps({"import_s": IMPORTED - START, "loss": float(loss),
                      "accuracy": float(accuracy), "backend": keras.backend.backend()}))


main()
