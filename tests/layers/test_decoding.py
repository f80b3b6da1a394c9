"""Beam search beside enumeration, sampling beside probabilities; many sentences as one after another."""

import collections
import itertools
import math

import numpy as np
import pytest

import dynet as dy

END, WORDS, LONGEST = 0, 4, 3


class Chain:
    """Log-probabilities of the next word by the last two, drawn from a seed; states are the words."""

    def __init__(self, seed, expressions=False):
        scores = np.random.default_rng(seed).standard_normal((WORDS + 1, WORDS + 1, WORDS))
        self.table = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
        self.expressions, self.calls = expressions, 0

    def __call__(self, word, state):
        self.calls += 1
        row = self.table[state[-1], word]
        return (dy.inputVector(row) if self.expressions else row), (*state, word)

    def log_probability(self, words, finished):
        path = [WORDS, WORDS, *words, *([END] if finished else [])]
        return sum(self.table[a, b, c] for a, b, c in zip(path, path[1:], path[2:], strict=False))

    def every(self):
        """All sequences with their log-probabilities."""
        for length in range(LONGEST + 1):
            for words in itertools.product(range(1, WORDS), repeat=length):
                if length < LONGEST:
                    yield words, self.log_probability(words, True)
                else:
                    yield words, self.log_probability(words, False)


