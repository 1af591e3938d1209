#!/usr/bin/env bash
# Sets up the servers that `make bench-peers` compares with in the user's cache, pinned by hash, and prints where.
set -euo pipefail
cd "$(dirname "$0")/.."
environment=${XDG_CACHE_HOME:-$HOME/.cache}/mirador/peers
if ! cmp -s benches/peers/requirements.txt "$environment/requirements.txt"; then
    python3 -m venv --clear "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r benches/peers/requirements.txt >&2
    cp benches/peers/requirements.txt "$environment/"
fi
echo "$environment"
