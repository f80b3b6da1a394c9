"""Layers of one product: linear, perceptrons of several layers, highways."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, overload

import dynet._dynet as dy
from dynet._dynet import Expression, ParameterCollection
from dynet.arguments import built
from dynet.nn.activations import Activation, activation_of
from dynet.nn.checks import expression, listed, rate, rows, whole, with_columns
from dynet.nn.module import Module


class _OfColumns(Module):
    """A layer that does the same to each column: it takes a vector, a matrix, or a list of vectors."""

    inputs: int

    @overload
    def __call__(self, x: Expression) -> Expression: ...
    @overload
    def __call__(self, x: Sequence[Expression]) -> list[Expression]: ...
    @built
    def __call__(self, x: Expression | Sequence[Expression]) -> Expression | list[Expression]:
        """The layer's output for a vector (inputs,), for each column of a matrix (inputs, n), with a batch or
        without, or for each vector of a list. ValueError for another number of rows.
        """
        name = type(self).__name__
        if isinstance(x, list | tuple):
            return [self._of(rows(name, f"x[{i}]", each, self.inputs)) for i, each in enumerate(x)]
        matrix = rows(name, "x", x, self.inputs)
        shape, y = matrix.dim()[0], self._of(matrix)
        return with_columns(y, shape[1]) if len(shape) == 2 else y

    def _of(self, x: Expression) -> Expression:
        raise NotImplementedError


class Linear(_OfColumns):
    """y = W x + b, of each column of x: a vector (inputs,), a matrix (inputs, n), or a list of vectors.

    Parameters: weight (outputs, inputs), initialised as `init` says (Glorot's way by default), and bias
    (outputs,), zeros at first; without bias=True there is none. As torch.nn.Linear, whose weights have
    the same shape.

    >>> layer = dy.nn.Linear(3, 2, dy.ParameterCollection())
    >>> layer(dy.zeros((3, 5))).shape
    (2, 5)
    """

    @built
    def __init__(
        self, inputs: int, outputs: int, model: ParameterCollection, bias: bool = True, init: Any = None
    ) -> None:
        super().__init__(model)
        self.inputs, self.outputs = whole("Linear", "inputs", inputs), whole("Linear", "outputs", outputs)
        self.weight = self.model.add_parameters((self.outputs, self.inputs), init=init, name="weight")
        self.bias = self.model.add_parameters(self.outputs, init=0, name="bias") if bias else None

    def _of(self, x: Expression) -> Expression:
        return self.weight * x if self.bias is None else dy.affine_transform([self.bias, self.weight, x])


class MLP(_OfColumns):
    """A perceptron of several layers: x ← dropout(activation(W x + b)) for each but the last, which is
    linear.

    `sizes` are those of the input, of the hidden layers, and of the output: [300, 128, 10] has one hidden
    layer. `activation` is the name of one, as "relu", "tanh", "gelu", or a function such as dy.tanh; with
    `activate_last` it, and dropout, follow the last layer too, as a parser's layer before its scorer
    needs.

    >>> mlp = dy.nn.MLP([3, 8, 2], dy.ParameterCollection(), activation="tanh", dropout=0.1)
    >>> mlp(dy.zeros(3)).shape
    (2,)
    """

    @built
    def __init__(
        self,
        sizes: Sequence[int],
        model: ParameterCollection,
        activation: Activation = "relu",
        dropout: float = 0.0,
        activate_last: bool = False,
    ) -> None:
        super().__init__(model)
        if not isinstance(sizes, list | tuple) or len(sizes) < 2:
            raise ValueError(f"MLP: sizes is {sizes!r:.60}; a list of two sizes at least is needed")
        self.inputs, self.dropout = whole("MLP", "sizes[0]", sizes[0]), rate("MLP", "dropout", dropout)
        self.activation, self.activate_last = activation_of("MLP", activation), bool(activate_last)
        self.layers = [
            Linear(whole("MLP", "a size", a), whole("MLP", "a size", b), self.model)
            for a, b in itertools.pairwise(sizes)
        ]

    def _of(self, x: Expression) -> Expression:
        for number, layer in enumerate(self.layers, start=1):
            x = layer(x)
            if number < len(self.layers) or self.activate_last:
                x = self.activation(x)
                if self.training and self.dropout:
                    x = dy.dropout(x, self.dropout)
        return x


class Highway(_OfColumns):
    """A layer that may let its input pass: y = t ∘ activation(W x + b) + (1 - t) ∘ x with t = σ(V x + c).

    Input and output have `size` rows; there are `layers` such layers, one after another. The gate's bias c is
    `gate_bias` at first, -2 by default, so that nearly all passes. (Srivastava, Greff and Schmidhuber 2015)

    >>> highway = dy.nn.Highway(4, dy.ParameterCollection(), layers=2)
    >>> highway(dy.zeros((4, 3))).shape
    (4, 3)
    """

    @built
    def __init__(
        self,
        size: int,
        model: ParameterCollection,
        layers: int = 1,
        activation: Activation = "relu",
        gate_bias: float = -2.0,
    ) -> None:
        super().__init__(model)
        self.inputs = size = whole("Highway", "size", size)
        self.activation = activation_of("Highway", activation)
        count = whole("Highway", "layers", layers)
        self.transforms = [
            Linear(size, size, self.model.add_subcollection("transform")) for _ in range(count)
        ]
        self.gates = [Linear(size, size, self.model.add_subcollection("gate")) for _ in range(count)]
        for gate in self.gates:
            assert gate.bias is not None
            gate.bias.set_value([gate_bias] * size)

    def _of(self, x: Expression) -> Expression:
        for transform, gate in zip(self.transforms, self.gates, strict=True):
            x = x + dy.cmult(dy.logistic(gate(x)), self.activation(transform(x)) - x)
        return x


class MixtureOfSoftmaxes(Module):
    """The logarithms of a mixture of K softmaxes: log Σ_k π_k softmax(V tanh(W_k x)) with π = softmax(U x).

    One softmax over a linear layer is a matrix of low rank in its logarithm, which limits language models; a
    mixture is not. `inputs` is the size of x (a vector), `outputs` that of the vocabulary, `hidden` that of
    each component, `inputs` by default. (Yang et al. 2018)

    >>> output = dy.nn.MixtureOfSoftmaxes(4, 10, 3, dy.ParameterCollection())
    >>> print(dy.sum_elems(dy.exp(output(dy.ones(4)))).npvalue().round(4))
    [1.]
    """

    @built
    def __init__(
        self,
        inputs: int,
        outputs: int,
        components: int,
        model: ParameterCollection,
        hidden: int | None = None,
    ) -> None:
        super().__init__(model)
        name = "MixtureOfSoftmaxes"
        self.inputs, self.outputs = whole(name, "inputs", inputs), whole(name, "outputs", outputs)
        self.components = whole(name, "components", components)
        self.hidden = self.inputs if hidden is None else whole(name, "hidden", hidden)
        self.prior = Linear(self.inputs, self.components, self.model.add_subcollection("prior"), bias=False)
        latent = self.model.add_subcollection("latent")
        self.latent = Linear(self.inputs, self.components * self.hidden, latent)
        self.output = Linear(self.hidden, self.outputs, self.model.add_subcollection("output"))

    @built
    def __call__(self, x: Expression) -> Expression:
        """The logarithms of the probabilities, (outputs,), of a vector x (inputs,), or of a batch of them."""
        x = rows("MixtureOfSoftmaxes", "x", x, self.inputs, (1,))
        batch = x.dim()[1]
        latent = dy.reshape(dy.tanh(self.latent(x)), (self.hidden, self.components), batch)
        priors = dy.reshape(dy.log_softmax(self.prior(x)), (1, self.components), batch)
        return dy.logsumexp_dim(dy.log_softmax(self.output(latent)) + priors, 1)


class Dropout(Module):
    """Sets each number to 0 with probability p in training, and divides the others by 1 - p; out of training
    it gives its argument back. It has no parameters, and so no collection; `axis` drops whole rows (0) or
    columns (1) of a matrix.

    >>> layer = dy.nn.Dropout(0.5)
    >>> layer.eval()(dy.ones(3)).value()
    [1.0, 1.0, 1.0]
    """

    @built
    def __init__(self, p: float, axis: int | None = None) -> None:
        self.p = rate("Dropout", "p", p)
        if axis not in (None, 0, 1):
            raise ValueError(f"Dropout: axis is {axis!r:.60}; None, 0 or 1 is needed")
        self.axis = axis

    @overload
    def __call__(self, x: Expression) -> Expression: ...
    @overload
    def __call__(self, x: Sequence[Expression]) -> list[Expression]: ...
    @built
    def __call__(self, x: Expression | Sequence[Expression]) -> Expression | list[Expression]:
        """x, or each of a list, after dropout."""
        if isinstance(x, list | tuple):
            return [self(each) for each in listed("Dropout", "x", x)]
        x = expression("Dropout", "x", x)
        if not self.training or not self.p:
            return x
        if self.axis is None:
            return dy.dropout(x, self.p)
        # dropout_dim keeps or drops what lies along an axis.
        return dy.dropout_dim(x, 1 - self.axis, self.p)
