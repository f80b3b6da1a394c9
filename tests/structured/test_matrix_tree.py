"""Sums over spanning trees of many sizes beside determinants, and where probabilities lose digits."""

import numpy as np
import pytest

import dynet as dy


def determinant(scores, single_root):
    """The log of the sum by the matrix-tree theorem (Koo et al. 2007), and the probability of each arc."""
    weights = np.exp(scores)
    roots, heads = weights[0], weights[1:].copy()
    n = len(roots)
    heads[range(n), range(n)] = 0
    laplacian = np.diag(heads.sum(0)) - heads
    if single_root:
        laplacian[0] = roots
    else:
        laplacian += np.diag(roots)
    inverse = np.linalg.inv(laplacian)
    counts = np.zeros_like(weights)
    for word in range(n):
        counts[0, word] = roots[word] * inverse[word, 0 if single_root else word]
        for head in range(n):
            own = inverse[word, word] if not (single_root and word == 0) else 0
            other = inverse[word, head] if not (single_root and head == 0) else 0
            counts[head + 1, word] = heads[head, word] * (own - other)
    return np.linalg.slogdet(laplacian)[1], counts


@pytest.mark.parametrize("single_root", [True, False])
@pytest.mark.parametrize("words", [1, 2, 6, 7, 8, 9, 15, 16, 17, 40])
def test_it_is_the_determinant(words, single_root):
    scores = np.random.default_rng(words).normal(size=(words + 1, words))
    total, counts = determinant(scores, single_root)
    trees = dy.structured.SpanningTrees(dy.inputTensor(scores), single_root)
    assert trees.log_partition().value() == pytest.approx(total, rel=1e-5, abs=1e-5)
    np.testing.assert_allclose(trees.marginals().npvalue().reshape(counts.shape), counts, atol=2e-6)


def test_scores_far_apart_are_summed_in_logs():
    """Two words want each other as heads, and what is left of the second one is too small for products."""
    scores = np.full((4, 3), -300.0)
    scores[2, 0] = scores[1, 1] = 0
    trees = dy.structured.SpanningTrees(dy.inputTensor(scores))
    assert trees.log_partition().value() == pytest.approx(-600 + np.log(6), rel=1e-6)
    assert trees.marginals().npvalue().sum(0).round(5).tolist() == [1, 1, 1]
    assert trees.marginals().npvalue()[2, 0] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("words", [2, 5, 9])
@pytest.mark.parametrize("gap", [20, 40, 70, 90])
def test_one_root_has_its_arc_whatever_all_of_them_gain(words, gap):
    """Each tree has one arc of the root, so that no probability depends on what is added to all of these."""
    scores = np.random.default_rng(words).normal(size=(words + 1, words)).astype(np.float32)

    def marginals(more):
        moved = scores + np.outer(np.eye(words + 1)[0], np.full(words, more))
        return dy.structured.SpanningTrees(dy.inputTensor(moved)).marginals().npvalue()

    for more in (gap, -gap):
        np.testing.assert_allclose(marginals(more), marginals(0), atol=1e-5)
        assert marginals(more).sum(0) == pytest.approx(np.ones(words), abs=1e-5)
