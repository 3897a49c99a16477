#!/usr/bin/env bash
# Reports of real runs, loaded from disk in headless Chromium: no error, no request, no overflow, in
# light and dark, wide and narrow. AIO names the program; SCREENSHOTS a folder for pictures.
set -euo pipefail
cd "$(dirname "$0")/.."

for need in chromium python3; do
    if ! command -v "$need" >/dev/null; then
        echo "skipped: reports in a browser: $need is not installed"
        exit 0
    fi
done
built=${CARGO_TARGET_DIR:-target}
for candidate in "${AIO:-}" "$built/release/aio" "$built/debug/aio"; do
    [ -x "$candidate" ] && aio=$(realpath "$candidate") && break
done
[ -n "${aio:-}" ] || { echo "page: build aio first, or name it in AIO" >&2; exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
run() { "$aio" --buffered --quiet --format json "$@"; }
run --engine all --write-file "$folder/w" --write-size 4M --output "$folder/tensors.json"
run --engine all --file "$folder/b" --size 4M --rw randrw --bs 4k --number-ios 2000 \
    --interval 5ms --output "$folder/blocks.json"
"$aio" report "$folder/tensors.json" -o "$folder/tensors.html"
"$aio" report "$folder/blocks.json" -o "$folder/blocks.html"
"$aio" report "$folder/tensors.json" "$folder/blocks.json" -o "$folder/several.html"

python3 ci/page.py --self-test
[ -z "${SCREENSHOTS:-}" ] || mkdir -p "$SCREENSHOTS"
python3 ci/page.py ${SCREENSHOTS:+--screenshots "$SCREENSHOTS"} "$folder"/*.html
