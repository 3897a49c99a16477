# Kernels and containers that refuse things: the engine that auto takes, and that it says why.
# Sourced.
nvme=/dev/nvme0n1
loud="--file $nvme $blocks --queue-depth 4 --number-ios 200 --allow-device $nvme"
run="$loud --quiet"
uring=io_uring_setup,io_uring_enter,io_uring_register

# A kernel before 5.1, and one without Linux AIO as well.
ends 0 "auto takes libaio+ENOSYS" without 38 $uring -- aio $loud
ends 0 "auto takes sync+io_uring_setup: ENOSYS+io_setup: ENOSYS" without 38 $uring,io_setup -- aio $loud
ends 2 "ENOSYS" without 38 $uring -- aio --engine uring $run
ends 2 "ENOSYS" without 38 io_setup -- aio --engine libaio $run
ends 0 "validated" without 38 $uring -- aio --write-file w --write-size 1000003 --buffered --loops 1 \
    --validate --quiet
ends 0 "ENOSYS" without 38 $uring -- aio engines

# An administrator who has switched io_uring off.
disabled=/proc/sys/kernel/io_uring_disabled
if [ -e $disabled ]; then
    echo 2 >$disabled
    ends 0 "auto takes libaio+io_uring_disabled" aio $loud
    ends 2 "io_uring_disabled" aio --engine uring $run
    echo 0 >$disabled
    ends 0 "" aio --engine uring $run
fi

# All requests of Linux AIO that the machine has are taken by others.
most=$(cat /proc/sys/fs/aio-max-nr)
echo 1 >/proc/sys/fs/aio-max-nr
ends 2 "fs.aio-max-nr+sysctl" aio --engine libaio $run
ends 0 "auto takes sync+fs.aio-max-nr" without 38 $uring -- aio $loud
echo "$most" >/proc/sys/fs/aio-max-nr
ends 0 "" aio --engine libaio $run

# A control group of 64 MiB: runs that fit go well, one that does not is refused before it is killed.
mkdir -p /cgroup
mount -t cgroup2 cgroup /cgroup
echo +memory >/cgroup/cgroup.subtree_control
mkdir -p /cgroup/small
echo 67108864 >/cgroup/small/memory.max
in_small="sh /tmp/small.sh"
echo 'echo $$ >/cgroup/small/cgroup.procs; exec "$@"' >/tmp/small.sh
for engine in uring libaio sync; do
    ends 0 "" $in_small aio --engine $engine $run
    ends 0 "validated" $in_small aio --engine $engine --write-file $nvme --write-size 16M --loops 1 \
        --allow-device $nvme --validate --quiet
    ends 1 "memory" $in_small aio --engine $engine --write-file $nvme --write-size 128M --loops 1 \
        --allow-device $nvme --quiet
done
events=/cgroup/small/memory.events
grep -q '^oom_kill 0$' $events || fail "the kernel killed something: $(cat $events)"

# The ways that io_uring of before 5.6 and before 5.11 leaves: data is right by each, and by both.
for way in vectored ext-arg=off vectored:ext-arg=off; do
    ends 0 "validated" aio --engine uring:$way --write-file $nvme --write-size 4M --block-size 64K --loops 1 \
        --allow-device $nvme --validate --quiet
    ends 0 "validated" aio --engine uring:$way --read-file $nvme --io-size 4M --block-size 64K --loops 1 \
        --validate --quiet
    ends 0 "validated" aio --engine uring:$way --write-file w --write-size 1000003 --buffered --loops 1 \
        --validate --quiet
    # Each block says where it belongs and is checked when it is read, in no order.
    ends 0 "verified" aio --engine uring:$way --file $nvme --size 4M --block-size 4K --rw write \
        --number-ios 1024 --verify crc32c --allow-device $nvme --quiet
    ends 0 "verified" aio --engine uring:$way --file $nvme --size 4M --block-size 4K --rw randread \
        --number-ios 1024 --verify crc32c --quiet
done

# What direct I/O on a device must be a multiple of is known on kernels that do not tell, too.
ends 0 "multiples of 512 bytes" aio --engine sync --file $nvme --rw randread --size 4M --block-size 512 \
    --number-ios 64 --quiet

# aio doctor says what this guest is, and why an engine cannot be had; it writes nothing to the disk.
# ci/kernels.py holds its options against what runs were granted.
written() { awk '{ print $5, $7 }' /sys/block/nvme0n1/stat; }
why="uring+cannot run here+(io_uring_setup: ENOSYS)+libaio is taken"
before=$(written)
ends 0 "engines+uring: can run here+file system" aio doctor
ends 0 "engines+uring: can run here+device+QEMU NVMe" aio doctor $nvme
ends 0 "seccomp+1 filter+$why" without 38 $uring -- aio doctor $nvme
ends 0 "seccomp+$why" without 38 $uring -- aio doctor --json $nvme
ends 0 "$(uname -r)+\"place\": \"a block device\"" aio doctor --json $nvme
[ ! -e /dev/ng0n1 ] || ends 0 "uring:passthrough: can run here" aio doctor /dev/ng0n1
if [ -e $disabled ]; then
    echo 2 >$disabled
    ends 0 "uring: cannot run here+io_uring_disabled=0" aio doctor $nvme
    echo 0 >$disabled
fi
[ "$(written)" = "$before" ] || fail "aio doctor wrote to the disk"
aio doctor --json $nvme >/out/doctor.json
