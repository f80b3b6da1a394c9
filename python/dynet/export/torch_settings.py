"""What a module of PyTorch computes besides its weights, which a target of ours must compute, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dynet import _dynet
from dynet._dynet import LookupParameters
from dynet.export.layers import ResetAfterGRUBuilder, TransformerEncoderLayer
from dynet.rnn import BiRNNBuilder

#: PyTorch's own names of what its recurrent networks compute, and ours.
_MODES = {"LSTM": "lstm", "GRU": "gru", "RNN_TANH": "rnn"}


def _submodule(module: Any, name: str) -> Any:
    """None where there is no such module: then its arrays are missing, too."""
    for part in filter(None, name.split(".")):
        module = getattr(module, "_modules", {}).get(part)
    return module


def _recurrent(module: Any, kind: str) -> Iterator[str]:
    mode, projection = getattr(module, "mode", None), getattr(module, "proj_size", 0)
    if mode == "RNN_RELU":
        yield 'has nonlinearity="relu", and SimpleRNNBuilder computes tanh'
    elif mode is not None and _MODES.get(mode) != kind:
        yield f"computes {mode}, and the target is for another network"
    if projection:
        yield f"has proj_size={projection}, which no builder computes"


def _activation(module: Any) -> str | None:
    """By its name, as a function, a module, or what PyTorch has made of "relu" and "gelu"."""
    activation: Any = getattr(module, "activation", None)
    if getattr(activation, "approximate", "none") != "none":
        return f"gelu ({activation.approximate})"
    name = getattr(activation, "__name__", type(activation).__name__).lower()
    return None if activation is None else name


def _encoder(module: Any, target: TransformerEncoderLayer) -> Iterator[str]:
    theirs = [
        ("nhead", getattr(_submodule(module, "self_attn"), "num_heads", None)),
        ("activation", _activation(module)),
        ("norm_first", getattr(module, "norm_first", None)),
        *(("layer_norm_eps", getattr(_submodule(module, norm), "eps", None)) for norm in ("norm1", "norm2")),
    ]
    for name, value in theirs:
        own = getattr(target, name)
        if value is not None and value != own:
            yield f"has {name}={value!r}, and the target {name}={own!r}"


def _differences(module: Any, target: Any) -> Iterator[str]:
    if isinstance(target, TransformerEncoderLayer):
        yield from _encoder(module, target)
    elif isinstance(target, BiRNNBuilder):
        yield from _differences(module, target.builder_layers[0][0])
    elif isinstance(target, ResetAfterGRUBuilder):
        yield from _recurrent(module, "gru")
    elif isinstance(target, _dynet._RNNBuilder):
        yield from _recurrent(module, "rnn" if isinstance(target, _dynet.SimpleRNNBuilder) else "lstm")
    elif isinstance(target, LookupParameters) and getattr(module, "max_norm", None) is not None:
        yield f"has max_norm={module.max_norm}, by which its rows change when they are looked up"


def check_settings(module: Any, target: Any, name: str = "") -> None:
    """ValueError unless the target computes what the module does, as far as its settings tell."""
    if isinstance(target, Mapping):
        for key, each in target.items():
            check_settings(module, each, f"{name}.{key}" if name else str(key))
        return
    own = _submodule(module, name.removesuffix(".weight"))
    for difference in _differences(own, target):
        raise ValueError(f"{name or 'the module'} ({type(own).__name__}) {difference}")
