"""Tree LSTMs as functions of children's states, so that a tree may have any shape and grow as a program
likes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import dynet._dynet as dy
from dynet._dynet import Expression, ParameterCollection
from dynet.arguments import built
from dynet.nn.checks import Columns, columns, listed, matrix, rate, rows, whole
from dynet.nn.module import Module


class TreeState(NamedTuple):
    """What a tree LSTM knows of a subtree: its output h (outputs,) and its cell c (outputs,).

    >>> layer = dy.nn.ChildSumTreeLSTM(3, 4, dy.ParameterCollection())
    >>> layer.step(dy.zeros(3)).h.shape
    (4,)
    """

    h: Expression
    c: Expression


class _TreeLSTM(Module):
    """A tree LSTM: step() makes a node, a call all nodes of a tree."""

    inputs: int
    outputs: int
    dropout: float

    def _start(self, model: ParameterCollection, inputs: int, outputs: int, dropout: float) -> None:
        Module.__init__(self, model)
        name = type(self).__name__
        self.inputs, self.outputs = whole(name, "inputs", inputs), whole(name, "outputs", outputs)
        self.dropout = rate(name, "dropout", dropout)

    @built
    def __call__(self, x: Columns, children: Sequence[Sequence[int]]) -> list[TreeState]:
        """The states of all nodes of a tree, or of several: node i reads column i of a matrix (inputs,
        n), or the i-th of a list of vectors, and has the nodes children[i] below it, in any order.
        ValueError where the children are no tree.
        """
        name = type(self).__name__
        vectors = columns(matrix(name, "x", x, self.inputs)) if isinstance(x, Expression) else x
        vectors = listed(name, "x", vectors)
        states: dict[int, TreeState] = {}
        for node in _children_first(name, children, len(vectors)):
            states[node] = self.step(vectors[node], [states[child] for child in children[node]])
        return [states[node] for node in range(len(vectors))]

    @built
    def step(self, x: Expression, children: Sequence[TreeState] = ()) -> TreeState:
        """The state of a node that reads x (inputs,) and has children of these states; none for a leaf.

        >>> layer = dy.nn.NaryTreeLSTM(3, 4, 2, dy.ParameterCollection())
        >>> leaves = [layer.step(dy.zeros(3)), layer.step(dy.ones(3))]
        >>> layer.step(dy.zeros(3), leaves).c.shape
        (4,)
        """
        name = type(self).__name__
        x = rows(name, "x", x, self.inputs, (1,))
        for i, child in enumerate(children):
            rows(name, f"children[{i}].h", child[0], self.outputs, (1,))
        if self.training and self.dropout:
            x = dy.dropout(x, self.dropout)
        h, c = self._step(x, [child[0] for child in children], [child[1] for child in children])
        return TreeState(h, c)

    def _step(
        self, x: Expression, hs: list[Expression], cs: list[Expression]
    ) -> tuple[Expression, Expression]:
        raise NotImplementedError

    def _parts(self, gates: Expression, count: int) -> list[Expression]:
        return [dy.pick_range(gates, k * self.outputs, (k + 1) * self.outputs) for k in range(count)]


class ChildSumTreeLSTM(_TreeLSTM):
    """The child-sum tree LSTM, for nodes with any number of children whose order does not count, such as
    those of a dependency tree: with s = Σ h_k

        i, o = σ(W x + U s + b); u = tanh(W x + U s + b); f_k = σ(V x + R h_k + d)
        c = i ∘ u + Σ f_k ∘ c_k; h = o ∘ tanh c

    Parameters: input (3H, I), children (3H, H), bias (3H,), rows in the order i, o, u; forget_input (H, I),
    forget_children (H, H), forget_bias (H,), ones at first. (Tai, Socher and Manning 2015)

    >>> layer = dy.nn.ChildSumTreeLSTM(3, 4, dy.ParameterCollection())
    >>> states = layer(dy.zeros((3, 3)), children=[[1, 2], [], []])
    >>> states[0].h.shape
    (4,)
    """

    @built
    def __init__(self, inputs: int, outputs: int, model: ParameterCollection, dropout: float = 0.0) -> None:
        self._start(model, inputs, outputs, dropout)
        add, size = self.model.add_parameters, self.outputs
        self.input = add((3 * size, self.inputs), name="input")
        self.children = add((3 * size, size), name="children")
        self.bias = add(3 * size, init=0, name="bias")
        self.forget_input = add((size, self.inputs), name="forget_input")
        self.forget_children = add((size, size), name="forget_children")
        self.forget_bias = add(size, init=1, name="forget_bias")

    def _step(
        self, x: Expression, hs: list[Expression], cs: list[Expression]
    ) -> tuple[Expression, Expression]:
        terms = [self.bias, self.input, x]
        if hs:
            terms += [self.children, hs[0] if len(hs) == 1 else dy.esum(hs)]
        i, o, u = self._parts(dy.affine_transform(terms), 3)
        kept = [dy.cmult(dy.logistic(i), dy.tanh(u))]
        if hs:
            read = dy.affine_transform([self.forget_bias, self.forget_input, x])
            for h, c in zip(hs, cs, strict=True):
                kept.append(dy.cmult(dy.logistic(read + self.forget_children * h), c))
        cell = dy.esum(kept) if hs else kept[0]
        return dy.cmult(dy.logistic(o), dy.tanh(cell)), cell


class NaryTreeLSTM(_TreeLSTM):
    """The N-ary tree LSTM, for trees whose nodes have at most `arity` children in an order, such as
    binary ones:

        i, o, f_k = σ(b + W x + Σ U_j h_j); u = tanh(b + W x + Σ U_j h_j)
        c = i ∘ u + Σ f_k ∘ c_k; h = o ∘ tanh c

    with rows of their own for each. Parameters: input ((3 + N) H, I), bias ((3 + N) H,), of which the
    forget gates' are ones at first, and children-1 … children-N ((3 + N) H, H); rows in the order i, o,
    u, f_1 … f_N. dy.NaryTreeLSTMBuilder has peepholes, layers, and keeps a tree by the ids of its nodes.
    (Tai, Socher and Manning 2015)

    >>> layer = dy.nn.NaryTreeLSTM(3, 4, 2, dy.ParameterCollection())
    >>> states = layer(dy.zeros((3, 3)), children=[[1, 2], [], []])
    >>> states[0].h.shape
    (4,)
    """

    @built
    def __init__(
        self, inputs: int, outputs: int, arity: int, model: ParameterCollection, dropout: float = 0.0
    ) -> None:
        self._start(model, inputs, outputs, dropout)
        self.arity = whole("NaryTreeLSTM", "arity", arity)
        size, gates = self.outputs, (3 + self.arity) * self.outputs
        self.input = self.model.add_parameters((gates, self.inputs), name="input")
        start = [0.0] * (3 * size) + [1.0] * (self.arity * size)
        self.bias = self.model.add_parameters(gates, init=start, name="bias")
        self.children = [
            self.model.add_parameters((gates, size), name=f"children-{k + 1}") for k in range(self.arity)
        ]

    def _step(
        self, x: Expression, hs: list[Expression], cs: list[Expression]
    ) -> tuple[Expression, Expression]:
        if len(hs) > self.arity:
            raise ValueError(f"NaryTreeLSTM: {len(hs)} children; at most {self.arity} fit")
        terms = [self.bias, self.input, x]
        for weights, h in zip(self.children, hs, strict=False):
            terms += [weights, h]
        i, o, u, *forget = self._parts(dy.affine_transform(terms), 3 + len(hs))
        kept = [dy.cmult(dy.logistic(i), dy.tanh(u))]
        kept += [dy.cmult(dy.logistic(f), c) for f, c in zip(forget, cs, strict=True)]
        cell = dy.esum(kept) if hs else kept[0]
        return dy.cmult(dy.logistic(o), dy.tanh(cell)), cell


def _children_first(call: str, children: Any, count: int) -> list[int]:
    """The nodes in an order in which each comes after its children."""
    if len(children) != count:
        raise ValueError(f"{call}: children has {len(children)} lists for {count} nodes")
    waiting, parent = [0] * count, [-1] * count
    for node, below in enumerate(children):
        waiting[node] = len(below)
        for child in below:
            if not 0 <= child < count:
                raise ValueError(
                    f"{call}: node {node} has the child {child}; there are nodes 0 to {count - 1}"
                )
            if parent[child] >= 0:
                raise ValueError(f"{call}: node {child} is a child of {parent[child]} and of {node}")
            parent[child] = node
    order = [node for node in range(count) if not waiting[node]]
    for node in order:
        above = parent[node]
        if above >= 0:
            waiting[above] -= 1
            if not waiting[above]:
                order.append(above)
    if len(order) < count:
        raise ValueError(f"{call}: children go round in a circle")
    return order
