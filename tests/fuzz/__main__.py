"""Fuzzes for as long as it is told: rounds of the tests of this folder, each with a seed of its own."""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent
FAILURE = Path("build/fuzz/failure.json")
REGRESSIONS = FOLDER / "regressions.jsonl"


def tests(seed: int, times: float, names: list[str]) -> bool:
    """A round; whether nothing fell."""
    FAILURE.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "DYNET_FUZZ_SEED": str(seed),
        "DYNET_FUZZ_TIMES": str(times),
        "DYNET_FUZZ_FAILURE": str(FAILURE.resolve()),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", *names]
    passed = subprocess.run(command, env=environment).returncode == 0
    if FAILURE.exists():
        with REGRESSIONS.open("a") as file:
            file.write(FAILURE.read_text())
        print(f"The smallest program that fails is now the last line of {REGRESSIONS}.")
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, help="one round with this seed")
    parser.add_argument("--times", type=float, default=5, help="the size of a round, in those of CI")
    options = parser.parse_args()
    FAILURE.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * options.minutes
    passed, first = True, True
    while first or (options.seed is None and time.monotonic() < end):
        seed = secrets.randbelow(10**9) if options.seed is None else options.seed
        print(f"== seed {seed}: again with make fuzz SEED={seed}", flush=True)
        # What is the same in every round is tried in the first.
        names = [FOLDER] if first else [FOLDER / "test_programs.py", FOLDER / "test_misuse.py"]
        passed &= tests(seed, options.times, list(map(str, names)))
        first = False
    return not passed


if __name__ == "__main__":
    sys.exit(main())
