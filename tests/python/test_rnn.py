"""Recurrent builders against NumPy: equations, gradients, states as a tree, names and first values."""

import numpy as np
import pytest
from every_kind import RNN_BUILDERS
from rnn_reference import BUILDERS, HIDDEN, INPUT, Case, assert_state, tensor

import dynet as dy

ALL = pytest.mark.parametrize("kind", BUILDERS)


@ALL
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("initial", [False, True])
def test_equations(kind, layers, batch, initial):
    case = Case(kind, layers)
    dy.renew_cg()
    expected = None
    state = case.builder.initial_state()
    if initial:
        expected = [case.vector(HIDDEN, batch) for _ in range(layers * (1 + case.has_cells))]
        state = case.builder.initial_state([tensor(v) for v in expected])
        assert_state(state, expected, layers)
    for _ in range(3):
        x = case.vector(INPUT, batch)
        state, expected = state.add_input(tensor(x)), case.step(expected, x)
        assert_state(state, expected, layers)


@ALL
def test_gradients(kind):
    case = Case(kind, layers=2, seed=3)
    xs = [case.vector(INPUT, 1) for _ in range(3)]
    weights = [case.vector(HIDDEN, 1) for _ in xs]

    def reference():
        loss, state = 0.0, None
        for x, w in zip(xs, weights, strict=True):
            state = case.step(state, x)
            loss += float((w * state[-1]).sum())
        return loss

    dy.renew_cg()
    outputs = case.builder.initial_state().transduce([tensor(x) for x in xs])
    loss = dy.esum([dy.dot_product(y, tensor(w)) for y, w in zip(outputs, weights, strict=True)])
    assert loss.value() == pytest.approx(reference(), rel=1e-4, abs=1e-5)
    loss.backward()

    constant = [p.name() for layer in case.builder.get_parameters() for p in layer[3:] if kind == "sparse"]
    step = 1e-6
    for p, values in zip(case.model.parameters_list(), case.parameters, strict=True):
        if p.name() in constant:
            continue
        numeric = np.zeros_like(values)
        for at in np.ndindex(values.shape):
            kept = values[at]
            values[at] = kept + step
            up = reference()
            values[at] = kept - step
            numeric[at] = (up - reference()) / (2 * step)
            values[at] = kept
        np.testing.assert_allclose(p.grad_as_array(), numeric, rtol=2e-3, atol=2e-4, err_msg=p.name())


@ALL
def test_states_form_a_tree(kind):
    case = Case(kind, layers=2)
    dy.renew_cg()
    a, b, c, d = (case.vector(INPUT, 1) for _ in range(4))
    root = case.builder.initial_state()
    left = root.add_input(tensor(a))
    right = root.add_input(tensor(b))
    left_right = left.add_input(tensor(c))
    right_left = right.add_input(tensor(d))
    again = left.add_input(tensor(d))
    after = {name: case.step(None, x) for name, x in {"a": a, "b": b}.items()}
    assert_state(left, after["a"], 2)
    assert_state(right, after["b"], 2)
    assert_state(left_right, case.step(after["a"], c), 2)
    assert_state(right_left, case.step(after["b"], d), 2)
    assert_state(again, case.step(after["a"], d), 2)
    assert again.prev().prev().output() is None
    assert len(again.prev().s()) == len(left.s())


@ALL
def test_transduce_and_add_inputs_read_any_iterable(kind):
    case = Case(kind, layers=2)
    dy.renew_cg()
    xs = [case.vector(INPUT, 1) for _ in range(4)]
    expressions = [tensor(x) for x in xs]
    initial = case.builder.initial_state()
    expected, state = [], None
    for x in reversed(xs):
        state = case.step(state, x)
        expected.append(state)
    states = initial.add_inputs(reversed(expressions))
    outputs = initial.transduce(e for e in reversed(expressions))
    assert len(states) == len(outputs) == 4
    for got, output, want in zip(states, outputs, expected, strict=True):
        assert_state(got, want, 2)
        np.testing.assert_allclose(output.npvalue(), want[-1][:, 0], rtol=2e-5, atol=2e-6)
    assert initial.transduce([]) == [] and initial.add_inputs([]) == []


