"""What cells and functions of the program say when they are used wrongly, and what cells tell apart."""

import collections

import numpy as np
import pytest

import dynet as dy

Pair = collections.namedtuple("Pair", "a b")


@pytest.fixture
def x():
    dy.renew_cg()
    return dy.inputVector([1.0, 2.0])


def test_expressions_that_are_no_arguments(x):
    outside = x * 2
    for function in (lambda a: a + outside, lambda a: dy.affine_transform([outside, outside, a])):
        with pytest.raises(
            ValueError, match=r"uses an expression that is no argument of it.*belongs to graph"
        ):
            dy.cell(function)(x)
    dy.cg_checkpoint()
    removed = x * 3
    dy.cg_revert()
    with pytest.raises(ValueError, match=r"no argument of it and was removed by going back to a checkpoint"):
        dy.cell(lambda a: a + removed)(x)
    with dy.ComputationGraph(), pytest.raises(ValueError, match="no argument of it and belongs to graph"):
        dy.cell(lambda a: a + outside)(dy.inputVector([1.0, 2.0]))
    dy.renew_cg()
    with pytest.raises(ValueError, match="no argument of it and belongs to a graph that was renewed"):
        dy.cell(lambda a: a + outside)(dy.inputVector([1.0, 2.0]))


@pytest.mark.parametrize(
    "container",
    [
        lambda e: Pair(e, 1),
        lambda e: {e},
        lambda e: collections.deque([e]),
        lambda e: collections.OrderedDict(a=e),
        lambda e: {e: 1},
        lambda e: [Pair(1, e)],
    ],
)
def test_expressions_in_other_containers(x, container):
    def step(a, b):
        return a * 2

    message = "^step: an expression lies in an argument where a cell does not look.*lists, tuples and"
    with pytest.raises(ValueError, match=message):
        dy.cell(step)(x, container(x))
    p = dy.ParameterCollection().add_parameters(2, init=1.0)
    assert dy.cell(step)(x, container(p)).value() == [2, 4]


def test_errors_begin_with_the_name_of_the_cell(x):
    def picked(a, *more):
        return dy.pick(a, 1)

    def many(*xs):
        return dy.esum([dy.esum(list(xs[i : i + 7000])) for i in range(0, 70000, 7000)])

    calls = {
        "^returned: the function returned int": lambda: dy.cell(returned)(x),
        "^picked: a cell cannot hold pick": lambda: dy.cell(picked)(x),
        "^cell: a cell cannot hold pick": lambda: dy.cell(lambda a: dy.pick(a, 1))(x),
        "^many: 70000 arguments": lambda: dy.cell(many)(*[x] * 70000),
    }
    for message, call in calls.items():
        with pytest.raises((ValueError, TypeError), match=message):
            call()


def returned(a):
    return 3


def test_errors_begin_with_the_name_of_the_function(x):
    class Softplus(dy.Function):
        pass

    identity = (lambda a: a), (lambda a, y, dy_: [dy_])
    for name, make in (("Function", dy.Function), ("Softplus", Softplus)):
        with pytest.raises((ValueError, TypeError), match=f"^{name}: forward returned no array"):
            make(lambda a: "text", identity[1])(x)
        with pytest.raises(ValueError, match=f"^{name}: forward returned None"):
            make(lambda a: None, identity[1])(x)
        for shape in (0, (2, 0), (2, -1), "ab", 1.5, [1] * 20):
            with pytest.raises((ValueError, TypeError), match=f"^{name}: "):
                make(*identity, shape=shape)(x)
        batches = [dy.inputTensor(np.ones((2, n)), batched=True) for n in (2, 3)]
        with pytest.raises(ValueError, match=f"^{name}: batch sizes differ"):
            make(lambda a, b: a, lambda a, b, y, dy_: [dy_, None])(*batches)


class Numbers(list):
    """Has attributes."""


class Table(dict):
    """Has attributes."""


class Array(np.ndarray):
    """Has attributes."""


def _with(thing, **attributes):
    vars(thing).update(attributes)
    return thing


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda: _with(Numbers([1]), a=1), lambda: _with(Numbers([1]), a=2)),
        (lambda: _with(Table(b=1), a=1), lambda: _with(Table(b=1), a=2)),
        (lambda: _with(np.ones(2).view(Array), a=1), lambda: _with(np.ones(2).view(Array), a=2)),
        (lambda: collections.defaultdict(int, a=1), lambda: collections.defaultdict(list, a=1)),
        (lambda: collections.deque([1]), lambda: collections.deque([2])),
    ],
)
def test_attributes_and_factories_are_told_apart(x, one, other):
    calls = []

    @dy.cell
    def step(a, constant):
        calls.append(constant)
        return a * float(len(calls))

    for _ in range(2):
        assert step(x, one()).value() == [1, 2] and step(x, other()).value() == [2, 4]
    assert len(calls) == 2
