"""JAX: the whole step in one jitted function with donated buffers. Steps are queued, as in a
training loop that does not look at every loss: that is faster than waiting for each, which
--variant waiting does."""

import itertools

import peer

import jax
import jax.numpy as jnp

WAITING = peer.options().variant == "waiting"


def forward(workload, weights, x):
    activation = {"relu": jax.nn.relu, "tanh": jnp.tanh}[workload.activation]
    for i, (kernel, bias) in enumerate(weights):
        if i:
            x = activation(x)
        x = x @ kernel + bias
    return x


def loss_of(workload, weights, x, y):
    out = forward(workload, weights, x)
    if workload.loss == "cross_entropy":
        picked = jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], axis=1)
        return -jnp.mean(picked)
    return jnp.mean((out - y) ** 2)


def sgd(rate, weights, moments, gradients):
    return jax.tree_util.tree_map(lambda p, g: p - rate * g, weights, gradients), moments


def adam(rate, weights, moments, gradients):
    m, v, t = moments
    t = t + 1
    tree_map = jax.tree_util.tree_map
    m = tree_map(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
    v = tree_map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradients)
    rate = rate / (1 - 0.9 ** t)
    spread = 1 / (1 - 0.999 ** t)
    weights = tree_map(lambda p, m, v: p - rate * m / (jnp.sqrt(v * spread) + 1e-8), weights, m, v)
    return weights, (m, v, t)


def step_of(workload):
    def step(weights, moments, x, y):
        loss, gradients = jax.value_and_grad(loss_of, argnums=1)(workload, weights, x, y)
        update = {"adam": adam, "sgd": sgd}[workload.optimizer]
        return (*update(workload.rate, weights, moments, gradients), loss)
    return jax.jit(step, donate_argnums=(0, 1))


def start(workload, folder):
    weights = [(jnp.array(k), jnp.array(b)) for k, b in peer.initial_weights(folder, workload)]
    zeros = jax.tree_util.tree_map(jnp.zeros_like, weights)
    again = jax.tree_util.tree_map(jnp.zeros_like, weights)
    return weights, (zeros, again, jnp.zeros(())) if workload.optimizer == "adam" else ()


def make(workload, folder):
    data = [(jnp.array(x), jnp.array(y)) for x, y in peer.batches(folder, workload)]
    jitted = step_of(workload)
    infer = jax.jit(lambda weights, x: forward(workload, weights, x))
    state = [*start(workload, folder), None]
    rows = itertools.cycle(data)

    def one():
        x, y = next(rows)
        state[0], state[1], state[2] = jitted(state[0], state[1], x, y)
        if WAITING:
            state[2].block_until_ready()

    fixed = start(workload, folder)[0]

    def losses(count):
        weights, moments = start(workload, folder)
        result = []
        for _ in range(count):
            weights, moments, loss = jitted(weights, moments, *data[0])
            result.append(float(loss))
        return result
    return peer.Network(one, lambda: infer(fixed, data[0][0]).block_until_ready(), losses,
                        lambda: state[2].block_until_ready(),
                        lambda: infer(fixed, data[0][0]))


peer.serve(make)
