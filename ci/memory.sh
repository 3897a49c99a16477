#!/usr/bin/env bash
# The crates with unsafe code under instruments that see what a test alone does not: uses of memory
# that is gone, bytes beside a block, leaks, races, undefined behaviour.
#
#   ci/memory.sh                    what CI runs: unit tests and conformance suites of the engines, and
#                                   those of core but for its numbers, plans, reports and sessions
#   ci/memory.sh all                besides, all of core, the stress test for a minute for each engine,
#                                   and what engines do with flags, discards and devices
#   ci/memory.sh asan|valgrind|miri|self-test
#
# Each instrument first has to find a bug that was made for it. What cannot be had here is skipped
# aloud. None of them sees what the kernel does to memory: it is told by the contents of files, in
# the conformance suite and the stress test, that the kernel was given the right address.
#
# ThreadSanitizer is not among them: the standard library that comes with rustc is not instrumented,
# and orders what threads do by fences, which that sanitizer does not know; it would report races
# where there are none. What threads share here are the barrier and the queues of the pool, which
# loom goes through (core/tests/barrier_loom.rs, backends/sync/tests/queue_loom.rs), as a part of the
# ordinary tests.
set -uo pipefail
cd "$(dirname "$0")/.."
asked=${1:-quick}
case $asked in quick | all | asan | valgrind | miri | self-test) ;; *)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
build=${CARGO_TARGET_DIR:-target}
failed=0
# Kept for `cargo test`, so that a build of another kind does not take the place of the usual one.
export CARGO_INCREMENTAL=0 RUST_BACKTRACE=0
skip() { echo "skipped: $1"; }
wants() { case $asked in "$1" | quick | all) true ;; *) false ;; esac; }
complain() { echo "memory: $1" >&2; failed=1; }

