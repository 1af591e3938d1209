# shellcheck shell=bash
# Plays the rendered Deployment with its ConfigMap and its Secret by podman, and asks it, for .ci/chart.

# What podman lacks where neither systemd runs nor limits may be raised.
play_setup() {
    local missing=()
    command -v podman >/dev/null || missing+=(podman)
    command -v runc >/dev/null || missing+=(runc)
    [ -x /usr/libexec/podman/catatonit ] || missing+=(catatonit)
    [ -e /usr/lib/podman/netavark ] || missing+=(netavark iptables)
    if [ ${#missing[@]} -gt 0 ]; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
    fi
    export CONTAINERS_STORAGE_CONF=$work/storage.conf CONTAINERS_CONF=$work/containers.conf
    printf '[storage]\ndriver = "overlay"\nrunroot = "%s"\ngraphroot = "%s"\n' "$work/run" "$work/graph" \
        >"$CONTAINERS_STORAGE_CONF"
    cat >"$CONTAINERS_CONF" <<'TOML'
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
[network]
network_backend = "netavark"
TOML
}

play_end() {
    status=$?
    podman kube down "$work/play.yaml" >/dev/null 2>&1 || true
    podman pod rm --all --force --time 0 >/dev/null 2>&1 || true
    podman rm --all --force --time 0 >/dev/null 2>&1 || true
    umount "$work/graph/overlay" 2>/dev/null || true
    rm -rf "$work"
    exit "$status"
}

play_fail() {
    podman logs "$pod" 2>&1 | tail -n 30 || true
    fail "$*"
}

# Takes the program and the archive.
play() {
    local key line address ops status
    pod=mirador-pod-0-mirador
    play_setup
    trap play_end EXIT
    trap 'exit 130' INT TERM
    podman tag "$(podman pull --quiet "oci-archive:$2" | tail -n 1)" localhost/mirador:played
    "$1" key lab >"$work/key"
    key=$(grep '^mirador_' "$work/key") line=$(grep '^lab ' "$work/key")
    printf 'keys:\n  lines: |\n    %s\n' "$line" >"$work/values.yaml"
    "$bin/helm" template mirador "$chart" --namespace mirador --values "$work/values.yaml" >"$work/keyed.yaml"
    read -r address ops < <(
        "$bin/python" .ci/charts/play.py "$work/keyed.yaml" localhost/mirador:played "$work/play.yaml"
    )
    podman play kube "$work/play.yaml" >"$work/played" 2>&1 || play_fail "$(cat "$work/played")"
    for _ in {1..360}; do
        curl -fs -o /dev/null "http://$ops/health/ready" && break
        sleep 0.5
    done
    curl -fs -o /dev/null "http://$ops/health/ready" || play_fail "not ready after three minutes"
    say "a pod is ready"
    ask() {
        curl -s -o "$work/reply" -w '%{http_code}' "http://$address/v1/target-sites/score" \
            -H 'Content-Type: application/json' "$@" \
            -d '{"pairs": [{"mirna": "UGAGGUAGUAGGUUGUAUAGUU", "site": "AACUAUACAACCUACUACCUCA"}]}'
    }
    status=$(ask)
    [ "$status" = 401 ] || play_fail "without a key: $status"
    status=$(ask -H "Authorization: Bearer $key")
    [ "$status" = 200 ] || play_fail "with a key: $status $(cat "$work/reply")"
    python3 - "$work/reply" <<'PYTHON' || play_fail "another score: $(cat "$work/reply")"
import json, sys
(result,) = json.load(open(sys.argv[1]))["results"]
sys.exit(not (result["probability"] > 0.999 and result["site_type"] == "8mer"))
PYTHON
    status=$(curl -s -o /dev/null -w '%{http_code}' "http://$address/metrics")
    [ "$status" = 401 ] || play_fail "metrics without a key: $status"
    # What the autoscaler asks for has to be there.
    curl -fs "http://$ops/metrics" >"$work/metrics"
    for metric in $(grep -oh 'mirador_[a-z_]*[{]' "$work/rendered/keda.yaml" | sort -u); do
        grep -q "^$metric" "$work/metrics" || play_fail "nobody measures $metric"
    done
    status=$(podman inspect --format '{{.Config.User}} {{len .EffectiveCaps}} {{.HostConfig.ReadonlyRootfs}}' "$pod")
    [ "$status" = "10001:10001 0 true" ] || play_fail "user, capabilities, read-only root: $status"
    podman stop --time 40 "$pod" >/dev/null
    status=$(podman inspect --format '{{.State.ExitCode}}' "$pod")
    [ "$status" = 0 ] || play_fail "ended with $status"
}
