"""What was accepted quietly and gave something that nobody meant: masks as indices, arrays without all their
numbers, expressions as arrays of NumPy, and handles that were not equal to themselves."""

import copy
import operator
import pickle

import numpy as np
import pytest

import dynet as dy


@pytest.fixture
def x():
    dy.renew_cg()
    return dy.inputTensor(np.arange(12.0).reshape(3, 4))


@pytest.fixture
def table():
    return dy.ParameterCollection().add_lookup_parameters((4, 2), init=np.arange(8.0).reshape(4, 2))


def vectors():
    return dy.inputTensor(np.arange(6.0).reshape(3, 2), batched=True)


WITH_INDICES = {
    "select_rows": lambda x, table, places: dy.select_rows(x, places),
    "select_cols": lambda x, table, places: dy.select_cols(x, places),
    "log_softmax": lambda x, table, places: dy.log_softmax(dy.inputVector([1, 2, 3]), restrict=places),
    "pick_batch": lambda x, table, places: dy.pick_batch(vectors(), places),
    "pick_batch_elems": lambda x, table, places: dy.pick_batch_elems(vectors(), places),
    "pickneglogsoftmax_batch": lambda x, table, places: dy.pickneglogsoftmax_batch(vectors(), places),
    "hinge_batch": lambda x, table, places: dy.hinge_batch(vectors(), places),
    "lookup_batch": lambda x, table, places: dy.lookup_batch(table, places),
    "batch": lambda x, table, places: table.batch(places),
    "rows_as_array": lambda x, table, places: table.rows_as_array(places),
    "one_hot": lambda x, table, places: dy.one_hot(3, places),
    "sparse_inputTensor": lambda x, table, places: dy.sparse_inputTensor([places], [1, 2], (3,)),
    "set": lambda x, table, places: dy.lookup_batch(table, [0, 1]).set(places),
}
MASKS = {
    "list": [True, False],
    "tuple": (True, False),
    "array": np.array([True, False]),
    "scalars": [np.True_, np.False_],
    "generator": None,
    "view": memoryview(np.array([True, False])),
}


CHOOSING = {"select_rows", "select_cols", "log_softmax", "pick_batch_elems", "rows_as_array"}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("call", WITH_INDICES)
def test_masks_choose_no_places(call, mask, x, table):
    """Where each is an index of its own, as the class of a sentence is, truths are 0 and 1, as in DyNet 2."""
    given = MASKS[mask] if mask != "generator" else (each for each in (True, False))
    if call in CHOOSING:
        with pytest.raises(TypeError, match=r"truths was given.*numpy\.flatnonzero"):
            WITH_INDICES[call](x, table, given)
    else:
        truths = WITH_INDICES[call](x, table, given)
        if isinstance(truths, dy.Expression):
            assert np.array_equal(truths.npvalue(), WITH_INDICES[call](x, table, [1, 0]).npvalue())
    WITH_INDICES[call](x, table, np.array([1, 0]))
    WITH_INDICES[call](x, table, [1.0, np.int8(0)])


def test_masks_are_no_positions_of_parameters():
    model = dy.ParameterCollection()
    model.add_parameters(2), model.add_parameters(2)
    with pytest.raises(TypeError, match="truths"):
        dy.SimpleSGDTrainer(model).update_subset([True, False], [])


def test_masks_as_keys_select(x):
    assert np.all(x[[True, False, True]].npvalue() == x.npvalue()[[0, 2]])
    assert np.all(x[:, np.array([True, False, False, True])].npvalue() == x.npvalue()[:, [0, 3]])


@pytest.mark.parametrize(
    "one", [1.0, np.float32(1), np.float64(1), np.array(1), np.array(1.0), np.int8(1), True]
)
def test_whole_numbers_of_any_kind_are_indices(one, x, table):
    assert np.all(x[one].npvalue() == x.npvalue()[1])
    assert np.all(x[:, one].npvalue() == x.npvalue()[:, 1])
    assert np.all(x[one, one:].npvalue() == x.npvalue()[1, 1:]) or isinstance(one, np.ndarray)
    assert np.all(table[one].npvalue() == [2, 3])
    table[one] = [8, 9]
    assert np.all(table.row_as_array(one) == [8, 9])


def test_lists_of_whole_floats_are_keys(x):
    assert np.all(x[[2.0, -1.0]].npvalue() == x.npvalue()[[2, -1]])
    assert np.all(x[np.array([0.0, 1.0])].npvalue() == x.npvalue()[[0, 1]])


