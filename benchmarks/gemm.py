"""Measures products of a matrix with a few columns, through the public interface and in NumPy.

Every product is computed by a call of its own, so that no engine can merge the products of a graph
into a wider one; the cost of such a call, measured on a 1 x 1 product, stands below the table.  It
runs on any dynet package.

With --cpp it measures the kernel itself instead, over a grid of shapes whose columns lie scattered,
beside NumPy's OpenBLAS and MKL, for which the columns are gathered first.
"""

import json
import os
import pathlib
import subprocess
import time

import numpy as np
import timing
from environments import UnavailableError, interpreter

import dynet as dy

SHAPES = ((192, 178), (512, 128), (512, 256), (1024, 384), (10000, 256))
COLUMNS = (1, 2, 4, 6, 16, 64)
OPERATIONS_PER_SAMPLE = 1e9
NUMBERS_PER_SAMPLE = 1 << 24
NARROW = 2
GOOD_SHARE = 0.85
GRID_HEADINGS = (
    "columns",
    "dynet, GFLOP/s: median (range)",
    f"share of shapes at ≥ {GOOD_SHARE:.0%} of the peak",
    "share at ≥ 1.0 × the best library",
    "median of dynet ÷ best library",
)
HEADINGS = ("rows x depth", "columns", "dynet, GFLOP/s", "NumPy, GFLOP/s", "ratio of medians")


def repetitions(rows, depth, columns):
    """How many products make a sample long enough, and their results not too large."""
    by_time = OPERATIONS_PER_SAMPLE / (2 * rows * depth * columns)
    by_memory = NUMBERS_PER_SAMPLE / (rows * columns)
    return max(3, int(min(by_time, by_memory, 5000)))


def dynet_seconds(rows, depth, columns, count):
    """Returns a measurement: seconds per product W * x through the public interface."""
    collection = dy.ParameterCollection()
    weights = collection.add_parameters((rows, depth))
    values = np.random.RandomState(1).randn(depth * columns).tolist()

    def measure():
        dy.renew_cg()
        inputs = dy.reshape(dy.inputVector(values), (depth,), columns)
        (weights * inputs).forward()
        start = time.perf_counter()
        for _ in range(count):
            (weights * inputs).forward()
        return (time.perf_counter() - start) / count

    return measure


def numpy_seconds(rows, depth, columns, count):
    """Returns a measurement: seconds per product in NumPy, whose arrays are the transposes."""
    random = np.random.RandomState(1)
    weights = random.randn(depth, rows).astype(np.float32)
    inputs = random.randn(columns, depth).astype(np.float32)
    product = np.empty((columns, rows), np.float32)

    def measure():
        start = time.perf_counter()
        for _ in range(count):
            np.dot(inputs, weights, out=product)
        return (time.perf_counter() - start) / count

    return measure


def line(rows, depth, columns, samples):
    """The cells of one line."""
    count = repetitions(rows, depth, columns)
    operations = 2 * rows * depth * columns / 1e9
    ours, numpy = [
        [operations / seconds for seconds in timing.samples(samples, measure)]
        for measure in (
            dynet_seconds(rows, depth, columns, count),
            numpy_seconds(rows, depth, columns, count),
        )
    ]
    ratio = np.median(ours) / np.median(numpy)
    shape = f"{rows} x {depth}"
    return shape, str(columns), timing.spread(ours, 1), timing.spread(numpy, 1), f"{ratio:.2f}"


def libraries():
    """NAME=PATH of NumPy's OpenBLAS, and of MKL from an environment of its own."""
    found = []
    beside_numpy = pathlib.Path(np.__file__).parent.parent / "numpy.libs"
    for path in beside_numpy.glob("*openblas*"):
        found.append(f"OpenBLAS={path}")
    try:
        folder = pathlib.Path(interpreter("mkl")).parent.parent / "lib"
        found.append(f"MKL={next(folder.glob('libmkl_rt.so*'))}")
    except (UnavailableError, StopIteration) as error:
        print(f"MKL is not available: {error}")
    return found


def library_environment():
    """One thread, and each library's own choice of kernels."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MKL_THREADING_LAYER": "SEQUENTIAL"}
    environment.pop("OPENBLAS_CORETYPE", None)
    return environment


def grid_line(columns, cells, peak):
    """The cells of a line: what holds for all shapes times so many columns."""
    rates = [cell["dynet"] for cell in cells]
    ratios = [cell["dynet"] / cell["best"] for cell in cells if cell["best"]]
    return (
        columns,
        timing.spread(rates),
        f"{np.mean([rate >= GOOD_SHARE * peak for rate in rates]):.0%}",
        f"{np.mean([ratio >= 1 for ratio in ratios]):.0%}" if ratios else "–",
        timing.spread(ratios, 2) if ratios else "–",
    )


def show_grid(program):
    """Runs the C++ program and sums up its grid; the peak is the best rate of any cell."""
    run = subprocess.run(
        [program, *libraries()],
        check=True,
        capture_output=True,
        text=True,
        env=library_environment(),
    )
    cells = [json.loads(cell) for cell in run.stdout.splitlines()]
    shape = {"rows", "depth", "columns"}
    for cell in cells:
        others = [rate for name, rate in cell.items() if name not in shape | {"dynet"}]
        cell["best"] = max(others, default=0)
    peak = max(max(cell["dynet"], cell["best"]) for cell in cells)
    lines = []
    for columns in sorted({cell["columns"] for cell in cells}):
        chosen = [cell for cell in cells if cell["columns"] == columns]
        lines.append(grid_line(str(columns), chosen, peak))
    several = [cell for cell in cells if cell["columns"] >= NARROW]
    lines.append(grid_line(f"{NARROW} and more", several, peak))
    lines.append(grid_line("all", cells, peak))
    timing.show(GRID_HEADINGS, lines)
    print(f"\nPeak: {peak:.0f} GFLOP/s, the best of any product. Slowest from {NARROW} columns up:")
    for cell in sorted(several, key=lambda cell: cell["dynet"])[:8]:
        print(f"  {cell}")


def main():
    """Measures all shapes."""
    parser = timing.parser(__doc__)
    parser.add_argument("--columns", type=timing.sizes, default=list(COLUMNS))
    parser.add_argument("--cpp", metavar="PROGRAM", help="the program made of gemm.cc")
    arguments = timing.parse(parser)
    if arguments.cpp:
        show_grid(arguments.cpp)
        return
    timing.show(
        HEADINGS,
        [
            line(rows, depth, columns, arguments.samples)
            for rows, depth in SHAPES
            for columns in arguments.columns
        ],
    )
    calls = timing.samples(arguments.samples, dynet_seconds(1, 1, 1, 5000))
    print(f"\nOne call costs {timing.spread([1e6 * seconds for seconds in calls], 2)} µs.")


if __name__ == "__main__":
    main()
