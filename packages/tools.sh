# What packs packages, in the user's cache; read by wheel.sh and deb.sh, which find it in PATH then.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/mirador/tools
pins=packages/requirements.txt
if ! cmp -s "$pins" "$tools/packages/requirements.txt"; then
    mkdir -p "$tools"
    python3 -m venv --clear "$tools/packages"
    "$tools/packages/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$pins" >&2
    cp "$pins" "$tools/packages/requirements.txt"
fi
PATH=$tools/packages/bin:$tools/bin:$PATH
