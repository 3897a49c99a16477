#!/usr/bin/env bash
# The static program on real kernels, in QEMU guests with an emulated NVMe disk and null_blk: an old
# kernel that lacks most of io_uring's options, newer ones that have them, and the newest of Debian.
#
#   ci/kernels.sh [KERNEL...]      default: 5.10 6.1 6.12 6.18 newest
#   AIO_BLESS=1 ci/kernels.sh      writes what each kernel grants to ci/lab/receipts.txt
#
# Each kernel is booted three times, for a script of ci/lab/guest each:
#
#   disk      the conformance suites, checked transfers, what only an NVMe disk can show
#   polled    the same of a disk that has a queue to poll
#   machine   every option of every engine, system calls and resources that are missing, a wall clock
#             that is set in mid-run, a disk that is pulled out of a run
#
# Guests run in pairs. ci/kernels.py holds the receipts of all runs against the table, and judges the
# reports of the last two. Skipped aloud where QEMU or a kernel cannot be had; ci/lab/kernel.sh has
# the details.
set -uo pipefail
cd "$(dirname "$0")/.."

kernels=("$@")
[ ${#kernels[@]} -gt 0 ] || kernels=(5.10 6.1 6.12 6.18 newest)
parts=(machine disk polled)
for tool in qemu-system-x86_64 busybox cpio modprobe zstd xz python3 cc; do
    command -v "$tool" >/dev/null || { echo "skipped: kernels ${kernels[*]}: $tool is missing"; exit 0; }
done
[ "$(uname -m)" = x86_64 ] || { echo "skipped: kernels ${kernels[*]}: they are x86_64"; exit 0; }
export LAB_DIR=${LAB_DIR:-$PWD/target/kernel-lab}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Static programs, because a guest has no libraries: ours, its tests, and one that makes calls fail.
program=$(ci/static.sh) || exit 1
target=x86_64-unknown-linux-gnu
test_programs() { # test package...
    local test=$1
    shift
    RUSTFLAGS="-C target-feature=+crt-static" cargo test --quiet --locked --no-run \
        --message-format=json "${@/#/--package=}" --test "$test" --target $target \
        --target-dir "${CARGO_TARGET_DIR:-target}/static" |
        grep -o "\"executable\":\"[^\"]*$test[^\"]*\"" | cut -d'"' -f4
}
suites=$(test_programs conformance aio-uring aio-libaio aio-sync) || exit 1
devices=$(test_programs devices aio-uring) || exit 1
cc -O2 -static -o "$work/without" ci/lab/without-syscalls.c || exit 1
"$program" engines --format json | python3 ci/kernels.py options >"$work/options" || exit 1
files="$program:bin/aio $devices:bin/devices $work/without:bin/without $work/options:job/options.list"
number=0
for suite in $suites; do
    number=$((number + 1))
    files+=" $suite:bin/conformance$number"
done
for script in ci/lab/guest/*.sh; do files+=" $script:job/$(basename "$script")"; done

# The clock of a guest is one that is right also if this machine is busy while the guest boots.
boot() { # kernel part
    local folder=$work/$1/$2 began=$SECONDS
    mkdir -p "$folder"
    export LAB_MODS='nvme null_blk ext4' LAB_P_null_blk=nr_devices=1 LAB_APPEND=clocksource=hpet
    if [ "$2" = polled ]; then export LAB_P_nvme=poll_queues=1; fi
    LAB_TIMEOUT=900 LAB_FILES=$files LAB_OUT=$folder/out \
        ci/lab/kernel.sh "$1" sh ". /job/$2.sh" >"$folder/log" 2>&1
    echo $? >"$folder/status"
    echo "guest: kernel $1, $2: exit code $(cat "$folder/status"), $((SECONDS - began)) s"
}
at_hand=()
for kernel in "${kernels[@]}"; do
    if version=$(ci/lab/kernel.sh fetch "$kernel" 2>/dev/null); then
        at_hand+=("$kernel")
        mkdir -p "$work/$kernel"
        echo "${version%% *}" >"$work/$kernel/version"
    else
        echo "skipped: kernel $kernel: its package cannot be had"
    fi
done
for kernel in "${at_hand[@]}"; do
    for part in "${parts[@]}"; do
        [ "$(jobs -rp | wc -l)" -lt 2 ] || wait -n
        boot "$kernel" "$part" &
    done
done
wait

failed=0
for kernel in "${at_hand[@]}"; do
    bad=0
    for part in "${parts[@]}"; do
        folder=$work/$kernel/$part
        case $part in machine) wanted=0 ;; disk) wanted=$((number + 1)) ;; polled) wanted=1 ;; esac
        ended=$(grep -c '^test result: ok' "$folder/log")
        if [ "$(cat "$folder/status")" -ne 0 ] || [ "$ended" -ne $wanted ] ||
            grep -qE "FAILED|panicked" "$folder/log"; then
            echo "kernel $kernel, $part: FAILED, $ended of $wanted suites"
            tail -100 "$folder/log"
            bad=1
        fi
    done
    python3 ci/kernels.py judge "$kernel" "$(cat "$work/$kernel/version")" "$work/$kernel"/*/out || bad=1
    if [ $bad -eq 0 ]; then
        echo "kernel $kernel: ok, $((number + 2)) suites"
    else
        echo "kernel $kernel: FAILED"
        failed=1
    fi
done
exit $failed
