"""What can be asked of all structures of a kind: sums, scores, entropies, the best ones and samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from dynet import _dynet
from dynet.arguments import built

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dynet import Expression

S = TypeVar("S")


def shape_of(scores: Expression) -> tuple[int, ...]:
    """The sizes of an expression or a parameter."""
    return tuple(scores.dim()[0])


def check_scores(name: str, scores: object) -> None:
    """Scores are expressions or parameters."""
    if not isinstance(scores, _dynet.Expression | _dynet.Parameters):
        raise TypeError(
            f"{name}: {_dynet._a_kind(scores)} was given; scores are expressions, as inputTensor makes one "
            "of numbers"
        )


def allow(scores: Expression, allowed: ArrayLike | None, name: str) -> Expression:
    """The scores, with -inf where `allowed` is false."""
    check_scores(name, scores)
    if allowed is None:
        return scores
    mask = np.asarray(allowed)
    shape = shape_of(scores)
    if mask.dtype != np.bool_ or mask.shape not in (shape, (*shape, 1)):
        raise ValueError(
            f"{name}: `allowed` has shape {mask.shape} and type {mask.dtype}; "
            f"truths of shape {shape}, that of the scores, are needed"
        )
    return scores + _dynet.inputTensor(np.where(mask, 0.0, -np.inf))


class Distribution(Generic[S]):
    """All structures of a kind over some scores: the base of the classes of `dy.structured`.

    The score of a structure is the sum of the scores of its parts, and its probability is e^score / Z with
    Z = Σ e^score over all structures. A score of -inf forbids a part, which then has no gradient; an array of
    truths `allowed` does the same. Where no structure is left, `log_partition` is -inf, `nll` is inf, and
    gradients are 0; what has to return a structure raises ValueError. NaN stays NaN.

    Each method but the last three makes one node, whose gradient is exact; all sums are in double precision.
    With mini-batches of scores, structures come and go as one for each batch element; `Segments`, `Alignment`
    and `EditLattice`, of which structures differ in size, are given one for all.

    >>> chain = dy.structured.LinearChain(dy.zeros((2, 3)), dy.zeros((2, 2)))
    >>> print(round(chain.log_partition().value(), 4), chain.best())
    2.0794 [0, 0, 0]
    """

    _name = "Distribution"
    _one_for_all = False  # given structures differ in size, so that those of a mini-batch are not told apart

    def __init__(self, scores: Sequence[Expression], option: int = 0) -> None:
        self._scores = tuple(scores)  # Parameters have to live as long as this does.
        for each in self._scores:
            check_scores(self._name, each)
        self._all = self._made(option)

    def _made(self, option: int) -> _dynet._Distribution:
        return _dynet._distribution(self._name, self._scores, option)

    # How a kind writes a structure: numbers for the operations, and what is told of one found.

    def _given(self, structure: S) -> Sequence[int]:
        raise NotImplementedError

    def _told(self, numbers: list[int]) -> S:
        raise NotImplementedError

    def _numbers(self, structures: S | Sequence[S]) -> Sequence[int]:
        batch = self._batch()
        if batch > 1 and not self._one_for_all:
            listed = list(structures)  # type: ignore[arg-type]
            if len(listed) == batch and not self._is_one(listed):
                given = [list(self._given(one)) for one in listed]
                if len({len(one) for one in given}) > 1:
                    raise ValueError(
                        f"{type(self).__name__}: structures of {sorted({len(one) for one in given})} parts "
                        "for scores of one size; as many for each batch element are needed"
                    )
                return [number for one in given for number in one]
            return self._given(listed)  # type: ignore[arg-type]
        return self._given(structures)  # type: ignore[arg-type]

    def _batch(self) -> int:
        return max(int(scores.dim()[1]) for scores in self._scores)

    def _is_one(self, listed: list[Any]) -> bool:
        """Whether it is one structure, and not one for each batch element."""
        return all(each is None or isinstance(each, int | np.integer) for each in listed)

    @built
    def log_partition(self) -> Expression:
        """log Z, the log of the sum of e^score over all structures: shape (1,).

        Its gradient with respect to the score of a part is the probability that a structure has the part.

        >>> chain = dy.structured.LinearChain(dy.zeros((2, 3)), dy.zeros((2, 2)))
        >>> print(round(float(np.exp(chain.log_partition().value())), 4))
        8.0
        """
        return self._all.log_partition()

    @built
    def score(self, structure: S | Sequence[S]) -> Expression:
        """The score of a structure, the sum of the scores of its parts: shape (1,).

        ValueError for what is no structure of the kind, IndexError for a number out of range.

        >>> chain = dy.structured.LinearChain(dy.ones((2, 3)), dy.ones((2, 2)))
        >>> chain.score([0, 1, 1]).value()
        5.0
        """
        return self._all.score(self._numbers(structure))

    @built
    def nll(self, structure: S | Sequence[S]) -> Expression:
        """The negative log likelihood of a structure, log Z - score: shape (1,), the loss to train with.

        The difference is taken in double precision. The gradient of the score of a part is its probability,
        less 1 where the structure has it. Errors as for `score`.

        >>> chain = dy.structured.LinearChain(dy.ones((2, 3)), dy.ones((2, 2)))
        >>> print(round(chain.nll([0, 1, 1]).value(), 4))
        2.0794
        """
        return self._all.nll(self._numbers(structure))

    @built
    def entropy(self) -> Expression:
        """The entropy of the distribution, -Σ p log p over all structures, in nats: shape (1,).

        It is log Z - Σ score · probability over the parts. NaN where no structure is allowed.

        >>> chain = dy.structured.LinearChain(dy.zeros((2, 3)), dy.zeros((2, 2)))
        >>> print(round(chain.entropy().value(), 4))
        2.0794
        """
        return self._all.entropy()

    @built
    def marginals(self, argument: int = 0) -> Expression:
        """The probability of each part of an argument, in the shape of the argument.

        Arguments are numbered as in the constructor: 0 are the main scores. Parts that a structure may have
        several times, such as transitions, have the expected number of times. The gradient is exact: second
        derivatives of log Z, computed as one derivative along dy of the whole program. IndexError for an
        argument that is not there.

        >>> chain = dy.structured.LinearChain(dy.zeros((2, 3)), dy.zeros((2, 2)))
        >>> print(chain.marginals().npvalue()[0])
        [0.5 0.5 0.5]
        """
        return self._all.marginals(argument)

    def _found(self, numbers: np.ndarray[Any, Any], name: str) -> tuple[S, float]:
        score = float(numbers[0])
        if np.isnan(score):
            raise ValueError(f"{self._name}.{name}: scores that are not a number (NaN)")
        if score == -np.inf:
            raise ValueError(
                f"{self._name}.{name}: the scores allow no structure; "
                "one without a part of score -inf is needed"
            )
        return self._told([int(number) for number in numbers[1:]]), score

    def _columns(self, told: Expression) -> np.ndarray[Any, Any]:
        """Numbers, ranks, batch."""
        batch = told.dim()[1]
        values = np.asarray(told.npvalue())
        return values.reshape(values.shape[0], -1, batch)

    def best(self) -> Any:
        """The structure of the greatest score; of equals always the same. Of a mini-batch a list of them.

        ValueError where no structure is allowed, and for NaN. Evaluates what is needed; many structures are
        best asked for together, by `best_of_all`.

        >>> chain = dy.structured.LinearChain(dy.inputTensor([[1, 0, 0], [0, 2, 2]]), dy.zeros((2, 2)))
        >>> chain.best()
        [0, 1, 1]
        """
        return self._best_told(self._all.k_best(1))

    def _best_told(self, told: Expression) -> Any:
        columns = self._columns(told)
        structures = [self._found(columns[:, 0, b], "best")[0] for b in range(columns.shape[2])]
        return structures if len(structures) > 1 else structures[0]

    @built
    def k_best(self, k: int) -> list[tuple[S, float]]:
        """The k best structures, the best first, each with its score; fewer where there are fewer.

        ValueError for a mini-batch, for k = 0, where no structure is allowed, and for NaN.

        >>> chain = dy.structured.LinearChain(dy.inputTensor([[1, 0], [0, 2]]), dy.zeros((2, 2)))
        >>> chain.k_best(2)
        [([0, 1], 3.0), ([1, 1], 2.0)]
        """
        if self._batch() > 1:
            raise ValueError(f"{self._name}.k_best: a mini-batch; scores without one are needed")
        columns = self._columns(self._all.k_best(k))[:, :, 0]
        self._found(columns[:, 0], "k_best")
        return [self._found(column, "k_best") for column in columns.T if column[0] > -np.inf]

    def sample(self) -> Any:
        """A structure drawn by its probability, exactly. For a mini-batch a list of them.

        The random numbers are those of the node: they follow from the seed and the graph, whatever runs
        together with it. Each call draws anew. ValueError where no structure is allowed, and for NaN.

        >>> dy.reset_random_seed(1)
        >>> chain = dy.structured.LinearChain(dy.inputTensor([[0, 0], [50, 50]]), dy.zeros((2, 2)))
        >>> chain.sample()
        [1, 1]
        """
        columns = self._columns(self._all.sample())
        structures = [self._found(columns[:, 0, b], "sample")[0] for b in range(columns.shape[2])]
        return structures if len(structures) > 1 else structures[0]


@built
def best_of_all(distributions: Iterable[Distribution[S]]) -> list[S]:
    """The best structure of each of many distributions, found in one evaluation.

    The same as [d.best() for d in distributions], and the same numbers, but what they need is computed
    together. ValueError if one allows no structure.

    >>> chains = [dy.structured.LinearChain(dy.zeros((2, n)), dy.zeros((2, 2))) for n in (1, 3)]
    >>> dy.structured.best_of_all(chains)
    [[0], [0, 0, 0]]
    """
    if isinstance(distributions, Distribution):
        raise TypeError("best_of_all: one distribution was given; a list of them is needed")
    listed = list(distributions)
    for one in listed:
        if not isinstance(one, Distribution):
            raise TypeError(f"best_of_all: {_dynet._a_kind(one)} is in the list; distributions are needed")
    told = [one._all.k_best(1) for one in listed]
    if told:
        _dynet.forward(told)
    return [one._best_told(each) for one, each in zip(listed, told, strict=True)]
