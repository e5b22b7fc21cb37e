#!/bin/sh
# Checks that every C++ file is as clang-format 14 writes it (.clang-format in the root).
# usage: tools/check_format.sh          lists the files that are not
#        tools/check_format.sh --fix    rewrites them
set -eu
cd "$(dirname "$0")/.."
format=$(command -v clang-format-14 || command -v clang-format || true)
if [ -z "$format" ]; then
  echo "format: there is no clang-format-14 (Debian package clang-format-14)" >&2
  exit 1
fi
if [ "${1:-}" = "--fix" ]; then
  find compiler runtime tools tests \( -name '*.h' -o -name '*.cpp' \) -print0 |
    xargs -0 -r -n 8 -P 2 "$format" -i
  exit 0
fi
if find compiler runtime tools tests \( -name '*.h' -o -name '*.cpp' \) -print0 |
  xargs -0 -r -n 8 -P 2 "$format" --dry-run --Werror; then
  echo "format: every file is as clang-format writes it"
else
  echo "format: tools/check_format.sh --fix repairs this" >&2
  exit 1
fi
