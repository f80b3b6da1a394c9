"""What layers ask of their arguments: sizes, rates, and expressions of the right number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import dynet._dynet as dy
from dynet import checks
from dynet._dynet import Expression
from dynet.checks import positive as positive
from dynet.checks import rate as rate
from dynet.checks import real as real

Columns: TypeAlias = "Expression | Sequence[Expression]"


def whole(call: str, name: str, given: Any, least: int = 1) -> int:
    """A size."""
    return checks.whole(call, name, given, least)


def expression(call: str, name: str, given: Any) -> Expression:
    """An expression."""
    if not isinstance(given, Expression):
        raise TypeError(f"{call}: {name} is {dy._a_kind(given)}; an expression is needed")
    return given


def shape_of(call: str, name: str, given: Any) -> tuple[int, ...]:
    """The shape of an expression, without its batch."""
    return expression(call, name, given).dim()[0]


def rows(call: str, name: str, given: Any, size: int, axes: tuple[int, ...] = (1, 2)) -> Expression:
    """An expression with so many rows: a vector, or a matrix with a column for each position."""
    shape = shape_of(call, name, given)
    if len(shape) not in axes or shape[0] != size:
        forms = {1: f"({size},)", 2: f"({size}, n)", 3: f"({size}, n, m)"}
        wanted = " or ".join(forms[each] for each in axes)
        raise ValueError(f"{call}: {name} has shape {shape}; {wanted} is needed")
    return given  # type: ignore[no-any-return]


def matrix(call: str, name: str, given: Columns, size: int) -> Expression:
    """A matrix with a column for each position; of a list of vectors, or one vector, one is made."""
    if isinstance(given, Expression):
        x = rows(call, name, given, size)
        return x if len(x.dim()[0]) == 2 else dy.reshape(x, (size, 1), x.dim()[1])
    vectors = listed(call, name, given)
    return dy.concatenate_cols([rows(call, f"{name}[{i}]", x, size, (1,)) for i, x in enumerate(vectors)])


def listed(call: str, name: str, given: Columns) -> list[Expression]:
    """A list of expressions, one at least."""
    if isinstance(given, Expression | str) or not hasattr(given, "__iter__"):
        raise TypeError(f"{call}: {name} is {given!r:.60}; a list of expressions is needed")
    found = [expression(call, f"{name}[{i}]", each) for i, each in enumerate(given)]
    if not found:
        raise ValueError(f"{call}: {name} is empty; at least one expression is needed")
    return found


def with_columns(x: Expression, count: int) -> Expression:
    """A matrix of so many columns: a product with one column is a vector."""
    (size, *others), batch = x.dim()
    return x if others else dy.reshape(x, (size, count), batch)


def columns(x: Expression) -> list[Expression]:
    """The columns of a matrix, each a vector."""
    return [dy.pick(x, i, 1) for i in range(x.dim()[0][1])]
