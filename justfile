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

# The static executable, and where it is.
static:
    ci/static.sh

# The Debian package.
package:
    ci/package.sh

# Suites, options and faults on real kernels (QEMU), all or some: just kernels 5.10 newest.
kernels *kernels:
    ci/kernels.sh {{kernels}}

# Rates and latencies against devices of known speed (QEMU).
oracles:
    ci/oracles.sh

# Random rounds against every engine, a minute each; an hour: just stress 3600.
stress seconds="60":
    ci/stress.sh {{seconds}}

# All engines on one file with random work and faults, for two and a half minutes; an hour: just soak 3600.
soak seconds="150":
    ci/soak.sh {{seconds}}

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
