# What the scripts that run in a guest have in common; they begin with `. /job/common.sh`. A guest has
# busybox and no more.
failed=0
fail() {
    echo "FAILED: $*"
    failed=1
}

# ends CODE WORDS COMMAND...: the command ends by itself and in time, with this exit code, and what it
# says on stderr and stdout has all of these words, which + separates ("" for none).
ends() {
    code=$1 words=$2
    shift 2
    timeout 90 "$@" >/tmp/said 2>&1 </dev/null
    was=$?
    [ $was -eq $code ] || { cat /tmp/said; fail "exit code $was and not $code: $*"; return; }
    rest=$words
    while [ -n "$rest" ]; do
        word=${rest%%+*}
        case $rest in *+*) rest=${rest#*+} ;; *) rest= ;; esac
        # Text is wrapped to the width of a page.
        tr '\n' ' ' </tmp/said | tr -s ' ' | grep -qF -- "$word" ||
            { cat /tmp/said; fail "does not say \"$word\": $*"; }
    done
}

# Seconds that this guest has been up, by a clock that nobody sets, with two digits.
uptime_s() { cut -d' ' -f1 /proc/uptime; }

# The test programs of the engines: what counts of their output.
suites() {
    for suite in "$@"; do
        timeout 280 $suite --test-threads=1 >/tmp/said 2>&1 || { tail -50 /tmp/said; fail "$suite"; }
        grep -E '^test result|skipped: ' /tmp/said
    done
}

# The NVMe disk, which has another name when it has been pulled out and found again, and its requests.
disk() { ls /dev/nvme*n1 2>/dev/null | head -n 1; }
requests() { awk '{ print $1 + $5 }' "/sys/block/${1#/dev/}/stat"; }

# Random blocks of a device, read and written: what every engine and option must be able to do.
blocks="--rw randrw --size 8M --block-size 4k"
