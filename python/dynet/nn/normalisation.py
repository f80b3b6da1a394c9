"""Normalisation: of columns, by their own numbers, and of rows, by those of a mini-batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import overload

import dynet._dynet as dy
from dynet import shards
from dynet._dynet import Expression, ParameterCollection
from dynet.arguments import built
from dynet.nn.checks import Columns, listed, positive, real, rows, whole
from dynet.nn.dense import _OfColumns
from dynet.nn.module import Module


class LayerNorm(_OfColumns):
    """y = weight ∘ (x - mean) / √(variance + eps) + bias, with mean and variance of each column: of a vector
    (size,), of each column of a matrix (size, n), or of each vector of a list.

    Parameters: weight (size,), ones at first, and bias (size,), zeros; eps is 1e-5 by default, as in
    torch.nn.LayerNorm. (Ba, Kiros and Hinton 2016)

    >>> norm = dy.nn.LayerNorm(2, dy.ParameterCollection())
    >>> print(norm(dy.inputTensor([[1, 5], [3, 1]])).npvalue().round(2))
    [[-1.  1.]
     [ 1. -1.]]
    """

    @built
    def __init__(self, size: int, model: ParameterCollection, eps: float = 1e-5, bias: bool = True) -> None:
        super().__init__(model)
        self.inputs, self.eps = whole("LayerNorm", "size", size), positive("LayerNorm", "eps", eps)
        self.weight = self.model.add_parameters(self.inputs, init=1, name="weight")
        self.bias = self.model.add_parameters(self.inputs, init=0, name="bias") if bias else None

    def _of(self, x: Expression) -> Expression:
        bias = dy.zeros(1) if self.bias is None else self.bias
        return dy.layer_norm(x, self.weight, bias, [0], self.eps)


class RMSNorm(_OfColumns):
    """y = weight ∘ x / √(mean of x² + eps), for each column: a vector (size,), each column of a matrix
    (size, n), or each vector of a list.

    Parameter: weight (size,), ones at first; eps is 1e-6 by default. (Zhang and Sennrich 2019)

    >>> norm = dy.nn.RMSNorm(2, dy.ParameterCollection())
    >>> print(norm(dy.inputVector([3, 4])).npvalue().round(4))
    [0.8485 1.1314]
    """

    @built
    def __init__(self, size: int, model: ParameterCollection, eps: float = 1e-6) -> None:
        super().__init__(model)
        self.inputs, self.eps = whole("RMSNorm", "size", size), positive("RMSNorm", "eps", eps)
        self.weight = self.model.add_parameters(self.inputs, init=1, name="weight")

    def _of(self, x: Expression) -> Expression:
        return dy.rms_norm(x, self.weight, [0], self.eps)


class BatchNorm(Module):
    """y = weight ∘ (x - mean) / √(variance + eps) + bias, with mean and variance of each row over all
    columns of all elements of a mini-batch: x is a batch of vectors (size,), a matrix (size, n), a batch of
    these, or a list of vectors, which are taken together. In training two columns at least are needed.

    Statistics are those of what one call is given. Automatic batching makes no mini-batch: examples that a
    program builds one by one are normalised one by one, whatever runs together. dy.distributed cannot
    train it. In training a call evaluates its input at once, and moves the running statistics:
    running ← (1 - momentum) running + momentum · batch, with the variance over n - 1. After eval() these
    take the place of the batch's, each column is normalised for itself, and nothing is evaluated early.

    Parameters: weight (size,), ones at first, and bias (size,), zeros; mean and variance (size,), which no
    trainer changes, and files of dy.save have. momentum is 0.1 and eps 1e-5 by default, as in
    torch.nn.BatchNorm1d. (Ioffe and Szegedy 2015)

    >>> norm = dy.nn.BatchNorm(2, dy.ParameterCollection())
    >>> print(norm(dy.inputTensor([[1, 3], [5, 5]])).npvalue().round(2), norm.mean.as_array())
    [[-1.  1.]
     [ 0.  0.]] [0.2 0.5]
    """

    @built
    def __init__(
        self, size: int, model: ParameterCollection, momentum: float = 0.1, eps: float = 1e-5
    ) -> None:
        super().__init__(model)
        self.size, self.eps = whole("BatchNorm", "size", size), positive("BatchNorm", "eps", eps)
        self.momentum = real("BatchNorm", "momentum", momentum, 0, 1)
        add = self.model.add_parameters
        self.weight = add(self.size, init=1, name="weight")
        self.bias = add(self.size, init=0, name="bias")
        self.mean = add(self.size, init=0, name="mean")
        self.variance = add(self.size, init=1, name="variance")
        for each in (self.mean, self.variance):
            each.set_updated(False)

    @overload
    def __call__(self, x: Expression) -> Expression: ...
    @overload
    def __call__(self, x: Sequence[Expression]) -> list[Expression]: ...
    @built
    def __call__(self, x: Columns) -> Expression | list[Expression]:
        """x after normalisation, in its own form: an expression, or a list of vectors."""
        if not isinstance(x, Expression):
            vectors = [
                rows("BatchNorm", f"x[{i}]", each, self.size, (1,))
                for i, each in enumerate(listed("BatchNorm", "x", x))
            ]
            y = self._of(dy.concatenate_cols(vectors) if len(vectors) > 1 else vectors[0])
            return [dy.pick(y, i, 1) for i in range(len(vectors))] if len(vectors) > 1 else [y]
        return self._of(rows("BatchNorm", "x", x, self.size))

    def _of(self, x: Expression) -> Expression:
        if not self.training:
            scale = dy.cdiv(self.weight, dy.sqrt(self.variance + self.eps))
            return dy.cmult(x - self.mean, scale) + self.bias
        shape, batch = x.dim()
        count = batch * (shape[1] if len(shape) == 2 else 1)
        if count < 2:
            raise ValueError(
                "BatchNorm: one column; training needs two at least, of a matrix, a mini-batch or a list"
            )
        axes = [1] if len(shape) == 2 else []
        mean = dy.mean_dim(x, axes, True)
        apart = x - mean
        variance = dy.mean_dim(dy.square(apart), axes, True)
        if shards.computed:
            raise ValueError(
                "BatchNorm: a shard of a distributed trainer; statistics, which would depend on who computes "
                "which shard, are learned in one process alone. LayerNorm and RMSNorm need none; after "
                "eval() the layer uses those that it has"
            )
        self._move(mean, variance, count)
        scale = dy.cdiv(self.weight, dy.sqrt(variance + self.eps))
        return dy.cmult(apart, scale) + self.bias

    def _move(self, mean: Expression, variance: Expression, count: int) -> None:
        """The running statistics go on by one batch."""
        new_mean, new_variance = dy.npvalues([mean, variance])
        if not math.isfinite(float(new_mean.sum() + new_variance.sum())):
            return  # of a batch that no trainer learns from
        m = self.momentum
        self.mean.set_value(self.mean.as_array() * (1 - m) + new_mean * m)
        over = count / (count - 1)
        self.variance.set_value(self.variance.as_array() * (1 - m) + new_variance * (over * m))
