"""Which function an expression is computed by, and exact errors where what it returns is no tensor."""

import copy
import pickle

import numpy as np
import pytest

import dynet as dy


@pytest.fixture
def x():
    dy.renew_cg()
    return dy.inputVector([1.0, 2.0])


class Scale(dy.Function):
    """Its methods are given to the class it derives from, under their names."""

    def __init__(self, factor):
        super().__init__(self.forward, self.backward)
        self.factor = factor

    def forward(self, x):
        return self.factor * x

    def backward(self, x, y, dy):
        return [self.factor * dy]


class OtherNames(dy.Function):
    """Its methods have names of their own."""

    def __init__(self, factor):
        super().__init__(self.value, self.slope, self.size)
        self.factor = factor

    def value(self, x):
        return self.factor * x

    def slope(self, x, y, dy):
        return [self.factor * dy]

    def size(self, shape):
        return shape


class OnlyMethods(dy.Function):
    """Calls no constructor."""

    def __init__(self, factor):
        self.factor = factor

    def forward(self, x):
        return self.factor * x

    def backward(self, x, y, dy):
        return [self.factor * dy]

    def shape(self, shape):
        return shape


class Custom(Scale):
    """Copies its dictionary itself."""

    def __copy__(self):
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other


KINDS = [Scale, OtherNames, OnlyMethods, Custom]
COPIES = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": lambda f: pickle.loads(pickle.dumps(f))}


def check_all(x, functions, factors):
    """Calls of all functions in one graph, merged and not, are computed by these functions."""
    for batching in (True, False):
        dy.renew_cg(autobatching=batching)
        w = dy.ParameterCollection().add_parameters(2, init=1.0)
        outputs = [function(w * 1) for function in functions]
        dy.forward(outputs)
        for output, factor in zip(outputs, factors, strict=True):
            assert output.value() == [factor, factor]
        dy.sum_elems(dy.esum(outputs)).backward()
        assert w.grad_as_array().tolist() == [sum(factors)] * 2


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_copies_are_other_functions(x, kind, used, how):
    one = kind(2)
    if used:
        assert one(x).value() == [2, 4]
    other = COPIES[how](one)
    other.factor = 5
    again = COPIES[how](other)
    again.factor = 7
    check_all(x, [one, other, again, one, other], [2, 5, 7, 2, 5])
    assert type(other) is kind


def test_copies_with_other_functions(x):
    one = dy.Function(lambda x: 2 * x, lambda x, y, dy: [2 * dy])
    assert one(x).value() == [2, 4]
    other = copy.copy(one)
    other.forward, other.backward = lambda x: 5 * x, lambda x, y, dy: [5 * dy]
    check_all(x, [one, other, one], [2, 5, 2])
    x = dy.inputVector([1.0, 2.0])
    longer = copy.copy(one)
    longer.forward = lambda x: np.concatenate([x, x])
    assert longer(x).dim() == ((4,), 1) and one(x).dim() == ((2,), 1)


def test_an_expression_is_computed_by_the_functions_there_were_when_it_was_made(x):
    function = dy.Function(lambda x: x, lambda x, y, dy: [dy], shape=(2,))
    outputs = []
    for factor in (2.0, 3.0):
        function.forward = lambda x, f=factor: f * x
        function.backward = lambda x, y, dy, f=factor: [f * dy]
        outputs.append(function)
        outputs[-1] = function(x), factor
    for y, factor in outputs:
        assert y.value() == [factor, 2 * factor]
    w = dy.ParameterCollection().add_parameters(2, init=1.0)
    y = function(w)
    del function.backward
    function.backward = lambda x, y, dy: [100 * dy]
    dy.sum_elems(y).backward()
    assert w.grad_as_array().tolist() == [3, 3]


def test_shapes_may_change(x):
    function = dy.Function(lambda x: x, lambda x, y, dy: [dy], shape=(2,))
    assert function(x).dim() == ((2,), 1)
    function.shape = (2, 1)
    function.forward = lambda x: x[:, None]
    assert function(x).dim()[0] == (2, 1) and function(x).npvalue().ravel().tolist() == [1, 2]
    count = [3]
    function = dy.Function(lambda x: np.ones(count[0]), None, shape=lambda shape: (count[0],))
    assert function(x).dim() == ((3,), 1)
    count[0] = 4
    assert function(x).dim() == ((4,), 1)
    function.shape = None
    assert function(x).dim() == ((4,), 1)
    assert dy.Function(lambda x: np.ones(3), None, shape=3)(x).value() == [1, 1, 1]


