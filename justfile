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

# aio against fio on one file.
bench:
    ci/bench.sh
