"""The contestants of a row: worker processes that stay alive and run a window when told to."""

import contextlib
import json
import os
import pathlib
import re
import shutil
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

    def cores_for(self, threads):
        """The last cores, one for each thread."""
        return self.cores[-threads:]


def environment(threads, keep_python_path=False):
    """The environment variables of a worker; an opponent must not see our package."""
    variables = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)), "PYTHONHASHSEED": "0"}
    path = variables.pop("PYTHONPATH", None)
    if path and keep_python_path:
        folders = [os.path.abspath(folder) for folder in path.split(os.pathsep)]
        variables["PYTHONPATH"] = os.pathsep.join(folders)
    return variables


def pinned(command, cores):
    """The command on these cores only, where the system can do that."""
    if cores and shutil.which("taskset"):
        return ["taskset", "-c", ",".join(map(str, cores)), *command]
    return list(command)


class Process:
    """A running worker: it says when it is ready, and then answers each request for a window with a rate."""

    def __init__(self, name, command, site, threads=1, variables=None):
        self.name = name
        self.threads = threads
        self.rates = []
        self.cores_used = []
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  It lives as long as the worker.
        self.process = subprocess.Popen(
            pinned(command, site.cores_for(threads)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=variables or environment(threads),
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

    def core_share(self):
        """The share of its cores that the worker had; with more threads it may leave some idle."""
        return statistics.median(self.cores_used) if self.threads == 1 else 1.0

    def peak_memory(self):
        """The most bytes that were resident at a time."""
        try:
            status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError as error:
            raise UnavailableError("this system does not tell the memory of a process") from error
        return 1024 * int(re.search(r"VmHWM:\s*(\d+)", status).group(1))

    def close(self):
        """Ends the worker."""
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()


@dataclass(frozen=True)
class Contestant:
    """One toolkit with one setting, on the tasks."""

    name: str
    toolkit: str
    python: str
    options: tuple = ()
    threads: int = 1
    task: str | None = None  # where it runs another program than the others of its row

    def start(self, task, minibatch, site, extra=("--serve",)):
        """A worker that trains."""
        command = [
            self.python,
            str(FOLDER / "worker.py"),
            self.task or task.name,
            "torch" if self.toolkit == "torch" else "dynet",
            *("--minibatch", str(minibatch)),
            *("--threads", str(self.threads)),
            *("--warmup-limit", str(site.warmup_limit)),
            *("--clock", site.clock),
            *self.options,
            *extra,
        ]
        variables = environment(self.threads, keep_python_path=self.toolkit == "ours")
        return Process(self.name, command, site, self.threads, variables)


@dataclass(frozen=True)
class Program:
    """The same tasks in C++; corpora are written into a folder."""

    name: str
    toolkit: str
    program: str
    folder: pathlib.Path
    threads: int = 1

    def start(self, task, minibatch, site, extra=()):
        """A worker that trains."""
        import corpus

        path = self.folder / f"{task.name}-{minibatch}"
        if not path.exists():
            corpus.write(task, minibatch, path)
        numbers = (str(self.threads), site.clock, str(site.warmup_limit))
        command = [self.program, task.name, str(path), *numbers, *extra]
        return Process(self.name, command, site, self.threads)


def dynet_settings(python, threads, levels):
    """dyNET38 plain, and with some of its batching strategies."""
    plain = Contestant("dyNET38 plain", "dynet", python, threads=threads)
    batched = [
        Contestant(f"dyNET38 autobatch {level}", "dynet", python, ("--autobatch", level), threads)
        for level in levels
    ]
    return plain, batched


def torch_settings(python, threads):
    """PyTorch one example at a time, and batched by hand."""
    return [
        Contestant(f"PyTorch {batching}", "torch", python, ("--batching", batching), threads)
        for batching in ("example", "batched")
    ]