def test_calls_of_one_function_merge(x):
    sizes = []

    class Counted(dy.Function):
        def __init__(self):
            super().__init__(self.forward, None, (2,))

        def forward(self, x):
            sizes.append(x)
            return x

    function = Counted()
    dy.forward([function(dy.inputVector([i, 1])) for i in range(3)])
    assert len(sizes) == 3 and dy.cg().step_count() == 1


def test_attributes_that_are_not_there(x):
    class Half(dy.Function):
        def __init__(self):
            pass

    with pytest.raises(AttributeError, match="'Half' object has no attribute 'forward'"):
        Half()(x)
    with pytest.raises(AttributeError, match="nothing"):
        _ = dy.Function(None, None).nothing


# -- what functions return


def _raise(error):
    raise error


WRONG = [
    (lambda x: None, ValueError, "forward returned None"),
    (lambda x: "text", TypeError, "forward returned no array of numbers: a str"),
    (lambda x: {1: 2}, TypeError, "forward returned no array of numbers: a dict"),
    (lambda x: x + 1j, TypeError, "forward returned no array of numbers: an array of type complex"),
    (lambda x: np.array(["a", "b"]), TypeError, "forward returned no array of numbers"),
    (lambda x: np.array([None, 1]), TypeError, "forward returned no array of numbers"),
    (lambda x: dy.scalarInput, TypeError, "forward returned no array of numbers"),
    (lambda x: OUTSIDE[0], TypeError, "forward returned no array of numbers: an Expression"),
    (lambda x: x[:0], ValueError, "forward returned no tensor: an array with an axis of size 0"),
    (lambda x: np.ones([1] * 9), ValueError, "forward returned no tensor: an array with 9 axes"),
    (lambda x: [[1], [2, 3]], (TypeError, ValueError), "differ in length or depth"),
    (lambda x: _raise(KeyError("mine")), KeyError, "mine"),
    (lambda x: (1 // 0 for n in x), ZeroDivisionError, "division"),
    (lambda: 0, TypeError, "argument"),
]
OUTSIDE = []


@pytest.mark.parametrize("given_shape", [(2,), None])
@pytest.mark.parametrize(("forward", "error", "match"), WRONG)
def test_wrong_values(x, forward, error, match, given_shape):
    OUTSIDE[:] = [x]
    count = len(dy.cg())
    with pytest.raises(error, match=match):
        dy.Function(forward, None, shape=given_shape)(x).value()
    if given_shape is None:
        assert len(dy.cg()) == count
    assert (x * 2).value() == [2, 4]


@pytest.mark.parametrize(
    ("returned", "error", "match"), [(f, e, m.replace("forward", "backward")) for f, e, m in WRONG[1:12]]
)
def test_wrong_gradients(x, returned, error, match):
    OUTSIDE[:] = [x]
    w = dy.ParameterCollection().add_parameters(2, init=1.0)
    loss = dy.sum_elems(dy.Function(lambda x: x, lambda x, y, dy: [returned(dy)], shape=(2,))(w))
    with pytest.raises(error, match=match.replace("returned no", "returned for argument 0 no")):
        loss.backward()
    assert not w.grad_as_array().any() and loss.value() == 2
    dy.sum_elems(w * 2).backward()
    assert w.grad_as_array().tolist() == [2, 2]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([float("nan"), 1], [np.nan, 1]),
        ([1e300, -1e300], [np.inf, -np.inf]),
        (np.array([1, 2], "u1"), [1, 2]),
        (np.array([True, False]), [1, 0]),
        (np.array([1, 2], ">f4"), [1, 2]),
        (np.arange(8.0)[::-4], [7, 3]),
        (np.float16([1, 2]), [1, 2]),
        ((n for n in (3, 4)), [3, 4]),
        (np.array([1, 2], object), [1, 2]),
    ],
)
def test_numbers_of_all_kinds(x, value, expected):
    y = dy.Function(lambda x: value, None, shape=(2,))(x)
    np.testing.assert_array_equal(y.npvalue(), np.array(expected, dy.__precision__))


def test_arrays_are_the_functions_own(x):
    kept = []

    def forward(a, b):
        a *= 100
        kept.append(a)
        return a

    def backward(a, b, y, dy):
        assert a.tolist() == [1, 1] and y.tolist() == [100, 100]
        for array in (a, b, y, dy):
            array.fill(7)
        kept.append(y)
        return [dy, None]

    w = dy.ParameterCollection().add_parameters(2, init=1.0)
    doubled = w * 2
    z = dy.Function(forward, backward, shape=(2,))(w, doubled)
    loss = dy.sum_elems(z)
    for _ in range(2):
        loss.backward()
        for array in kept:
            array.fill(-1)
        assert z.value() == [100, 100] and doubled.value() == [2, 2] and w.value() == [1, 1]
    assert w.grad_as_array().tolist() == [14, 14]
