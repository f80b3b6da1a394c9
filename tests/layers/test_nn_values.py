"""Layers that torch does not have, beside NumPy; masks, positions, refusals."""

import re

import numpy as np
import pytest
from layer_laws import close, inputs

import dynet as dy


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def made(make):
    dy.reset_random_seed(5)
    layer = make(dy.ParameterCollection())
    for p in layer.param_collection().parameters_list():
        p.set_value(inputs(len(p.name()), p.shape())[0] * 0.5)
    return layer


def array(p):
    return p.as_array().astype(np.float64)


def test_biaffine():
    x, y = inputs(1, (3, 4), (2, 5))
    for left, right in ((True, True), (True, False), (False, False)):
        layer = made(lambda m, a=left, b=right: dy.nn.Biaffine(3, 2, m, 3, a, b))
        xs = np.vstack([x, np.ones((1, 4))]) if left else x
        ys = np.vstack([y, np.ones((1, 5))]) if right else y
        u = array(layer.weight).reshape(3, len(xs), len(ys))
        expected = np.einsum("ai,lab,bj->lij", xs, u, ys)
        close(layer(dy.inputTensor(x), dy.inputTensor(y)).npvalue(), expected)


def test_triaffine():
    x, y, z = inputs(2, (3, 4), (2, 5), (4, 1))
    layer = made(lambda m: dy.nn.Triaffine((3, 2, 4), m))
    with_ones = [np.vstack([each, np.ones((1, each.shape[1]))]) for each in (x, y, z)]
    u = array(layer.weight).reshape(4, 3, 5, order="F")
    expected = np.einsum("ai,bj,ck,abc->ijk", *with_ones, u)
    found = layer(*(dy.inputTensor(each) for each in (x, y, z)))
    assert found.dim()[0] in ((4, 5, 1), (4, 5))
    close(found.npvalue().reshape(4, 5, 1), expected)


def test_highway_and_mixture():
    [x] = inputs(3, (3,))
    layer = made(lambda m: dy.nn.Highway(3, m, activation="tanh"))
    (t,), (g,) = layer.transforms, layer.gates
    gate = sigmoid(array(g.weight) @ x + array(g.bias))
    expected = gate * np.tanh(array(t.weight) @ x + array(t.bias)) + (1 - gate) * x
    close(layer(dy.inputVector(x)).npvalue(), expected)
    mixture = made(lambda m: dy.nn.MixtureOfSoftmaxes(3, 6, 2, m, hidden=4))
    latent = np.tanh(array(mixture.latent.weight) @ x + array(mixture.latent.bias)).reshape(4, 2, order="F")
    prior = np.exp(array(mixture.prior.weight) @ x)
    scores = np.exp(array(mixture.output.weight) @ latent + array(mixture.output.bias)[:, None])
    expected = (scores / scores.sum(0)) @ (prior / prior.sum())
    close(np.exp(mixture(dy.inputVector(x)).npvalue()), expected)


def test_child_sum():
    layer = made(lambda m: dy.nn.ChildSumTreeLSTM(3, 4, m))
    x, h, c = inputs(4, (3,), (2, 4), (2, 4))
    states = [dy.nn.TreeState(dy.inputVector(a), dy.inputVector(b)) for a, b in zip(h, c, strict=True)]
    i, o, u = np.split(array(layer.input) @ x + array(layer.children) @ h.sum(0) + array(layer.bias), 3)
    forget = [
        sigmoid(array(layer.forget_input) @ x + array(layer.forget_children) @ k + array(layer.forget_bias))
        for k in h
    ]
    cell = sigmoid(i) * np.tanh(u) + sum(f * k for f, k in zip(forget, c, strict=True))
    found = layer.step(dy.inputVector(x), states)
    close(found.c.npvalue(), cell)
    close(found.h.npvalue(), sigmoid(o) * np.tanh(cell))


def test_n_ary():
    layer = made(lambda m: dy.nn.NaryTreeLSTM(3, 4, 2, m))
    x, h, c = inputs(4, (3,), (2, 4), (2, 4))
    states = [dy.nn.TreeState(dy.inputVector(a), dy.inputVector(b)) for a, b in zip(h, c, strict=True)]
    gates = array(layer.input) @ x + array(layer.bias)
    gates = gates + sum(array(w) @ k for w, k in zip(layer.children, h, strict=True))
    i, o, u, f, g = np.split(gates, 5)
    cell = sigmoid(i) * np.tanh(u) + sigmoid(f) * c[0] + sigmoid(g) * c[1]
    found = layer.step(dy.inputVector(x), states)
    close(found.c.npvalue(), cell)
    close(found.h.npvalue(), sigmoid(o) * np.tanh(cell))
    leaf = layer.step(dy.inputVector(x))
    with pytest.raises(ValueError, match="3 children; at most 2 fit"):
        layer.step(dy.inputVector(x), [leaf] * 3)


