"""The contestants of a row: worker processes that stay alive and run a window when told to."""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import threading
from dataclasses import dataclass

from environments import UnavailableError, last_line

FOLDER = pathlib.Path(__file__).resolve().parent
GRACE_SECONDS = 120
THREAD_VARIABLES = (
    "DYNET_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
)


@dataclass(frozen=True)
class Site:
    """Where and how long workers run."""

    cores: tuple
    threads: int
    warmup_limit: float
    clock: str

    def core_list(self):
        """The cores as the workers take them."""
        return ",".join(str(core) for core in self.cores)


def environment(threads, keep_python_path):
    """The environment variables of a worker; an opponent must not see our package."""
    variables = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))}
    path = variables.pop("PYTHONPATH", None)
    if path and keep_python_path:
        folders = [os.path.abspath(folder) for folder in path.split(os.pathsep)]
        variables["PYTHONPATH"] = os.pathsep.join(folders)
    return variables


@dataclass(frozen=True)
class Contestant:
    """One toolkit with one setting."""

    name: str
    toolkit: str
    python: str
    options: tuple = ()

    def command(self, task, minibatch, site, extra):
        """The command line of the worker."""
        return [
            self.python,
            str(FOLDER / "worker.py"),
            task.name,
            "torch" if self.toolkit == "torch" else "dynet",
            *("--minibatch", str(minibatch)),
            *("--threads", str(site.threads)),
            *("--cores", site.core_list()),
            *("--warmup-limit", str(site.warmup_limit)),
            *("--clock", site.clock),
            *self.options,
            *extra,
        ]


class Process:
    """A running worker."""

    def __init__(self, contestant, task, minibatch, site, extra=("--serve",)):
        self.contestant = contestant
        self.rates = []
        self.cores_used = []
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  It lives as long as the worker.
        self.process = subprocess.Popen(
            contestant.command(task, minibatch, site, extra),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=environment(site.threads, contestant.toolkit == "ours"),
        )
        try:
            self.ready = self.read("ready", GRACE_SECONDS + site.warmup_limit)
        except UnavailableError:
            self.close()
            raise

    def read(self, event, timeout):
        """Waits for a report; a worker that ends or takes too long becomes UnavailableError."""
        timer = threading.Timer(timeout, self.process.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                if line.startswith("{"):
                    fields = json.loads(line)
                    if fields["event"] == event:
                        return fields
        finally:
            expired = not timer.is_alive()
            timer.cancel()
        if expired:
            raise UnavailableError(f"gave no answer in {timeout:.0f} s")
        raise UnavailableError(self.last_words())

    def last_words(self):
        """Why the worker ended."""
        code = self.process.wait()
        if code < 0:
            return f"ended by signal {-code}"
        self.errors.seek(0)
        return last_line(self.errors.read())

    def window(self, seconds):
        """Runs one window and keeps its rate, in sentences per second."""
        try:
            self.process.stdin.write(f"window {seconds}\n")
            self.process.stdin.flush()
        except OSError as error:
            raise UnavailableError("ended between two windows") from error
        fields = self.read("window", GRACE_SECONDS + seconds)
        self.rates.append(fields["sentences_per_second"])
        self.cores_used.append(fields["cores_used"])
        return self.rates[-1]

    def forget(self):
        """Drops the windows so far."""
        self.rates.clear()
        self.cores_used.clear()

    def core_share(self, threads):
        """The share of its cores that the worker had; with more threads it may leave some idle."""
        return statistics.median(self.cores_used) if threads == 1 else 1.0

    def close(self):
        """Ends the worker."""
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()


def dynet_settings(python):
    """dyNET38 plain, and with each of its batching strategies."""
    plain = Contestant("dyNET38 plain", "dynet", python)
    batched = [
        Contestant(f"dyNET38 autobatch {level}", "dynet", python, ("--autobatch", level))
        for level in ("1", "2", "3")
    ]
    return plain, batched


def torch_settings(python):
    """PyTorch one example at a time, and batched by hand."""
    return [
        Contestant(f"PyTorch {batching}", "torch", python, ("--batching", batching))
        for batching in ("example", "batched")
    ]
