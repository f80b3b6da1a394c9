"""Backward passes of single numbers, and of a few nodes of a large graph."""

import numpy as np
import pytest

import dynet as dy

NUMBERS = {
    "p": lambda p: p,
    "p.expr(True)": lambda p: p.expr(True),
    "esum": lambda p: dy.esum([p]),
    "average": lambda p: dy.average([p]),
    "emax": lambda p: dy.emax([p]),
    "plus 0": lambda p: p + 0,
    "times 1": lambda p: p * 1,
    "0 plus": lambda p: 0 + p,
    "reshape": lambda p: dy.reshape(p, (1, 1)),
    "reshaped twice": lambda p: dy.reshape(dy.reshape(p, (1, 1)), (1,)),
    "index": lambda p: p[0],
    "slice": lambda p: p[0:1],
    "pick": lambda p: dy.pick(p, 0),
    "pick_range": lambda p: dy.pick_range(p, 0, 1),
    "select_rows": lambda p: dy.select_rows(p, [0]),
    "transpose": lambda p: dy.transpose(dy.transpose(p)),
    "concatenate": lambda p: dy.concatenate([p]),
    "concatenate_to_batch": lambda p: dy.concatenate_to_batch([p]),
    "sum_elems": lambda p: dy.sum_elems(p),
    "sum_batches": lambda p: dy.sum_batches(p),
    "sum_dim": lambda p: dy.sum_dim(p, [0]),
    "mean_elems": lambda p: dy.mean_elems(p),
    "max_dim": lambda p: dy.max_dim(p),
    "pick_batch_elem": lambda p: dy.pick_batch_elem(p, 0),
    "dropout 0": lambda p: dy.dropout(p, 0),
    "noise 0": lambda p: dy.noise(p, 0),
    "logsumexp": lambda p: dy.logsumexp([p]),
}


@pytest.mark.parametrize("kind", ["parameter", "row", "table"])
@pytest.mark.parametrize("loss", NUMBERS.values(), ids=NUMBERS.keys())
def test_a_learned_number_as_the_loss(loss, kind):
    dy.renew_cg()
    model = dy.ParameterCollection()
    learned = (
        model.add_parameters(1, init=2)
        if kind == "parameter"
        else model.add_lookup_parameters((1, 1), init=2)
    )
    number = {
        "parameter": lambda: learned,
        "row": lambda: learned[0],
        "table": lambda: dy.reshape(learned, (1,)),
    }[kind]()
    if kind != "parameter" and loss is NUMBERS["p.expr(True)"]:
        loss = NUMBERS["p"]
    y = loss(number)
    for times in (1, 2, 3):
        y.backward(full=times == 3)
        assert learned.grad_as_array().ravel().tolist() == [times]


def test_constants_get_nothing():
    model = dy.ParameterCollection()
    p, table = model.add_parameters(1), model.add_lookup_parameters((2, 1))
    dy.renew_cg()
    for loss in (p.expr(False), dy.lookup(table, 1, update=False), dy.esum([p.expr()])):
        loss.backward()
    assert not p.grad_as_array().any() and not table.grad_as_array().any()


def episode(builder, model, length, each):
    """An agent that asks for values and gradients at each step, of this step or of all since the first."""
    p, w, table = model
    first = dy.tanh(table[0])
    dy.inputVector([0] * 6)
    state = builder.initial_state().add_input(first)
    outputs = [state.output()]
    for i in range(length):
        x = dy.cmult(dy.tanh(p * table[i % 7]), dy.logistic(outputs[-1] if each == "all" else first))
        state = (builder.initial_state() if each == "one" else state).add_input(x)
        outputs.append(state.output())
        score = dy.pickneglogsoftmax(dy.affine_transform([w, p, outputs[-1]]), i % 6)
        score.value()
        yield score


@pytest.mark.parametrize("each", ["one", "all"])
@pytest.mark.parametrize("kind", [dy.VanillaLSTMBuilder, dy.GRUBuilder, dy.CoupledLSTMBuilder])
def test_passes_of_a_few_nodes(kind, each):
    """They give the bits that the same pass gives in a graph that ends with its loss."""
    dy.reset_random_seed(3)
    all_parameters = dy.ParameterCollection()
    builder = kind(1, 6, 6, all_parameters)
    model = (
        all_parameters.add_parameters((6, 6)),
        all_parameters.add_parameters(6),
        all_parameters.add_lookup_parameters((7, 6)),
    )
    learned = [*all_parameters.parameters_list(), *all_parameters.lookup_parameters_list()]

    def take():
        result = [p.grad_as_array().copy() for p in learned]
        for p in learned:
            p.scale_gradient(0)
        return result

    dy.renew_cg()
    scores = list(episode(builder, model, 60, each))
    found = []
    for score in (*scores, *scores[::-7]):
        score.backward()
        found.append(take())
    for k, number in enumerate([*range(60), *range(59, -1, -7)]):
        dy.renew_cg()
        [*_, score] = episode(builder, model, number + 1, each)
        score.backward()
        for a, b in zip(found[k], take(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_gradients_of_nodes_in_a_local_pass():
    dy.renew_cg()
    x = dy.inputVector([1, 2, 3])
    losses = [dy.squared_norm(dy.tanh(x) * float(i)) for i in range(200)]
    dy.forward(losses)
    losses[150].backward(full=True)
    expected = x.gradient()
    dy.esum(losses).backward(full=True)
    losses[150].backward(full=True)
    np.testing.assert_array_equal(x.gradient(), expected)
    np.testing.assert_allclose(
        expected, 150**2 * 2 * np.tanh([1, 2, 3]) * (1 - np.tanh([1, 2, 3]) ** 2), rtol=1e-5
    )
