"""CRF and CTC heads beside their distributions, batch norm, and what other toolkits call layers."""

import numpy as np
import pytest
from layer_laws import close, inputs

import dynet as dy

TAGS = ["O", "B-X", "I-X"]


def shaken(head):
    """A head whose parameters are not zeros."""
    for number, p in enumerate(head.model.parameters_list()):
        p.set_value(inputs(number, p.shape())[0])
    return head


def test_a_crf_is_its_chain():
    head = shaken(dy.nn.CRF(4, TAGS, dy.ParameterCollection()))
    x = dy.inputTensor(inputs(1, (4, 5))[0])
    scores = head.emission(x)
    chain = dy.structured.LinearChain(scores, head.transitions, head.start, head.end)
    names = [TAGS[tag] for tag in chain.best()]
    assert head.predict(x) == names and head.predict_all([x, x]) == [names, names]
    assert head.loss(x, names).value() == chain.nll(chain.best()).value()
    assert head.loss(x, chain.best()).value() == head.loss(x, names).value()
    close(head.marginals(x).npvalue(), chain.marginals().npvalue(), 0)
    (first, share), *_ = head.k_best(x, 2)
    assert first == names and share == pytest.approx(np.exp(-head.loss(x, names).value()), rel=1e-4)
    assert sum(p for _, p in head.k_best(x, 3**5)) == pytest.approx(1, abs=1e-4)


def test_a_scheme_is_kept():
    head = shaken(dy.nn.CRF(4, TAGS, dy.ParameterCollection(), scheme="BIO"))
    for seed in range(10):
        found = head.predict(dy.inputTensor(5 * inputs(seed, (4, 6))[0]))
        assert all(tag != "I-X" or before != "O" for before, tag in zip(["O", *found], found, strict=False))
    x = dy.inputTensor(inputs(1, (4, 2))[0])
    assert np.isfinite(head.loss(x, ["B-X", "I-X"]).value())
    with pytest.raises(ValueError, match=r"CRF: BIO has no 'I-X' in place 1 of \['O', 'I-X'\]"):
        head.loss(x, ["O", "I-X"])
    whole = dy.nn.CRF(4, ["O", "B-X", "E-X"], dy.ParameterCollection(), scheme="BIOES")
    with pytest.raises(ValueError, match=r"BIOES has no 'B-X' in place 1"):
        whole.loss(x, ["O", "B-X"])


def test_heads_of_a_mini_batch_are_a_loop():
    crf = shaken(dy.nn.CRF(4, 3, dy.ParameterCollection()))
    ctc = shaken(dy.nn.CTC(4, list("abc"), dy.ParameterCollection()))
    arrays = inputs(1, (4, 5), (4, 5))
    x = dy.inputTensor(np.stack(arrays, -1), batched=True)
    alone = [dy.inputTensor(each) for each in arrays]
    tags, targets = [[0, 1, 2, 0, 1], [2, 2, 1, 0, 0]], ["ab", "cab"]
    for head, wanted in ((crf, tags), (ctc, targets)):
        together = head.loss(x, [list(each) for each in wanted]).npvalue().ravel()
        each = [head.loss(a, y).value() for a, y in zip(alone, wanted, strict=True)]
        assert together.tolist() == each
    assert crf.predict(x) == [crf.predict(each) for each in alone]


def test_ctc_is_its_distribution():
    head = shaken(dy.nn.CTC(4, list("abc"), dy.ParameterCollection()))
    x = dy.inputTensor(inputs(3, (4, 6))[0])
    ctc = dy.structured.CTC(head(x), [2, 1])
    assert head.loss(x, "ba").value() == ctc.loss().value() == head.loss(x, [1, 0]).value()
    close(head.marginals(x, ["b", "a"]).npvalue(), ctc.marginals().npvalue(), 0)
    [(rows, score)] = dy.structured.ctc_decode(head(x), beam=8)
    assert head.k_best(x, 1, beam=8) == [(["abc"[row - 1] for row in rows], score)]
    assert head.predict(x, beam=8) == ["abc"[row - 1] for row in rows]


