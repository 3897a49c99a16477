#!/usr/bin/env bash
# The conformance suite and a smoke run of every engine on real kernels, in QEMU guests with an
# emulated NVMe disk: an old one that lacks most of io_uring's options, and newer ones that have them.
#
#   ci/kernels.sh [KERNEL...]      default: 5.10 6.1 6.12 6.18
#
# Each kernel is booted twice: as it comes, and with an NVMe driver that has a queue to poll.
# Skipped aloud where QEMU or a kernel cannot be had. ci/lab/kernel.sh has the details.
set -uo pipefail
cd "$(dirname "$0")/.."

kernels=("$@")
[ ${#kernels[@]} -gt 0 ] || kernels=(5.10 6.1 6.12 6.18)
for tool in qemu-system-x86_64 busybox cpio modprobe zstd xz; do
    command -v "$tool" >/dev/null || { echo "skipped: kernels ${kernels[*]}: $tool is missing"; exit 0; }
done
[ "$(uname -m)" = x86_64 ] || { echo "skipped: kernels ${kernels[*]}: they are x86_64"; exit 0; }

# Static programs, because a guest has no libraries.
export RUSTFLAGS="-C target-feature=+crt-static"
target=x86_64-unknown-linux-gnu
build=${CARGO_TARGET_DIR:-target}/static
cargo build --quiet --locked --release -p aio-cli --target $target --target-dir $build || exit 1
tests=$(cargo test --quiet --locked --no-run --message-format=json -p aio-uring -p aio-libaio -p aio-sync \
    --test conformance --target $target --target-dir $build |
    grep -o '"executable":"[^"]*conformance[^"]*"' | cut -d'"' -f4) || exit 1
files="$build/$target/release/aio:bin/aio"
number=0
for test in $tests; do
    number=$((number + 1))
    files="$files $test:bin/conformance$number"
done
devices=$(cargo test --quiet --locked --no-run --message-format=json -p aio-uring --test devices \
    --target $target --target-dir $build |
    grep -o '"executable":"[^"]*devices[^"]*"' | cut -d'"' -f4) || exit 1
files="$files $devices:bin/devices"

# What a guest does: the suite of each engine, then whole runs on the disk, checked; what only a
# disk can show comes last, because it overwrites the disk.
guest='
set -e
cd /tmp
suites() { for suite in "$@"; do $suite --test-threads=1 2>&1 | grep -E "^test result|FAILED|panicked|skipped: "; done; }
refused() { if "$@" 2>&1; then echo "FAILED: was not refused: $*"; exit 9; fi; }
suites /bin/conformance*
aio --engine all --read-file /dev/nvme0n1 --io-size 8M --block-size 64K --loops 1 --validate --quiet
aio --engine all --write-file w --write-size 1000003 --buffered --loops 1 --validate --quiet
for engine in uring uring:iowq-workers=2 uring:sqpoll; do
    aio --engine $engine --read-file /dev/nvme0n1 --io-size 1M --dry-run
done
aio --engine uring:sqpoll,uring:nop --read-file /dev/nvme0n1 --io-size 1M --block-size 4K --loops 1 --quiet
refused aio --engine uring --read-file /dev/nvme0n1 --queue-depth 40000 --io-size 64K --quiet
refused aio --engine uring:iopoll --read-file /dev/nvme0n1 --io-size 1M --quiet
# Random blocks of the block device, and the same through commands where the kernel has them.
refused aio --engine sync --file /dev/nvme0n1 --rw randwrite --size 1M --number-ios 9 --quiet
aio --engine uring,libaio,sync --file /dev/nvme0n1 --rw randwrite --size 8M --block-size 4K \
    --number-ios 500 --allow-device /dev/nvme0n1 --quiet
if [ -e /dev/ng0n1 ]; then
    refused aio --engine uring --file /dev/ng0n1 --number-ios 9 --quiet
    refused aio --engine uring:passthrough --file /dev/nvme0n1 --number-ios 9 --quiet
    refused aio --engine uring:passthrough --write-file /dev/ng0n1 --write-size 4M --quiet
    aio --engine uring:passthrough --file /dev/ng0n1 --rw randread --size 8M --block-size 4K \
        --number-ios 500 --quiet
    aio --engine uring:passthrough --write-file /dev/ng0n1 --write-size 4M --block-size 64K --loops 1 \
        --allow-device /dev/ng0n1 --validate --quiet
    aio --engine uring:passthrough --read-file /dev/ng0n1 --io-size 4M --block-size 64K --loops 1 \
        --validate --quiet
fi
AIO_TEST_NVME=/dev/nvme0n1 suites /bin/devices
'
# For a disk that can be polled; the last runs write and read a file on it.
polled='
set -e
AIO_TEST_NVME=/dev/nvme0n1; export AIO_TEST_NVME
/bin/devices --test-threads=1 2>&1 | grep -E "^test result|FAILED|panicked|skipped: |left:"
aio --engine uring:hybrid-iopoll --read-file /dev/nvme0n1 --io-size 1M --dry-run
mke2fs -F /dev/nvme0n1 >/dev/null; mkdir /disk; mount -t ext4 /dev/nvme0n1 /disk; cd /disk
# An old kernel would hang there.
case $(uname -r) in
    5.10.*) if aio --engine uring:iopoll --write-file w --write-size 4M --quiet 2>&1; then exit 9; fi; by=uring ;;
    *) by=uring:iopoll ;;
