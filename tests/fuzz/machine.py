"""Runs the steps of a random program: its graphs, parameters and trainer, and what was seen of them."""

from __future__ import annotations

import contextlib
from typing import Any, ClassVar

import numpy as np
from cases import CASES
from fuzz.layers import FUNCTIONS, LAYERS, SOFTMAX_LAYERS, TRAINERS, Cells
from fuzz.nodes import (
    ANY_SHAPE,
    Array,
    Node,
    elementwise,
    example,
    fitted,
    number_of,
    operation,
    pair,
    product,
    resized,
    squashed_sum,
    stretched,
)
from fuzz.settings import Setting
from table import uniform

import dynet as dy

SHAPES = [(1,), (3,), (4,), (16,), (17,), (3, 4), (4, 3), (1, 5), (33,), (2, 3, 2), (20, 6)]
KEPT = 60  # Expressions of a graph that the program remembers.


class GraphState:
    """What a program knows of one of its graphs."""

    def __init__(self, graph: dy.ComputationGraph | None) -> None:
        self.graph = graph  # None: the one that is there without `with`.
        self.nodes: list[Node] = []
        self.marks: list[int] = []
        self.inputs: list[Node] = []
        self.rows: list[Node] = []
        self.forget()

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        """Where it is the current graph."""
        return contextlib.nullcontext() if self.graph is None else self.graph

    def forget(self) -> None:
        self.nodes.clear()
        self.marks.clear()
        self.inputs.clear()
        self.rows.clear()
        self.updated = False  # Nodes may see older parameters than the program.
        self.random = False