@ALL
def test_setting_states(kind):
    case = Case(kind, layers=2)
    dy.renew_cg()
    a, b, x = (case.vector(INPUT, 1) for _ in range(3))
    new = [case.vector(HIDDEN, 1) for _ in range(4)]
    root = case.builder.initial_state()
    first = root.add_input(tensor(a))
    root.add_input(tensor(b))  # the step pushed last, from which nothing may be taken
    after = case.step(None, a)
    kept_cells = after[:2] if case.has_cells else []

    state = first.set_h([tensor(v) for v in new[:2]])
    assert_state(state, kept_cells + new[:2], 2)
    assert_state(state.add_input(tensor(x)), case.step(kept_cells + new[:2], x), 2)
    zeros = [np.zeros((HIDDEN, 1))] * 2
    assert_state(root.set_h([tensor(v) for v in new[:2]]), (zeros if case.has_cells else []) + new[:2], 2)

    if case.has_cells:
        assert_state(first.set_s([tensor(v) for v in new]), new, 2)
        assert_state(first.set_s([tensor(v) for v in new[:2]]), new[:2] + after[2:], 2)
        assert_state(root.set_s([tensor(v) for v in new[:2]]), new[:2] + zeros, 2)
    else:
        assert_state(first.set_s([tensor(v) for v in new[:2]]), new[:2], 2)


@ALL
@pytest.mark.parametrize("count", [0, 1, 3])
def test_wrong_number_of_states(kind, count):
    case = Case(kind, layers=2)
    dy.renew_cg()
    state = case.builder.initial_state().add_input(tensor(case.vector(INPUT, 1)))
    vectors = [tensor(case.vector(HIDDEN, 1)) for _ in range(count)]
    for call in (state.set_h, state.set_s, *([case.builder.initial_state] if count else [])):
        with pytest.raises(ValueError, match="layers"):
            call(vectors)
    with pytest.raises(ValueError, match="4 expressions were given for the 2 layers"):
        state.set_h([tensor(case.vector(HIDDEN, 1)) for _ in range(4)])


@ALL
def test_initial_state_is_shared_in_a_graph(kind):
    case = Case(kind, layers=2)
    dy.renew_cg()
    initial = case.builder.initial_state()
    assert initial == case.builder.initial_state() == case.builder.initial_state(update=False)
    assert initial.output() is None and initial.prev() is None
    assert initial.h() == () and initial.s() == ()
    assert initial.b() is case.builder
    state = initial.add_input(tensor(case.vector(INPUT, 1)))
    assert state.b() is case.builder
    dy.renew_cg()
    assert case.builder.initial_state() != initial


@ALL
def test_constant_parameters(kind):
    case = Case(kind)
    for update in (False, True):
        dy.renew_cg()
        state = case.builder.initial_state(update=update).add_input(tensor(case.vector(INPUT, 1)))
        x = state.add_input(tensor(case.vector(INPUT, 1)))
        dy.sum_elems(x.output()).backward()
        touched = any(np.any(p.grad_as_array()) for p in case.model.parameters_list())
        assert touched == update


@ALL
def test_raw_vectors(kind):
    case = Case(kind, layers=2)
    dy.renew_cg()
    vectors = [case.vector(HIDDEN, 1) for _ in range(2 * (1 + case.has_cells))]
    state = case.builder.initial_state_from_raw_vectors([v[:, 0] for v in vectors])
    assert_state(state, vectors, 2)


@ALL
def test_stale_states(kind):
    case = Case(kind)
    dy.renew_cg()
    initial = case.builder.initial_state()
    state = initial.add_input(tensor(case.vector(INPUT, 1)))
    dy.renew_cg()

    def all_calls_fail():
        x = tensor(case.vector(INPUT, 1))
        for call in (
            lambda: initial.add_input(x),
            lambda: state.add_input(x),
            lambda: state.add_inputs([x]),
            lambda: state.transduce([x]),
            state.h,
            state.s,
            lambda: state.set_h([x]),
            lambda: state.set_s([x]),
        ):
            with pytest.raises(ValueError, match="Using stale builder"):
                call()

    with pytest.raises(ValueError, match="stale"):
        case.builder.get_parameter_expressions()
    all_calls_fail()
    case.builder.initial_state()
    all_calls_fail()