esac
aio --engine $by --write-file w --write-size 4M --block-size 64K --loops 1 --validate --keep --quiet
aio --engine uring:hybrid-iopoll,uring:iopoll:sqpoll --read-file w.0 --block-size 64K --loops 1 --validate --quiet
if aio --engine uring:iopoll --read-file w.0 --buffered --quiet 2>&1; then exit 9; fi
'

# The options of io_uring that a kernel must be without, and no others.
without() {
    case $1 in
        5.10) echo coop-taskrun defer-taskrun hybrid-iopoll no-sqarray registered-ring single-issuer submit-all ;;
        6.1) echo hybrid-iopoll no-sqarray ;;
        6.12) echo hybrid-iopoll ;;
        *) echo ;;
    esac
}

export LAB_DIR=${LAB_DIR:-$PWD/target/kernel-lab}
# The suites of the engines once, and twice that of devices.
wanted=$((number + 2))
failed=0
for kernel in "${kernels[@]}"; do
    if ! ci/lab/kernel.sh fetch "$kernel" >/dev/null 2>&1; then
        echo "skipped: kernel $kernel: its package cannot be had"
        continue
    fi
    log=$(LAB_TIMEOUT=300 LAB_FILES="$files" ci/lab/kernel.sh "$kernel" sh "$guest" 2>&1)
    status=$?
    log+=$(echo; LAB_TIMEOUT=300 LAB_FILES="$files" LAB_MODS='nvme ext4' LAB_P_nvme=poll_queues=1 \
        ci/lab/kernel.sh "$kernel" sh "$polled" 2>&1) || status=$?
    suites=$(grep -c '^test result: ok' <<<"$log")
    lacks=$(grep -oE "granted: [a-z-]+ (off|the kernel's own) instead" <<<"$log" | sort -u | cut -d' ' -f2 | xargs)
    if [ $status -eq 0 ] && [ "$suites" -eq "$wanted" ] && [ "$lacks" = "$(without "$kernel")" ] &&
        ! grep -qE "FAILED|panicked" <<<"$log"; then
        echo "kernel $kernel: ok, $suites suites, options left out: ${lacks:-none}"
    else
        echo "kernel $kernel: FAILED (exit $status, $suites of $wanted suites, left out: ${lacks:-none})"
        printf '%s\n' "$log" | tail -100
        failed=1
    fi
done
exit $failed
