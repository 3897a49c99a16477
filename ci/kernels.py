#!/usr/bin/env python3
"""What ci/kernels.sh asks of the guests, and the judge of what they bring back.

    kernels.py options            < what `aio engines --format json` says
        prints what a guest runs: "where|engine|more arguments" for every option of every engine

    kernels.py judge KERNEL VERSION FOLDER...
        reads what guests with this kernel left in the folders, and prints what is wrong

Receipts are held against ci/lab/receipts.txt, one column for each kernel; with AIO_BLESS=1 the column
is written instead. The newest kernel may grant more than its column says, which is said aloud.
"""

import json
import math
import os
import pathlib
import re
import sys

TABLE = pathlib.Path(__file__).parent / "lab" / "receipts.txt"
ABOUT = """\
# What each kernel of the lab allows, as the receipts of aio say it: where, the engine with the option
# that was asked for, what a receipt is about, and what was granted. "runs" has the engine alone, with
# what it uses unless told otherwise; below it stand only receipts that differ from those. "refused":
# aio says so, with exit code 2, and moves nothing. "ran": it did, and has no receipt of this name.
# nvme, null_blk: emulated devices; nvme-polled: with a queue to poll, which null_blk has by itself from
# some kernel on; generic: /dev/ng0n1; file: on ext4, through the page cache. "-": there is no such run or
# receipt. AIO_BLESS=1 ci/kernels.sh writes this file; read the difference.
"""
KERNELS = ["5.10", "6.1", "6.12", "6.18", "newest"]

# Options that mean something only with these arguments.
ARGUMENTS = {"inline": "--queue-depth 1"}
# Options that ask a device to be polled are tried where it can be, too.
POLLS = {"iopoll", "hybrid-iopoll", "hipri"}
# Those of the generic device, and of the page cache, likewise.
GENERIC = {"passthrough"}
CACHED = {"dontcache"}


def values(option):
    """Some values that the option takes: all of a switch, two of a range."""
    if option["accepts"] == "switch":
        return ["on", "off"]
    least = option["accepts"]["number"]["least"]
    return [str(least), str(min(least + 1, option["accepts"]["number"]["most"]))]


def wheres(key, value):
    """Where an option is tried, and with which more arguments."""
    arguments = ARGUMENTS.get(key, "--queue-depth 4")
    yield "nvme", arguments
    yield "null_blk", arguments
    if key in POLLS:
        yield "nvme-polled", arguments
    if key in GENERIC and value == "on":
        yield "generic", arguments
    if key in CACHED:
        yield "file", arguments + " --buffered"


def options(listing):
    """All runs: (where, engine with an option or alone, more arguments)."""
    runs = {}
    for engine in listing["engines"]:
        name = engine["engine"]
        runs.update({("nvme", name): "--queue-depth 4", ("null_blk", name): "--queue-depth 4"})
        for option in engine["options"]:
            for value in values(option):
                for where, arguments in wheres(option["key"], value):
                    runs.setdefault((where, name), arguments)
                    runs[where, f"{name}:{option['key']}={value}"] = arguments
    return [(where, spec, arguments) for (where, spec), arguments in runs.items()]


def key_of(spec):
    return spec.split(":")[1].split("=")[0] if ":" in spec else None


class Runs:
    """The receipts of all runs of a kernel, by where and engine."""

    def __init__(self, problems):
        self.problems = problems
        self.receipts = {}
        self.refused = set()

    def read(self, folder):
        for what in sorted(folder.glob("*.what")):
            where, spec = what.read_text().split()
            code = int(what.with_suffix(".code").read_text())
            said = what.with_suffix(".err").read_text()
            if code == 2 and re.fullmatch(r"aio: [^\n]+ cannot run here: [^\n]+\n", said):
                self.refused.add((where, spec))
            elif code == 0 and self.moved(json.loads(what.with_suffix(".json").read_text())):
                report = json.loads(what.with_suffix(".json").read_text())
                self.receipts[where, spec] = report["engines"][0]["receipts"]
            else:
                self.problems.append(f"{where} {spec}: exit code {code}: {said.strip()}")

    @staticmethod
    def moved(report):
        """All that was asked for was done, and only that."""
        directions = report["engines"][0]["directions"]
        return report["status"] == "complete" and sum(one["requests"] for one in directions) == 64

    def granted(self, where, spec):
        granted = {}
        for one in self.receipts.get((where, spec), []):
            if not one["option"].startswith("memory"):
                granted.setdefault(one["option"], []).append(one)
        return granted

    def rows(self):
        """What the table says: (where, engine, receipt) -> what was granted."""
        rows = {}
        for where, spec in self.refused:
            rows[where, spec, key_of(spec) or "runs"] = "refused"
        for where, spec in self.receipts:
            key, engine = key_of(spec), spec.split(":")[0]
            plain = {name: words(of) for name, of in self.granted(where, engine).items()}
            if key is None:
                rows[where, spec, "runs"] = "yes"
                rows.update({(where, spec, name): said for name, said in plain.items()})
                continue
            granted = self.granted(where, spec)
            rows[where, spec, key] = words(granted[key]) if key in granted else "ran"
            for name, of in granted.items():
                said = words(of)
                if name != key and said != plain.get(name) and not as_asked(of):
                    rows[where, spec, name] = said
        return rows


def words(of):
    """What was granted, without what explains it: `1 (it was 4 bounded)`."""
    short = [re.split(r" \(|:", one["granted"])[0].replace(" ", "-") for one in of]
    return ",".join(dict.fromkeys(short))


def as_asked(of):
    return all(one["asked"] == one["granted"] for one in of)


