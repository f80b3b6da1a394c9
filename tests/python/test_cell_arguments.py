"""A cell tells its arguments apart by type and value, and gives back what its function returns, as it is."""

import collections
import copy
import functools
import pickle
import threading

import numpy as np
import pytest

import dynet as dy

Pair = collections.namedtuple("Pair", "a b")


class Numbers(list):
    """A list of a class of its own."""


class AlwaysEqual:
    """Equal to everything, and hashable as everything."""

    def __init__(self, factor):
        self.factor = factor

    def __repr__(self):
        return f"AlwaysEqual({self.factor})"

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1


@pytest.fixture
def x():
    dy.renew_cg()
    return dy.inputVector([1.0, 2.0])


def seen_by(x):
    """A cell that shows which constants it was recorded with, and a list of them."""
    seen = []

    @dy.cell
    def step(x, constant, **options):
        seen.append((constant, options))
        return x * float(len(seen))

    return step, seen


DIFFERENT = [
    (1, True),
    (1, 1.0),
    (True, 1.0),
    (0.0, -0.0),
    (0, False),
    (0j, complex(0, -0.0)),
    (1, np.int64(1)),
    (1.0, np.float64(1)),
    (np.float32(1), np.float64(1)),
    (1.0, np.array(1.0)),
    ("1", b"1"),
    ("a", "\udc80"),
    (b"1", bytearray(b"1")),
    ((1, 2), [1, 2]),
    ((1, 2), Pair(1, 2)),
    ([1, 2], Numbers([1, 2])),
    ([1], [True]),
    ([[0.0]], [[-0.0]]),
    ([[1], 2], [[1, 2]]),
    ({1: 2}, {True: 2}),
    ({"a": 1}, {"a": 1.0}),
    ({"a": 1, "b": 2}, {"a": 1, "c": 2}),
    ({"a": 1}, collections.OrderedDict(a=1)),
    ({1}, frozenset({1})),
    ({1}, {1.0}),
    (range(3), range(4)),
    (slice(1, 2), slice(1, 2, 1)),
    (None, False),
    (1 << 70, 1 << 71),
    (np.ones(3), np.ones((3, 1))),
    (np.ones(3), np.ones(3, "f4")),
    (np.ones(3), np.zeros(3)),
    (np.zeros(3), -np.zeros(3)),
    (np.array([1, None], object), np.array([2, None], object)),
    (np.array(["2001-01-01"], "M8[D]"), np.array(["2001-01-02"], "M8[D]")),
    (AlwaysEqual(2), AlwaysEqual(3)),
    ([AlwaysEqual(2)], [AlwaysEqual(3)]),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=map(str, range(len(DIFFERENT))))
def test_constants_of_different_types_or_values_are_told_apart(x, one, other):
    step, seen = seen_by(x)
    first, second = step(x, one).value(), step(x, other).value()
    assert len(seen) == 2 and (first, second) == ([1, 2], [2, 4])
    assert step(x, one).value() == first and step(x, other).value() == second
    assert step(x, 0, option=one).value() == [3, 6] and step(x, 0, option=other).value() == [4, 8]
    assert len(seen) == 4


@pytest.mark.parametrize(
    "make",
    [
        lambda: int("100000000000000000000000"),
        lambda: float("nan"),
        lambda: complex(float("nan"), 1),
        lambda: "".join(["t", "ext"]),
        lambda: [1, [2.0, None], {"k": (1, 2)}],
        lambda: Pair(1, [2]),
        lambda: {3, 1, 2},
        lambda: range(5),
        lambda: slice(1, None),
        lambda: np.arange(6.0).reshape(2, 3),
        lambda: np.float32(1.5),
        lambda: np.array([1, "a"], object),
        lambda: bytearray(b"abc"),
        lambda: AlwaysEqual.__init__,
        lambda: collections.Counter("abca"),
    ],
)
def test_equal_constants_are_recorded_once(x, make):
    step, seen = seen_by(x)
    for _ in range(3):
        assert step(x, make()).value() == [1, 2]
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("constant", "change"),
    [
        ([1], lambda c: c.append(2)),
        ({"a": [1]}, lambda c: c["a"].append(2)),
        ({1}, lambda c: c.add(2)),
        (np.zeros(2), lambda c: c.fill(1)),
        (bytearray(b"a"), lambda c: c.append(1)),
        (Numbers([1]), lambda c: c.append(2)),
        (([],), lambda c: c[0].append(2)),
    ],
)
def test_what_the_program_changes_later_changes_no_recording(x, constant, change):
    step, seen = seen_by(x)
    before = copy.deepcopy(constant)
    assert step(x, constant).value() == [1, 2]
    change(constant)
    assert step(x, constant).value() == [2, 4]
    assert step(x, before).value() == [1, 2]
    assert len(seen) == 2


