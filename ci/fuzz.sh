#!/usr/bin/env bash
# The fuzz targets, for longer than an ordinary test run has them: tests whose names begin with
# `fuzzed_`. A failure prints the seed and the shortest input that was found, which then becomes a
# test with a name of its own.
#
#   ci/fuzz.sh [SECONDS] [TARGET…]         default: 60 seconds for each target; a part of a name
#   AIO_FUZZ_SEED=7 ci/fuzz.sh 60 plan     from the seed that a failure printed
#   SANITIZER=address ci/fuzz.sh 60 rings  under AddressSanitizer
#
# Inputs are mutated by ourselves, and kept when the program answers them as none before
# (core/src/testing/fuzz.rs). libFuzzer would look at branches instead of answers, but needs a
# nightly compiler and a C++ one, and the targets would have to leave their crates, in which most of
# what they call is private.
set -uo pipefail
cd "$(dirname "$0")/.."
export AIO_FUZZ_SECONDS=${1:-60} RUST_BACKTRACE=0
[ $# -gt 0 ] && shift
targets=("$@")
flags=()
if [ -n "${SANITIZER:-}" ]; then
    export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=$SANITIZER"
    export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/$SANITIZER
    flags=(--target "$(rustc -vV | sed -n 's/^host: //p')")
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0 ran=0
for package in "-p aio-core --lib" "-p libaio-sys --test hostile_ring" "-p aio-backends --lib" \
    "-p aio-cli --bin aio"; do
    # shellcheck disable=SC2086
    tests=$(cargo test --quiet --locked "${flags[@]}" $package -- --list 2>"$log") ||
        { failed=1; cat "$log"; continue; }
    names=()
    for name in $(sed -n 's/: test$//p' <<<"$tests" | grep fuzzed_); do
        [ ${#targets[@]} -eq 0 ] && names+=("$name")
        for target in "${targets[@]}"; do [[ $name == *"$target"* ]] && names+=("$name"); done
    done
    [ ${#names[@]} -gt 0 ] || continue
    ran=$((ran + ${#names[@]}))
    # shellcheck disable=SC2086
    cargo test --quiet --locked "${flags[@]}" $package -- --nocapture --exact "${names[@]}" >"$log" 2>&1 ||
        { failed=1; cat "$log"; }
    grep -E 'inputs from AIO_FUZZ_SEED' "$log" | sort -u
done
[ $failed -ne 0 ] || [ $ran -gt 0 ] || {
    echo "fuzz: no target has ${targets[*]} in its name" >&2
    exit 2
}
[ $failed -eq 0 ] || echo "fuzz: FAILED" >&2
exit $failed
