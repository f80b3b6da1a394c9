"""Every structure of a kind, one by one: what the dynamic programs of dy.structured are compared with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import dynet as dy

Part = tuple[int, tuple[int, ...]]  # an argument and a place in it


@dataclass(frozen=True)
class Kind:
    """A kind of structure: how it is made of arguments, and all structures with their parts."""

    name: str
    shapes: list[tuple[int, ...]]
    make: Callable[..., Any]
    structures: Callable[[], Iterator[tuple[Any, list[Part]]]]
    encode: Callable[[Any], list[int]] = field(default=lambda structure: list(structure))
    operation: str = ""

    def listed(self) -> list[tuple[Any, list[Part]]]:
        return list(self.structures())

    def scores(self, *arrays: np.ndarray) -> np.ndarray:
        return np.array([sum(arrays[a][at] for a, at in parts) for _, parts in self.listed()])

    def log_partition(self, *arrays: np.ndarray) -> float:
        scores = self.scores(*arrays)
        top = scores.max()
        return float(top + np.log(np.exp(scores - top).sum())) if top > -np.inf else -np.inf

    def probabilities(self, *arrays: np.ndarray) -> np.ndarray:
        return np.exp(self.scores(*arrays) - self.log_partition(*arrays))

    def entropy(self, *arrays: np.ndarray) -> float:
        p = self.probabilities(*arrays)
        return float(-np.sum(p[p > 0] * np.log(p[p > 0])))

    def marginals(self, argument: int, *arrays: np.ndarray) -> np.ndarray:
        expected = np.zeros_like(arrays[argument])
        for p, (_, parts) in zip(self.probabilities(*arrays), self.listed(), strict=True):
            for a, at in parts:
                if a == argument:
                    expected[at] += p
        return expected

    def ranked(self, *arrays: np.ndarray) -> list[tuple[Any, float]]:
        order = sorted(zip(self.listed(), self.scores(*arrays), strict=True), key=lambda pair: -pair[1])
        return [(structure, float(score)) for (structure, _), score in order]


def chains(tags: int, words: int, ends: bool) -> Iterator[tuple[list[int], list[Part]]]:
    for y in itertools.product(range(tags), repeat=words):
        parts: list[Part] = [(0, (tag, t)) for t, tag in enumerate(y)]
        parts += [(1, (to, before)) for before, to in itertools.pairwise(y)]
        if ends:
            parts += [(2, (y[0],)), (3, (y[-1],))]
        yield list(y), parts


def cuts(words: int, longest: int) -> Iterator[list[tuple[int, int]]]:
    def rest(at: int) -> Iterator[list[tuple[int, int]]]:
        if at == words:
            yield []
        for length in range(1, min(longest, words - at) + 1):
            for others in rest(at + length):
                yield [(at, at + length), *others]

    yield from rest(0)


def segments(labels: int, longest: int, words: int, steps: bool) -> Iterator[tuple[Any, list[Part]]]:
    for cut in cuts(words, longest):
        for ks in itertools.product(range(labels), repeat=len(cut)):
            parts: list[Part] = [(0, (k, j - i - 1, i)) for (i, j), k in zip(cut, ks, strict=True)]
            if steps:
                parts += [(1, (to, before)) for before, to in itertools.pairwise(ks)]
            yield [(i, j, k) for (i, j), k in zip(cut, ks, strict=True)], parts


def label_paths(labels: int, frames: int, target: list[int]) -> Iterator[tuple[list[int], list[Part]]]:
    for path in itertools.product(range(labels), repeat=frames):
        if [k for k, _ in itertools.groupby(path) if k != 0] == target:
            yield list(path), [(0, (label, t)) for t, label in enumerate(path)]


def cell_paths(rows: int, columns: int) -> Iterator[tuple[Any, list[Part]]]:
    def rest(cell: tuple[int, int]) -> Iterator[list[tuple[int, int]]]:
        i, j = cell
        if cell == (rows - 1, columns - 1):
            yield [cell]
        for to in ((i + 1, j + 1), (i + 1, j), (i, j + 1)):
            if to[0] < rows and to[1] < columns:
                for others in rest(to):
                    yield [cell, *others]

    for path in rest((0, 0)):
        yield path, [(0, cell) for cell in path]


def edits(rows: int, columns: int) -> Iterator[tuple[Any, list[Part]]]:
    def rest(i: int, j: int) -> Iterator[list[tuple[str, int, int]]]:
        if (i, j) == (rows, columns):
            yield []
        steps = (("match", 1, 1), ("delete", 1, 0), ("insert", 0, 1))
        for name, down, right in steps:
            if i + down <= rows and j + right <= columns:
                for others in rest(i + down, j + right):
                    yield [(name, i, j), *others]

    for path in rest(0, 0):
        parts: list[Part] = []
        for name, i, j in path:
            parts.append({"match": (0, (i, j)), "delete": (1, (i,)), "insert": (2, (j,))}[name])
        yield path, parts


def brackets(words: int, labels: int) -> Iterator[tuple[Any, list[Part]]]:
    def trees(i: int, j: int) -> Iterator[list[tuple[int, int]]]:
        if i == j:
            yield [(i, j)]
        for k in range(i, j):
            for left in trees(i, k):
                for right in trees(k + 1, j):
                    yield [(i, j), *left, *right]

    for spans in trees(0, words - 1):
        for ks in itertools.product(range(labels), repeat=len(spans)):
            tree = sorted((i, j, k) for (i, j), k in zip(spans, ks, strict=True))
            yield tree, [(0, span if labels > 1 else span[:2]) for span in tree]


def is_tree(heads: tuple[int, ...]) -> bool:
    for d in range(1, len(heads) + 1):
        h = d
        for _ in heads:
            h = heads[h - 1] if h else 0
        if h:
            return False
    return True


def is_projective(heads: tuple[int, ...]) -> bool:
    arcs = [(min(h, d), max(h, d)) for d, h in enumerate(heads, 1)]
    return not any(a < c < b < d for a, b in arcs for c, d in arcs)


def dependencies(words: int, single: bool, projective: bool) -> Iterator[tuple[list[int], list[Part]]]:
    for heads in itertools.product(range(words + 1), repeat=words):
        if not is_tree(heads) or (projective and not is_projective(heads)):
            continue
        if not single or heads.count(0) == 1:
            yield list(heads), [(0, (h, d)) for d, h in enumerate(heads)]


def assignments(rows: int, columns: int) -> Iterator[tuple[Any, list[Part]]]:
    if rows <= columns:
        for chosen in itertools.permutations(range(columns), rows):
            yield list(chosen), [(0, (i, j)) for i, j in enumerate(chosen)]
    else:
        for owners in itertools.permutations(range(rows), columns):
            of = {i: j for j, i in enumerate(owners)}
            yield [of.get(i) for i in range(rows)], [(0, (i, j)) for i, j in of.items()]


S = dy.structured


def sequences() -> list[Kind]:
    """Small chains and segments."""
    found = [
        Kind(
            f"chain {k}x{n}{' with ends' if ends else ''}",
            [(k, n), (k, k), *([(k,), (k,)] if ends else [])],
            S.LinearChain,
            lambda k=k, n=n, ends=ends: chains(k, n, ends),
            operation="linear_chain",
        )
        for k, n, ends in ((3, 4, False), (3, 1, True), (2, 6, True), (3, 3, True), (1, 2, False))
    ]
    found += [
        Kind(
            f"segments {k}x{m}x{n}",
            [(k, m, n), *([(k, k)] if steps else [])],
            S.Segments,
            lambda k=k, m=m, n=n, steps=steps: segments(k, m, n, steps),
            operation="segments",
        )
        for k, m, n, steps in ((2, 3, 4, True), (1, 2, 6, False), (2, 1, 3, True), (2, 5, 3, False))
    ]
    return found


def lattices() -> list[Kind]:
    """Small problems of CTC, alignments and edits."""
    found = [
        Kind(
            f"ctc {k}x{n} {target}",
            [(k, n)],
            lambda x, target=target: S.CTC(x, target),
            lambda k=k, n=n, target=target: label_paths(k, n, target),
            operation="ctc",
        )
        for k, n, target in ((3, 5, [1, 2]), (3, 6, [1, 1, 2]), (2, 3, []), (2, 1, [1]), (3, 3, [1, 1]))
    ]
    found += [
        Kind(
            f"alignment {m}x{n}",
            [(m, n)],
            S.Alignment,
            lambda m=m, n=n: cell_paths(m, n),
            operation="alignment",
        )
        for m, n in ((3, 4), (1, 3), (4, 4))
    ]
    found += [
        Kind(
            f"edits {m}x{n}",
            [(m, n), (m,), (n,)],
            S.EditLattice,
            lambda m=m, n=n: edits(m, n),
            operation="edits",
        )
        for m, n in ((3, 4), (1, 1))
    ]
    return found


def trees() -> list[Kind]:
    """Small binary trees and dependency trees."""
    found = [
        Kind(
            f"binary tree {n}x{k}",
            [(n, n, k) if k > 1 else (n, n)],
            S.BinaryTrees,
            lambda n=n, k=k: brackets(n, k),
            operation="binary_tree",
        )
        for n, k in ((3, 2), (6, 1), (1, 2), (2, 3))
    ]
    for single in (True, False):
        found += [
            Kind(
                f"{name} {n} {'single' if single else 'any'}",
                [(n + 1, n)],
                lambda x, make=make, single=single: make(x, single),
                lambda n=n, single=single, flat=flat: dependencies(n, single, flat),
                operation=f"{name}_tree",
            )
            for n in (1, 2, 4, 5)
            for name, make, flat in (
                ("projective", S.ProjectiveTrees, True),
                ("spanning", S.SpanningTrees, False),
            )
        ]
    return found


def kinds() -> list[Kind]:
    """Small ones of all kinds that have sums."""
    return sequences() + lattices() + trees()
