# The wall clock is set forward by some forty years and far back again, over and over, from before a
# run to its end. The reports, and how long each took by the clock that nobody sets, go to /out for
# ci/kernels.py to judge. Sourced.
start=$(date +%s)
set_clock() {
    date -s @$1 >/dev/null
    [ $(($(date +%s) - $1)) -le 5 ] || fail "the wall clock cannot be set"
    usleep 300000
}
step() { # name command...
    name=/out/clock.$1
    shift
    began=$(uptime_s)
    timeout 90 "$@" >$name.json 2>$name.err </dev/null &
    run=$!
    while kill -0 $run 2>/dev/null; do
        set_clock 3000000000
        set_clock 900000000
    done
    wait $run
    code=$?
    echo "$code $began $(uptime_s)" >$name.took
    [ $code -eq 0 ] || { cat $name.err; fail "the wall clock was set: exit code $code: $*"; }
    date -s @$start >/dev/null
    touch $name.*
}
for engine in uring libaio sync null; do
    step $engine aio --engine $engine --file /dev/nvme0n1 $blocks --queue-depth 4 --quiet --runtime 2 --interval 200ms \
        --allow-device /dev/nvme0n1 --format json
done
step paced aio --engine sync --file /dev/nvme0n1 $blocks --queue-depth 4 --quiet --runtime 2 --rate-iops 100 \
    --allow-device /dev/nvme0n1 --format json
