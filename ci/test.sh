#!/usr/bin/env bash
# The README's test command, and a count of what this machine could not do.
set -uo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
cargo test --workspace --locked 2>&1 | tee "$log"
status=${PIPESTATUS[0]}

echo
echo "skipped on this machine: $(grep -c 'skipped: ' "$log")"
grep -o 'skipped: .*' "$log" | sort | uniq -c || true
# The closing lines of all test programs as one.
awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
     END { printf "%d passed, %d failed, %d skipped\n", passed, failed, ignored }' "$log"
exit "$status"
