"""The rows of the training tasks: all contestants on one task with one size of minibatch, in turns."""

import pathlib

import contestants
import targets
from contestants import Contestant, Program
from environments import UnavailableError
from programs import program
from report import Entry, Row
from tasks import TASKS

CALIBRATION_WINDOWS = 2
UNDISTURBED_SHARE = 0.9


class Training:
    """Measures rows, one after the other."""

    def __init__(self, options, pythons, missing, site, machine, folder, progress):
        self.options = options  # rounds and window
        self.pythons = pythons
        self.missing = missing
        self.site = site
        self.machine = machine
        self.folder = pathlib.Path(folder)
        self.progress = progress

    def row(self, task, minibatch):
        """Runs all contestants on one task with one size of minibatch."""
        work = task.work(minibatch)
        row = Row(
            task.name,
            minibatch,
            self.machine["operations"] / work.operations,
            self.machine["bytes"] / work.bytes,
            missing=dict(self.missing),
        )
        processes = []
        try:
            self.start(task, minibatch, row, processes)
            for number in range(self.options.rounds):
                turn = number % max(1, len(processes))
                self.round(processes[turn:] + processes[:turn], row)
        finally:
            for _, process in processes:
                process.close()
        complete = [pair for pair in processes if len(pair[1].rates) == self.options.rounds]
        row.entries = [entry(toolkit, process, self.site) for toolkit, process in complete]
        return row

    def round(self, processes, row):
        """Lets each contestant that still runs take its window."""
        for toolkit, process in processes:
            if toolkit in row.missing:
                continue
            try:
                rate = process.window(self.options.window)
                self.progress(f"  {process.name}: {rate:.1f} sentences/s")
            except UnavailableError as error:
                self.lose(toolkit, process.name, row, error)

    def start(self, task, minibatch, row, processes):
        """Starts and warms up all contestants of a row, adding them to the list with their toolkits."""

        def begin(toolkit, contestant, who=None):
            self.progress(f"  warming up {contestant.name}")
            try:
                return [(toolkit, contestant.start(task, minibatch, self.site))]
            except UnavailableError as error:
                self.lose(who or toolkit, contestant.name, row, error)
                return []

        for toolkit, contestant in self.ours(task, row):
            processes += begin(toolkit, contestant)
        threads = self.site.threads
        if "dynet" in self.pythons:
            plain, batched = contestants.dynet_settings(
                self.pythons["dynet"], threads, self.options.autobatch
            )
            processes += begin("dynet", plain)
            processes += self.fastest(batched, begin, row)
        if "torch" in self.pythons:
            for contestant in contestants.torch_settings(self.pythons["torch"], threads):
                processes += begin(contestant.name.replace("PyTorch", "torch"), contestant)

    def ours(self, task, row):
        """Our own settings: one thread, two, another program for the task, C++, and C++ without kernels."""
        python, threads = self.pythons.get("ours"), self.site.threads
        if python is None:
            return []
        made = [("ours", Contestant("ours", "ours", python, threads=threads))]
        if threads == 1 and len(self.site.cores) > 1:
            made.append(("two threads", Contestant("ours, two threads", "ours", python, threads=2)))
        if task.name == "rnnlm":
            by_hand = Contestant("ours, by hand", "ours", python, threads=threads, task="rnnlm_bulk")
            made.append(("by hand", by_hand))
        for toolkit, name, source in (("cpp", "ours, C++", "worker"), ("host", "ours, host alone", "host")):
            try:
                made.append((toolkit, Program(name, "ours", program(source), self.folder, threads)))
            except UnavailableError as error:
                self.lose(toolkit, name, row, error)
        return made

    def fastest(self, settings, begin, row):
        """Tries the settings in short windows, and keeps the fastest one alive; others may fail."""
        kept = []
        for contestant in settings:
            for toolkit, process in begin("dynet", contestant, contestant.name):
                try:
                    for _ in range(CALIBRATION_WINDOWS):
                        process.window(self.options.window / 2)
                    kept.append((toolkit, process))
                except UnavailableError as error:
                    self.lose(contestant.name, contestant.name, row, error)
                    process.close()
        kept.sort(key=lambda pair: max(pair[1].rates), reverse=True)
        for _, process in kept[1:]:
            process.close()
        for _, process in kept[:1]:
            process.forget()
        return kept[:1]

    def lose(self, toolkit, name, row, error):
        """Notes a contestant that ended or does not answer."""
        self.progress(f"  {name} failed: {error}")
        row.missing[toolkit] = f"{error} ({row.task}, minibatch {row.minibatch})"

    def findings(self, row):
        """The findings of a row."""
        return targets.Judge(row, self.machine["operations"]).findings()


def entry(toolkit, process, site):
    """The result of one contestant."""
    ready = process.ready
    return Entry(
        process.name,
        toolkit,
        process.rates,
        ready["version"],
        ready["loss_per_word"],
        site.clock == "wall" and process.core_share() < UNDISTURBED_SHARE,
    )


def rows(names, minibatches):
    """The tasks and sizes of minibatches to run."""
    return [
        (TASKS[name], minibatch)
        for name in names
        for minibatch in TASKS[name].minibatches
        if not minibatches or minibatch in minibatches
    ]
