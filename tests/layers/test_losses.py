"""Losses beside torch's: values, gradients, reductions, batches."""

import math

import numpy as np
import pytest
from layer_laws import close, inputs

import dynet as dy


def both(ours, theirs, x):
    """Values and gradients with respect to x (k, n), which torch has as (n, k)."""
    torch = pytest.importorskip("torch")
    model = dy.ParameterCollection()
    p = model.parameters_from_numpy(x)
    ours(p).backward()
    q = torch.tensor(x.T, requires_grad=True)
    loss = theirs(torch.nn.functional, torch.tensor, q)
    loss.backward()
    close(ours(p).value(), loss.item(), 5e-5)
    close(p.grad_as_array(), q.grad.numpy().T, 5e-5)


SCORES = inputs(1, (5, 4))[0]
TARGETS = [1, 0, 4, 4]
YES = (inputs(2, (5, 4))[0] > 0).astype(float)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy(reduction, smoothing):
    options = {"reduction": reduction}
    both(
        lambda p: dy.losses.cross_entropy(p, TARGETS, smoothing, **options),
        lambda f, t, q: f.cross_entropy(q, t(TARGETS), label_smoothing=smoothing, **options),
        SCORES,
    )


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_binary_cross_entropy(reduction, weight):
    both(
        lambda p: dy.losses.binary_cross_entropy(p, YES, weight, reduction),
        lambda f, t, q: f.binary_cross_entropy_with_logits(
            q, t(YES.T), pos_weight=t(weight), reduction=reduction
        ),
        SCORES * 10,
    )


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_focal(gamma):
    def theirs(functions, tensor, q):
        losses = functions.cross_entropy(q, tensor(TARGETS), reduction="none")
        return ((1 - (-losses).exp()) ** gamma * losses).mean()

    both(lambda p: dy.losses.focal(p, TARGETS, gamma), theirs, SCORES)


@pytest.mark.parametrize("alpha", [None, 0.25])
def test_binary_focal(alpha):
    def theirs(functions, tensor, q):
        y = tensor(YES.T)
        losses = functions.binary_cross_entropy_with_logits(q, y, reduction="none")
        losses = losses * (1 - (-losses).exp()) ** 2
        return (losses if alpha is None else losses * (alpha * y + (1 - alpha) * (1 - y))).mean()

    both(lambda p: dy.losses.binary_focal(p, YES, alpha=alpha), theirs, SCORES)


def test_margin():
    both(
        lambda p: dy.losses.margin(p, TARGETS, 0.7) / 5,
        lambda f, t, q: f.multi_margin_loss(q, t(TARGETS), margin=0.7),
        SCORES,
    )


def test_distances():
    [y] = inputs(3, (5, 4))
    for ours, name in (
        (dy.losses.mse, "mse_loss"),
        (dy.losses.mae, "l1_loss"),
        (dy.losses.huber, "huber_loss"),
    ):
        for reduction in ("mean", "sum"):
            both(
                lambda p, ours=ours, r=reduction: ours(p, y, reduction=r),
                lambda f, t, q, name=name, r=reduction: getattr(f, name)(q, t(y.T), reduction=r),
                SCORES,
            )
    both(
        lambda p: dy.losses.huber(p, y, delta=0.3),
        lambda f, t, q: f.huber_loss(q, t(y.T), delta=0.3),
        SCORES,
    )


def test_triplet_and_contrastive():
    p, n = inputs(4, (6,), (6,))
    both(
        lambda a: dy.losses.triplet(a, dy.inputVector(p), dy.inputVector(n), 2.0),
        lambda f, t, q: f.triplet_margin_loss(q[None], t(p)[None], t(n)[None], margin=2.0),
        inputs(5, (6,))[0],
    )
    x, y = (dy.inputVector(each) for each in (p, n))
    distance = np.linalg.norm(p - n)
    close(dy.losses.contrastive(x, y, same=True).value(), distance**2)
    close(dy.losses.contrastive(x, y, False, 9.0).value(), (9 - distance) ** 2)


