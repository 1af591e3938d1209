#!/usr/bin/env bash
# Shows on a GPU machine what the tests cannot show without one, and writes it to reports/gpu.md: the same numbers, the
# speed of the bare networks and over HTTP, a soak, an answer without memory, a training step. Ten minutes.
#
#   scripts/gpu_check.sh                             on the first GPU
#   DEVICE=cpu REPORT=/tmp/gpu.md scripts/gpu_check.sh   anywhere, to try the script itself
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

report=${REPORT:-reports/gpu.md}
soak=${SOAK:-60}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
# To the screen and to the report.
note() { tee -a "$work/report"; }
listing() { printf '```text\n%s\n```\n\n' "$(cat)" | note; }

step "what runs"
{
    printf '# On a GPU\n\nWritten by `scripts/gpu_check.sh`, %s, state %s.\n\n' "$(date -u +%F)" \
        "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
    case $device in
    cuda*) printf 'Device %s: %s.\n\n' "$device" "$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader -i "${device#cuda:}")" ;;
    *) printf '**No GPU was used**: device %s. CUDA was not measured.\n\n' "$device" ;;
    esac
} | note

step "the golden outputs of every version on $device"
printf '## Golden outputs\n\nThe difference is relative to 1 + |output|; 1e-4 is allowed, 2e-2 with `tf32`.\n\n' | note
"$programs/mirador" check --device "$device" >"$work/check" || { cat "$work/check"; die "a golden output is not reproduced"; }
listing <"$work/check"
if [[ $device == cuda* ]]; then
    step "the same with rounded factors"
    printf 'With `--precision tf32`:\n\n' | note
    "$programs/mirador" check --device "$device" --precision tf32 >"$work/check" || true
    listing <"$work/check"
fi

step "rows per second by batch size, and one epoch of training"
printf '## Bare networks, and an epoch of training\n\n' | note
for model in dmiso pairmap; do
    for place in "$device" cpu; do
        "$programs/mirador-train" speed --model "$model" --device "$place" | listing
        [ "$device" != cpu ] || break
    done
done

step "over HTTP"
printf '## Over HTTP\n\n' | note
for model in dmiso pairmap; do
    "$programs/mirador" serve --bind 127.0.0.1:0 --port-file "$work/address" --device "$device" --models "$model" --max-rows 10000 \
        >"$work/log" 2>&1 &
    server=$!
    for _ in {1..240}; do
        kill -0 "$server" 2>/dev/null || { tail "$work/log"; die "the server ended before it was ready"; }
        if [ -s "$work/address" ] && "$python" -c "import urllib.request as u; u.urlopen('http://$(cat "$work/address")/health/ready')" 2>/dev/null; then break; fi
        sleep 0.5
    done
    "$python" scripts/gpu_load.py "$(cat "$work/address")" "$device" "$soak" "$model" "$work/log" | note || { tail "$work/log"; die "an answer is wrong"; }
    kill -TERM "$server"
    wait "$server" || die "SIGTERM: the server ended with status $?"
    server=
    rm "$work/address"
done

cp "$work/report" "$report"
step "all passed on $device; written to $report"
