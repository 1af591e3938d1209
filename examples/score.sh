#!/usr/bin/env bash
# Scores miRNA-site pairs with curl: score.sh FILE [MODEL].
#
# FILE.csv or FILE.tsv (columns mirna, site and, if you like, id) is sent and answered whole. FILE.ndjson (an object a
# line) is streamed: curl reads answers while it sends rows, and a stream that ends early says so in its last line, by
# `error`. MIRADOR_URL names the server, MIRADOR_KEY holds a key.
set -euo pipefail

file=${1:?usage: score.sh FILE.csv|FILE.tsv|FILE.ndjson [MODEL]}
url=${MIRADOR_URL:-http://127.0.0.1:8080}/v1/target-sites/score${2:+?model=$2}
options=(--silent --show-error --fail-with-body)
if [ -n "${MIRADOR_KEY:-}" ]; then
    options+=(--header "Authorization: Bearer $MIRADOR_KEY")
fi

case $file in
*.csv) curl "${options[@]}" "$url" --header 'Content-Type: text/csv' --data-binary "@$file" ;;
*.tsv) curl "${options[@]}" "$url" --header 'Content-Type: text/tab-separated-values' --data-binary "@$file" ;;
# An empty `Expect:` spares a second of waiting for a go-ahead.
*) curl "${options[@]}" "$url" --header 'Content-Type: application/x-ndjson' --header 'Expect:' \
    --request POST --upload-file "$file" ;;
esac