@pytest.mark.parametrize("key", [0.5, np.float32(1.5), np.array(0.5), float("nan")])
def test_fractions_are_no_keys(key, x, table):
    for use in (
        lambda: x[key],
        lambda: x[0, key],
        lambda: table[key],
        lambda: table.__setitem__(key, [0, 0]),
    ):
        with pytest.raises(ValueError, match="a whole number is needed"):
            use()
    with pytest.raises(TypeError, match="a list of float as a key"):
        x[[0, key]]


# -- arrays of another shape, which were read column by column


@pytest.mark.parametrize("call", [name for name in WITH_INDICES if name != "sparse_inputTensor"])
def test_indices_have_one_axis(call, x, table):
    with pytest.raises(TypeError, match="an array of indices with 2 axes"):
        WITH_INDICES[call](x, table, np.array([[0, 1], [1, 0]]))
    WITH_INDICES[call](x, table, np.array([[1], [0]]))


GIVEN = np.arange(6.0).reshape(2, 3)
INTO_A_SHAPE = {
    "set": lambda a, shape: [e := dy.inputTensor(np.zeros(shape)), e.set(a), e.npvalue(recalculate=True)][-1],
    "inputTensorTranspose": lambda a, shape: dy.inputTensorTranspose(a, shape).npvalue(),
    "inputMatrixLiteral": lambda a, shape: dy.cg().inputMatrixLiteral(a, shape).npvalue(),
    "NumpyInitializer": lambda a, shape: (
        dy.ParameterCollection().add_parameters(shape, init=dy.NumpyInitializer(a)).as_array()
    ),
}


@pytest.mark.parametrize("call", INTO_A_SHAPE)
def test_arrays_of_another_shape_are_not_scrambled(call):
    dy.renew_cg()
    put = INTO_A_SHAPE[call]
    assert np.all(put(GIVEN, (2, 3)) == GIVEN)
    assert np.all(put(GIVEN.ravel("F"), (2, 3)) == GIVEN)
    assert put(GIVEN.ravel("F"), (3, 2)).shape == (3, 2)
    assert np.all(put(GIVEN, (2, 1, 3))[:, 0] == GIVEN)
    for shape in ((3, 2), (6,)):
        with pytest.raises(ValueError, match=rf"{call}: an array of shape \{{2,3\}} for a tensor of shape"):
            put(GIVEN, shape)


MASKED = np.ma.array([1.0, 2.0], mask=[False, True])
TAKES_NUMBERS = [
    dy.inputTensor,
    dy.inputVector,
    dy.NumpyInitializer,
    lambda a: dy.inputTensor([a, a]),
    lambda a: dy.inputVector(list(a)),
    lambda a: dy.inputVector([1, 2]) + a,
    lambda a: dy.inputVector([0, 0]).set(a),
    lambda a: dy.ParameterCollection().add_parameters(2, init=a),
    lambda a: dy.ParameterCollection().add_parameters(2).set_value(a),
    lambda a: dy.ParameterCollection().add_parameters(2).set_gradient(a),
    lambda a: dy.ParameterCollection().add_lookup_parameters((2, 2)).init_row(0, a),
    lambda a: dy.select_rows(dy.inputVector([1, 2]), a.astype(int)),
    lambda a: dy.inputVector([1, 2, 3])[a.astype(int)],
]


@pytest.mark.parametrize("use", TAKES_NUMBERS)
def test_masked_places_are_no_numbers(use):
    dy.renew_cg()
    with pytest.raises(TypeError, match="masked array"):
        use(MASKED)
    use(np.ma.array([1.0, 0.0]))
    use(MASKED.filled(0))


# -- functions of NumPy

COMPUTING = {
    "argmax": np.argmax,
    "argsort": np.argsort,
    "mean": np.mean,
    "sum": np.sum,
    "max": np.max,
    "min": np.min,
    "std": np.std,
    "norm": np.linalg.norm,
    "transpose": np.transpose,
    "allclose": lambda e: np.allclose(e, [1, 2, 3]),
    "array_equal": lambda e: np.array_equal([1, 2, 3], e),
    "where": lambda e: np.where(e, 1, 0),
    "dot": lambda e: np.dot([[1.0, 2.0, 3.0]], e),
    "clip": lambda e: np.clip(a=e, a_min=0, a_max=1),
    "zeros_like": np.zeros_like,
    "size": np.size,
    "exp": np.exp,
    "tanh": np.tanh,
    "maximum": lambda e: np.maximum(e, 0),
    "multiply": lambda e: np.multiply(e, e),
    r"add\.reduce": np.add.reduce,
    "add": lambda e: operator.iadd(np.zeros(3), e),
    "less": lambda e: np.zeros(3) < e,
    "ravel": np.ravel,
    "repeat": lambda e: np.repeat(e, 2),
    "tile": lambda e: np.tile(e, 2),
    "append": lambda e: np.append(e, e),
}


