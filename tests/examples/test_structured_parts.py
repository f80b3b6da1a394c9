"""The parts of examples of structured models that are easy to get wrong: oracles, phrases, names, paths."""

import itertools
import math
import random

import numpy as np
import pytest

import dynet as dy


def sentence(heads, tags=None, lemmas=None):
    """A sentence of words w1, w2, … with those heads."""
    tags, lemmas = tags or ["NOUN"] * len(heads), lemmas or [f"w{n + 1}" for n in range(len(heads))]
    columns = zip(range(1, len(heads) + 1), heads, tags, lemmas, strict=True)
    return dy.data.Sentence(
        [dy.data.Token(str(n), f"w{n}", lemma, tag, head=str(h), deprel="r") for n, h, tag, lemma in columns]
    )


def random_heads(draw, words, head, heads):
    """Adds the heads of a projective tree over the places `words` below `head`."""
    if words:
        top = draw.choice(words)
        heads[top] = head
        random_heads(draw, [word for word in words if word < top], top, heads)
        random_heads(draw, [word for word in words if word > top], top, heads)
    return heads


def projective_trees(count):
    draw = random.Random(4)
    for _ in range(count):
        length = draw.randint(1, 9)
        heads = random_heads(draw, list(range(1, length + 1)), 0, {})
        yield draw, [heads[place] for place in range(1, length + 1)]


def test_arcs_that_the_oracle_allows_draw_every_projective_tree(example):
    easy, transitions = example("easy_first"), example("transitions")
    for draw, heads in projective_trees(100):
        oracle, left, found = transitions.EasyFirst(heads), list(range(len(heads) + 1)), {}
        while len(left) > 1:
            items = [easy.Item(place, None, None, None) for place in left]
            arcs = [
                easy.places(items, place, side)
                for place in range(len(left) - 1)
                for side in (easy.LEFT, easy.RIGHT)
            ]
            allowed = [(head, child) for head, child in arcs if child and oracle.allows(head, child)]
            head, child = draw.choice(allowed)
            found[child] = head
            oracle.attach(child)
            left.remove(child)
        assert [found[place] for place in range(1, len(heads) + 1)] == heads


def test_after_a_wrong_arc_the_oracle_waits_for_nothing_that_is_lost(example):
    oracle = example("transitions").EasyFirst([2, 0, 2])
    assert not oracle.allows(3, 2)  # word 2 still waits for words 1 and 3
    oracle.attach(3)  # to whatever
    oracle.attach(1)
    assert oracle.allows(0, 2)


def test_moves_draw_the_phrases_of_a_tree(example):
    corpora = example("corpora")
    tree = sentence([2, 0, 5, 5, 2], tags=["DET", "VERB", "DET", "ADJ", "NOUN"])
    moves = ["VERB", "SHIFT", "SHIFT", "NOUN", "SHIFT", "SHIFT", "SHIFT", "REDUCE", "REDUCE"]
    assert corpora.phrases(tree) == moves
    assert corpora.spans(moves) == {(0, 5, "VERB"), (2, 5, "NOUN")}


def test_the_right_moves_are_allowed_and_all_ways_come_to_an_end(example):
    rnng, corpora = example("rnng"), example("corpora")
    grammar = rnng.Grammar(
        dy.data.Vocabulary(["w1", "w2"]),
        dy.data.Vocabulary(["NOUN"]),
        dy.data.Vocabulary([corpora.SHIFT, corpora.REDUCE, "NOUN"], unknown=None),
        dy.ParameterCollection(),
        size=2,
    )
    for draw, heads in projective_trees(20):
        if len(heads) > 1:
            words = sentence(heads)
            dy.renew_cg()
            parse = rnng.Parse(grammar, words)
            for move in corpora.phrases(words):
                assert parse.allows(move)
                parse.make(move)
            assert parse.over()
            parse = rnng.Parse(grammar, words)
            while not parse.over():
                parse.make(draw.choice([move for move in grammar.known_moves if parse.allows(move)]))
            assert parse.next == len(words)


def test_names_are_read_from_tags_and_found_again(example):
    corpora, baselines = example("corpora"), example("baselines")
    found = corpora.names(["B-PER", "E-PER", "O", "S-GPE", "I-ORG", "E-ORG"])
    assert found == {(0, 1, "PER"), (3, 3, "GPE")}
    words = sentence([0, 1, 1])
    known = baselines.KnownNames([words], [{(0, 1, "PER"), (1, 1, "GPE")}])
    assert list(known.names([words])) == [{(0, 1, "PER")}]


def test_usual_phrases_are_words_with_all_that_hangs_on_them(example):
    class Heads:
        def heads(self, sentences):
            return [[2, 5, 2, 1]]  # word 2 below a fifth one that is not there, and word 4 far away

    tree = sentence([2, 0, 2, 2], tags=["DET", "VERB", "ADP", "NOUN"])
    [found] = example("rnng").usual_phrases(Heads(), [tree])
    assert found == {(0, 4, "VERB"), (0, 4, "DET")}


def test_the_longest_beginning_and_ending_are_put_together(example):
    analogy = example("baselines").Analogy([("bat", [["B", "A", "T"]]), ("cold", [["K", "O", "L", "D"]])])
    assert list(analogy.speak(["bald"])) == [("bald", ["B", "A", "L", "D"])]


def test_paths_lead_over_the_lowest_word_above_both(example):
    hypernyms = example("hypernyms")
    words = sentence([2, 0, 2, 3], tags=["NOUN", "VERB", "ADP", "NOUN"], lemmas=list("avpb"))
    found = {(first, second): path for first, second, path in hypernyms.paths(words)}
    assert found.keys() == {("a", "b"), ("b", "a")}
    assert [(step.lemma, step.way) for step in found["a", "b"]] == [
        ("X", "up"),
        ("v", "turn"),
        ("p", "down"),
        ("Y", "down"),
    ]


def test_hard_attention_sums_over_all_monotone_ways(example):
    pronunciation = example("pronunciation")
    letters = dy.data.Vocabulary(list("abc"), special=[pronunciation.END])
    phonemes = dy.data.Vocabulary(list("AB"), unknown=None, special=[pronunciation.END])
    dy.reset_random_seed(1)
    speaker = pronunciation.Hard(letters, phonemes, dy.ParameterCollection(), size=4).eval()
    speaker.jump.table.init_from_array(np.arange(6.0).reshape(6, 1) / 3)
    memory = speaker.read("ab")  # three letters, with the end
    written, targets = speaker.writer(speaker.phonemes([0, 1])), [1, 0]
    loss = speaker.follow(memory, written, targets).value()
    chances = speaker.chances(memory, written).npvalue()
    first, steps = (each.npvalue() for each in speaker.jumps(3))
    assert np.exp(first).sum() == pytest.approx(1)
    ways = [
        first[a] + steps[b, a] + chances[1, a] + chances[0, 3 + b]
        for a, b in itertools.product(range(3), repeat=2)
    ]
    assert loss == pytest.approx(-math.log(sum(map(math.exp, ways))), rel=1e-5)
    # Step by step, as the search goes, it is the same sum.
    state, total, before = speaker.start(memory), 0.0, 0
    for target in targets:
        found, state = speaker.step(before, state)
        assert np.exp(found.npvalue()).sum() == pytest.approx(1, rel=1e-5)
        total, before = total - found.npvalue()[target], target
    assert total == pytest.approx(loss, rel=1e-5)