def test_trees_that_are_none():
    layer = dy.nn.ChildSumTreeLSTM(3, 4, dy.ParameterCollection())
    x = dy.zeros((3, 3))
    for children, text in (
        ([[1], [0], []], "children go round in a circle"),
        ([[1], []], "children has 2 lists for 3 nodes"),
        ([[2], [2], []], "node 2 is a child of 0 and of 1"),
        ([[3], [], []], "node 0 has the child 3; there are nodes 0 to 2"),
    ):
        with pytest.raises(ValueError, match=text):
            layer(x, children)
    assert len(layer(x, [[], [], [0, 1]])) == 3


def test_attention_of_one_query():
    q, k, v = inputs(6, (2,), (3, 5), (4, 5))
    query, keys, values = (dy.inputTensor(each) for each in (q, k, v))

    def softmax(scores):
        return np.exp(scores) / np.exp(scores).sum()

    bilinear = made(lambda m: dy.nn.BilinearAttention(2, 3, m))
    expected = softmax(k.T @ array(bilinear.weight) @ q)
    close(bilinear.weights(query, keys).npvalue(), expected)
    close(bilinear(query, bilinear.prepare(keys, values)).npvalue(), v @ expected)
    additive = made(lambda m: dy.nn.AdditiveAttention(2, 3, 6, m))
    hidden = (
        array(additive.key_weight) @ k + (array(additive.query_weight) @ q + array(additive.bias))[:, None]
    )
    scores = (array(additive.vector) @ np.tanh(hidden))[0]
    close(additive.scores(query, keys).npvalue(), scores)
    close(additive(query, additive.prepare(keys, values)).npvalue(), v @ softmax(scores))
    dot = dy.nn.DotAttention(3, scaled=False)
    close(dot.scores(keys[:, 0], keys).npvalue(), k.T @ k[:, 0])
    with pytest.raises(ValueError, match=r"values have shape \(4, 5\) for 3 keys"):
        additive.prepare(dy.zeros((3, 3)), values)


def test_coverage_is_what_was_looked_at():
    layer = made(lambda m: dy.nn.CoverageAttention(2, 3, 4, m))
    q, k = inputs(7, (2,), (3, 5))
    query, keys = dy.inputVector(q), layer.prepare(dy.inputTensor(k))
    _, first, coverage = layer(query, keys)
    _, second, after = layer(query, keys, coverage)
    close(coverage.npvalue(), first.npvalue())
    close(after.npvalue(), first.npvalue() + second.npvalue())
    hidden = array(layer.key_weight) @ k + (array(layer.query_weight) @ q + array(layer.bias))[:, None]
    hidden = hidden + array(layer.coverage_weight) @ first.npvalue()[None]
    scores = np.exp((array(layer.vector) @ np.tanh(hidden))[0])
    close(second.npvalue(), scores / scores.sum())
    close(layer.loss(second, coverage).value(), np.minimum(second.npvalue(), first.npvalue()).sum())


def test_copying():
    layer = made(lambda m: dy.nn.CopyOutput(3, 4, m))
    state, shares, source = dy.inputVector([1, -1, 2]), dy.softmax(dy.inputVector([0, 1, 2])), [5, 1, 5]
    probabilities = layer(state, shares, source).npvalue()
    assert probabilities.shape == (6,)
    close(probabilities.sum(), 1)
    close(probabilities[4], 0)
    for word in (0, 1, 5):
        close(layer.loss(state, shares, source, word).value(), -np.log(probabilities[word]))
    assert np.isfinite(layer.loss(state, shares, source, 4).value())
    with pytest.raises(ValueError, match=r"CopyOutput: shares has shape \(3,\); \(2,\) is needed"):
        layer(state, shares, [1, 2])


def test_a_query_that_may_look_at_nothing_finds_nothing():
    layer = made(lambda m: dy.nn.MultiHeadAttention(4, 2, m, bias=False))
    model = dy.ParameterCollection()
    x = model.parameters_from_numpy(inputs(8, (4, 3))[0])
    mask = np.array([[True, False, True], [True, False, False], [False, False, True]])
    y = layer(x, dy.inputTensor(inputs(9, (4, 3))[0]), mask=mask)
    assert not y.npvalue()[:, 1].any() and y.npvalue()[:, 0].any()
    dy.sum_elems(dy.square(y)).backward()
    assert not x.grad_as_array()[:, 1].any() and x.grad_as_array()[:, 0].any()
    assert np.isfinite(x.grad_as_array()).all()


def test_masks_are_alike():
    layer = made(lambda m: dy.nn.MultiHeadAttention(4, 2, m))
    x = dy.inputTensor(inputs(8, (4, 3))[0])
    causal = np.tri(3, dtype=bool).T
    close(layer(x, mask=causal).npvalue(), layer(x, causal=True).npvalue())
    added = dy.inputTensor(np.where(causal, 0, -1e9))
    close(layer(x, mask=added).npvalue(), layer(x, causal=True).npvalue())
    keys = np.array([True, False, True])
    close(layer(x, mask=keys).npvalue(), layer(x, x[:, [0, 2]]).npvalue())
    for wrong, error, text in (
        (np.ones((3, 2), bool), ValueError, r"mask has shape \(3, 2\); \(3, 3\), keys and queries"),
        (np.ones((3, 3)), TypeError, "mask has numbers of type float64; truth values"),
    ):
        with pytest.raises(error, match=text):
            layer(x, mask=wrong)
    with pytest.raises(ValueError, match=r"MultiHeadAttention: .*causal with 3 queries and 2 keys"):
        layer(x, x[:, :2], causal=True)


