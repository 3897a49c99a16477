#!/usr/bin/env bash
# What aio reports, against devices of known speed, in QEMU guests: null_blk that takes 5 or 20 ms
# for a request, and a disk that is held to 500 requests a second. The rates must be those that fio
# sees in the same guest, rate and median latency those of the block layer's trace of the same run.
#
#   ci/oracles.sh [KERNEL...]      default: 5.10 6.12; a bit more than a minute each
#
# Nowhere else is a rate asserted: a device's speed must be known for that. ci/oracles.py judges, and
# says what is compared. Whatever is not as it should be is measured again, for longer and at most
# twice, before that counts: the guests are emulated, and may be held up.
# Skipped aloud where QEMU or a kernel cannot be had; without fio, its comparison is.
set -uo pipefail
cd "$(dirname "$0")/.."

kernels=("$@")
[ ${#kernels[@]} -gt 0 ] || kernels=(5.10 6.12)
for tool in qemu-system-x86_64 busybox cpio modprobe zstd xz python3; do
    command -v "$tool" >/dev/null || { echo "skipped: oracles of ${kernels[*]}: $tool is missing"; exit 0; }
done
[ "$(uname -m)" = x86_64 ] || { echo "skipped: oracles of ${kernels[*]}: they are x86_64"; exit 0; }

# A static program, because a guest has no libraries.
program=$(ci/static.sh) || exit 1
files="$program:bin/aio"
if fio=$(command -v fio); then
    files="$files $fio:bin/fio"
else
    echo "skipped: oracles: fio is missing, so that rates are only held against what a device can do"
fi

# A guest runs the cases that it is given, which are "device engine depth", for so many seconds each.
guest='
set -e
mkdir -p /sys/kernel/tracing
mount -t tracefs trace /sys/kernel/tracing
trace=/sys/kernel/tracing
echo 8192 >$trace/buffer_size_kb
null() {
    folder=/sys/kernel/config/nullb/$1
    mkdir $folder
    echo 2 >$folder/irqmode
    echo $2 >$folder/completion_nsec
    echo 64 >$folder/size
    echo 4096 >$folder/blocksize
    echo 1 >$folder/power
}
null nullb0 5000000
null nullb1 5000000
null nullb2 20000000
# So that the block layer sees the requests that were made.
for disk in nullb0 nullb1 nullb2 nvme0n1; do echo 2 >/sys/block/$disk/queue/nomerges; done
for event in block_rq_issue block_rq_complete; do echo 1 >$trace/events/block/$event/enable; done

by_fio() { # device engine depth results
    case $2 in
        uring) engine="io_uring --iodepth=$3" ;;
        libaio) engine="libaio --iodepth=$3" ;;
        sync) engine="psync --numjobs=$3" ;;
    esac
    fio --name=oracle --thread --group_reporting --ioengine=$engine --filename=/dev/$1 --size=64M \
        --direct=1 --rw=randread --norandommap --bs=4k --time_based --runtime=$seconds --eta=never \
        --output-format=json --output=$4
}
by_aio() {
    aio --engine $2 --file /dev/$1 --size 64M --rw randread --block-size 4k --queue-depth $3 \
        --runtime $seconds --quiet --format json >/out/$1.$2.$3.aio
}
[ -x /bin/fio ] || by_fio() { :; }
seconds=$1
shift
while [ $# -gt 0 ]; do
    fio=/out/$1.$2.$3.fio beside=
    case $1 in
        # At the same time, on a device of the same kind: the emulation slows both down alike.
        nullb0) by_fio nullb1 $2 $3 $fio & beside=$! ;;
        nvme0n1) by_fio $1 $2 $3 $fio ;;
    esac
    echo >$trace/trace
    by_aio $1 $2 $3
    { echo "device $(tr : , </sys/block/$1/dev)"; cat $trace/trace; } >/out/$1.$2.$3.trace
    [ -z "$beside" ] || wait $beside
    shift 3
done
'
# The pool of the sync engine hands each request to another thread and back, which an emulated guest
# takes longer over than the devices may be off. So its latency is left to the inline one, depth 1,
# and its rate to the disk, which keeps to its own.
cases=(nullb0 uring 4 nullb0 libaio 4 nullb0 sync 1
    nullb2 uring 4 nullb2 libaio 4 nullb2 sync 1
    nvme0n1 uring 4 nvme0n1 libaio 4 nvme0n1 sync 4)

export LAB_DIR=${LAB_DIR:-$PWD/target/kernel-lab}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
# Runs the cases in a guest with this kernel, for so many seconds each.
measure() { # kernel folder seconds case...
    LAB_TIMEOUT=300 LAB_FILES="$files" LAB_MODS='nvme null_blk' LAB_P_null_blk=nr_devices=0 \
        LAB_DRIVE_OPTS=,throttling.iops-total=500 LAB_OUT=$2 \
        ci/lab/kernel.sh "$1" sh "$guest" sh "${@:3}"
}
failed=0
for kernel in "${kernels[@]}"; do
    if ! ci/lab/kernel.sh fetch "$kernel" >/dev/null 2>&1; then
        echo "skipped: oracles of kernel $kernel: its package cannot be had"
        continue
    fi
    folder=$results/$kernel
    log=$(measure "$kernel" "$folder" 4 "${cases[@]}" 2>&1) ||
        { echo "oracles of kernel $kernel: FAILED"; tail -50 <<<"$log"; failed=1; continue; }
    for _try in 2 3; do
        read -ra again <<<"$(python3 ci/oracles.py --failed "$folder" "${cases[@]}")"
        [ ${#again[@]} -gt 0 ] || break
        echo "oracles of kernel $kernel: again, for longer: ${again[*]}"
        measure "$kernel" "$folder" 8 "${again[@]}" || failed=1
    done
    echo "oracles of kernel $kernel:"
    python3 ci/oracles.py "$folder" "${cases[@]}" || failed=1
done
exit $failed
