"""The same numbers as pytorch-crf, torch's CTC loss and torch-struct, where they are installed."""

from __future__ import annotations

import numpy as np
import pytest

import dynet as dy

torch = pytest.importorskip("torch")
S = dy.structured


def normal(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def compare(loss, xs, value, tensors):
    """Values and gradients; a tensor's axes are those of the expression, the other way round."""
    assert loss.value() == pytest.approx(float(value.detach()), rel=1e-4)
    loss.backward(full=True)
    value.backward()
    for x, tensor in zip(xs, tensors, strict=True):
        np.testing.assert_allclose(np.asarray(x.gradient()), tensor.grad.numpy().T, atol=1e-4)


def test_crf():
    torchcrf = pytest.importorskip("torchcrf")
    emissions, steps, start, end = normal(5, 7), normal(5, 5), normal(5), normal(5, seed=2)
    tags = [0, 4, 3, 3, 1, 0, 2]
    xs = [dy.inputTensor(a) for a in (emissions, steps, start, end)]
    crf = torchcrf.CRF(5)
    with torch.no_grad():
        crf.transitions.copy_(torch.tensor(steps.T.copy()))
        crf.start_transitions.copy_(torch.tensor(start))
        crf.end_transitions.copy_(torch.tensor(end))
    e = torch.tensor(emissions.T.copy(), requires_grad=True)
    chain = S.LinearChain(*xs)
    assert chain.best() == crf.decode(e[:, None])[0]
    loss = -crf(e[:, None], torch.tensor(tags)[:, None])
    compare(chain.nll(tags), xs[:2], loss, [e, crf.transitions])


def test_ctc():
    for target in ([1, 2, 2, 4], [3], []):
        x = dy.inputTensor(normal(6, 12))
        scores = torch.tensor(normal(6, 12).T.copy(), requires_grad=True)
        loss = torch.nn.functional.ctc_loss(
            torch.log_softmax(scores, 1), torch.tensor([target], dtype=torch.long), (12,), (len(target),)
        , reduction="sum")  # fmt: skip
        compare(S.CTC(dy.log_softmax(x), target).loss(), [x], loss, [scores])


@pytest.mark.filterwarnings("ignore")
def test_trees():
    struct = pytest.importorskip("torch_struct")
    arcs = normal(7, 6)
    for make, peer in (
        (S.ProjectiveTrees, struct.DependencyCRF),
        (S.SpanningTrees, struct.NonProjectiveDependencyCRF),
    ):
        scores = torch.tensor(arcs[1:].copy())
        scores[range(6), range(6)] = torch.tensor(arcs[0])  # their roots are on the diagonal
        scores.requires_grad_()
        partition = peer(scores[None] * 1, multiroot=False).partition.sum()
        partition.backward()
        d = make(dy.inputTensor(arcs))
        assert d.log_partition().value() == pytest.approx(float(partition.detach()), rel=1e-4)
        ours, marginals = d.marginals().npvalue(), scores.grad.numpy().copy()
        np.testing.assert_allclose(ours[0], marginals.diagonal(), atol=1e-4)
        np.fill_diagonal(marginals, 0)
        np.testing.assert_allclose(ours[1:], marginals, atol=1e-4)
