"""Losses of numbers and of vectors: distances, ranks, contrasts, divergences."""

from __future__ import annotations

from typing import Any

import dynet._dynet as dy
from dynet._dynet import Expression
from dynet.arguments import built
from dynet.losses.arguments import expression, like, real, reduced


@built
def mse(x: Expression, y: Any, reduction: str = "mean") -> Expression:
    """(x - y)² of each number: the mean over those of an example, their sum, or with reduction="none"
    all. y is an expression or numbers of x's shape; a batch stays a batch. dy.squared_distance is the
    sum.

    >>> dy.losses.mse(dy.inputVector([1, 2]), [1, 4]).value()
    2.0
    """
    x = expression("mse", "x", x)
    return reduced("mse", dy.square(x - like("mse", "y", y, x, "x")), reduction)


@built
def mae(x: Expression, y: Any, reduction: str = "mean") -> Expression:
    """|x - y| of each number: the mean over those of an example, their sum, or with reduction="none" all.
    Shapes are those of mse. dy.l1_distance is the sum.

    >>> dy.losses.mae(dy.inputVector([1, 2]), [1, 4]).value()
    1.0
    """
    x = expression("mae", "x", x)
    return reduced("mae", dy.abs(x - like("mae", "y", y, x, "x")), reduction)


@built
def huber(x: Expression, y: Any, delta: float = 1.0, reduction: str = "mean") -> Expression:
    """d² / 2 for |d| ≤ delta, else delta (|d| - delta / 2), of each d = x - y: like mse near 0, like mae
    far from it. Shapes and reduction are those of mse; dy.huber_distance is the sum, with another delta.
    (Huber 1964)

    >>> print(dy.losses.huber(dy.inputVector([1, 2]), [1, 4], reduction="none").npvalue())
    [0.  1.5]
    """
    x = expression("huber", "x", x)
    width = real("huber", "delta", delta, 0)
    d = dy.abs(x - like("huber", "y", y, x, "x"))
    near = dy.bmin(d, dy.constant(1, width))
    return reduced("huber", dy.cmult(near, d - near * 0.5), reduction)


@built
def triplet(
    anchor: Expression, positive: Expression, negative: Expression, margin: float = 1.0
) -> Expression:
    """max(0, |a - p| - |a - n| + margin) of three vectors: the positive one shall be nearer to the anchor
    than the negative one, by a margin. Vectors have one shape; a batch stays a batch. (Schroff,
    Kalenichenko and Philbin 2015)

    >>> a, p, n = (dy.inputVector(v) for v in ([0, 0], [0, 1], [3, 4]))
    >>> dy.losses.triplet(a, p, n).value(), dy.losses.triplet(a, n, p).value()
    (0.0, 5.0)
    """
    anchor = expression("triplet", "anchor", anchor)
    positive = like("triplet", "positive", positive, anchor, "anchor")
    negative = like("triplet", "negative", negative, anchor, "anchor")
    width = real("triplet", "margin", margin, 0)
    return dy.rectify(dy.l2_norm(anchor - positive) - dy.l2_norm(anchor - negative) + width)


@built
def contrastive(x: Expression, y: Expression, same: bool, margin: float = 1.0) -> Expression:
    """|x - y|² for two vectors that shall be the same, max(0, margin - |x - y|)² for two that shall differ.
    (Hadsell, Chopra and LeCun 2006)

    >>> x, y = dy.inputVector([0, 0]), dy.inputVector([0, 0.5])
    >>> dy.losses.contrastive(x, y, same=True).value(), dy.losses.contrastive(x, y, same=False).value()
    (0.25, 0.25)
    """
    x = expression("contrastive", "x", x)
    y = like("contrastive", "y", y, x, "x")
    if same:
        return dy.squared_distance(x, y)
    return dy.square(dy.rectify(real("contrastive", "margin", margin, 0) - dy.l2_norm(x - y)))


@built
def info_nce(
    queries: Expression, keys: Expression, temperature: float = 0.07, reduction: str = "mean"
) -> Expression:
    """Contrast within a batch: column j of the queries (d, n) shall be likest to column j of the keys (d,
    m), m ≥ n, by cosines: cross entropy of cos(q_j, k_i) / temperature over i, with the class j. (Oord,
    Li and Vinyals 2018)

    >>> x = dy.inputTensor([[1, 0], [0, 1]])
    >>> bool(dy.losses.info_nce(x, x).value() < 1e-5)
    True
    """
    from dynet.losses.classes import cross_entropy

    both = []
    for name, x in (("queries", queries), ("keys", keys)):
        shape, batch = expression("info_nce", name, x).dim()
        if len(shape) != 2 or shape[0] != queries.dim()[0][0]:
            raise ValueError(
                f"info_nce: {name} has shape {shape}; a matrix with as many rows as the other is needed"
            )
        length = dy.sqrt(dy.sum_dim(dy.square(x), [0]) + 1e-12)
        both.append(dy.cdiv(x, dy.reshape(length, (1, shape[1]), batch)))
    n, m = queries.dim()[0][1], keys.dim()[0][1]
    if m < n:
        raise ValueError(f"info_nce: {m} keys for {n} queries; as many at least are needed")
    t = real("info_nce", "temperature", temperature, 1e-6)
    batch = max(queries.dim()[1], keys.dim()[1])
    scores = dy.reshape(dy.transpose(both[1]) * both[0], (m, n), batch) / t
    return cross_entropy(scores, list(range(n)) * batch, reduction=reduction)


@built
def kl_divergence(log_p: Expression, log_q: Expression) -> Expression:
    """Σ p (log p - log q) of two distributions by their logarithms, such as what dy.log_softmax gives:
    how much is lost where q is taken for p. Vectors (k,), or matrices (k, n) with a distribution in each
    column, whose divergences are summed; a batch stays a batch. torch's kl_div(log_q, log_p,
    log_target=True) with the sum.

    >>> p, q = dy.inputVector([0.5, 0.5]), dy.inputVector([0.25, 0.75])
    >>> print(dy.losses.kl_divergence(dy.log(p), dy.log(q)).npvalue().round(4))
    [0.1438]
    """
    log_p = expression("kl_divergence", "log_p", log_p)
    log_q = like("kl_divergence", "log_q", log_q, log_p, "log_p")
    p = dy.exp(log_p)  # where it is 0 it has no part in the sum, whatever the logarithms are
    return dy.sum_elems(dy.cmult(p, dy.where(p, log_p - log_q, dy.zeros(1))))


@built
def gaussian_kl(mean: Expression, log_variance: Expression) -> Expression:
    """Σ (mean² + variance - 1 - log variance) / 2: the divergence of a normal distribution with independent
    numbers from the standard one, as a variational autoencoder's loss has it. (Kingma and Welling 2014)

    >>> dy.losses.gaussian_kl(dy.inputVector([1, 1]), dy.inputVector([0, 0])).value()
    1.0
    """
    mean = expression("gaussian_kl", "mean", mean)
    log_variance = like("gaussian_kl", "log_variance", log_variance, mean, "mean")
    return dy.sum_elems(dy.square(mean) + dy.exp(log_variance) - log_variance - 1) * 0.5
