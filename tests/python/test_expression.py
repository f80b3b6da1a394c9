"""Expressions in Python: operators, indexing, values, staleness, and what is left after an error."""

import numpy as np
import pytest

import dynet as dy


@pytest.fixture(autouse=True)
def _graph():
    dy.renew_cg()


@pytest.fixture
def matrix():
    return dy.inputTensor([[1, 2, 3], [4, 5, 6]])


NUMBERS = [2, 2.0, True, np.float32(2), np.float64(2), np.int64(2), np.uint8(2)]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: type(n).__name__)
def test_operators_with_numbers(matrix, number):
    x, n = matrix.npvalue(), float(number)
    for got, expected in [
        (matrix + number, x + n),
        (number + matrix, n + x),
        (matrix - number, x - n),
        (number - matrix, n - x),
        (matrix * number, x * n),
        (number * matrix, n * x),
        (matrix / number, x / n),
        (matrix**number, x**n),
    ]:
        assert isinstance(got, dy.Expression)
        np.testing.assert_allclose(got.npvalue(), expected, rtol=1e-6)


def test_operators_between_expressions(matrix):
    x = matrix.npvalue()
    np.testing.assert_array_equal((matrix + matrix).npvalue(), x + x)
    np.testing.assert_array_equal((matrix - matrix).npvalue(), x - x)
    np.testing.assert_array_equal((-matrix).npvalue(), -x)
    np.testing.assert_allclose((matrix * dy.transpose(matrix)).npvalue(), x @ x.T)
    np.testing.assert_allclose((matrix ** dy.scalarInput(3)).npvalue(), x**3, rtol=1e-5)
    assert sum([dy.scalarInput(1), dy.scalarInput(2)]).value() == 3


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: type(n).__name__)
def test_expressions_below_numbers(matrix, number):
    x, n = matrix.npvalue(), float(number)
    np.testing.assert_allclose((number / matrix).npvalue(), n / x, rtol=1e-6)
    np.testing.assert_allclose((number**matrix).npvalue(), n**x, rtol=1e-6)


def test_quotients(matrix):
    x = matrix.npvalue()
    row, column = dy.inputTensor(x[:1]), dy.inputTensor(x[:, :1])
    np.testing.assert_array_equal((matrix / (matrix + 1)).npvalue(), x / (x + 1))
    for above, below in ((row, matrix), (column, matrix), (matrix, row), (row, column)):
        want = above.npvalue() / below.npvalue()
        np.testing.assert_allclose((above / below).npvalue(), want, rtol=1e-6)
        np.testing.assert_allclose(dy.cdiv(above, below).npvalue(), want, rtol=1e-6)
    with pytest.raises(ValueError, match=r"^pow: -2 to the power"):
        (-2) ** matrix


def test_products_of_matrices(matrix):
    x = matrix.npvalue()
    np.testing.assert_array_equal((matrix @ dy.transpose(matrix)).npvalue(), x @ x.T)
    np.testing.assert_array_equal((matrix @ [1, 2, 3]).npvalue(), x @ [1, 2, 3])
    np.testing.assert_array_equal((np.ones((4, 2)) @ matrix).npvalue(), np.ones((4, 2)) @ x)
    with pytest.raises(TypeError):
        matrix @ 2


def test_signs_and_truth(matrix):
    x = dy.inputVector([-1, 2])
    assert abs(x).value() == [1, 2] and (+x) is x
    assert x and (dy.scalarInput(0) or None) is not None  # not that of the value, as in DyNet 2
    dy.renew_cg()
    assert x, "truth asks nothing of the graph"


OPERANDS = {
    "array": lambda a: a,
    "list": lambda a: a.tolist(),
    "tuple": lambda a: tuple(a.tolist()),
    "whole numbers": lambda a: a.astype(int),
}


@pytest.mark.parametrize("make", OPERANDS.values(), ids=OPERANDS)
def test_arrays_beside_expressions(matrix, make):
    x, a = matrix.npvalue(), np.array([[3.0, 1, 2], [2, 5, 4]])
    other = make(a)
    for got, want in [
        (matrix + other, x + a),
        (other + matrix, a + x),
        (matrix - other, x - a),
        (other - matrix, a - x),
        (matrix / other, x / a),
        (other / matrix, a / x),
        (matrix * make(a.T.copy()), x @ a.T),
        (make(a.T.copy()) * matrix, a.T @ x),
    ]:
        assert isinstance(got, dy.Expression)
        np.testing.assert_allclose(got.npvalue(), want, rtol=1e-6)
    assert (matrix + np.array(0.5)).npvalue().tolist() == (x + 0.5).tolist()


