"""Arguments whose conversion runs a program in the middle of a call: it changes, frees, evaluates, calls."""

import gc
import threading

import fibers
import numpy as np
import pytest
from hostile import ACTIONS, CALLS, HARMLESS, UNLIKE, MineError, World, fail, hostile, numbers, plain, shorten

import dynet as dy

ERRORS = (ValueError, RuntimeError, IndexError, TypeError, AttributeError)
CHANGES_PARAMETERS = {"set_value", "scale", "clip_inplace"}


def in_peace(name):
    return numbers(CALLS[name](World(), plain))


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture(autouse=True)
def _a_fresh_graph_afterwards():
    yield
    dy.renew_cg()


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__)
@pytest.mark.parametrize("name", CALLS)
def test_a_program_in_the_middle_of_a_call(name, action):
    want = in_peace(name)
    world = World()
    world.again = lambda: CALLS[name](world, plain)
    wrap = hostile(world, action)
    parameters = [] if action.__name__ == "delete" else world.model.parameters_list()
    if action is fail:
        with pytest.raises(MineError, match="while an argument was read"):
            CALLS[name](world, wrap)
    elif action in HARMLESS and (name, action) not in UNLIKE:
        assert same(numbers(CALLS[name](world, wrap)), want)
    else:
        try:
            given = numbers(CALLS[name](world, wrap))
        except ERRORS:
            pass
        else:
            assert action is shorten or (name, action) in UNLIKE or same(given, want)
    assert world.calls > 0, "nothing was converted"
    if name not in CHANGES_PARAMETERS:
        assert same([p.as_array() for p in parameters], world.before if parameters else [])
    gc.collect()
    dy.renew_cg()
    assert (dy.inputVector([1, 2]) + dy.inputVector([3, 4])).value() == [4, 6]


def generator(xs):
    """Gives its items one by one, and waits in between."""
    yield from xs


@fibers.needed
@pytest.mark.parametrize("operation", ["esum", "concatenate", "emax", "lookup_batch"])
def test_interleaved_lists(operation):
    """Two calls that read generators by turns, in stacks of their own: neither sees the other's arguments."""
    import greenlet

    dy.renew_cg()
    table = dy.ParameterCollection().lookup_parameters_from_numpy(np.arange(12.0).reshape(4, 3))
    results = {}

    def worker(number):
        def items():
            for i in (number, 2, number):
                yield i if operation == "lookup_batch" else dy.inputVector([i, 1])
                main.switch()

        arguments = (table, items()) if operation == "lookup_batch" else (items(),)
        results[number] = getattr(dy, operation)(*arguments)

    main = greenlet.getcurrent()
    workers = [greenlet.greenlet(worker) for _ in range(2)]
    for number, each in enumerate(workers):
        each.switch(number)
    while any(not each.dead for each in workers):
        for each in workers:
            each.switch()
    for number in range(2):
        plain_arguments = [number, 2, number]
        if operation == "lookup_batch":
            want = dy.lookup_batch(table, plain_arguments)
        else:
            want = getattr(dy, operation)([dy.inputVector([i, 1]) for i in plain_arguments])
        assert np.array_equal(results[number].npvalue(), want.npvalue())


def test_nested_generators_keep_their_lists_apart():
    dy.renew_cg()
    first, last = dy.inputVector([1]), dy.inputVector([2])

    def outer():
        yield first
        inner = generator([dy.inputVector([10 * i]) for i in range(20)])
        pending.append(inner)
        yield dy.esum(inner)
        yield last

    pending = []
    assert dy.concatenate(outer()).value() == [1, 1900, 2]


def test_no_lock_is_held_while_arguments_are_read():
    """What another thread does with the model while an argument is read is not waited for."""
    model = dy.ParameterCollection()
    p = model.add_parameters(3, init=1)
    table = model.add_lookup_parameters((2, 3), init=1)
    trainer = dy.SimpleSGDTrainer(model)

    def train():
        trainer.update()
        p.as_array()
        model.gradient_l2_norm()

    class Array:
        def __array__(self, dtype=None, copy=None):
            other = threading.Thread(
                target=lambda: (trainer.update(), p.as_array(), model.gradient_l2_norm())
            )
            other.start()
            other.join(timeout=60)
            assert not other.is_alive(), "the other thread waits for this one"
            return np.full(3, 2.0, dtype)

    p.set_value(Array())
    table.init_row(1, Array())
    model.parameters_from_numpy(Array())
    assert p.as_array().tolist() == table.row_as_array(1).tolist() == [2, 2, 2]
