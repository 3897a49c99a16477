# The disk is pulled out while a run reads or writes it: exit code 1, one sentence that says what
# failed where, and no number that looks complete; all of that within a limit. Linux 5.10 then gives
# EIO; later ones let reads return 0 bytes and writes find no space. Sourced, and last: the disk that
# comes back need not be as it was.
pulled() { # engine mode
    gone=$(disk)
    controller=$(basename "$gone" n1)
    before=$(requests "$gone")
    began=$(uptime_s)
    timeout 60 aio --engine $1 --file "$gone" --rw $2 --size 64M --block-size 4k --queue-depth 4 \
        --runtime 30 --quiet --allow-device "$gone" --format json >/out/pulled.$1.$2.json 2>/tmp/said </dev/null &
    run=$!
    tries=0
    while [ "$(requests "$gone")" -lt $((before + 100)) ] && [ $tries -lt 400 ]; do
        usleep 50000
        tries=$((tries + 1))
    done
    echo 1 >"/sys/class/nvme/$controller/device/remove"
    wait $run
    code=$?
    echo "$code $began $(uptime_s)" >/out/pulled.$1.$2.took
    cp /tmp/said /out/pulled.$1.$2.err
    [ $tries -lt 400 ] || fail "$1 $2: the disk saw no requests"
    [ $code -eq 1 ] || { cat /tmp/said; fail "the disk was pulled out: exit code $code: $1 $2"; }
    echo 1 >/sys/bus/pci/rescan
    tries=0
    until [ -b "$(disk)" ] || [ $tries -ge 200 ]; do
        usleep 50000
        tries=$((tries + 1))
    done
}
for engine in uring libaio sync; do
    for mode in randread randwrite; do pulled $engine $mode; done
done
