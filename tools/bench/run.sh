#!/usr/bin/env bash
# Measures nnc against PyTorch, JAX, ONNX Runtime and Keras on this machine, in one run.
# usage: tools/bench/run.sh [TABLE …] [--only NAME] [--batch N] [--threads N] [--peers torch,jax]
#                           [--rounds N] [--seconds S] [--quick] [--page]
# Tables: steps, inference, scaling, compile, job, profile, all; page writes docs/benchmarks.md.
# Without a table: a glance at three networks. --help says more.
# The peers come from PyPI into build/venv (several gigabytes the first time).
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/packages.sh

ensure_packages python3-venv g++
venv=build/venv
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
fi
for package in numpy torch jax onnx onnxruntime keras; do
  found="import importlib.util as util, sys; sys.exit(not util.find_spec('$package'))"
  if ! "$venv/bin/python" -c "$found"; then
    echo "Installing $package into $venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$package"
  fi
done
if [ ! -x build/nnc ] && [ -z "${NNC:-}" ]; then
  cmake -S . -B build -G Ninja
  cmake --build build --target nnc
fi
exec "$venv/bin/python" -u tools/bench/bench.py "$@"
