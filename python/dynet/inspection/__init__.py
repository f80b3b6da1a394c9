"""Looking inside: graphs, models, and where time and memory go. What takes long to load waits to be used."""

from collections.abc import Iterator
from contextlib import contextmanager

from dynet import _dynet


@contextmanager
def record_lines() -> Iterator[None]:
    """While it lasts, nodes remember which line of the program made them: `node.line` of `graph.nodes()`.

    It counts for the current graph and for all that are begun or entered meanwhile. A node then costs a few
    tenths of a microsecond more; without it, nothing. Lines within this package are passed over, so that the
    line is the program's own.

        with dy.record_lines():
            y = dy.tanh(dy.inputVector([1, 2]))
        print(dy.cg().nodes()[y.index].line.lineno)
    """
    before = _dynet._record_lines(True)
    try:
        yield
    finally:
        _dynet._record_lines(before)
