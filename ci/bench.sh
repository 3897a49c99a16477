#!/usr/bin/env bash
# aio against its peers, in alternating runs on one machine. Prints medians, ranges and ratios as
# Markdown; docs/performance.md says how to read them.
#
#   ci/bench.sh [MODE]...         default: all of them, about a quarter of an hour
#
#   cached    random 4 KiB reads from the page cache, against fio and t/io_uring: what requests cost
#   nop       io_uring's no-ops, against t/io_uring -N1
#   null      the null engine: what aio itself costs
#   device    random 4 KiB reads with O_DIRECT, against fio: IOPS and user CPU
#   pool      the same through the pool of the sync engine, against 32 threads of fio
#   calls     system calls per request, counted by strace
#   memory    peak memory of 16 threads over 1 TiB, after a short run and a long one
#   tensors   sequential reads and writes of whole tensors, against fio
#
#   RUNS=5 RUNTIME=3 SIZE=512M    rounds; seconds of a run; size of the file for random reads
#   ENGINES="uring libaio sync"   engines of all modes that compare several
#   CPU=0                         CPU that all tools but those of pool, memory and tensors are pinned
#                                 to; empty for none
#   FOLDER=DIR                    where the files are made; default: target/
#   AIO=FILE                      the program; default: target/release/aio, built first
#   T_IO_URING=FILE               t/io_uring of fio's source; without it its rows are left out
#   TENSOR=1G MEMORY=thp          for tensors: size; pages of aio's buffers (fio's are 4 KiB pages)
#
# Needs fio and python3; taskset (util-linux), stdbuf (coreutils) and strace where they say.
set -euo pipefail
cd "$(dirname "$0")/.."

RUNS=${RUNS:-5} RUNTIME=${RUNTIME:-3} SIZE=${SIZE:-512M} CPU=${CPU-0} FOLDER=${FOLDER:-target}
TENSOR=${TENSOR:-1G} MEMORY=${MEMORY:-thp} T_IO_URING=${T_IO_URING:-}
read -ra engines <<<"${ENGINES:-uring libaio sync}"

fail() { echo "bench: $1" >&2; exit 1; }
skip() { echo "skipped: $1" >&2; echo; echo "Skipped: $1"; }
have() { command -v "$1" >/dev/null; }
have fio || fail "fio is missing (apt-get install fio)"
have python3 || fail "python3 is missing (apt-get install python3)"
if [ -z "${AIO:-}" ]; then
    cargo build --release --quiet --locked
    AIO=${CARGO_TARGET_DIR:-target}/release/aio
fi
[ -x "$AIO" ] || fail "$AIO is not a program (AIO)"
mkdir -p "$FOLDER"
folder=$(mktemp -d "$FOLDER/aio-bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT
file=$folder/blocks

pinned=()
if [ -n "$CPU" ] && have taskset; then pinned=(taskset -c "$CPU"); fi

# One run: a line of the figures that ci/bench-run.py lists.
run() { python3 ci/bench-run.py ${held:+--hold "$held"} "$@"; }
aio_blocks() { # engine depth batch [flag…]
    run "${pinned[@]}" "$AIO" --engine "$1" --file "$file" --rw randread --block-size 4k \
        --queue-depth "$2" --batch-submit "$3" --batch-complete "$3" --runtime "$RUNTIME" \
        --format fio-json --quiet "${@:4}"
}
# Blocks are drawn as aio does it: independently, from another seed in each run, and without a map of
# those that were read before.
fio_blocks() { # engine depth batch [flag…]
    run "${pinned[@]}" fio --name=bench --filename="$file" --rw=randread --bs=4k --size="$SIZE" \
        --ioengine="$(fio_name "$1")" --iodepth="$2" --iodepth_batch_submit="$3" \
        --iodepth_batch_complete_min="$3" --norandommap --randrepeat=0 --invalidate=0 \
        --time_based --runtime="$RUNTIME" --output-format=json "${@:4}"
}
# Its first line comes after a second, its last second has none.
bare_blocks() { # flag…
    run "${pinned[@]}" stdbuf -oL "$T_IO_URING" -b4096 -O0 -p0 -r$((RUNTIME + 1)) "$@" "$file"
}
fio_name() { case $1 in uring) echo io_uring ;; sync) echo psync ;; *) echo "$1" ;; esac; }
depth_of() { if [ "$1" = sync ]; then echo 1; else echo "$2"; fi; }
ready_bare() { [ -n "$T_IO_URING" ] && [ -x "$T_IO_URING" ] && have stdbuf; }

