"""Measures products of a matrix with a few columns, through the public interface and in NumPy.

Every product is computed by a call of its own, so that no engine can merge the products of a graph
into a wider one; the cost of such a call, measured on a 1 x 1 product, stands below the table.  It
runs on any dynet package.
"""

import time

import numpy as np
import timing

import dynet as dy

SHAPES = ((192, 178), (512, 128), (512, 256), (1024, 384), (10000, 256))
COLUMNS = (1, 2, 4, 6, 16, 64)
OPERATIONS_PER_SAMPLE = 1e9
NUMBERS_PER_SAMPLE = 1 << 24
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


def main():
    """Measures all shapes."""
    parser = timing.parser(__doc__)
    parser.add_argument("--columns", type=timing.sizes, default=list(COLUMNS))
    arguments = timing.parse(parser)
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
