#!/usr/bin/env bash
# Reports of real runs, loaded from disk in headless Chromium: no error, no request, no overflow, in
# light and dark, wide and narrow. AIO names the program; SCREENSHOTS a folder for pictures.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() { echo "skipped: reports in a browser: $1"; exit 0; }
command -v python3 >/dev/null || skip "python3 is not installed"
for browser in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    [ -n "$browser" ] && command -v "$browser" >/dev/null && break
    browser=
done
[ -n "$browser" ] || skip "Chromium is not installed"
export CHROMIUM=$browser

built=${CARGO_TARGET_DIR:-target}
for candidate in "${AIO:-}" "$built/release/aio" "$built/debug/aio"; do
    [ -x "$candidate" ] && aio=$(realpath "$candidate") && break
done
[ -n "${aio:-}" ] || { echo "page: build aio first, or name it in AIO" >&2; exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
run() { "$aio" --buffered --quiet --format json "$@"; }
compare() { "$aio" compare --rounds 2 --cool-down 0 --buffered --quiet --file "$folder/b" \
    --size 4M --rw randread --bs 4k --number-ios 1000 "$@" >/dev/null; }
run --engine all --write-file "$folder/w" --write-size 4M --output "$folder/tensors.json"
run --engine all --file "$folder/b" --size 4M --rw randrw --bs 4k --number-ios 20000 \
    --interval 10ms --output "$folder/blocks.json"
compare --engine sync,null --save "$folder/compare.json"
compare --engine sync,null --sweep queue-depth=1,4,16 --save "$folder/sweep.json"
for name in tensors blocks compare sweep; do
    "$aio" report "$folder/$name.json" -o "$folder/$name.html"
done
"$aio" report "$folder/tensors.json" "$folder/compare.json" -o "$folder/several.html"

python3 ci/page.py --self-test
[ -z "${SCREENSHOTS:-}" ] || mkdir -p "$SCREENSHOTS"
python3 ci/page.py ${SCREENSHOTS:+--screenshots "$SCREENSHOTS"} "$folder"/*.html
