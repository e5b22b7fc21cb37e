"""JAX: the whole step in one jitted function with donated buffers. Steps are queued, as in a
training loop that does not look at every loss: that is faster than waiting for each, which
--variant waiting does."""

import itertools

import peer

import jax
import jax.numpy as jnp

WAITING = peer.options().variant == "waiting"


ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}
LAYOUT = ("NHWC", "HWIO", "NHWC")
EPSILON, MOMENTUM = 1e-5, 0.9  # of batch normalisation, as nnc's


def convolution(layer, x, weights):
    kernel = weights["kernel"]
    padding, more = (layer.padding, layer.padding), dict(window_strides=(layer.stride,) * 2)
    if layer.kind == "conv2d_transpose":  # zeros between the pixels, the kernel turned around
        kernel, before = kernel[::-1, ::-1], layer.kernel - 1 - layer.padding
        padding = (before, before + layer.output_padding)
        more = dict(window_strides=(1, 1), lhs_dilation=(layer.stride,) * 2)
    y = jax.lax.conv_general_dilated(x, kernel, padding=(padding, padding),
                                     dimension_numbers=LAYOUT, **more)
    return y + weights["bias"] if layer.bias else y


def pool(layer, x):
    """Windows that do not overlap, as axes of their own: faster than reduce_window here."""
    n, (rows, columns), size = x.shape[0], x.shape[1:3], layer.kernel
    rows, columns = rows // size, columns // size
    x = x[:, :rows * size, :columns * size].reshape(n, rows, size, columns, size, -1)
    return x.max((2, 4)) if layer.kind == "maxpool2d" else x.mean((2, 4))


def batch_norm(x, weights, running, training):
    """(result, new running statistics)"""
    mean, variance = running["mean"], running["variance"]
    if training:
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        count = x.size // x.shape[-1]
        found = {"mean": mean, "variance": variance * (count / (count - 1))}
        running = {key: MOMENTUM * running[key] + (1 - MOMENTUM) * found[key] for key in found}
    factor = weights["gamma"] * jax.lax.rsqrt(variance + EPSILON)
    return x * factor + (weights["beta"] - mean * factor), running


def forward(workload, weights, running, x, training=False):
    """(output, new running statistics)"""
    values, running = {"x": x}, dict(running)
    for place in workload.places():
        layer, inputs = place.layer, [values[source] for source in place.sources]
        mine, y = weights.get(place.name), inputs[0]
        if layer.kind == "dense":
            y = y @ mine["kernel"] + mine["bias"]
        elif layer.kind in ("conv2d", "conv2d_transpose"):
            y = convolution(layer, y, mine)
        elif layer.kind in ("maxpool2d", "avgpool2d"):
            y = pool(layer, y)
        elif layer.kind == "batch_norm":
            y, running[place.name] = batch_norm(y, mine, running[place.name], training)
        elif layer.kind == "add":
            y = y + inputs[1]
        elif layer.kind == "flatten":
            y = y.reshape(y.shape[0], -1)
        elif layer.kind == "global_avgpool":
            y = y.mean((1, 2))
        if layer.activation:
            y = ACTIVATIONS[layer.activation](y)
        values[place.name] = y
    return y, running


def loss_of(weights, running, workload, x, y):
    out, running = forward(workload, weights, running, x, True)
    if workload.loss == "cross_entropy":
        picked = jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], axis=1)
        return -jnp.mean(picked), running
    return jnp.mean((out - y) ** 2), running


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
    def step(weights, running, moments, x, y):
        gradient = jax.value_and_grad(loss_of, has_aux=True)
        (loss, running), gradients = gradient(weights, running, workload, x, y)
        update = {"adam": adam, "sgd": sgd}[workload.optimizer]
        weights, moments = update(workload.rate, weights, moments, gradients)
        return weights, running, moments, loss
    return jax.jit(step, donate_argnums=(0, 1, 2))


def start(workload, folder):
    """[weights, running statistics, moments]"""
    weights, running = {}, {}
    for layer, parts in peer.initial_weights(folder, workload).items():
        for name, values in parts.items():
            into = running if name in ("mean", "variance") else weights
            into.setdefault(layer, {})[name] = jnp.array(values)
    zeros = jax.tree_util.tree_map(jnp.zeros_like, weights)
    again = jax.tree_util.tree_map(jnp.zeros_like, weights)
    moments = (zeros, again, jnp.zeros(())) if workload.optimizer == "adam" else ()
    return [weights, running, moments]


def make(workload, folder):
    data = [(jnp.array(x), jnp.array(y)) for x, y in peer.batches(folder, workload)]
    jitted = step_of(workload)
    infer = jax.jit(lambda weights, running, x: forward(workload, weights, running, x)[0])
    state = [*start(workload, folder), None]
    rows = itertools.cycle(data)

    def one():
        x, y = next(rows)
        state[:] = jitted(*state[:3], x, y)
        if WAITING:
            state[3].block_until_ready()

    fixed = start(workload, folder)[:2]

    def losses(count):
        now, result = start(workload, folder), []
        for _ in range(count):
            *now, loss = jitted(*now, *data[0])
            result.append(float(loss))
        return result
    return peer.Network(one, lambda: infer(*fixed, data[0][0]).block_until_ready(), losses,
                        lambda: state[3].block_until_ready(),
                        lambda: infer(*fixed, data[0][0]))


peer.serve(make)
