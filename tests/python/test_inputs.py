"""Numbers on their way into graphs: arrays of any type and layout, lists, sparse vectors, lookups."""

import numpy as np
import pytest

import dynet as dy


@pytest.fixture(autouse=True)
def _graph():
    dy.renew_cg()


@pytest.fixture
def table():
    table = dy.ParameterCollection().add_lookup_parameters((4, 2))
    table.init_from_array(np.arange(8).reshape(4, 2))
    return table


TYPES = ["f4", "f8", "f2", ">f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4)])
def test_arrays_of_every_type(dtype, shape):
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    x = dy.inputTensor(array)
    assert x.dim() == (shape, 1)
    np.testing.assert_array_equal(x.npvalue(), array.astype(float))


def test_layouts():
    base = np.arange(60.0).reshape(3, 4, 5)
    for array in (
        base[::2],
        base[:, ::-1],
        base.T,
        np.asfortranarray(base),
        base[1],
        np.broadcast_to(base[0], (3, 4, 5)),
    ):
        np.testing.assert_array_equal(dy.inputTensor(array).npvalue(), array)
    locked = base.copy()
    locked.flags.writeable = False
    np.testing.assert_array_equal(dy.inputTensor(locked).npvalue(), base)


def test_batches():
    array = np.arange(24.0).reshape(2, 3, 4)
    batched = dy.inputTensor(array, batched=True)
    assert batched.dim() == ((2, 3), 4)
    np.testing.assert_array_equal(batched.npvalue(), array)
    assert dy.inputTensor([1, 2, 3], batched=True).dim() == ((1,), 3)
    listed = dy.inputTensor([array[:, :, i] for i in range(4)])
    assert listed.dim() == ((2, 3), 4)
    np.testing.assert_array_equal(listed.npvalue(), array)


def test_nested_lists():
    np.testing.assert_array_equal(dy.inputTensor([[1, 2], [3, 4]]).npvalue(), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(dy.inputTensor([[[1], [2]]]).npvalue(), [[[1], [2]]])
    assert dy.inputTensor((1, 2.5, np.float32(3))).value() == [1, 2.5, 3]


@pytest.mark.parametrize(
    "wrong", [3.0, None, "abc", b"abc", {1: 2}, {1, 2}, object()], ids=lambda x: type(x).__name__
)
def test_what_is_no_array(wrong):
    with pytest.raises(TypeError):
        dy.inputTensor(wrong)


class OnlyDlpack:
    """An array of another library."""

    def __init__(self, array):
        self.__dlpack__ = array.__dlpack__
        self.__dlpack_device__ = array.__dlpack_device__


NUMBERS = [
    range(1, 4),
    (float(i) for i in range(1, 4)),
    map(np.int16, range(1, 4)),
    reversed([3, 2, 1]),
    np.array([1, 2, 3], dtype=">f8"),
    np.array([1, 2, 3], dtype=np.float16),
    np.array([1, 0, 2, 0, 3, 0], dtype=np.uint8)[::2],
    np.array([1, 2, 3], dtype=object),
    OnlyDlpack(np.array([1, 2, 3], dtype=np.int32)),
]


@pytest.mark.parametrize("numbers", NUMBERS, ids=lambda x: f"{type(x).__name__} {getattr(x, 'dtype', '')}")
def test_numbers_of_many_kinds(numbers):
    assert dy.inputVector(numbers).value() == [1, 2, 3]


WRONG_KINDS = [np.array([1 + 2j]), np.array(["1"]), [None], [1, "2"], np.array(["2020-01-01"], "M8[D]")]


@pytest.mark.parametrize("wrong", WRONG_KINDS, ids=repr)
def test_arrays_of_other_things(wrong):
    with pytest.raises((TypeError, ValueError)):
        dy.inputVector(wrong)


def test_expressions_are_no_numbers():
    x = dy.inputVector([1, 2])
    for wrong in (x, [x, x]):
        with pytest.raises(TypeError, match="numbers"):
            dy.inputTensor(wrong)


def test_transposed_input():
    x = dy.inputTensorTranspose([1, 2, 3, 4, 5, 6], (2, 3))
    assert type(x) is dy.inputTensorTranspose and isinstance(x, dy.Expression)
    np.testing.assert_array_equal(x.npvalue(), [[1, 3, 5], [2, 4, 6]])
    assert dy.inputTensorTranspose(val=range(6), batch_size=2).dim() == ((3,), 2)
    assert (x + 1).value()[0, 0] == 2 and x[0].value() == [1, 3, 5]
    x.set(range(6))
    assert x.value(recalculate=True)[1, 2] == 5
    for wrong in (lambda: dy.inputTensorTranspose([1, 2], (3,)), lambda: x.set([1])):
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(TypeError):
        dy.inputTensorTranspose()


def test_inputs_of_a_graph():
    graph = dy.cg()
    matrix = graph.inputMatrixLiteral(range(6), (2, 3))
    np.testing.assert_array_equal(matrix.npvalue(), [[0, 2, 4], [1, 3, 5]])
    assert graph.inputMatrixLiteral(range(6), 3, 2).dim() == ((3,), 2)
    sparse = graph.inputSparseTensor([0, 3], [5, 6], (2, 2), defval=1)
    np.testing.assert_array_equal(sparse.npvalue(), [[5, 1], [1, 6]])
    for wrong in (([0], [1, 2]), ([4], [1])):
        with pytest.raises((ValueError, IndexError)):
            graph.inputSparseTensor(*wrong, (2, 2))


@pytest.mark.parametrize("wrong", [[], [[1, 2], [3]], np.ones((2, 0)), np.ones((1,) * 8), ["a"]], ids=repr)
def test_arrays_that_are_no_tensor(wrong):
    with pytest.raises((ValueError, TypeError)):
        dy.inputTensor(wrong)
    with pytest.raises(TypeError):
        dy.inputTensor()


def test_scalars_and_vectors():
    x, y, z = dy.scalarInput(2), dy.vecInput(3), dy.inputVector([1, 2])
    total = dy.sum_elems(y) + x + dy.sum_elems(z)
    assert total.value() == 5
    x.set(3)
    y.set([1, 1, 1])
    z.set(np.array([0, 0]))
    assert total.value(recalculate=True) == 6
    with pytest.raises(ValueError, match="set"):
        y.set([1, 2])
    with pytest.raises(ValueError, match="set"):
        total.set([1])
    assert total.value() == 6


def test_set_of_reusable_tensors():
    x = dy.inputTensor(np.ones((2, 2)), reusable_expr=True)
    y = x * 2.0
    assert y.npvalue().tolist() == [[2, 2], [2, 2]]
    x.set([1, 2, 3, 4])
    assert y.npvalue(recalculate=True).tolist() == [[2, 6], [4, 8]]


def test_transposed():
    assert dy.inputTensorTranspose([1, 2, 3, 4, 5, 6], (2, 3)).npvalue().tolist() == [[1, 3, 5], [2, 4, 6]]
    assert dy.inputTensorTranspose([1, 2, 3, 4], 2, 2).dim() == ((2,), 2)
    with pytest.raises(ValueError):
        dy.inputTensorTranspose([1, 2, 3], (2, 2))


def test_sparse():
    x = dy.sparse_inputTensor([np.array([0, 2]), [1, 0]], [5.0, 6.0], (3, 2), defval=1)
    np.testing.assert_array_equal(x.npvalue(), [[1, 5], [1, 1], [6, 1]])
    batched = dy.sparse_inputTensor([[0, 2], [1, 0]], np.array([5.0, 6.0]), (3, 2), batched=True)
    assert batched.dim() == ((3,), 2)
    np.testing.assert_array_equal(batched.npvalue(), [[0, 5], [0, 0], [6, 0]])
    with pytest.raises(ValueError):
        dy.sparse_inputTensor([[0, 2]], [5.0, 6.0], (3, 2))
    with pytest.raises(TypeError):
        dy.sparse_inputTensor([[0, 2], [1, 0]], [[5.0, 6.0]], (3, 2))
    with pytest.raises((ValueError, IndexError)):
        dy.sparse_inputTensor([[0, 3], [1, 0]], [5.0, 6.0], (3, 2))


def test_one_hot():
    assert dy.one_hot(3, 1).value() == [0, 1, 0]
    np.testing.assert_array_equal(dy.one_hot(3, [2, 0]).npvalue(), [[0, 1], [0, 0], [1, 0]])
    for wrong in (3, [0, 3], -1, []):
        with pytest.raises((ValueError, IndexError)):
            dy.one_hot(3, wrong)


def test_lookups(table):
    assert table[1].value() == dy.lookup(table, 1).value() == [2, 3]
    assert dy.lookup(table, index=np.int64(2), update=False).value() == [4, 5]
    np.testing.assert_array_equal(dy.lookup_batch(table, [0, 3, 3]).npvalue(), [[0, 6, 6], [1, 7, 7]])
    np.testing.assert_array_equal(table.batch(np.array([1, 2])).npvalue(), [[2, 4], [3, 5]])
    assert len(table) == 4 and [row.value() for row in table][3] == [6, 7]
    assert table[-1].value() == [6, 7] and table[-4].value() == [0, 1]
    for wrong in (4, -5):
        with pytest.raises((ValueError, IndexError)):
            table[wrong]
    with pytest.raises(TypeError):
        table["a"]
    with pytest.raises(TypeError):
        table[0:2]


def test_lookups_without_update(table):
    loss = dy.sum_elems(dy.lookup(table, 0)) + dy.sum_elems(dy.lookup(table, 1, update=False))
    loss.backward()
    np.testing.assert_array_equal(table.grad_as_array()[:2], [[1, 1], [0, 0]])


def test_setting_lookups_and_picks(table):
    row, rows = dy.lookup(table, 0), dy.lookup_batch(table, [0, 1])
    picked = dy.pick(dy.inputVector([7, 8, 9]), 0)
    total = dy.sum_elems(row) + dy.sum_batches(dy.sum_elems(rows)) + picked
    assert total.value() == 1 + 6 + 7
    row.set(3)
    rows.set([2, 2])
    picked.set_index(2)
    assert total.value(recalculate=True) == 13 + 18 + 9
    for wrong in (lambda: row.set(4), lambda: rows.set([1]), lambda: picked.set(3)):
        with pytest.raises((ValueError, IndexError)):
            wrong()
    assert total.value(recalculate=True) == 13 + 18 + 9


def test_constants_and_devices():
    assert dy.zeros((2, 3), batch_size=2).dim() == ((2, 3), 2)
    assert dy.zeroes(2).value() == [0, 0]
    assert dy.ones(2).value() == [1, 1]
    assert dy.constant(2, 7.5).value() == [7.5, 7.5]
    assert dy.scalarInput(1, device="CPU").value() == 1
    with pytest.raises(RuntimeError, match="GPU:0"):
        dy.scalarInput(1, device="GPU:0")
    with pytest.raises(DeprecationWarning):
        dy.matInput(2, 3)
    with pytest.raises(DeprecationWarning):
        dy.inputMatrix([1], (1, 1))
