"""Measures what this machine can do: its rate of multiply-adds and its memory bandwidth.

NumPy stands in for the machine: the best single-precision product of 512 x 512 matrices, and the
best copy between arrays larger than the cache.
"""

import argparse
import json
import time

import numpy as np
from worker import stay_on_cores

MATRIX = 512
COPIED_NUMBERS = 1 << 24
MEASURING_SECONDS = 1.0


def best_seconds(action):
    """The shortest of all runs that fit into the measuring time."""
    best = float("inf")
    end = time.perf_counter() + MEASURING_SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return best


def peak_operations():
    """Floating-point operations per second of the best matrix product."""
    left = np.random.RandomState(1).rand(MATRIX, MATRIX).astype(np.float32)
    right = left.copy()
    product = np.empty_like(left)
    seconds = best_seconds(lambda: np.dot(left, right, out=product))
    return 2 * MATRIX**3 / seconds


def bandwidth():
    """Bytes read and written per second by the best copy."""
    source = np.ones(COPIED_NUMBERS, np.float32)
    target = np.zeros(COPIED_NUMBERS, np.float32)
    seconds = best_seconds(lambda: np.copyto(target, source))
    return 2 * source.nbytes / seconds


def main():
    """Prints both as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", help="cores to stay on, as 0,1")
    stay_on_cores(parser.parse_args().cores)
    print(json.dumps({"operations": peak_operations(), "bytes": bandwidth()}))


if __name__ == "__main__":
    main()