def test_steps_are_the_whole():
    x = inputs(10, (8, 6))[0]
    for rotary in (False, True):
        layer = made(lambda m, r=rotary: dy.nn.MultiHeadAttention(8, 2, m, rotary=r))
        whole, kept, columns = layer(dy.inputTensor(x), causal=True), None, []
        for place in range(6):
            y, kept = layer.step(dy.inputVector(x[:, place]), kept)
            assert y.shape == (8, 1)
            columns.append(y)
        close(dy.concatenate(columns, d=1).npvalue(), whole.npvalue())


def test_rotations_know_distances_alone():
    q, k = inputs(11, (8, 1), (8, 1))
    products = []
    for start in (0, 5, 100):
        query, key = dy.nn.rotary(dy.inputTensor(q), start), dy.nn.rotary(dy.inputTensor(k), start + 3)
        products.append((query.npvalue() * key.npvalue()).sum())
    close(products, [products[0]] * 3, 1e-4)


def test_positions():
    angles = np.arange(5) / 10000 ** (np.arange(0, 6, 2) / 6)[:, None]
    expected = np.empty((6, 5))
    expected[::2], expected[1::2] = np.sin(angles), np.cos(angles)
    positions = dy.nn.SinusoidalPositions(6)
    close(positions(dy.zeros((6, 5))).npvalue(), expected)
    close(positions(dy.zeros((6, 2)), start=3).npvalue(), expected[:, 3:])
    learned = dy.nn.LearnedPositions(6, 5, dy.ParameterCollection())
    close(learned(dy.zeros((6, 2)), start=3).npvalue(), learned.table.as_array()[3:].T)
    with pytest.raises(ValueError, match="position 5; there are 5"):
        learned(dy.zeros((6, 2)), start=4)
    with pytest.raises(ValueError, match="size is 5; an even number is needed"):
        dy.nn.SinusoidalPositions(5)


def test_convolutions_that_do_not_fit():
    layer = dy.nn.Conv1d(2, 3, 3, dy.ParameterCollection(), dilation=2)
    with pytest.raises(ValueError, match=r"Conv1d: 4 columns with 0 of padding; .* needs 5; give padding"):
        layer(dy.zeros((2, 4)))
    causal = made(lambda m: dy.nn.Conv1d(2, 3, 3, m, padding="causal"))
    x = inputs(12, (2, 6))[0]
    whole = causal(dy.inputTensor(x)).npvalue()
    close(causal(dy.inputTensor(x[:, :4])).npvalue(), whole[:, :4])


def test_final_outputs_of_both_directions():
    layer = dy.nn.BiLSTM(2, 6, dy.ParameterCollection())
    x = dy.inputTensor(inputs(13, (2, 4))[0])
    outputs = layer(x).npvalue()
    close(layer.final(x).npvalue(), np.concatenate([outputs[:3, -1], outputs[3:, 0]]))


def test_dropout_of_rows_and_columns():
    dy.reset_random_seed(1)
    rows = dy.nn.Dropout(0.5, axis=0)(dy.ones((40, 3))).npvalue()
    columns = dy.nn.Dropout(0.5, axis=1)(dy.ones((3, 40))).npvalue()
    for array_, kept in ((rows, rows[:, 0]), (columns.T, columns[0])):
        assert (array_ == kept[:, None]).all() and set(kept) == {0.0, 2.0}


def test_a_decoder_needs_a_memory():
    layer = dy.nn.TransformerDecoderLayer(4, 2, 6, dy.ParameterCollection())
    with pytest.raises(TypeError, match="TransformerDecoderLayer: memory is None"):
        layer(dy.zeros((4, 3)), None)


def test_queries_that_come_before_all_keys_are_refused():
    turned = dy.nn.MultiHeadAttention(4, 2, dy.ParameterCollection(), rotary=True)
    with pytest.raises(ValueError, match="causal with 3 queries and 2 keys"):
        turned(dy.zeros((4, 3)), dy.zeros((4, 2)), causal=True)


def test_statistics_stay_finite():
    norm = dy.nn.BatchNorm(2, dy.ParameterCollection())
    norm(dy.inputTensor([[1, np.nan], [5, 5]]))
    assert norm.mean.as_array().tolist() == [0, 0] and norm.variance.as_array().tolist() == [1, 1]


def test_hints_for_names_of_torch_name_what_there_is():
    from dynet.nn.elsewhere import NAMES

    for hint in NAMES.values():
        for path in re.findall(r"dy((?:\.\w+)+)\(", hint):
            found = dy
            for part in path.split(".")[1:]:
                found = getattr(found, part)
