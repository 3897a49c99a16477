#!/usr/bin/env bash
# Format, lints and docs, all with warnings denied; aarch64 where its target is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --all -- --check
cargo clippy --workspace --all-targets --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

if rustc --print target-libdir --target aarch64-unknown-linux-gnu 2>/dev/null | xargs -r test -d; then
    cargo check --workspace --locked --target aarch64-unknown-linux-gnu
else
    echo "skipped: cargo check for aarch64: the target is not installed (rustup target add aarch64-unknown-linux-gnu)"
fi
ci/style.sh
