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

# All engines on one file with random work and faults, for two and a half minutes; an hour: just soak 3600.
soak seconds="150":
    ci/soak.sh {{seconds}}

# aio against fio and t/io_uring, all modes or some: just bench cached nop.
bench *modes:
    ci/bench.sh {{modes}}

# Reports in a headless browser.
page:
    ci/page.sh

# Comparisons of an engine with itself: how many find a winner?
aa comparisons="40" engine="sync":
    ci/aa.sh {{comparisons}} {{engine}}