def test_heads_learn_and_are_saved(tmp_path):
    model = dy.ParameterCollection()
    head, trainer = dy.nn.CTC(3, list("ab"), model), dy.AdamTrainer(model, 0.1)
    x = inputs(1, (3, 5))[0]
    for _ in range(60):
        dy.renew_cg()
        head.loss(dy.inputTensor(x), "ab").backward()
        trainer.update()
    assert head.predict(dy.inputTensor(x)) == ["a", "b"]
    crf = dy.nn.CRF(3, dy.data.Vocabulary(TAGS, unknown=None), dy.ParameterCollection(), "BIO")
    dy.save(tmp_path / "heads", [head, crf])
    again, other = dy.load(tmp_path / "heads", dy.ParameterCollection())
    assert again.predict(dy.inputTensor(x)) == ["a", "b"]
    assert other.scheme == "BIO" and other.predict(dy.inputTensor(x))[0] in TAGS


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda crf, _, x: crf.loss(x, ["O", "Q"]),
            ValueError,
            r"CRF: 'Q' is none of its tags; one of \['O'",
        ),
        (lambda crf, _, x: crf.loss(x, [0, 3]), IndexError, "CRF: 3; tags are 0 to 2"),
        (lambda crf, _, x: crf.loss(x, [0]), ValueError, "CRF: 1 tags for 2 words; one for each"),
        (lambda crf, _, x: crf.loss(x, 5), TypeError, "CRF: 5 was given; a list of tags is needed"),
        (lambda crf, _, x: crf.loss(x, [0, 1.5]), TypeError, "CRF: 1.5 was given; the name or the number"),
        (lambda _, ctc, x: ctc.loss(x, "abc"), ValueError, "CTC.loss: a target of 3 labels for 2 frames"),
        (lambda _, ctc, x: ctc.loss(x, "z"), ValueError, "CTC: 'z' is none of its labels"),
        (lambda _, ctc, x: ctc.k_best(x, 0), ValueError, "CTC: k is 0; a whole number from 1"),
        (lambda *_: dy.nn.CRF(3, "OBI", dy.ParameterCollection()), ValueError, "CRF: tags is 'OBI'; a Vocab"),
        (lambda *_: dy.nn.CRF(3, 3, dy.ParameterCollection(), "BIO"), ValueError, "it needs their names"),
        (lambda *_: dy.nn.CRF(3, ["O", "O"], dy.ParameterCollection()), ValueError, "names that differ"),
    ],
)
def test_what_heads_refuse(call, error, text):
    crf = dy.nn.CRF(3, TAGS, dy.ParameterCollection())
    ctc = dy.nn.CTC(3, list("abc"), dy.ParameterCollection())
    with pytest.raises(error, match=text):
        call(crf, ctc, dy.zeros((3, 2)))


def test_batch_norm_by_numpy():
    norm = dy.nn.BatchNorm(3, dy.ParameterCollection(), momentum=0.2)
    weight, bias, x = inputs(1, (3,), (3,), (3, 4, 2))
    norm.weight.set_value(weight)
    norm.bias.set_value(bias)
    mean, variance = x.mean((1, 2)), x.var((1, 2))

    def wanted(mean, variance):
        by = (weight / np.sqrt(variance + 1e-5))[:, None, None]
        return (x - mean[:, None, None]) * by + bias[:, None, None]

    batch = dy.inputTensor(x, batched=True)
    close(norm(batch).npvalue(batched=True), wanted(mean, variance))
    close(norm.mean.as_array(), 0.2 * mean)
    close(norm.variance.as_array(), 0.8 + 0.2 * variance * 8 / 7)
    kept = norm.mean.as_array().copy(), norm.variance.as_array().copy()
    norm.eval()
    close(norm(batch).npvalue(batched=True), wanted(*kept))
    close(norm(dy.inputVector(x[:, 1, 0])).npvalue(), wanted(*kept)[:, 1, 0])
    close(norm.mean.as_array(), kept[0], 0)