@ALL
def test_a_failed_step_changes_nothing(kind):
    case = Case(kind, layers=2)
    dy.renew_cg()
    a, b = case.vector(INPUT, 1), case.vector(INPUT, 1)
    state = case.builder.initial_state().add_input(tensor(a))
    with pytest.raises(ValueError):
        state.add_input(tensor(case.vector(INPUT + 2, 1)))
    assert_state(state.add_input(tensor(b)), case.step(case.step(None, a), b), 2)


def test_empty_builders():
    for make, _, _ in BUILDERS.values():
        model = dy.ParameterCollection()
        builder = make(0, INPUT, HIDDEN, model)
        dy.renew_cg()
        assert builder.initial_state().h() == () == builder.initial_state().s()
        assert builder.get_parameters() == [] and model.parameters_list() == []


# -- what files depend on

H = HIDDEN  # "I" stands for the layer's input size
GRU_SHAPES = [(H, "I"), (H, H), (H,)] * 3
COUPLED_SHAPES = [(H, "I"), (H, H), (H, H), (H,)] * 2 + [(H, "I"), (H, H), (H,)]
FAST_SHAPES = [(H, "I"), (H, H), (H, 1), (H,)] * 2 + [(H, "I"), (H, H), (H,)]
LSTM_SHAPES = [(4 * H, "I"), (4 * H, H), (4 * H,)]
SPARSE_SHAPES = [(4 * H, "I"), (4 * H, H), (4 * H, "I"), (4 * H, H), (4 * H,)]


@pytest.mark.parametrize(
    "kind, collection, shapes",
    [
        ("simple", "/simple-rnn-builder/", [(H, "I"), (H, H), (H,)]),
        ("gru", "/gru-builder/", GRU_SHAPES),
        ("coupled", "/lstm-builder/", COUPLED_SHAPES),
        ("fast", "/fast-lstm-builder/", FAST_SHAPES),
        ("vanilla", "/vanilla-lstm-builder/", LSTM_SHAPES),
        ("sparse", "/vanilla-lstm-builder/", SPARSE_SHAPES),
        ("compact", "/compact-vanilla-lstm-builder/", LSTM_SHAPES),
    ],
)
def test_names_and_shapes(kind, collection, shapes):
    case = Case(kind, layers=2)
    expected = [tuple(size if n == "I" else n for n in shape) for size in (INPUT, HIDDEN) for shape in shapes]
    parameters = case.model.parameters_list()
    assert [p.shape() for p in parameters] == expected
    assert [p.name() for p in parameters] == [f"{collection}_{i}" for i in range(len(expected))]
    assert case.builder.param_collection().name() == collection
    dy.renew_cg()
    case.builder.initial_state()
    in_graph = 3 if kind == "sparse" else len(shapes)
    assert [len(layer) for layer in case.builder.get_parameter_expressions()] == [in_graph] * 2


def test_order_of_layer_normalisation_parameters():
    model = dy.ParameterCollection()
    dy.VanillaLSTMBuilder(2, INPUT, HIDDEN, model, True)
    # In the builder's own collection, so that saving the builder saves them.
    expected = [f"/vanilla-lstm-builder/_{i}" for i in range(18)]
    assert [p.name() for p in model.parameters_list()] == expected
    gains = [p.as_array() for p in model.parameters_list()][3:9]
    for i, values in enumerate(gains):
        assert np.all(values == 1 - i % 2)


def test_first_values():
    model = dy.ParameterCollection()
    for p in dy.VanillaLSTMBuilder(1, INPUT, HIDDEN, model).get_parameters()[0]:
        if len(p.shape()) == 1:
            assert not p.as_array().any()
        else:
            assert 0 < np.abs(p.as_array()).max() <= np.sqrt(6 / sum(p.shape()))


