"""Layers that compute what PyTorch's do where DyNet's own differ: its GRU, and its Transformer encoder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import dynet._dynet as dy
from dynet._dynet import Expression, ParameterCollection, Parameters
from dynet.arguments import told
from dynet.cell import cell


def _whole(call: str, name: str, value: Any, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{call}: {name} is {value!r}; a whole number from {least} on is needed")
    return value


def _check_model(call: str, model: object) -> None:
    if not isinstance(model, ParameterCollection):
        raise TypeError(f"{call}: model is {dy._a_kind(model)}; a ParameterCollection is needed")


# -- the GRU


@cell
def _gru_step(gates: Expression, last: Expression, weights: Expression, bias: Expression) -> Expression:
    """h from the input's part {3H} (reset, update, candidate) and the last h."""
    size = last.dim()[0][0]
    recurrent = dy.affine_transform([bias, weights, last])
    reset = dy.logistic(gates[:size] + recurrent[:size])
    update = dy.logistic(gates[size : 2 * size] + recurrent[size : 2 * size])
    candidate = dy.tanh(gates[2 * size :] + dy.cmult(reset, recurrent[2 * size :]))
    return candidate + dy.cmult(update, last - candidate)


class ResetAfterGRUState:
    """A state of a ResetAfterGRUBuilder; states form a tree, as those of other builders."""

    def __init__(
        self,
        builder: ResetAfterGRUBuilder,
        outputs: tuple[Expression, ...],
        prev: ResetAfterGRUState | None = None,
    ) -> None:
        self._builder, self._outputs, self._prev = builder, outputs, prev

    @told
    def add_input(self, x: Expression) -> ResetAfterGRUState:
        """The state after reading x."""
        return ResetAfterGRUState(self._builder, self._builder._step(x, self._outputs), self)

    @told
    def add_inputs(self, xs: Iterable[Expression] | Expression) -> list[ResetAfterGRUState]:
        """The states after each input."""
        states, state = [], self
        for x in dy._check_arguments(xs, "add_inputs"):
            state = state.add_input(x)
            states.append(state)
        return states

    @told
    def transduce(self, xs: Iterable[Expression] | Expression) -> list[Expression]:
        """The outputs after each input."""
        return [state._outputs[-1] for state in self.add_inputs(xs)]

    @told
    def output(self) -> Expression | None:
        """The output of the top layer; None before the first input, unless the state was given."""
        return self._outputs[-1] if self._outputs else None

    @told
    def h(self) -> tuple[Expression, ...]:
        """The output of each layer."""
        return self._outputs

    s = h

    @told
    def prev(self) -> ResetAfterGRUState | None:
        """The state before; None for the first."""
        return self._prev

    @told
    def b(self) -> ResetAfterGRUBuilder:
        """The builder."""
        return self._builder


