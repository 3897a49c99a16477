#!/usr/bin/env python3
"""Judges what a guest of ci/oracles.sh left behind.

    ci/oracles.py [--failed] FOLDER [DEVICE ENGINE DEPTH]...

FOLDER has three files per case: what aio reported (.aio), the block layer's trace of the same run
(.trace), and what fio reported (.fio, where there is one). Prints a line per case and
exits with 1 if one failed; with --failed it prints the cases that failed and no more.

What must hold:
- the device was asked for as many requests as aio says that it made, and had them all done;
- aio reports no more requests per second than the device can do;
- it reports as many as the trace has, and as fio, give or take 5 %;
- where the device is slow beside the emulation, its median latency is that of the trace, give or
  take 10 %.
"""

import collections
import json
import os
import re
import sys

# What a device can do: requests per second at a depth. QEMU lets a burst through at the start, so
# that 500 become 516 in 3 s.
LIMITS = {
    "nullb0": lambda depth: depth / 0.005,
    "nullb2": lambda depth: depth / 0.020,
    "nvme0n1": lambda depth: 500 * 1.05,
}
# Beside 5 ms, what an emulated guest needs for a system call shows in the latency of requests.
MEDIAN_OF = {"nullb2"}

# The fields between are the command, and on newer kernels a priority behind the length.
EVENT = re.compile(r"\s(\d+)\.(\d{6}): block_rq_(issue|complete): (\S+) (\w+) .*?(\d+) \+ (\d+)\s")
DEVICE = re.compile(r"device (\S+)\n")
ENTRIES = re.compile(r"entries-in-buffer/entries-written: (\d+)/(\d+)")


def traced(trace):
    """Times from issue to completion, sorted, matched by sector, first in first out; and the time
    from the first to the last of all; in microseconds."""
    kept, written = ENTRIES.search(trace).groups()
    if kept != written:
        raise ValueError(f"the trace lost events: it has {kept} of {written}")
    issued = collections.defaultdict(collections.deque)
    latencies, times = [], []
    device = DEVICE.match(trace).group(1)
    for seconds, fraction, what, where, kind, sector, sectors in EVENT.findall(trace):
        if where != device or kind[0] != "R":
            continue
        now = int(seconds) * 1_000_000 + int(fraction)
        times.append(now)
        key = (sector, sectors)
        if what == "issue":
            issued[key].append(now)
        else:
            latencies.append(now - issued[key].popleft())
    left = sum(len(each) for each in issued.values())
    if left:
        raise ValueError(f"{left} requests were never done")
    return sorted(latencies), max(times) - min(times)


def load(path):
    with open(path) as file:
        return file.read()


def judge(folder, device, engine, depth):
    """What was seen, in words, and what of it is wrong."""
    start = os.path.join(folder, f"{device}.{engine}.{depth}")
    one = json.loads(load(start + ".aio"))["engines"][0]["directions"][0]
    rate = one["requests_per_s"]
    seen, wrong = [f"{rate:.1f} IOPS"], []
    limit = LIMITS[device](int(depth))
    if rate > limit:
        wrong.append(f"more than the device can do, {limit:.0f} IOPS")

    latencies_us, duration_us = traced(load(start + ".trace"))
    if len(latencies_us) != one["requests"]:
        wrong.append(f"{one['requests']} requests, of which the device saw {len(latencies_us)}")
    traced_rate = len(latencies_us) / duration_us * 1e6
    seen.append(f"trace {traced_rate:.1f} ({rate / traced_rate:.3f})")
    if not 0.95 <= rate / traced_rate <= 1.05:
        wrong.append("not what the trace has")
    if device in MEDIAN_OF:
        median_ms = one["request_latency"]["p50_ns"] / 1e6
        traced_ms = latencies_us[(len(latencies_us) - 1) // 2] / 1e3
        ratio = median_ms / traced_ms
        seen.append(f"p50 {median_ms:.2f} ms, trace {traced_ms:.2f} ({ratio:.3f})")
        if not 0.9 <= ratio <= 1.1:
            wrong.append("the median is not that of the trace")

    if os.path.exists(start + ".fio"):
        other = json.loads(load(start + ".fio"))["jobs"][0]["read"]["iops"]
        seen.insert(1, f"fio {other:.1f} ({rate / other:.3f})")
        if not 0.95 <= rate / other <= 1.05:
            wrong.append("not what fio sees")
    return ", ".join(seen), "; ".join(wrong)


def main():
    words = sys.argv[1:]
    only_failed = words[0] == "--failed"
    folder, *words = words[only_failed:]
    failed = []
    for case in zip(words[0::3], words[1::3], words[2::3]):
        try:
            seen, wrong = judge(folder, *case)
        except (OSError, ValueError, LookupError) as error:
            seen, wrong = "no result", f"{type(error).__name__}: {error}"
        if wrong:
            failed += case
        if not only_failed:
            verdict = f"FAILED: {wrong}" if wrong else "ok"
            print("  {} {} at depth {}: {}: {}".format(*case, seen, verdict))
    if only_failed:
        print(*failed)
    sys.exit(bool(failed) and not only_failed)


if __name__ == "__main__":
    main()
