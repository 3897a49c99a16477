# Machines that have less or that break: every option, system calls that are missing, limits, a wall
# clock that is set in mid-run, and a disk that is pulled out. /bin/without makes calls fail.
. /job/common.sh
cd /tmp
. /job/options.sh
options nvme /dev/nvme0n1
options null_blk /dev/nullb0
[ ! -e /dev/ng0n1 ] || options generic /dev/ng0n1
. /job/locked.sh
. /job/clock.sh
. /job/removal.sh
exit $failed
