"""What operations accept from Python: lists, generators, NumPy's numbers and arrays, whole floats."""

import array
import gc
import tracemalloc

import numpy as np
import pytest

import dynet as dy


@pytest.fixture(autouse=True)
def _graph():
    dy.renew_cg()


@pytest.fixture
def xs():
    return [dy.inputVector([i, 1]) for i in range(3)]


LISTS = [list, tuple, iter, reversed, lambda xs: (x for x in xs), lambda xs: dict.fromkeys(xs)]


@pytest.mark.parametrize("make", LISTS, ids=["list", "tuple", "iter", "reversed", "generator", "dict"])
def test_lists_of_expressions(xs, make):
    assert dy.esum(make(xs)).value() == [3, 3]


def test_order_of_reversed(xs):
    assert dy.concatenate(reversed(xs)).value() == [2, 1, 1, 1, 0, 1]


def test_generators_may_use_operations(xs):
    nested = dy.esum(dy.concatenate([dy.tanh(x), dy.esum(x for x in xs)]) for x in xs)
    flat = [dy.concatenate([dy.tanh(x), dy.esum(xs)]) for x in xs]
    assert nested.value() == dy.esum(flat).value()


def test_errors_in_generators(xs):
    def broken():
        yield xs[0]
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        dy.esum(broken())
    assert dy.esum(xs).value() == [3, 3]


@pytest.mark.parametrize("wrong", [[], (), iter([])], ids=["list", "tuple", "iterator"])
@pytest.mark.parametrize(
    "operation", ["esum", "average", "emax", "concatenate", "logsumexp", "concatenate_cols"]
)
def test_empty_lists(operation, wrong):
    with pytest.raises(ValueError, match=operation.removesuffix("_cols")):
        getattr(dy, operation)(wrong)


def test_wrong_elements(xs):
    with pytest.raises(TypeError, match=r"element 1 .* int"):
        dy.esum([xs[0], 3])
    for wrong in (xs[0], 3, None, "ab"):
        with pytest.raises(TypeError):
            dy.esum(wrong)


INDICES = [
    [2, 0],
    (2, 0),
    np.array([2, 0]),
    np.array([2, 0], dtype=np.int16),
    np.array([2, 0], dtype=np.uint64),
    np.array([2, 9, 0, 9])[::2],
    np.array([2.0, 0.0]),
    [np.int64(2), np.int8(0)],
    [2.0, 0],
    array.array("i", [2, 0]),
    range(2, -1, -2),
    (i for i in (2, 0)),
]


@pytest.mark.parametrize("indices", INDICES, ids=lambda i: type(i).__name__)
def test_indices(indices):
    x = dy.inputTensor([[1, 2], [3, 4], [5, 6]])
    np.testing.assert_array_equal(dy.select_rows(x, indices).npvalue(), [[5, 6], [1, 2]])


@pytest.mark.parametrize("wrong", [[-1], np.array([-1]), [0.5], [2**40], np.array([2**40])], ids=repr)
def test_indices_out_of_bounds(wrong):
    with pytest.raises((ValueError, IndexError)):
        dy.select_rows(dy.inputTensor([[1, 2], [3, 4]]), wrong)


@pytest.mark.parametrize("wrong", [["a"], [None], 1, "ab", [[1]]], ids=repr)
def test_indices_of_other_types(wrong):
    with pytest.raises(TypeError):
        dy.select_rows(dy.inputTensor([[1, 2], [3, 4]]), wrong)


@pytest.mark.parametrize(
    "size", [6, 6.0, np.int32(6), np.float32(6), (6,), [6], (6.0,), np.array([6])], ids=repr
)
def test_sizes(size):
    assert dy.zeros(size).dim() == ((6,), 1)
    assert dy.reshape(dy.zeros((2, 3)), size).dim() == ((6,), 1)


@pytest.mark.parametrize("wrong", [6.5, -1, (2, -1), 0, (2, 0), (1,) * 8, ()], ids=repr)
def test_impossible_sizes(wrong):
    with pytest.raises(ValueError):
        dy.zeros(wrong)


@pytest.mark.parametrize("wrong", ["6", None, ("a",), {}], ids=repr)
def test_sizes_of_other_types(wrong):
    with pytest.raises(TypeError):
        dy.zeros(wrong)


@pytest.mark.parametrize("number", [1, 1.0, np.int64(1), np.float32(1), True], ids=lambda n: type(n).__name__)
def test_whole_numbers_and_reals(number):
    x = dy.inputVector([1, 2, 3])
    assert dy.pick(x, number).value() == 2
    assert dy.scale_gradient(x, number).value() == [1, 2, 3]
    assert dy.sum_dim(x, [0], number).value() == 6


def test_keywords_and_defaults():
    x = dy.inputTensor([[1, 2], [3, 4]])
    assert dy.pick(e=x, index=1, dim=1).value() == [2, 4]
    assert dy.transpose(x=x, dims=[1, 0]).npvalue().tolist() == [[1, 3], [2, 4]]
    assert dy.transpose(x).npvalue().tolist() == [[1, 3], [2, 4]]
    assert dy.log_softmax(x[0]).dim() == dy.log_softmax(x[0], restrict=None).dim()
    with pytest.raises(TypeError):
        dy.pick(x, 1, 0, 0)
    with pytest.raises(TypeError):
        dy.pick(x, nonsense=1)


def test_documentation():
    assert dy.pick.__doc__.startswith("pick(e: Expression, index: int = 0, dim: int = 0) -> Expression")
    for name in dir(dy):
        member = getattr(dy, name)
        if callable(member) and not name.startswith("_"):
            assert member.__doc__, name


def test_calls_leave_no_memory_behind(xs):
    def calls():
        for _ in range(200):
            dy.renew_cg()
            x = dy.inputVector([1, 2])
            dy.esum([dy.tanh(x), x + x, x * 2.0, x[0:2] + 1]).value()
            dy.select_rows(x, [0, 1])

    calls()
    gc.collect()
    tracemalloc.start()
    calls()
    gc.collect()
    first = tracemalloc.get_traced_memory()[0]
    for _ in range(5):
        calls()
    gc.collect()
    assert tracemalloc.get_traced_memory()[0] - first < 10_000
    tracemalloc.stop()
