"""PyTorch: eager, compiled (--variant compiled), or eager with the channels of a picture as the
last axis of its memory (--variant channels-last). Fused optimizers, data already in tensors."""

import itertools

import peer

import torch

options = peer.options()
torch.set_num_threads(options.threads)
COMPILED = options.variant == "compiled"
CHANNELS_LAST = options.variant == "channels-last"


ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}


class Sum(torch.nn.Module):
    def forward(self, a, b):
        return a + b


class Mean(torch.nn.Module):
    """Over the pixels."""

    def forward(self, x):
        return x.mean((2, 3))


def convolution(layer, channels):
    shape = dict(stride=layer.stride, padding=layer.padding, bias=layer.bias)
    if layer.kind == "conv2d":
        return torch.nn.Conv2d(channels, layer.units, layer.kernel, **shape)
    return torch.nn.ConvTranspose2d(channels, layer.units, layer.kernel,
                                    output_padding=layer.output_padding, **shape)


def module_of(place):
    """The module of a layer, without its activation."""
    layer, shape = place.layer, place.inputs[0]
    makers = {"dense": lambda: torch.nn.Linear(shape[0], layer.units),
              "conv2d": lambda: convolution(layer, shape[2]),
              "conv2d_transpose": lambda: convolution(layer, shape[2]),
              "batch_norm": lambda: torch.nn.BatchNorm2d(shape[2]),
              "maxpool2d": lambda: torch.nn.MaxPool2d(layer.kernel),
              "avgpool2d": lambda: torch.nn.AvgPool2d(layer.kernel),
              "global_avgpool": Mean, "add": Sum, "flatten": torch.nn.Flatten,
              "activation": lambda: ACTIVATIONS[layer.activation]()}
    return makers[layer.kind]()


# (nnc's name, its own, its axes by nnc's) of a layer's weights.
WEIGHTS = {"dense": [("kernel", "weight", (1, 0)), ("bias", "bias", (0,))],
           "conv2d": [("kernel", "weight", (3, 2, 0, 1)), ("bias", "bias", (0,))],
           "conv2d_transpose": [("kernel", "weight", (2, 3, 0, 1)), ("bias", "bias", (0,))],
           "batch_norm": [("gamma", "weight", (0,)), ("beta", "bias", (0,))]}


def fill(module, place, weights):
    for theirs, ours, axes in WEIGHTS.get(place.layer.kind, ()):
        if theirs in weights:
            values = weights[theirs]
            if place.layer.kind == "dense" and theirs == "kernel":
                values = peer.flattened_channels_first(place, values)
            with torch.no_grad():
                getattr(module, ours).copy_(torch.from_numpy(values.transpose(axes).copy()))


class Branching(torch.nn.Module):
    """Layers that take what others than the one before gave."""

    def __init__(self, places, modules):
        super().__init__()
        self.plan = [(place.name, place.sources) for place in places]
        self.steps = torch.nn.ModuleList(modules)

    def forward(self, x):
        values = {"x": x}
        for (name, sources), step in zip(self.plan, self.steps):
            values[name] = step(*(values[source] for source in sources))
        return values[name]


def network(workload, weights):
    """A Sequential where there are no branches."""
    places, steps = workload.places(), []
    for place in places:
        module = module_of(place)
        fill(module, place, weights.get(place.name, {}))
        if place.layer.activation and place.layer.kind != "activation":
            module = torch.nn.Sequential(module, ACTIVATIONS[place.layer.activation]())
        steps.append(module)
    if any(layer.inputs for layer in workload.layers):
        net = Branching(places, steps)
    else:
        net = torch.nn.Sequential(*(part for step in steps for part in (
            step if isinstance(step, torch.nn.Sequential) else [step])))
    return net.to(memory_format=torch.channels_last) if CHANNELS_LAST else net


def tensor(rows):
    found = torch.from_numpy(peer.channels_first(rows))
    last = CHANNELS_LAST and found.ndim == 4
    return found.contiguous(memory_format=torch.channels_last) if last else found


class Training:
    def __init__(self, workload, weights):
        self.net = network(workload, weights)
        self.start = {key: value.clone() for key, value in self.net.state_dict().items()}
        kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[workload.optimizer]
        self.optimize = lambda: kind(self.net.parameters(), lr=workload.rate, fused=True)
        self.optimizer = self.optimize()
        cross_entropy = workload.loss == "cross_entropy"
        measure = torch.nn.CrossEntropyLoss() if cross_entropy else torch.nn.MSELoss()
        net = self.net

        def loss_of(x, y):
            return measure(net(x), y)
        self.loss_of = torch.compile(loss_of, dynamic=False) if COMPILED else loss_of

    def step(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss_of(x, y)
        loss.backward()
        self.optimizer.step()
        return loss

    def losses(self, x, y, count):
        self.net.load_state_dict(self.start)
        self.optimizer = self.optimize()
        return [self.step(x, y).item() for _ in range(count)]


def make(workload, folder):
    if COMPILED:
        torch._dynamo.reset()  # a network of another batch would have to be told apart by each call
    data = [(tensor(x), tensor(y)) for x, y in peer.batches(folder, workload)]
    weights = peer.initial_weights(folder, workload)
    training = Training(workload, weights)
    fixed = network(workload, weights).eval()
    forward = torch.compile(fixed, dynamic=False) if COMPILED else fixed
    rows = itertools.cycle(data)

    def infer():
        with torch.inference_mode():
            return forward(data[0][0])

    def answer():
        found = infer()
        return found.permute(0, 2, 3, 1) if found.ndim == 4 else found
    return peer.Network(lambda: training.step(*next(rows)), infer,
                        lambda count: training.losses(*data[0], count), answer=answer)


peer.serve(make)
