"""What tasks share, what they are refused, and how they end."""

import contextvars
import importlib.util
import threading

import fibers
import numpy as np
import pytest

import dynet as dy


def halvings(number):
    x, steps = dy.scalarInput(number), 0
    while x.value() > 1:
        x, steps = x / 2, steps + 1
    return steps


def halvings_in_steps(number):
    x, steps = dy.scalarInput(number), 0
    while True:
        yield x
        if x.value() <= 1:
            return steps
        x, steps = x / 2, steps + 1


@pytest.fixture(autouse=True)
def new_graph():
    dy.renew_cg()


@pytest.mark.parametrize("window", [1, 2, 5, None])
def test_results_come_in_the_order_of_the_examples(window):
    numbers = [2.0**i for i in range(12)][::-1]
    assert dy.run_batched(halvings_in_steps, iter(numbers), window=window) == list(range(12))[::-1]
    assert dy.run_batched(halvings_in_steps, [], window=window) == []


def test_all_that_wait_are_answered_at_once():
    dy.run_batched(halvings_in_steps, [16.0] * 10, window=10)
    assert dy.cg().step_count() == 4  # the first value of each is an input


@fibers.needed
def test_whatever_asks_for_a_value_waits():
    asks = [
        lambda e: e.value(),
        lambda e: float(e),
        lambda e: e.scalar_value(),
        lambda e: e.vec_value()[0],
        lambda e: e.npvalue()[0],
        lambda e: float(np.asarray(e)),
        lambda e: dy.values([e, e])[1],
        lambda e: e.forward() or e.value(),
        lambda e: sorted([e], key=lambda x: x.value())[0].value(),
        lambda e: dy.esum(x for x in [e] if x.value() > 0).value(),
    ]
    for ask in asks:
        dy.renew_cg()
        results = dy.run_batched(lambda n, ask=ask: ask(dy.scalarInput(n) * 2), [1.0, 2.0, 3.0], window=3)
        assert results == [2, 4, 6]
        assert dy.cg().step_count() <= 2, ask


@fibers.needed
def test_a_function_that_begins_with_renew_cg_runs_as_it_is():
    def renewing(number):
        dy.renew_cg()
        return halvings(number)

    assert dy.run_batched(renewing, [8.0, 4.0], window=2) == [3, 2]

    def renewing_late(number):
        halvings(number)
        dy.renew_cg()

    with pytest.raises(RuntimeError, match="renew"):
        dy.run_batched(renewing_late, [8.0, 4.0], window=2)


@fibers.needed
@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda e: e.backward(), "backward"),
        (lambda e: dy.cg_checkpoint(), "checkpoint"),
        (lambda e: dy.cg_revert(), "revert"),
        (lambda e: e.value(recalculate=True), "computed again"),
    ],
)
def test_what_would_change_the_others_is_refused(call, text):
    def task(number):
        e = dy.scalarInput(number) * 2
        e.value()
        call(e)

    with pytest.raises(RuntimeError, match=text):
        dy.run_batched(task, [1.0, 2.0], window=2)
    assert (dy.scalarInput(1) * 2).value() == 2


def test_expressions_of_other_tasks_are_refused_and_those_from_before_are_not():
    before, made = dy.scalarInput(3), []

    def task(number):
        made.append(dy.scalarInput(number) * before)
        yield made[-1]
        return made[0] + made[-1]

    with pytest.raises(ValueError, match="another task of run_batched"):
        dy.run_batched(task, [1.0, 2.0], window=2)
    results = dy.run_batched(halving_expressions, [1.0, 2.0])
    assert dy.esum(results).value() == 1.5  # after the run all may be used


def halving_expressions(number):
    e = dy.scalarInput(number) / 2
    yield e
    return e


def failing(fails):
    """Tasks of which those in `fails` fail, the first ones last; tells which were closed."""
    closed = []

    def task(number):
        e = dy.scalarInput(number)
        try:
            for _ in range(10 - int(number)):
                e = e * 1
                yield e
            if number in fails:
                raise KeyError(number)
            return number
        finally:
            closed.append(number)

    return task, closed


@pytest.mark.parametrize("window", [1, 3, 8])
def test_the_first_error_is_raised_as_a_loop_raises_it(window):
    task, closed = failing({2, 5})
    with pytest.raises(KeyError) as raised:
        dy.run_batched(task, range(8), window=window)
    assert raised.value.args == (2,)
    assert raised.value.__notes__ == ["in example 2 of run_batched"]
    assert {0, 1, 2} <= set(closed)
    task, closed = failing({2, 5})
    results = dy.run_batched(task, range(8), window=window, errors="return")
    assert [r.args[0] if isinstance(r, KeyError) else r for r in results] == list(range(8))
    assert [isinstance(r, KeyError) for r in results] == [i in (2, 5) for i in range(8)]
    assert sorted(closed) == list(range(8))


