#!/usr/bin/env bash
# Installs what is missing, builds everything, runs every test. Safe to run again.
# usage: tools/test.sh [--fast] [BUILD_FOLDER]
#   --fast   only the checks of the sources and the unit tests of the plain build
# The last line counts what passed and failed; the exit status is 0 only if nothing failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. tools/packages.sh

fast=no
if [ "${1:-}" = "--fast" ]; then
  fast=yes
  shift
fi
build=${1:-build}
passed=0
failed=0
failures=""

# report NAME STATUS SECONDS LOG: counts a test that has run, and shows its end only if it failed.
report() {
  if [ "$2" = 0 ]; then
    passed=$((passed + 1))
    echo "ok      $1 ($3 s)"
  else
    failed=$((failed + 1))
    failures="$failures $1"
    echo "FAILED  $1 ($3 s)"
    tail -n 60 "$4" | sed 's/^/    /'
  fi
}

# check NAME COMMAND…: one test of its own; prints what the command says only if it fails.
check() {
  local name=$1 log status
  shift
  log=$(mktemp)
  local start=$SECONDS
  "$@" >"$log" 2>&1
  status=$?
  report "$name" "$status" $((SECONDS - start)) "$log"
  rm -f "$log"
}

# side_by_side "NAME: COMMAND"…: tests of their own, as many at a time as there are cores.
side_by_side() {
  local logs cores number=0 test status seconds
  logs=$(mktemp -d)
  cores=$(nproc)
  for test in "$@"; do
    while [ "$(jobs -rp | wc -l)" -ge "$cores" ]; do wait -n; done
    (
      start=$SECONDS
      bash -c "${test#*: }" >"$logs/$number" 2>&1
      echo "$? $((SECONDS - start))" >"$logs/$number.status"
    ) &
    number=$((number + 1))
  done
  wait
  number=0
  for test in "$@"; do
    status=1 seconds=0  # of one that was killed with its shell
    [ -e "$logs/$number.status" ] && read -r status seconds <"$logs/$number.status"
    report "${test%%: *}" "$status" "$seconds" "$logs/$number"
    number=$((number + 1))
  done
  rm -rf "$logs"
}

# count COMMAND…: a runner of many tests, whose last line is "N passed, N failed".
count() {
  local name=$1 log status numbers
  shift
  log=$(mktemp)
  local start=$SECONDS
  "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  numbers=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log" | tail -n 1)
  rm -f "$log"
  if [ -z "$numbers" ]; then
    failed=$((failed + 1))
    failures="$failures $name"
    echo "FAILED  $name: it ended without a count"
    return
  fi
  passed=$((passed + ${numbers% *}))
  failed=$((failed + ${numbers#* }))
  if [ "$status" != 0 ] || [ "${numbers#* }" != 0 ]; then
    failures="$failures $name"
    [ "${numbers#* }" != 0 ] || failed=$((failed + 1))
  fi
  echo "        $name took $((SECONDS - start)) s"
}

# look NAME COMMAND…: says how a test of the clock went; a busy machine may fail it, so nothing is
# judged by it.
look() {
  local name=$1
  shift
  if "$@" >/dev/null 2>&1; then echo "good    $name"; else echo "slow    $name: $*"; fi
}

# configure FOLDER OPTION…: CMake's own words only when they matter.
configure() {
  local folder=$1 log
  shift
  log=$(mktemp)
  if ! cmake -S . -B "$folder" -G Ninja "$@" >"$log" 2>&1; then
    cat "$log"
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# unit FOLDER TARGET…: builds these test programs there and runs each as a test of its own.
unit() {
  local folder=$1 target
  shift
  check "build in $folder" cmake --build "$folder" --target "$@"
  local tests=()
  for target in "$@"; do tests+=("$folder/$target: $folder/tests/$target"); done
  side_by_side "${tests[@]}"
}

finish() {
  if [ -n "$failures" ]; then
    echo "failed:$failures"
  fi
  echo "$((SECONDS / 60)) min $((SECONDS % 60)) s"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$passed" != 0 ]
  exit
}

# shellcheck disable=SC2086
ensure_packages $BUILD_PACKAGES $DATA_PACKAGES $TEST_PACKAGES || exit 1

echo "== the sources"
check "include rules" python3 tools/check_layers.py
check "file sizes" python3 tools/check_sizes.py
check "documentation" python3 tools/check_docs.py
check "format" tools/check_format.sh
check "arithmetic of the benchmarks" python3 tools/bench/test_bench.py

echo "== build"
check "configure" configure "$build"
check "build" cmake --build "$build" -- -k 0

echo "== unit tests"
# The one that takes longest comes first, in two halves.
half='*native_ops*,*native_convolution*'
tests=("unit compile, one half: $build/tests/test_compile --source-file='$half'"
       "unit compile, the other half: $build/tests/test_compile --source-file-exclude='$half'")
for test in "$build"/tests/test_*; do
  [ -x "$test" ] && [ ! -d "$test" ] && [ "${test##*/}" != test_compile ] &&
    tests+=("unit ${test##*/test_}: $test --test-suite-exclude=clock")
done
side_by_side "${tests[@]}"
[ "$fast" = yes ] && finish

echo "== end to end"
count "end to end" python3 tests/e2e/run.py --nnc "$build/nnc"
check "mutated runs" python3 tests/fuzz/fuzz_runs.py --nnc "$build/nnc" --rounds 25 --patience 60

echo "== faults"
count "faults" python3 tests/faults/run.py --nnc "$build/nnc" \
  --injector "$build/tests/libfault_injector.so"

echo "== speed"
look "matrix kernels" "$build/tests/test_jit" --test-suite=clock
# Wider limits than those of tests/tiles/README.md.
look "tile choice" "$build/tests/tile_choice" --shapes 30 --mean-loss 0.2 --worst-loss 2

echo "== sanitizers"
# What reads files that strangers wrote, under address and undefined-behaviour checks; the threads
# under the thread sanitizer.
# Without optimisation or line numbers (the presets have them): that builds in half the time.
check "configure asan" configure "$build/asan" -DNNC_SANITIZE=address,undefined \
  -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O0 -D_GLIBCXX_ASSERTIONS"
unit "$build/asan" test_support test_ir test_language test_runtime
check "build the fuzzers" cmake --build "$build/asan" --target fuzz_check fuzz_data
check "mutated model files" "$build/asan/tests/fuzz_check" --seconds 3
check "mutated data files" "$build/asan/tests/fuzz_data" --seconds 3
check "configure tsan" configure "$build/tsan" -DNNC_SANITIZE=thread \
  -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O1"
check "build in $build/tsan" cmake --build "$build/tsan" --target test_runtime
check "$build/tsan/test_runtime" "$build/tsan/tests/test_runtime" \
  --source-file='*threads_test*,*trainer_test*'
finish
