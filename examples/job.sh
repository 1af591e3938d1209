#!/usr/bin/env bash
# Leaves miRNA-site pairs to be scored and waits for them: job.sh FILE.csv|FILE.tsv|FILE.ndjson [MODEL].
#
# The results come in the format of the file. The same file sent twice within a day is one job, so that a call that broke
# off may be repeated. MIRADOR_URL names the server, MIRADOR_KEY holds a key.
set -euo pipefail

file=${1:?usage: job.sh FILE.csv|FILE.tsv|FILE.ndjson [MODEL]}
server=${MIRADOR_URL:-http://127.0.0.1:8080}
options=(--silent --show-error --fail-with-body)
if [ -n "${MIRADOR_KEY:-}" ]; then
    options+=(--header "Authorization: Bearer $MIRADOR_KEY")
fi
case $file in
*.csv) type=text/csv ;;
*.tsv) type=text/tab-separated-values ;;
*) type=application/x-ndjson ;;
esac

# --upload-file sends from the disk; a name made of the file's digest says which job is meant.
reply=$(mktemp)
trap 'rm -f "$reply"' EXIT
place=$(curl "${options[@]}" "$server/v1/jobs?operation=target-sites/score${2:+&model=$2}" --request POST --upload-file "$file" \
    --header "Content-Type: $type" --header "Idempotency-Key: $(sha256sum "$file" | cut -c 1-32)${2:+-$2}" \
    --header 'Expect:' --output "$reply" --dump-header - | sed -n 's/^location: \([^[:space:]]*\).*/\1/Ip') || { cat "$reply" >&2; exit 1; }
while :; do
    state=$(curl "${options[@]}" "$server$place" | sed -n 's/.*"state":"\([A-Z_]*\)".*/\1/p')
    case $state in
    COMPLETE) break ;;
    QUEUED | RUNNING) sleep 1 ;;
    *) curl "${options[@]}" "$server$place" >&2; exit 1 ;;
    esac
done
curl "${options[@]}" "$server$place/results" --header "Accept: $type"
