#!/usr/bin/env bash
# Instruction budget of the hot path: user-space instructions per request, by valgrind, as the
# difference between two numbers of requests divided by their difference. Random 4 KiB reads of a
# file in the page cache, with a full latency histogram, a fingerprint and a check of each result.
# Does not depend on the machine's mood; fails above the bar.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v valgrind >/dev/null || { echo "skipped: instruction budget: valgrind is missing"; exit 0; }
cargo build --release --quiet --locked
aio=target/release/aio
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
head -c 67108864 /dev/zero >"$folder/f"
few=20000 many=520000

instructions() { # engine depth batch requests
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$aio" --engine "$1" --file "$folder/f" \
        --rw randread --buffered --block-size 4k --queue-depth "$2" --batch-submit "$3" \
        --batch-complete "$3" --number-ios "$4" --quiet --format csv 2>&1 >/dev/null |
        awk '/Collected/ { print $NF }'
}
budget() { # engine depth batch bar
    local less more per
    less=$(instructions "$1" "$2" "$3" "$few")
    more=$(instructions "$1" "$2" "$3" "$many")
    per=$(((more - less) / (many - few)))
    echo "budget: $1, depth $2, batch $3: $per instructions per request (bar $4)"
    [ "$per" -le "$4" ] || { echo "budget: $1 is over its bar" >&2; exit 1; }
}
budget null 32 16 120
# Wanted: 180. docs/performance.md says where the rest is.
budget libaio 32 16 195
# Wanted: 120. The same.
budget sync 1 1 205
