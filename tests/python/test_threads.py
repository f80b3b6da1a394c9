"""Python's threads: one graph is for one thread at a time, one model may be trained by several."""

import threading
import time

import numpy as np
import pytest

import dynet as dy

SIZE = 400


def in_threads(*functions):
    """Runs them at once; the exceptions that they raised."""
    errors = []

    def run(function):
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=[function]) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def slow_expression(steps=40):
    x = dy.inputTensor(np.full((SIZE, SIZE), 1 / SIZE))
    y = x
    for _ in range(steps):
        y = x * y
    return dy.sum_elems(y)


def test_a_graph_that_is_evaluated_refuses_other_threads():
    dy.renew_cg()
    slow = slow_expression()
    refused = []

    def disturb():
        while not refused and not done.is_set():
            for touch in (lambda: slow + 1, slow.value, dy.tanh, slow.backward):
                try:
                    touch() if touch is not dy.tanh else dy.tanh(slow)
                except RuntimeError as error:
                    refused.append(str(error))

    done = threading.Event()

    def evaluate():
        try:
            for _ in range(3):
                slow.value(recalculate=True)
        except RuntimeError as error:
            refused.append(str(error))
        finally:
            done.set()

    assert in_threads(evaluate, disturb) == []
    assert refused and all("another thread" in text for text in refused)
    assert slow.value(recalculate=True) == pytest.approx(SIZE, rel=1e-3)


def test_each_thread_has_a_graph_of_its_own():
    results = {}

    def work(number):
        for _ in range(20):
            dy.renew_cg()
            x = dy.inputVector([number] * 50)
            results.setdefault(number, set()).add(dy.sum_elems(dy.square(x)).value())

    assert in_threads(*[lambda n=n: work(n) for n in range(4)]) == []
    assert results == {n: {50.0 * n * n} for n in range(4)}


def test_training_one_model_in_several_threads():
    model = dy.ParameterCollection()
    p = model.add_parameters((SIZE, SIZE), init=0.01)
    table = model.add_lookup_parameters((5, SIZE), init=0.01)
    trainer = dy.SimpleSGDTrainer(model, 1e-6)

    def train():
        for i in range(15):
            dy.renew_cg()
            loss = dy.squared_norm(p * table[i % 5])
            loss.backward()
            trainer.update()
            p.as_array()
            table.scale_gradient(1.0)

    def grow():
        for _ in range(100):
            model.add_parameters(3)

    assert in_threads(train, train, train, grow) == []
    assert np.isfinite(p.as_array()).all() and len(model.parameters_list()) == 101


def test_one_matrix_in_the_backward_passes_of_several_threads():
    def train(model, matrix, row, trainer):
        for i in range(30):
            dy.renew_cg()
            dy.squared_norm(matrix * dy.tanh(matrix * row)).backward()
            if i % 3 == 0:
                trainer.update()

    for size in [17, 40, 100] * 20:
        model = dy.ParameterCollection()
        matrix, row = model.add_parameters((size, size), init=0.01), model.add_parameters(size)
        trainer = dy.SimpleSGDTrainer(model, 1e-6)
        assert in_threads(*[lambda: train(model, matrix, row, trainer)] * 4) == []  # noqa: B023
        assert np.isfinite(matrix.as_array()).all()


def test_gradients_of_several_threads_add_up():
    model = dy.ParameterCollection()
    p = model.add_parameters(SIZE, init=1)

    def add():
        for _ in range(50):
            dy.renew_cg()
            dy.sum_elems(p * 1.0).backward()

    assert in_threads(add, add, add) == []
    np.testing.assert_array_equal(p.grad_as_array(), np.full(SIZE, 150))


def test_a_graph_that_is_dropped_while_it_is_evaluated():
    started = threading.Event()
    holder = [dy.ComputationGraph()]

    def wait(x):
        started.set()
        while holder:  # It is empty as soon as the graph begins to be dropped.
            time.sleep(0.001)
        return x

    values = []
    with holder[0]:
        waiting = dy.Function(wait, lambda x, y, d: [d], shape=(2,))(dy.inputVector([1, 2])) + 1

    def drop():
        started.wait()
        holder.clear()

    assert in_threads(lambda: values.append(waiting.value()), drop) == []
    assert values == [[2, 3]]
    with pytest.raises(RuntimeError, match=r"[Ss]tale"):
        waiting.value()