def test_info_nce():
    [keys] = inputs(6, (5, 6))

    def theirs(functions, tensor, q):
        a, b = functions.normalize(q, dim=1), functions.normalize(tensor(keys.T), dim=1)
        return functions.cross_entropy(a @ b.T / 0.2, tensor(list(range(4))))

    both(lambda p: dy.losses.info_nce(p, dy.inputTensor(keys), 0.2), theirs, SCORES)


def test_divergences():
    [other] = inputs(7, (5, 4))
    both(
        lambda p: dy.losses.kl_divergence(dy.log_softmax(p), dy.log_softmax(dy.inputTensor(other))),
        lambda f, t, q: f.kl_div(
            f.log_softmax(t(other.T), 1), f.log_softmax(q, 1), reduction="sum", log_target=True
        ),
        SCORES,
    )
    mean, log_variance = inputs(8, (5,), (5,))
    found = dy.losses.gaussian_kl(dy.inputVector(mean), dy.inputVector(log_variance)).value()
    close(found, 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum())


def test_one_column_is_a_vector():
    vector, column = dy.inputVector(SCORES[:, 0]), dy.inputTensor(SCORES[:, :1])
    for loss in (dy.losses.cross_entropy, dy.losses.focal, dy.losses.margin):
        close(loss(vector, 2).value(), loss(column, [2]).value())
    rows = dy.losses.cross_entropy(dy.inputTensor(SCORES), TARGETS, reduction="none")
    assert rows.shape == (4,)


def test_a_batch_stays_a_batch():
    [x] = inputs(9, (5, 3, 2))
    targets = [1, 2, 3, 0, 4, 4]
    batched = dy.losses.cross_entropy(dy.inputTensor(x, batched=True), targets, 0.1)
    assert batched.dim() == ((1,), 2)
    alone = [
        dy.losses.cross_entropy(dy.inputTensor(x[..., i]), targets[3 * i : 3 * i + 3], 0.1).value()
        for i in range(2)
    ]
    assert list(np.ravel(batched.npvalue(batched=True))) == alone


def test_perplexity():
    assert dy.losses.perplexity(math.log(8) * 5, 5) == pytest.approx(8)
    assert dy.losses.perplexity(1e9, 1) == math.inf
    close(dy.losses.perplexity(dy.scalarInput(2.0), 2).value(), math.e)


def test_scores_of_any_size():
    x = dy.inputVector([1e4, -1e4, 0])
    assert dy.losses.cross_entropy(x, 0).value() == 0
    assert dy.losses.cross_entropy(x, 1).value() == 2e4
    assert dy.losses.binary_cross_entropy(x, [1, 0, 0], reduction="sum").value() == pytest.approx(math.log(2))


def test_wrong_arguments():
    x = dy.inputTensor(SCORES)
    for wrong, error, text in (
        (lambda: dy.losses.cross_entropy(x, [1]), ValueError, "cross_entropy: 1 targets for 4 columns"),
        (lambda: dy.losses.cross_entropy(x, 1), TypeError, "a list of 4 numbers of classes is needed"),
        (
            lambda: dy.losses.cross_entropy(x, [0, 1, 2, 5]),
            IndexError,
            "target 5; there are the classes 0 to 4",
        ),
        (lambda: dy.losses.cross_entropy(x, TARGETS, 2), ValueError, "smoothing is 2; a number from 0 to 1"),
        (lambda: dy.losses.cross_entropy(x, TARGETS, reduction="max"), ValueError, "'mean', 'sum' or 'none'"),
        (lambda: dy.losses.cross_entropy([1], 0), TypeError, "scores is a list; an expression is needed"),
        (lambda: dy.losses.mse(x, [1, 2]), ValueError, r"y has shape \(2,\) and x \(5, 4\)"),
        (lambda: dy.losses.info_nce(x, dy.zeros((5, 2))), ValueError, "2 keys for 4 queries"),
        (lambda: dy.losses.perplexity(1.0, 0), ValueError, "count is 0"),
    ):
        with pytest.raises(error, match=text):
            wrong()
