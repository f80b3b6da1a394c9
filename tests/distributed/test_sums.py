"""Sums of the gradients of shards, by processes that are threads here: no MPI is needed."""

import functools
import operator
import queue
import subprocess
import sys
import threading

import numpy as np
import pytest

import dynet as dy
from dynet import _dynet

ROWS = 7


class Network:
    """Parameters of which shards use some, and a table of which they use some rows."""

    def __init__(self):
        self.model = dy.ParameterCollection()
        self.often = self.model.add_parameters((3, 4))
        self.seldom = self.model.add_parameters(5)
        self.table = self.model.add_lookup_parameters((ROWS, 2))

    def gradients(self):
        every = [*self.model.parameters_list(), *self.model.lookup_parameters_list()]
        return [each.grad_as_array() for each in every]

    def add(self, gradient):
        """A shard's gradient; None for a shard that has no example."""
        if gradient is None:
            return
        often, seldom, rows = gradient
        self.often.set_gradient(often)
        if seldom is not None:
            self.seldom.set_gradient(seldom)
        for row, numbers in rows.items():
            self.table.set_row_gradient(row, numbers)


def shards(count, seed=0):
    """Gradients of very different sizes, so that another order of additions is seen."""
    draw = np.random.RandomState(seed)
    made = []
    for number in range(count):
        sizes = 10.0 ** draw.randint(-6, 7, (3, 4))
        often = (draw.normal(size=(3, 4)) * sizes).astype(np.float32)
        seldom = draw.normal(size=5).astype(np.float32) if number % 3 == 1 else None
        rows = {
            int(row): draw.normal(size=2).astype(np.float32) for row in draw.choice(ROWS, 3, replace=False)
        }
        made.append(None if number % 5 == 4 else (often, seldom, rows))
    return made


class Threads:
    """The transport of processes that are threads."""

    def __init__(self, count):
        self.pipes = {(a, b): queue.Queue() for a in range(count) for b in range(count)}
        self.barrier, self.given = threading.Barrier(count), [b""] * count

    def of(self, rank):
        threads = self

        class One:
            """As one of them sees it."""

            def exchange(self, peer, send, receive):
                threads.pipes[rank, peer].put(bytes(send))
                got = threads.pipes[peer, rank].get(timeout=60)
                assert len(got) == len(receive)
                receive[:] = got

            def gather(self, own):
                threads.given[rank] = bytes(own)
                threads.barrier.wait(60)
                every = list(threads.given)
                threads.barrier.wait(60)
                return every

        return One()


def summed(gradients, count, exact=False, before=None):
    """The sum as each of so many processes gets it."""
    networks = [Network() for _ in range(count)]
    assert failures_of(networks, gradients, exact, before) == []
    return [network.gradients() for network in networks]


