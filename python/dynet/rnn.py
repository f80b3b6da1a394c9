"""Recurrent networks made of others: both directions over a sequence, and stacks of states."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dynet import _dynet
from dynet._dynet import Expression, ParameterCollection, RNNState
from dynet.arguments import built

RNNBuilder = _dynet._RNNBuilder
TreeLSTMBuilder = _dynet._TreeLSTMBuilder
Factory = Callable[[int, int, int, ParameterCollection], RNNBuilder]
Layers = Sequence[tuple[RNNBuilder, RNNBuilder]]


def _whole(name: str, number: float) -> int:
    """A size, which may be a float without a fraction, such as 512 / 2."""
    try:
        whole = int(number)
    except (TypeError, ValueError, OverflowError):
        whole = None
    if whole is None or whole != number:
        raise ValueError(f"BiRNNBuilder: {name} is {number!r}; a whole number is needed")
    return whole


class BiRNNBuilder:
    """A network of layers, each of two builders, of which one reads the sequence forwards and the other
    backwards; their outputs, of half the size each, are concatenated.

    rnn_builder_factory is a class of builders, as dy.VanillaLSTMBuilder, called as factory(1, input_dim,
    hidden_dim / 2, model); builder_layers are pairs of builders that are there already, instead. ValueError
    for an odd hidden_dim, or sizes below 1. (Schuster and Paliwal 1997; Graves and Schmidhuber 2005)

    >>> m = dy.ParameterCollection()
    >>> tagger = dy.BiRNNBuilder(1, 3, 4, m, dy.VanillaLSTMBuilder)
    >>> [h.dim() for h in tagger.transduce([dy.zeros(3), dy.zeros(3)])]
    [((4,), 1), ((4,), 1)]
    """

    @built
    def __init__(
        self,
        num_layers: int,
        input_dim: int,
        hidden_dim: int,
        model: ParameterCollection,
        rnn_builder_factory: Factory | None,
        builder_layers: Layers | None = None,
    ) -> None:
        if not isinstance(model, ParameterCollection):
            raise TypeError(
                f"BiRNNBuilder: model is {_dynet._a_kind(model)}; a ParameterCollection is needed"
            )
        num_layers, hidden_dim = _whole("num_layers", num_layers), _whole("hidden_dim", hidden_dim)
        input_dim = _whole("input_dim", input_dim)
        for size, name in ((num_layers, "num_layers"), (input_dim, "input_dim"), (hidden_dim, "hidden_dim")):
            if size <= 0:
                raise ValueError(f"BiRNNBuilder: {name} is {size}; at least 1 is needed")
        if hidden_dim % 2:
            raise ValueError(
                f"BiRNNBuilder: hidden_dim {hidden_dim}; each direction has half, so it must be even"
            )
        if builder_layers is None and rnn_builder_factory is None:
            raise ValueError("BiRNNBuilder: neither rnn_builder_factory nor builder_layers was given")
        if builder_layers is None and not callable(rnn_builder_factory):
            raise TypeError(
                f"BiRNNBuilder: rnn_builder_factory is {rnn_builder_factory!r}; a class of builders is needed"
            )
        self.spec = num_layers, input_dim, hidden_dim, rnn_builder_factory, builder_layers
        self.builder_layers: list[tuple[RNNBuilder, RNNBuilder]] = _pairs(builder_layers)
        _dynet._added_or_nothing(lambda: self._add_to(model))

    def _add_to(self, model: ParameterCollection) -> None:
        self.model = own = model.add_subcollection("birnn")
        num_layers, input_dim, hidden_dim, factory, builder_layers = self.spec
        if builder_layers is not None or factory is None:
            return
        for layer in range(num_layers):
            sizes = 1, hidden_dim if layer else input_dim, hidden_dim // 2
            self.builder_layers.append((_made(factory, *sizes, own), _made(factory, *sizes, own)))

    def __repr__(self) -> str:
        num_layers, input_dim, hidden_dim, _, _ = self.spec
        networks = self.builder_layers[0][0] if self.builder_layers else "nothing"
        return (
            f"{type(self).__name__}(num_layers={num_layers}, input_dim={input_dim}, hidden_dim={hidden_dim}) "
            f"of {networks!r}"
        )

    @classmethod
    @built
    def from_spec(cls, spec: tuple[Any, ...], model: ParameterCollection) -> BiRNNBuilder:
        """A new network from the `spec` of another one, with new parameters in the collection model. dy.load
        uses it. TypeError or ValueError for what is no such spec.

        >>> m = dy.ParameterCollection()
        >>> network = dy.BiRNNBuilder(1, 3, 4, m, dy.GRUBuilder)
        >>> dy.BiRNNBuilder.from_spec(network.spec, m).spec[:3]
        (1, 3, 4)
        """
        if not isinstance(spec, tuple | list):
            raise TypeError(f"from_spec: spec is {spec!r}; a tuple is needed")
        if len(spec) != 5:
            raise ValueError(f"from_spec: spec has {len(spec)} items; 5 are needed")
        num_layers, input_dim, hidden_dim, rnn_builder_factory, builder_layers = spec
        factory: Any = rnn_builder_factory  # Of a file, which may name classes that are no builders.
        if isinstance(factory, type) and not (
            issubclass(factory, RNNBuilder)
            or hasattr(factory, "initial_state")
            or hasattr(factory, "from_spec")
        ):
            raise TypeError(f"{cls.__name__}: {factory.__name__} was given; a class of builders is needed")
        return cls(num_layers, input_dim, hidden_dim, model, rnn_builder_factory, builder_layers)

    @built
    def whoami(self) -> str:
        """The name of the class, "BiRNNBuilder", for classes that a program derives from it too."""
        return "BiRNNBuilder"

    def _repr_html_(self) -> str:
        from dynet.inspection import notebook

        return notebook.html(self)

    @built
    def param_collection(self) -> ParameterCollection:
        """The network's own collection, a sub-collection of the one it was made with: its parameters can be
        saved, frozen or updated apart from others.

        >>> m = dy.ParameterCollection()
        >>> network = dy.BiRNNBuilder(1, 3, 4, m, dy.GRUBuilder)
        >>> network.param_collection().name()
        '/birnn/'
        """
        return self.model

    @built
    def set_dropout(self, p: float) -> None:
        """Sets the dropout rates of the builders of both directions in all layers to p, a probability from 0
        to 1; ValueError for another number.

        >>> m = dy.ParameterCollection()
        >>> network = dy.BiRNNBuilder(1, 3, 4, m, dy.GRUBuilder)
        >>> network.set_dropout(0.5)
        """
        for builders in self.builder_layers:
            for builder in builders:
                builder.set_dropout(p)

    @built
    def set_dropouts(self, d: float, d_h: float) -> None:
        """Sets the dropout rates of inputs, d, and of outputs, d_h, of the builders of both directions in all
        layers, as their own set_dropouts does.

        >>> m = dy.ParameterCollection()
        >>> network = dy.BiRNNBuilder(1, 3, 4, m, dy.GRUBuilder)
        >>> network.set_dropouts(0.5, 0.1)
        """
        for builders in self.builder_layers:
            for builder in builders:
                builder.set_dropouts(d, d_h)  # type: ignore[attr-defined]  # All but the base class have it.

    @built
    def disable_dropout(self) -> None:
        """Sets the dropout rates of the builders of both directions in all layers to zero, as is needed for
        testing.
        """
        self.set_dropout(0)

    @built
    def zero_state(self, batch_size: int = 1) -> tuple[RNNState, RNNState]:
        """The states of both directions in the last layer, forwards first, whose cells and outputs are zeros,
        of the given batch size.

        >>> network = dy.BiRNNBuilder(1, 3, 4, dy.ParameterCollection(), dy.GRUBuilder)
        >>> [state.output().dim() for state in network.zero_state()]
        [((2,), 1), ((2,), 1)]
        """
        forward, backward = self.builder_layers[-1]
        return forward.zero_state(batch_size), backward.zero_state(batch_size)

    @built
    def final_state(self, es: Iterable[Expression] | Expression) -> tuple[RNNState, RNNState]:
        """The states of both directions in the last layer, forwards first, after each has read all of the
        sequence: what an encoder hands to a decoder.

        >>> network = dy.BiRNNBuilder(1, 3, 4, dy.ParameterCollection(), dy.GRUBuilder)
        >>> [state.output().dim() for state in network.final_state([dy.zeros(3), dy.zeros(3)])]
        [((2,), 1), ((2,), 1)]
        """
        xs = _lower_layers(self.builder_layers[:-1], es, "final_state")
        forward, backward = self.builder_layers[-1]
        return forward.final_state(xs), backward.final_state(xs[::-1])

    @built
    def add_inputs(self, es: Iterable[Expression] | Expression) -> list[tuple[RNNState, RNNState]]:
        """For each input the states of both directions in the last layer, forwards first, after they have
        read it: of the second it is what follows that it has read before.

        >>> network = dy.BiRNNBuilder(1, 3, 4, dy.ParameterCollection(), dy.GRUBuilder)
        >>> states = network.add_inputs([dy.zeros(3), dy.zeros(3)])
        >>> len(states), len(states[0])
        (2, 2)
        """
        xs = _lower_layers(self.builder_layers[:-1], es, "add_inputs")
        forward, backward = self.builder_layers[-1]
        states = forward.initial_state().add_inputs(xs)
        return list(zip(states, reversed(backward.initial_state().add_inputs(xs[::-1])), strict=True))

    @built
    def transduce(self, es: Iterable[Expression] | Expression) -> list[Expression]:
        """The outputs of the last layer, one (hidden_dim,) for each input: that of the forward network above
        that of the backward one. es is a list of expressions, or a matrix, whose rows are read.

        >>> network = dy.BiRNNBuilder(1, 3, 4, dy.ParameterCollection(), dy.GRUBuilder)
        >>> [h.dim() for h in network.transduce([dy.zeros(3), dy.zeros(3)])]
        [((4,), 1), ((4,), 1)]
        """
        return _lower_layers(self.builder_layers, es, "transduce")


def _pairs(layers: Layers | None) -> list[tuple[RNNBuilder, RNNBuilder]]:
    """The networks of each layer, as they were given."""
    pairs = [] if layers is None else layers if isinstance(layers, list | tuple) else None
    for pair in [None] if pairs is None else pairs:
        if not (isinstance(pair, list | tuple) and len(pair) == 2 and all(map(_is_builder, pair))):
            raise TypeError("BiRNNBuilder: builder_layers: a list of pairs of builders is needed")
    return [(forward, backward) for forward, backward in pairs or []]


def _made(factory: Factory, *arguments: Any) -> RNNBuilder:
    network = factory(*arguments)
    if not _is_builder(network):
        raise TypeError(f"BiRNNBuilder: rnn_builder_factory made {network!r}; a builder is needed")
    return network


def _is_builder(network: object) -> bool:
    return hasattr(network, "initial_state") and not isinstance(network, type)


def _lower_layers(layers: Layers, es: Iterable[Expression] | Expression, call: str) -> list[Expression]:
    """What some layers make of a sequence; what cannot be read is refused before anything is added."""
    xs = _dynet._check_arguments(es, call)
    for forward, backward in layers:
        onward = forward.initial_state().transduce(xs)
        returning = backward.initial_state().transduce(xs[::-1])
        xs = [_dynet.concatenate([f, b]) for f, b in zip(onward, reversed(returning), strict=True)]
    return xs


class StackedRNNState:
    """States of several networks, each of which reads what the one below it puts out, used as one state: for
    a stack of builders of different kinds or sizes.

    >>> m = dy.ParameterCollection()
    >>> low, high = dy.GRUBuilder(1, 3, 5, m), dy.VanillaLSTMBuilder(1, 5, 2, m)
    >>> stack = dy.StackedRNNState([low.initial_state(), high.initial_state()])
    >>> stack.add_input(dy.zeros(3)).output().dim()
    ((2,), 1)
    """

    @built
    def __init__(self, states: Sequence[RNNState], prev: StackedRNNState | None = None) -> None:
        if not hasattr(states, "__iter__"):
            raise TypeError(f"StackedRNNState: states is {states!r}; a list of states is needed")
        self.states = list(states)
        self._prev = prev

    def __repr__(self) -> str:
        return f"StackedRNNState of {self.states!r}"

    @built
    def add_input(self, x: Expression) -> StackedRNNState:
        """The state after reading x: the first network reads x, each other one the output of that below it.

        >>> gru = dy.GRUBuilder(1, 3, 2, dy.ParameterCollection())
        >>> stack = dy.StackedRNNState([gru.initial_state()])
        >>> stack.add_input(dy.zeros(3)).output().dim()
        ((2,), 1)
        """
        states = []
        for state in self.states:
            states.append(state.add_input(x))
            x = states[-1].output()  # type: ignore[assignment]  # A state that has read something has an output.
        return StackedRNNState(states, self)

    @built
    def add_inputs(self, xs: Iterable[Expression] | Expression) -> list[StackedRNNState]:
        """The states after each of xs, as a list, when they are read one after another; TypeError for what
        holds anything but expressions.

        >>> gru = dy.GRUBuilder(1, 3, 2, dy.ParameterCollection())
        >>> stack = dy.StackedRNNState([gru.initial_state()])
        >>> len(stack.add_inputs([dy.zeros(3), dy.zeros(3)]))
        2
        """
        states, state = [], self
        for x in _dynet._check_arguments(xs, "add_inputs"):
            state = state.add_input(x)
            states.append(state)
        return states

    @built
    def output(self) -> Expression | None:
        """The output of the last network, an expression; None before the first input if its initial state has
        none.
        """
        return self.states[-1].output()

    @built
    def prev(self) -> StackedRNNState | None:
        """The state before this one, which another input may follow; None for the state that the program
        made.
        """
        return self._prev

    @built
    def h(self) -> list[tuple[Expression, ...]]:
        """The outputs of the layers of each network, as a list of what h() of their states gives, the lowest
        network first.
        """
        return [state.h() for state in self.states]

    @built
    def s(self) -> list[tuple[Expression, ...]]:
        """The cells and outputs of the layers of each network, as a list of what s() of their states gives,
        the lowest network first.
        """
        return [state.s() for state in self.states]
