"""Connectionist temporal classification: labels for frames that nobody aligned with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dynet import _dynet
from dynet.arguments import built
from dynet.structured.chains import as_matrix
from dynet.structured.distribution import Distribution, allow, check_scores, shape_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dynet import Expression


class CTC(Distribution[Sequence[int]]):
    """All paths of labels over frames that give a target when repeats, then blanks, are removed.

    `log_probs` are log probabilities of labels, a matrix (labels, frames) or a list of vectors, mostly
    `dy.log_softmax` of scores; torch's are (frames, labels): transpose those. `target` is a list of labels
    without the blank, which is label 0 by default; of a mini-batch one for all, or a list of lists, one of
    any length for each element. A structure is the label of each frame: `best` is the best alignment of the
    target with the frames. IndexError for labels out of range, ValueError for a target with the blank or
    longer than the frames, unless `loss` is asked with zero_infinity. (Graves et al. 2006)

    >>> log_probs = dy.log_softmax(dy.zeros((3, 4)))
    >>> print(round(dy.structured.CTC(log_probs, [1, 2]).loss().value(), 4))
    1.6864
    """

    _name = "CTC"

    @built
    def __init__(
        self,
        log_probs: Expression | Sequence[Expression],
        target: Sequence[int] | Sequence[Sequence[int]],
        blank: int = 0,
        *,
        allowed: ArrayLike | None = None,
    ) -> None:
        given: list[Any] = list(target)
        is_one = all(isinstance(each, int | np.integer) for each in given)
        self._targets: list[list[int]] = [given] if is_one else [list(each) for each in given]
        self._lengths = [] if is_one else [len(each) for each in self._targets]
        scores = allow(as_matrix(log_probs, "CTC"), allowed, "CTC")
        frames = shape_of(scores)[1] if len(shape_of(scores)) > 1 else 1
        longest = max(map(len, self._targets))
        self._too_long = ""
        if longest > frames:
            self._too_long = (
                f"CTC.loss: a target of {longest} labels for {frames} frames; as many at most fit"
            )
        super().__init__((scores,), blank)

    def _made(self, blank: int) -> _dynet._Distribution:
        labels = [label for target in self._targets for label in target]
        try:
            return _dynet._ctc(self._scores[0], labels, self._lengths, blank)
        except IndexError as error:
            shape = shape_of(self._scores[0])
            if len(shape) == 2 and shape[1] > max(labels):
                raise IndexError(f"{error}; log_probs are {shape}, (labels, frames): transposed?") from None
            raise

    def _given(self, structure: Sequence[int]) -> Sequence[int]:
        return structure

    def _told(self, numbers: list[int]) -> list[int]:
        return numbers

    @built
    def loss(self, zero_infinity: bool = False) -> Expression:
        """-log of the probability of the target, over all its paths: shape (1,), the loss to train with.

        Where the target does not fit, because repeated labels need blanks between them or scores of -inf
        forbid it, the loss is inf, or 0 with zero_infinity, and the gradient is 0 both times. A target with
        more labels than there are frames is a ValueError, unless zero_infinity is set. The gradient is that
        of log_probs as they are given; torch's is right only if they come from log_softmax.

        >>> log_probs = dy.log_softmax(dy.zeros((3, 2)))
        >>> print(dy.structured.CTC(log_probs, [1, 1]).loss().value())
        inf
        """
        if self._too_long and not zero_infinity:
            raise ValueError(self._too_long + ", unless zero_infinity is set")
        return self._all.loss(zero_infinity)


@built
def ctc_decode(
    log_probs: Expression | Sequence[Expression], beam: int = 0, k: int = 1, blank: int = 0
) -> list[tuple[list[int], float]]:
    """The label sequences that CTC outputs stand for: the k best, each with its log probability.

    With beam = 0 it is the best path: the best label of each frame, without repeats, then without blanks, and
    the log probability of that path. With a beam, prefixes are searched: of each the probability of all its
    paths is added up, and as many are kept as the beam is wide. `log_probs` is a matrix (labels, frames) or a
    list of vectors. ValueError for k = 0, or more than the beam. (Hannun et al. 2014)

    >>> log_probs = dy.log(dy.inputTensor([[0.6, 0.6], [0.4, 0.4]]))
    >>> print(dy.structured.ctc_decode(log_probs)[0][0], dy.structured.ctc_decode(log_probs, beam=2)[0][0])
    [] [1]
    """
    scores = as_matrix(log_probs, "ctc_decode")
    check_scores("ctc_decode", scores)
    if scores.dim()[1] != 1:
        raise ValueError("ctc_decode: a mini-batch; log probabilities without one are needed")
    columns = np.asarray(_dynet._decode_labels(scores, beam, k, blank).npvalue())
    columns = columns.reshape(columns.shape[0], -1)
    return [
        ([int(label) for label in column[1:] if label >= 0], float(column[0]))
        for column in columns.T
        if column[0] > -np.inf
    ]