def search(chain, **options):
    return dy.decoding.beam_search(
        chain, (WORDS,), start=WORDS, end=END, longest=LONGEST, **{"width": 64, **options}
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("penalty", [0.0, 1.0, lambda n: n])
def test_a_wide_beam_is_enumeration(seed, penalty):
    chain = Chain(seed)
    divisor = penalty if callable(penalty) else lambda n: ((5 + n) / 6) ** penalty
    best = sorted(
        ((p / divisor(min(len(words) + 1, LONGEST)), words) for words, p in chain.every()), reverse=True
    )
    found = search(chain, length_penalty=penalty)
    assert [each.words for each in found[:20]] == [words for _, words in best[:20]]
    np.testing.assert_allclose([each.score for each in found], [s for s, _ in best[:64]], atol=1e-9)


def test_a_narrow_beam_is_ordered_and_right():
    chain = Chain(5)
    probabilities = dict(chain.every())
    for width in (1, 2, 3):
        found = search(chain, width=width)
        assert len(found) <= width
        assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
        for each in found:
            assert each.log_probability == pytest.approx(probabilities[each.words])
            assert each.finished == (len(each.words) < LONGEST)
    greedy = dy.decoding.greedy(chain, (WORDS,), start=WORDS, end=END, longest=LONGEST)
    assert greedy == search(chain, width=1)[0]


def test_it_stops_when_nothing_can_become_better():
    chain = Chain(1)
    chain.table[:] = np.log([0.97, 0.01, 0.01, 0.01])
    options = {"start": WORDS, "end": END, "longest": 50}
    assert dy.decoding.beam_search(chain, (WORDS,), width=1, **options)[0].words == ()
    assert chain.calls == 1
    chain.calls = 0
    dy.decoding.beam_search(chain, (WORDS,), width=2, **options)
    assert chain.calls < 10


def test_constraints():
    chain = Chain(2)
    for each in search(chain, shortest=2):
        assert len(each.words) >= 2
    found = search(chain, allowed=lambda words: [END] if len(words) == 2 else [len(words) + 1])
    assert [each.words for each in found] == [(1, 2)]
    assert found[0].log_probability == pytest.approx(chain.log_probability((1, 2), True))
    assert search(chain, allowed=lambda words: None) == search(chain)
    with pytest.raises(ValueError, match="beam_search: nothing may follow"):
        search(chain, allowed=lambda words: [] if words else [1])


def test_coverage():
    """Of two positions a hypothesis that has looked at both is better."""
    rows = {1: [0.9, 0.1], 2: [0.1, 0.9]}

    def step(word, state):
        row = np.log([0.2, 0.45, 0.35]) if len(state) < 2 else np.log([1 - 2e-9, 1e-9, 1e-9])
        return row, (*state, word)

    def shares(state):
        return np.array(rows.get(state[-1], [0.0, 0.0]))

    options = {"start": 0, "end": 0, "width": 8, "longest": 4, "shortest": 2}
    plain = dy.decoding.beam_search(step, (), **options)
    covered = dy.decoding.beam_search(step, (), coverage_penalty=5.0, shares=shares, **options)
    assert plain[0].words == (1, 1) and set(covered[0].words) == {1, 2}
    expected = covered[0].log_probability + 5.0 * 2 * math.log(1.0)
    assert covered[0].score == pytest.approx(expected)


@pytest.mark.parametrize("penalty", [0.0, 0.6])
def test_many_sentences_are_one_after_another(penalty):
    chain = Chain(7, expressions=True)
    states = [(first,) for first in range(WORDS + 1)]
    options = {"start": WORDS, "end": END, "longest": 5, "width": 3, "length_penalty": penalty}
    dy.renew_cg()
    together = dy.decoding.beam_searches(chain, states, **options)
    alone = [dy.decoding.beam_search(chain, state, **options) for state in states]
    assert together == alone


def test_in_tasks_too():
    pytest.importorskip("greenlet")
    model = dy.ParameterCollection()
    dy.reset_random_seed(1)
    table, weights = model.add_lookup_parameters((WORDS, 6)), model.add_parameters((WORDS, 6))
    lstm = dy.nn.LSTM(6, 6, model)

    def step(word, state):
        state = state.add_input(table[word])
        return dy.log_softmax(weights * state.output()), state

    def decode(first):
        found = dy.decoding.beam_search(
            step, lstm.start().add_input(table[first]), start=END, end=END, width=3, longest=6
        )
        return [(each.words, each.log_probability) for each in found]

    alone = []
    for first in range(WORDS):
        dy.renew_cg()
        alone.append(decode(first))
    dy.renew_cg()
    assert dy.run_batched(decode, range(WORDS)) == alone


def test_transformers_decode_as_they_read():
    dy.reset_random_seed(2)
    model = dy.ParameterCollection()
    for rotary in (False, True):
        decoder = dy.nn.TransformerDecoder(2, 8, 2, 12, model, rotary=rotary)
        encoder = dy.nn.TransformerEncoder(2, 8, 2, 12, model, rotary=rotary)
        dy.renew_cg()
        x, memory = dy.random_normal((8, 5)), dy.random_normal((8, 3))
        state, kept, columns, others = decoder.start(memory), None, [], []
        for place in (slice(0, 1), slice(1, 3), slice(3, 5)):
            y, state = decoder.step(x[:, place], state)
            z, kept = encoder.step(x[:, place], kept)
            columns.append(y)
            others.append(z)
        assert state.length == 5
        for stepped, whole in (
            (columns, decoder(x, memory)),
            (others, encoder(x, causal=True)),
        ):
            np.testing.assert_allclose(dy.concatenate(stepped, d=1).npvalue(), whole.npvalue(), atol=2e-5)


def draw(chain, count, **options):
    return dy.decoding.sample(
        chain, (WORDS,), start=WORDS, end=END, longest=LONGEST, count=count, **{"seed": 1, **options}
    )


def shares_of(found):
    counts = collections.Counter(each.words for each in found)
    return {words: number / len(found) for words, number in counts.items()}


def test_samples_have_the_right_frequencies():
    chain = Chain(3)
    found = draw(chain, 6000)
    shares, every = shares_of(found), dict(chain.every())
    assert sum(math.exp(p) for p in every.values()) == pytest.approx(1)
    for words, p in every.items():
        assert abs(shares.get(words, 0) - math.exp(p)) < 4 * math.sqrt(math.exp(p) / 6000) + 1e-3
    for each in found[:50]:
        assert each.log_probability == pytest.approx(every[each.words])


def first_words(**options):
    chain = Chain(0)
    chain.table[:] = np.log([0.1, 0.2, 0.3, 0.4])
    found = draw(chain, 4000, shortest=1, **options)
    counts = collections.Counter(each.words[0] for each in found)
    return [counts[word] / 4000 for word in range(WORDS)]


def test_temperature_top_k_and_nucleus():
    np.testing.assert_allclose(first_words(), [0, 2 / 9, 3 / 9, 4 / 9], atol=0.03)
    np.testing.assert_allclose(first_words(temperature=0.5), np.array([0, 4, 9, 16]) / 29, atol=0.03)
    np.testing.assert_allclose(first_words(top_k=2), [0, 0, 3 / 7, 4 / 7], atol=0.03)
    np.testing.assert_allclose(first_words(top_p=0.5), [0, 0, 3 / 7, 4 / 7], atol=0.03)
    np.testing.assert_allclose(first_words(top_p=0.44), [0, 0, 0, 1], atol=0.03)
    np.testing.assert_allclose(first_words(temperature=1e-3), [0, 0, 0, 1], atol=0.03)


def test_samples_follow_from_the_seed():
    chain = Chain(4)
    assert draw(chain, 5) == draw(chain, 5) == draw(chain, 9)[:5]
    assert draw(chain, 20) != draw(chain, 20, seed=2)
    dy.renew_cg()
    dy.reset_random_seed(3)
    first = draw(chain, 5, seed=None)
    dy.renew_cg()
    dy.reset_random_seed(3)
    assert draw(chain, 5, seed=None) == first
    states = [(first,) for first in range(3)]
    options = {"start": WORDS, "end": END, "seed": 1}
    assert len(dy.decoding.samples(chain, states, **options)) == 3
    assert dy.decoding.samples(chain, states[:1], **options) == dy.decoding.sample(
        chain, states[0], **options
    )


def test_columns_are_vectors():
    """A decoder's step makes columns."""
    chain = Chain(2, expressions=True)

    def column(word, state):
        row, after = chain(word, state)
        return dy.reshape(row, (WORDS, 1)), after

    found = search(chain)
    assert [each[:3] for each in search(column)] == [each[:3] for each in found]
    array = search(lambda word, state: (chain(word, state)[0].npvalue()[:, None], (*state, word)))
    assert [each[:3] for each in array] == [each[:3] for each in found]
    assert draw(column, 3) == draw(chain, 3)


def test_wrong_arguments():
    chain = Chain(1)
    for wrong, error, text in (
        (lambda: search(None), TypeError, "step is None; a function is needed"),
        (lambda: search(chain, width=0), ValueError, "width is 0; a whole number from 1"),
        (lambda: search(chain, coverage_penalty=1), ValueError, "coverage_penalty without shares"),
        (lambda: search(chain, allowed=lambda words: [9]), IndexError, "allowed gave a word"),
        (lambda: search(lambda w, s: (np.zeros((2, 2)), s)), ValueError, r"scores of shape \(2, 2\)"),
        (lambda: search(lambda w, s: (np.full(4, np.nan), s)), ValueError, "step gave NaN after"),
        (lambda: draw(chain, 0), ValueError, "count is 0"),
        (lambda: draw(chain, 1, temperature=0), ValueError, "temperature is 0; a number above 0"),
        (lambda: draw(chain, 1, top_p=1.5), ValueError, "top_p is 1.5"),
        (lambda: draw(chain, 1, allowed=lambda words: []), ValueError, "nothing may follow"),
    ):
        with pytest.raises(error, match=text):
            wrong()