@fibers.needed
def test_closing_runs_the_finally_clauses_of_functions():
    closed = []

    def task(number):
        try:
            (dy.scalarInput(number) * 2).value()
            if number == 0:
                raise ValueError("first")
            (dy.scalarInput(number) * 3).value()
            (dy.scalarInput(number) * 4).value()
        finally:
            closed.append(number)

    with pytest.raises(ValueError, match="first"):
        dy.run_batched(task, range(4), window=4)
    assert closed == [0, 1, 2, 3]


def refuse_negative(x):
    """Cannot be computed for negative numbers."""
    if x[0] < 0:
        raise ArithmeticError("negative")
    return x


@fibers.needed
def test_an_error_of_the_evaluation_reaches_the_task_that_waits_for_it():
    function = dy.Function(refuse_negative, lambda gradient, x: gradient)

    def task(number):
        e = function(dy.inputVector([number]))
        try:
            return e.value()
        except ArithmeticError:
            return "refused"

    results = dy.run_batched(task, [1.0, -1.0, 2.0], window=3)
    assert results == [1.0, "refused", 2.0]


@fibers.needed
def test_contexts_and_graphs_are_those_of_the_task():
    setting = contextvars.ContextVar("setting", default=0)
    setting.set(1)

    def task(number):
        assert setting.get() == 1
        setting.set(number)
        (dy.scalarInput(number) * 2).value()
        assert setting.get() == number
        with dy.ComputationGraph():
            assert (dy.scalarInput(number) * 5).value() == 5 * number
        return (dy.scalarInput(number) * 3).value()

    with np.errstate(all="raise"):
        assert dy.run_batched(lambda n: (np.geterr(), task(n))[1], [2, 3, 4], window=3) == [6, 9, 12]
    assert setting.get() == 1


@fibers.needed
def test_a_run_within_a_task_waits_with_the_others():
    def inner(number):
        return (dy.scalarInput(number) * 2).value() + (dy.scalarInput(number) * 3).value()

    def outer(number):
        return sum(dy.run_batched(inner, [number, number + 1], window=2))

    assert dy.run_batched(outer, [1.0, 2.0, 3.0], window=3) == [15, 25, 35]
    assert dy.cg().step_count() == 2


def test_what_a_generator_yields_must_be_waited_for():
    def task(number):
        try:
            yield number
        except TypeError as error:
            return str(error)

    text = dy.run_batched(task, [1])[0]
    assert "an int" in text and "an expression" in text


def test_arguments_that_make_no_sense_are_refused():
    for window in 0, -1:
        with pytest.raises(ValueError, match="window"):
            dy.run_batched(halvings_in_steps, [1.0], window=window)
    for window in 1.5, "8", True:
        with pytest.raises(TypeError, match="window"):
            dy.run_batched(halvings_in_steps, [1.0], window=window)
    with pytest.raises(ValueError, match="errors"):
        dy.run_batched(halvings_in_steps, [1.0], errors="ignore")
    with pytest.raises(TypeError, match="a function"):
        dy.run_batched(3, [1.0])


def test_a_plain_function_without_greenlet_gets_one_sentence(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"dynet\[fibers\]"):
        dy.run_batched(halvings, [8.0])
    assert dy.run_batched(halvings, [8.0], window=1) == [3]
    assert dy.run_batched(halvings_in_steps, [8.0]) == [3]


def test_results_as_they_come_may_be_used_at_once():
    total = dy.scalarInput(0)
    numbers = []
    for number, e in dy.run_as_completed(halving_expressions, [2.0, 4.0, 6.0], window=2):
        total = total + e
        numbers.append(number)
    assert total.value() == 6 and sorted(numbers) == [0, 1, 2]
    first = next(dy.run_as_completed(halving_expressions, [2.0, 4.0], window=2))
    assert first[0] == 0
    assert dy.run_batched(halvings_in_steps, [8.0]) == [3]  # the other one was left, and ended


@fibers.needed
def test_threads_have_runs_of_their_own():
    results = {}

    def work(name):
        results[name] = dy.run_batched(halvings, [2.0**i for i in range(20)], window=6)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(results.values()) == [list(range(20))] * 4