def test_arguments_that_hold_themselves_are_refused(x):
    step, seen = seen_by(x)
    endless = []
    endless.append(endless)
    with pytest.raises(RecursionError):
        step(x, endless)
    assert not seen and (x * 2).value() == [2, 4]


def test_expressions_may_lie_in_lists_tuples_dictionaries_and_options(x):
    calls = []

    @dy.cell
    def step(xs, named, *, last):
        calls.append(xs)
        return dy.esum(xs) + named["y"][0] * named["factor"] + last

    y = dy.inputVector([10.0, 20.0])
    for _ in range(2):
        got = step([x, y], {"y": (x,), "factor": 3.0}, last=y)
        assert got.value() == [24, 48]
        assert step((y, x), {"y": (y,), "factor": 3.0}, last=x).value() == [42, 84]
    assert len(calls) == 2 and isinstance(calls[1], tuple)
    assert step([x], {"y": (x,), "factor": 3.0}, last=y).value() == [14, 28]


def test_results_come_back_as_they_were_returned(x):
    for make, kind in [(lambda *r: list(r), list), (lambda *r: r, tuple), (Pair, Pair)]:
        step = dy.cell(lambda x, make=make: make(dy.tanh(x), x * 2))
        result = step(x)
        assert type(result) is kind and [r.value() for r in result] == [dy.tanh(x).value(), [2, 4]]
    assert type(dy.cell(lambda x: (x * 2,))(x)) is tuple
    for wrong in ({"a": x}, iter([x]), [x, None], [x, [x]], None):
        with pytest.raises(TypeError, match="an Expression or a tuple"):
            dy.cell(lambda x, wrong=wrong: wrong)(x)
    for empty in ((), []):
        with pytest.raises(ValueError, match="no expression"):
            dy.cell(lambda x, empty=empty: empty)(x)


def test_outputs_that_are_arguments_or_parameters_are_these(x):
    model = dy.ParameterCollection()
    w, table = model.add_parameters(2, init=3.0), model.add_lookup_parameters((3, 2), init=1.0)
    step = dy.cell(lambda x, y: (x, w, dy.tanh(x), y, x, table, w.expr(True)))
    for y in (x * 2, w):
        a, b, t, c, d, e, f = step(x, y)
        assert a is x and d is x and c is y and b is w and e is table
        assert t.value() == dy.tanh(x).value() and f.value() == [3, 3]
    loss = dy.sum_elems(f) + dy.sum_elems(b)
    loss.backward()
    assert w.grad_as_array().tolist() == [2, 2]
    assert dy.cell(lambda: w)() is w
    assert dy.cell(lambda x: x)(x) is x


def test_an_output_listed_twice_is_one_expression(x):
    def step(x):
        y = dy.tanh(x)
        return y, y * 2, y

    x = x * 1
    y, _, z = dy.cell(step)(x)
    dy.sum_elems(dy.cmult(y, z)).backward(full=True)
    np.testing.assert_array_equal(y.gradient(), z.gradient())
    np.testing.assert_allclose(y.gradient(), 2 * np.tanh([1, 2]), rtol=1e-6)


def _batch_cases():
    rng = np.random.default_rng(3)
    one, many = rng.normal(size=(4,)), rng.normal(size=(4, 3))
    inner = dy.cell(lambda a, b: (dy.tanh(a), dy.exp(b), a + b))

    def step(x, y, w):
        z = dy.logistic(w * y)
        return dy.tanh(x + y), z, dy.cmult(z, y), x + z, w * x, dy.tanh(w * y), inner(x, y)[1], inner(x, y)[0]

    return step, one, many


