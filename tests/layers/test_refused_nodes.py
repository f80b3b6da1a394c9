"""What a Python function of several operations refuses leaves the graph as it was."""

import numpy as np
import pytest

import dynet as dy

M = dy.ParameterCollection


def zeros(*shape):
    return dy.inputTensor(np.zeros(shape))


def batch(*shape):
    return dy.inputTensor(np.zeros((*shape, 2)), batched=True)


def heads():
    return dy.nn.CRF(3, ["O", "B-X"], M(), "BIO"), dy.nn.CTC(3, 2, M())


# What makes the arguments, and the call that refuses them, mostly after it has added nodes.
REFUSED = {
    "einsum of 8 axes": (
        lambda: [zeros(2, 2, 2, 2), zeros(2, 2, 2, 2)],
        lambda x, y: dy.einsum("abcd,efgh", x, y),
    ),
    "einsum of batches": (
        lambda: [zeros(2, 3), batch(3, 2), dy.inputTensor(np.zeros((2, 2, 3)), batched=True)],
        lambda x, y, z: dy.einsum("ij,jk,kl->il", x, y, z),
    ),
    "einsum of sizes": (lambda: [zeros(2, 3), zeros(2, 3)], lambda x, y: dy.einsum("ij,jk->ik", x, y)),
    "cross_entropy": (lambda: [zeros(3, 2)], lambda x: dy.losses.cross_entropy(x, [0, 1], reduction="some")),
    "cross_entropy, smoothing": (lambda: [zeros(3, 2)], lambda x: dy.losses.cross_entropy(x, [0, 1], 2.0)),
    "binary_cross_entropy": (
        lambda: [zeros(3)],
        lambda x: dy.losses.binary_cross_entropy(x, [1, 0, 1], positive_weight=-1),
    ),
    "binary_focal": (lambda: [zeros(3)], lambda x: dy.losses.binary_focal(x, [1, 0, 1], alpha=2)),
    "focal": (lambda: [zeros(3, 2)], lambda x: dy.losses.focal(x, [0, 1], gamma=-1)),
    "margin": (lambda: [zeros(3, 2)], lambda x: dy.losses.margin(x, [0, 1], reduction="all")),
    "mse": (lambda: [zeros(3)], lambda x: dy.losses.mse(x, [1, 2])),
    "mae": (lambda: [zeros(3)], lambda x: dy.losses.mae(x, [1, 2, 3], "x")),
    "huber": (lambda: [zeros(3)], lambda x: dy.losses.huber(x, [1, 2, 3], 1.0, "x")),
    "triplet": (lambda: [zeros(3), zeros(3), zeros(4)], dy.losses.triplet),
    "triplet of numbers": (lambda: [zeros(3)], lambda x: dy.losses.triplet(x, [1, 2, 3], [1, 2])),
    "contrastive": (lambda: [zeros(3), zeros(3)], lambda x, y: dy.losses.contrastive(x, y, False, margin=-1)),
    "info_nce": (lambda: [zeros(3, 2), zeros(3, 1)], dy.losses.info_nce),
    "kl_divergence": (lambda: [zeros(3), zeros(4)], dy.losses.kl_divergence),
    "gaussian_kl": (lambda: [zeros(3), zeros(4)], dy.losses.gaussian_kl),
    "LinearChain": (
        lambda: [zeros(3, 4), zeros(3, 3), zeros(2)],
        lambda x, y, z: dy.structured.LinearChain(x, y, z, allowed=np.ones((3, 4), bool)),
    ),
    "LinearChain of a list": (
        lambda: [zeros(3), zeros(3), zeros(2, 2)],
        lambda x, y, z: dy.structured.LinearChain([x, y], z),
    ),
    "LinearChain.nll": (
        lambda: [dy.structured.LinearChain(zeros(3, 4), zeros(3, 3))],
        lambda chain: chain.nll([0, 1, 2, 3]),
    ),
    "LinearChain.k_best": (
        lambda: [dy.structured.LinearChain(batch(3, 4), zeros(3, 3))],
        lambda chain: chain.k_best(2),
    ),
    "CTC": (lambda: [zeros(3), zeros(3)], lambda x, y: dy.structured.CTC([x, y], [3])),
    "ctc_decode": (lambda: [batch(3), batch(3)], lambda x, y: dy.structured.ctc_decode([x, y])),
    "BinaryTrees": (
        lambda: [zeros(3, 2)],
        lambda x: dy.structured.BinaryTrees(x, allowed=np.ones((3, 2), bool)),
    ),
    "best_of_all": (
        lambda: [dy.structured.LinearChain(zeros(3, 4), zeros(3, 3))],
        lambda chain: dy.structured.best_of_all([chain, 5]),
    ),
    "CRF": (lambda: [*heads(), zeros(3, 2)], lambda crf, _, x: crf.loss(x, ["O"])),
    "CRF of a mini-batch": (lambda: [*heads(), batch(3, 2)], lambda crf, _, x: crf.k_best(x, 2)),
    "CTC head": (lambda: [*heads(), zeros(3, 2)], lambda _, ctc, x: ctc.loss(x, [0, 1, 0])),
    "BatchNorm": (lambda: [dy.nn.BatchNorm(3, M()), [zeros(3), zeros(4)]], lambda norm, xs: norm(xs)),
    "Linear of a list": (lambda: [dy.nn.Linear(3, 2, M()), [zeros(3), zeros(4)]], lambda f, xs: f(xs)),
    "BiLSTM": (lambda: [dy.nn.BiLSTM(3, 4, M()), [zeros(3), zeros(4)]], lambda f, xs: f(xs)),
    "MLP": (
        lambda: [dy.nn.MLP([3, 2], M(), activation="relu"), [zeros(3), batch(2)]],
        lambda f, xs: f(xs),
    ),
    "MultiHeadAttention": (
        lambda: [dy.nn.MultiHeadAttention(4, 2, M()), zeros(4, 3), zeros(4, 2)],
        lambda f, x, y: f(x, y, causal=True),
    ),
    "MultiHeadAttention, mask": (
        lambda: [dy.nn.MultiHeadAttention(4, 2, M()), zeros(4, 3)],
        lambda f, x: f(x, mask=[True, False]),
    ),
    "TransformerDecoder": (
        lambda: [dy.nn.TransformerDecoder(1, 4, 2, 8, M()), zeros(4, 3), zeros(4, 2)],
        lambda f, x, y: f(x, y, memory_mask=[True]),
    ),
    "Conv1d": (lambda: [dy.nn.Conv1d(3, 2, 5, M(), padding=1), [zeros(3)]], lambda f, xs: f(xs)),
    "LearnedPositions": (lambda: [dy.nn.LearnedPositions(3, 2, M()), [zeros(3)] * 3], lambda f, xs: f(xs)),
    "Biaffine": (lambda: [dy.nn.Biaffine(3, 2, M()), [zeros(3)], zeros(3, 2)], lambda f, x, y: f(x, y)),
    "Triaffine": (
        lambda: [dy.nn.Triaffine((2, 2, 2), M()), zeros(2, 2), zeros(2, 2), zeros(3, 2)],
        lambda f, *xs: f(*xs),
    ),
    "CopyOutput": (
        lambda: [dy.nn.CopyOutput(3, 4, M()), zeros(3), zeros(2)],
        lambda f, x, y: f.loss(x, y, [1, 1], -1),
    ),
    "CharacterLSTM": (lambda: [dy.nn.CharacterLSTM(3, 2, 4, M())], lambda f: f([[0, 1], [5]])),
    "CharacterCNN": (lambda: [dy.nn.CharacterCNN(3, 2, {2: 3}, M())], lambda f: f([[0, 1], []])),
    "NaryTreeLSTM": (
        lambda: [dy.nn.NaryTreeLSTM(2, 3, 1, M()), zeros(2, 3)],
        lambda f, x: f(x, [[1, 2], [], []]),
    ),
    "ChildSumTreeLSTM": (
        lambda: [dy.nn.ChildSumTreeLSTM(2, 3, M()), zeros(2, 3)],
        lambda f, x: f(x, [[1, 2], [0], []]),
    ),
    "MixtureOfSoftmaxes": (lambda: [dy.nn.MixtureOfSoftmaxes(3, 4, 2, M()), zeros(4)], lambda f, x: f(x)),
}


def size():
    """How many nodes the graph has."""
    return len(dy.cg().nodes())


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_left(name):
    dy.renew_cg()
    make, call = REFUSED[name]
    given = make()
    before = size()
    with pytest.raises((ValueError, TypeError, IndexError)):
        call(*given)
    assert size() == before
    kept = dy.inputVector([1, 2])
    assert (kept * 2).value() == [2, 4]


def test_what_a_program_raises_leaves_its_nodes():
    """They may be in its variables."""
    made = []

    def activation(x):
        made.append(dy.tanh(x))
        raise KeyError("mine")

    mlp = dy.nn.MLP([2, 2, 2], M(), activation=activation)
    with pytest.raises(KeyError, match="mine"):
        mlp(dy.ones(2))
    assert len(made[0].value()) == 2


def test_what_was_computed_stays():
    dy.renew_cg()
    chain = dy.structured.LinearChain(dy.inputTensor([[np.nan, 0], [0, 0]]), zeros(2, 2))
    with pytest.raises(ValueError, match="NaN"):
        chain.best()
    assert np.isnan(chain.log_partition().value())
