#!/usr/bin/env bash
# From a fresh Debian 12 to a trained network and standalone C++: installs what is missing, builds,
# trains models/fashion-mlp.yaml on 60,000 real pictures, evaluates it, emits a header and tests it.
# Safe to run again.   usage: tools/quickstart.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/packages.sh

build=${1:-build}
run=runs/quickstart
step() { printf '\n== %s\n' "$*"; }
# Runs a command after showing it, so that it can be copied.
show() {
  printf '$ %s\n' "$*"
  "$@"
}

step "1/6  packages"
# shellcheck disable=SC2086
ensure_packages $BUILD_PACKAGES $DATA_PACKAGES

step "2/6  build (a few minutes the first time)"
show cmake -S . -B "$build" -G Ninja
show cmake --build "$build" --target nnc

step "3/6  train"
show "$build/nnc" train models/fashion-mlp.yaml -o "$run" --force

step "4/6  evaluate on 10,000 pictures it has never seen"
show "$build/nnc" eval "$run"

step "5/6  write it as standalone C++, compile that, and test it"
show "$build/nnc" emit "$run" -o "$run/cpp/fashion_mlp.hpp" --self-test
show g++ -std=c++17 -O2 -march=native -Wall -Wextra -o "$run/cpp/selftest" \
  "$run/cpp/fashion_mlp_selftest.cpp"
show "$run/cpp/selftest"

step "6/6  done"
cat <<END
  $run/                      the run: weights, metrics, the model as it was trained
  $run/cpp/fashion_mlp.hpp   the network as one C++17 header without any dependency
Next:
  $build/nnc                              what nnc can do
  $build/nnc check models/fashion-mlp.yaml    layers, shapes, cost
  $build/nnc train models/sine-mlp.yaml       another model
END
