#!/usr/bin/env python3
"""Whole steps of models/vae.yaml and models/gan.yaml in nnc, PyTorch and JAX, in turns.

usage: build/venv/bin/python tools/bench/generative.py [--nnc build/nnc] [--threads 2] [--rounds 5]

A step of the GAN is both of its phases: for the discriminator and for the generator, each with its
own forward pass and fresh noise. Prints the best and the median time of each, and the ratio to the
faster peer. tools/bench/run.sh puts the peers into build/venv.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
VAE_ROWS, GAN_ROWS = 128, 64


def clock(step, seconds=1.0):
    """Microseconds of one step: every call counts."""
    for _ in range(5):
        step()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        step()
        times.append((time.perf_counter() - begin) * 1e6)
    return min(times), statistics.median(times)


def torch_steps(threads):
    import torch
    from torch import nn
    from torch.nn import functional as F
    torch.set_num_threads(threads)
    x = torch.rand(VAE_ROWS, 784)
    h, mu, lv, spread, out = (nn.Linear(*s) for s in ((784, 400), (400, 20), (400, 20), (20, 400),
                                                      (400, 784)))
    vae = nn.ModuleList([h, mu, lv, spread, out])
    adam = torch.optim.Adam(vae.parameters(), 1e-3, fused=True)

    def loss_of(x):
        hidden = F.relu(h(x))
        m, v = mu(hidden), lv(hidden)
        z = m + torch.exp(0.5 * v) * torch.randn_like(m)
        logits = out(F.relu(spread(z)))
        bce = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
        return (bce - 0.5 * (1 + v - m * m - v.exp()).sum(1)).mean()

    def vae_step(loss_of=loss_of):
        adam.zero_grad(set_to_none=True)
        loss_of(x).backward()
        adam.step()

    generator = nn.Sequential(
        nn.Linear(64, 7 * 7 * 24, bias=False), nn.BatchNorm1d(7 * 7 * 24), nn.ReLU(),
        nn.Unflatten(1, (24, 7, 7)), nn.ConvTranspose2d(24, 16, 4, 2, 1, bias=False),
        nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1), nn.Sigmoid())
    judge = nn.Sequential(
        nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(16, 24, 4, 2, 1, bias=False),
        nn.BatchNorm2d(24), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(7 * 7 * 24, 1))
    real = torch.rand(GAN_ROWS, 1, 28, 28)
    d_adam = torch.optim.Adam(judge.parameters(), 4e-4, betas=(0.5, 0.999), fused=True)
    g_adam = torch.optim.Adam(generator.parameters(), 4e-4, betas=(0.5, 0.999), fused=True)

    def gan_step(generator=generator, judge=judge):
        d_adam.zero_grad(set_to_none=True)
        fake = generator(torch.randn(GAN_ROWS, 64)).detach()
        (F.softplus(-judge(real)) + F.softplus(judge(fake))).mean().backward()
        d_adam.step()
        g_adam.zero_grad(set_to_none=True)
        F.softplus(-judge(generator(torch.randn(GAN_ROWS, 64)))).mean().backward()
        g_adam.step()

    steps = {"vae": {"PyTorch": vae_step}, "gan": {"PyTorch": gan_step}}
    compiled_loss = torch.compile(loss_of)
    steps["vae"]["PyTorch compiled"] = lambda: vae_step(compiled_loss)
    both = torch.compile(generator), torch.compile(judge)
    steps["gan"]["PyTorch compiled"] = lambda: gan_step(*both)
    return steps


def jax_steps():
    import jax
    from jax import numpy as jnp
    key = jax.random.PRNGKey(0)

    def dense(key, n, m):
        return jax.random.normal(key, (n, m)) * (2 / n) ** 0.5, jnp.zeros(m)

    names = ("h", "mu", "lv", "spread", "out")
    sizes = ((784, 400), (400, 20), (400, 20), (20, 400), (400, 784))
    weights = {n: dense(k, *s) for n, k, s in zip(names, jax.random.split(key, 5), sizes)}
    zeros = jax.tree.map(jnp.zeros_like, weights)
    x = jax.random.uniform(key, (VAE_ROWS, 784))

    def loss_of(w, x, key):
        apply = lambda n, v: v @ w[n][0] + w[n][1]
        hidden = jax.nn.relu(apply("h", x))
        m, v = apply("mu", hidden), apply("lv", hidden)
        z = m + jnp.exp(0.5 * v) * jax.random.normal(key, m.shape)
        logits = apply("out", jax.nn.relu(apply("spread", z)))
        bce = jnp.sum(jax.nn.softplus(logits) - x * logits, 1)
        return jnp.mean(bce - 0.5 * jnp.sum(1 + v - m * m - jnp.exp(v), 1))

    def step(state, x):
        w, m, v, t, key = state
        key, draw = jax.random.split(key)
        g = jax.grad(loss_of)(w, x, draw)
        t = t + 1
        m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)
        w = jax.tree.map(lambda p, a, b: p - 1e-3 * (a / (1 - 0.9 ** t)) /
                         (jnp.sqrt(b / (1 - 0.999 ** t)) + 1e-8), w, m, v)
        return w, m, v, t, key

    fast = jax.jit(step, donate_argnums=0)
    state = [(weights, zeros, jax.tree.map(jnp.zeros_like, weights), jnp.float32(0), key)]

    def vae_step():
        state[0] = fast(state[0], x)
        jax.block_until_ready(state[0][0])

    return {"vae": {"JAX": vae_step}}


def nnc_time(nnc, model, threads):
    done = subprocess.run([nnc, "bench", str(ROOT / f"models/{model}.yaml"), "--json", "--threads",
                           str(threads)], check=True, capture_output=True, text=True)
    result = json.loads(done.stdout)
    return result["train_step_us"]["min"], result["train_step_us"]["median"], \
        result["share_of_peak"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nnc", default=str(ROOT / "build/nnc"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    flags = parser.parse_args()
    peers = torch_steps(flags.threads)
    for model, more in jax_steps().items():
        peers[model].update(more)
    for model in peers:
        best = {}
        for _ in range(flags.rounds):
            least, median, share = nnc_time(flags.nnc, model, flags.threads)
            best.setdefault("nnc", []).append((least, median))
            for name, step in peers[model].items():
                best.setdefault(name, []).append(clock(step))
        print(f"{model}: share of the peak {share}")
        for name, times in best.items():
            print(f"  {name:18}{min(t[0] for t in times):10.0f} µs   median "
                  f"{statistics.median(t[1] for t in times):10.0f} µs")
        medians = {name: statistics.median(t[1] for t in times) for name, times in best.items()}
        fastest = min(value for name, value in medians.items() if name != "nnc")
        print(f"  nnc is {fastest / medians['nnc']:.2f} times as fast as the best of them")


if __name__ == "__main__":
    main()
