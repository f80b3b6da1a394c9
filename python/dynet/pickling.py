"""Pickles and deep copies of collections, parameters, builders and trainers, by which processes send models.

Several handles may refer to one parameter or collection. For each of those there is one `Shared` object while
a pickle is written, which the pickler writes once: what belongs together stays together. A parameter brings
itself alone; a collection brings those that it lies in, up to the root, and all their parameters; a builder
brings its collection, and a trainer the one that it trains. What a root and its trainers have is of one
moment, when the first of it is asked for: other threads may go on training.
"""

from __future__ import annotations

import copyreg
import threading
import weakref
from collections.abc import Callable
from typing import Any, NoReturn

from dynet import _dynet, specs
from dynet._dynet import (
    LookupParameters,
    ParameterCollection,
    Parameters,
    PyInitializer,
    SoftmaxBuilder,
    Trainer,
    _RNNBuilder,
    _TreeLSTMBuilder,
)
from dynet.rnn import BiRNNBuilder

_HANDLES = (Parameters, LookupParameters, ParameterCollection)
_BUILDERS = (_RNNBuilder, _TreeLSTMBuilder, SoftmaxBuilder)


class _Known(threading.local):
    """What the calling thread pickles; others have their own, read at another moment."""

    def __init__(self) -> None:
        self.shared: weakref.WeakValueDictionary[int, Shared] = weakref.WeakValueDictionary()
        self.moments: weakref.WeakValueDictionary[int, _dynet._Moment] = weakref.WeakValueDictionary()


_known = _Known()


def moment(of: Any) -> _dynet._Moment:
    """When the first of all that belongs together with a parameter, a collection or a trainer was met."""
    key = _dynet._family(of)
    found = _known.moments.get(key)
    if found is None:
        found = _known.moments[key] = _dynet._Moment(of)
    return found


class Shared:
    """A parameter, a table or a collection: one object for all handles that there are of it."""

    __slots__ = ("__weakref__", "handle", "moment")

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.moment = moment(handle)

    def __reduce__(self) -> tuple[Any, ...]:
        if not isinstance(self.handle, ParameterCollection):
            return parameter, self.moment.of_parameter(self.handle)
        name, parent, decay, *listed_handles = _dynet._collection_state(self.handle)
        handles, names = listed_handles[:2], listed_handles[2:]
        above = None if parent is None else shared(parent)
        listed = [[shared(p) for p in each] for each in handles]
        return collection, (name, above, decay, *listed, *names)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """The arrays are copies already."""
        make, arguments = self.__reduce__()
        if make is parameter:
            return make(*arguments)
        from copy import deepcopy

        return make(*deepcopy(arguments, memo))


def shared(handle: Any) -> Shared:
    """The one object of what a handle refers to."""
    key = _dynet._identity(handle)
    found = _known.shared.get(key)
    if found is None:
        found = _known.shared[key] = Shared(handle)
    return found


# -- what pickles call


def _check(function: str, checked: bool, given: object, needed: str) -> None:
    if not checked:
        raise TypeError(f"unpickling: {function}: {_dynet._a_kind(given)} was given; {needed} is needed")


def parameter(is_table: bool, array: Any, name: bytes, updated: bool) -> Any:
    """A parameter or a table that is in no collection yet."""
    return _dynet._make_parameter(is_table, array, name, updated)


def collection(
    name: bytes,
    parent: ParameterCollection | None,
    decay: float,
    parameters: list[Any],
    tables: list[Any],
    *names: Any,
) -> ParameterCollection:
    """A collection of parameters that are there."""
    return _dynet._make_collection(name, parent, decay, parameters, tables, *names)


def handle(what: Any) -> Any:
    """A handle is itself."""
    _check("handle", type(what) in _HANDLES, what, "a parameter or a collection")
    return what


def collection_as(kind: type, what: ParameterCollection) -> Any:
    """A handle of a class that derives from ParameterCollection."""
    return _dynet._collection_as(kind, what)


def initializer(kind: Any, base: Any, arguments: tuple[Any, ...]) -> Any:
    """An initializer; the __init__ of a class that derives from ours is not called."""
    _check("initializer", _is_ours(base, PyInitializer) and issubclass(kind, base), kind, "one of its class")
    made = base.__new__(kind)
    base.__init__(made, *arguments)
    return made


def builder(kind: Any, base: Any, spec: tuple[Any, ...], collections: list[Any], rates: list[float]) -> Any:
    """A builder of the parameters of a collection; the __init__ of a class that derives is not called."""
    _check("builder", _is_ours(base, *_BUILDERS) and issubclass(kind, base), kind, "a class of builders")
    _check(
        "builder", type(collections) is list and len(collections) > 0, collections, "a list of collections"
    )
    made = _dynet._with_given(collections, lambda: specs.made_as(kind, base, spec, collections[0]))
    _dynet._restore_rates(made, rates)
    return made


