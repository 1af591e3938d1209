#!/usr/bin/env bash
# Packs the program that `make build` made with libtorch, the weights and a systemd unit as a Debian package, and prints its
# path. What goes where stands in Cargo.toml. LIBTORCH names libtorch for a CPU, in the layout of its wheels.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath "${CARGO_TARGET_DIR:-target}")
. packages/tools.sh
if [ "$(cargo deb --version 2>/dev/null)" != "cargo-deb 3.8.0" ]; then
    cargo install --quiet --locked --debug --force --root "$tools" cargo-deb@3.8.0 >&2
fi

work=$target/deb
rm -rf "$work"
mkdir -p "$work/lib"
cp "$target/release/mirador" "$work/mirador"
patchelf --set-rpath /usr/lib/mirador "$work/mirador"
# libtorch names the two of CUDA that it is linked to; here all lie in one folder.
cp "$LIBTORCH"/lib/{libc10.so,libtorch_cpu.so,libgomp.so.1} \
    "$LIBTORCH"/../nvidia/cu13/lib/{libcudart.so.13,libcupti.so.13} "$work/lib/"
for library in "$work"/lib/*; do patchelf --set-rpath '$ORIGIN' "$library"; done
strip --strip-unneeded "$work/mirador" "$work"/lib/*
# `assets` names files by their place below the workspace.
[ "$work" = "$PWD/target/deb" ] || { mkdir -p target && ln -sfn "$work" target/deb; }

# gzip by the system: 175 MB in a minute. xz takes seven minutes of a core and saves a third of that.
cargo deb --no-build --no-strip --compress-type gz --compress-system --fast --locked --package mirador --output "$work/" >&2
realpath "$work"/*.deb
