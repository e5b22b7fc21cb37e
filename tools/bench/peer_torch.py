"""PyTorch: eager, or compiled (--variant compiled). Fused optimizers, data already in tensors."""

import itertools

import peer
import torch

options = peer.options()
workload = options.workload
torch.set_num_threads(options.threads)


def network():
    layers = []
    activation = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[workload.activation]
    for i, (kernel, bias) in enumerate(peer.initial_weights(options.folder, workload)):
        if i:
            layers.append(activation())
        dense = torch.nn.Linear(*kernel.shape)
        with torch.no_grad():
            dense.weight.copy_(torch.from_numpy(kernel.T))
            dense.bias.copy_(torch.from_numpy(bias))
        layers.append(dense)
    return torch.nn.Sequential(*layers)


def make():
    cross_entropy = workload.loss == "cross_entropy"
    measure = torch.nn.CrossEntropyLoss() if cross_entropy else torch.nn.MSELoss()
    kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[workload.optimizer]
    data = [(torch.from_numpy(x), torch.from_numpy(y))
            for x, y in peer.batches(options.folder, workload)]

    def start():
        net = network()
        optimizer = kind(net.parameters(), lr=workload.rate, fused=True)

        def loss_of(x, y):
            return measure(net(x), y)
        if options.variant == "compiled":
            loss_of = torch.compile(loss_of)

        def step(x, y):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(x, y)
            loss.backward()
            optimizer.step()
            return loss
        return net, step

    net, step = start()
    rows = itertools.cycle(data)
    forward = torch.compile(net) if options.variant == "compiled" else net

    def infer():
        with torch.inference_mode():
            forward(data[0][0])

    def losses(count):
        _, fresh = start()
        return [fresh(*data[0]).item() for _ in range(count)]
    infer()
    return lambda: step(*next(rows)), infer, losses


peer.serve(make)
