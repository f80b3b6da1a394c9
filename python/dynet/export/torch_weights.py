"""Weights from and to PyTorch's state dicts: which arrays of theirs are which parameters of ours.

PyTorch orders an LSTM's rows i, f, g, o and has two biases, which it adds; ours are i, f, o, g with one bias,
and forget_bias is added to f. What leaves has our bias in bias_ih and forget_bias in bias_hh, so that it
comes back with the same bits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from dynet import _dynet
from dynet._dynet import LookupParameters, Parameters
from dynet.arguments import told
from dynet.export.files import Array, array_of_torch, arrays_by_name, narrowed
from dynet.export.layers import ResetAfterGRUBuilder, TransformerEncoderLayer
from dynet.export.packages import package
from dynet.export.torch_settings import check_settings
from dynet.rnn import BiRNNBuilder

Parameter: TypeAlias = Parameters | LookupParameters
Arrays: TypeAlias = dict[str, Array]


@dataclass(frozen=True)
class Part:
    """Some of PyTorch's arrays, and the parameters that they become."""

    owner: str  # what it belongs to, for messages
    shapes: dict[str, tuple[int, ...]]  # PyTorch's names, and what their arrays should be
    parameters: Sequence[Parameter]
    #: The parameters' values from PyTorch's arrays, and the reverse; both in the order above.
    inward: Callable[[list[Array]], list[Array]]
    outward: Callable[[list[Array]], list[Array]]
    optional: frozenset[str] = frozenset()  # zeros where they are missing: layers without biases


def _same(arrays: list[Array]) -> list[Array]:
    return arrays


def _plain(name: str, parameter: Parameter) -> Part:
    """One array as it is."""
    shape = tuple(parameter.as_array().shape)
    return Part(parameter.name(), {name: shape}, [parameter], _same, _same)


# -- recurrent networks

_KINDS: dict[str, str] = {
    "VanillaLSTMBuilder": "lstm",
    "CompactVanillaLSTMBuilder": "lstm",
    "SimpleRNNBuilder": "rnn",
    "ResetAfterGRUBuilder": "gru",
}
_REASONS = {
    "GRUBuilder": "its reset gate comes before the matrix, PyTorch's after it; "
    "dy.export.ResetAfterGRUBuilder computes what torch.nn.GRU does",
    "CoupledLSTMBuilder": "its forget gate is coupled to the input gate; PyTorch has no such LSTM",
    "FastLSTMBuilder": "its forget gate is coupled to the input gate; PyTorch has no such LSTM",
    "DeepLSTMBuilder": "its layers read the input, too; PyTorch has no such LSTM",
    "SparseLSTMBuilder": "it has masks on its weights; PyTorch has no such LSTM",
}


def _kind_of(builder: Any) -> str:
    for kind in type(builder).__mro__:
        if kind.__name__ in _REASONS:
            raise TypeError(f"{kind.__name__}: {_REASONS[kind.__name__]}")
        if kind.__name__ in _KINDS:
            if isinstance(builder, _dynet.VanillaLSTMBuilder) and builder.spec[3]:
                raise TypeError("VanillaLSTMBuilder with ln_lstm: PyTorch has no LSTM that is normalised")
            return _KINDS[kind.__name__]
    raise TypeError(f"{type(builder).__name__} has no counterpart in PyTorch")


def _forget_bias(builder: Any) -> float:
    return float(builder.spec[4]) if isinstance(builder, _dynet.VanillaLSTMBuilder) else 1.0


def _reordered(array: Array) -> Array:
    """The rows of g and o change places; again, and they are back."""
    i, f, third, fourth = np.split(array, 4)
    return np.concatenate([i, f, fourth, third])