class Machine:
    """One run of a program under one setting."""

    trace: ClassVar[bool] = False

    def __init__(self, start: list[int], setting: Setting) -> None:
        seed, batch, shape, trainer, dropout = start
        self.setting = setting
        setting.start()
        dy.reset_random_seed(1 + seed)
        self.random = np.random.default_rng(seed)
        self.batch = 2 + batch % 3
        self.observed: list[tuple[str, Array]] = []
        self.pending: list[tuple[int, Node]] = []  # Places in `observed` that are read later.
        self.stale: list[dy.Expression] = []
        self.model = dy.ParameterCollection()
        sizes = [SHAPES[(shape + i) % len(SHAPES)] for i in range(2)]
        self.parameters = [
            self.model.parameters_from_numpy(self.numbers(s)) for s in [(3, 4), (3,), (4, 3), (4,), *sizes]
        ]
        self.table = self.model.lookup_parameters_from_numpy(self.numbers((5, 3)))
        self.layers = LAYERS[0](self.model), LAYERS[1 + seed % (len(LAYERS) - 1)](self.model)
        self.softmax_layer = SOFTMAX_LAYERS[seed % len(SOFTMAX_LAYERS)](self.model)
        for layer in self.layers:
            layer.set_dropout([0.0, 0.4][dropout % 2])
        # Values of layers are drawn; from here on they must not depend on how many numbers were.
        self.trainer = TRAINERS[trainer % len(TRAINERS)](self.model)
        self.cells = Cells(setting.cells)
        self.leaves = [Node(p, smooth=True) for p in self.parameters]
        dy.renew_cg(immediate_compute=setting.eager, autobatching=setting.autobatching)
        other = dy.ComputationGraph()
        other.renew(immediate_compute=False, autobatching=setting.autobatching)
        self.graphs = [GraphState(None), GraphState(other)]
        self.g = self.graphs[0]
        self.count = 0

    def step(self, name: str, numbers: list[int]) -> None:
        before = len(self.g.nodes)
        with self.g.scope():
            getattr(self, "do_" + name)(*numbers)
            if self.setting.asks == "each":
                for node in self.g.nodes[before:]:
                    self.check(node)
        self.count += 1
        if self.trace:
            last = [f"{n.shape}x{n.batch}" for n in self.g.nodes[before:]]
            print(self.setting.name, self.count - 1, name, numbers, *last, flush=True)

    def finish(self) -> list[tuple[str, Array]]:
        """Everything that the program saw."""
        self.flush()
        for i, p in enumerate(self.model.parameters_list()):
            self.see(f"parameter {i}", p.as_array())
            self.see(f"gradient of parameter {i}", p.grad_as_array())
        self.see("table", self.table.as_array())
        self.see("gradient of the table", self.table.grad_as_array())
        del self.graphs, self.g  # A graph ends here, and not when another program runs.
        return self.observed

    # -- what steps use

    def numbers(self, shape: tuple[int, ...]) -> Array:
        return self.random.uniform(-2, 2, shape).astype(np.float32).astype(float)

    def see(self, what: str, numbers: Any) -> None:
        self.observed.append((f"step {self.count}, {what}", np.array(numbers)))

    def add(self, node: Node) -> Node:
        self.g.nodes.append(node)
        del self.g.nodes[: max(0, len(self.g.nodes) - KEPT) if not self.g.marks else 0]
        return node

    def pick(self, a: int) -> Node:
        """One of the nodes, the last for 0; a leaf where there is none."""
        nodes = self.g.nodes
        return nodes[-1 - a % len(nodes)] if nodes else self.leaves[a % len(self.leaves)]

    def ask(self, what: str, node: Node) -> None:
        """Reads a value, now or later."""
        self.pending.append((len(self.observed), node))
        self.see(what, 0)
        if self.setting.asks != "late":
            self.flush()

    def draw(self) -> None:
        """Notes that random numbers are drawn, which depend on how many nodes there are."""
        if not self.g.random:
            self.see("random numbers", 0)
        self.g.random = True

    def flush(self) -> None:
        """Reads what was to be read later."""
        pending, self.pending = self.pending, []
        for at, node in pending:
            self.observed[at] = self.observed[at][0], number_of(node.e)

    def check(self, node: Node) -> None:
        """Evaluates a node, and compares it with what NumPy makes of its arguments."""
        value = number_of(node.e)
        if not self.setting.reference or node.reference is None or self.g.updated:
            return
        arguments = [number_of(a.e) for a in node.args]
        try:
            expected = node.expected(arguments)
        except np.linalg.LinAlgError:
            return
        assert value.shape == expected.shape, f"shape {value.shape}, not {expected.shape}"
        good = np.isfinite(expected) & np.isfinite(value)
        scale = np.maximum(1, np.abs(expected[good]))
        error = np.abs(value[good] - expected[good]) / scale
        assert np.all(error < 1e-4 * node.tolerance), f"{node.e!r}: {value.tolist()}, not {expected.tolist()}"

    # -- steps

    def do_input(self, shape: int, batched: int, a: int) -> None:
        size = SHAPES[shape % len(SHAPES)]
        batch = self.batch if batched % 3 == 1 else 1
        array = self.numbers(size + ((batch,) if batch > 1 else ()))
        held = [array]
        e = dy.inputTensor(array, batched=batch > 1)
        node = self.add(Node(e, (), lambda: held[0], low=-2.0, high=2.0))
        node.held = held
        self.g.inputs.append(node)

    def do_set_input(self, a: int) -> None:
        if not self.g.inputs:
            return
        self.flush()
        node = self.g.inputs[a % len(self.g.inputs)]
        array = self.numbers(node.held[0].shape)
        node.held[0] = array
        node.e.set(array.ravel(order="F"))
        self.ask("a value after set", self.pick(a))

    def do_parameter(self, which: int, constant: int) -> None:
        p = self.parameters[which % len(self.parameters)]
        leaf = self.leaves[which % len(self.leaves)]
        if constant % 3 == 1:
            self.add(Node(dy.const_parameter(p), (), None, smooth=False))
        else:
            self.add(Node(p.expr(True), (leaf,), lambda a: a))

    def do_lookup(self, row: int, batched: int) -> None:
        if batched % 3 == 1:
            rows = [(row + b) % 5 for b in range(self.batch)]
            e = dy.lookup_batch(self.table, rows)
        else:
            e = dy.lookup(self.table, row % 5) if batched % 3 else self.table[row % 5]
        self.g.rows.append(self.add(Node(e, (), None, smooth=False)))

    def do_set_row(self, a: int, row: int) -> None:
        if not self.g.rows:
            return
        self.flush()
        node = self.g.rows[a % len(self.g.rows)]
        node.e.set([row % 5] * node.batch if node.batch > 1 else row % 5)
        self.ask("a value after set", self.pick(0))

    def do_operation(self, which: int, a: int, b: int, c: int) -> None:
        case = CASES[which % len(CASES)]
        xs = [self.pick([a, b, c][i % 3] + i // 3) for i in range(len(case.inputs))]
        node = operation(case, xs)
        self.add(node if node.batch in (1, self.batch) else example(node, c))
        if case.ref is None:
            self.draw()

    def do_elementwise(self, which: int, a: int) -> None:
        self.add(elementwise(ANY_SHAPE[which % len(ANY_SHAPE)], self.pick(a)))

    def do_pair(self, which: int, a: int, b: int, form: int) -> None:
        self.add(pair(which, self.pick(a), self.pick(b), form))

    def do_product(self, which: int, a: int, form: int) -> None:
        w, b = self.leaves[2 * (which % 2) : 2 * (which % 2) + 2]
        self.add(product(w, b, self.pick(a), form))

    def do_resized(self, a: int, form: int) -> None:
        """A fit of many numbers, so that threads have something to share."""
        size = [64, 100, 256, 1000][form % 4]
        self.add(resized(self.pick(a), size))

    def do_cell(self, body: int, a: int, b: int) -> None:
        x, y = (fitted(self.pick(i), uniform(4)) for i in (a, b))
        function, references = self.cells[body]
        for e, reference in zip(function(x.e, y.e), references, strict=True):
            self.add(Node(e, (x, y), stretched(reference), tolerance=4))

    def do_function(self, which: int, a: int, b: int) -> None:
        function, reference, arity = FUNCTIONS[which % len(FUNCTIONS)]
        xs = [fitted(self.pick(i), uniform(3)) for i in (a, b)[:arity]]
        self.add(Node(function(*(x.e for x in xs)), tuple(xs), reference))

    def do_recurrent(self, which: int, a: int, b: int, length: int) -> None:
        layer = self.layers[which % 2]
        xs = [fitted(self.pick([a, b][i % 2] + i), uniform(4)) for i in range(1 + length % 4)]
        batch = max(x.batch for x in xs)
        if len({x.batch for x in xs}) > 1:
            xs = [example(x, i) for i, x in enumerate(xs)]
            batch = 1
        if layer.dropout > 0:
            self.draw()
        for e in layer.read([x.e for x in xs], batch):
            self.add(Node(e, tuple(xs), None, smooth=False))

    def do_softmax_layer(self, a: int, label: int) -> None:
        x = fitted(self.pick(a), uniform(4))
        if x.batch > 1:
            labels = [(label + b) % 6 for b in range(x.batch)]
            e = self.softmax_layer.neg_log_softmax_batch(x.e, labels)
        else:
            e = self.softmax_layer.neg_log_softmax(x.e, label % 6)
        self.add(Node(e, (x,), None, smooth=False))

    def do_value(self, a: int) -> None:
        self.ask("value", self.pick(a))

    def do_values(self, a: int, b: int) -> None:
        nodes = [self.pick(a), self.pick(b)]
        if self.setting.asks != "late":
            dy.npvalues([node.e for node in nodes])
        for node in nodes:
            self.ask("one of several values", node)

    def do_again(self, a: int) -> None:
        if not self.g.random:
            self.flush()  # Others see the parameters of now from here on, and other random numbers.
            node = self.pick(a)
            node.e.npvalue(recalculate=True)
            self.ask("value again", node)

    def do_backward(self, a: int, b: int, form: int) -> None:
        parts = [self.pick(a), self.pick(b)] if form % 2 else [self.pick(a)]
        loss = squashed_sum(parts)
        before = [p.grad_as_array().astype(float) for p in self.parameters]
        full = form % 4 > 1
        loss.e.backward(full)
        if full:
            self.see("gradient of a node", parts[0].e.gradient())
        for i, p in enumerate(self.model.parameters_list()):
            self.see(f"gradient of parameter {i}", p.grad_as_array())
        self.see("gradient of the table", self.table.grad_as_array())
        if self.setting.reference and not self.g.updated:
            added = [p.grad_as_array() - old for p, old in zip(self.parameters, before, strict=True)]
            self.check_gradient(loss, added)

    def do_update(self) -> None:
        self.flush()
        if any(not np.isfinite(p.grad_as_array()).all() for p in self.everything()):
            self.model_reset()
            return
        for graph in self.graphs:  # What is evaluated keeps its values.
            with graph.scope():
                dy.forward([node.e for node in graph.nodes])
        self.trainer.update()
        for graph in self.graphs:
            graph.updated = True

    def everything(self) -> list[Any]:
        return [*self.model.parameters_list(), *self.model.lookup_parameters_list()]

    def model_reset(self) -> None:
        """Forgets gradients of which some are no numbers."""
        for p in self.everything():
            p.scale_gradient(0)

    def do_checkpoint(self) -> None:
        dy.cg_checkpoint()
        self.g.marks.append(len(self.g.nodes))

    def do_revert(self) -> None:
        if not self.g.marks:
            return
        self.flush()
        dy.cg_revert()
        at = self.g.marks.pop()
        self.stale += [n.e for n in self.g.nodes[at:] if type(n.e) is dy.Expression][-20:]
        kept = {id(n) for n in self.g.nodes[:at]}
        del self.g.nodes[at:]
        self.g.inputs = [n for n in self.g.inputs if id(n) in kept]
        self.g.rows = [n for n in self.g.rows if id(n) in kept]

    def do_renew(self) -> None:
        self.flush()
        self.stale += [n.e for n in self.g.nodes if type(n.e) is dy.Expression][-20:]
        self.g.forget()
        graph = dy.cg() if self.g.graph is None else self.g.graph
        graph.renew(immediate_compute=self.setting.eager, autobatching=self.setting.autobatching)

    def do_other_graph(self) -> None:
        self.g = self.graphs[1 - self.graphs.index(self.g)]

    def do_stale(self, which: int, use: int) -> None:
        """What was removed is refused, whatever is asked of it."""
        if not self.stale:
            return
        e = self.stale[which % len(self.stale)]
        uses = [e.npvalue, e.dim, e.gradient, e.backward, lambda: dy.tanh(e), lambda: dy.esum([e, e])]
        with contextlib.suppress(RuntimeError, ValueError):
            raise AssertionError(f"what was removed gave {uses[use % len(uses)]()}")

    # -- gradients

    def check_gradient(self, loss: Node, gradients: list[Array]) -> None:
        """Compares the gradients with differences of NumPy's values along one direction."""
        if not all(np.isfinite(g).all() for g in gradients):
            return
        rng = np.random.default_rng(self.count)
        ways = [rng.normal(size=g.shape) for g in gradients]
        values = [p.as_array().astype(float) for p in self.parameters]

        def at(t: float) -> float:
            moved = {id(leaf): v + t * w for leaf, v, w in zip(self.leaves, values, ways, strict=True)}
            return float(np.squeeze(evaluated(loss, moved)))

        try:
            h = 1e-5
            up, middle, down = at(h), at(0), at(-h)
        except (NotSmoothError, np.linalg.LinAlgError):
            return
        slope, left, right = (up - down) / (2 * h), (middle - down) / h, (up - middle) / h
        if not np.isfinite(slope) or abs(left - right) > 1e-2 * (0.1 + abs(slope)):
            return  # A kink, or a curve that is too steep.
        found = sum(float(np.sum(g * w)) for g, w in zip(gradients, ways, strict=True))
        size = sum(float(np.sum(np.abs(g * w))) for g, w in zip(gradients, ways, strict=True))
        assert abs(found - slope) < 0.02 * (size + 0.5), f"the gradient is {found}, not {slope}"


class NotSmoothError(Exception):
    """NumPy does not know the gradient."""


def evaluated(node: Node, known: dict[int, Array]) -> Array:
    """The value of a node in double precision, for values of the parameters."""
    if id(node) not in known:
        if node.reference is None or not node.smooth:
            raise NotSmoothError
        known[id(node)] = node.expected([evaluated(a, known) for a in node.args])
    return known[id(node)]
