"""Tree LSTMs against their equations in NumPy, the order of nodes, and dropout."""

import numpy as np
import pytest

import dynet as dy

SIZE = 4


@pytest.fixture
def model():
    dy.renew_cg()
    return dy.ParameterCollection()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def randomise(model):
    rng = np.random.default_rng(2)
    for p in model.parameters_list():
        p.set_value(rng.normal(0, 0.5, p.shape()))


KINDS = {
    "nary": lambda layers, model: dy.NaryTreeLSTMBuilder(2, layers, SIZE, SIZE, model),
    "forward": lambda layers, model: dy.UnidirectionalTreeLSTMBuilder(layers, SIZE, SIZE, model),
    "both": lambda layers, model: dy.BidirectionalTreeLSTMBuilder(layers, SIZE, SIZE, model),
}
ALL = pytest.mark.parametrize("kind", KINDS)
# Node: children. The root has more children than the builder has positions.
TREE = {0: [], 1: [], 2: [0, 1], 3: [], 4: [], 5: [2, 3, 4]}
XS = np.random.default_rng(5).normal(size=(6, SIZE))


def nary(parameters, x, children, n=2):
    """c and h of one layer, from pairs of c and h."""
    w, b, *matrices = (p.as_array().astype(float) for p in parameters)
    place = [min(j, n - 1) for j in range(len(children))]
    sums = b + w @ x + sum(matrices[p] @ h for p, (_, h) in zip(place, children, strict=True))
    gates = sums[: (2 + n) * SIZE] + sum(
        matrices[n + p] @ c for p, (c, _) in zip(place, children, strict=True)
    )
    i, *forget, o = np.split(gates + np.zeros_like(sums[: (2 + n) * SIZE]), 2 + n)
    g = np.tanh(sums[(2 + n) * SIZE :])
    c = sigmoid(i) * g
    for p, (child, _) in zip(place, children, strict=True):
        c = c + sigmoid(forget[p] + 1) * child
    return c, sigmoid(o) * np.tanh(c)