make_file() {
    [ -f "$file" ] || head -c "$(numfmt --from=iec "$SIZE")" /dev/urandom >"$file"
    sync "$file"
}

# compare MODE ENGINE PEER…: rounds of MODE_aio and MODE_PEER…; figures go to $folder/TOOL.figures.
# $held is the file that has to be in the page cache, if one has to: others may push it out.
held=
compare() {
    local mode=$1 engine=$2 tool round
    rm -f "$folder"/*.figures
    for ((round = 0; round < RUNS; round++)); do
        for tool in aio "${@:3}"; do
            "${mode}_$tool" "$engine" >>"$folder/$tool.figures"
        done
    done
}
# summary TOOL COLUMN DIVISOR DIGITS: "median (min-max)"; median TOOL COLUMN: the number alone.
summary() {
    cut -d' ' -f"$2" "$folder/$1.figures" | sort -g | awk -v by="$3" -v d="$4" '{ v[NR] = $1 / by }
        END { m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
              printf "%.*f (%.*f-%.*f)\n", d, m, d, v[1], d, v[NR] }'
}
median() { summary "$1" "$2" 1 6 | cut -d' ' -f1; }
ratio() { # PEER COLUMN: aio's median over the peer's
    awk -v a="$(median aio "$2")" -v b="$(median "$1" "$2")" \
        'BEGIN { if (b > 0) printf "%.2f\n", a / b; else print "-" }'
}
inverse() { awk -v r="$(ratio "$1" "$2")" 'BEGIN { if (r > 0) printf "%.2f\n", 1 / r; else print "-" }'; }
# Columns of ci/bench-run.py.
iops=1 mib=2 cpu=3 user=4 latency=5 switches=6 peak=7

head_of() { printf '\n### %s\n\n%s\n\n' "$1" "$2"; }
table() { # heading…
    local heading
    for heading in "$@"; do printf '| %s ' "$heading"; done; echo '|'
    for heading in "$@"; do printf '|---'; done; echo '|'
}
rate_table() {
    table row "aio, thousand/s: median (range)" "peer, thousand/s: median (range)" "aio / peer" \
        "aio / peer per CPU second"
}
rate_row() { # ROW PEER
    echo "| $1 | $(summary aio $iops 1000 0) | $(summary "$2" $iops 1000 0) |" \
        "$(ratio "$2" $iops) | $(inverse "$2" $cpu) |"
}

cached_aio() { aio_blocks "$1" "$(depth_of "$1" 128)" "$(depth_of "$1" 32)" --buffered; }
cached_fio() { fio_blocks "$1" "$(depth_of "$1" 128)" "$(depth_of "$1" 32)" --direct=0 "${@:2}"; }
cached_fast() {
    case $1 in
        uring) cached_fio "$1" --gtod_reduce=1 --fixedbufs --registerfiles ;;
        *) cached_fio "$1" --gtod_reduce=1 ;;
    esac
}
cached_bare() {
    case $1 in
        uring) bare_blocks -a0 -d128 -s32 -c32 -B1 -F1 -X1 ;;
        libaio) bare_blocks -a1 -d128 -s32 -c32 -B0 -F0 ;;
        sync) bare_blocks -S1 -d1 -s1 -c1 -B0 -F0 ;;
    esac
}
# t/io_uring can be built without libaio.
bare_knows() { [ "$1" != libaio ] || "$T_IO_URING" -h 2>&1 | grep -q -- '-a <bool>'; }
mode_cached() {
    local engine peers bare
    make_file
    head_of cached "Random 4 KiB reads of $SIZE in the page cache, depth 128, 32 per submission and \
per reaping; sync: one at a time. fio fast: gtod_reduce, with io_uring fixedbufs and registerfiles."
    rate_table
    for engine in "${engines[@]}"; do
        peers=(fio fast) bare=no
        if ready_bare && bare_knows "$engine"; then peers+=(bare) bare=yes; fi
        held=$file compare cached "$engine" "${peers[@]}"
        rate_row "$engine, fio" fio
        rate_row "$engine, fio fast" fast
        if [ $bare = yes ]; then rate_row "$engine, t/io_uring" bare; fi
    done
    ready_bare || skip "t/io_uring is not given (T_IO_URING=FILE, built from fio's source)"
    if ready_bare && ! bare_knows libaio; then skip "this t/io_uring was built without libaio"; fi
}

nop_aio() { aio_blocks uring:nop 128 32; }
# Its no-ops look up a registered file and a registered buffer, where its source is new; aio's do not.
nop_bare() { bare_blocks -N1 -d128 -s32 -c32; }
mode_nop() {
    head_of nop "No-ops of io_uring, depth 128, 32 per submission and per reaping."
    ready_bare || { skip "t/io_uring is not given (T_IO_URING=FILE, built from fio's source)"; return; }
    "$AIO" engines | grep -q '^  nop:' || { skip "$AIO has no option uring:nop"; return; }
    make_file
    rate_table
    compare nop uring bare
    rate_row "nop, t/io_uring" bare
}

null_aio() { aio_blocks null 32 16; }
null_fio() { fio_blocks null 32 16; }
mode_null() {
    make_file
    head_of null "The null engine, random 4 KiB reads, depth 32, 16 per submission and per reaping; \
nothing is moved."
    rate_table
    compare null null fio
    rate_row "null, fio" fio
}

device_aio() { aio_blocks "$1" 32 1; }
device_fio() { fio_blocks "$1" 32 1 --direct=1; }
device_batched_aio() { aio_blocks "$1" 32 16; }
device_batched_fio() { fio_blocks "$1" 32 16 --direct=1; }
device_row() { # ROW
    echo "| $1 | $(summary aio $iops 1000 1) | $(summary fio $iops 1000 1) | $(ratio fio $iops) |" \
        "$(summary aio $user 1 0) | $(summary fio $user 1 0) | $(ratio fio $user) | $(ratio fio $cpu) |"
}
mode_device() {
    local engine
    make_file
    head_of device "Random 4 KiB reads of $SIZE with O_DIRECT, depth 32, both with the same batch."
    table row "aio, thousand/s" "fio, thousand/s" "aio / fio" "aio, user ns per request" \
        "fio, user ns per request" "aio / fio: user" "aio / fio: user and system"
    for engine in "${engines[@]}"; do
        [ "$engine" != sync ] || continue
        compare device "$engine" fio
        device_row "$engine, batch 1"
        compare device_batched "$engine" fio
        device_row "$engine, batch 16"
    done
}

pool_aio() {
    run "$AIO" --engine sync --file "$file" --rw randread --block-size 4k --queue-depth 32 \
        --runtime "$RUNTIME" --format fio-json --quiet
}
pool_fio() { fio_blocks sync 1 1 --direct=1 --numjobs=32 --thread --group_reporting; }
hand_off_aio() { aio_blocks sync:inline=off 1 1 --buffered; }
hand_off_inline() { aio_blocks sync:inline=on 1 1 --buffered; }
hand_off_direct_aio() { aio_blocks sync:inline=off 1 1; }
hand_off_direct_inline() { aio_blocks sync:inline=on 1 1; }
mode_pool() {
    local pinned=() # Threads are what is compared here.
    make_file
    head_of pool "Random 4 KiB reads of $SIZE with O_DIRECT through 32 threads, not pinned."
    table row "aio, thousand/s" "peer, thousand/s" "aio / peer" "aio, switches per request" \
        "peer, switches per request"
    compare pool sync fio
    echo "| sync depth 32, fio psync with 32 threads | $(summary aio $iops 1000 1) |" \
        "$(summary fio $iops 1000 1) | $(ratio fio $iops) | $(summary aio $switches 1 2) |" \
        "$(summary fio $switches 1 2) |"
    printf '\nOne request at a time: through the pool, and on the own thread.\n\n'
    table row "inline=off, us" "inline=on, us" "off - on, us" "off, switches per request" \
        "on, switches per request"
    held=$file compare hand_off sync inline
    hand_off_row "page cache"
    compare hand_off_direct sync inline
    hand_off_row "O_DIRECT"
}
hand_off_row() { # ROW
    echo "| $1 | $(summary aio $latency 1000 2) | $(summary inline $latency 1000 2) |" \
        "$(awk -v a="$(median aio $latency)" -v b="$(median inline $latency)" \
            'BEGIN { printf "%.2f", (a - b) / 1000 }') |" \
        "$(summary aio $switches 1 2) | $(summary inline $switches 1 2) |"
}

# All system calls of the process and its threads.
calls_of() { # engine requests
    strace -f -c -o "$folder/strace" "$AIO" --engine "$1" --file "$file" --rw randread \
        --block-size 4k --buffered --queue-depth 128 --batch-submit 32 --batch-complete 32 \
        --number-ios "$2" --format json --quiet >"$folder/json"
    awk '$NF == "total" { print $4 }' "$folder/strace"
}
own_calls() {
    python3 -c 'import json, sys
d = json.load(sys.stdin)["engines"][0]["directions"][0]
print("%.4f" % (d["counters"]["system_calls"] / d["requests"]))' <"$folder/json"
}
mode_calls() {
    local engine few many
    head_of calls "System calls per request, depth 128, 32 per submission and per reaping: strace's \
count of 320000 requests less that of 64000, per request between them."
    have strace || { skip "strace is missing (apt-get install strace)"; return; }
    make_file
    table row "strace" "aio's own count"
    for engine in "${engines[@]}"; do
        [ "$engine" != sync ] || continue
        few=$(calls_of "$engine" 64000)
        many=$(calls_of "$engine" 320000)
        awk -v row="$engine" -v n="$((many - few))" -v own="$(own_calls)" 'BEGIN {
            printf "| %s | %.4f (1/%.1f) | %s |\n", row, n / 256000, 256000 / n, own }'
    done
}

memory_of() { # engine seconds
    run "$AIO" --engine "$1" --file "$folder/sparse" --rw randread --block-size 4k \
        --queue-depth 32 --threads 16 --runtime "$2" --format fio-json --quiet |
        awk -v column=$peak '{ printf "%.1f\n", $column }'
}
mode_memory() {
    local engine
    head_of memory "Peak resident memory in MiB: 16 threads, depth 32, random 4 KiB reads with \
O_DIRECT of a file of 1 TiB that is one hole."
    truncate -s 1T "$folder/sparse" || { skip "this file system has no files of 1 TiB"; return; }
    table row "run of 1 s" "run of 10 s"
    for engine in "${engines[@]}"; do
        echo "| $engine | $(memory_of "$engine" 1) | $(memory_of "$engine" 10) |"
    done
}

tensor_aio() { # engine direction
    local target=(--read-file "$folder/tensor.0") warmup=0
    if [ "$2" = write ]; then
        target=(--write-file "$folder/tensor" --write-size "$TENSOR" --keep) warmup=1
    fi
    run "$AIO" --engine "$1" "${target[@]}" --block-size 1M --queue-depth 32 --memory "$MEMORY" \
        --loops 1 --warmup-loops $warmup --format fio-json --quiet
}
tensor_fio() { # engine direction
    run fio --name=bench --filename="$folder/tensor.fio" --rw="$2" --bs=1M --iodepth=32 \
        --ioengine="$(fio_name "$1")" --direct=1 --size="$TENSOR" --end_fsync=0 --invalidate=1 \
        --output-format=json
}
read_aio() { tensor_aio "$1" read; }
read_fio() { tensor_fio "$1" read; }
write_aio() { tensor_aio "$1" write; }
write_fio() { tensor_fio "$1" write; }
mode_tensors() {
    local engine direction
    head_of tensors "$TENSOR in blocks of 1 MiB, depth 32, O_DIRECT, aio's memory $MEMORY, not \
pinned, MiB/s."
    # Both files are written once, so that nobody reads holes or allocates on the clock.
    write_fio sync >/dev/null
    write_aio sync >/dev/null
    table row "aio: median (range)" "fio: median (range)" "aio / fio"
    for engine in "${engines[@]}"; do
        for direction in read write; do
            compare "$direction" "$engine" fio
            echo "| $engine $direction | $(summary aio $mib 1 0) | $(summary fio $mib 1 0) |" \
                "$(ratio fio $mib) |"
        done
    done
}

[ $# -gt 0 ] || set -- cached nop null device pool calls memory tensors
for mode in "$@"; do
    declare -F "mode_$mode" >/dev/null || fail "$mode is not a mode; the head of ci/bench.sh has them"
done
model=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
echo "$("$AIO" --version), $(fio --version), Linux $(uname -r), $(nproc) CPUs (${model:-unknown})," \
    "$(stat -f -c %T "$folder"), $SIZE, $RUNS rounds of ${RUNTIME} s," \
    "pinned to CPU ${CPU:-none}, load $(cut -d' ' -f1-3 /proc/loadavg)"
for mode in "$@"; do "mode_$mode"; done