class ResetAfterGRUBuilder:
    """The GRU whose reset gate comes after the matrix, as in torch.nn.GRU and in Keras (reset_after=True).

    The gates are r = σ(Wr x + bxr + Ur h + bhr) and z = σ(Wz x + bxz + Uz h + bhz), the candidate is
    n = tanh(Wn x + bxn + r ∘ (Un h + bhn)), and the output is (1 − z) ∘ n + z ∘ h.

    dy.GRUBuilder, as in the paper (Cho et al. 2014), has the gate before it: tanh(W x + U (r ∘ h) + b). The
    two learn equally well, but weights of one are not weights of the other.

    layers, input_dim and hidden_dim are numbers from 1 on; model gets a sub-collection with four parameters
    for each layer: W (3H, I), U (3H, H), bx (3H,), bh (3H,), rows ordered r, z, n. It serves wherever a
    builder does, also as the factory of a BiRNNBuilder, and dy.save knows it.

        >>> gru = dy.export.ResetAfterGRUBuilder(1, 3, 4, dy.ParameterCollection())
        >>> gru.initial_state().transduce([dy.inputVector([1, 2, 3])])[0].shape
        (4,)
    """

    @told
    def __init__(self, layers: int, input_dim: int, hidden_dim: int, model: ParameterCollection) -> None:
        name = type(self).__name__
        _check_model(name, model)
        sizes = {"layers": layers, "input_dim": input_dim, "hidden_dim": hidden_dim}
        self.layers, self.input_dim, self.hidden_dim = (_whole(name, n, v) for n, v in sizes.items())
        self._rate = 0.0
        dy._added_or_nothing(lambda: self._add_to(model))

    def _add_to(self, model: ParameterCollection) -> None:
        self.model = own = model.add_subcollection("reset-after-gru-builder")
        size = self.hidden_dim
        self._parameters = [
            [
                own.add_parameters((3 * size, size if layer else self.input_dim)),
                own.add_parameters((3 * size, size)),
                own.add_parameters(3 * size, init=0),
                own.add_parameters(3 * size, init=0),
            ]
            for layer in range(self.layers)
        ]

    def __repr__(self) -> str:
        sizes = f"layers={self.layers}, input_dim={self.input_dim}, hidden_dim={self.hidden_dim}"
        return f"{type(self).__name__}({sizes})"

    @property
    def spec(self) -> tuple[int, int, int]:
        """What from_spec makes another builder of."""
        return self.layers, self.input_dim, self.hidden_dim

    @classmethod
    @told
    def from_spec(cls, spec: tuple[int, int, int], model: ParameterCollection) -> ResetAfterGRUBuilder:
        """A builder from what `spec` of another one is."""
        layers, input_dim, hidden_dim = spec
        return cls(layers, input_dim, hidden_dim, model)

    @told
    def whoami(self) -> str:
        """The name of the class."""
        return "ResetAfterGRUBuilder"

    @told
    def param_collection(self) -> ParameterCollection:
        """The collection of the builder's parameters."""
        return self.model

    @told
    def get_parameters(self) -> list[list[Parameters]]:
        """The parameters of each layer."""
        return [list(layer) for layer in self._parameters]

    @told
    def set_dropout(self, f: float) -> None:
        """Sets the dropout rate of the inputs of each layer, drawn anew at each step."""
        if not 0 <= f < 1:
            raise ValueError(f"set_dropout: the rate is {f}; it must be in [0, 1)")
        self._rate = float(f)

    @told
    def disable_dropout(self) -> None:
        """Sets the dropout rate to zero."""
        self._rate = 0.0

    @told
    def initial_state(self, vecs: Sequence[Expression] | None = None) -> ResetAfterGRUState:
        """The state before the first input: zeros, or the outputs of each layer that are given."""
        given = tuple(dy._check_arguments(vecs, "initial_state")) if vecs is not None else ()
        if given and len(given) != self.layers:
            raise ValueError(f"initial_state: {len(given)} vectors were given; {self.layers} are needed")
        return ResetAfterGRUState(self, given)

    @told
    def final_state(self, xs: Iterable[Expression] | Expression) -> ResetAfterGRUState:
        """The state after reading all of xs."""
        first = self.initial_state()
        return (first.add_inputs(xs) or [first])[-1]

    def _step(self, x: Expression, before: tuple[Expression, ...]) -> tuple[Expression, ...]:
        outputs = []
        for layer, (weights, recurrent, bias, recurrent_bias) in enumerate(self._parameters):
            if self._rate > 0:
                x = dy.dropout(x, self._rate)
            gates = dy.affine_transform([bias, weights, x])
            if before:
                x = _gru_step(gates, before[layer], recurrent, recurrent_bias)
            else:
                x = self._first_step(gates, recurrent_bias)
            outputs.append(x)
        return tuple(outputs)

    def _first_step(self, gates: Expression, bias: Parameters) -> Expression:
        """The step from h = 0."""
        size = self.hidden_dim
        both = gates[: 2 * size] + bias[: 2 * size]
        candidate = dy.tanh(gates[2 * size :] + dy.cmult(dy.logistic(both[:size]), bias[2 * size :]))
        return candidate - dy.cmult(dy.logistic(both[size:]), candidate)


# -- the Transformer's encoder


