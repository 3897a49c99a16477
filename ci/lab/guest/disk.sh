# The suites of the engines, then whole runs on the disk, checked; what only a disk can show comes
# last, because it overwrites the disk.
. /job/common.sh
cd /tmp
suites /bin/conformance*
nvme=/dev/nvme0n1
ends 0 "" aio --engine all --read-file $nvme --io-size 8M --block-size 64K --loops 1 --validate --quiet
ends 0 "" aio --engine all --write-file w --write-size 1000003 --buffered --loops 1 --validate --quiet
for engine in uring uring:iowq-workers=2 uring:sqpoll; do
    ends 0 "" aio --engine $engine --read-file $nvme --io-size 1M --dry-run
done
ends 0 "" aio --engine uring:sqpoll,uring:nop --read-file $nvme --io-size 1M --block-size 4K --loops 1 --quiet
ends 2 "queue-depth" aio --engine uring --read-file $nvme --queue-depth 40000 --io-size 64K --quiet
ends 2 "iopoll cannot be had" aio --engine uring:iopoll --read-file $nvme --io-size 1M --quiet
# Random blocks of the block device, and the same through commands where the kernel has them.
ends 2 "--allow-device" aio --engine sync --file $nvme --rw randwrite --size 1M --number-ios 9 --quiet
ends 0 "" aio --engine uring,libaio,sync --file $nvme --rw randwrite --size 8M --block-size 4K \
    --number-ios 500 --allow-device $nvme --quiet
generic=/dev/ng0n1
if [ -e $generic ]; then
    ends 2 "passthrough" aio --engine uring --file $generic --number-ios 9 --quiet
    ends 2 "passthrough" aio --engine uring:passthrough --file $nvme --number-ios 9 --quiet
    ends 2 "--allow-device" aio --engine uring:passthrough --write-file $generic --write-size 4M --quiet
    ends 0 "" aio --engine uring:passthrough --file $generic --rw randread --size 8M --block-size 4K \
        --number-ios 500 --quiet
    ends 0 "validated" aio --engine uring:passthrough --write-file $generic --write-size 4M \
        --block-size 64K --loops 1 --allow-device $generic --validate --quiet
    ends 0 "validated" aio --engine uring:passthrough --read-file $generic --io-size 4M \
        --block-size 64K --loops 1 --validate --quiet
fi
AIO_TEST_NVME=$nvme suites /bin/devices
exit $failed
