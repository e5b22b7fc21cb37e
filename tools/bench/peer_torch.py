"""PyTorch: eager, or compiled (--variant compiled). Fused optimizers, data already in tensors."""

import itertools

import peer

import torch

options = peer.options()
torch.set_num_threads(options.threads)
COMPILED = options.variant == "compiled"


def network(workload, weights):
    layers = []
    activation = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[workload.activation]
    for i, (kernel, bias) in enumerate(weights):
        if i:
            layers.append(activation())
        dense = torch.nn.Linear(*kernel.shape)
        with torch.no_grad():
            dense.weight.copy_(torch.from_numpy(kernel.T))
            dense.bias.copy_(torch.from_numpy(bias))
        layers.append(dense)
    return torch.nn.Sequential(*layers)


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
    data = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in peer.batches(folder, workload)]
    weights = peer.initial_weights(folder, workload)
    training = Training(workload, weights)
    fixed = network(workload, weights)
    forward = torch.compile(fixed, dynamic=False) if COMPILED else fixed
    rows = itertools.cycle(data)

    def infer():
        with torch.inference_mode():
            return forward(data[0][0])
    return peer.Network(lambda: training.step(*next(rows)), infer,
                        lambda count: training.losses(*data[0], count), answer=infer)


peer.serve(make)