def test_batch_norm_of_a_list_is_that_of_its_columns():
    norm = dy.nn.BatchNorm(3, dy.ParameterCollection())
    [x] = inputs(1, (3, 4))
    listed = norm([dy.inputVector(column) for column in x.T])
    again = dy.nn.BatchNorm(3, dy.ParameterCollection())(dy.inputTensor(x)).npvalue()
    close(np.stack([each.npvalue() for each in listed], 1), again, 0)
    dy.renew_cg()
    batch = dy.nn.BatchNorm(3, dy.ParameterCollection())(dy.inputTensor(x, batched=True))
    close(batch.npvalue(batched=True), again)


def test_batch_norm_has_no_statistics_of_one_column():
    norm = dy.nn.BatchNorm(3, dy.ParameterCollection())
    for x in (dy.ones(3), [dy.ones(3)], dy.ones((3, 1))):
        with pytest.raises(ValueError, match="BatchNorm: one column; training needs two at least"):
            norm(x)
    assert norm.mean.as_array().tolist() == [0, 0, 0]


def test_batch_norm_beside_torch():
    torch = pytest.importorskip("torch")
    theirs = torch.nn.BatchNorm1d(3).double()
    model = dy.ParameterCollection()
    ours, [x, slopes] = dy.nn.BatchNorm(3, model), inputs(2, (3, 5), (3, 5))
    p = model.parameters_from_numpy(x)
    q = torch.tensor(x.T.copy(), requires_grad=True)
    y, z = ours(p), theirs(q)
    dy.sum_elems(dy.cmult(y, dy.inputTensor(slopes))).backward()
    (z * torch.tensor(slopes.T.copy())).sum().backward()
    close(y.npvalue(), z.detach().numpy().T)
    close(p.grad_as_array(), q.grad.numpy().T, 1e-4)
    close(ours.mean.as_array(), theirs.running_mean.numpy())
    close(ours.variance.as_array(), theirs.running_var.numpy())


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda m: dy.nn.Sequential(), AttributeError, r"no Sequential; write dy\.nn\.MLP"),
        (lambda m: dy.nn.BatchNorm1d(3), AttributeError, r"write dy\.nn\.BatchNorm\(size, model\)"),
        (lambda m: dy.nn.MultiheadAttention(4, 2), AttributeError, r"write dy\.nn\.MultiHeadAttention"),
        (lambda m: dy.nn.linear(3, 2), AttributeError, r"no linear; dy\.nn\.Linear is there"),
        (lambda m: dy.nn.nonsense, AttributeError, "dynet.nn has no nonsense"),
        (
            lambda m: dy.nn.LSTM(3, 4, batch_first=True),
            TypeError,
            "LSTM: the keyword batch_first .*a batch is no",
        ),
        (lambda m: dy.nn.LSTM(3, 4, m, bidirectional=True), TypeError, r"dy\.nn\.BiLSTM\(inputs"),
        (
            lambda m: dy.nn.Embedding(9, 4, padding_idx=0),
            TypeError,
            "padding_idx was given; there is no padding",
        ),
        (lambda m: dy.nn.Linear(in_features=3, outputs=2, model=m), TypeError, "it is called inputs here"),
        (lambda m: dy.nn.Conv1d(3, 2, kernel_size=3), TypeError, "it is called width here"),
    ],
)
def test_names_of_torch_tell_ours(call, error, text):
    with pytest.raises(error, match=text):
        call(dy.ParameterCollection())
    assert not hasattr(dy.nn, "Sequential")


def test_a_mini_batch_may_be_of_texts():
    head = dy.nn.CTC(3, list("ab"), dy.ParameterCollection())
    x = dy.inputTensor(np.random.default_rng(1).normal(size=(3, 5, 2)), batched=True)
    lists = head.loss(x, [list("ab"), list("bab")]).npvalue()
    assert np.array_equal(head.loss(x, ["ab", "bab"]).npvalue(), lists)
    assert np.array_equal(head.loss(x, [np.array([0, 1]), np.array([1, 0, 1])]).npvalue(), lists)
    assert np.array_equal(head.loss(x, ["a", "b"]).npvalue(), head.loss(x, [list("ab")] * 2).npvalue())


def test_names_without_an_order_are_refused():
    for given in ({"O", "B-X"}, [["O"]], ["O", "O"]):
        with pytest.raises(ValueError, match="CRF: tags is"):
            dy.nn.CRF(3, given, dy.ParameterCollection())
