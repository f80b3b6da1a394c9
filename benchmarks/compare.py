"""Measures the whole table of targets: the tasks of the DyNet paper against other libraries, and the parts.

Every opponent lives in an environment of its own, which is set up on first use.  All contestants of a row are
warmed up once and stay alive; then they take turns, one short window each per round, on the same cores.  The
tables give medians, and ratios of medians with the spread over the rounds.
"""

import argparse
import datetime
import json
import os
import pathlib
import sys
import tempfile
import time

import findings
import footprint
import japanese
import machine
import micro
import page
import processes
import structures
import training
import values
from contestants import Site
from environments import UnavailableError, checked, interpreter, venvs
from losses import check
from report import markdown, table
from tasks import TASKS

PEERS = ("dynet", "torch")
PARTS = (
    *("memory", "import", "graph", "schedule", "lstm", "gemm"),
    *("values", "structures", "processes", "nagisa"),
)
FOLDER = pathlib.Path(__file__).resolve().parent
FULL = {"rounds": 3, "window": 0.8, "warmup_limit": 5.0, "autobatch": "123"}
QUICK = {"rounds": 1, "window": 0.3, "warmup_limit": 1.0, "autobatch": "1"}
QUICK_MINIBATCHES = [1, 16]


def numbers(text):
    """Reads a list such as 1,16."""
    return [int(number) for number in text.split(",")]


def parse_arguments():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    names = (*TASKS, *PARTS)
    add("--only", default=",".join(names), metavar="NAMES", help="of " + ", ".join(names))
    add("--minibatches", type=numbers, help="sizes, as 1,16; left out, the sizes of each task")
    add("--peers", default=",".join(PEERS), help="of " + ", ".join(PEERS))
    add("--quick", action="store_true", help="one round of short windows, fewer sizes")
    add("--rounds", type=int)
    add("--window", type=float, help="seconds per window")
    add("--autobatch", help="strategies of dyNET38 to try, as 123")
    add("--threads", type=int, default=1, help="of every contestant; with 1, ours runs with 2 as well")
    add(
        "--clock",
        choices=("wall", "cpu"),
        default="wall",
        help="cpu counts only the time that a contestant ran, for a busy machine",
    )
    add("--json", help="file for all results; what is in it and not measured now stays")
    add("--picture", help="file for a picture of the ratios beside their targets, as PNG")
    add("--page", help="file for the results as a page, with what benchmarks/notes.md says of them")
    add("--show", action="store_true", help="measure nothing: print and draw what --json has")
    add("--check", action="store_true", help="compare losses from one model file, time nothing")
    add(
        "--python",
        action="append",
        default=[],
        metavar="TOOLKIT=PATH",
        help="interpreter to use for ours, dynet, torch, openmpi or mpich instead of the usual one",
    )
    arguments = parser.parse_args()
    arguments.only = arguments.only.split(",")
    unknown = set(arguments.only) - set(names)
    if unknown:
        parser.error(f"unknown parts {sorted(unknown)}; choose from {', '.join(names)}")
    if arguments.clock == "cpu" and arguments.threads > 1:
        parser.error("--clock cpu is for one thread")
    if arguments.show and not arguments.json:
        parser.error("--show needs --json FILE")
    for name, value in (QUICK if arguments.quick else FULL).items():
        if getattr(arguments, name, None) is None:
            setattr(arguments, name, value)
    if arguments.quick and not arguments.minibatches:
        arguments.minibatches = QUICK_MINIBATCHES
    return arguments


class Progress:
    """Says on the error output what runs, and since when."""

    def __init__(self):
        self.start = time.monotonic()

    def seconds(self):
        """Since the start."""
        return time.monotonic() - self.start

    def __call__(self, text):
        minutes, seconds = divmod(int(self.seconds()), 60)
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
    found.update((mpi, given[mpi]) for mpi in venvs.MPIS if mpi in given)
    return found, missing


def choose_cores():
    """The cores that this process may use."""
    if not hasattr(os, "sched_getaffinity"):
        return ()
    return tuple(sorted(os.sched_getaffinity(0)))


