"""JAX: the whole step in one jitted function with donated buffers."""

import itertools

import peer

import jax
import jax.numpy as jnp

options = peer.options()
workload = options.workload


def forward(weights, x):
    activation = {"relu": jax.nn.relu, "tanh": jnp.tanh}[workload.activation]
    for i, (kernel, bias) in enumerate(weights):
        if i:
            x = activation(x)
        x = x @ kernel + bias
    return x


def loss_of(weights, x, y):
    out = forward(weights, x)
    if workload.loss == "cross_entropy":
        picked = jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], axis=1)
        return -jnp.mean(picked)
    return jnp.mean((out - y) ** 2)


def sgd(weights, moments, gradients):
    update = jax.tree_util.tree_map(lambda p, g: p - workload.rate * g, weights, gradients)
    return update, moments


def adam(weights, moments, gradients):
    m, v, t = moments
    t = t + 1
    tree_map = jax.tree_util.tree_map
    m = tree_map(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
    v = tree_map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradients)
    rate = workload.rate / (1 - 0.9 ** t)
    spread = 1 / (1 - 0.999 ** t)
    weights = tree_map(lambda p, m, v: p - rate * m / (jnp.sqrt(v * spread) + 1e-8), weights, m, v)
    return weights, (m, v, t)


def step(weights, moments, x, y):
    loss, gradients = jax.value_and_grad(loss_of)(weights, x, y)
    update = {"adam": adam, "sgd": sgd}[workload.optimizer]
    return (*update(weights, moments, gradients), loss)


def start():
    weights = [(jnp.array(k), jnp.array(b))
               for k, b in peer.initial_weights(options.folder, workload)]
    zeros = jax.tree_util.tree_map(jnp.zeros_like, weights)
    again = jax.tree_util.tree_map(jnp.zeros_like, weights)
    return weights, (zeros, again, jnp.zeros(())) if workload.optimizer == "adam" else ()


def make():
    data = [(jnp.array(x), jnp.array(y)) for x, y in peer.batches(options.folder, workload)]
    jitted = jax.jit(step, donate_argnums=(0, 1))
    infer = jax.jit(forward)
    state = list(start())
    rows = itertools.cycle(data)

    def one():
        x, y = next(rows)
        state[0], state[1], loss = jitted(state[0], state[1], x, y)
        loss.block_until_ready()

    fixed = start()[0]

    def losses(count):
        weights, moments = start()
        result = []
        for _ in range(count):
            weights, moments, loss = jitted(weights, moments, *data[0])
            result.append(float(loss))
        return result
    return one, lambda: infer(fixed, data[0][0]).block_until_ready(), losses


peer.serve(make)
