#!/usr/bin/env bash
# aio against fio: sequential reads and writes of whole tensors, same engine, block size and depth,
# in alternating runs on files in one folder. Prints medians, ranges and ratios as Markdown.
#
#   ci/bench.sh [FOLDER]          default: a new folder under target/
#   RUNS=5 SIZE=1G BLOCK=1M DEPTH=32 MEMORY=thp ENGINES="uring libaio sync" ci/bench.sh
#
# aio's buffers are huge pages by default, fio's are 4 KiB pages: MEMORY=4k shows the difference
# without that.
#
# fio's psync ignores the depth; aio's sync keeps a pool of DEPTH threads. Both write to a file that
# is allocated already, with O_DIRECT. fio's rate is of its whole run, aio's of the timed loop.
set -euo pipefail
cd "$(dirname "$0")/.."

RUNS=${RUNS:-5} SIZE=${SIZE:-1G} BLOCK=${BLOCK:-1M} DEPTH=${DEPTH:-32} MEMORY=${MEMORY:-thp}
read -ra engines <<<"${ENGINES:-uring libaio sync}"
command -v fio >/dev/null || { echo "bench: fio is missing (apt-get install fio)" >&2; exit 1; }
cargo build --release --quiet --locked
aio=target/release/aio
if [ $# -ge 1 ]; then folder=$(mktemp -d "$1/aio-bench.XXXXXX"); else folder=$(mktemp -d target/aio-bench.XXXXXX); fi
trap 'rm -rf "$folder"' EXIT

# MiB/s of one run.
run_fio() { # engine direction
    local name=$1
    case $1 in uring) name=io_uring ;; sync) name=psync ;; esac
    fio --name=bench --filename="$folder/fio" --rw="$2" --bs="$BLOCK" --iodepth="$DEPTH" \
        --ioengine="$name" --direct=1 --size="$SIZE" --end_fsync=0 --invalidate=1 \
        --output-format=terse --terse-version=3 |
        awk -F';' '$1 == 3' | awk -F';' -v write="$([ "$2" = write ] && echo 1 || echo 0)" '{ printf "%.1f\n", (write ? $48 : $7) / 1024 }'
}
run_aio() { # engine direction
    local target=(--read-file "$folder/aio.0")
    [ "$2" = write ] && target=(--write-file "$folder/aio" --write-size "$SIZE" --keep)
    $aio --engine "$1" "${target[@]}" --block-size "$BLOCK" --queue-depth "$DEPTH" \
        --memory "$MEMORY" --loops 1 --warmup-loops "$([ "$2" = write ] && echo 1 || echo 0)" --format csv --quiet |
        awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "task_speed_gib_per_s") c = i }
                 NR == 2 { printf "%.1f\n", $c * 1024 }'
}
# "median (min-max)" of numbers on stdin, and the median alone on line 2.
summary() {
    sort -g | awk '{ v[NR] = $1 }
        END { m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
              printf "%.0f (%.0f-%.0f)\n%f\n", m, v[1], v[NR], m }'
}

# Both files are written once, so that nobody reads holes or allocates on the clock.
run_fio sync write >/dev/null
run_aio sync write >/dev/null

echo "aio $($aio --version | cut -d' ' -f2) against $(fio --version): $SIZE, block $BLOCK, depth $DEPTH, O_DIRECT, aio memory $MEMORY, $RUNS alternating runs, MiB/s"
echo
echo "| engine | direction | aio median (range) | fio median (range) | aio / fio |"
echo "|---|---|---|---|---|"
for engine in "${engines[@]}"; do
    for direction in read write; do
        : >"$folder/a"; : >"$folder/f"
        for ((i = 0; i < RUNS; i++)); do
            run_aio "$engine" "$direction" >>"$folder/a"
            run_fio "$engine" "$direction" >>"$folder/f"
        done
        mapfile -t a < <(summary <"$folder/a")
        mapfile -t f < <(summary <"$folder/f")
        ratio=$(awk -v a="${a[1]}" -v f="${f[1]}" 'BEGIN { printf "%.2f", a / f }')
        echo "| $engine | $direction | ${a[0]} | ${f[0]} | $ratio |"
    done
done