class Suite:
    """Runs the parts that are asked for, and keeps all results."""

    def __init__(self, arguments, pythons, missing, site, progress):
        self.arguments = arguments
        self.pythons = pythons
        self.site = site
        self.progress = progress
        self.folder = tempfile.TemporaryDirectory()
        self.results = {"findings": [], "rows": []}
        progress("the peak of the machine")
        rates = machine.rates(site.cores, site.threads)
        self.training = training.Training(
            arguments, pythons, missing, site, rates, self.folder.name, progress
        )
        self.rates = rates

    def about(self):
        """When and where this runs, and how."""
        options = ("rounds", "window", "warmup_limit", "threads", "clock", "quick")
        return {
            "when": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"),
            "processor": machine.name(),
            "cores": len(self.site.cores),
            "machine": self.rates,
            "options": {name: getattr(self.arguments, name) for name in options},
        }

    def run_tasks(self):
        """The training tasks."""
        names = [name for name in TASKS if name in self.arguments.only]
        rows = training.rows(names, self.arguments.minibatches)
        for number, (task, minibatch) in enumerate(rows, 1):
            self.progress(f"row {number} of {len(rows)}: {task.name}, minibatch {minibatch}")
            row = self.training.row(task, minibatch)
            self.results["rows"].append(row)
            self.results["findings"] += self.training.findings(row)

    def run_parts(self):
        """Everything else."""
        arguments = self.arguments
        bench = micro.Bench(
            self.pythons.get("ours"), self.site, arguments.quick, self.rates, self.folder.name
        )
        small = {
            "graph": micro.graph_building,
            "schedule": micro.scheduling,
            "lstm": micro.lstm,
            "gemm": micro.gemm,
            "values": values.measure,
            "structures": structures.measure,
        }
        light = {"memory": footprint.memory, "import": footprint.imports}
        for name in PARTS:
            if name not in arguments.only:
                continue
            self.progress(name)
            if name in small:
                made = small[name](bench)
            elif name in light:
                made = light[name](self.pythons, self.site, self.progress)
            elif name == "processes":
                made = processes.measure(self.pythons, self.site, arguments, self.progress)
            else:
                made = japanese.measure(self.pythons, self.site, arguments, self.folder.name, self.progress)
            self.results["findings"] += made


def load(path):
    """The results of earlier runs, from a file."""
    if path and pathlib.Path(path).exists():
        return json.loads(pathlib.Path(path).read_text())
    return {"findings": [], "rows": [], "about": {}}


def save(path, suite):
    """Adds the results of a run to those of a file, and returns all of them."""
    old = load(path)
    made = findings.merged(findings.from_fields(old["findings"]), suite.results["findings"])
    rows = {(row["task"], row["minibatch"]): row for row in old["rows"]}
    rows.update({(row.task, row.minibatch): row.as_fields() for row in suite.results["rows"]})
    fields = {"about": suite.about(), "findings": findings.as_fields(made), "rows": list(rows.values())}
    if path:
        pathlib.Path(path).write_text(json.dumps(fields, indent=1) + "\n")
    return fields


def show(fields, arguments):
    """Prints the tables; draws the picture and writes the page that are asked for."""
    made = findings.from_fields(fields["findings"])
    rows = page.rows_of(fields)
    if rows:
        print("Sentences per second, median over rounds.\n")
        print(table(rows) + "\n")
    print(markdown(findings.HEADINGS, findings.lines(made)))
    print("\n" + findings.summary(made) + "; " + page.where(fields["about"]))
    if arguments.picture:
        import picture

        picture.draw(made, arguments.picture)
    if arguments.page:
        page.write(fields, arguments.page)


def run_check(rows, pythons, site, progress):
    """Compares losses; the exit status says whether they agree."""
    if not {"ours", "dynet"} <= set(pythons):
        progress("the check needs both our package and dyNET38")
        return 2
    text, agree = check(rows, pythons, site, progress)
    print(text)
    print("\nThe losses agree." if agree else "\nTHE LOSSES DIFFER.")
    return 0 if agree else 1


def main():
    """Finds the interpreters, then checks, shows or measures."""
    arguments = parse_arguments()
    if arguments.show:
        show(load(arguments.json), arguments)
        return 0
    progress = Progress()
    pythons, missing = find_interpreters(arguments, progress)
    site = Site(choose_cores(), arguments.threads, arguments.warmup_limit, arguments.clock)
    if arguments.check:
        names = [name for name in TASKS if name in arguments.only]
        return run_check(training.rows(names, arguments.minibatches), pythons, site, progress)
    if not pythons:
        progress("nothing to run")
        return 2
    suite = Suite(arguments, pythons, missing, site, progress)
    suite.run_tasks()
    suite.run_parts()
    show(save(arguments.json, suite), arguments)
    progress("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
