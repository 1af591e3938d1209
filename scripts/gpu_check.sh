#!/usr/bin/env bash
# Shows on a GPU machine what the tests cannot show without one: the same numbers, a training step, the speed.
#
#   scripts/gpu_check.sh                 on the first GPU
#   DEVICE=cpu scripts/gpu_check.sh      anywhere, to try the script itself
#
# Needs the built programs, weights/ and a Python with PyTorch 2.11.0 (PYTHON=python3), whose libtorch is used: it has
# CUDA, and the programs find theirs in a folder that need not exist here. Stops at the first thing that is wrong.
set -euo pipefail
cd "$(dirname "$0")/.."

device=${DEVICE:-cuda:0}
python=${PYTHON:-python3}
programs=${CARGO_TARGET_DIR:-target}/release
step() { printf '\n== %s\n' "$*"; }
die() { echo "gpu_check: $*" >&2; exit 1; }

for program in mirador mirador-train; do
    [ -x "$programs/$program" ] || die "$programs/$program is missing: make build"
done
[ -d weights ] || die "weights/ is missing"

step "libtorch"
# One line for LD_LIBRARY_PATH, or the reason why this Python cannot serve.
LD_LIBRARY_PATH=$("$python" - "$device" <<'PYTHON'
import glob, os, sys
try:
    import torch
except ImportError as error:
    sys.exit(f"gpu_check: this Python has no PyTorch: {error}")
if torch.__version__.split("+")[0] != "2.11.0":
    sys.exit(f"gpu_check: PyTorch {torch.__version__} found, 2.11.0 needed")
if sys.argv[1].startswith("cuda") and not torch.cuda.is_available():
    sys.exit("gpu_check: PyTorch itself sees no GPU here")
if sys.argv[1].startswith("cuda"):
    print("GPU:", torch.cuda.get_device_name(sys.argv[1]), "CUDA", torch.version.cuda, file=sys.stderr)
folder = os.path.dirname(torch.__file__)
print(":".join([f"{folder}/lib", *sorted(glob.glob(f"{folder}/../nvidia/*/lib"))]))
PYTHON
)
export LD_LIBRARY_PATH
echo "${LD_LIBRARY_PATH%%:*}"
unresolved=$(ldd "$programs/mirador" | grep 'not found' || true)
[ -z "$unresolved" ] || die "libraries are missing:"$'\n'"$unresolved"

step "the golden outputs of every model on $device"
"$programs/mirador" check --device "$device"

step "rows per second by batch size, and one epoch of training"
for place in "$device" cpu; do
    "$programs/mirador-train" speed --model dmiso --device "$place"
    [ "$device" != cpu ] || break
done

step "all passed on $device"
