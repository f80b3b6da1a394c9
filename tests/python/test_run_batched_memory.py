"""What tasks have made that have ended is forgotten, where the program has nothing of it."""

import contextlib
import os
import pathlib

import fibers
import pytest

import dynet as dy

LOT = 128  # examples after which all tasks end
STATUS = pathlib.Path("/proc/self/statm")
measured = pytest.mark.skipif(not STATUS.exists(), reason="this system does not tell the memory of a process")


@pytest.fixture(autouse=True)
def new_graph():
    dy.renew_cg()


def resident():
    """Megabytes of this process."""
    return int(STATUS.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def chain(x, steps=10):
    """Looks at values."""
    for _ in range(steps):
        x = dy.tanh(x + 1)
        yield x
    return x.npvalue().flat[0]


def count():
    return len(list(dy.cg().nodes()))


def growth(task, window):
    """Megabytes that a long run needs more than a short one; 400 if all were kept."""
    dy.run_batched(task, range(4 * LOT), window=window)
    before = resident()
    dy.run_batched(task, range(40 * LOT), window=window)
    return resident() - before


@measured
@pytest.mark.parametrize("window", [1, 16, None])
def test_a_long_run_needs_no_more_memory_than_a_short_one(window):
    def task(number):
        return (yield from chain(dy.inputVector([number] * 1000)))

    assert growth(task, window) < 60


@measured
@fibers.needed
def test_plain_functions_need_no_more_either():
    def task(number):
        return sum(e.vec_value()[0] for e in chain(dy.inputVector([number] * 1000)))

    assert growth(task, 16) < 60


def test_nodes_go_where_nothing_of_them_is_left():
    def task(number):
        return (yield from chain(dy.scalarInput(number)))

    dy.run_batched(task, range(3 * LOT), window=8)
    assert count() < 2 * LOT * 25
    run = dy.run_as_completed(task, range(9 * LOT))
    assert len([number for _, (number, _) in zip(range(2 * LOT), run, strict=False)]) == 2 * LOT


def test_expressions_that_the_program_has_stay_valid():
    kept = []

    def keeping(number):
        x = dy.scalarInput(number) * 2
        kept.append(x)
        yield x
        return x.value()

    assert dy.run_batched(keeping, range(3 * LOT), window=8)[-1] == 2 * (3 * LOT - 1)
    assert [e.value() for e in kept] == [2 * number for number in range(3 * LOT)]

    def giving(number):
        x = dy.scalarInput(number) * 2
        yield x
        return x if number % 100 == 7 else None

    results = dy.run_batched(giving, range(3 * LOT), window=8)
    assert dy.esum([e for e in results if e is not None]).value() == sum(14 + 200 * n for n in range(4))


def test_states_of_builders_that_the_program_has_stay_valid():
    builder = dy.LSTMBuilder(1, 2, 2, dy.ParameterCollection())
    before, kept = builder.initial_state().add_input(dy.inputVector([1, 2])), []

    def task(number):
        state = before.add_input(dy.inputVector([number, 1]))
        yield state.output()
        if number < 2:
            kept.append(state)
        return state.output().npvalue()[0]

    first = dy.run_batched(task, range(3 * LOT), window=8)
    assert [state.output().npvalue()[0] for state in kept] == first[:2]
    kept.clear()
    assert dy.run_batched(task, range(2, 3 * LOT), window=8) == first[2:]
    assert count() < 3 * LOT * 20
    assert before.add_input(dy.inputVector([2, 1])).output().npvalue()[0] == first[2]


def test_what_was_made_before_the_run_stays_and_may_be_computed_in_it():
    shared = [dy.scalarInput(i) * 3 for i in range(4)]

    def task(number):
        x = shared[number // LOT] + number
        yield x
        return x.value()

    expected = [3 * (n // LOT) + n for n in range(4 * LOT)]
    assert dy.run_batched(task, range(4 * LOT), window=8) == expected
    assert [e.value() for e in shared] == [0, 3, 6, 9]
    assert dy.run_batched(task, range(4 * LOT), window=8) == expected


def test_a_checkpoint_of_the_program_is_gone_back_to():
    x = dy.scalarInput(1) * 2
    dy.cg_checkpoint()

    def task(number):
        return (yield from chain(x + number, 3))

    numbers = dy.run_batched(task, range(3 * LOT), window=8)
    dy.cg_revert()
    assert x.value() == 2 and count() <= 3
    assert dy.run_batched(task, range(3 * LOT), window=8) == numbers


def test_random_numbers_are_those_without_forgetting(monkeypatch):
    def outcome():
        dy.reset_random_seed(3)
        dy.renew_cg()

        def task(number):
            x = dy.dropout(dy.inputVector([number, 1.0, 2.0]), 0.5)
            yield x
            return sum(x.vec_value())

        results = dy.run_batched(task, range(2 * LOT + 5), window=4)
        return results, dy.dropout(dy.inputVector([1.0] * 20), 0.5).vec_value()

    forgotten = outcome()
    monkeypatch.setattr("dynet.tasks.run.lot_of", lambda window: 10_000)
    assert outcome() == forgotten


@pytest.mark.parametrize("window", [1, 32])
def test_expressions_outlive_a_call_that_failed(window):
    """What an error takes back gives the graph new stamps."""
    weights = dy.ParameterCollection().add_parameters((3, 3))
    kept = []

    def call(number):
        with contextlib.suppress(ValueError):
            weights * dy.ones(7)
        kept.append(dy.ones(2) * float(number))

    dy.renew_cg()
    dy.run_batched(call, range(150), window=window)
    assert [each.npvalue()[0] for each in kept] == list(range(150))


@pytest.mark.parametrize("window", [1, 8])
def test_a_call_that_failed_holds_nothing_back(window):
    """What is taken back gives the graph other stamps, and nodes have their numbers again."""
    weights = dy.ParameterCollection().add_parameters((3, 3))

    def task(number):
        for _ in range(3):
            with contextlib.suppress(ValueError):
                weights * dy.ones(7)
            x = dy.ones(3) * float(number)
            yield weights * x
        return x.npvalue()[0]

    assert dy.run_batched(task, range(8 * LOT), window=window) == list(range(8 * LOT))
    assert count() < 2 * LOT * 20


@pytest.mark.parametrize("window", [1, 8])
def test_what_the_program_has_of_some_examples_does_not_hold_back_others(window):
    def task(number):
        x = dy.scalarInput(number) * 2
        yield x
        if number in (5, 3 * LOT + 5):
            kept.append(x)
        return float("x") if number == 7 else x.value()

    kept = []
    results = dy.run_batched(task, range(10 * LOT), window=window, errors="return")
    assert isinstance(results.pop(7), ValueError)  # whose traceback has the frame, and so x
    assert results == [2 * number for number in range(10 * LOT) if number != 7]
    assert count() < 4 * LOT * 4
    assert [x.value() for x in kept] == [10, 6 * LOT + 10]


def test_what_is_given_back_later_is_forgotten_then():
    kept = []

    def task(number):
        x = dy.scalarInput(number) * 2
        yield x
        kept.append(x) if number < 5 * LOT else kept.clear()
        return x.value()

    assert dy.run_batched(task, range(8 * LOT), window=8) == [2 * number for number in range(8 * LOT)]
    assert count() < 2 * LOT * 4


def test_going_back_to_a_checkpoint_during_a_run_leaves_what_there_is():
    def task(number):
        x = dy.scalarInput(number) * 2
        yield x
        return x

    dy.scalarInput(1)
    dy.cg_checkpoint()
    numbers = []
    for number, x in dy.run_as_completed(task, range(4 * LOT), window=8):
        if number == LOT + 3:
            dy.scalarInput(2)
            dy.cg_revert()
        elif number > LOT + 20:
            numbers.append((number, x.value() if number > 2 * LOT else 2 * number))
    assert sorted(numbers) == [(number, 2 * number) for number in range(LOT + 21, 4 * LOT)]


def test_trees_outlive_their_tasks():
    model = dy.ParameterCollection()

    def call(_):
        tree = dy.NaryTreeLSTMBuilder(2, 1, 3, 3, model)
        tree.set_num_elements(1)
        tree.add_input(0, [], dy.ones(3)).value()
        return tree

    dy.renew_cg()
    for tree in dy.run_batched(call, range(40), window=1):
        assert tree.back() is not None


def test_nodes_outlive_their_tasks():
    dy.renew_cg()

    def call(number):
        dy.scalarInput(number) * 2.0
        return dy.cg().nodes()[-1]

    nodes = dy.run_batched(call, range(40), window=1)
    assert [node.value().item() for node in nodes[:3]] == [0, 2, 4]