def test_operands_that_do_not_fit(matrix):
    size = len(dy.cg())
    with pytest.raises(ValueError, match=r"^add: sizes of axis 0 differ"):
        matrix + np.ones(3)
    with pytest.raises(TypeError, match="a list of expressions was given; a list of numbers is needed"):
        matrix + [matrix]  # noqa: RUF005
    with pytest.raises(TypeError, match="real numbers are needed"):
        matrix + ["a"]  # noqa: RUF005
    assert len(dy.cg()) == size, "nothing is left in the graph"
    p = dy.ParameterCollection().add_parameters(2, init=1)
    assert (p + [1, 2]).value() == [2, 3]  # noqa: RUF005


def test_arrays_of_expressions_as_operands():
    """Features in an array of objects: the operator is that of each of them, as in DyNet 2."""
    xs = [dy.scalarInput(i) for i in range(3)]
    array = np.array(xs)
    for got, want in [(array + xs[2], [2, 3, 4]), (xs[2] - array, [2, 1, 0]), (array * 2, [0, 2, 4])]:
        assert got.shape == (3,) and [x.value() for x in got] == want
    assert array.sum().value() == 3 and np.mean(array).value() == 1
    assert (np.array(xs[1]) + xs[2]).value() == 3


def test_products_with_arrays_of_expressions():
    matrix = dy.inputTensor([[1, 2], [3, 4]])
    vectors = np.array([dy.inputVector([1, 0]), dy.inputVector([0, 1])])
    for product in (matrix @ vectors, matrix * vectors):
        assert [each.value() for each in product] == [[1, 3], [2, 4]]


@pytest.mark.parametrize("other", ["a", None, 1j, object(), {1}], ids=lambda x: type(x).__name__)
def test_foreign_operands(matrix, other):
    for wrong in [
        lambda: matrix + other,
        lambda: other - matrix,
        lambda: matrix * other,
        lambda: matrix / other,
        lambda: other / matrix,
        lambda: matrix @ other,
        lambda: matrix**other,
    ]:
        with pytest.raises(TypeError):
            wrong()


class Reflecting:
    """Knows how to be added to anything."""

    def __radd__(self, other):
        return "mine"


def test_other_types_get_their_turn(matrix):
    assert matrix + Reflecting() == "mine"


def test_index(matrix):
    x = matrix.npvalue()
    assert matrix[0].dim() == ((3,), 1)
    for i in (0, 1, -1, -2, np.int64(1), True):
        np.testing.assert_array_equal(matrix[i].npvalue(), x[int(i)])
    for i in (2, -3, 10**12):
        with pytest.raises(IndexError):
            matrix[i]
    assert [row.value() for row in matrix] == x.tolist()


SLICES = [
    np.s_[0:1],
    np.s_[:],
    np.s_[-1:],
    np.s_[:-1],
    np.s_[::2],
    np.s_[0:9],
    np.s_[:, 1:],
    np.s_[1:, -2:],
    np.s_[:, ::2],
    np.s_[...],
    np.s_[..., 1:],
    np.s_[0:1, ...],
]


@pytest.mark.parametrize("slices", SLICES, ids=repr)
def test_slices(matrix, slices):
    np.testing.assert_array_equal(matrix[slices].npvalue(), matrix.npvalue()[slices])


def test_last_slice_is_the_batch():
    x = np.arange(24.0).reshape(2, 3, 4)
    batched = dy.inputTensor(x, batched=True)
    np.testing.assert_array_equal(batched[:, 1:, ::2].npvalue(), x[:, 1:, ::2])
    assert batched[:, :, 1:2].dim() == ((2, 3), 1)


@pytest.mark.parametrize(
    "slices", [np.s_[::-1], np.s_[::0], np.s_[1:1], np.s_[5:], np.s_[:, :, :, :]], ids=repr
)
def test_slices_that_select_nothing(matrix, slices):
    with pytest.raises((IndexError, ValueError)):
        matrix[slices]