def lstm(parameters, xs):
    """The outputs of all layers after reading a list."""
    hs = []
    for layer in parameters:
        wx, wh, b = (p.as_array().astype(float) for p in layer)
        c = h = np.zeros(len(b) // 4)
        outputs = []
        for x in xs:
            i, f, o, g = np.split(b + wx @ x + wh @ h, 4)
            c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            outputs.append(h)
        xs = outputs
        hs.append(h)
    return hs


def reference(kind, builder, layers):
    """Each layer's output in each node."""
    parameters, nodes, outputs = builder.get_parameters(), {}, {}
    for node, children in TREE.items():
        x = XS[node]
        if kind == "nary":
            state = []
            for layer in range(layers):
                state.append(nary(parameters[layer], x, [nodes[child][layer] for child in children]))
                x = state[-1][1]
            nodes[node], outputs[node] = state, [h for _, h in state]
            continue
        xs = [x, *(outputs[child][-1] for child in children)]
        if kind == "forward":
            outputs[node] = lstm(parameters, xs)
        else:
            onward = lstm([layer[:3] for layer in parameters], xs)
            returning = lstm([layer[3:] for layer in parameters], xs[::-1])
            outputs[node] = [np.concatenate(pair) for pair in zip(onward, returning, strict=True)]
    return outputs


def read(builder, order=tuple(TREE)):
    return {node: builder.add_input(node, TREE[node], dy.inputVector(XS[node])) for node in order}


@ALL
@pytest.mark.parametrize("layers", [1, 2])
def test_values(kind, layers, model):
    builder = KINDS[kind](layers, model)
    randomise(model)
    outputs = read(builder)
    for node, expected in reference(kind, builder, layers).items():
        np.testing.assert_allclose(outputs[node].npvalue(), expected[-1], atol=2e-6)
        for got, want in zip(builder.get_h(node), expected, strict=True):
            np.testing.assert_allclose(got.npvalue(), want, atol=2e-6)
    assert builder.back().value() == outputs[5].value()
    assert builder.final_h()[-1].value() == outputs[5].value()


@ALL
def test_gradients(kind, model):
    builder = KINDS[kind](1, model)
    randomise(model)
    assert dy.check_grad(model, dy.sum_elems(dy.square(read(builder)[5])))


@ALL
def test_order(kind, model):
    builder = KINDS[kind](1, model)
    randomise(model)
    assert builder.back() is None and builder.final_h() == []
    expected = read(builder)[5].value()
    builder.start_new_sequence()
    builder.set_num_elements(6)
    assert read(builder, (4, 1, 0, 3, 2, 5))[5].value() == expected
    with pytest.raises(IndexError, match="0 to 5"):
        builder.add_input(6, [], dy.inputVector(XS[0]))
    with pytest.raises(ValueError, match="announced"):
        builder.set_num_elements(5)
    builder.start_new_sequence()
    builder.add_input(7, [], dy.inputVector(XS[0]))
    for wrong in ([0], [8], [3, 7]):
        with pytest.raises(ValueError, match="children come first"):
            builder.add_input(3, wrong, dy.inputVector(XS[0]))
    with pytest.raises(ValueError, match="added before"):
        builder.add_input(7, [], dy.inputVector(XS[0]))
    with pytest.raises(ValueError):
        builder.add_input(8, [-1], dy.inputVector(XS[0]))
    with pytest.raises(IndexError):
        builder.get_h(0)
    old = dy.inputVector(XS[0])
    dy.renew_cg()
    assert read(builder)[5].value() == expected
    with pytest.raises(ValueError, match="stale"):
        builder.add_input(9, [], old)


@ALL
def test_merged_trees_are_the_same_as_one_by_one(kind, model):
    builder = KINDS[kind](2, model)
    randomise(model)
    outputs = []
    for _ in range(3):
        builder.start_new_sequence()
        outputs.append(read(builder)[5])
    values = dy.values(outputs)
    dy.renew_cg(autobatching=False)
    assert values == [read(builder)[5].value()] * 3


@ALL
def test_constant_parameters(kind, model):
    builder = KINDS[kind](1, model)
    w = model.add_parameters(SIZE)
    builder.start_new_sequence(update=False)
    dy.sum_elems(builder.add_input(0, [], w)).backward()
    assert w.grad_as_array().any()
    assert not any(p.grad_as_array().any() for p in builder.param_collection().parameters_list())


@ALL
def test_dropout(kind, model):
    builder = KINDS[kind](1, model)
    randomise(model)
    plain = read(builder)[5].value()
    builder.set_dropouts(0.5, 0.5)

    def twins():
        builder.start_new_sequence()
        return [builder.add_input(node, [], dy.inputVector(XS[0])).value() for node in range(2)]

    drawn = [twins() for _ in range(8)]
    assert all(a == b for a, b in drawn), "the nodes of a tree share their masks"
    assert len({tuple(a) for a, _ in drawn}) > 1, "each tree has its own"
    builder.set_dropout(1)
    builder.start_new_sequence()
    assert read(builder)[5].value() != plain
    builder.disable_dropout()
    builder.start_new_sequence()
    assert read(builder)[5].value() == plain
    with pytest.raises(ValueError):
        builder.set_dropout(1.5)


@ALL
def test_saving(kind, model, tmp_path):
    builder = KINDS[kind](2, model)
    randomise(model)
    assert type(builder).from_spec(builder.spec, model).spec == builder.spec
    dy.save(tmp_path / "saved", [builder])
    [loaded] = dy.load(tmp_path / "saved", dy.ParameterCollection())
    np.testing.assert_allclose(read(loaded)[5].value(), read(builder)[5].value(), atol=1e-5)
    assert builder.whoami() == type(builder).__name__ == type(loaded).__name__


def test_sizes(model):
    builder = dy.NaryTreeLSTMBuilder(N=3, layers=1, input_dim=5, hidden_dim=4, model=model)
    assert [p.shape() for p in builder.get_parameters()[0]] == [(24, 5), (24,)] + 3 * [(24, 4)] + 3 * [
        (20, 4)
    ]
    for wrong in (
        lambda: dy.NaryTreeLSTMBuilder(0, 1, 4, 4, model),
        lambda: dy.NaryTreeLSTMBuilder(2, 0, 4, 4, model),
        lambda: dy.UnidirectionalTreeLSTMBuilder(1, 5, 4, model),
        lambda: dy.BidirectionalTreeLSTMBuilder(1, 5, 5, model),
    ):
        with pytest.raises(ValueError):
            wrong()
    assert len(model.parameters_list()) == 8