def test_sparse_builder_prunes_the_smallest_weights():
    model = dy.ParameterCollection()
    builder = dy.SparseLSTMBuilder(2, INPUT, HIDDEN, model)
    for share in (0.5, 0.25, 0.75):
        builder.set_sparsity(share)
        layers = builder.get_parameters()
        weights = np.concatenate([abs(p.as_array()).ravel() for layer in layers for p in layer[:2]])
        masks = np.concatenate([p.as_array().ravel() for layer in layers for p in layer[3:]])
        assert masks.sum() == pytest.approx((1 - share) * masks.size)
        if share == 0.5:
            assert weights[masks == 0].max() <= weights[masks == 1].min()


@ALL
@pytest.mark.parametrize("batch", [1, 3])
def test_states_of_zeros(kind, batch):
    case = Case(kind, layers=2)
    dy.renew_cg()
    state = case.builder.zero_state(batch)
    parts = (state.output(), *state.s(), *state.h())
    assert len(state.s()) == 2 * (1 + case.has_cells) and len(state.h()) == 2
    for part in parts:
        assert part.dim() == ((HIDDEN,), batch) and not np.any(part.npvalue())
    zeros = [np.zeros((HIDDEN, batch)) for _ in state.s()]
    x = case.vector(INPUT, batch)
    assert_state(state.add_input(tensor(x)), case.step(zeros, x), 2)


@ALL
def test_states_after_all(kind):
    case = Case(kind, layers=2)
    dy.renew_cg()
    xs = [tensor(case.vector(INPUT, 1)) for _ in range(3)]
    want = case.builder.initial_state().add_inputs(xs)[-1]
    final = case.builder.final_state(xs)
    for a, b in zip((final.output(), *final.s()), (want.output(), *want.s()), strict=True):
        assert a.value() == b.value()
    assert case.builder.final_state(x for x in xs).output().value() == want.output().value()
    assert case.builder.final_state([]) == case.builder.initial_state()
    assert case.builder.initial_state(final.s()).output().value() == want.output().value()


def test_states_of_both_directions():
    model = dy.ParameterCollection()
    builder = dy.BiRNNBuilder(2, 3, 4, model, dy.LSTMBuilder)
    dy.renew_cg()
    xs = [dy.inputVector([i, 1, 2]) for i in range(4)]
    states = builder.add_inputs(xs)
    forward, backward = builder.final_state(xs)
    assert forward.output().value() == states[-1][0].output().value()
    assert backward.output().value() == states[0][1].output().value()
    assert [s.output().value() for s in builder.zero_state()] == [[0, 0], [0, 0]]


@pytest.mark.parametrize("kind", RNN_BUILDERS, ids=lambda kind: kind.__name__)
def test_dropout_of_every_builder(kind):
    """Both rates count, and that of the inputs apart from that of the outputs."""
    builder = kind(2, 8, 8, dy.ParameterCollection())
    xs = [np.ones(8)] * 3

    def outputs():
        dy.renew_cg()
        return [y.value() for y in builder.initial_state().transduce(map(dy.inputVector, xs))]

    def gradients(rates):
        dy.renew_cg()
        builder.set_dropouts(*rates)
        inputs = [dy.inputVector(x) for x in xs]
        dy.sum_elems(builder.initial_state().transduce(inputs)[-1]).backward(full=True)
        return [np.any(x.gradient()) for x in inputs]

    plain = outputs()
    assert outputs() == plain
    for rates in ((0.5, 0), (0, 0.5), (0.5, 0.5)):
        builder.set_dropouts(*rates)
        assert outputs() != outputs()
    builder.set_dropouts(0, 0)
    assert outputs() == plain
    builder.set_dropout(0.5)
    assert outputs() != plain
    builder.disable_dropout()
    assert outputs() == plain
    assert gradients((0, 0)) == [True] * 3 and gradients((1, 0)) == [False] * 3
    with pytest.raises(ValueError, match="probability"):
        builder.set_dropouts(2, 0)


