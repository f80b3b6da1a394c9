"""Scores of pairs and triples of positions: biaffine and triaffine."""

from __future__ import annotations

from typing import Any

import dynet._dynet as dy
from dynet._dynet import Expression, ParameterCollection
from dynet.arguments import built
from dynet.nn.checks import Columns, matrix, whole
from dynet.nn.module import Module


def _with_ones(x: Expression, wanted: bool) -> Expression:
    """A matrix with a last row of ones, so that a product has a bias."""
    if not wanted:
        return x
    return dy.concatenate([x, dy.ones((1, x.dim()[0][1]), x.dim()[1])])


class Biaffine(Module):
    """A score of each pair of positions: s_ij = [x_i; 1]ᵀ U [y_j; 1], or one for each of `outputs` labels.

    x is a matrix (left, n) or a list of n vectors, y one of (right, m): the scores are a matrix (n, m),
    or with more than one output a tensor (outputs, n, m). For a parser x are the heads and y the
    dependents, so that column j has the scores of all heads of word j. bias_left and bias_right say
    whether the ones are there.

    Parameter: weight (outputs · (left + 1), right + 1), the matrices of the labels one above another.
    (Dozat and Manning 2017)

    >>> scorer = dy.nn.Biaffine(3, 4, dy.ParameterCollection())
    >>> scorer(dy.zeros((3, 5)), dy.zeros((4, 6))).shape
    (5, 6)
    >>> dy.nn.Biaffine(3, 4, dy.ParameterCollection(), outputs=7)(dy.zeros((3, 5)), dy.zeros((4, 6))).shape
    (7, 5, 6)
    """

    @built
    def __init__(
        self,
        left: int,
        right: int,
        model: ParameterCollection,
        outputs: int = 1,
        bias_left: bool = True,
        bias_right: bool = True,
        init: Any = None,
    ) -> None:
        super().__init__(model)
        self.left, self.right = whole("Biaffine", "left", left), whole("Biaffine", "right", right)
        self.outputs = whole("Biaffine", "outputs", outputs)
        self.bias_left, self.bias_right = bool(bias_left), bool(bias_right)
        shape = self.outputs * (self.left + self.bias_left), self.right + self.bias_right
        self.weight = self.model.add_parameters(shape, init=init, name="weight")

    @built
    def __call__(self, x: Columns, y: Columns) -> Expression:
        """The scores of all pairs of columns: (n, m), or (outputs, n, m)."""
        x = _with_ones(matrix("Biaffine", "x", x, self.left), self.bias_left)
        y = _with_ones(matrix("Biaffine", "y", y, self.right), self.bias_right)
        (size, n), m = x.dim()[0], y.dim()[0][1]
        batch = max(x.dim()[1], y.dim()[1])
        right = self.weight * y
        if self.outputs == 1:
            return dy.reshape(dy.transpose(x) * right, (n, m), batch)
        right = dy.reshape(right, (size, self.outputs * m), y.dim()[1])
        scores = dy.reshape(dy.transpose(x) * right, (n, self.outputs, m), batch)
        return dy.transpose(scores, [1, 0, 2])


class Triaffine(Module):
    """A score of each triple of positions: s_ijk = Σ U_abc [x_i; 1]_a [y_j; 1]_b [z_k; 1]_c, (n, m, l).

    x, y and z are matrices of sizes[0], sizes[1] and sizes[2] rows and n, m and l columns, or lists of
    vectors; with bias=False the ones are not there. For siblings and grandparents of second-order
    parsers. Parameter: weight (a · b, c) of the sizes a, b, c with their ones, a fastest. (Wang, Huang
    and Tu 2019; Zhang, Li and Zhang 2020)

    >>> scorer = dy.nn.Triaffine((3, 4, 2), dy.ParameterCollection())
    >>> scorer(dy.zeros((3, 5)), dy.zeros((4, 6)), dy.zeros((2, 7))).shape
    (5, 6, 7)
    """

    @built
    def __init__(
        self, sizes: tuple[int, int, int], model: ParameterCollection, bias: bool = True, init: Any = None
    ) -> None:
        super().__init__(model)
        if not isinstance(sizes, list | tuple) or len(sizes) != 3:
            raise ValueError(f"Triaffine: sizes is {sizes!r:.60}; three sizes are needed")
        self.sizes = [whole("Triaffine", f"sizes[{i}]", size) for i, size in enumerate(sizes)]
        self.bias = bool(bias)
        a, b, c = (size + self.bias for size in self.sizes)
        self.weight = self.model.add_parameters((a * b, c), init=init, name="weight")

    @built
    def __call__(self, x: Columns, y: Columns, z: Columns) -> Expression:
        """The scores of all triples of columns, (n, m, l)."""
        x, y, z = (
            _with_ones(matrix("Triaffine", name, each, size), self.bias)
            for name, each, size in zip("xyz", (x, y, z), self.sizes, strict=True)
        )
        (a, n), (b, m), (_, k) = x.dim()[0], y.dim()[0], z.dim()[0]
        batch = max(each.dim()[1] for each in (x, y, z))
        right = dy.reshape(self.weight * z, (a, b * k), z.dim()[1])
        left = dy.transpose(x) * right  # (n, b k)
        middle = dy.transpose(dy.reshape(left, (n, b, k), left.dim()[1]), [1, 0, 2])
        scores = dy.transpose(y) * dy.reshape(middle, (b, n * k), middle.dim()[1])
        return dy.transpose(dy.reshape(scores, (m, n, k), batch), [1, 0, 2])
