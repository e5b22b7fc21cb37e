"""What is measured: one entry for each network, for all frameworks alike."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    widths: tuple  # inputs, units of each dense layer; the last one has no activation
    activation: str  # relu or tanh
    loss: str  # cross_entropy or mean_squared_error
    optimizer: str  # adam or sgd
    rate: float
    batch: int
    pictures: bool = False  # rows are stored as bytes and scaled by 1/255

    @property
    def layers(self):
        return len(self.widths) - 1

    @property
    def shape(self):
        return "-".join(map(str, self.widths))

    def at(self, batch):
        """The same network with another batch."""
        return dataclasses.replace(self, batch=batch)

    @property
    def flops(self):
        """Of a training step: no input gradient for the first layer."""
        pairs = list(zip(self.widths, self.widths[1:]))
        products = sum(3 * a * b for a, b in pairs) - pairs[0][0] * pairs[0][1]
        return 2 * self.batch * products

    def yaml(self, data):
        """The model file; `data` is an npz file with the arrays x and y."""
        target = "classes: %d" % self.widths[-1] if self.loss == "cross_entropy" else "shape: [1]"
        prepare = ", prepare: [{scale: 1/255}]" if self.pictures else ""
        layers = [f"    - dense: {{units: {n}, activation: {self.activation}}}\n      name: fc{i}"
                  for i, n in enumerate(self.widths[1:-1], 1)]
        layers.append(f"    - dense: {self.widths[-1]}\n      name: fc{self.layers}")
        value = "logits" if self.loss == "cross_entropy" else "prediction"
        return "\n".join([
            "nnc: 1", f"name: {self.name}",
            f"data: {{train: {{npz: {{file: {data}, arrays: {{x: x, y: y}}}}}},",
            f"       fields: {{x: {{shape: [{self.widths[0]}]{prepare}}}, y: {{{target}}}}}}}",
            "model:", "  inputs: [x]", "  layers:", *layers,
            f"loss: {{{self.loss}: {{{value}: fc{self.layers}, target: y}}}}",
            "train:", "  epochs: 1", f"  batch: {self.batch}", "  shuffle: false", "  seed: 1",
            "  keep: last", f"  optimizer: {{{self.optimizer}: {{rate: {self.rate}}}}}", ""])

    def write(self, folder):
        """model.yaml, batches.npz: eight batches of rows; one.npz: the first of them."""
        import numpy  # only here: compare.py does without it for model files
        folder.mkdir(parents=True, exist_ok=True)
        source = numpy.random.default_rng(1)
        rows = self.batch * 8
        if self.pictures:
            x = source.integers(0, 256, (rows, self.widths[0]), dtype=numpy.uint8)
        else:
            x = source.uniform(0, 6, (rows, self.widths[0])).astype(numpy.float32)
        if self.loss == "cross_entropy":
            y = source.integers(0, self.widths[-1], rows).astype(numpy.uint8)
        else:
            y = numpy.sin(x[:, :1]).astype(numpy.float32)
        numpy.savez(folder / "batches.npz", x=x, y=y)
        numpy.savez(folder / "one.npz", x=x[:self.batch], y=y[:self.batch])
        (folder / "model.yaml").write_text(self.yaml("one.npz"))


WORKLOADS = [
    Workload("sine", (1, 10, 10, 1), "tanh", "mean_squared_error", "sgd", 0.05, 100),
    Workload("small-4-32-16-4", (4, 32, 16, 4), "relu", "cross_entropy", "sgd", 0.1, 32),
    Workload("mlp-32", (784, 32, 10), "relu", "cross_entropy", "sgd", 0.1, 32, True),
    Workload("mlp-128x3", (784, 128, 128, 128, 10), "relu", "cross_entropy", "adam", 0.001, 128,
             True),
    Workload("mlp-512x2", (784, 512, 512, 10), "relu", "cross_entropy", "adam", 0.001, 128, True),
]
NAMES = [workload.name for workload in WORKLOADS]
# The batches of a full table, besides a network's own.
BATCHES = (16, 128, 1024)
# What a plain run measures, and the networks of the inference tables.
GLANCE = ("sine", "mlp-32", "mlp-128x3")
INFERENCE = ("sine", "mlp-128x3", "mlp-512x2")


def find(name):
    for workload in WORKLOADS:
        if workload.name == name:
            return workload
    raise SystemExit("no workload is called %r; there are %s" % (name, ", ".join(NAMES)))