@pytest.mark.parametrize("number", [4.0, np.float32(4), np.array(4), np.array(4.0), np.int64(4)], ids=repr)
def test_bounds_of_slices_are_whole_numbers_of_any_kind(number):
    x = dy.inputVector(range(8))
    assert x[:number].value() == [0, 1, 2, 3] and x[number:].value() == [4, 5, 6, 7]
    assert x[-number : 2 * number : number / 2].value() == [4, 6]
    matrix = dy.inputTensor(np.arange(16).reshape(8, 2))
    np.testing.assert_array_equal(matrix[number:, :1.0].npvalue(), matrix.npvalue()[4:, :1])


@pytest.mark.parametrize("bound, error", [(2.5, ValueError), ("a", TypeError), ([1], TypeError)], ids=repr)
def test_bounds_of_slices_that_are_none(matrix, bound, error):
    for key in (np.s_[:bound], np.s_[bound:], np.s_[::bound]):
        with pytest.raises(error, match="whole number is needed"):
            matrix[key]


LISTS = [
    np.s_[[1, 0, 1]],
    np.s_[[-1]],
    np.s_[:, [2, 0]],
    np.s_[:, [True, False, True]],
    np.s_[[False, True]],
    np.s_[1:, [0, -1]],
    np.s_[..., [0, 2]],
    np.s_[np.array([1, 0])],
    np.s_[:, np.array([False, True, True])],
    np.s_[:, np.uint8([2])],
    np.s_[range(2)],
]


@pytest.mark.parametrize("key", LISTS, ids=repr)
def test_lists_and_masks(matrix, key):
    np.testing.assert_array_equal(matrix[key].npvalue(), matrix.npvalue()[key])


def test_lists_of_the_batch_and_beside_indices():
    values = np.arange(24).reshape(2, 3, 4)
    batch = dy.inputTensor(values, batched=True)
    np.testing.assert_array_equal(batch[:, :, [2, 0]].npvalue(), values[:, :, [2, 0]])
    np.testing.assert_array_equal(batch[1, [2, 0]].npvalue(), values[1, [2, 0]])
    p = dy.ParameterCollection().parameters_from_numpy(np.arange(3))
    dy.sum_elems(p[[0, 0, -1]]).backward()
    assert p.grad_as_array().tolist() == [2, 0, 1]


WRONG_LISTS = {
    "an empty list": ([], IndexError),
    "a mask without a true": ([False, False], IndexError),
    "a mask of 3 truths": ([True] * 3, IndexError),
    "index 2": ([2], IndexError),
    "index -3": ([0, -3], IndexError),
    "two lists": (([0], [0]), IndexError),
    "a key with 2 axes": (np.ones((2, 3), bool), TypeError),
    "a list of float": ([0.5], TypeError),
    "a list of str": (["a"], TypeError),
}


@pytest.mark.parametrize("message", WRONG_LISTS)
def test_lists_that_are_no_keys(matrix, message):
    key, error = WRONG_LISTS[message]
    with pytest.raises(error, match=message):
        matrix[key]


def test_negative_indices_of_pick(matrix):
    x = matrix.npvalue()
    for axis, size in enumerate(x.shape):
        for i in range(-size, size):
            np.testing.assert_array_equal(dy.pick(matrix, i, axis).npvalue(), x.take(i, axis))
        for i in (size, -size - 1):
            with pytest.raises(IndexError, match=f"pick: index {i} is out of range for axis {axis}"):
                dy.pick(matrix, i, axis)
    with pytest.raises(ValueError, match="axis 2"):
        dy.pick(matrix, -1, 2)


def test_length_and_shape(matrix):
    assert len(matrix) == 2 and matrix.shape == (2, 3) and len(dy.scalarInput(1)) == 1
    batch = dy.inputTensor(np.ones((4, 3)), batched=True)
    assert batch.shape == (4,) and len(batch) == 4
    model = dy.ParameterCollection()
    p, table = model.add_parameters((5, 2)), model.add_lookup_parameters((7, 2))
    assert len(p) == 5 and p.shape() == (5, 2) and len(table) == 7 and table.shape() == (7, 2)
    first, *others = matrix
    assert first.value() == [1, 2, 3] and len(others) == 1 and list(zip(matrix, range(9), strict=False))[1][1]
    dy.renew_cg()
    with pytest.raises(ValueError, match="stale"):
        len(matrix)


