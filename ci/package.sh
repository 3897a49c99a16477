#!/usr/bin/env bash
# Builds the Debian package and tries it: target/package/aio_VERSION_ARCHITECTURE.deb holds the static
# program, and the pages of the manual and the completions that it makes of itself. The package is
# unpacked into a folder of its own and used there; nothing is installed on this machine.
#
#   ci/package.sh
#
# cargo-deb is the one on PATH, or else one of a fixed version that is built into target/tools, without
# optimisations: that takes a minute of CPU time and not four, and packing eight seconds.
# [package.metadata.deb] in cli/Cargo.toml says what is where.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo_deb_version=3.8.0
complain() { echo "package: FAILED: $1" >&2; exit 1; }
for tool in dpkg-deb strip; do
    command -v $tool >/dev/null || { echo "skipped: package: $tool is missing"; exit 0; }
done
PATH=$PWD/target/tools/bin:$PATH
if ! command -v cargo-deb >/dev/null; then
    began=$SECONDS
    if ! env -u CARGO_TARGET_DIR cargo install --quiet --locked cargo-deb --version $cargo_deb_version \
        --debug --root target/tools; then
        echo "skipped: package: cargo-deb $cargo_deb_version cannot be had"
        exit 0
    fi
    echo "package: cargo-deb $cargo_deb_version is in target/tools now, after $((SECONDS - began)) s" >&2
fi

program=$(ci/static.sh)
target=$(basename "$(dirname "$(dirname "$program")")")
made=target/package
rm -rf $made
mkdir -p $made/man $made/completions

"$program" man >$made/man/aio.1
# As the page itself lists them.
commands=$(sed -nE 's/^aio\\-([a-z\\-]+)\(1\)$/\1/p' $made/man/aio.1 | tr -d '\\')
[ -n "$commands" ] || complain "the manual names no commands"
for command in $commands; do "$program" man "$command" >"$made/man/aio-$command.1"; done
"$program" completions bash >$made/completions/aio
"$program" completions zsh >$made/completions/_aio
"$program" completions fish >$made/completions/aio.fish
cargo tree --locked -p aio-cli -e normal --target "$target" --prefix none --format '{p}: {l}' |
    sed 's/ ([^)]*)//g' | grep -v '^\(aio-\|libaio-sys \)' | sort -u >$made/third-party
version=$("$program" --version | cut -d' ' -f2)
when=$(git log -1 --format=%cd --date=rfc 2>/dev/null || date -R)
maintainer=$(sed -n 's/^maintainer = "\(.*\)"$/\1/p' cli/Cargo.toml)
cat >$made/changelog <<TEXT
aio ($version-1) unstable; urgency=medium

  * Made of the source of this version; changelog.gz says what is new.

 -- $maintainer  $when
TEXT

# Beside the executable, so that it is not built again.
CARGO_TARGET_DIR=$(dirname "$(dirname "$(dirname "$program")")") \
    cargo deb --quiet --no-build --strip -p aio-cli --target "$target" --output $made/ >/dev/null
package=$(ls $made/*.deb)

fields=$(dpkg-deb --field "$package")
grep -qx 'Package: aio' <<<"$fields" || complain "it is not called aio"
! grep -qE '^(Pre-)?Depends: *[^ ]' <<<"$fields" || complain "it depends on something: $fields"
unpacked=$made/root
dpkg-deb -x "$package" $unpacked
aio=$PWD/$unpacked/usr/bin/aio
[ "$(env -i "$aio" --version)" = "aio $version" ] || complain "the packaged program does not run"
(cd $made && "$aio" --engine all --buffered --write-file trial --write-size 1M --loops 1 --validate \
    --quiet >/dev/null) || complain "the packaged program does not measure"
for name in aio $(printf 'aio-%s ' $commands); do
    page=$unpacked/usr/share/man/man1/$name.1.gz
    gzip --test "$page" || complain "there is no page $name.1"
    # What troff complains of is a mistake of ours.
    if command -v groff >/dev/null; then
        said=$(gzip -dc "$page" | groff -man -Tutf8 -ww 2>&1 >/dev/null)
        [ -z "$said" ] || complain "$name.1: $said"
    fi
    if command -v man >/dev/null; then
        text=$(MANWIDTH=80 LC_ALL=C man -l "$page" 2>/dev/null) || complain "man cannot read $name.1"
        grep -q '^SYNOPSIS' <<<"$text" || complain "$name.1 has no synopsis"
    fi
done
completions=$unpacked/usr/share/bash-completion/completions/aio
bash --norc -c '. "$0"; COMP_WORDS=(aio eng) COMP_CWORD=1; _aio aio eng aio
    [ "${COMPREPLY[*]}" = engines ]' $completions || complain "bash does not complete aio eng"
for shell in zsh fish; do
    command -v $shell >/dev/null ||
        { echo "skipped: package: $shell is missing, its completions are not read"; continue; }
    file=zsh/vendor-completions/_aio
    [ $shell = zsh ] || file=fish/vendor_completions.d/aio.fish
    $shell -n "$unpacked/usr/share/$file" || complain "$shell cannot read $file"
done
for file in copyright README.md changelog.gz changelog.Debian.gz third-party docs/report.md; do
    [ -s $unpacked/usr/share/doc/aio/$file ] || complain "$file is not in it"
done
# As root, dpkg itself installs it into an empty root, where nothing else is.
if [ "$(id -u)" -eq 0 ]; then
    mkdir -p $made/installed/var/lib/dpkg/{info,updates}
    touch $made/installed/var/lib/dpkg/{status,available}
    said=$(dpkg --root=$made/installed --log=/dev/null --install "$package" 2>&1) ||
        complain "dpkg cannot install it: $said"
    chroot $made/installed /usr/bin/aio --version >/dev/null || complain "it does not run where nothing else is"
    rm -rf $made/installed
fi
if command -v lintian >/dev/null; then
    lintian --fail-on error,warning --allow-root "$package" || complain "lintian"
else
    echo "skipped: package: lintian is missing"
fi
rm -rf $unpacked
echo "package: ok, $package, $(stat -c %s "$package") bytes, $(wc -w <<<"$commands") commands with pages"
