# One-line aliases for what CI runs.

# Format, lints, docs.
check:
    ci/check.sh

# All tests.
test:
    cargo test --workspace

# Instruction budgets of the hot loop (valgrind).
budget:
    ci/budget.sh

# The conformance suite on real kernels (QEMU).
kernels:
    ci/kernels.sh

# Rates and latencies against devices of known speed (QEMU).
oracles:
    ci/oracles.sh

# Random rounds against every engine, a minute each; an hour: just stress 3600.
stress seconds="60":
    ci/stress.sh {{seconds}}

# Unsafe code under AddressSanitizer, memcheck and Miri; everything: just memory all.
memory what="quick":
    ci/memory.sh {{what}}

# Every parser and the ring's reader with mutated inputs, a minute each; some: just fuzz 600 plan.
fuzz seconds="60" *targets:
    ci/fuzz.sh {{seconds}} {{targets}}

# aio against fio and t/io_uring, all modes or some: just bench cached nop.
bench *modes:
    ci/bench.sh {{modes}}

# Reports in a headless browser.
page:
    ci/page.sh

# Comparisons of an engine with itself: how many find a winner?
aa comparisons="40" engine="sync":
    ci/aa.sh {{comparisons}} {{engine}}
