"""What losses ask of their arguments, and how those of many columns become one."""

from __future__ import annotations

import operator
from typing import Any

import dynet._dynet as dy
from dynet._dynet import Expression
from dynet.checks import real as real


def expression(call: str, name: str, given: Any) -> Expression:
    """An expression."""
    if not isinstance(given, Expression):
        raise TypeError(f"{call}: {name} is {dy._a_kind(given)}; an expression is needed")
    return given


def like(call: str, name: str, given: Any, x: Expression, of: str) -> Expression:
    """An expression of another one's shape, which may be given as numbers."""
    if not isinstance(given, Expression):
        given = dy.inputTensor(given) if hasattr(given, "__len__") else dy.scalarInput(given)
    if given.dim()[0] != x.dim()[0]:
        raise ValueError(
            f"{call}: {name} has shape {given.dim()[0]} and {of} {x.dim()[0]}; the same is needed"
        )
    found: Expression = given
    return found


def reduced(call: str, losses: Expression, reduction: str) -> Expression:
    """The mean or the sum of the losses of an example, or each; a batch stays a batch."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{call}: reduction is {reduction!r:.60}; 'mean', 'sum' or 'none' is needed")
    if reduction == "none" or losses.dim()[0] == (1,):
        return losses
    return dy.mean_elems(losses) if reduction == "mean" else dy.sum_elems(losses)


class Classes:
    """Scores of classes, a vector or the columns of a matrix, as a batch of vectors, and the right
    classes."""

    def __init__(self, call: str, scores: Any, target: Any) -> None:
        shape, self.batch = expression(call, "scores", scores).dim()
        if len(shape) > 2:
            raise ValueError(f"{call}: scores has shape {shape}; a vector (k,) or a matrix (k, n) is needed")
        self.classes, self.length = shape[0], shape[1] if len(shape) == 2 else 1
        self.is_matrix = len(shape) == 2
        count = self.length * self.batch
        try:
            if not self.is_matrix and self.batch == 1 and not hasattr(target, "__len__"):
                self.targets = [operator.index(target)]
            else:
                self.targets = [operator.index(each) for each in target]
        except TypeError:
            what = "the number of a class" if count == 1 else f"a list of {count} numbers of classes"
            raise TypeError(f"{call}: target is {target!r:.60}; {what} is needed") from None
        if len(self.targets) != count:
            raise ValueError(f"{call}: {len(self.targets)} targets for {count} columns of scores")
        for each in self.targets:
            if not 0 <= each < self.classes:
                raise IndexError(f"{call}: target {each}; there are the classes 0 to {self.classes - 1}")
        self.scores: Expression = dy.reshape(scores, (self.classes,), count) if self.is_matrix else scores

    def neglog(self) -> Expression:
        """-log softmax(scores)[target] of each column."""
        if len(self.targets) == 1:
            return dy.pickneglogsoftmax(self.scores, self.targets[0])
        return dy.pickneglogsoftmax_batch(self.scores, self.targets)

    def back(self, losses: Expression) -> Expression:
        """A loss of each column, as a vector for each example."""
        return dy.reshape(losses, (self.length,), self.batch) if self.is_matrix else losses