@pytest.mark.parametrize("function", COMPUTING)
def test_numpy_does_not_compute_with_the_object(function, x):
    parameter = dy.ParameterCollection().add_parameters(3)
    with pytest.raises(TypeError, match=rf"numpy\.{function}: Expression is one object.*npvalue\(\)"):
        COMPUTING[function](dy.inputVector([1, 2, 3]))
    with pytest.raises(TypeError, match=rf"numpy\.{function}: Parameters is one object.*as_array\(\)"):
        COMPUTING[function](parameter)


def test_what_dynet_has_is_named():
    e = dy.inputVector([1, 2, 3])
    functions = [(np.mean, "mean_elems"), (np.max, "max_dim"), (np.round, "round"), (np.exp, "exp")]
    functions += [(np.absolute, "abs"), (np.ravel, "reshape"), (lambda e: np.append(e, e), "concatenate")]
    functions += [(lambda e: np.multiply(e, e), "cmult"), (lambda e: np.minimum(e, e), "bmin")]
    for function, name in functions:
        with pytest.raises(TypeError, match=rf"or dy\.{name} "):
            function(e)
        assert hasattr(dy, name)


def test_arrays_of_expressions_stay_arrays_of_objects():
    dy.renew_cg()
    a, b = dy.inputVector([1, 2]), dy.inputVector([3, 5])
    pair = np.array([a, b])
    assert pair.shape == (2,) and pair[1] is b and np.asarray(a).shape == ()
    assert np.stack([a, b]).tolist() == [a, b] and np.hstack([a, b]).tolist() == [a, b]
    assert np.concatenate([pair, [a]]).tolist() == [a, b, a] and np.append([a], b).tolist() == [a, b]
    assert [part.tolist() for part in np.split(pair, 2)] == [[a], [b]]
    assert np.insert(pair, 1, a).tolist() == [a, a, b] and np.repeat([a], 2).tolist() == [a, a]
    assert np.atleast_1d(a).tolist() == [a] and np.shape(a) == (2,)
    assert np.sum([a, b]).value() == [4, 7] and np.mean(pair).value() == [2, 3.5]
    assert (pair + a)[1].value() == [4, 7] and (np.array([1, 1]) - a).value() == [0, -1]
    assert (np.float32(2) * a).value() == [2, 4] and (np.array(2.0) * a).value() == [2, 4]
    assert (np.eye(2) @ a).value() == (np.eye(2) * a).value() == [1, 2] and (2**a).value() == [2, 4]
    assert (pair == a).tolist() == (a == pair).tolist() == [True, False]
    assert (
        (pair != b).tolist() == [True, False] and a in pair and (np.ones(2) == a).tolist() == [False, False]
    )
    w = dy.ParameterCollection().add_parameters((1, 2), init=np.array([[10, 100]]))
    assert np.dot(w, a).value() == 210


# -- handles


def test_handles_of_one_parameter_are_equal():
    model = dy.ParameterCollection()
    p, q, t = model.add_parameters(2), model.add_parameters(2), model.add_lookup_parameters((2, 2))
    assert model.parameters_list()[0] == p and model.lookup_parameters_list()[0] == t
    assert q != p and (p == q) is False and p != t and p != "p" and p in model.parameters_list()
    assert model.parameters_list().index(q) == 1 and {p: 1, q: 2}[model.parameters_list()[1]] == 2
    assert len({t, *model.lookup_parameters_list(), p, q, *model.parameters_list()}) == 3
    assert copy.deepcopy(p) != p and p.expr() != p
    with pytest.raises(TypeError):
        assert p < q


def test_handles_of_one_collection_are_equal():
    model = dy.ParameterCollection()
    inner = model.add_subcollection("inner")
    builder = dy.LSTMBuilder(1, 2, 2, inner)
    assert builder.param_collection() == builder.param_collection() != inner != model
    assert len({builder.param_collection(), builder.param_collection(), inner}) == 2
    assert model != "model" and copy.deepcopy(model) != model


def test_names_in_pickles_are_texts():
    model = dy.ParameterCollection()
    p = model.add_parameters(1, name="abcd")
    for whole in (p, model):
        data = pickle.dumps(whole)
        assert data.count(b"/abcd") == 1
        with pytest.raises(ValueError, match=r"b'/ab\\xe9d' is not in UTF-8"):
            pickle.loads(data.replace(b"/abcd", b"/ab\xe9d"))
