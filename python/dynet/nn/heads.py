"""Outputs that are distributions over structures: conditional random fields, and CTC."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import dynet._dynet as dy
from dynet import structured
from dynet._dynet import Expression, ParameterCollection
from dynet.arguments import built
from dynet.data.vocabulary import Vocabulary
from dynet.nn.checks import Columns, matrix, whole
from dynet.nn.dense import Linear
from dynet.nn.module import Module


class _Names:
    """Labels as a program has them, names or numbers, and their numbers."""

    def __init__(self, call: str, what: str, given: Any) -> None:
        self.call, self.what = call, what
        self.names: list[str] | None = None
        if not hasattr(given, "__iter__"):
            self.count = whole(call, what, given)
            return
        self.names = list(given.words if isinstance(given, Vocabulary) else given)
        wrong = isinstance(given, str | set | frozenset) or not all(
            isinstance(each, str) for each in self.names
        )
        if wrong or not self.names or len(set(self.names)) < len(self.names):
            raise ValueError(
                f"{call}: {what} is {given!r:.60}; a Vocabulary, a list of names that differ, or how many is "
                "needed"
            )
        self.numbers = {name: number for number, name in enumerate(self.names)}
        self.count = len(self.names)

    def number(self, label: Any) -> int:
        if isinstance(label, str):
            if self.names is None or label not in self.numbers:
                known = f"one of {self.names!r:.60}" if self.names else f"0 to {self.count - 1}"
                raise ValueError(f"{self.call}: {label!r:.40} is none of its {self.what}; {known} is needed")
            return self.numbers[label]
        try:
            found = operator.index(label)
        except TypeError:
            raise TypeError(
                f"{self.call}: {label!r:.40} was given; the name or the number of one of its {self.what} is "
                "needed"
            ) from None
        if not 0 <= found < self.count:
            raise IndexError(f"{self.call}: {label}; {self.what} are 0 to {self.count - 1}")
        return found

    def numbered(self, labels: Any) -> list[int]:
        if not hasattr(labels, "__iter__") or isinstance(labels, Expression):
            raise TypeError(f"{self.call}: {labels!r:.60} was given; a list of {self.what} is needed")
        return [self.number(label) for label in labels]

    def is_batch(self, labels: Any, batch: int, texts: bool = False) -> bool:
        """Whether a list of labels for each element of a mini-batch was given; with `texts` these may be
        texts, unless all of them are labels.
        """
        if batch < 2 or isinstance(labels, str) or not hasattr(labels, "__len__") or len(labels) != batch:
            return False
        if texts and any(isinstance(each, str) and each not in (self.names or ()) for each in labels):
            return all(hasattr(each, "__iter__") for each in labels)
        return all(hasattr(each, "__iter__") and not isinstance(each, str) for each in labels)

    def told(self, numbers: Iterable[int]) -> list[Any]:
        return [self.names[number] if self.names else number for number in numbers]


class CRF(Module):
    """A conditional random field over the tags of a sentence, as the output of a network: scores W x_t + b
    of the tags of each word, and scores of tags after each other, in the first and in the last place.

    x is a matrix (inputs, n) with a column for each word, or a list of n vectors. `tags` are names, a
    Vocabulary, or how many there are; sequences are lists of names where it has names. With `scheme`, "BIO"
    or "BIOES", tags follow each other as the names say, in training and in decoding.

    Parameters: those of a dy.nn.Linear, `emission`; transitions (tags, tags), of which [to, from] scores
    `to` after `from`; start and end (tags,); zeros at first. head(x) is a dy.structured.LinearChain, which
    answers what the methods below do not. (Lafferty, McCallum and Pereira 2001)

    >>> head = dy.nn.CRF(3, ["O", "B-X", "I-X"], dy.ParameterCollection(), scheme="BIO")
    >>> loss = head.loss(dy.ones((3, 2)), ["B-X", "I-X"])
    >>> len(head.predict(dy.ones((3, 2)))), head.marginals(dy.ones((3, 2))).shape
    (2, (3, 2))
    """

    @built
    def __init__(self, inputs: int, tags: Any, model: ParameterCollection, scheme: str | None = None) -> None:
        super().__init__(model)
        self._names = _Names("CRF", "tags", tags)
        self.constraints = None
        if scheme is not None:
            if self._names.names is None:
                raise ValueError(f"CRF: scheme is {scheme!r} and tags {tags!r:.60}; it needs their names")
            self.constraints = structured.tag_constraints(self._names.names, scheme)
        self.scheme, self.inputs, self.tags = scheme, whole("CRF", "inputs", inputs), self._names.count
        self.emission = Linear(self.inputs, self.tags, self.model.add_subcollection("emission"))
        self.transitions = self.model.add_parameters((self.tags, self.tags), init=0, name="transitions")
        self.start = self.model.add_parameters(self.tags, init=0, name="start")
        self.end = self.model.add_parameters(self.tags, init=0, name="end")

    @built
    def __call__(self, x: Columns) -> structured.LinearChain:
        """The distribution over the tags of a sentence, a dy.structured.LinearChain of tag numbers."""
        scores = self.emission(matrix("CRF", "x", x, self.inputs))
        return structured.LinearChain(
            scores, self.transitions, self.start, self.end, constraints=self.constraints
        )

    @built
    def loss(self, x: Columns, tags: Sequence[Any]) -> Expression:
        """-log p(tags | x), of names or numbers: shape (1,). Of a mini-batch tags are a list for each
        element. ValueError for another number of tags than words, and for tags that the scheme forbids.

        >>> head = dy.nn.CRF(3, 2, dy.ParameterCollection())
        >>> round(head.loss(dy.zeros((3, 2)), [0, 1]).value(), 4)
        1.3863
        """
        x = matrix("CRF", "x", x, self.inputs)
        if self._names.is_batch(tags, x.dim()[1]):
            given: Any = [self._checked(each, x.dim()[0][1]) for each in tags]
        else:
            given = self._checked(tags, x.dim()[0][1])
        return self(x).nll(given)

    @built
    def predict(self, x: Columns) -> Any:
        """The best tags, a list of names or numbers; of a mini-batch a list of those. It is evaluated:
        predict_all does so for many sentences at once.

        >>> dy.nn.CRF(3, ["N", "V"], dy.ParameterCollection()).predict(dy.zeros((3, 2)))
        ['N', 'N']
        """
        return self._told(self(x).best())

    @built
    def predict_all(self, xs: Iterable[Columns]) -> list[Any]:
        """The best tags of each of many sentences, found in one evaluation.

        >>> head = dy.nn.CRF(3, 2, dy.ParameterCollection())
        >>> head.predict_all([dy.zeros((3, 2)), dy.zeros((3, 1))])
        [[0, 0], [0]]
        """
        return [self._told(best) for best in structured.best_of_all([self(x) for x in xs])]

    @built
    def marginals(self, x: Columns) -> Expression:
        """The probability of each tag (row) of each word (column), (tags, n).

        >>> print(dy.nn.CRF(3, 2, dy.ParameterCollection()).marginals(dy.zeros((3, 1))).npvalue())
        [[0.5]
         [0.5]]
        """
        return self(x).marginals()

    @built
    def k_best(self, x: Columns, k: int) -> list[tuple[list[Any], float]]:
        """The k best sequences of tags, the best first, each with its probability.

        >>> head = dy.nn.CRF(3, ["N", "V"], dy.ParameterCollection())
        >>> [(tags, round(p, 3)) for tags, p in head.k_best(dy.zeros((3, 1)), 2)]
        [(['N'], 0.5), (['V'], 0.5)]
        """
        import math

        chain = self(x)
        found, total = chain.k_best(k), chain.log_partition().scalar_value()
        return [(self._told(tags), math.exp(score - total)) for tags, score in found]

    def _checked(self, tags: Any, words: int) -> list[int]:
        numbers = self._names.numbered(tags)
        if len(numbers) != words:
            raise ValueError(f"CRF: {len(numbers)} tags for {words} words; one for each is needed")
        rules = self.constraints
        if rules is not None:
            for place, tag in enumerate(numbers):
                before = numbers[place - 1] if place else None
                is_right = rules.start[tag] if before is None else rules.transitions[tag, before]
                if not is_right or (place == words - 1 and not rules.end[tag]):
                    names = self._told(numbers)
                    raise ValueError(
                        f"CRF: {self.scheme} has no {names[place]!r} in place {place} of {names!r:.80}"
                    )
        return numbers

    def _told(self, best: Any) -> Any:
        if best and isinstance(best[0], list):
            return [self._names.told(each) for each in best]
        return self._names.told(best)


class CTC(Module):
    """Connectionist temporal classification as the output of a network, for labels of frames that nobody
    aligned with them: log softmax(W x_t + b) over the labels and a blank, for each frame.

    x is a matrix (inputs, frames), or a list of vectors. `labels` are names, such as the letters of a text,
    a Vocabulary, or how many there are; the blank is not one of them: it is row 0 of the scores, and label k
    is row k + 1. A target is a list of names or numbers, or a text of letters.

    Parameters: those of a dy.nn.Linear (labels + 1, inputs), `emission`. (Graves et al. 2006)

    >>> head = dy.nn.CTC(3, list("ab"), dy.ParameterCollection())
    >>> x = dy.ones((3, 4))
    >>> head(x).shape, head.loss(x, "ab").shape, len(head.k_best(x, 2)), head.marginals(x, "b").shape
    ((3, 4), (1,), 2, (3, 4))
    """

    @built
    def __init__(self, inputs: int, labels: Any, model: ParameterCollection) -> None:
        super().__init__(model)
        self._names = _Names("CTC", "labels", labels)
        self.inputs, self.labels = whole("CTC", "inputs", inputs), self._names.count
        self.emission = Linear(self.inputs, self.labels + 1, self.model.add_subcollection("emission"))

    @built
    def __call__(self, x: Columns) -> Expression:
        """The log probabilities (labels + 1, frames), the blank's first."""
        return dy.log_softmax(self.emission(matrix("CTC", "x", x, self.inputs)))

    @built
    def loss(self, x: Columns, target: Sequence[Any], zero_infinity: bool = False) -> Expression:
        """-log p(target | x), over all alignments: shape (1,). Of a mini-batch the target is one for all, or
        a list or a text for each element, of any lengths. What does not fit in the frames is a ValueError,
        or with zero_infinity a loss of 0 without gradient, as in dy.structured.CTC.loss.

        >>> head = dy.nn.CTC(3, list("ab"), dy.ParameterCollection())
        >>> round(head.loss(dy.zeros((3, 4)), "ab").value(), 4)
        1.6864
        """
        return self.alignments(x, target).loss(zero_infinity)

    @built
    def alignments(self, x: Columns, target: Sequence[Any]) -> structured.CTC:
        """The distribution over the alignments of the frames with a target, a dy.structured.CTC of rows.

        >>> head = dy.nn.CTC(3, list("ab"), dy.ParameterCollection())
        >>> head.alignments(dy.zeros((3, 2)), "ab").best()
        [1, 2]
        """
        x = matrix("CTC", "x", x, self.inputs)
        if self._names.is_batch(target, x.dim()[1], texts=True):
            rows: Any = [self._rows(each) for each in target]
        else:
            rows = self._rows(target)
        return structured.CTC(self(x), rows)

    @built
    def predict(self, x: Columns, beam: int = 0) -> list[Any]:
        """The labels that the frames stand for, names or numbers: those of the best path, or with a beam
        the likeliest that a search of prefixes finds.

        >>> len(dy.nn.CTC(3, list("ab"), dy.ParameterCollection()).predict(dy.zeros((3, 4))))
        0
        """
        return self._told(structured.ctc_decode(self(x), beam)[0][0])

    @built
    def k_best(self, x: Columns, k: int, beam: int = 16) -> list[tuple[list[Any], float]]:
        """The k likeliest sequences of labels that a beam of prefixes finds, each with its log probability.

        >>> head = dy.nn.CTC(3, list("ab"), dy.ParameterCollection())
        >>> [labels for labels, _ in head.k_best(dy.zeros((3, 1)), 3)]
        [[], ['a'], ['b']]
        """
        found = structured.ctc_decode(self(x), max(beam, whole("CTC", "k", k)), k)
        return [(self._told(labels), score) for labels, score in found]

    @built
    def marginals(self, x: Columns, target: Sequence[Any]) -> Expression:
        """How probable each row (the blank, then the labels) is in each frame, given the target:
        (labels + 1, frames).

        >>> head = dy.nn.CTC(3, list("ab"), dy.ParameterCollection())
        >>> print(head.marginals(dy.zeros((3, 1)), "a").npvalue().ravel())
        [0. 1. 0.]
        """
        return self.alignments(x, target).marginals()

    def _rows(self, target: Any) -> list[int]:
        return [number + 1 for number in self._names.numbered(target)]

    def _told(self, rows: Iterable[int]) -> list[Any]:
        return self._names.told(row - 1 for row in rows)
