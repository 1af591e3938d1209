#!/usr/bin/env bash
# Lays out what an image holds beside the weights: docker/root.sh PROGRAM LIBTORCH OUT
#
#   OUT/libraries  changes seldom: the C library and what it brings, stripped libtorch, licences, certificates
#   OUT/program    changes with every commit: the stripped program, and the bill of materials
#
# PROGRAM is the built mirador, LIBTORCH the folder that scripts/libtorch.sh prints. What lies in libtorch's folder goes to /opt/mirador in the layout of its wheels, since the
# libraries find each other by that; all others go where the loader looks by itself.
set -euo pipefail

program=$1 libtorch=$(realpath "$2") out=$3
here=$(dirname "$(realpath "$0")")
wheels=$(dirname "$libtorch")
rm -rf "$out"
mkdir -p "$out"/libraries/{lib/x86_64-linux-gnu,lib64,opt/mirador,etc/ssl/certs,usr/share/doc} \
    "$out"/program/usr/{bin,share/mirador}

install -m 755 "$program" "$out/program/usr/bin/mirador"
strip "$out/program/usr/bin/mirador"

# "name => path (address)", or for the loader "path (address)".
mapfile -t linked < <(LD_LIBRARY_PATH=$libtorch/lib ldd "$program" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^\s*\(\/[^ ]*\) (.*/\1/p')
cuda=$(find "$libtorch/lib" -name libtorch_cuda.so)
if [ -n "$cuda" ]; then
    # Opened by name, so that ldd does not see them.
    mapfile -t opened < <(find "$libtorch/lib" "$wheels/nvidia" -name '*.so*')
    linked+=("${opened[@]}")
fi
system=()
for path in "${linked[@]}"; do
    real=$(realpath --no-symlinks "$path")
    case $real in
    "$wheels"/*)
        target=$out/libraries/opt/mirador/${real#"$wheels/"}
        [ ! -e "$target" ] || continue
        mkdir -p "$(dirname "$target")"
        cp -L "$real" "$target"
        # A fifth of it are symbols that only a debugger reads; all others are small, or CUDA's, and stay as they came.
        case $real in */libtorch_cpu.so) strip --strip-unneeded "$target" ;; esac
        ;;
    */ld-linux-*) install -m 755 "$real" "$out/libraries/lib64/" && system+=("$path") ;;
    *) install -m 755 "$real" "$out/libraries/lib/x86_64-linux-gnu/" && system+=("$path") ;;
    esac
done

# Names are looked up for --otlp-endpoint alone, and its certificate is checked by these.
echo 'hosts: files dns' >"$out/libraries/etc/nsswitch.conf"
cp -L /etc/ssl/certs/ca-certificates.crt "$out/libraries/etc/ssl/certs/"

# A library may be known to its package by its real path, or by the one from before /lib became a link.
packages=()
for path in "${system[@]}"; do
    owner=$(dpkg -S "$(realpath "$path")" 2>/dev/null || dpkg -S "/lib/${path##*/lib/}" 2>/dev/null ||
        dpkg -S "*/$(basename "$(realpath "$path")")")
    packages+=("${owner%%:*}")
done
mapfile -t packages < <(printf '%s\n' "${packages[@]}" ca-certificates | sort -u)
for package in "${packages[@]}"; do
    mkdir -p "$out/libraries/usr/share/doc/$package"
    cp -L "/usr/share/doc/$package/copyright" "$out/libraries/usr/share/doc/$package/"
done
for folder in "$wheels"/*.dist-info; do
    [ -d "$folder" ] || { echo "root.sh: $wheels has no licences: delete it, and scripts/libtorch.sh fetches it anew" >&2; exit 1; }
    name=$(basename "$folder" .dist-info)
    mkdir -p "$out/libraries/usr/share/doc/$name"
    find "$folder" -type f -exec cp {} "$out/libraries/usr/share/doc/$name/" \;
done
mkdir -p "$out/libraries/usr/share/doc/mirador"
cp "$here"/../LICENSE-* "$out/libraries/usr/share/doc/mirador/"

dpkg-query -W -f '${Package} ${Version}\n' "${packages[@]}" |
    python3 "$here/../scripts/bill.py" "$wheels" >"$out/program/usr/share/mirador/bill-of-materials.cdx.json"
# One date for all: the same content is the same layer.
find "$out" -exec touch --no-dereference --date=@"${SOURCE_DATE_EPOCH:-0}" {} +
