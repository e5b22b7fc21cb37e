# Sourced by the other scripts: which Debian packages nnc needs, and how missing ones get installed.
# shellcheck shell=bash

# To build and run nnc (README.md says what each one is for).
BUILD_PACKAGES="g++ cmake ninja-build llvm-19-dev libzstd-dev libyaml-cpp-dev libfmt-dev
libcli11-dev nlohmann-json3-dev zlib1g-dev libpng-dev libmimalloc-dev
libjpeg62-turbo-dev libexif-dev doctest-dev"
# To train the default model: 70,000 pictures of clothes.
DATA_PACKAGES="dataset-fashion-mnist"
# To run every test: a second C++ compiler for emitted code, the formatter, the test scripts.
TEST_PACKAGES="clang-19 clang-format-14 python3 ccache"

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = "installed" ]
}

# ensure_packages PACKAGE…: installs those that are missing, as root or with sudo.
ensure_packages() {
  local missing="" package as_root=""
  if ! command -v dpkg-query >/dev/null; then
    echo "This is not a Debian system: please install what corresponds to: $*"
    return 0
  fi
  for package in "$@"; do
    is_installed "$package" || missing="$missing $package"
  done
  if [ -z "$missing" ]; then
    echo "All needed Debian packages are installed."
    return 0
  fi
  echo "Installing Debian packages:$missing"
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "Neither root nor sudo: please run, as root, apt-get install$missing" >&2
      return 1
    fi
    as_root="sudo"
  fi
  # Debian's defaults for everything a package might ask; locks of another apt are waited for.
  local apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600"
  $apt update
  # shellcheck disable=SC2086
  $apt install -y --no-install-recommends $missing
}
