"""Losses of classes: cross entropy, binary ones, focal ones, margins."""

from __future__ import annotations

from typing import Any

import dynet._dynet as dy
from dynet._dynet import Expression
from dynet.arguments import built
from dynet.losses.arguments import Classes, expression, like, real, reduced


@built
def cross_entropy(
    scores: Expression, target: Any, smoothing: float = 0.0, reduction: str = "mean"
) -> Expression:
    """-log softmax(scores)[target], the loss of a classifier's scores (logits).

    scores are a vector (k,) and target a class, 0 to k - 1; or scores are a matrix (k, n) with a column
    for each word, and target a list of n classes: the loss is then their mean, their sum, or with
    reduction="none" a vector (n,). A batch stays a batch; its targets stand one after another. With
    `smoothing` s the target's share is 1 - s, and s / k more for each class: (1 - s) loss + s mean(-log
    softmax). As torch.nn.functional's. IndexError for a class that is not there. (Szegedy et al. 2016)

    >>> scores = dy.inputTensor([[0, 1], [0, 3]])
    >>> print(dy.losses.cross_entropy(scores, [0, 1], reduction="none").npvalue().round(4))
    [0.6931 0.1269]
    """
    classes = Classes("cross_entropy", scores, target)
    s = real("cross_entropy", "smoothing", smoothing, 0, 1)
    losses = classes.neglog()
    if s:
        even = -dy.mean_elems(dy.log_softmax(classes.scores))
        losses = losses * (1 - s) + even * s
    return reduced("cross_entropy", classes.back(losses), reduction)


@built
def binary_cross_entropy(
    scores: Expression, targets: Any, positive_weight: float = 1.0, reduction: str = "mean"
) -> Expression:
    """-(w y log σ(x) + (1 - y) log σ(-x)) of each score x (a logit) and target y, 0, 1 or between: the
    loss of yes-or-no questions, and of several labels at once. Stable for scores of any size.

    targets are an expression or numbers of the scores' shape; positive_weight is w. The loss is the mean
    over the numbers of an example, their sum, or with reduction="none" all of them. As torch's
    binary_cross_entropy_with_logits; dy.binary_log_loss takes probabilities.

    >>> print(dy.losses.binary_cross_entropy(dy.inputVector([0, 100]), [1, 1]).npvalue().round(4))
    [0.3466]
    """
    x = expression("binary_cross_entropy", "scores", scores)
    y = like("binary_cross_entropy", "targets", targets, x, "scores")
    w = real("binary_cross_entropy", "positive_weight", positive_weight, 0)
    yes = dy.cmult(y, dy.log_sigmoid(x))
    no = dy.cmult(1 - y, dy.log_sigmoid(-x))
    return reduced("binary_cross_entropy", -((yes if w == 1 else yes * w) + no), reduction)


@built
def focal(scores: Expression, target: Any, gamma: float = 2.0, reduction: str = "mean") -> Expression:
    """(1 - p)^gamma · -log p with p = softmax(scores)[target]: cross entropy in which what is right
    already counts little, for classes that are rare. gamma is 2 by default; 0 is cross entropy. Shapes
    and reduction are those of cross_entropy. (Lin et al. 2017)

    >>> print(dy.losses.focal(dy.inputVector([0, 0]), 1).npvalue().round(4))
    [0.1733]
    """
    classes = Classes("focal", scores, target)
    power = real("focal", "gamma", gamma, 0)
    losses = classes.neglog()
    if power:
        # 1 - p is 0 where all is right, and a power of it below 1 has no gradient there.
        missing = 1 - dy.exp(-losses)
        losses = dy.cmult((missing if power >= 1 else missing + 1e-12) ** power, losses)
    return reduced("focal", classes.back(losses), reduction)


@built
def binary_focal(
    scores: Expression,
    targets: Any,
    gamma: float = 2.0,
    alpha: float | None = 0.25,
    reduction: str = "mean",
) -> Expression:
    """The focal loss of yes-or-no questions: a (1 - p)^gamma · -log p with p = σ(x) and a = alpha where
    the target is 1, p = σ(-x) and a = 1 - alpha where it is 0; without weights for alpha=None. Targets
    are 0 or 1. Shapes and reduction are those of binary_cross_entropy. (Lin et al. 2017)

    >>> print(dy.losses.binary_focal(dy.inputVector([0]), [1]).npvalue().round(4))
    [0.0433]
    """
    x = expression("binary_focal", "scores", scores)
    y = like("binary_focal", "targets", targets, x, "scores")
    power = real("binary_focal", "gamma", gamma, 0)
    sign = y * 2 - 1
    right = dy.cmult(x, sign)
    losses = -dy.cmult(dy.exp(dy.log_sigmoid(-right) * power), dy.log_sigmoid(right))
    if alpha is not None:
        a = real("binary_focal", "alpha", alpha, 0, 1)
        losses = dy.cmult(losses, y * (2 * a - 1) + (1 - a))
    return reduced("binary_focal", losses, reduction)


@built
def margin(scores: Expression, target: Any, margin: float = 1.0, reduction: str = "mean") -> Expression:
    """Σ max(0, margin - s_target + s_i) over the classes i ≠ target: the hinge loss of several classes, as
    dy.hinge; torch's multi_margin_loss is it divided by k. Shapes and reduction are those of cross_entropy.

    >>> dy.losses.margin(dy.inputVector([0, 0.5, 3]), 2).value()
    0.0
    """
    classes = Classes("margin", scores, target)
    width = real("margin", "margin", margin, 0)
    losses = (
        dy.hinge(classes.scores, classes.targets[0], width)
        if len(classes.targets) == 1
        else dy.hinge_batch(classes.scores, classes.targets, width)
    )
    return reduced("margin", classes.back(losses), reduction)


@built
def perplexity(loss: Any, count: int) -> Any:
    """e^(loss / count): how many words a language model hesitates among, of the sum of its losses over
    `count` words. A number for a number, an expression for an expression.

    >>> dy.losses.perplexity(0.0, 7)
    1.0
    """
    if isinstance(count, bool) or not count > 0:
        raise ValueError(f"perplexity: count is {count!r:.60}; a number above 0 is needed")
    if isinstance(loss, Expression):
        return dy.exp(loss / count)
    import math

    try:
        return math.exp(loss / count)
    except OverflowError:
        return math.inf
