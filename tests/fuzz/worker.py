"""A process that tries what may end it: its crash or hang is an answer, and not the end of the tests."""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
FOLDERS = [TESTS, TESTS / "ops"]

MEMORY = Path("/dev/shm")


class FellError(AssertionError):
    """What the request was that ended the process, how, and what was printed before."""


class Worker:
    """Calls `answer` of a module of this folder in a child, which is started anew when it has ended."""

    def __init__(self, module: str, seconds: float = 60) -> None:
        self.module, self.seconds = module, seconds
        self.child: subprocess.Popen[bytes] | None = None
        # The child writes files here, if anywhere; in memory, as many of them are forced to the disk.
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.printed = open(Path(self.folder.name) / "printed.txt", "w+b")  # noqa: SIM115

    def __call__(self, request: Any) -> Any:
        if self.child is None:
            self.start()
        child = self.child
        assert child is not None and child.stdin is not None and child.stdout is not None
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
            ready, _, _ = select.select([child.stdout], [], [], self.seconds)
            line = child.stdout.readline() if ready else None
        except BrokenPipeError:
            line = b""
        if line:
            return json.loads(line)
        raise FellError(f"{self.end(hung=line is None)} in {json.dumps(request)}\n{self.last_words()}")

    def start(self) -> None:
        path = os.pathsep.join([*map(str, FOLDERS), os.environ.get("PYTHONPATH", "")])
        self.child = subprocess.Popen(
            [sys.executable, "-m", "fuzz.worker", self.module],
            env={**os.environ, "PYTHONPATH": path, "PYTHONFAULTHANDLER": "1"},
            cwd=self.folder.name,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.printed,
        )

    def end(self, hung: bool = False) -> str:
        """Ends the child; in words how it ended."""
        child, self.child = self.child, None
        assert child is not None and child.stdin is not None and child.stdout is not None
        if hung:
            child.kill()
        with child.stdin, child.stdout:
            pass
        status = child.wait(self.seconds)
        if hung:
            return f"no answer within {self.seconds} seconds"
        return signal.Signals(-status).name if status < 0 else f"exit with status {status}"

    def last_words(self) -> str:
        self.printed.seek(0)
        words = self.printed.read().decode(errors="replace")
        self.printed.seek(0)
        self.printed.truncate()
        return words[-6000:]

    def close(self) -> None:
        if self.child is not None:
            self.end()
        self.printed.close()
        self.folder.cleanup()


# CI takes the same seed each time; make fuzz takes others, and more of everything.
SEED = int(os.environ.get("DYNET_FUZZ_SEED", "1"))
PARTS = 2  # Tests that may run side by side.


def each(worker: Worker, items: list[Any], request: Callable[[list[Any]], Any] = list) -> list[Any]:
    """The answers for these items; those that end the process are looked for one by one."""
    try:
        return worker(request(items))
    except FellError as error:
        if len(items) == 1:
            return [str(error)]
        half = len(items) // 2
        found = each(worker, items[:half], request) + each(worker, items[half:], request)
        return found or [f"only together: {error}"]


def many(count: int) -> int:
    """So many in CI, and as many times more as make fuzz asks for."""
    return int(count * float(os.environ.get("DYNET_FUZZ_TIMES", "1")))


def main(module: str) -> None:
    """Answers requests, one a line; what the program prints goes elsewhere."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answer = importlib.import_module(module).answer
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
