"""Normalisation of columns: layer norm, and by the root of the mean square."""

from __future__ import annotations

import dynet._dynet as dy
from dynet._dynet import Expression, ParameterCollection
from dynet.arguments import told
from dynet.nn.checks import positive, whole
from dynet.nn.dense import _OfColumns


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

    @told
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

    @told
    def __init__(self, size: int, model: ParameterCollection, eps: float = 1e-6) -> None:
        super().__init__(model)
        self.inputs, self.eps = whole("RMSNorm", "size", size), positive("RMSNorm", "eps", eps)
        self.weight = self.model.add_parameters(self.inputs, init=1, name="weight")

    def _of(self, x: Expression) -> Expression:
        return dy.rms_norm(x, self.weight, [0], self.eps)
