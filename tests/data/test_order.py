"""The order of examples: batches by length, the same for a seed everywhere."""

import random

import numpy as np
import pytest

import dynet as dy

EXAMPLES = ["a" * (1 + 7 * i % 11) for i in range(50)]


def test_every_example_comes_once():
    for options in ({"size": 4}, {"size": 4, "key": len}, {"tokens": 15}, {"tokens": 15, "key": len}):
        batches = dy.data.batches(list(enumerate(EXAMPLES)), **(options | _key(options)), seed=3)
        assert sorted(place for batch in batches for place, _ in batch) == list(range(50))


def _key(options):
    return {"key": lambda example: len(example[1])} if "key" in options or "tokens" in options else {}


def test_batches_have_like_lengths_and_come_in_any_order():
    batches = dy.data.batches(EXAMPLES, 5, key=len, seed=1)
    assert all(len(batch) == 5 and max(map(len, batch)) - min(map(len, batch)) <= 1 for batch in batches)
    lengths = [len(batch[0]) for batch in batches]
    assert lengths != sorted(lengths)
    in_order = dy.data.batches(EXAMPLES, 5, key=len, shuffle=False)
    assert [len(each) for batch in in_order for each in batch] == sorted(map(len, EXAMPLES))
    assert dy.data.batches(EXAMPLES, 20, shuffle=False) == [EXAMPLES[:20], EXAMPLES[20:40], EXAMPLES[40:]]


def test_tokens_limit_a_batch():
    batches = dy.data.batches(EXAMPLES, tokens=15, key=len, seed=1)
    assert all(sum(map(len, batch)) <= 15 for batch in batches)
    assert dy.data.batches(["aaa", "a", "a"], tokens=2, shuffle=False) == [["aaa"], ["a", "a"]]


def test_an_order_follows_from_its_seed_on_every_machine():
    assert dy.data.batches(range(10), 4, seed=7) == [[9, 3, 6, 5], [7, 0, 4, 1], [8, 2]]
    assert dy.data.batches(range(10), 4, seed=8) != dy.data.batches(range(10), 4, seed=7)
    assert dy.data.batches(range(10), 4, seed=-7) != dy.data.batches(range(10), 4, seed=7)
    random.seed(5)
    first = dy.data.batches(range(10), 4)
    assert dy.data.batches(range(10), 4) != first
    random.seed(5)
    assert dy.data.batches(range(10), 4) == first
    state = random.getstate()
    dy.data.batches(range(10), 4, seed=7)
    assert random.getstate() == state


def test_whatever_has_a_length_can_be_cut():
    assert dy.data.batches(np.arange(4), 2, shuffle=False) == [[0, 1], [2, 3]]
    assert dy.data.batches((i for i in range(3)), 2, shuffle=False) == [[0, 1], [2]]
    assert dy.data.batches([], 2) == []


@pytest.mark.parametrize(
    ("arguments", "error", "what"),
    [
        (([1, 2],), TypeError, "a size or a number of tokens"),
        (([1, 2], 2, 3), TypeError, "batches"),
        (([1, 2], 0), ValueError, "size of a batch is 0; a whole number from 1 on"),
        (([1, 2], 1.5), TypeError, "size of a batch is 1.5; a whole number"),
        (([1, 2], True), TypeError, "size of a batch is True"),
        (("ab", 1), TypeError, "examples is 'ab'"),
        ((3, 1), TypeError, "examples is 3"),
    ],
)
def test_what_cannot_be_cut_is_told(arguments, error, what):
    with pytest.raises(error, match=what):
        dy.data.batches(*arguments)


def test_a_key_that_does_not_fit_names_the_example():
    with pytest.raises(TypeError, match=r"key cannot measure example 1, 5: .*give a key such as"):
        dy.data.batches(["a", 5], 1, key=len, shuffle=False)


def test_examples_are_split():
    training, held_out = dy.data.split(range(20), 0.25)
    assert sorted(training + held_out) == list(range(20)) and len(held_out) == 5
    assert training == sorted(training) and held_out == [2, 4, 10, 16, 17]
    assert dy.data.split(range(20), 3, shuffle=False)[1] == [17, 18, 19]
    for wrong in (0.0, 1.0, 20, 0, -1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="one of the two has nothing"):
            dy.data.split(range(20), wrong)
    with pytest.raises(TypeError, match="held_out is True"):
        dy.data.split(range(20), True)


def test_a_set_has_no_order():
    for given in ({"b", "a"}, frozenset(("b", "a"))):
        with pytest.raises(TypeError, match=r"batches: examples is a set, .* such as sorted\(examples\)"):
            dy.data.batches(given, 1)
        with pytest.raises(TypeError, match="split: examples is a set"):
            dy.data.split(given, 1)
    assert dy.data.batches({"b": 1, "a": 2}.keys(), 1, shuffle=False) == [["b"], ["a"]]


class Squares:
    """A dataset as PyTorch has them: a length and items."""

    def __len__(self):
        return 5

    def __getitem__(self, position):
        return position**2


def test_datasets_and_numbers_of_numpy():
    assert dy.data.batches(Squares(), 2, shuffle=False) == [[0, 1], [4, 9], [16]]
    assert dy.data.split(Squares(), np.int64(2)) == dy.data.split(Squares(), 2)
    assert dy.data.split(Squares(), np.float32(0.4)) == dy.data.split(Squares(), 0.4)
    with pytest.raises(TypeError, match="examples is <class"):
        dy.data.batches(Squares, 2)
