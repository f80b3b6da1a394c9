"""Monotone alignments, edits of one sequence into another, and pairs of rows and columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from dynet import _dynet
from dynet.arguments import built
from dynet.structured.distribution import Distribution, allow, shape_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dynet import Expression

Cell = tuple[int, int]
Edit = tuple[Literal["match", "delete", "insert"], int, int]


class Alignment(Distribution[Sequence[Cell]]):
    """Monotone alignments: paths through the cells of a matrix, from the first to the last.

    `scores` is a matrix (rows, columns); a path goes down, right, or both at once, and its score is the sum
    of its cells'. A structure is the list of its cells (row, column). With negative distances as scores,
    -`log_partition` is the soft minimum of dynamic time warping (Cuturi and Blondel 2017), and the score of
    `best` the negative of its distance (Sakoe and Chiba 1978). `allowed` is an array of truths in the shape
    of the scores, such as a band. ValueError for other shapes.

    >>> alignment = dy.structured.Alignment(dy.inputTensor([[1, 0], [0, 1]]))
    >>> alignment.best(), alignment.score([(0, 0), (1, 0), (1, 1)]).value()
    ([(0, 0), (1, 1)], 2.0)
    """

    _name = "Alignment"
    _one_for_all = True

    @built
    def __init__(self, scores: Expression, *, allowed: ArrayLike | None = None) -> None:
        self._rows = shape_of(scores)[0]
        super().__init__((allow(scores, allowed, "Alignment"),))

    def _given(self, structure: Sequence[Cell]) -> Sequence[int]:
        return [_cell(row, column, self._rows, "Alignment") for row, column in structure]

    def _told(self, numbers: list[int]) -> list[Cell]:
        return [(n % self._rows, n // self._rows) for n in numbers if n >= 0]


def _cell(row: int, column: int, rows: int, name: str) -> int:
    if not (0 <= row < rows and column >= 0):
        raise IndexError(f"{name}: cell ({row}, {column}) is out of range for {rows} rows")
    return column * rows + row


class EditLattice(Distribution[Sequence[Edit]]):
    """The ways to make one sequence of another by matches, deletions and insertions, in order.

    `matches[i, j]` scores item i of the first for item j of the second (rows, columns), `deletions[i]` item i
    without a partner, `insertions[j]` item j without one. A structure is a list of edits ("match", i, j),
    ("delete", i, j) and ("insert", i, j), with the places that both sequences have reached. With costs as
    negative scores the best is the least weighted edit distance. ValueError for other shapes. (Needleman and
    Wunsch 1970)

    >>> lattice = dy.structured.EditLattice(dy.ones((1, 2)), dy.zeros(1), dy.zeros(2))
    >>> lattice.best()
    [('insert', 0, 0), ('match', 0, 1)]
    """

    _name = "EditLattice"
    _one_for_all = True

    @built
    def __init__(
        self,
        matches: Expression,
        deletions: Expression,
        insertions: Expression,
        *,
        allowed: ArrayLike | None = None,
    ) -> None:
        self._rows = shape_of(matches)[0]
        self._cells = self._rows * (shape_of(matches)[1] if len(shape_of(matches)) > 1 else 1)
        super().__init__((allow(matches, allowed, "EditLattice"), deletions, insertions))

    def _given(self, structure: Sequence[Edit]) -> Sequence[int]:
        numbers, rows, columns = [], self._rows, self._cells // self._rows
        row = column = 0
        for kind, i, j in structure:
            if kind not in ("match", "delete", "insert"):
                raise ValueError(f"EditLattice: edit {kind!r}; 'match', 'delete' or 'insert' is right")
            down, right = kind != "insert", kind != "delete"
            if (i, j) != (row, column) or row + down > rows or column + right > columns:
                raise ValueError(
                    f"EditLattice: edit {(kind, i, j)} at row {row} of {rows} and column {column} of "
                    f"{columns}; edits follow each other, and each has its own row and column"
                )
            place = {"match": j * rows + i, "delete": self._cells + i, "insert": self._cells + rows + j}
            numbers.append(place[kind])
            row, column = row + down, column + right
        if (row, column) != (rows, columns):
            raise ValueError(
                f"EditLattice: edits end at row {row} of {rows} and column {column} of {columns}; "
                "they must go to the end of both"
            )
        return numbers

    def _told(self, numbers: list[int]) -> list[Edit]:
        i, j = 0, 0
        edits: list[Edit] = []
        for n in numbers:
            if n < 0:
                continue
            if n < self._cells:
                edits.append(("match", i, j))
                i, j = i + 1, j + 1
            elif n < self._cells + self._rows:
                edits.append(("delete", i, j))
                i += 1
            else:
                edits.append(("insert", i, j))
                j += 1
        return edits


@built
def edit_distance(a: Iterable[Any], b: Iterable[Any]) -> int:
    """How many insertions, deletions and substitutions make b of a, at the least (Levenshtein 1966).

    Both may be strings, lists of words, or of anything that has a hash. For costs, gradients or the edits
    themselves take `EditLattice`.

    >>> dy.structured.edit_distance("kitten", "sitting")
    3
    """
    numbers: dict[Any, int] = {}
    first = [numbers.setdefault(item, len(numbers)) for item in a]
    second = [numbers.setdefault(item, len(numbers)) for item in b]
    return _dynet._edit_distance(first, second)


class Assignment(Distribution[Sequence[int | None]]):
    """Pairs of a row and a column, each in at most one pair, as many as the shorter side has.

    `scores[i, j]` scores row i with column j. A structure is a list with the column of each row, None for a
    row without one. `best` is the best assignment, found by shortest augmenting paths in n³ steps; `greedy`
    takes the best pair again and again. No sum over all assignments is known that takes less than
    exponential time: `log_partition`, `nll`, `entropy`, `marginals` and `sample` raise ValueError. (Kuhn
    1955, Murty 1968)

    >>> pairs = dy.structured.Assignment(dy.inputTensor([[3, 2], [2, -1]]))
    >>> pairs.best(), pairs.greedy()
    ([1, 0], [0, 1])
    """

    _name = "Assignment"

    @built
    def __init__(self, scores: Expression, *, allowed: ArrayLike | None = None) -> None:
        self._columns_given = shape_of(scores)[1] if len(shape_of(scores)) > 1 else 1
        super().__init__((allow(scores, allowed, "Assignment"),))

    def _given(self, structure: Sequence[int | None]) -> Sequence[int]:
        for column in structure:
            if column is not None and not 0 <= column < self._columns_given:
                raise IndexError(f"Assignment: column {column} of {self._columns_given}")
        return [self._columns_given if column is None else column for column in structure]

    def _told(self, numbers: list[int]) -> list[int | None]:
        return [None if n < 0 else n for n in numbers]

    @built
    def greedy(self) -> Any:
        """The pair of the greatest score, then the greatest of those still free, and so on.

        It may be worse than `best`, and is found sooner. ValueError where scores of -inf leave rows or
        columns without a partner, and for NaN.

        >>> dy.structured.Assignment(dy.inputTensor([[3, 2], [2, -1]])).greedy()
        [0, 1]
        """
        columns = self._columns(self._all.greedy())
        structures = [self._found(columns[:, 0, b], "greedy")[0] for b in range(columns.shape[2])]
        return structures if len(structures) > 1 else structures[0]
