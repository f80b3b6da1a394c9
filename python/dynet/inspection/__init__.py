"""Looking inside: graphs, models, and where time and memory go. What takes long to load waits to be used."""

import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dynet import _dynet

if TYPE_CHECKING:
    from dynet._dynet import Expression
    from dynet.inspection.batching import Batching
    from dynet.inspection.models import Summary
    from dynet.inspection.recording import Profile

# What the functions give, by the modules in which it waits.
_LATE = {"Batching": "batching", "Profile": "recording", "Summary": "models"}
__all__ = ["Batching", "Profile", "Summary"]


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATE[name]}"), name)


class _LineRecords:
    """How many want lines recorded: records of threads overlap, and need not end in the order they began."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # A profile that is collected ends its record, whatever else goes on.
        self._count = 0

    def begin(self) -> None:
        with self._lock:
            self._count += 1
            _dynet._record_lines(True)  # also of the graph that is the current one here

    def end(self) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                _dynet._record_lines(False)


line_records = _LineRecords()


@contextmanager
def record_lines() -> Iterator[None]:
    """While it lasts, nodes remember which line of the program made them: `node.line` of `graph.nodes()`.

    It counts for the current graph and for all that are begun or entered meanwhile. A call that makes nodes
    then takes some tens of nanoseconds more; without it, nothing. Lines within this package are passed over,
    so that the line is the program's own.

        with dy.record_lines():
            y = dy.tanh(dy.inputVector([1, 2]))
        print(dy.cg().nodes()[y.index].line.lineno)
    """
    line_records.begin()
    try:
        yield
    finally:
        line_records.end()


def summary(model: object) -> "Summary":
    """What a model learns, as a table: of each parameter and lookup table the name, shape, how many numbers,
    memory, the Euclidean norm of its values and of its gradient, and at the end of all of them.

    model: a ParameterCollection, a builder, or what has a collection as its param_collection(). The result
    prints as text, shows as a table in notebooks, and has `rows`, `count` and `memory` (bytes) for programs.
    TypeError for anything else.

        model = dy.ParameterCollection()
        model.add_parameters((2, 3), name="W")
        print(dy.summary(model))
    """
    from dynet.inspection.models import Summary, collection_of

    return Summary(collection_of(model))


def profile(lines: bool = True) -> "Profile":
    """Times every call that runs inside of `with dy.profile() as p:`, and measures the memory of values.

    print(p) afterwards shows tables by operation and by line of the program; p.save("profile.html") makes a
    page that shows calls over time, what ran together and why not more; p.save("trace.json") a trace for
    Perfetto or chrome://tracing; p.calls and p.lines have all of it for programs.

    lines: also finds out which line of the program made each node, as record_lines() does; it counts for
    graphs that are begun inside. Every call is kept, so profile minutes, not days. One profile can be made at
    a time; RuntimeError for another one.

        with dy.profile() as p:
            dy.tanh(dy.inputVector([1, 2])).value()
        print(p)
    """
    from dynet.inspection.recording import Profile

    return Profile(bool(lines))


def explain_batching(loss: "Expression") -> "Batching":
    """In which calls an expression would be computed from scratch, and what keeps nodes of one operation from
    running in one: different shapes, attributes, matrices, or that some need others.

    loss: any expression; nothing is computed. The result prints as text, shows a picture in notebooks, and
    has `batches`, `groups` and `kinds` for programs.

        x = dy.inputVector([1, 2])
        print(dy.explain_batching(dy.tanh(x) + dy.tanh(2 * x)))
    """
    from dynet.inspection.batching import Batching

    if not isinstance(loss, _dynet.Expression):
        raise TypeError(f"explain_batching: loss is {_dynet._a_kind(loss)}; an Expression is needed")
    return Batching(loss)