def test_numbers_of_expressions(matrix):
    x = dy.scalarInput(2.75)
    assert float(x) == 2.75 and int(x) == 2 and f"{x:.1f}" == format(x, ".1f") == "2.8" and f"{x}" == str(x)
    assert "%.2f" % x == "2.75" and float(dy.reshape(x, (1, 1, 1))) == 2.75  # noqa: UP031
    for wrong in (lambda: float(matrix), lambda: int(matrix), lambda: f"{matrix:.1f}"):
        with pytest.raises(TypeError, match=r"shape \{2,3\}; one number is needed; npvalue"):
            wrong()
    dy.renew_cg()
    with pytest.raises(RuntimeError, match="Stale"):
        float(x)


@pytest.mark.parametrize("key", ["a", 1j, None, (0, "a"), (0, None)], ids=repr)
def test_keys_of_other_types(matrix, key):
    with pytest.raises(TypeError):
        matrix[key]


KEYS = [np.s_[0, :], np.s_[-1, 1:], np.s_[:, -1], np.s_[1, 0], np.s_[::2, 1], np.s_[0:1, 0]]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_indices_among_slices(matrix, key):
    expected = np.atleast_1d(matrix.npvalue()[key])
    assert matrix[key].dim() == (expected.shape, 1)
    np.testing.assert_array_equal(np.atleast_1d(matrix[key].value()), expected.reshape(matrix[key].dim()[0]))


def test_an_index_of_the_batch():
    values = np.arange(12).reshape(2, 3, 2)
    batch = dy.inputTensor(values, batched=True)
    assert batch[1, 2, 0].dim() == ((1,), 1) and batch[1, 2, 0].value() == values[1, 2, 0]
    np.testing.assert_array_equal(batch[:, -1].npvalue(), values[:, -1])
    for wrong in ((2,), (0, -4), (0, 0, 2), (0, 0, 0, 0)):
        with pytest.raises(IndexError):
            batch[wrong]


def test_arrays_of_expressions(matrix):
    """As in DyNet 2: NumPy holds expressions as objects, and asks none for its numbers."""
    xs = [dy.scalarInput(1), dy.scalarInput(2)]
    for several in (xs, tuple(xs), [matrix, matrix], list(matrix)):
        array = np.array(several)
        assert array.shape == (2,) and array.dtype == object and array[0] is several[0]
    assert np.array([xs, xs]).shape == (2, 2)
    for one in (np.array(matrix), np.asarray(matrix)):
        assert one.shape == () and one.item() is matrix
    p = dy.ParameterCollection().add_parameters(2, init=3)
    table = dy.ParameterCollection().add_lookup_parameters((4, 3))
    assert np.array([p, p]).shape == np.array([table, table]).shape == (2,)
    total = np.array([p, p]).sum()
    dy.sum_elems(total).backward()
    assert p.grad_as_array().tolist() == [2, 2]
    assert dy.esum(np.array(xs)).value() == dy.esum(list(np.array(xs))).value() == 3
    assert dy.concatenate(np.array(xs)[::-1]).value() == [2, 1]


def test_numbers_for_numpy(matrix):
    """What asks for a type of numbers gets those of single numbers, and no part of others."""
    xs = [dy.scalarInput(1), dy.scalarInput(2)]
    np.testing.assert_array_equal(np.array(xs, dtype=float), [1, 2])
    for wrong in (lambda: np.asarray(matrix, dtype=float), lambda: np.array([matrix, matrix], dtype=float)):
        with pytest.raises((TypeError, ValueError)):
            wrong()
    shared = np.from_dlpack(matrix)
    np.testing.assert_array_equal(shared, matrix.npvalue())
    np.testing.assert_array_equal(np.asarray(matrix.tensor_value(), dtype=int), matrix.npvalue())


def test_expressions_in_tables_of_pandas(matrix):
    pandas = pytest.importorskip("pandas")
    xs = [dy.scalarInput(1), dy.scalarInput(2)]
    series = pandas.Series(xs)
    assert series.dtype == object and series[1] is xs[1]
    assert [x.value() for x in series + xs[1]] == [x.value() for x in xs[1] + series] == [3, 4]
    assert pandas.DataFrame({"x": xs})["x"][0] is xs[0]


