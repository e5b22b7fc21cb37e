"""What is measured: one entry for each network, for all frameworks alike."""

import dataclasses
import math

from layers import (CONVOLUTIONS, Layer, avgpool, block, conv, conv_transpose, dense, maxpool,
                    normed)


@dataclasses.dataclass(frozen=True)
class Place:
    """A layer in its network."""
    layer: Layer
    name: str
    sources: tuple  # names of its inputs; "x" is the row
    inputs: tuple  # their shapes
    output: tuple
    picture: tuple = ()  # what was flattened just before a dense layer

    @property
    def products(self):
        return self.layer.products(self.inputs[0], self.output)


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    shape: tuple  # of a row
    layers: tuple
    loss: str  # cross_entropy or mean_squared_error
    optimizer: str  # adam or sgd
    rate: float
    batch: int
    target: str = "y"  # "x": the row itself is to come out
    stored: str = "float32"  # uint8 rows are scaled by 1/255

    def places(self):
        """[Place], in order."""
        found, shapes, above, pictures = [], {"x": self.shape}, "x", {}
        for i, layer in enumerate(self.layers):
            name, sources = layer.name or f"{layer.kind}-{i}", layer.inputs or (above,)
            inputs = tuple(shapes[source] for source in sources)
            if layer.kind == "flatten":
                pictures[name] = inputs[0]
            shapes[name], above = layer.output(*inputs), name
            found.append(Place(layer, name, sources, inputs, shapes[name],
                               pictures.get(sources[0], ())))
        return found

    @property
    def outputs(self):
        """Numbers of an answer."""
        return math.prod(self.places()[-1].output)

    @property
    def pictures(self):
        """Whether it convolves."""
        return any(layer.kind in CONVOLUTIONS for layer in self.layers)

    def at(self, batch):
        """The same network with another batch."""
        return dataclasses.replace(self, batch=batch)

    @property
    def flops(self):
        """Of a training step: no input gradient for the first layer."""
        products = [place.products for place in self.places() if place.products]
        return 2 * self.batch * (3 * sum(products) - products[0])

    def yaml(self, data):
        """The model file, a layer a line; `data` is an npz file with the arrays x and y."""
        prepare = ", prepare: [{scale: 1/255}]" if self.stored == "uint8" else ""
        fields, arrays = f"x: {{shape: {list(self.shape)}{prepare}}}", "x: x"
        if self.target == "y":
            target = f"classes: {self.outputs}" if self.loss == "cross_entropy" else "shape: [1]"
            fields, arrays = f"{fields}, y: {{{target}}}", "x: x, y: y"
        value = "logits" if self.loss == "cross_entropy" else "prediction"
        return "\n".join([
            "nnc: 1", f"name: {self.name}",
            f"data: {{train: {{npz: {{file: {data}, arrays: {{{arrays}}}}}}},",
            f"       fields: {{{fields}}}}}",
            "model:", "  inputs: [x]", "  layers:",
            *(f"    - {layer.yaml()}" for layer in self.layers),
            f"loss: {{{self.loss}: {{{value}: {self.layers[-1].name}, target: {self.target}}}}}",
            "train:", "  epochs: 1", f"  batch: {self.batch}", "  shuffle: false", "  seed: 1",
            "  keep: last", f"  optimizer: {{{self.optimizer}: {{rate: {self.rate}}}}}", ""])

    def write(self, folder):
        """model.yaml, batches.npz: eight batches of rows; one.npz: the first of them."""
        import numpy  # only here: compare.py does without it for model files
        folder.mkdir(parents=True, exist_ok=True)
        source = numpy.random.default_rng(1)
        rows = self.batch * 8
        if self.stored == "uint8":
            x = source.integers(0, 256, (rows, *self.shape), dtype=numpy.uint8)
        else:
            x = source.uniform(0, 6, (rows, *self.shape)).astype(numpy.float32)
        arrays = {"x": x}
        if self.loss == "cross_entropy":
            arrays["y"] = source.integers(0, self.outputs, rows).astype(numpy.uint8)
        elif self.target == "y":
            arrays["y"] = numpy.sin(x[:, :1]).astype(numpy.float32)
        numpy.savez(folder / "batches.npz", **arrays)
        numpy.savez(folder / "one.npz", **{name: all_rows[:self.batch]
                                           for name, all_rows in arrays.items()})
        (folder / "model.yaml").write_text(self.yaml("one.npz"))