def table():
    """The table as it is written: (where, engine, receipt) -> {kernel: what is granted}."""
    rows = {}
    if TABLE.exists():
        for line in TABLE.read_text().splitlines():
            if line and not line.startswith(("#", "where ")):
                where, spec, name, *cells = line.split()
                rows[where, spec, name] = dict(zip(KERNELS, cells, strict=True))
    return rows


def write(rows):
    lines = [("where", "engine", "receipt", *KERNELS)]
    for key in sorted(rows):
        cells = [rows[key].get(kernel, "-") for kernel in KERNELS]
        if any(cell != "-" for cell in cells):
            lines.append((*key, *cells))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    TABLE.write_text(ABOUT + "\n" + "\n".join(text) + "\n")


def compare(kernel, seen, problems):
    if kernel not in KERNELS:
        print(f"skipped: receipts of kernel {kernel}: {TABLE.name} has no column for it")
        return
    rows = table()
    if os.environ.get("AIO_BLESS") and not problems:
        for key in set(rows) | set(seen):
            rows.setdefault(key, {})[kernel] = seen.get(key, "-")
        write(rows)
        return
    different = []
    for key in sorted(set(rows) | set(seen)):
        wanted, got = rows.get(key, {}).get(kernel, "-"), seen.get(key, "-")
        if wanted == got:
            continue
        what = f"receipt of {' '.join(key)}: {got}, and the table says {wanted}"
        asked = key[1].rpartition("=")[2] if key_of(key[1]) == key[2] else "on"
        if kernel == "newest" and (got in (asked, "yes") or got.startswith("on-")):
            print(f"newer than the table: {what}")
        else:
            different.append(what)
    # A guest that died brings nothing, and each row says so.
    problems += different[:20]
    if different[20:]:
        problems.append(f"{len(different) - 20} more receipts")


def numbers(value, name=""):
    """All numbers in a report, by the names of their fields."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers(inner, name)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield name, value


def took(path):
    code, began, ended = path.with_suffix(".took").read_text().split()
    return int(code), float(ended) - float(began)


def clock(path, problems):
    """A report must have no time in it that is longer than the whole run was, or negative."""
    code, seconds = took(path)
    if code != 0:
        return  # The guest has said so.
    report = json.loads(path.read_text())
    wrong = [f"{name} is {value}" for name, value in numbers(report) if not 0 <= value < math.inf]
    for name, value in numbers(report["engines"]):
        per = name.endswith(("per_s", "_per_request")) or name.startswith("cpu_")
        unit = 1e9 if name.endswith("_ns") else 1 if name.endswith(("_s", "seconds")) else None
        if unit and not per and value / unit > seconds:
            wrong.append(f"{name} is {value}")
    for direction in report["engines"][0]["directions"]:
        if not 2 <= direction["e2e_latency_s"] <= seconds:
            wrong.append(f"--runtime 2 lasted {direction['e2e_latency_s']} s")
    if wrong:
        problems.append(f"{path.stem}, in a run of {seconds:.1f} s: {', '.join(wrong[:5])}")


def pulled(path, problems):
    """A run whose disk is gone has failed, says why in a sentence, and reports no rate."""
    code, seconds = took(path)
    said = path.with_suffix(".err").read_text()
    if not re.fullmatch(r"aio: [^\n]*(read|write) of \d+ bytes at offset \d+ of /dev/nvme[^\n]*\n", said):
        problems.append(f"{path.stem}, after {seconds:.1f} s: does not say in a sentence why: {said!r}")
    if code != 1:
        return  # The guest has said so.
    report = json.loads(path.read_text())
    for direction in report["engines"][0]["directions"]:
        rates = [name for name, value in direction.items() if name.endswith("_per_s") and value]
        if direction["status"] != "failed" or direction["bytes"] or direction["loops"] or rates:
            problems.append(f"{path.stem}: looks as if it were complete: {direction['status']} {rates}")


def doctor(path, rows, problems):
    """aio doctor must say of a switch on the disk what a run was granted."""
    for engine in json.loads(path.read_text())["engines"]:
        for option in engine["options"]:
            key, here = option["key"], option["here"]
            granted = rows.get(("nvme", f"{engine['engine']}:{key}=on", key))
            # It asks for the default depth, at which calls are not made inline; and whether writes
            # are granted, only a descriptor for writing tells.
            if granted is None or here is None or key in ARGUMENTS:
                continue
            said = (here["granted"] or "refused").replace(" ", "-")
            if said not in (granted, *granted.split(",")):
                problems.append(f"aio doctor: {engine['engine']}:{key}: {said}, and a run: {granted}")


def judge(kernel, version, folders):
    problems = []
    runs = Runs(problems)
    counts = {clock: 0, pulled: 0}
    examined = []
    for folder in map(pathlib.Path, folders):
        runs.read(folder)
        examined += folder.glob("doctor.json")
        for judge_one in counts:
            for path in sorted(folder.glob(f"{judge_one.__name__}.*.json")):
                counts[judge_one] += 1
                judge_one(path, problems)
    if counts != {clock: 5, pulled: 6}:
        problems.append(
            f"{counts[clock]} of 5 runs while the clock was set, "
            f"{counts[pulled]} of 6 while the disk was pulled"
        )
    if len(examined) != 1:
        problems.append("aio doctor brought nothing")
    for path in examined:
        doctor(path, runs.rows(), problems)
    compare(kernel, runs.rows(), problems)
    for problem in problems:
        print(f"FAILED: {problem}")
    print(f"kernel {kernel} ({version}): {len(runs.receipts)} runs with options, {len(runs.refused)} refused")
    return bool(problems)


if __name__ == "__main__":
    if sys.argv[1:] == ["options"]:
        for one in options(json.load(sys.stdin)):
            print("|".join(one))
    else:
        sys.exit(judge(sys.argv[2], sys.argv[3], sys.argv[4:]))