def _lstm_maps(forget_bias: float) -> tuple[Any, Any]:
    def added(size: int) -> Array:
        bias = np.zeros(4 * size)
        bias[size : 2 * size] = forget_bias
        return bias

    def inward(arrays: list[Array]) -> list[Array]:
        weights, recurrent, bias, other = (_reordered(array.astype(np.float64)) for array in arrays)
        return [weights, recurrent, bias + (other - added(len(bias) // 4))]

    def outward(arrays: list[Array]) -> list[Array]:
        weights, recurrent, bias = map(_reordered, arrays)
        return [weights, recurrent, bias, added(len(bias) // 4).astype(bias.dtype)]

    return inward, outward


def _rnn_inward(arrays: list[Array]) -> list[Array]:
    weights, recurrent, bias, other = arrays
    return [weights, recurrent, bias.astype(np.float64) + other]


def _rnn_outward(arrays: list[Array]) -> list[Array]:
    weights, recurrent, bias = arrays
    return [weights, recurrent, bias, np.zeros_like(bias)]


def _layer(builder: Any, parameters: Sequence[Parameters], prefix: str, suffix: str) -> Part:
    """One layer of a network in one direction."""
    kind = _kind_of(builder)
    weights, recurrent = (tuple(p.shape()) for p in parameters[:2])
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    shapes = (weights, recurrent, weights[:1], weights[:1])
    maps = {"rnn": (_rnn_inward, _rnn_outward), "gru": (_same, _same)}
    inward, outward = maps[kind] if kind in maps else _lstm_maps(_forget_bias(builder))
    named = {f"{prefix}{name}{suffix}": shape for name, shape in zip(names, shapes, strict=True)}
    return Part(repr(builder), named, parameters, inward, outward, frozenset(list(named)[2:]))


def _recurrent(builder: Any, prefix: str) -> Iterator[Part]:
    for number, layer in enumerate(builder.get_parameters()):
        _kind_of(builder)
        yield _layer(builder, layer, prefix, f"_l{number}")


def _bidirectional(builder: BiRNNBuilder, prefix: str) -> Iterator[Part]:
    for number, pair in enumerate(builder.builder_layers):
        for network, direction in zip(pair, ("", "_reverse"), strict=True):
            _kind_of(network)
            layers = network.get_parameters()
            if len(layers) != 1:
                raise TypeError(
                    f"BiRNNBuilder of networks with {len(layers)} layers; PyTorch's have one each"
                )
            yield _layer(network, layers[0], prefix, f"_l{number}{direction}")


# -- all targets


def _parts(target: Any, name: str = "") -> Iterator[Part]:
    """What a target is made of; `name` is what its arrays are called, or what their names begin with."""
    prefix = f"{name}." if name else ""
    if isinstance(target, Parameters | LookupParameters):
        yield _plain(name or "weight", target)
    elif isinstance(target, Mapping):
        for key, each in target.items():
            if isinstance(key, bool) or not isinstance(key, str | int):
                raise TypeError(f"{name or 'target'} has the key {key!r:.40}; the name of a module is needed")
            yield from _parts(each, f"{prefix}{key}")
    elif isinstance(target, TransformerEncoderLayer):
        for own, parameter in target.parameters.items():
            yield _plain(prefix + own, parameter)
    elif isinstance(target, BiRNNBuilder):
        yield from _bidirectional(target, prefix)
    elif isinstance(target, _dynet._RNNBuilder | ResetAfterGRUBuilder):
        yield from _recurrent(target, prefix)
    elif isinstance(target, tuple | list) and 1 <= len(target) <= 2:
        for own, parameter in zip(("weight", "bias"), target, strict=False):
            is_table = isinstance(parameter, LookupParameters) and len(target) == 1
            if not isinstance(parameter, Parameters) and not is_table:
                raise TypeError(
                    f"{name or 'a pair'}: {_dynet._a_kind(parameter)} was given; Parameters are needed"
                )
            yield _plain(prefix + own, parameter)
    else:
        raise TypeError(
            f"{name or 'target'} is {_dynet._a_kind(target)}; a parameter, a pair (weight, bias), a builder, "
            "a TransformerEncoderLayer, or a dict of such by name is needed"
        )


def _all_parts(target: Any) -> list[Part]:
    parts = list(_parts(target))
    names = [name for part in parts for name in part.shapes]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"two arrays would have the name {twice}")
    return parts


def _as_array(name: str, value: Any) -> Array:
    array = array_of_torch(value) if hasattr(value, "detach") else np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} is an array of {array.dtype}; numbers are needed")
    return array


def _arrays_of(state: Any) -> Arrays:
    """The arrays of a state dict, of a module, or of a file."""
    if isinstance(state, str | os.PathLike):
        return {name: _as_array(name, array) for name, array in arrays_by_name(state).items()}
    if hasattr(state, "state_dict"):
        state = state.state_dict()
    if not isinstance(state, Mapping):
        raise TypeError(
            f"state is {_dynet._a_kind(state)}; a state dict, a module of PyTorch, or the name of a file is "
            "needed"
        )
    return {str(name): _as_array(str(name), value) for name, value in state.items()}


def _values(part: Part, arrays: Arrays) -> list[Array]:
    """What the parameters of a part become."""
    found = []
    for name, shape in part.shapes.items():
        array = arrays.get(name, np.zeros(shape) if name in part.optional else None)
        assert array is not None  # Missing names were told before.
        if array.shape != shape:
            raise ValueError(f"{name} has the shape {array.shape}; {part.owner} needs {shape}")
        found.append(array)
    return part.inward(found)


def _listed(names: Sequence[str]) -> str:
    most = 5
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _hint(unexpected: Sequence[str]) -> str:
    if any(name.endswith("_reverse") for name in unexpected):
        return "; a BiRNNBuilder has both directions"
    if any(".weight_hr_l" in f".{name}" for name in unexpected):
        return "; an LSTM with proj_size has no counterpart"
    return ""


@told
def from_torch(state: Any, target: Any, strict: bool = True) -> None:
    """Gives parameters the weights of a PyTorch state dict. All of it or nothing.

    state: what module.state_dict() is, the module itself, a dict of NumPy arrays under PyTorch's names, or
    the name of a .safetensors, .npz or .pt file, of which only .pt needs PyTorch.

    target says what the arrays are for:

    - a VanillaLSTMBuilder or CompactVanillaLSTMBuilder (torch.nn.LSTM), a SimpleRNNBuilder (torch.nn.RNN with
      tanh), a dy.export.ResetAfterGRUBuilder (torch.nn.GRU), of as many layers, or a BiRNNBuilder of these
      (bidirectional=True; its hidden_dim is twice hidden_size); with bias=False the biases become zeros;
    - a pair of parameters (weight, bias) (torch.nn.Linear, LayerNorm) or a list of a weight alone;
    - LookupParameters (torch.nn.Embedding: "weight"), or Parameters of the same shape;
    - a dy.export.TransformerEncoderLayer (torch.nn.TransformerEncoderLayer);
    - a dict of such by the names of the submodules: {"embed": table, "lstm": builder, "out": (W, b)}; numbers
      are names, too, as in torch.nn.Sequential. A parameter may have its whole name: {"embed.weight": table}.

    ValueError where a shape differs, RuntimeError where an array is missing or is too many (with strict=False
    those that are too many are left alone). Then nothing has changed. A module's settings that the target
    does not compute (nonlinearity="relu", another activation or nhead, …) are a ValueError, too; a state dict
    or a file does not tell them. An LSTM's two biases become their sum.

        >>> weight = dy.ParameterCollection().add_parameters((2, 3))
        >>> dy.export.from_torch({"out.weight": np.ones((2, 3))}, {"out": [weight]})
        >>> weight.as_array().tolist()
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    parts = _all_parts(target)
    if hasattr(state, "state_dict"):
        check_settings(state, target)
    arrays = _arrays_of(state)
    wanted = {name: name in part.optional for part in parts for name in part.shapes}
    for name in wanted:  # A parameter may be called by the name of its module.
        if name not in arrays and f"{name}.weight" in arrays.keys() - wanted.keys():
            arrays[name] = arrays.pop(f"{name}.weight")
    missing = [name for name, is_optional in wanted.items() if name not in arrays and not is_optional]
    unexpected = [name for name in arrays if name not in wanted] if strict else []
    if missing or unexpected:
        lacks = f"the state dict has no {_listed(missing)}" if missing else ""
        extra = f"nothing in the target is for {_listed(unexpected)}" if unexpected else ""
        raise RuntimeError("; ".join(filter(None, (lacks, extra))) + _hint(unexpected))
    values = [
        (parameter, narrowed(parameter.name(), value))
        for part in parts
        for parameter, value in zip(part.parameters, _values(part, arrays), strict=True)
    ]
    for parameter, value in values:
        if isinstance(parameter, LookupParameters):
            parameter.init_from_array(value)
        else:
            parameter.set_value(value)


@told
def to_numpy(target: Any) -> Arrays:
    """The weights of a target under PyTorch's names and in PyTorch's order, as NumPy arrays (copies).

    target is what from_torch takes; from_torch(to_numpy(target), other) copies weights to the bit.
    dy.export.write puts such a dict into a .safetensors file, which PyTorch reads.

        >>> lstm = dy.VanillaLSTMBuilder(1, 3, 4, dy.ParameterCollection())
        >>> list(dy.export.to_numpy({"lstm": lstm}))[:2]
        ['lstm.weight_ih_l0', 'lstm.weight_hh_l0']
    """
    arrays: Arrays = {}
    for part in _all_parts(target):
        values = part.outward([parameter.as_array() for parameter in part.parameters])
        arrays.update((name, np.ascontiguousarray(v)) for name, v in zip(part.shapes, values, strict=True))
    return arrays


@told
def to_torch(target: Any) -> dict[str, Any]:
    """The weights of a target as a state dict of PyTorch, which module.load_state_dict takes.

    target is what from_torch takes. An LSTM's bias_ih has our bias, bias_hh the forget bias.

        >>> lstm = dy.VanillaLSTMBuilder(1, 3, 4, dy.ParameterCollection())
        >>> torch.nn.LSTM(3, 4).load_state_dict(dy.export.to_torch(lstm))
        <All keys matched successfully>
    """
    torch = package("torch", "to_torch")
    return {name: torch.from_numpy(array.copy()) for name, array in to_numpy(target).items()}
