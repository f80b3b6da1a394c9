"""What is learned, as a table: names, shapes, how many numbers, how large they are, and how much memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from dynet import _dynet
from dynet._dynet import LookupParameters, ParameterCollection, Parameters
from dynet.inspection.table import Column, Table, bytes_text, in_notebook, sizes_text

MOST_ROWS = 60  # in a notebook

_COLUMNS = (
    Column("name"),
    Column("kind"),
    Column("shape"),
    Column("numbers", 0),
    Column("memory", 0),
    Column("norm", 3),
    Column("gradient", 3),
)


class Row(NamedTuple):
    """One parameter or lookup table."""

    name: str
    kind: str  # "parameter" or "table", and ", at rest" for one that trainers leave as it is
    shape: tuple[int, ...]
    size: int  # how many numbers
    memory: int  # bytes of the values; the gradient takes as many
    norm: float  # of the values, Euclidean
    gradient_norm: float

    @property
    def is_trained(self) -> bool:
        """Whether trainers change it."""
        return not self.kind.endswith("rest")


class Summary:
    """The table that dy.summary() makes: `rows`, and their sums. Prints as text, shows in notebooks."""

    def __init__(self, collection: ParameterCollection) -> None:
        self.title = f"ParameterCollection {collection.name()}"
        self.rows = [_row(p) for p in _everything(collection)]
        self.count = sum(row.size for row in self.rows)
        self.memory = sum(row.memory for row in self.rows)

    def table(self) -> Table:
        """The rows with their total."""
        at_rest = self.count - sum(row.size for row in self.rows if row.is_trained)
        squares = [
            sum(x * x for x in norms) ** 0.5 for norms in zip(*[row[5:] for row in self.rows], strict=True)
        ]
        lines = [
            (row.name, row.kind, sizes_text(row.shape), row.size, bytes_text(row.memory), *row[5:])
            for row in self.rows
        ]
        kinds = f"{self.count - at_rest:,} trained" if at_rest else ""
        total = ("all", kinds, "", self.count, bytes_text(self.memory), *(squares or (0.0, 0.0)))
        return Table(self.title, _COLUMNS, lines, total)

    def __str__(self) -> str:
        return self.table().text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return in_notebook(self.table().html(MOST_ROWS))


def numbers_of(p: Parameters | LookupParameters) -> Table:
    """One parameter or table: what its numbers are like."""
    values = p.as_array()
    rows = [
        ("mean", float(values.mean())),
        ("standard deviation", float(values.std())),
        ("smallest", float(values.min())),
        ("largest", float(values.max())),
        ("norm", _norm(values)),
        ("norm of the gradient", _norm(p.grad_as_array())),
    ]
    return Table("", (Column(f"{values.size:,} numbers"), Column("", 5)), rows)


def _everything(collection: ParameterCollection) -> Iterator[Parameters | LookupParameters]:
    yield from collection.parameters_list()
    yield from collection.lookup_parameters_list()


def _row(p: Parameters | LookupParameters) -> Row:
    values = p.as_array()
    kind = "table" if isinstance(p, LookupParameters) else "parameter"
    return Row(
        p.name(),
        kind if p.is_updated() else kind + ", at rest",
        values.shape,
        values.size,
        values.nbytes,
        _norm(values),
        _norm(p.grad_as_array()),
    )


def _norm(array: np.ndarray) -> float:
    return float(np.linalg.norm(array.ravel().astype(np.float64, copy=False)))


def collection_of(model: object) -> ParameterCollection:
    """The collection that something is, or has, as builders and models that dy.save knows do."""
    if isinstance(model, ParameterCollection):
        return model
    if callable(method := getattr(model, "param_collection", None)):
        found = method()
    else:
        lists = [getattr(model, name, None) for name in ("pc", "model", "collection", "param_collection")]
        found = next((each for each in lists if isinstance(each, ParameterCollection)), None)
    if isinstance(found, ParameterCollection):
        return found
    raise TypeError(
        f"summary: model is {_dynet._a_kind(model)}; a ParameterCollection is needed, or what has one as its "
        "param_collection()"
    )