class TransformerEncoderLayer:
    """A layer of a Transformer's encoder, as torch.nn.TransformerEncoderLayer without dropout.

        x = norm1(x + attention(x))
        x = norm2(x + linear2(activation(linear1(x))))

    or, with norm_first, x + attention(norm1(x)), and then x + linear2(activation(linear1(norm2(x)))). x is a
    matrix (d_model, length), a column for each position, with a batch or without; so is the result. Attention
    has nhead heads, of which each has d_model / nhead rows.

    activation is "relu" or "gelu" (the exact one, by erf). layer_norm_eps is added to the variances. A mask,
    (length, length) or (length, 1), is added to the scores (keys, queries) before the softmax: 0 where a
    query may see a key, -inf where not. `parameters` are named as in PyTorch.

        >>> layer = dy.export.TransformerEncoderLayer(4, 2, 8, dy.ParameterCollection())
        >>> layer(dy.random_normal((4, 5))).shape
        (4, 5)
    """

    @told
    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        model: ParameterCollection,
        activation: str = "relu",
        norm_first: bool = False,
        layer_norm_eps: float = 1e-5,
    ) -> None:
        name = type(self).__name__
        _check_model(name, model)
        sizes = {"d_model": d_model, "nhead": nhead, "dim_feedforward": dim_feedforward}
        self.d_model, self.nhead, self.dim_feedforward = (_whole(name, n, v) for n, v in sizes.items())
        if d_model % nhead:
            raise ValueError(f"{name}: {nhead} heads of {d_model} rows; d_model must be a multiple of nhead")
        if activation not in ("relu", "gelu"):
            raise ValueError(f'{name}: activation is {activation!r}; "relu" or "gelu" is needed')
        if not layer_norm_eps > 0:
            raise ValueError(f"{name}: layer_norm_eps is {layer_norm_eps}; a positive number is needed")
        self.activation, self.norm_first = activation, bool(norm_first)
        self.layer_norm_eps = float(layer_norm_eps)
        dy._added_or_nothing(lambda: self._add_to(model))

    def _add_to(self, model: ParameterCollection) -> None:
        self.model = own = model.add_subcollection("transformer-encoder-layer")
        size, inner = self.d_model, self.dim_feedforward
        shapes = {
            "self_attn.in_proj_weight": (3 * size, size),
            "self_attn.in_proj_bias": (3 * size,),
            "self_attn.out_proj.weight": (size, size),
            "self_attn.out_proj.bias": (size,),
            "linear1.weight": (inner, size),
            "linear1.bias": (inner,),
            "linear2.weight": (size, inner),
            "linear2.bias": (size,),
            "norm1.weight": (size,),
            "norm1.bias": (size,),
            "norm2.weight": (size,),
            "norm2.bias": (size,),
        }

        def start(name: str, shape: tuple[int, ...]) -> Any:
            return None if len(shape) == 2 else 1 if name.startswith("norm") and "weight" in name else 0

        #: PyTorch's name of each parameter.
        self.parameters: dict[str, Parameters] = {
            name: own.add_parameters(shape, init=start(name, shape), name=name)
            for name, shape in shapes.items()
        }

    def __repr__(self) -> str:
        sizes = f"d_model={self.d_model}, nhead={self.nhead}, dim_feedforward={self.dim_feedforward}"
        return f"{type(self).__name__}({sizes}, activation={self.activation!r}, norm_first={self.norm_first})"

    @property
    def spec(self) -> tuple[Any, ...]:
        """What from_spec makes another layer of."""
        sizes = self.d_model, self.nhead, self.dim_feedforward
        return *sizes, self.activation, self.norm_first, self.layer_norm_eps

    @classmethod
    @told
    def from_spec(cls, spec: tuple[Any, ...], model: ParameterCollection) -> TransformerEncoderLayer:
        """A layer from what `spec` of another one is."""
        d_model, nhead, dim_feedforward, *others = spec
        return cls(d_model, nhead, dim_feedforward, model, *others)

    @told
    def param_collection(self) -> ParameterCollection:
        """The collection of the layer's parameters."""
        return self.model

    @told
    def __call__(self, x: Expression, mask: Expression | None = None) -> Expression:
        """The layer's output for x (d_model, length)."""
        if self.norm_first:
            x = x + self._attention(self._norm(x, "norm1"), mask)
            return x + self._feed_forward(self._norm(x, "norm2"))
        x = self._norm(x + self._attention(x, mask), "norm1")
        return self._norm(x + self._feed_forward(x), "norm2")

    def _linear(self, x: Expression, name: str) -> Expression:
        joint = "_" if name.endswith("proj") and name.startswith("self_attn.in") else "."
        weight, bias = (self.parameters[f"{name}{joint}{what}"] for what in ("weight", "bias"))
        return dy.colwise_add(weight * x, bias)

    def _attention(self, x: Expression, mask: Expression | None) -> Expression:
        size, projected = self.d_model, self._linear(x, "self_attn.in_proj")
        q, k, v = (dy.pick_range(projected, part * size, (part + 1) * size) for part in range(3))
        return self._linear(dy.attention(q, k, v, self.nhead, mask=mask), "self_attn.out_proj")

    def _feed_forward(self, x: Expression) -> Expression:
        activation = dy.rectify if self.activation == "relu" else dy.gelu
        return self._linear(activation(self._linear(x, "linear1")), "linear2")

    def _norm(self, x: Expression, name: str) -> Expression:
        """Each column with mean 0 and variance 1, then scaled and moved."""
        weight, bias = self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]
        return dy.layer_norm(x, weight, bias, d=[0], epsilon=self.layer_norm_eps)
