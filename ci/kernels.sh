#!/usr/bin/env bash
# The conformance suite and a smoke run of every engine on real kernels, in QEMU guests with an
# emulated NVMe disk: an old one that lacks most of io_uring's options, and newer ones that have them.
#
#   ci/kernels.sh [KERNEL...]      default: 5.10 6.1 6.12
#
# Skipped aloud where QEMU or a kernel cannot be had. ci/lab/kernel.sh has the details.
set -uo pipefail
cd "$(dirname "$0")/.."

kernels=("$@")
[ ${#kernels[@]} -gt 0 ] || kernels=(5.10 6.1 6.12)
for tool in qemu-system-x86_64 busybox cpio modprobe zstd xz; do
    command -v "$tool" >/dev/null || { echo "skipped: kernels ${kernels[*]}: $tool is missing"; exit 0; }
done
[ "$(uname -m)" = x86_64 ] || { echo "skipped: kernels ${kernels[*]}: they are x86_64"; exit 0; }

# Static programs, because a guest has no libraries.
export RUSTFLAGS="-C target-feature=+crt-static"
target=x86_64-unknown-linux-gnu
build=target/static
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

# What a guest does: the suite of each engine, then whole runs on the disk, checked.
guest='
set -e
cd /tmp
for suite in /bin/conformance*; do $suite --test-threads=1 2>&1 | grep -E "^test result|FAILED|panicked|skipped: "; done
aio --engine all --read-file /dev/nvme0n1 --io-size 8M --block-size 64K --loops 1 --validate --quiet
aio --engine all --write-file w --write-size 1000003 --buffered --loops 1 --validate --quiet
aio --engine uring --read-file /dev/nvme0n1 --io-size 1M --dry-run
if aio --engine uring --read-file /dev/nvme0n1 --queue-depth 40000 --io-size 64K --quiet; then exit 9; fi
'

# The options of io_uring that a kernel must be without, and no others.
without() {
    case $1 in
        5.10) echo coop-taskrun defer-taskrun no-sqarray registered-ring single-issuer submit-all ;;
        6.1) echo no-sqarray ;;
        *) echo ;;
    esac
}

export LAB_DIR=${LAB_DIR:-$PWD/target/kernel-lab}
failed=0
for kernel in "${kernels[@]}"; do
    if ! ci/lab/kernel.sh fetch "$kernel" >/dev/null 2>&1; then
        echo "skipped: kernel $kernel: its package cannot be had"
        continue
    fi
    log=$(LAB_TIMEOUT=300 LAB_FILES="$files" ci/lab/kernel.sh "$kernel" sh "$guest" 2>&1)
    status=$?
    suites=$(grep -c '^test result: ok' <<<"$log")
    lacks=$(grep -oE 'granted: [a-z-]+ off' <<<"$log" | sort -u | cut -d' ' -f2 | xargs)
    if [ $status -eq 0 ] && [ "$suites" -eq "$number" ] && [ "$lacks" = "$(without "$kernel")" ] &&
        ! grep -qE "FAILED|panicked" <<<"$log"; then
        echo "kernel $kernel: ok, $suites suites, options left out: ${lacks:-none}"
    else
        echo "kernel $kernel: FAILED (exit $status, $suites of $number suites, left out: ${lacks:-none})"
        printf '%s\n' "$log" | tail -60
        failed=1
    fi
done
exit $failed
