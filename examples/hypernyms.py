"""Tells whether one Turkish noun is a kind of another, from the paths between the two in syntax trees."""

import collections
import itertools
import random
import typing

import options
from corpora import hypernyms, turkish_sentences

import dynet as dy

LONGEST, RATIO = 6, 4  # words of a path; pairs that are not related for each one that is


class Step(typing.NamedTuple):
    """A word of a path: lemma, part of speech and relation, and whether the way goes up, down, or turns."""

    lemma: str
    pos: str
    relation: str
    way: str


def is_noun(word):
    return word.upos == "NOUN" and word.lemma != "_"  # "_": a part of a word whose lemma stands elsewhere


def paths(sentence):
    """The path between each two nouns of a sentence, as (noun, other noun, list of Step)."""
    above = [-1, *(int(word.head) for word in sentence)]

    def upwards(place):
        return [] if place < 1 else [place, *upwards(above[place])]

    nouns = [place for place, word in enumerate(sentence, start=1) if is_noun(word)]
    for first, second in itertools.permutations(nouns, 2):
        ups, downs = upwards(first), upwards(second)
        top = next(place for place in ups if place in downs)  # All have the root above them.
        up, down = ups[: ups.index(top)], downs[: downs.index(top)][::-1]
        ways = [(place, "up") for place in up] + [(top, "turn")] + [(place, "down") for place in down]
        if len(ways) <= LONGEST:
            lemmas = {first: "X", second: "Y"}  # The nouns themselves are no part of the way.
            steps = [(lemmas.get(place), sentence[place - 1], way) for place, way in ways]
            path = [Step(end or word.lemma, word.upos, word.deprel, way) for end, word, way in steps]
            yield sentence[first - 1].lemma.lower(), sentence[second - 1].lemma.lower(), path


class Pair(typing.NamedTuple):
    """Two nouns, the paths between them, and whether the second is above the first."""

    lower: str
    upper: str
    paths: list
    related: bool


def pairs(sentences, draw):
    """Pairs of nouns of the same sentences, RATIO of them unrelated for each that is related."""
    found = collections.defaultdict(list)
    for sentence in sentences:
        for lower, upper, path in paths(sentence):
            found[lower, upper].append(path)
    related = hypernyms(noun for nouns in found for noun in nouns)
    known = [pair for pair in found if pair[0] != pair[1] and pair[0] in related and pair[1] in related]
    every = [Pair(*nouns, found[nouns], nouns[1] in related[nouns[0]]) for nouns in known]
    right = [pair for pair in every if pair.related]
    wrong = [pair for pair in every if not pair.related]
    return right + draw.sample(wrong, min(len(wrong), RATIO * len(right)))


class Judge(dy.nn.Module):
    """Improving Hypernymy Detection with an Integrated Path-based and Distributional Method (Shwartz and
    others, 2016): the part that reads paths.
    """

    def __init__(self, steps, model, size=32, dropout=0.3):
        super().__init__(model)
        self.steps = [dy.nn.Embedding(each, size // 2, self.model, dropout=dropout) for each in steps]
        self.reader = dy.nn.LSTM(2 * size, 2 * size, self.model)
        self.output = dy.nn.MLP([2 * size, size, 2], self.model, activation="tanh", dropout=dropout)

    def path(self, path):
        """What the LSTM makes of a path."""
        fields = zip(self.steps, zip(*path, strict=True), strict=True)
        return self.reader.final(dy.concatenate([table(list(values)) for table, values in fields]))

    def scores(self, pair):
        """Scores of not related, and of related, from the mean of all paths."""
        return self.output(dy.average([self.path(path) for path in pair.paths]))

    def loss(self, pair):
        # The related are few: each counts as much as those that are not.
        return dy.losses.cross_entropy(self.scores(pair), int(pair.related)) * (RATIO if pair.related else 1)

    def judge(self, pairs):
        dy.renew_cg()
        with self.evaluating():
            return [scores.argmax() == 1 for scores in dy.npvalues(list(map(self.scores, pairs)))]


def f1(answers, pairs):
    """The harmonic mean of the share of related pairs found and the share of what was found that is."""
    right = sum(answer and pair.related for answer, pair in zip(answers, pairs, strict=True))
    return 2 * right / max(1, sum(answers) + sum(pair.related for pair in pairs))


def main():
    chosen = options.parse(options.parser(__doc__, epochs=6, batch=32, unit="pairs"))

    sentences = list(turkish_sentences())
    if chosen.smoke:
        sentences, chosen.epochs = sentences[:200], 1
    every = pairs(sentences, random.Random(1))
    # Nouns that are above others are mostly so: those of held-out pairs are new, so that only paths can help.
    uppers = sorted({pair.upper for pair in every})
    new = set(random.Random(2).sample(uppers, len(uppers) // 5))
    training = [pair for pair in every if pair.upper not in new]
    held_out = [pair for pair in every if pair.upper in new]
    steps = [step for pair in training for path in pair.paths for step in path]
    fields = [dy.data.Vocabulary(values, minimum_count=20) for values in zip(*steps, strict=True)]
    judge = Judge(fields, dy.ParameterCollection())
    options.learn(judge, training, judge.loss, chosen, 0.003)
    score, baseline = f1(judge.judge(held_out), held_out), f1([True] * len(held_out), held_out)
    print(f"{len(training)} pairs to learn from, {sum(pair.related for pair in training)} of them related")
    print(f"held-out loss of a pair, related ones fourfold, {options.mean_loss(judge, held_out):.4f}")
    print(f"held-out pairs: F1 {score:.1%}, always yes {baseline:.1%}")


if __name__ == "__main__":
    main()
