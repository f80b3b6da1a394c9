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


def test_divisions_that_are_refused(matrix):
    for refused in [lambda: matrix / matrix, lambda: 2 / matrix, lambda: 2**matrix]:
        with pytest.raises(NotImplementedError):
            refused()


@pytest.mark.parametrize("other", ["a", None, [1], np.ones(3), 1j, object()], ids=lambda x: type(x).__name__)
def test_foreign_operands(matrix, other):
    for wrong in [
        lambda: matrix + other,
        lambda: other - matrix,
        lambda: matrix * other,
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


@pytest.mark.parametrize("key", ["a", 1.0, None, (0, 1.0), (0, None), [0]], ids=repr)
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
    array = np.asarray(matrix)
    np.testing.assert_array_equal(array, matrix.npvalue())
    array[0, 0] = 100
    assert matrix.npvalue()[0, 0] != 100
    assert np.asarray(matrix, dtype=np.float64).dtype == np.float64
    assert np.array(dy.scalarInput(3)).tolist() == [3] and np.mean(matrix) == np.mean(matrix.npvalue())
    with pytest.raises(ValueError, match="copy"):
        matrix.__array__(copy=False)
    shared = np.from_dlpack(matrix)
    np.testing.assert_array_equal(shared, matrix.npvalue())
    np.testing.assert_array_equal(np.asarray(matrix.tensor_value(), dtype=int), matrix.npvalue())
    dy.renew_cg()
    with pytest.raises(RuntimeError, match="Stale"):
        np.asarray(matrix)


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
    with pytest.raises(RuntimeError, match="one element"):
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
    assert str(x) == repr(x) == f"expression 0/{dy.cg_version()}"


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
