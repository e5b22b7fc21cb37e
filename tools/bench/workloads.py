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


WORKLOADS = [
    Workload("sine", (1, 10, 10, 1), "tanh", "mean_squared_error", "sgd", 0.05, 100),
    Workload("small-4-32-16-4", (4, 32, 16, 4), "relu", "cross_entropy", "sgd", 0.1, 32),
    Workload("mlp-32", (784, 32, 10), "relu", "cross_entropy", "sgd", 0.1, 32, True),
    Workload("mlp-128x3", (784, 128, 128, 128, 10), "relu", "cross_entropy", "adam", 0.001, 128,
             True),
    Workload("mlp-512x2", (784, 512, 512, 10), "relu", "cross_entropy", "adam", 0.001, 128, True),
]
# What a plain run measures; the others are asked for with --only.
DEFAULT = ("sine", "mlp-32", "mlp-128x3")


def find(name):
    for workload in WORKLOADS:
        if workload.name == name:
            return workload
    raise SystemExit("no workload is called %r; there are %s" %
                     (name, ", ".join(w.name for w in WORKLOADS)))
