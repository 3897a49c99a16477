# A disk that can be polled; the last runs write and read a file on the disk.
. /job/common.sh
nvme=/dev/nvme0n1
AIO_TEST_NVME=$nvme suites /bin/devices
ends 0 "" aio --engine uring:hybrid-iopoll --read-file $nvme --io-size 1M --dry-run
. /job/options.sh
options nvme-polled $nvme
mke2fs -F $nvme >/dev/null
mkdir /disk
mount -t ext4 $nvme /disk
cd /disk
# An old kernel would hang there.
case $(uname -r) in
    5.10.*) ends 2 "iopoll" aio --engine uring:iopoll --write-file w --write-size 4M --quiet; by=uring ;;
    *) by=uring:iopoll ;;
esac
ends 0 "validated" aio --engine $by --write-file w --write-size 4M --block-size 64K --loops 1 \
    --validate --keep --quiet
ends 0 "validated" aio --engine uring:hybrid-iopoll,uring:iopoll:sqpoll --read-file w.0 \
    --block-size 64K --loops 1 --validate --quiet
ends 2 "iopoll" aio --engine uring:iopoll --read-file w.0 --buffered --quiet
aio --engine sync --buffered --file f --rw write --size 8M --keep --quiet >/dev/null
options file f
exit $failed