def test_a_keyboard_interrupt_ends_all():
    closed = []

    def task(number):
        try:
            yield dy.scalarInput(number) * 2
            if number == 1:
                raise KeyboardInterrupt
            yield dy.scalarInput(number) * 3
        finally:
            closed.append(number)

    with pytest.raises(KeyboardInterrupt):
        dy.run_batched(task, range(3), window=3, errors="return")
    assert sorted(closed) == [0, 1, 2]


@fibers.needed
def test_a_task_goes_on_after_a_run_within_it():
    def outer(number):
        dy.run_batched(lambda n: (dy.scalarInput(n) * 2).value(), [number], window=1)
        with dy.ComputationGraph():
            inner = dy.run_batched(lambda n: (dy.scalarInput(n) * 3).value(), [number, number + 1], window=1)
        return [*inner, (dy.scalarInput(number) * 2).value()]

    expected = [[3 * n, 3 * n + 3, 2 * n] for n in range(20)]
    for window in 1, 3, 20:
        assert dy.run_batched(outer, range(20), window=window) == expected


@fibers.needed
def test_values_that_are_computed_at_once_are_not_waited_for():
    dy.renew_cg(immediate_compute=True)
    assert dy.run_batched(lambda n: (dy.scalarInput(n) * 2).value(), [1.0, 2.0, 3.0], window=3) == [2, 4, 6]


@fibers.needed
def test_a_fiber_that_was_ended_is_not_used_again():
    from greenlet import greenlet

    from dynet.tasks import task

    dead = greenlet(lambda: None)
    dead.switch()
    task._pool.free.append(dead)
    assert dy.run_batched(halvings, [8.0, 4.0], window=2) == [3, 2]


@fibers.needed
@pytest.mark.parametrize("window", [1, 3])
def test_what_makes_generators_has_them_run(window):
    assert dy.run_batched(lambda n: halvings_in_steps(n), [8.0, 4.0], window=window) == [3, 2]

    def failing(number):
        try:
            yield dy.Function(refuse_negative, lambda gradient, x: gradient)(dy.inputVector([number]))
        except ArithmeticError:
            return "refused"
        return number

    assert dy.run_batched(lambda n: failing(n), [1.0, -1.0], window=window) == [1, "refused"]


@pytest.mark.parametrize("window", [1, 3])
def test_what_tasks_share_is_not_changed_by_one(window):
    shared, made = dy.scalarInput(3), []

    def setting(number):
        yield dy.scalarInput(number) * shared
        shared.set(number)

    with pytest.raises(RuntimeError, match="set: a task"):
        dy.run_batched(setting, [1.0, 2.0], window=window)
    assert shared.value() == 3

    def reading(number):
        made.append(dy.scalarInput(number) * 2)
        yield made[-1]
        return made[0].value()

    with pytest.raises(ValueError, match="another task"):
        dy.run_batched(reading, [1.0, 2.0], window=window)
    builder = dy.LSTMBuilder(1, 2, 2, dy.ParameterCollection())

    def binding(number):
        builder.initial_state(update=bool(number))
        yield dy.scalarInput(number) * 2

    with pytest.raises(ValueError, match="update"):
        dy.run_batched(binding, [1.0, 0.0], window=window)


@pytest.mark.parametrize("window", [1, 3])
def test_examples_that_fail_do_so_in_their_turn(window):
    def examples():
        yield 0
        yield 1
        raise OSError("no more")

    def task(number):
        yield dy.scalarInput(number) * 2
        if number == 0:
            raise KeyError(number)

    with pytest.raises(KeyError):
        dy.run_batched(task, examples(), window=window)
    with pytest.raises(OSError, match="no more"):
        dy.run_batched(halvings_in_steps, examples(), window=window)


def test_a_run_that_is_forgotten_elsewhere_leaves_the_others_alone():
    left = dy.run_as_completed(lambda n: n, [1, 2], window=1)
    next(left)

    def task(number):
        yield dy.scalarInput(number) * 2
        if number == 0:
            left.close()
        with pytest.raises(RuntimeError, match="checkpoint"):
            dy.cg_checkpoint()
        yield dy.random_normal((2,))
        return number

    assert dy.run_batched(task, range(3), window=3) == [0, 1, 2]


@fibers.needed
def test_a_task_waits_as_before_when_another_run_is_forgotten_in_it():
    left = dy.run_as_completed(lambda n: n, [1, 2], window=1)
    next(left)

    def task(number):
        first = (dy.scalarInput(number) * 2).value()
        if number == 0:
            left.close()
        return first + (dy.scalarInput(number) * 3).value()

    assert dy.run_batched(task, range(3), window=3) == [0, 5, 10]
    assert dy.cg().step_count() == 2