def mlp(name, widths, activation, loss, optimizer, rate, batch, stored="float32"):
    """Dense layers; widths: inputs, then units of each. The last one has no activation."""
    hidden = [dense(f"fc{i}", units, activation) for i, units in enumerate(widths[1:-1], 1)]
    return Workload(name, widths[:1], (*hidden, dense(f"fc{len(widths) - 1}", widths[-1])), loss,
                    optimizer, rate, batch, stored=stored)


def picture_network(name, *layers, **more):
    """Of 28x28 bytes; learns classes by Adam unless something else is said."""
    usual = dict(loss="cross_entropy", optimizer="adam", rate=0.001, batch=128, stored="uint8")
    return Workload(name, (28, 28, 1), layers, **{**usual, **more})


WORKLOADS = [
    mlp("sine", (1, 10, 10, 1), "tanh", "mean_squared_error", "sgd", 0.05, 100),
    mlp("small-4-32-16-4", (4, 32, 16, 4), "relu", "cross_entropy", "sgd", 0.1, 32),
    mlp("mlp-32", (784, 32, 10), "relu", "cross_entropy", "sgd", 0.1, 32, "uint8"),
    mlp("mlp-128x3", (784, 128, 128, 128, 10), "relu", "cross_entropy", "adam", 0.001, 128,
        "uint8"),
    mlp("mlp-512x2", (784, 512, 512, 10), "relu", "cross_entropy", "adam", 0.001, 128, "uint8"),
    # The networks of models/lenet5.yaml and models/cnn.yaml.
    picture_network("lenet5", conv("conv1", 6, 5, "tanh", padding=2), avgpool(2),
                    conv("conv2", 16, 5, "tanh"), avgpool(2), Layer("flatten"),
                    dense("fc1", 120, "tanh"), dense("fc2", 84, "tanh"), dense("fc3", 10)),
    picture_network("conv-32-64", conv("conv1", 32, 3, "relu"), maxpool(2),
                    conv("conv2", 64, 3, "relu"), maxpool(2), Layer("flatten"),
                    dense("fc1", 128, "relu"), dense("fc2", 10)),
    picture_network("resnet-small", *normed("stem", 16, 3), *block("one", "stem_out", 16, 1),
                    *block("two", "one", 32, 2), *block("three", "two", 64, 2),
                    Layer("global_avgpool"), dense("fc", 10)),
    picture_network("autoencoder", conv("down1", 16, 3, "relu", stride=2, padding=1),
                    conv("down2", 32, 3, "relu", stride=2, padding=1),
                    conv_transpose("up1", 16, 3, "relu", stride=2, padding=1, output_padding=1),
                    conv_transpose("up2", 1, 3, "sigmoid", stride=2, padding=1, output_padding=1),
                    loss="mean_squared_error", target="x"),
]
NAMES = [workload.name for workload in WORKLOADS]
# The batches of a full table, besides a network's own; networks with convolutions have only that.
BATCHES = (16, 128, 1024)
# What a plain run measures, and the networks of the inference tables.
GLANCE = ("sine", "mlp-32", "mlp-128x3")
INFERENCE = ("sine", "mlp-128x3", "mlp-512x2", "lenet5", "conv-32-64")


def find(name):
    for workload in WORKLOADS:
        if workload.name == name:
            return workload
    raise SystemExit("no workload is called %r; there are %s" % (name, ", ".join(NAMES)))