@pytest.mark.parametrize("batched", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_each_output_has_its_own_batch_size(batched):
    step, one, many = _batch_cases()
    model = dy.ParameterCollection()
    w, v = model.add_parameters((4, 4)), model.add_parameters(4)
    cell = dy.cell(step)
    results = []
    for function in (step, cell, cell):
        dy.renew_cg()
        x, y = (dy.inputTensor(many if b else one, batched=bool(b)) + v for b in batched)
        outputs = function(x, y, w)
        loss = dy.esum([dy.sum_elems(dy.sum_batches(o * (i + 1))) for i, o in enumerate(outputs)])
        model.reset_gradient()
        value = loss.value()
        loss.backward()
        results.append(
            (
                [o.dim() for o in outputs],
                [o.npvalue() for o in outputs],
                value,
                w.grad_as_array(),
                v.grad_as_array(),
            )
        )
        assert dy.check_grad(model, loss)
    for other in results[1:]:
        assert other[0] == results[0][0] and other[2] == results[0][2]
        for a, b in zip(results[0][1], other[1], strict=True):
            np.testing.assert_array_equal(a, b)
        for i in (3, 4):
            np.testing.assert_allclose(other[i], results[0][i], rtol=1e-4, atol=1e-5)


def test_calls_merge_whatever_is_batched():
    step = dy.cell(lambda x, h: dy.tanh(x + h))
    dy.renew_cg()
    one, many = dy.inputVector([1, 2]), dy.inputTensor(np.ones((2, 3)), batched=True)
    outputs = [step(one, one), step(many, one), step(many, many)]
    dy.forward(outputs)
    assert dy.cg().step_count() == 1


def test_a_function_that_asks_for_the_batch_size_gets_it():
    calls = []

    @dy.cell
    def mean(x):
        calls.append(x)
        return x * (1 / x.dim()[1])

    for _ in range(2):
        dy.renew_cg()
        for batch in (1, 2, 5):
            y = mean(dy.inputTensor(np.ones((3, batch)), batched=True))
            assert dy.sum_batches(y).npvalue() == pytest.approx(np.ones(3))
    assert len(calls) == 3


def test_recordings_are_bounded(x):
    calls = []

    @dy.cell
    def step(x, number):
        calls.append(number)
        return x * number

    for number in range(2000):
        if number % 100 == 0:
            dy.renew_cg()
            x = dy.inputVector([1.0])
        step(x, float(number))
        step(x, 0.0)
    assert len(calls) == 2000  # What is used often stays.
    assert step(x, 1.0).value() == 1 and len(calls) == 2001


def test_failures_leave_everything_as_it_was(x):
    graph, version, count = dy.cg(), dy.cg_version(), len(dy.cg())
    fail = [True]

    @dy.cell
    def step(x, y):
        z = dy.tanh(x) + y
        with dy.ComputationGraph():
            dy.inputVector([1.0])
            if fail[0]:
                raise KeyError("mine")
        return z

    y = dy.inputTensor(np.ones((2, 3)), batched=True)
    with pytest.raises(KeyError, match="mine"):
        step(x, y)
    assert (dy.cg_version(), len(dy.cg())) == (version, count + 1) and len(graph) == count + 1
    fail[0] = False
    assert step(x, y).dim() == ((2,), 3)
    other = dy.inputTensor(np.ones((2, 2)), batched=True)
    count = len(dy.cg())
    with pytest.raises(ValueError, match="batch sizes"):
        dy.cell(lambda x, y, z: (dy.tanh(z), x + y))(y, other, x)
    assert len(dy.cg()) == count


def test_recursion(x):
    @dy.cell
    def tower(x, height):
        return dy.tanh(tower(x, height - 1)) if height else x * 1.5

    expected = x * 1.5
    for _ in range(5):
        expected = dy.tanh(expected)
    assert tower(x, 5).value() == expected.value() and tower(x, 3).dim() == ((2,), 1)

    @dy.cell
    def endless(x):
        return endless(x) + 1

    with pytest.raises(RecursionError):
        endless(x)
    assert (x * 2).value() == [2, 4]


def test_one_cell_in_two_graphs_and_threads():
    model = dy.ParameterCollection()
    w = model.add_parameters((2, 2), init=0.5)
    step = dy.cell(lambda x, k: dy.tanh(w * x) * k)
    dy.renew_cg()
    x = dy.inputVector([1.0, 2.0])
    here = step(x, 1)
    with dy.ComputationGraph():
        there = step(dy.inputVector([1.0, 2.0]), 1)
        inside = step(x, 2)  # Belongs to the graph of its arguments.
        assert there.value() == here.value()
    assert (here + inside).npvalue() == pytest.approx(3 * here.npvalue())

    problems = []

    def work(number):
        try:
            for i in range(40):
                dy.renew_cg()
                y = step(dy.inputVector([1.0, 2.0]), i % 20)
                assert y.npvalue() == pytest.approx(np.tanh([1.5, 1.5]) * (i % 20))
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems


@dy.cell
def doubled(x):
    """Global, so that it can be pickled by name."""
    return x * 2


class Network:
    """Holds a cell of a method of its own."""

    def __init__(self, factor):
        self.factor = factor
        self.step = dy.cell(self.scaled)

    def scaled(self, x):
        return x * self.factor


def test_copies(x):
    assert copy.copy(doubled) is doubled and copy.deepcopy(doubled) is doubled
    assert pickle.loads(pickle.dumps(doubled)) is doubled
    network = Network(2)
    assert network.step(x).value() == [2, 4]
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        other.factor = 5
        assert other.step(x).value() == [5, 10] and network.step(x).value() == [2, 4]


def _asks(model):
    """Everything that asks for a value or for the graph, by name."""
    w, table = model.add_parameters(2), model.add_lookup_parameters((3, 2))
    trainer = dy.SimpleSGDTrainer(model)
    asks = {
        name: functools.partial(lambda name, x: getattr(x, name)(), name)
        for name in (
            *(
                "value",
                "npvalue",
                "vec_value",
                "scalar_value",
                "forward",
                "backward",
                "gradient",
                "tensor_value",
            ),
            *("__float__", "__int__", "__dlpack__"),
        )
    }
    asks |= {
        name: functools.partial(lambda name, x: getattr(dy, name)(), name)
        for name in (
            *("renew_cg", "cg", "cg_version", "cg_checkpoint", "cg_revert", "dump_cg"),
            *("print_text_graphviz", "print_graphviz"),
        )
    }
    return asks | {
        "value again": lambda x: x.value(recalculate=True),
        "backward full": lambda x: dy.sum_elems(x).backward(full=True),
        "set": lambda x: x.set([5, 6]),
        "set_index": lambda x: x.set_index(1),
        "set result": lambda x: dy.tanh(x).set([5, 6]),
        "forward list": lambda x: dy.forward([x]),
        "forward nothing": lambda x: dy.forward([]),
        "values": lambda x: dy.values([x, dy.tanh(x)]),
        "npvalues": lambda x: dy.npvalues([x]),
        "parameter": lambda x: w.value(),
        "parameters": lambda x: dy.npvalues([w]),
        "row": lambda x: table[1].npvalue(),
        "check_grad": lambda x: dy.check_grad(model, dy.sum_elems(x)),
        "check_grad outside": lambda x: dy.check_grad(model, dy.sum_elems(w)),
        "update": lambda x: trainer.update(),
        "step_count": lambda x: dy.cg().step_count(),
        "nodes": lambda x: dy.cg().nodes(),
    }


ASKS = sorted(_asks(dy.ParameterCollection()))


@pytest.mark.parametrize("name", ASKS)
def test_who_asks_for_values_or_the_graph_gets_the_same_sentence(name, x):
    model = dy.ParameterCollection()
    ask = _asks(model)[name]
    before = [p.as_array() for p in model.parameters_list()]
    y, length = x * 2, len(dy.cg())

    def step(x, how):
        if how:
            ask(x)
        else:
            with pytest.raises(RuntimeError):
                ask(x)
        return dy.tanh(x)

    cell = dy.cell(step)
    with pytest.raises(RuntimeError, match="the function of a cell asked for a value or for its graph"):
        cell(x, True)
    assert len(dy.cg()) == length
    np.testing.assert_allclose(cell(x, False).npvalue(), np.tanh([1, 2]), rtol=1e-6)  # It may be caught.
    assert y.value() == [2, 4]
    for p, numbers in zip(model.parameters_list(), before, strict=True):
        np.testing.assert_array_equal(p.as_array(), numbers)


def test_other_graphs_may_be_asked_in_a_cell(x):
    factor = x * 3

    def step(x):
        with dy.ComputationGraph():
            inside = dy.inputVector([4.0]).value()
        return x * (factor.value()[0] + inside)

    assert dy.cell(step)(x).value() == [7, 14]