def failures_of(networks, gradients, exact=False, before=None):
    """Lets a process for each network add up the gradients; gives what they raise."""
    count, failures = len(networks), []
    transport = Threads(count)

    def work(rank):
        try:
            network = networks[rank]
            sums = _dynet._Shards(network.model, exact)
            network.add(before)
            sums.begin()
            for shard in range(len(gradients) * rank // count, len(gradients) * (rank + 1) // count):
                network.add(gradients[shard])
                sums.take(shard)
            sums.combine(rank, count, transport.of(rank))
            sums.put()
        except BaseException as error:
            failures.append(error)
            if type(error) is not RuntimeError:  # which all raise, each by itself
                transport.barrier.abort()

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def bits(gradients):
    return [array.tobytes() for array in gradients]


def tree(terms):
    """The sum as it is defined."""
    while len(terms) > 1:
        terms = [
            left if right is None else right if left is None else left + right
            for left, right in zip(terms[::2], terms[1::2], strict=True)
        ]
    return terms[0]


@pytest.mark.parametrize("count", [2, 4, 8])
def test_the_sum_is_that_of_the_tree(count):
    gradients = shards(8)
    for own in summed(gradients, count):
        assert own[0].tobytes() == tree([None if each is None else each[0] for each in gradients]).tobytes()
        for row in range(ROWS):
            terms = [each[2].get(row) if each else None for each in gradients]
            if any(term is not None for term in terms):
                assert own[2][row].tobytes() == tree(terms).tobytes()


def test_one_after_another_is_another_sum():
    """So the test above sees it."""
    terms = [each[0] for each in shards(8) if each]
    in_order = terms[0]
    for term in terms[1:]:
        in_order = in_order + term
    assert bits(summed(shards(8), 1)[0])[0] != in_order.tobytes()


@pytest.mark.parametrize("number", [1, 2, 6, 12, 24, 30])
def test_any_number_of_processes_that_divides_the_shards(number):
    gradients = shards(number, number)
    first = bits(summed(gradients, 1)[0])
    for count in [count for count in (2, 3, 4, 5, 6, 8) if number % count == 0]:
        assert [bits(each) for each in summed(gradients, count)] == [first] * count


@pytest.mark.parametrize("number", [1, 5, 13])
def test_exact_sums_for_any_number_of_processes(number):
    gradients = shards(number, number)
    first = bits(summed(gradients, 1, exact=True)[0])
    for count in (2, 3, 4, 7):
        assert [bits(each) for each in summed(gradients, count, exact=True)] == [first] * count
    assert bits(summed(gradients[::-1], 2, exact=True)[0]) == first  # nor does the order count


def test_exact_sums_are_nearly_exact():
    gradients = [each for each in shards(40) if each]
    exact = sum(each[0].astype(np.float64) for each in gradients)
    largest = max(np.abs(each[0]).max() for each in gradients)
    found = summed(gradients, 1, exact=True)[0][0]
    assert np.abs(found - exact).max() <= np.abs(exact).max() * 2**-24 + largest * 2**-30


def test_numbers_of_all_sizes_are_summed_exactly():
    for size in (1e-42, 1e-30, 1.0, 3e38):
        gradient = (np.full((3, 4), size, np.float32), None, {0: np.full(2, -size, np.float32)})
        found = summed([gradient], 1, exact=True)[0]
        assert np.array_equal(found[0], gradient[0])
        assert np.array_equal(found[2][0], gradient[2][0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_by_the_update(bad):
    for exact in (False, True):
        gradients = shards(4)
        gradients[1][0][0, 0] = bad
        assert not any(np.isfinite(each[0]).all() for each in summed(gradients, 2, exact))


def test_adding_nothing_is_adding_minus_zero():
    """-0 + 0 would be 0: a shard that does not use a parameter must not change the sum's sign."""
    minus = (
        np.full((3, 4), -0.0, np.float32),
        np.full(5, -0.0, np.float32),
        {1: np.full(2, -0.0, np.float32)},
    )
    others = (np.full((3, 4), -0.0, np.float32), None, {2: np.ones(2, np.float32)})
    for count in (1, 2, 4):
        for own in summed([minus, others, None, None], count):
            assert np.signbit(own[0]).all()
            assert np.signbit(own[1]).all()
            assert np.signbit(own[2][1]).all()


@pytest.mark.parametrize("exact", [False, True])
def test_a_gradient_that_there_is_stays_in_the_sum(exact):
    gradients, (before,) = shards(4), shards(1, 9)
    alone, together = summed(gradients, 2, exact)[1], summed(gradients, 2, exact, before)[1]
    assert together[0].tobytes() == (before[0] + alone[0]).tobytes()
    for row, numbers in before[2].items():
        assert np.array_equal(together[2][row], numbers + alone[2][row])


@pytest.mark.parametrize("exact", [False, True])
def test_what_no_shard_uses_rests(exact):
    network = Network()
    gradient = (np.ones((3, 4), np.float32), None, {3: np.ones(2, np.float32)})
    sums = _dynet._Shards(network.model, exact)
    trainer = dy.MomentumSGDTrainer(network.model)
    before = network.seldom.as_array(), network.table.as_array()
    sums.begin()
    network.add(gradient)
    sums.take(0)
    sums.put()
    trainer.update()
    assert np.array_equal(network.seldom.as_array(), before[0])
    changed = (network.table.as_array() != before[1]).any(axis=1)
    assert changed.tolist() == [row == 3 for row in range(ROWS)]


def test_random_numbers_follow_from_seed_update_and_shard():
    seeds = {_dynet._shard_seed(*key) for key in np.ndindex(3, 5, 2, 8)}
    assert len(seeds) == 3 * 5 * 2 * 8

    def drawn(*key):
        sums.enter(*key)
        dy.renew_cg()
        numbers = dy.random_normal(4).npvalue().tobytes()
        sums.leave()
        return numbers

    sums = _dynet._Shards(dy.ParameterCollection(), False)
    dy.reset_random_seed(5)
    first = drawn(1, 2, 0, 3)
    between = _dynet._random_position()
    dy.renew_cg()
    assert drawn(1, 2, 0, 4) != first
    assert drawn(1, 2, 0, 3) == first
    assert _dynet._random_position()[:2] == between[:2]


@pytest.mark.parametrize("key", [None, len])
@pytest.mark.parametrize("ranks", [1, 2, 3, 7, 20])
def test_shards_are_all_examples(key, ranks):
    data = ["x" * (number * 7 % 11) for number in range(13)]
    parts = [dy.distributed.shard(data, rank, ranks, key) for rank in range(ranks)]
    assert sorted(functools.reduce(operator.iadd, parts, [])) == sorted(data)
    if key is None:
        assert functools.reduce(operator.iadd, parts, []) == data
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
    else:
        lengths = [sum(map(len, part)) for part in parts]
        assert max(lengths) - min(lengths) <= max(map(len, data))


def test_shards_that_there_are_not():
    with pytest.raises(IndexError, match="rank is 2 and ranks is 2; a number below that is needed"):
        dy.distributed.shard([1, 2], 2, 2)
    with pytest.raises(ValueError, match="ranks is 0; a whole number from 1 on is needed"):
        dy.distributed.shard([1, 2], 0, 0)


def test_without_mpi_one_sentence_says_what_to_install():
    """Of a Python that has no mpi4py, or hides it."""
    program = (
        "import sys; sys.modules['mpi4py'] = None\n"
        "import dynet as dy\n"
        "assert 'dynet.distributed.trainer' not in sys.modules\n"
        "dy.distributed.Trainer(dy.AdamTrainer(dy.ParameterCollection()))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "ImportError: dynet.distributed needs MPI and mpi4py: python -m pip install 'dynet[mpi]'" in last


GROWTH = {
    "a parameter": lambda network: network.model.add_parameters(6, init=1),
    "a table": lambda network: network.model.add_lookup_parameters((4, 3)),
    "rows": lambda network: network.table.add_rows(2, init=0),
}


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("what", GROWTH)
def test_a_model_that_grows_while_shards_are_computed(what, exact):
    network = Network()
    sums = _dynet._Shards(network.model, exact)
    sums.begin()
    network.add(shards(1)[0])
    sums.take(0)
    GROWTH[what](network)
    with pytest.raises(ValueError, match="parameters or rows were added while"):
        sums.take(1)
    sums.begin()
    network.add(shards(1)[0])
    sums.take(0)
    sums.put()
    np.testing.assert_allclose(network.often.grad_as_array(), shards(1)[0][0], rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("what", ["a parameter", "a table"])
def test_processes_with_other_models_all_stop(what, exact):
    networks = [Network(), Network()]
    GROWTH[what](networks[1])
    failures = failures_of(networks, shards(4), exact)
    assert [type(each) for each in failures] == [RuntimeError] * 2
    assert all("parameters" in str(each) for each in failures)
