"""The parts of the translator that are easy to get wrong: its score, its baseline, its decoder."""

import pytest

import dynet as dy


def test_chrf_counts_the_letters_that_two_texts_share(example):
    chrf = example("chrf").chrf
    assert chrf(["in the beginning"], ["in the beginning"]) == pytest.approx(100)
    assert chrf(["xyz"], ["abc"]) == 0
    # Runs of one letter: 2 of 2 found, 2 of 4 wanted; of two letters 1 of 1, and 1 of 3.
    precision, recall = 1.0, (2 / 4 + 1 / 3) / 2
    wanted = 100 * 5 * precision * recall / (4 * precision + recall)
    assert chrf(["ab"], ["ab cd"], longest=2) == pytest.approx(wanted)


def test_words_are_translated_one_by_one(example):
    data, translator = example("data"), example("translator")
    greek = [data.Word("λόγον", "noun", "", "λόγος"), data.Word("ἦν", "verb", "", "εἰμί")]
    pairs = [data.Pair(greek, ["was", "the", "Word"], {(2, 0), (0, 1)})]
    assert translator.WordForWord(pairs).translations([greek[::-1]]) == ["was Word"]


def test_a_step_of_the_decoder_gives_what_training_reads(example):
    data, translator = example("data"), example("translator")
    greek = [data.Word("λόγον", "noun", "", "λόγος"), data.Word("ἦν", "verb", "", "εἰμί")]
    pair = data.Pair(greek, ["the", "Word"], set())
    rows = {word: row for row, word in enumerate([translator.UNKNOWN, translator.END, "the", "Word"])}
    dy.reset_random_seed(2)
    model = translator.Transformer([pair], rows, dy.ParameterCollection(), size=8).eval()
    state, total = model.decoder.start(model.read(greek)), 0.0
    for row, following in ((1, 2), (2, 3), (3, 1)):
        chances, state = model.step(row, state)
        total -= chances.npvalue()[following].item()
    assert model.loss(pair).value() == pytest.approx(total, rel=1e-4)