def test_values():
    scalar, vector = dy.scalarInput(2), dy.inputVector([1, 2, 3])
    assert scalar.value() == 2.0 and isinstance(scalar.value(), float)
    assert vector.value() == [1, 2, 3] and isinstance(vector.value()[0], float)
    assert vector.vec_value() == [1, 2, 3]
    assert vector.npvalue().shape == (3,)
    assert vector.npvalue().dtype == dy.__precision__
    assert scalar.npvalue().shape == (1,)
    assert scalar.scalar_value() == 2
    assert scalar.dim() == ((1,), 1)
    with pytest.raises(RuntimeError, match="one number"):
        vector.scalar_value()
    batch = dy.inputTensor(np.ones((1, 3)), batched=True)
    assert batch.value() == [1, 1, 1] and batch.npvalue().shape == (1, 3)
    matrix = dy.inputTensor([[1, 2], [3, 4]])
    assert isinstance(matrix.value(), np.ndarray) and matrix.npvalue().flags.c_contiguous
    assert matrix.vec_value() == [1, 3, 2, 4]


def test_results_do_not_share_the_graph_memory():
    x = dy.inputVector([1, 2])
    first = x.npvalue()
    dy.renew_cg()
    dy.inputVector([7, 8]).npvalue()
    np.testing.assert_array_equal(first, [1, 2])


def test_text():
    x = dy.scalarInput(1)
    assert str(x) == f"expression 0/{dy.cg_version()}" and repr(x) == f"{x} of shape (1,): input"


def test_backward_and_gradient(matrix):
    loss = dy.sum_elems(dy.square(matrix))
    loss.backward(full=True)
    np.testing.assert_allclose(matrix.gradient(), 2 * matrix.npvalue())
    with pytest.raises(ValueError):
        matrix.backward()


def test_stale():
    x = dy.scalarInput(1)
    dy.renew_cg()
    for read in (
        x.dim,
        x.value,
        x.npvalue,
        x.scalar_value,
        x.forward,
        x.backward,
        x.gradient,
        lambda: x.set(1),
    ):
        with pytest.raises(RuntimeError, match=r"[Ss]tale"):
            read()
    for use in (
        lambda: dy.tanh(x),
        lambda: x + 1,
        lambda: 1 - x,
        lambda: dy.esum([x, x]),
        lambda: x[0],
        lambda: x[0:1],
    ):
        with pytest.raises(ValueError, match="stale"):
            use()


def test_errors_leave_the_graph_as_it_was(matrix):
    row, cube = matrix[0], dy.reshape(matrix, (1, 2, 3))
    size = len(dy.cg())
    for wrong in (
        lambda: matrix * matrix,
        lambda: dy.affine_transform([matrix, matrix]),
        lambda: dy.esum([]),
        lambda: dy.pick(matrix, 7),
        lambda: dy.reshape(matrix, (4, 4)),
        lambda: dy.concatenate([matrix, dy.tanh]),
        lambda: dy.cmult(matrix, "x"),
        lambda: dy.layer_norm(matrix, row, row),
        lambda: dy.contract3d_1d_1d(cube, row, row),
    ):
        with pytest.raises((ValueError, IndexError, TypeError)):
            wrong()
        assert len(dy.cg()) == size
    np.testing.assert_array_equal((matrix + 1).npvalue(), matrix.npvalue() + 1)


def test_errors_name_the_operation(matrix):
    with pytest.raises(ValueError, match=r"^matmul: "):
        matrix * matrix
    with pytest.raises(ValueError, match=r"^concatenate: "):
        dy.concatenate([matrix, dy.scalarInput(1)], d=5)


def test_expressions_cannot_be_made_by_hand():
    for kind in (dy.Expression, dy.Parameters, dy.LookupParameters):
        with pytest.raises(TypeError):
            kind()


def test_tensor():
    scores = np.array([[1.0, 5, 2], [3, 4, 9]])
    tensor = dy.inputTensor(scores).tensor_value()
    assert str(tensor) == "<Dynet Tensor:float>" and str(tensor.argmax()) == "<Dynet Tensor:int>"
    np.testing.assert_array_equal(tensor.as_numpy(), scores)
    np.testing.assert_array_equal(tensor.argmax().as_numpy(), [[1, 0, 1]])
    np.testing.assert_array_equal(tensor.argmax(dim=1).as_numpy(), [[1], [2]])
    values, places = tensor.topk(dim=1, num=2)
    np.testing.assert_array_equal(values.as_numpy(), [[5, 2], [9, 4]])
    np.testing.assert_array_equal(places.as_numpy(), [[1, 2], [2, 1]])
    with pytest.raises(ValueError):
        tensor.argmax(dim=2)
    sampled = dy.inputTensor(np.log([0.01, 0.98, 0.01])).tensor_value()
    draws = [int(sampled.categorical_sample_log_prob().as_numpy()[0]) for _ in range(200)]
    assert 150 < draws.count(1) <= 200
