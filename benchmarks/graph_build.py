"""Measures what a node costs when a graph is built from Python, in nanoseconds.

Each figure is for a fresh graph of so many nodes: "construct" is renew_cg and the calls that build
it, "train" adds the forward and the backward pass.  It runs on any dynet package.
"""

import json
import subprocess
import time

import timing

import dynet as dy

WIDTH = 16
ROWS = 1000
NODES_PER_SAMPLE = 20000
HEADINGS = ("graph", "nodes", "construct, ns per node", "train, ns per node")


class Graphs:
    """The graphs to build; each method takes a number of nodes and returns a scalar loss."""

    def __init__(self):
        self.collection = dy.ParameterCollection()
        self.vector = self.collection.add_parameters(WIDTH)
        self.bias = self.collection.add_parameters(WIDTH)
        self.matrix = self.collection.add_parameters((WIDTH, WIDTH))
        self.table = self.collection.add_lookup_parameters((ROWS, WIDTH))
        self.lstm_builder = dy.VanillaLSTMBuilder(1, WIDTH, WIDTH, self.collection)

    def named(self):
        """All graphs, by what a node of them is."""
        return {
            "tanh(x)": self.tanh,
            "x + y": self.add,
            "pick(x, i)": self.pick,
            "affine_transform([b, W, x])": self.affine,
            "table[i]": self.lookup,
            "cmult(x, y)": self.product,
            "concatenate([x, y])": self.concatenate,
            "pickneglogsoftmax(x, i)": self.loss,
            "state.add_input(x)": self.lstm,
        }

    def tanh(self, count):
        """A chain."""
        node = dy.tanh(self.vector)
        for _ in range(count - 1):
            node = dy.tanh(node)
        return dy.pickneglogsoftmax(node, 0)

    def add(self, count):
        """A chain that adds the same vector again and again."""
        other = dy.tanh(self.vector)
        node = other
        for _ in range(count - 1):
            node = node + other
        return dy.pickneglogsoftmax(node, 0)

    def pick(self, count):
        """Elements of one vector."""
        vector = dy.tanh(self.vector)
        return dy.esum([dy.pick(vector, index % WIDTH) for index in range(count)])

    def affine(self, count):
        """A chain with the same weights."""
        node = dy.tanh(self.vector)
        for _ in range(count - 1):
            node = dy.affine_transform([self.bias, self.matrix, node])
        return dy.pickneglogsoftmax(node, 0)

    def lookup(self, count):
        """Rows of a table."""
        rows = [self.table[index % ROWS] for index in range(count)]
        return dy.pickneglogsoftmax(dy.esum(rows), 0)

    def product(self, count):
        """A chain that multiplies with the same vector again and again."""
        other = dy.tanh(self.vector)
        node = other
        for _ in range(count - 1):
            node = dy.cmult(node, other)
        return dy.pickneglogsoftmax(node, 0)

    def concatenate(self, count):
        """Pairs of the same vectors."""
        vector = dy.tanh(self.vector)
        pairs = [dy.concatenate([vector, vector]) for _ in range(count)]
        return dy.pickneglogsoftmax(dy.esum(pairs), 0)

    def loss(self, count):
        """Losses of one vector."""
        vector = dy.tanh(self.vector)
        return dy.esum([dy.pickneglogsoftmax(vector, index % WIDTH) for index in range(count)])

    def lstm(self, count):
        """Steps that read the same vector; a step is more than one node."""
        vector = dy.tanh(self.vector)
        state = self.lstm_builder.initial_state()
        for _ in range(count):
            state = state.add_input(vector)
        return dy.pickneglogsoftmax(state.output(), 0)


def nanoseconds(build, count, train):
    """Nanoseconds per node over several graphs in a row."""
    repetitions = max(1, NODES_PER_SAMPLE // count)
    start = time.perf_counter()
    for _ in range(repetitions):
        dy.renew_cg()
        loss = build(count)
        if train:
            loss.scalar_value()
            loss.backward()
    return (time.perf_counter() - start) / repetitions / count * 1e9


def measure(build, count, samples):
    """The cells of one line."""
    construct = timing.samples(samples, lambda: nanoseconds(build, count, train=False))
    train = timing.samples(samples, lambda: nanoseconds(build, count, train=True))
    return timing.spread(construct), timing.spread(train)


def run_program(program, sizes):
    """Runs a C++ program that prints JSON lines with graph, nodes, construct and train."""
    command = [program, *(str(size) for size in sizes)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        if line.startswith("{"):
            fields = json.loads(line)
            costs = [f"{fields[name]:.0f}" for name in ("construct", "train")]
            yield f"{fields['graph']} (C++)", str(fields["nodes"]), *costs


def main():
    """Measures all graphs in all sizes."""
    parser = timing.parser(__doc__)
    parser.add_argument("--sizes", type=timing.sizes, default=[100, 1000, 10000])
    parser.add_argument("--cpp", metavar="PROGRAM", help="C++ program to run with the same sizes")
    arguments = timing.parse(parser)
    graphs = Graphs()
    lines = [
        (name, str(size), *measure(build, size, arguments.samples))
        for name, build in graphs.named().items()
        for size in arguments.sizes
    ]
    if arguments.cpp:
        lines += run_program(arguments.cpp, arguments.sizes)
    timing.show(HEADINGS, lines)


if __name__ == "__main__":
    main()
