"""What layers have in common: parameters with names, training or not, and what dy.save needs to know."""

from __future__ import annotations

import contextlib
import functools
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from dynet._dynet import Expression, ParameterCollection, _a_kind, _added_or_nothing
from dynet.arguments import told
from dynet.data.vocabulary import Vocabulary

M = TypeVar("M", bound="Module")


def _recorded(init: Callable[..., None]) -> Callable[..., None]:
    """An __init__ that keeps what it was given, and adds no parameters when it fails."""

    @functools.wraps(init)
    def made(self: Module, *args: Any, **options: Any) -> None:
        if "_given" in vars(self):  # that of a class it derives from
            init(self, *args, **options)
            return
        self._given = args, options
        _added_or_nothing(lambda: init(self, *args, **options))

    return made


def _from_spec(cls: type[M], spec: tuple[tuple[str, Any], ...], model: ParameterCollection) -> M:
    """A new object from the `spec` of another one, with new parameters in the collection model."""
    return cls(**{name: _made(value) for name, value in spec}, model=model)


def _plain(value: Any) -> Any:
    """An argument as a spec may have it: a vocabulary, which has no parameters, is class and spec."""
    return (type(value), value.spec) if isinstance(value, Vocabulary) else value


def _made(value: Any) -> Any:
    """An argument of what a spec has for it."""
    is_vocabulary = isinstance(value, tuple) and len(value) == 2 and value[0] is Vocabulary
    return Vocabulary.from_spec(value[1]) if is_vocabulary else value


class Module:
    """A layer, or a network of layers: derive from it, and make the parts in __init__.

        class Tagger(dy.nn.Module):
            def __init__(self, words, tags, model):
                super().__init__(model)
                self.embedding = dy.nn.Embedding(words, 64, self.model)
                self.context = dy.nn.BiLSTM(64, 128, self.model, dropout=0.3)
                self.output = dy.nn.Linear(128, len(tags), self.model)

            def __call__(self, words):
                return self.output(self.context(self.embedding(words)))

    super().__init__(model) makes self.model, a sub-collection of model with the class's name, for the
    parameters of this object. Parts are found in attributes, and in lists, tuples and dictionaries of them.

    A module begins in training, where dropout is on. eval() and train() switch it, and its parts, off and on;
    `with module.evaluating():` does so for a block. dy.save and dy.load take a module whose __init__ has an
    argument `model`; the others, which `spec` has, must be plain values.
    """

    #: Whether dropout is on.
    training: bool = True
    _given: tuple[tuple[Any, ...], dict[str, Any]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__init__ = _recorded(cls.__init__)  # type: ignore[method-assign]
        if not cls.__module__.startswith("dynet.") and "from_spec" not in vars(cls):
            # One of its own, by which dy.save knows that it can be made again.
            cls.from_spec = classmethod(_from_spec)  # type: ignore[assignment]

    def __init__(self, model: ParameterCollection, name: str = "") -> None:
        kind = type(self).__name__
        if not isinstance(model, ParameterCollection):
            raise TypeError(f"{kind}: model is {_a_kind(model)}; a ParameterCollection is needed")
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", kind).lower()
        #: The collection of the module's parameters, a sub-collection of the one it was made with.
        self.model = model.add_subcollection(name or words)

    def parts(self) -> Iterator[Any]:
        """The modules and builders that this one holds, as attributes or in lists, tuples and dictionaries
        that are attributes; not the parts of those.

        >>> mlp = dy.nn.MLP([3, 5, 2], dy.ParameterCollection())
        >>> [type(part).__name__ for part in mlp.parts()]
        ['Linear', 'Linear']
        """
        for name, value in vars(self).items():
            if not name.startswith("_"):
                yield from _parts_of(value)

    def train(self: M, mode: bool = True) -> M:
        """Switches dropout of this module and all its parts on, or off with mode=False; gives the module.

        >>> layer = dy.nn.Dropout(0.5)
        >>> layer.train(False)(dy.ones(2)).value()
        [1.0, 1.0]
        """
        self.training = bool(mode)
        self._mode_changed()
        for part in self.parts():
            if isinstance(part, Module):
                part.train(mode)
        return self

    def eval(self: M) -> M:
        """Switches dropout of this module and all its parts off, as train(False) does.

        >>> layer = dy.nn.Dropout(0.5).eval()
        >>> layer.training
        False
        """
        return self.train(False)

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """A block in which dropout is off; after it each part is as it was before.

        >>> layer = dy.nn.Dropout(0.5)
        >>> with layer.evaluating(): print(layer(dy.ones(2)).value())
        [1.0, 1.0]
        """
        before = [(each, each.training) for each in self._all()]
        self.eval()
        try:
            yield
        finally:
            for each, mode in before:
                each.training = mode
                each._mode_changed()

    def param_collection(self) -> ParameterCollection:
        """The collection of the module's parameters, `model`: its numbers can be saved, frozen or updated
        apart from others.

        >>> layer = dy.nn.Linear(3, 2, dy.ParameterCollection())
        >>> [p.name() for p in layer.param_collection().parameters_list()]
        ['/linear/weight', '/linear/bias']
        """
        return self.model

    @property
    def spec(self) -> tuple[Any, ...]:
        """What the module was made of besides its collection: pairs of an argument's name and its value, by
        which dy.save writes it, and from_spec(spec, collection) makes another one of the same form.

        >>> dy.nn.Linear(3, 2, dy.ParameterCollection(), bias=False).spec
        (('inputs', 3), ('outputs', 2), ('bias', False))
        """
        given = self._arguments()
        if "model" not in given:
            raise TypeError(
                f"{type(self).__name__}: its __init__ has no argument `model`; load needs one to give it a "
                "ParameterCollection"
            )
        left_out = {"model", *self._unsaved()}
        return tuple((name, _plain(value)) for name, value in given.items() if name not in left_out)

    def _arguments(self) -> dict[str, Any]:
        """What __init__ was given, by name."""
        args, options = self._given
        bound = inspect.signature(type(self).__init__).bind(self, *args, **options)
        return dict(list(bound.arguments.items())[1:])

    @classmethod
    @told
    def from_spec(cls: type[M], spec: tuple[Any, ...], model: ParameterCollection) -> M:
        """A new module of the form that the `spec` of another one tells, with new parameters in the
        collection model. dy.load uses it.

        >>> layer = dy.nn.Linear(3, 2, dy.ParameterCollection())
        >>> dy.nn.Linear.from_spec(layer.spec, dy.ParameterCollection())
        Linear(inputs=3, outputs=2)
        """
        return _from_spec(cls, spec, model)

    def __repr__(self) -> str:
        left_out = {"model", *self._unsaved()}
        given = (f"{name}={value!r:.60}" for name, value in self._arguments().items() if name not in left_out)
        return f"{type(self).__name__}({', '.join(given)})"

    def _unsaved(self) -> tuple[str, ...]:
        """Arguments that only give first values."""
        return ()

    def _mode_changed(self) -> None:
        """What a layer does when it is switched: builders have dropout rates of their own."""

    def _all(self) -> Iterator[Module]:
        yield self
        for part in self.parts():
            if isinstance(part, Module):
                yield from part._all()


def _parts_of(value: Any) -> Iterator[Any]:
    if isinstance(value, Module) or (hasattr(value, "set_dropout") and hasattr(value, "param_collection")):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            if not isinstance(each, Expression):
                yield from _parts_of(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _parts_of(each)
