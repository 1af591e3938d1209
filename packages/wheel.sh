#!/usr/bin/env bash
# Packs the program that `make build` made into a wheel with its weights, the Python client and the list of its crates, and
# prints the wheel's path.
#
# hatchling packs; maturin would compile everything above libtorch's bindings a second time, because it builds one
# package alone, with other features of the crates. The program's run path names PyTorch's libtorch beside each supported Python.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath "${CARGO_TARGET_DIR:-target}")
program=$target/release/mirador
[ -x "$program" ] || { echo "wheel: $program is not built: make build" >&2; exit 1; }
. packages/tools.sh

# It asks for glibc 2.34 at most, or the tag is a lie.
newest=$(objdump -T "$program" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)
[ "$(printf '%s\n' "$newest" GLIBC_2.34 | sort -V | tail -n 1)" = GLIBC_2.34 ] ||
    { echo "wheel: the program asks for $newest; build it on an older system" >&2; exit 1; }

# Laid out anew, so that nothing old gets into a wheel.
work=$target/wheel
rm -rf "$work"
mkdir -p "$work"
cp -r packages/python/{pyproject.toml,README.md,tag.py,src} Cargo.toml LICENSE-APACHE LICENSE-MIT weights "$work/"
find "$work/src" -name __pycache__ -prune -exec rm -r {} +
cp "$program" "$work/mirador"
strip --strip-unneeded "$work/mirador"
paths=
for minor in 10 11 12 13 14; do paths+=${paths:+:}\$ORIGIN/../lib/python3.$minor/site-packages/torch/lib; done
patchelf --set-rpath "$paths" "$work/mirador"

python3 scripts/bill.py >"$work/mirador.cdx.json"

(cd "$work" && hatchling build --target wheel) >&2
realpath "$work"/dist/*.whl
