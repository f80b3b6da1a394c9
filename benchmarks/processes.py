"""Training in two processes as findings: beside one, beside PyTorch in two, and what the trainer costs one.

All contestants of a row take turns by the clock of the wall, one thread and one core for each process.
"""

import pathlib
import statistics
import subprocess

import contestants
from contestants import Contestant, Process, environment
from environments import UnavailableError, venvs
from findings import Finding
from tasks import TASKS

FOLDER = pathlib.Path(__file__).resolve().parent
ROWS = [(name, minibatch) for minibatch in (16, 64) for name in ("tagger_char", "rnnlm_bulk")]
SHARDS = 2, 8
TWO_OVER_ONE = {16: 1.55, 64: 1.75}
OVERHEAD = {64: 3.0}  # per cent
OVER_TORCH = 3
OF_DYNET = 1.9  # of the ratio of one process


class Job(Process):
    """Several processes, which are told to end: a launcher that is killed leaves them."""

    def close(self):
        """Ends them in order."""
        try:
            self.process.stdin.write("quit\n")
            self.process.stdin.flush()
            self.process.wait(20)
        except (OSError, subprocess.TimeoutExpired):
            pass
        super().close()


class Processes:
    """The contestants of the part, and their windows."""

    def __init__(self, pythons, site, rounds, window, progress):
        self.pythons, self.site = pythons, site
        self.rounds, self.window, self.progress = rounds, window, progress
        self.folders = self.where_ours_is() if "ours" in pythons else ""
        self.mpis = {}
        self.missing = {}
        for name in venvs.MPIS if "ours" in pythons else ():
            try:
                python = pythons.get(name) or venvs.mpi(name)
                self.mpis[name] = python
            except UnavailableError as error:
                self.missing[name] = str(error)

    def where_ours_is(self):
        """The folders of our package and of NumPy, which environments of MPI do not have."""
        told = (
            "import dynet, numpy; print(*(m.__path__[0].rpartition('/')[0] for m in (dynet, numpy)), sep=':')"
        )
        variables = environment(1, keep_python_path=True)
        return subprocess.check_output([self.pythons["ours"], "-c", told], text=True, env=variables).strip()

    def ours(self, task, minibatch, mpi, count, shards):
        """Our program in some processes."""
        worker = [str(FOLDER / "processes_worker.py"), task.name, "ours"]
        options = ["--minibatch", str(minibatch), "--shards", str(shards)]
        start = [self.mpis[mpi], "-m", "dynet.distributed", "-n", str(count)]
        variables = {**environment(1), "PYTHONPATH": self.folders}
        return Job(f"{count} × {shards} {mpi}", [*start, *worker, *options], self.site, count, variables)

    def torch(self, task, minibatch, count):
        """PyTorch's program in some processes."""
        command = [self.pythons["torch"], str(FOLDER / "processes_worker.py"), task.name, "torch"]
        options = ["--minibatch", str(minibatch), "--processes", str(count)]
        return Job(f"PyTorch {count}", [*command, *options], self.site, count, environment(1))

    def starts(self, task, minibatch):
        """What to start, by name."""
        made = {}
        if self.mpis:
            alone = Contestant("plain", "ours", self.pythons["ours"])
            made["plain"] = lambda: alone.start(task, minibatch, self.site)
        for number, mpi in enumerate(self.mpis):
            for count, shards in [(count, shards) for count in (1, 2) for shards in SHARDS]:
                if count > 1 or number == 0:
                    name = f"{count}/{shards}" + (f"/{mpi}" if count > 1 else "")
                    made[name] = lambda m=mpi, c=count, s=shards: self.ours(task, minibatch, m, c, s)
        if "torch" in self.pythons:
            for count in (1, 2):
                made[f"torch/{count}"] = lambda c=count: self.torch(task, minibatch, c)
        if "dynet" in self.pythons:
            without, batched = contestants.dynet_settings(self.pythons["dynet"], 1, "123")
            for each in (without, *batched):
                made[f"dynet/{each.name}"] = lambda e=each: e.start(task, minibatch, self.site)
        return made

    def row(self, name, minibatch):
        """The rates of all rounds of each contestant; of dyNET38's settings the fastest stays."""
        task, running = TASKS[name], {}
        self.progress(f"{name}, {minibatch} sentences")
        try:
            for who, start in self.starts(task, minibatch).items():
                try:
                    running[who] = start()
                except UnavailableError as error:
                    self.missing[who] = str(error)
                    self.progress(f"  {who} failed: {error}")
            self.keep_fastest(running)
            for number in range(self.rounds):
                names = list(running)
                turn = number % max(1, len(names))
                for who in names[turn:] + names[:turn]:
                    running[who].window(self.window)
            for who, process in running.items():
                self.progress(f"  {who}: {' '.join(f'{rate:.0f}' for rate in process.rates)}")
            return {who: list(process.rates) for who, process in running.items()}
        finally:
            for process in running.values():
                process.close()

    def keep_fastest(self, running):
        """Of dyNET38's settings."""
        settings = [who for who in running if who.startswith("dynet/")]
        for who in settings:
            running[who].window(self.window / 2)
        settings.sort(key=lambda who: -max(running[who].rates))
        for who in settings[1:]:
            running.pop(who).close()
        for who in settings[:1]:
            running["dynet"] = running.pop(who)
            running["dynet"].forget()


