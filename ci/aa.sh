#!/usr/bin/env bash
# Forty comparisons of an engine with itself on a cached file: how many find a winner? None is right;
# at a level of 1 %, three or more of forty come up less than once in a hundred times.
#   ci/aa.sh [COMPARISONS] [ENGINE]
set -euo pipefail
cd "$(dirname "$0")/.."

comparisons=${1:-40} engine=${2:-sync}
aio=${AIO:-target/release/aio}
[ -x "$aio" ] || cargo build --release --locked
aio=$(realpath "$aio")
folder=$(mktemp -d -p "$(dirname "$aio")")
trap 'rm -rf "$folder"' EXIT
cd "$folder"

winners=0 widest=0
for ((i = 1; i <= comparisons; i++)); do
    "$aio" compare --engine "$engine,$engine" --file cached --keep --rw randread --block-size 4k \
        --size 16M --buffered --queue-depth 1 --runtime 100ms --cool-down 0 --quiet --seed "$i" --save r.json >/dev/null
    read -r finding change low high < <(python3 - <<'PYTHON'
import json
with open("r.json") as file:
    verdict = json.load(file)["contestants"][1]["results"][0]["versus"]["verdict"]
numbers = [verdict[key] for key in ("change", "low", "high")]
print(verdict["finding"], *("-" if one is None else f"{100 * one:+.1f}" for one in numbers))
PYTHON
    )
    echo "comparison $i: $finding, $change % ($low to $high)"
    case $finding in better | worse) winners=$((winners + 1)) ;; esac
done
echo "$winners of $comparisons comparisons of $engine with itself found a winner"
[ "$winners" -le $((1 + comparisons / 40)) ]