# Sanitizers are part of rustc, but the flag for them is not stable: RUSTC_BOOTSTRAP lets a stable
# rustc take it, and only here. Only the crates of this workspace are instrumented, through cargo's
# wrapper for them: what they depend on is then the same build that `cargo test` uses, which is half
# of the time. What a dependency does to memory is still held against the sanitizer's allocator,
# and seen where it calls libc or is inlined.
sanitized() { # SANITIZER COMMAND…
    mkdir -p "$build"
    local wrapper
    wrapper=$(realpath "$build")/rustc-with-$1
    printf '#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec "$@" -Zsanitizer=%s\n' "$1" >"$wrapper"
    chmod +x "$wrapper"
    RUSTC_WORKSPACE_WRAPPER=$wrapper "${@:2}"
}
has_sanitizer() { # SANITIZER
    local runtime
    runtime=$(rustc --print target-libdir)/librustc-*_rt.$2.a
    # shellcheck disable=SC2086
    ls $runtime >/dev/null 2>&1 || { skip "$1: this rustc comes without its runtime"; return 1; }
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Leaks that are meant, each with its reason.
cat >"$scratch/leaks" <<'END'
# The rule of every engine: what the kernel may still write to is kept for good, that is the blocks
# of the table, with their mapping, and the table itself.
leak:block::Block*::empty
leak:mapping::Mapping*::into_region
leak:in_flight::InFlight*::new
# The ranges that are registered with a ring which was left in the middle, for the same reason.
leak:open::Ring*::leak_segments
# The vectors of such requests. By file, because the function is inlined.
leak:uring/src/vectors.rs
END
export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1:detect_leaks=1"
command -v llvm-symbolizer addr2line >/dev/null || {
    skip "leaks: those that are meant are told by names, and neither llvm-symbolizer nor addr2line is there"
    ASAN_OPTIONS=${ASAN_OPTIONS/detect_leaks=1/detect_leaks=0}
}
export LSAN_OPTIONS="suppressions=$scratch/leaks:print_suppressions=0"

# Programs that are wrong in one way each; every instrument must say so.
wrong() { # NAME, then its body on stdin
    { echo 'fn main() {'; cat; echo '}'; } >"$scratch/$1.rs"
}
wrong after_free <<'END'
    let place = Box::into_raw(Box::new([7_u8; 64]));
    drop(unsafe { Box::from_raw(place) });
    std::process::exit(i32::from(unsafe { std::ptr::read_volatile(place.cast::<u8>()) } == 1));
END
wrong beyond <<'END'
    let bytes = vec![7_u8; 64];
    let byte = unsafe { std::ptr::read_volatile(std::hint::black_box(bytes.as_ptr()).add(64)) };
    std::process::exit(i32::from(byte == 1));
END
wrong leak <<'END'
    std::mem::forget(std::hint::black_box(Box::new([7_u8; 64])));
END
finds() { # INSTRUMENT PROGRAM WORDS FLAG… -- RUNNER…
    local instrument=$1 program=$2 words=$3 flags=()
    shift 3
    while [ "$1" != -- ]; do flags+=("$1"); shift; done
    shift
    RUSTC_BOOTSTRAP=1 rustc --edition 2021 -g -A warnings "${flags[@]}" -o "$scratch/$program" \
        "$scratch/$program.rs" || { complain "$instrument: $program does not build"; return; }
    if "$@" "$scratch/$program" >"$scratch/said" 2>&1; then
        complain "$instrument does not find what is wrong with $program"
    elif ! grep -q "$words" "$scratch/said"; then
        cat "$scratch/said"
        complain "$instrument does not say \"$words\" of $program"
    else
        echo "$instrument finds $program"
    fi
}

# How long it took since the last such line.
clocked() { echo "$1: $SECONDS s"; SECONDS=0; }

report() { # INSTRUMENT STATUS LOG
    if [ "$2" -eq 0 ]; then
        awk -v what="$1" '/^test result:/ { passed += $4; programs += 1 }
            END { printf "%s: %d tests of %d programs are clean\n", what, passed, programs }' "$3"
        grep -o 'skipped: .*' "$3" | sort | uniq -c || true
    else
        # The tail has what the instrument found; harnesses say little before it.
        tail -n 150 "$3"
        complain "$1 FAILED"
    fi
    clocked "$1"
}

# One test at a time where a process is counted (stress), and less of it in CI.
[ "$asked" = all ] && seconds=60 || seconds=3
export AIO_STRESS_SECONDS=$seconds

asan() {
    has_sanitizer AddressSanitizer asan || return
    finds AddressSanitizer after_free heap-use-after-free -Zsanitizer=address --
    finds AddressSanitizer beyond heap-buffer-overflow -Zsanitizer=address --
    finds AddressSanitizer leak "LeakSanitizer: detected memory leaks" -Zsanitizer=address --
    [ "$asked" = self-test ] && return
    # The program itself has no unsafe code; what it does to engines is in their suite.
    # Always the same packages: of others cargo would build what they share with other features.
    local what=(-p libaio-sys -p aio-sync -p aio-libaio -p aio-uring -p aio-core)
    local parts=(--skip stats:: --skip plan:: --skip observe:: --skip report:: --skip session::)
    what+=(--lib --test conformance --test hostile_ring)
    # Not what loom runs, whose threads are stacks that it changes by itself.
    [ "$asked" = all ] && what+=(--test stress --test flags --test discards --test devices)
    [ "$asked" = all ] && parts=()
    sanitized address cargo test --locked --no-run "${what[@]}" >"$scratch/log" 2>&1 ||
        { report "AddressSanitizer, the build" 1 "$scratch/log"; return; }
    clocked "AddressSanitizer, the build"
    sanitized address cargo test --locked --no-fail-fast "${what[@]}" -- "${parts[@]}" \
        >"$scratch/log" 2>&1
    report AddressSanitizer $? "$scratch/log"
}

valgrind_tests() {
    command -v valgrind >/dev/null || { skip "valgrind is not installed"; return; }
    local memcheck=(valgrind --quiet --error-exitcode=9 --leak-check=no --fair-sched=yes)
    finds memcheck after_free "Invalid read" -- "${memcheck[@]}"
    finds memcheck beyond "Invalid read" -- "${memcheck[@]}"
    [ "$asked" = self-test ] && return
    # Not the engines of io_uring, whose requests it cannot follow, and of Linux AIO, for whose
    # io_pgetevents it has ENOSYS: AddressSanitizer sees both. The stress test would run for an hour.
    local programs
    cargo test --locked --no-run -p libaio-sys -p aio-sync --lib --test conformance \
        --test hostile_ring >"$scratch/log" 2>&1 ||
        { report "memcheck, the build" 1 "$scratch/log"; return; }
    programs=$(sed -n 's/.*Executable .* (\(.*\))$/\1/p' "$scratch/log")
    [ -n "$programs" ] || { complain "there are no test programs for valgrind"; return; }
    clocked "memcheck, the build"
    local status=0 program
    : >"$scratch/log"
    for program in $programs; do
        AIO_FUZZ_CASES=300 "${memcheck[@]}" "$program" --test-threads=1 >>"$scratch/log" 2>&1 || status=1
    done
    report memcheck $status "$scratch/log"
}

# Miri interprets, and so sees undefined behaviour of the language itself; it knows no system calls
# of storage. Tests that make some fail under it and are left out by name.
miri() {
    local cargo=(cargo)
    rustup toolchain list 2>/dev/null | grep -q '^nightly' && cargo=(cargo +nightly)
    if ! "${cargo[@]}" miri --version >/dev/null 2>&1; then
        skip "Miri is not installed (rustup component add miri --toolchain nightly)"
        return
    fi
    local pure=(stats:: plan::template verify::layout verify::tests engine::in_flight
        engine::admission engine::options)
    export MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-permissive-provenance"
    PROPTEST_CASES=4 AIO_FUZZ_CASES=50 CARGO_TARGET_DIR="$build/miri" \
        "${cargo[@]}" miri test --locked -p libaio-sys --lib ring:: >"$scratch/log" 2>&1
    report "Miri, the reader of rings" $? "$scratch/log"
    PROPTEST_CASES=4 AIO_FUZZ_CASES=50 CARGO_TARGET_DIR="$build/miri" \
        "${cargo[@]}" miri test --locked -p aio-core --lib -- "${pure[@]}" >"$scratch/log" 2>&1
    report "Miri, core" $? "$scratch/log"
}

if wants asan || [ "$asked" = self-test ]; then asan; fi
if wants valgrind || [ "$asked" = self-test ]; then valgrind_tests; fi
if wants miri; then miri; fi
exit $failed
