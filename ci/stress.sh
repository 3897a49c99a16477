#!/usr/bin/env bash
# The stress test of every engine: random rounds of requests, all data compared with a model.
#
#   ci/stress.sh [SECONDS] [ENGINE...]      default: 60 seconds for each of uring libaio sync null
#   AIO_STRESS_SEED=7 ci/stress.sh 5 uring  starts from the seed that a failure printed
#
# An hour for each engine: ci/stress.sh 3600. Files lie in TMPDIR, else /tmp: a file system there
# that takes O_DIRECT gives rounds with and without it. Debug builds, for their assertions.
set -uo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
[ $# -gt 0 ] && shift
engines=("$@")
[ ${#engines[@]} -gt 0 ] || engines=(uring libaio sync null)
export AIO_STRESS_SECONDS=$seconds
failed=0
for engine in "${engines[@]}"; do
    echo "stress: $engine for $seconds s, files in ${TMPDIR:-/tmp}, seed ${AIO_STRESS_SEED:-of the clock}"
    log=$(cargo test --quiet --locked -p "aio-$engine" --test stress -- --nocapture 2>&1)
    if [ $? -eq 0 ]; then
        grep -E "^$engine:| rounds \(|^stress|skipped: " <<<"$log"
    else
        printf '%s\n' "$log"
        echo "stress: $engine FAILED" >&2
        failed=1
    fi
done
exit $failed
