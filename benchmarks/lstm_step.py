"""Measures one step of an LSTM, forward and backward, in microseconds.

The input is as wide as the hidden state, and a graph has 40 steps.  It runs on any dynet package.

A step of one column reads all recurrent weights: "forward, GB/s" is their size over the time of the
whole step.  --sweep measures every eighth size up to 1024, and lists those that are slower than
their neighbours.
"""

import itertools
import time

import numpy as np
import timing

import dynet as dy

STEPS = 40
HEADINGS = (
    "hidden",
    "minibatch",
    "construct, µs per step",
    "forward, µs per step",
    "backward, µs per step",
    "forward, GFLOP/s",
    "backward, GFLOP/s",
    "forward, GB/s",
)
SWEEP = range(8, 1025, 8)
SLOW = 0.85
NUMBER_BYTES = 4


class Chain:
    """A one-layer LSTM and the inputs of its steps."""

    def __init__(self, hidden, minibatch):
        self.hidden = hidden
        self.minibatch = minibatch
        self.collection = dy.ParameterCollection()
        self.lstm = dy.VanillaLSTMBuilder(1, hidden, hidden, self.collection)
        random = np.random.RandomState(1)
        self.inputs = [random.randn(hidden * minibatch).tolist() for _ in range(STEPS)]

    def loss(self, inputs):
        """A scalar that depends on all outputs."""
        outputs = dy.esum(self.lstm.initial_state().transduce(inputs))
        losses = dy.pickneglogsoftmax_batch(outputs, [0] * self.minibatch)
        return dy.sum_batches(losses)

    def run(self):
        """Microseconds per step to construct, go forward and go backward."""
        dy.renew_cg()
        shape = (self.hidden,)
        inputs = [dy.reshape(dy.inputVector(x), shape, self.minibatch) for x in self.inputs]
        clock = [time.perf_counter()]
        loss = self.loss(inputs)
        clock.append(time.perf_counter())
        loss.scalar_value()
        clock.append(time.perf_counter())
        loss.backward()
        clock.append(time.perf_counter())
        return [(end - start) / STEPS * 1e6 for start, end in itertools.pairwise(clock)]


def line(hidden, minibatch, samples):
    """The cells of one line."""
    chain = Chain(hidden, minibatch)
    construct, forward, backward = zip(*timing.samples(samples, chain.run), strict=True)
    operations = 2 * 4 * hidden * 2 * hidden * minibatch
    return (
        str(hidden),
        str(minibatch),
        timing.spread(construct, 1),
        timing.spread(forward, 1),
        timing.spread(backward, 1),
        timing.spread([operations / one / 1e3 for one in forward], 1),
        timing.spread([2 * operations / one / 1e3 for one in backward], 1),
        timing.spread([bandwidth(hidden, one) for one in forward], 1),
    )


def bandwidth(hidden, microseconds):
    """Gigabytes of recurrent weights per second."""
    return 4 * hidden * hidden * NUMBER_BYTES / microseconds / 1e3


def slow_spots(lines):
    """The sizes whose bandwidth is well below that of both neighbours."""
    rates = [float(cells[-1].split()[0]) for cells in lines]
    return [
        f"{lines[i][0]} ({rates[i]:.1f} GB/s)"
        for i in range(1, len(lines) - 1)
        if rates[i] < SLOW * min(rates[i - 1], rates[i + 1])
    ]


def main():
    """Measures all sizes."""
    parser = timing.parser(__doc__)
    parser.add_argument("--sizes", type=timing.sizes, default=[200, 256, 512])
    parser.add_argument("--minibatches", type=timing.sizes, default=[1, 16])
    parser.add_argument("--sweep", action="store_true", help="sizes 8, 16 … 1024, minibatch 1")
    arguments = timing.parse(parser)
    sizes, minibatches = arguments.sizes, arguments.minibatches
    if arguments.sweep:
        sizes, minibatches = SWEEP, [1]
    lines = [line(hidden, minibatch, arguments.samples) for hidden in sizes for minibatch in minibatches]
    timing.show(HEADINGS, lines)
    if arguments.sweep:
        print("\nSlow spots:", ", ".join(slow_spots(lines)) or "none")


if __name__ == "__main__":
    main()
