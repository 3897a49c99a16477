#!/usr/bin/env bash
# House rules that no lint knows: file length, line length, silenced lints, unsafe without a reason,
# a changelog that lags behind the version.
set -euo pipefail
cd "$(dirname "$0")/.."

bad=0
complain() { echo "style: $1" >&2; bad=1; }

while IFS= read -r file; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 450 ] || complain "$file has $lines lines; split it into two ideas"
    # Code is rustfmt's; it leaves comments alone.
    if LC_ALL=C.UTF-8 grep -nE '^ *//.{99,}$' "$file" | LC_ALL=C.UTF-8 grep -E '^[0-9]+:.{101,}$'; then
        complain "$file has a comment of more than 100 columns"
    fi
    if grep -nE '#!?\[allow\(' "$file"; then complain "$file silences a lint with allow; use expect with a reason"; fi
    if grep -nE '\b(todo|unimplemented|dbg)!\(' "$file"; then complain "$file is unfinished"; fi
done < <(git ls-files '*.rs')

for crate in backends cli backends/null; do
    root=$crate/src/lib.rs
    [ -f "$root" ] || root=$crate/src/main.rs
    grep -q '#!\[forbid(unsafe_code)\]' "$root" || complain "$root does not forbid unsafe code"
done
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
if grep -qE '^## \[?[0-9]' CHANGELOG.md; then
    # Something has been released, and so this version is either one of those or must be said.
    grep -qE "^## \[?${version//./\\.}(\]|\$| )" CHANGELOG.md || complain "CHANGELOG.md has no section for version $version"
else
    grep -q '^## Unreleased$' CHANGELOG.md || complain "CHANGELOG.md has neither a version nor a section Unreleased"
fi
[ "$bad" -eq 0 ] && echo "style: ok"
exit "$bad"