def test_dropout_of_both_directions():
    builder = dy.BiRNNBuilder(1, 3, 4, dy.ParameterCollection(), dy.GRUBuilder)
    builder.set_dropouts(1, 0)
    dy.renew_cg()
    ys = [builder.transduce([dy.inputVector([i, 1, 2])])[0].value() for i in range(2)]
    assert ys[0] == ys[1]


@pytest.mark.parametrize("kind", [dy.VanillaLSTMBuilder, dy.GRUBuilder, dy.SimpleRNNBuilder])
@pytest.mark.parametrize("rate", [0, 0.5])
def test_inputs_of_other_graphs_are_refused_from_the_first_step_on(kind, rate):
    dy.renew_cg()
    builder = kind(1, 3, 4, dy.ParameterCollection())
    builder.set_dropout(rate)
    with dy.ComputationGraph() as graph:
        other = dy.inputTensor([1, 2, 3])
    state = builder.initial_state()
    with pytest.raises(ValueError, match=r"the input belongs to graph|one graph|stale"):
        state.add_input(other)
    assert len(state.add_input(dy.inputTensor([1, 2, 3])).output().npvalue()) == 4
    assert graph.version()


def test_attributes_of_subclasses_are_their_own():
    class Own(dy.GRUBuilder):
        def __init__(self, model):
            super().__init__(1, 2, 3, model)
            self._initial_state = None

    builder = Own(dy.ParameterCollection())
    assert builder.initial_state() == builder.initial_state() and builder._initial_state is None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_builders_whose_init_was_not_called():
    class Own(dy.GRUBuilder):
        def __init__(self):
            pass

    class Trainer(dy.AdamTrainer):
        def __init__(self):
            pass

    builder, trainer = Own(), Trainer()
    for use in (lambda: builder.spec, lambda: trainer.learning_rate, lambda: trainer.update()):
        with pytest.raises(TypeError, match=r"super\(\).__init__\(\) was not called"):
            use()


@pytest.mark.parametrize("kind", ["expression", "parameter", "table", "generator"])
def test_a_matrix_is_the_sequence_of_its_rows(kind):
    model = dy.ParameterCollection()
    lstm, birnn = dy.LSTMBuilder(1, 2, 3, model), dy.BiRNNBuilder(1, 2, 4, model, dy.GRUBuilder)
    numbers = np.arange(6.0).reshape(3, 2)
    matrix = {
        "expression": lambda: dy.inputTensor(numbers),
        "parameter": lambda: model.add_parameters((3, 2), init=numbers),
        "table": lambda: model.lookup_parameters_from_numpy(numbers),
        "generator": lambda: dy.inputTensor(numbers),
    }[kind]
    calls = [
        lambda xs: lstm.initial_state().transduce(xs),
        lambda xs: [state.output() for state in lstm.initial_state().add_inputs(xs)],
        lambda xs: [lstm.final_state(xs).output()],
        lambda xs: birnn.transduce(xs),
        lambda xs: [state[0].output() for state in birnn.add_inputs(xs)],
    ]
    for call in calls:
        dy.renew_cg()
        xs = matrix()
        outputs = dy.npvalues(call((x for x in xs) if kind == "generator" else xs))
        np.testing.assert_array_equal(outputs, dy.npvalues(call(list(xs))))


def test_a_matrix_that_cannot_be_read_leaves_no_rows():
    state = dy.LSTMBuilder(1, 2, 3, dy.ParameterCollection()).initial_state()
    x = dy.inputTensor(np.ones((2, 3)))
    before = len(dy.cg())
    for call in (state.transduce, state.add_inputs, state.set_h):
        with pytest.raises(ValueError, match=f"{call.__name__}: "):
            call(x)
    assert len(dy.cg()) == before
    dy.renew_cg()
    with pytest.raises(ValueError, match=r"transduce: the expression is stale"):
        state.transduce(x)