def trainer(kind: Any, base: Any, model: ParameterCollection, numbers: Any, lists: Any) -> Any:
    """A trainer of a collection, as far as it was; the __init__ of a class that derives is not called."""
    _check("trainer", _is_ours(base, Trainer) and issubclass(kind, base), kind, "a class of trainers")
    _check("trainer", isinstance(model, ParameterCollection), model, "a collection")
    made = base.__new__(kind)
    base.__init__(made, model)
    _dynet._restore_trainer(made, numbers, lists)
    return made


# -- what objects are reduced to


def _is_ours(base: Any, *kinds: type) -> bool:
    is_class = isinstance(base, type) and issubclass(base, kinds) and base not in kinds
    return is_class and base.__module__ == _dynet.ParameterCollection.__module__


def _base(self: object) -> type:
    """The class of ours that an object is of, or derives from."""
    own = _dynet.ParameterCollection.__module__
    return next(base for base in type(self).__mro__ if base.__module__ == own)


def _attributes(self: Any) -> Any:
    """What a program has added to an object, as pickle asks for it; not what belongs to a graph."""

    def lasting(attributes: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in attributes.items() if name != "_dynet_initial_state"}

    state = getattr(type(self), "__getstate__", None)
    if state is not None and state is not getattr(object, "__getstate__", None):
        given = state(self)
        return lasting(given) if type(given) is dict else given
    own = lasting(getattr(self, "__dict__", {}))
    names = copyreg._slotnames(type(self))  # type: ignore[attr-defined]
    slots = {name: getattr(self, name) for name in names if hasattr(self, name)}
    return (own or None, slots) if slots else own or None


def _reduced(make: Callable[..., Any], arguments: tuple[Any, ...], self: Any) -> tuple[Any, ...]:
    attributes = _attributes(self)
    return (make, arguments) if attributes is None else (make, arguments, attributes)


def _reduce_handle(self: Any) -> tuple[Any, ...]:
    if type(self) in _HANDLES:
        return handle, (shared(self),)
    return _reduced(collection_as, (type(self), shared(self)), self)


def _reduce_initializer(self: Any) -> tuple[Any, ...]:
    return _reduced(initializer, (type(self), _base(self), self._arguments()), self)


def _reduce_builder(self: Any) -> tuple[Any, ...]:
    collections, rates = _dynet._builder_state(self)
    base: Any = _base(self)
    spec = (base.spec if hasattr(base, "spec") else base._spec).__get__(self)
    return _reduced(builder, (type(self), base, spec, [shared(c) for c in collections], rates), self)


def _reduce_trainer(self: Any) -> tuple[Any, ...]:
    model = shared(_dynet._model_of(self))
    return _reduced(trainer, (type(self), _base(self), model, *model.moment.of_trainer(self)), self)


def _refuse_copy(self: object) -> NoReturn:
    name = type(self).__name__
    raise TypeError(
        f"copy.copy: a copy of this {name} would share its parameters; copy.deepcopy makes one with its own"
    )


def _refusal(reason: str) -> Callable[..., NoReturn]:
    def refuse(self: object, *_: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__}: {reason}")

    return refuse


_OF_A_GRAPH = "it belongs to a graph, which is neither pickled nor copied; "
_REFUSED = {
    "Expression": _OF_A_GRAPH + "its value() or npvalue() can be",
    "Tensor": _OF_A_GRAPH + "its numbers, as an array, can be",
    "RNNState": _OF_A_GRAPH + "the values of its s() can be, and initial_state_from_raw_vectors takes them",
    "ComputationGraph": "graphs are neither pickled nor copied; models and the values of expressions can be",
}


def _operation(function: Any) -> str:
    """Functions of extensions, as those of Python, are found by their names."""
    return str(function.__qualname__)


def _method(method: Any) -> tuple[Any, ...]:
    return getattr, (method.__self__, method.__name__)


def teach_classes() -> None:
    """Tells the classes what pickle and copy ask them."""
    for name, reason in _REFUSED.items():
        getattr(_dynet, name).__reduce__ = _refusal(reason)
    with_parameters: list[tuple[Any, Any]] = [
        *((kind, _reduce_handle) for kind in _HANDLES),
        *((kind, _reduce_builder) for kind in _BUILDERS),
        (Trainer, _reduce_trainer),
        (BiRNNBuilder, None),  # A class of Python's, which needs no help but this.
    ]
    for kind, reduce in with_parameters:
        kind.__copy__ = _refuse_copy
        if reduce is not None:
            kind.__reduce__ = reduce
    PyInitializer.__reduce__ = _reduce_initializer  # type: ignore[method-assign]
    copyreg.pickle(type(_dynet.ops), _operation)
    copyreg.pickle(type(ParameterCollection().name), _method)