def finding(name, minibatch, key, what, against, bound, **fields):
    """A line that is not measured yet."""
    text = f"{name} of {minibatch}: {what}"
    return Finding(
        "processes", f"processes/{name}/{minibatch}/{key}", text, against, None, bound=bound, **fields
    )


def findings_of(name, minibatch, rates, missing):
    """The lines of a row; those that lack a contestant say why."""
    made = []

    def add(key, what, against, bound, over, under, **fields):
        line = finding(name, minibatch, key, what, against, bound, **fields)
        made.append(line)
        lacking = [who for who in (over, under) if who not in rates]
        if lacking:
            line.detail = "; ".join(f"{who}: {missing.get(who, 'not run')}" for who in lacking)
            return
        each = [a / b for a, b in zip(rates[over], rates[under], strict=True)]
        if line.unit == "%":
            each = [100 * (ratio - 1) for ratio in each]
        line.value, line.low, line.high = statistics.median(each), min(each), max(each)
        line.detail = (
            " : ".join(f"{statistics.median(rates[who]):.0f}" for who in (over, under)) + " sentences/s"
        )

    for shards in SHARDS:
        one = f"1/{shards}"
        bound = OVERHEAD.get(minibatch)
        what, against = f"one process, {shards} shards", "plain trainer, beside it"
        add(f"cost/{shards}", what, against, bound, "plain", one, unit="%", at_most=True)
        for mpi in venvs.MPIS:
            two = f"2/{shards}/{mpi}"
            what = f"two processes, {shards} shards, {mpi}"
            bound = TWO_OVER_ONE[minibatch]
            add(f"speed/{shards}/{mpi}", what, "one process, plain trainer", bound, two, "plain")
    several = [who for who in rates if who.startswith("2/")]
    best = max(several, key=lambda who: statistics.median(rates[who]), default="2/2/mpich")
    add("torch", f"two processes ({best})", "PyTorch DDP, gloo, two", OVER_TORCH, best, "torch/2")
    add("torch_alone", "PyTorch DDP, gloo, two", "PyTorch, one", None, "torch/2", "torch/1")
    add("dynet", f"two processes ({best})", "dyNET38's best, one", None, best, "dynet")
    add("dynet_alone", "one process", "dyNET38's best, one", None, "plain", "dynet")
    return made


def measure(pythons, site, arguments, progress):
    """All findings of the part."""
    if len(site.cores) < 2:
        progress("two processes need two cores")
        return []
    part = Processes(pythons, site, arguments.rounds, arguments.window, progress)
    made = []
    for name, minibatch in ROWS:
        rates = part.row(name, minibatch)
        made += findings_of(name, minibatch, rates, part.missing)
    return made
