"""Compares our training speed with dyNET38's and PyTorch's on the tasks of the DyNet paper.

Every opponent lives in an environment of its own, which is set up on first use.  All contestants of
a row are warmed up once and stay alive; then they take turns, one short window each per round, on
the same cores.  The table gives medians, and ratios of medians with the spread over the rounds.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import contestants
from contestants import Contestant, Process, Site
from environments import UnavailableError, checked, interpreter
from losses import check
from report import Entry, Row, table
from tasks import TASKS

PEERS = ("dynet", "torch")
CALIBRATION_WINDOWS = 2
UNDISTURBED_SHARE = 0.9
FOLDER = pathlib.Path(__file__).resolve().parent
FULL = {"rounds": 3, "window": 1.0, "warmup_limit": 20.0}
QUICK = {"rounds": 1, "window": 0.5, "warmup_limit": 3.0}


def parse_arguments():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--tasks", default=",".join(TASKS), help="of " + ", ".join(TASKS))
    add("--minibatches", help="sizes, as 1,16; left out, the sizes of each task")
    add("--peers", default=",".join(PEERS), help="of " + ", ".join(PEERS))
    add("--quick", action="store_true", help="one round of short windows")
    add("--rounds", type=int)
    add("--window", type=float, help="seconds per window")
    add("--threads", type=int, default=1)
    add(
        "--clock",
        choices=("wall", "cpu"),
        default="wall",
        help="cpu counts only the time that a contestant ran, for a busy machine",
    )
    add("--json", help="file for all results")
    add("--check", action="store_true", help="compare losses from one model file, time nothing")
    add(
        "--python",
        action="append",
        default=[],
        metavar="TOOLKIT=PATH",
        help="interpreter to use for ours, dynet or torch instead of the usual one",
    )
    arguments = parser.parse_args()
    for name, value in (QUICK if arguments.quick else FULL).items():
        if getattr(arguments, name, None) is None:
            setattr(arguments, name, value)
    if arguments.clock == "cpu" and arguments.threads > 1:
        parser.error("--clock cpu is for one thread")
    unknown = set(arguments.tasks.split(",")) - set(TASKS)
    if unknown:
        parser.error(f"unknown tasks {sorted(unknown)}; choose from {list(TASKS)}")
    return arguments


class Progress:
    """Says on the error output what runs, and since when."""

    def __init__(self):
        self.start = time.monotonic()

    def __call__(self, text):
        minutes, seconds = divmod(int(time.monotonic() - self.start), 60)
        print(f"[{minutes:3d}:{seconds:02d}] {text}", file=sys.stderr, flush=True)


def find_interpreters(arguments, progress):
    """The interpreter of each toolkit, and the reasons of those that are not available."""
    given = dict(choice.split("=", 1) for choice in arguments.python)
    found, missing = {}, {}
    for toolkit in ("ours", *(peer for peer in PEERS if peer in arguments.peers.split(","))):
        progress(f"environment of {toolkit}")
        module = "torch" if toolkit == "torch" else "dynet"
        usual = (lambda _: sys.executable) if toolkit == "ours" else interpreter
        try:
            python = given.get(toolkit) or usual(toolkit)
            checked([python, "-c", f"import numpy, {module}"], cwd=FOLDER)
            found[toolkit] = python
        except UnavailableError as error:
            missing[toolkit] = str(error)
            progress(f"{toolkit} is not available: {error}")
    return found, missing


def choose_cores(threads):
    """The last cores that this process may use, one per thread."""
    if not hasattr(os, "sched_getaffinity"):
        return ()
    return tuple(sorted(os.sched_getaffinity(0))[-threads:])


def measure_machine(site, pythons):
    """Operations and bytes per second that NumPy reaches on the same cores."""
    python = next(iter(pythons.values()))
    script = str(FOLDER / "machine.py")
    output = subprocess.run(
        [python, script, "--cores", site.core_list()],
        env=contestants.environment(site.threads, keep_python_path=True),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return json.loads(output)


class Comparison:
    """Measures rows, one after the other."""

    def __init__(self, arguments, pythons, missing, site, machine, progress):
        self.arguments = arguments
        self.pythons = pythons
        self.missing = missing
        self.site = site
        self.machine = machine
        self.progress = progress

    def row(self, task, minibatch):
        """Runs all contestants on one task with one size of minibatch."""
        work = task.work(minibatch)
        row = Row(
            task.name,
            minibatch,
            task.targets.get(minibatch),
            self.machine["operations"] / work.operations,
            self.machine["bytes"] / work.bytes,
            missing=dict(self.missing),
        )
        processes = self.start(task, minibatch, row)
        try:
            for number in range(self.arguments.rounds):
                turn = number % max(1, len(processes))
                self.round(processes[turn:] + processes[:turn], row)
        finally:
            for process in processes:
                process.close()
        complete = [process for process in processes if self.is_complete(process)]
        row.entries = [entry(process, self.site) for process in complete]
        return row

    def round(self, processes, row):
        """Lets each contestant that still runs take its window."""
        for process in processes:
            name = process.contestant.name
            if name in row.missing:
                continue
            try:
                rate = process.window(self.arguments.window)
                self.progress(f"  {name}: {rate:.1f} sentences/s")
            except UnavailableError as error:
                self.lose(process.contestant, row, error)

    def is_complete(self, process):
        """Says whether a contestant ran in every round."""
        return len(process.rates) == self.arguments.rounds

    def start(self, task, minibatch, row):
        """Starts and warms up all contestants of a row."""
        processes = []

        def begin(contestant):
            self.progress(f"  warming up {contestant.name}")
            try:
                return [Process(contestant, task, minibatch, self.site)]
            except UnavailableError as error:
                self.lose(contestant, row, error)
                return []

        if "ours" in self.pythons:
            processes += begin(Contestant("ours", "ours", self.pythons["ours"]))
        if "dynet" in self.pythons:
            plain, batched = contestants.dynet_settings(self.pythons["dynet"])
            processes += begin(plain)
            processes += self.fastest(batched, begin, row)
        if "torch" in self.pythons:
            for contestant in contestants.torch_settings(self.pythons["torch"]):
                processes += begin(contestant)
        return processes

    def fastest(self, settings, begin, row):
        """Tries the settings in short windows, and keeps the fastest one alive."""
        kept = []
        for contestant in settings:
            for process in begin(contestant):
                try:
                    for _ in range(CALIBRATION_WINDOWS):
                        process.window(self.arguments.window / 2)
                    kept.append(process)
                except UnavailableError as error:
                    self.lose(contestant, row, error)
                    process.close()
        kept.sort(key=lambda process: max(process.rates), reverse=True)
        for process in kept[1:]:
            process.close()
        for process in kept[:1]:
            process.forget()
        return kept[:1]

    def lose(self, contestant, row, error):
        """Notes a contestant that ended or does not answer."""
        self.progress(f"  {contestant.name} failed: {error}")
        row.missing[contestant.name] = f"{error} ({row.task}, minibatch {row.minibatch})"


def entry(process, site):
    """The result of one contestant."""
    ready = process.ready
    contestant = process.contestant
    return Entry(
        contestant.name,
        contestant.toolkit,
        process.rates,
        ready["version"],
        ready["loss_per_word"],
        site.clock == "wall" and process.core_share(site.threads) < UNDISTURBED_SHARE,
    )


def choose_rows(arguments):
    """The tasks and sizes of minibatches to run."""
    wanted = [int(size) for size in (arguments.minibatches or "").split(",") if size]
    return [
        (task, minibatch)
        for task in (TASKS[name] for name in arguments.tasks.split(","))
        for minibatch in (wanted or task.minibatches)
    ]


def run_check(rows, pythons, site, progress):
    """Compares losses; the exit status says whether they agree."""
    if not {"ours", "dynet"} <= set(pythons):
        progress("the check needs both our package and dyNET38")
        return 2
    text, agree = check(rows, pythons, site, progress)
    print(text)
    print("\nThe losses agree." if agree else "\nTHE LOSSES DIFFER.")
    return 0 if agree else 1


def run_comparison(arguments, rows, pythons, missing, site, progress):
    """Measures all rows, printing the table and writing the file of results."""
    if not pythons:
        progress("nothing to run")
        return 2
    machine = measure_machine(site, pythons)
    comparison = Comparison(arguments, pythons, missing, site, machine, progress)
    results = []
    for number, (task, minibatch) in enumerate(rows, 1):
        progress(f"row {number} of {len(rows)}: {task.name}, minibatch {minibatch}")
        results.append(comparison.row(task, minibatch))
    print("Sentences per second, median over rounds; ratios of medians (lowest–highest round).\n")
    print(table(results))
    print(
        f"* machine: {machine['operations'] / 1e9:.1f} GFLOP/s (NumPy, 512 x 512 product), "
        f"{machine['bytes'] / 1e9:.1f} GB/s (NumPy, copy), {site.threads} thread(s), "
        f"{site.clock} clock"
    )
    if arguments.json:
        fields = {"machine": machine, "rows": [row.as_fields() for row in results]}
        pathlib.Path(arguments.json).write_text(json.dumps(fields, indent=1) + "\n")
    return 0


def main():
    """Finds the interpreters, then checks or measures."""
    arguments = parse_arguments()
    progress = Progress()
    rows = choose_rows(arguments)
    pythons, missing = find_interpreters(arguments, progress)
    cores = choose_cores(arguments.threads)
    site = Site(cores, arguments.threads, arguments.warmup_limit, arguments.clock)
    if arguments.check:
        return run_check(rows, pythons, site, progress)
    return run_comparison(arguments, rows, pythons, missing, site, progress)


if __name__ == "__main__":
    sys.exit(main())
