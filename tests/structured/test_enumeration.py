"""Each question to each kind of structure, beside the list of all structures."""

from __future__ import annotations

import enumeration
import numpy as np
import pytest

import dynet as dy

KINDS = enumeration.kinds()
DOUBLE = dy.__precision__ == "float64"
CLOSE = 1e-9 if DOUBLE else 2e-5


def each_kind(function):
    return pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])(function)


def drawn(kind, salt=0, scale=1.0):
    random = np.random.default_rng([salt, len(kind.name)])
    return [random.normal(size=shape).astype(np.float32).astype(float) * scale for shape in kind.shapes]


def built(kind, arrays):
    dy.renew_cg()
    xs = [dy.inputTensor(a) for a in arrays]
    return xs, kind.make(*xs)


def feasible(kind, arrays):
    return kind.listed() and kind.log_partition(*arrays) > -np.inf


@each_kind
@pytest.mark.parametrize("scale", [1.0, 40.0])
def test_sums(kind, scale):
    arrays = drawn(kind, scale=scale)
    xs, d = built(kind, arrays)
    if not kind.listed():
        assert d.log_partition().value() == -np.inf
        return
    total = d.log_partition()
    assert total.value() == pytest.approx(kind.log_partition(*arrays), rel=CLOSE, abs=CLOSE)
    total.backward(full=True)
    for i, x in enumerate(xs):
        expected = kind.marginals(i, *arrays)
        np.testing.assert_allclose(x.gradient(), expected, atol=CLOSE)
        np.testing.assert_allclose(d.marginals(i).npvalue(), expected, atol=CLOSE)
    assert d.entropy().value() == pytest.approx(kind.entropy(*arrays), abs=CLOSE * scale)


@each_kind
def test_a_structure(kind):
    arrays = drawn(kind, 1)
    xs, d = built(kind, arrays)
    for i, (structure, parts) in enumerate(kind.listed()[:40]):
        score = float(kind.scores(*arrays)[i])
        assert d.score(structure).value() == pytest.approx(score, rel=CLOSE, abs=CLOSE)
        loss = d.nll(structure)
        assert loss.value() == pytest.approx(kind.log_partition(*arrays) - score, rel=CLOSE, abs=CLOSE)
        if i == 0:
            loss.backward(full=True)
            for k, x in enumerate(xs):
                expected = kind.marginals(k, *arrays)
                for a, at in parts:
                    if a == k:
                        expected[at] -= 1
                np.testing.assert_allclose(x.gradient(), expected, atol=CLOSE)


@each_kind
def test_the_best(kind):
    if not kind.listed():
        _, d = built(kind, drawn(kind))
        with pytest.raises(ValueError, match="allow no structure"):
            d.best()
        return
    for salt in range(3):
        arrays = drawn(kind, salt)
        _, d = built(kind, arrays)
        ranked = kind.ranked(*arrays)
        assert d.score(d.best()).value() == pytest.approx(ranked[0][1], rel=CLOSE, abs=CLOSE)
        for k in (1, 5, 1000):
            if k == 1000 and len(ranked) > 300:
                continue
            found = d.k_best(k)
            assert len(found) == min(k, len(ranked))
            np.testing.assert_allclose(
                [score for _, score in found], [score for _, score in ranked[:k]], rtol=CLOSE, atol=CLOSE
            )
            if kind.operation != "edits":  # A deletion before an insertion scores as one after it.
                assert [structure for structure, _ in found] == [structure for structure, _ in ranked[:k]]


@each_kind
def test_forbidden_parts(kind):
    """A score of -inf takes all structures with it, and has no gradient; nothing becomes NaN."""
    arrays = drawn(kind, 2)
    random = np.random.default_rng(3)
    for a in arrays:
        a[random.random(a.shape) < 0.3] = -np.inf
    xs, d = built(kind, arrays)
    total = d.log_partition()
    if not feasible(kind, arrays):
        assert total.value() == -np.inf
        total.backward(full=True)
        assert all((np.asarray(x.gradient()) == 0).all() for x in xs)
        for ask in (d.best, d.sample, lambda: d.k_best(2)):
            with pytest.raises(ValueError, match="allow no structure"):
                ask()
        return
    assert total.value() == pytest.approx(kind.log_partition(*arrays), rel=CLOSE, abs=CLOSE)
    total.backward(full=True)
    for i, x in enumerate(xs):
        np.testing.assert_allclose(x.gradient(), kind.marginals(i, *arrays), atol=CLOSE)
        assert (np.asarray(x.gradient())[np.isneginf(arrays[i])] == 0).all()
    assert d.entropy().value() == pytest.approx(kind.entropy(*arrays), abs=CLOSE)
    best = kind.ranked(*arrays)[0][1]
    assert d.score(d.best()).value() == pytest.approx(best, rel=CLOSE, abs=CLOSE)


@each_kind
def test_samples(kind):
    arrays = drawn(kind, 4)
    if not feasible(kind, arrays):
        return
    dy.reset_random_seed(5)
    _, d = built(kind, arrays)
    count = 400
    told = [d._all.sample() for _ in range(count)]
    dy.forward(told)
    names = [str(structure) for structure, _ in kind.listed()]
    drawn_names = [str(d._found(each.npvalue(), "sample")[0]) for each in told]
    assert set(drawn_names) <= set(names)
    p = kind.probabilities(*arrays)
    seen = np.array([drawn_names.count(name) for name in names]) / count
    assert np.abs(seen - p).sum() < 2.5 * np.sqrt(len(p) / count)


@each_kind
def test_far_scores(kind):
    """Scores of ±1e4: the most probable structures are right, and nothing overflows."""
    random = np.random.default_rng(6)
    arrays = [random.choice([-1e4, 0, 1e4], size=shape) for shape in kind.shapes]
    if not feasible(kind, arrays):
        return
    xs, d = built(kind, arrays)
    total = d.log_partition()
    assert total.value() == pytest.approx(kind.log_partition(*arrays), rel=1e-6)
    total.backward(full=True)
    for i, x in enumerate(xs):
        np.testing.assert_allclose(x.gradient(), kind.marginals(i, *arrays), atol=1e-5)
    assert np.isfinite(d.entropy().value())


def test_what_is_told_of_assignments():
    for m, n in ((3, 3), (2, 4), (4, 2), (1, 1), (5, 5)):
        kind = enumeration.Kind(
            "assignment", [(m, n)], dy.structured.Assignment, lambda m=m, n=n: enumeration.assignments(m, n)
        )
        arrays = drawn(kind, m)
        _, d = built(kind, arrays)
        ranked = kind.ranked(*arrays)
        assert d.best() == ranked[0][0]
        assert [structure for structure, _ in d.k_best(6)] == [structure for structure, _ in ranked[:6]]
        assert d.score(ranked[-1][0]).value() == pytest.approx(ranked[-1][1], rel=CLOSE, abs=CLOSE)
        assert len([j for j in d.greedy() if j is not None]) == min(m, n)
        with pytest.raises(ValueError, match="exponential time"):
            d.log_partition()
