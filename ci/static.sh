#!/usr/bin/env bash
# Builds the program as one static executable, which a release ships and which runs on every kernel of
# the lab, and shows that it is one. Prints where it is, and nothing else, on stdout:
#
#   program=$(ci/static.sh)
#
# It is the target of glibc with its C library linked in: target/static/TARGET/release/aio.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(uname -m)-unknown-linux-gnu
folder=${CARGO_TARGET_DIR:-$PWD/target}/static
program=$folder/$target/release/aio
complain() { echo "static: FAILED: $1" >&2; exit 1; }

RUSTFLAGS="-C target-feature=+crt-static" cargo build --quiet --locked --release -p aio-cli \
    --target "$target" --target-dir "$folder"

# A program that needs an interpreter or a library has these entries.
headers=$(LC_ALL=C readelf --wide --program-headers --dynamic "$program") || complain "readelf cannot read it"
grep -q 'LOAD' <<<"$headers" || complain "nothing in $program would be loaded"
! grep -E 'INTERP|\(NEEDED\)' <<<"$headers" >&2 || complain "$program is not static"
said=$(env -i "$program" --version) || complain "$program does not run here"
[[ $said =~ ^aio\ [0-9] ]] || complain "$program says $said"
env -i "$program" --engine all --buffered --write-file "$folder/trial" --write-size 1M --loops 1 \
    --validate --quiet >/dev/null || complain "$program does not run here"

stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$program"
mib() { awk -v bytes="$(stat -c %s "$1")" 'BEGIN { printf "%.1f MiB", bytes / 1048576 }'; }
echo "static: ok, $said for $target: $(mib "$program"), $(mib "$stripped") without debug information" >&2
echo "$program"
