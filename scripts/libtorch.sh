#!/usr/bin/env bash
# Puts libtorch 2.11.0 into the user's cache, once, and prints the folder that LIBTORCH must name.
#
#   scripts/libtorch.sh [cpu|cuda]
#
# libtorch comes out of the PyTorch wheels, pinned by version and hash in libtorch-cpu.txt and libtorch-cuda.txt. The
# wheels' layout is kept, since the libraries look for CUDA by a run path of their own: ../../nvidia/*/lib.
# A LIBTORCH that is set already wins, and nothing is fetched. Progress goes to stderr, the folder to stdout.
set -euo pipefail

say() { echo "libtorch: $*" >&2; }
die() { say "$*"; exit 1; }

if [ -n "${LIBTORCH:-}" ]; then
    { [ -d "$LIBTORCH/lib" ] && [ -d "$LIBTORCH/include" ]; } ||
        die "LIBTORCH=$LIBTORCH holds no lib and include: correct it, or unset it to have libtorch fetched"
    cd "$LIBTORCH" && pwd
    exit
fi

# What is taken out of the wheels. On a CPU nothing loads the CUDA half: the programs link libtorch_cpu.so and open
# libtorch_cuda.so at start-up, where there is one. libtorch_python and libshm serve Python alone. The licences go
# wherever the libraries are handed on to.
kind=${1:-cpu}
licences='[^/]+\.dist-info/(licenses/)?[^/]*(LICENSE|License|NOTICE)[^/]*'
case $kind in
cpu) keep='torch/(include/.+|lib/(libc10|libtorch|libtorch_cpu)\.so|lib/libgomp\.so\.1)|nvidia/cu13/lib/lib(cudart|cupti)\.so\.13|'$licences ;;
cuda) keep='torch/(include/.+|lib/(?!libtorch_python|libshm)[^/]+\.so[.0-9]*)|nvidia/[^/]+/lib/[^/]+\.so[.0-9]*|'$licences ;;
*) die "usage: scripts/libtorch.sh [cpu|cuda]" ;;
esac

pins=$(cd "$(dirname "$0")" && pwd)/libtorch-$kind.txt
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mirador
wheels=$cache/wheels
folder=$cache/libtorch-2.11.0-$kind

# The stamp is a copy of the pins, written last: other pins, or a set-up cut short, and the folder is made anew.
finished() { cmp -s "$pins" "$folder/pins.txt"; }
answer() { echo "$folder/torch"; exit; }
finished && answer

{ [ "$(uname -sm)" = "Linux x86_64" ] && getconf GNU_LIBC_VERSION >/dev/null 2>&1; } ||
    die "the wheels are for Linux on x86-64 with glibc 2.28 or newer; elsewhere install libtorch 2.11.0 by hand and set LIBTORCH to its folder"
command -v cargo >/dev/null || die "cargo is missing: install Rust first"
command -v "${CXX:-c++}" >/dev/null || die "a C++ compiler is missing (on Debian: apt-get install g++)"
command -v flock >/dev/null || die "flock is missing (on Debian: apt-get install util-linux)"
command -v python3 >/dev/null || die "python3 is missing (on Debian: apt-get install python3-pip)"
python3 -m pip --version >/dev/null 2>&1 || die "python3 has no pip (on Debian: apt-get install python3-pip)"

# One set-up at a time: the second waits here and then finds the work done.
mkdir -p "$wheels"
exec 9>"$cache/libtorch.lock"
flock -n 9 || { say "another set-up is at work, waiting for it"; flock 9; }
finished && answer
rm -rf "$folder".?????? # left by a set-up that was killed

mapfile -t requirements < <(grep '==' "$pins")
say "fetching ${#requirements[@]} wheels ($([ "$kind" = cpu ] && echo 0.55 || echo 2.5) GB) into $cache"

options=(--no-deps --require-hashes --only-binary=:all: --python-version 3.11 --platform manylinux2014_x86_64)
for minor in {12..28}; do options+=(--platform "manylinux_2_${minor}_x86_64"); done
# pip 25.1 and newer take up a broken download where it stopped; finished wheels survive in any case, see below.
case $(python3 -m pip download --help) in *--resume-retries*) options+=(--resume-retries 20) ;; esac

# One call a wheel: pip hands out what it fetched only at its end, and a finished wheel shall not be fetched again.
# Its own cache stays out, which would hold every wheel a second time.
files=()
for requirement in "${requirements[@]}"; do
    python3 -m pip --disable-pip-version-check --no-cache-dir download "${options[@]}" \
        --dest "$wheels" --requirement <(echo "$requirement") >&2
    name=${requirement%%==*} version=${requirement#*==}
    files+=("$wheels/${name//-/_}-${version%% *}"-*.whl)
done

say "unpacking"
fresh=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
chmod 755 "$fresh"
python3 - "$keep" "$fresh" "${files[@]}" <<'PYTHON'
import re, sys, zipfile
keep, folder, *wheels = sys.argv[1:]
for path in wheels:
    with zipfile.ZipFile(path) as wheel:
        wheel.extractall(folder, [name for name in wheel.namelist() if re.fullmatch(keep, name)])
PYTHON
cp "$pins" "$fresh/pins.txt"

rm -rf "$folder"
mv "$fresh" "$folder"
rm -f "${files[@]}"
say "ready: $(du -sh "$folder" | cut -f1) in $folder"
answer
