"""Sums of products along named axes: dy.einsum."""

from __future__ import annotations

import string
from collections.abc import Sequence
from math import prod

from dynet import _dynet
from dynet._dynet import Expression
from dynet.arguments import built

_Labelled = tuple[Expression, str]


@built
def einsum(subscripts: str, *operands: Expression) -> Expression:
    """
    The sum of products of expressions, by Einstein's convention: subscripts such as "ij,jk->ik" has a letter
    for each axis of each operand, and after the arrow those of the result, in any order. Letters that are not
    in the result are summed over; without an arrow the result has, in alphabetical order, those that occur
    once, as in NumPy. An empty result has shape (1,). The mini-batch has no letter: a batch size of 1
    stretches.

    Two operands at a time, from left to right, become one product of matrices (`bmm`), so that nothing larger
    than these is made. ValueError for subscripts that do not fit the operands, sizes of a letter that differ,
    a letter twice in one operand, and an ellipsis.

    >>> x, y = dy.inputTensor([[1, 2], [3, 4]]), dy.inputVector([1, 10])
    >>> print(dy.einsum("ij,j->i", x, y).npvalue(), dy.einsum("ij->j", x).npvalue())
    [21. 43.] [4. 6.]
    """
    if not isinstance(subscripts, str):
        raise TypeError(f"einsum: subscripts is {subscripts!r:.60}; a text such as 'ij,jk->ik' is needed")
    for operand in operands:
        if not isinstance(operand, Expression):
            raise TypeError(f"einsum: {operand!r:.60} is no expression; an operand must be one")
    inputs, output = _parse(subscripts, operands)
    later = [set("".join(inputs[i + 1 :])) | set(output) for i in range(len(inputs))]
    total = _summed(operands[0], inputs[0], later[0])
    for operand, letters, wanted in zip(operands[1:], inputs[1:], later[1:], strict=True):
        total = _product(total, (operand, letters), wanted)
    return _in_order(total, output)


def _parse(subscripts: str, operands: Sequence[Expression]) -> tuple[list[str], str]:
    text = subscripts.replace(" ", "")
    left, arrow, output = text.partition("->")
    inputs = left.split(",")
    if wrong := set(text.replace("->", "", 1)) - set(string.ascii_letters + ","):
        raise ValueError(
            f"einsum: {min(wrong)!r} in {subscripts!r}; letters, commas and one arrow are possible"
        )
    if len(inputs) != len(operands):
        raise ValueError(
            f"einsum: {subscripts!r} for {len(operands)} operands; a group of letters for each is needed"
        )
    sizes: dict[str, int] = {}
    for letters, operand in zip(inputs, operands, strict=True):
        _check(subscripts, letters, operand.dim()[0], sizes)
    if not arrow:
        output = "".join(sorted(c for c in sizes if left.count(c) == 1))
    if unknown := set(output) - set(sizes):
        raise ValueError(f"einsum: {min(unknown)!r} of the result is no axis of an operand in {subscripts!r}")
    if len(set(output)) < len(output):
        raise ValueError(f"einsum: a letter twice in the result of {subscripts!r}; once is possible")
    return inputs, output


def _check(subscripts: str, letters: str, shape: tuple[int, ...], sizes: dict[str, int]) -> None:
    if len(letters) != len(shape):
        raise ValueError(
            f"einsum: {letters!r} in {subscripts!r} for shape {shape}; a letter for each axis is needed"
        )
    if len(set(letters)) < len(letters):
        raise ValueError(f"einsum: a letter twice in {letters!r}; diagonals are not possible")
    for letter, size in zip(letters, shape, strict=True):
        if sizes.setdefault(letter, size) != size:
            raise ValueError(
                f"einsum: axis {letter!r} of {subscripts!r} has sizes {sizes[letter]} and {size}; "
                "they must be equal"
            )


def _summed(x: Expression, letters: str, wanted: set[str]) -> _Labelled:
    """Without the axes that nothing else has."""
    rest = [i for i, c in enumerate(letters) if c not in wanted]
    return (_dynet.sum_dim(x, rest), "".join(c for c in letters if c in wanted)) if rest else (x, letters)


def _product(left: _Labelled, right: _Labelled, later: set[str]) -> _Labelled:
    x, a = _summed(*left, later | set(right[1]))
    y, b = _summed(*right, later | set(a))
    shared = [c for c in a if c in b]
    batch, summed = [c for c in shared if c in later], [c for c in shared if c not in later]
    rows, columns = [c for c in a if c not in b], [c for c in b if c not in a]
    size = {**_sizes(x, a), **_sizes(y, b)}
    groups = [prod(size[c] for c in group) for group in (rows, summed, columns, batch)]
    x = _dynet.reshape(_in_order((x, a), "".join(rows + summed + batch)), (groups[0], groups[1], groups[3]))
    y = _dynet.reshape(
        _in_order((y, b), "".join(summed + columns + batch)), (groups[1], groups[2], groups[3])
    )
    letters = "".join(rows + columns + batch)
    return _dynet.reshape(_dynet.bmm(x, y), tuple(size[c] for c in letters) or (1,)), letters


def _sizes(x: Expression, letters: str) -> dict[str, int]:
    return dict(zip(letters, x.dim()[0], strict=False))  # (1,) has no letter


def _in_order(labelled: _Labelled, letters: str) -> Expression:
    x, given = labelled
    return x if letters == given else _dynet.transpose(x, [given.index(c) for c in letters])
