#!/usr/bin/env python3
"""Runs one command of ci/bench.sh and prints its figures as one line of numbers.

    ci/bench-run.py [--hold FILE] COMMAND [ARGUMENT]...

With --hold, FILE is in the page cache before the command starts, and locked there if the limit of
locked memory (ulimit -l) allows; a run during which a page left it is an error.

COMMAND prints either fio's JSON (fio --output-format=json, aio --format fio-json) or the lines of
t/io_uring. The columns are in FIGURES; a figure that the command does not give is "nan".
"""

import ctypes
import glob
import json
import mmap
import os
import re
import statistics
import subprocess
import sys
import threading

FIGURES = [
    "requests_per_s",  # fio's JSON: of the run; t/io_uring: the median of its seconds
    "mib_per_s",
    "cpu_ns",  # user and system time per request
    "user_ns",  # the kernel splits the two by sampling, so this one is coarse
    "mean_latency_ns",
    "switches",  # context switches of the whole process per request
    "peak_mib",  # VmHWM
]


def cpu_ns(pid):
    """Time on a CPU of all threads so far, exact where getrusage counts ticks."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            with open(path) as file:
                total += int(file.read().split()[0])
        except (OSError, IndexError):
            pass  # The thread has ended.
    return total


def watch_peak(pid, done, peak):
    """Keeps the last VmHWM that was seen; the kernel forgets it when the process ends."""
    while not done.wait(0.02):
        try:
            with open(f"/proc/{pid}/status") as file:
                found = re.search(r"VmHWM:\s*(\d+) kB", file.read())
        except OSError:
            return
        if found:
            peak[0] = int(found.group(1)) / 1024


def of_json(text):
    """Figures of fio's JSON, and its number of requests."""
    job = json.loads(text)["jobs"][0]
    if job["error"]:
        raise SystemExit(f"bench: {job['jobname']} failed with error {job['error']}")
    moved = job["read"] if job["read"]["total_ios"] else job["write"]
    requests = moved["total_ios"]
    per_request_ns = job["job_runtime"] * 1e6 / requests / 100
    latency = moved["lat_ns"]["mean"]
    figures = {
        "requests_per_s": moved["iops"],
        "mib_per_s": moved["bw_bytes"] / 2**20,
        "cpu_ns": (job["usr_cpu"] + job["sys_cpu"]) * per_request_ns,
        "user_ns": job["usr_cpu"] * per_request_ns,
        "mean_latency_ns": latency if latency else float("nan"),
    }
    return figures, requests


def of_seconds(seconds):
    """Figures of t/io_uring: (requests, CPU time until then) of each second."""
    figures = {"requests_per_s": statistics.median(requests for requests, _ in seconds)}
    # The first second begins at a time that is not known.
    if len(seconds) > 1:
        spent_ns = seconds[-1][1] - seconds[0][1]
        figures["cpu_ns"] = spent_ns / sum(requests for requests, _ in seconds[1:])
    return figures


class Held:
    """A file in the page cache, locked there for as long as this process lives."""

    def __init__(self, path):
        self.libc = ctypes.CDLL(None)
        self.libc.mmap.restype = ctypes.c_void_p
        self.libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *3 * [ctypes.c_int], ctypes.c_long]
        self.libc.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        self.libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 20):
                pass
            self.size = os.fstat(file.fileno()).st_size
            # Python's own mapping does not give its address.
            self.address = self.libc.mmap(
                None, self.size, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0
            )
        # Where the lock is refused, it may stay all the same.
        self.libc.mlock(self.address, self.size)

    def check(self):
        """Ends the program if a page is missing."""
        count = -(-self.size // mmap.PAGESIZE)
        pages = ctypes.create_string_buffer(count)
        self.libc.mincore(self.address, self.size, pages)
        missing = sum(1 for page in pages.raw[:count] if not page & 1)
        if missing:
            raise SystemExit(
                f"bench: {missing} pages left the page cache during a run; allow more locked memory "
                "(ulimit -l), or take a smaller file (SIZE)"
            )


def main():
    command = sys.argv[1:]
    held = None
    if command[0] == "--hold":
        held = Held(command[1])
        command = command[2:]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    done, peak = threading.Event(), [float("nan")]
    threading.Thread(target=watch_peak, args=(child.pid, done, peak), daemon=True).start()
    lines, seconds = [], []
    for line in child.stdout:
        lines.append(line)
        found = re.match(r"IOPS=([\d.]+)([KM]?),", line)
        if found:
            scale = {"": 1, "K": 1e3, "M": 1e6}[found.group(2)]
            seconds.append((float(found.group(1)) * scale, cpu_ns(child.pid)))
    _, status, usage = os.wait4(child.pid, 0)
    done.set()
    if held:
        held.check()
    text = "".join(lines)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"bench: {' '.join(command)} failed: {text.strip()}")
    if seconds:
        figures = of_seconds(seconds)
    else:
        # fio prints notes on stdout, before and after its JSON.
        figures, requests = of_json(text[text.index("{") : text.rindex("}") + 1])
        figures["switches"] = (usage.ru_nvcsw + usage.ru_nivcsw) / requests
    figures["peak_mib"] = peak[0]
    print(*(figures.get(name, float("nan")) for name in FIGURES))


main()
