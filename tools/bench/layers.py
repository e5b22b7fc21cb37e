"""The layers of the measured networks: shapes, arithmetic and how a model file says them.

Shapes leave out the batch; pictures are (rows, columns, channels)."""

import dataclasses
import math

CONVOLUTIONS = ("conv2d", "conv2d_transpose")
POOLS = ("maxpool2d", "avgpool2d")


@dataclasses.dataclass(frozen=True)
class Layer:
    kind: str  # as in a model file
    name: str = ""
    inputs: tuple = ()  # names of other layers; none: the layer above
    units: int = 0  # outputs of a dense layer, filters of a convolution
    kernel: int = 1  # also the window and the stride of a pool
    stride: int = 1
    padding: int = 0  # zeros on every side
    output_padding: int = 0
    bias: bool = True
    activation: str = ""  # of the result; or what an activation layer does

    def output(self, *shapes):
        """Shape of the result."""
        first = shapes[0]
        if self.kind == "dense":
            return (self.units,)
        if self.kind == "flatten":
            return (math.prod(first),)
        if self.kind == "global_avgpool":
            return first[2:]
        if self.kind in CONVOLUTIONS:
            return (*map(self.extent, first[:2]), self.units)
        if self.kind in POOLS:
            return (first[0] // self.kernel, first[1] // self.kernel, first[2])
        return first

    def extent(self, extent):
        """Rows or columns after a convolution."""
        if self.kind == "conv2d":
            return (extent + 2 * self.padding - self.kernel) // self.stride + 1
        return self.stride * (extent - 1) + self.kernel - 2 * self.padding + self.output_padding

    def products(self, before, after):
        """Multiply-adds of a row, forward; those with padding count."""
        if self.kind == "dense":
            return before[0] * self.units
        pixels = {"conv2d": after, "conv2d_transpose": before}.get(self.kind)
        return math.prod(pixels[:2]) * self.kernel ** 2 * before[2] * self.units if pixels else 0

    def yaml(self):
        """Its entry in the list of layers, on one line."""
        if self.kind in ("flatten", "global_avgpool"):
            return self.kind
        if self.kind == "activation":
            return self.named(self.activation)
        if self.kind == "add":
            return self.named("[%s]" % ", ".join(self.inputs))
        if self.kind in POOLS:
            return self.named(str(self.kernel))
        if self.kind == "batch_norm":
            return self.named("{}")
        said = {"units" if self.kind == "dense" else "filters": self.units}
        if self.kind in CONVOLUTIONS:
            said.update(kernel=self.kernel, stride=self.stride, padding=self.padding)
        if self.output_padding:
            said["output_padding"] = self.output_padding
        if not self.bias:
            said["bias"] = "false"
        if self.activation:
            said["activation"] = self.activation
        return self.named("{%s}" % ", ".join(f"{key}: {value}" for key, value in said.items()))

    def named(self, arguments):
        more = f", name: {self.name}" if self.name else ""
        if self.inputs and self.kind != "add":
            more += f", from: {self.inputs[0]}"
        return f"{{{self.kind}: {arguments}{more}}}"


def dense(name, units, activation=""):
    return Layer("dense", name, units=units, activation=activation)


def conv(name, filters, kernel, activation="", **more):
    return Layer("conv2d", name, units=filters, kernel=kernel, activation=activation, **more)


def conv_transpose(name, filters, kernel, activation="", **more):
    return Layer("conv2d_transpose", name, units=filters, kernel=kernel, activation=activation,
                 **more)


def maxpool(size):
    return Layer("maxpool2d", kernel=size, stride=size)


def avgpool(size):
    return Layer("avgpool2d", kernel=size, stride=size)


def normed(name, filters, kernel, activation="relu", source="", **more):
    """A convolution without bias, then batch normalisation; an activation if one is named."""
    parts = [Layer("conv2d", f"{name}_conv", (source,) if source else (), units=filters,
                   kernel=kernel, bias=False, padding=kernel // 2, **more),
             Layer("batch_norm", name)]
    if activation:
        parts.append(Layer("activation", f"{name}_out", activation=activation))
    return parts


def block(name, source, filters, stride):
    """Two convolutions and a shortcut around them (He et al. 2016); one of another shape than its
    input has a convolution of 1x1 in its shortcut. Its result is called `name`."""
    parts = normed(f"{name}_a", filters, 3, source=source, stride=stride)
    parts += normed(f"{name}_b", filters, 3, activation="")
    shortcut = source
    if stride > 1:
        shortcut = f"{name}_s"
        parts += normed(shortcut, filters, 1, activation="", source=source, stride=stride)
    return [*parts, Layer("add", f"{name}_sum", (f"{name}_b", shortcut)),
            Layer("activation", name, activation="relu")]
