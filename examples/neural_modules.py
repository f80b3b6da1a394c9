"""Neural module networks answer questions about pictures: a question's parse is the shape of its network.

Andreas et al. (2016). "is there a red square above a circle" becomes exists(and(red, square,
above(circle))): small networks that look at the nine places of a picture, one for each word. Pictures and
questions are made up here; the answer is all that the modules are told of what their word means.
"""

import collections
import random

import numpy as np
import options
from questions import COLOURS, RELATIONS, SHAPES, parse, question

import dynet as dy

ANSWERS = ["yes", "no", *COLOURS, *SHAPES, *map(str, range(10))]


class Modules(dy.nn.Module):
    """Modules see features of the places of a picture; they pass on a number in [0, 1] for each place."""

    def __init__(self, pixels, model, size=32):
        super().__init__(model)
        self.see = dy.nn.MLP([pixels, size, size], self.model, activate_last=True)
        self.words = dy.nn.Embedding(dy.data.Vocabulary(COLOURS + SHAPES, unknown=None), size, self.model)
        self.moves = {relation: dy.nn.Linear(9, 9, self.model) for relation in RELATIONS}
        self.exists = dy.nn.MLP([9, size, len(ANSWERS)], self.model)
        self.counts = dy.nn.MLP([9, size, len(ANSWERS)], self.model)
        self.tells = {what: dy.nn.Linear(size, len(ANSWERS), self.model) for what in ("colour", "shape")}

    def __call__(self, picture, words):
        """A score of each answer."""
        places = self.see(dy.inputTensor(picture))
        kind, phrase = parse(words)
        looks = self.look(phrase, places)
        if kind in self.tells:
            return self.tells[kind](places * looks)
        return (self.exists if kind == "exists" else self.counts)(dy.sort(looks))

    def look(self, phrase, places):
        """Where what a phrase tells of is: a number for each place."""
        looks = dy.ones(9)
        for word in phrase.words:
            looks = dy.cmult(looks, dy.logistic(dy.transpose(places) * self.words(word)))
        if phrase.relation:
            there = self.look(phrase.other, places)
            looks = dy.cmult(looks, dy.logistic(self.moves[phrase.relation](there)))
        return looks


class Reader(dy.nn.Module):
    """The method without a parse: a BiLSTM reads the question, a perceptron sees it beside the picture."""

    def __init__(self, pixels, model, size=64):
        super().__init__(model)
        known = ["is", "there", "a", "what", "colour", "shape", "the", "how", "many", "are", "thing"]
        known += [word for relation in RELATIONS for word in relation.split()]
        self.see = dy.nn.MLP([pixels, 32, 32], self.model, activate_last=True)
        self.words = dy.nn.Embedding(dy.data.Vocabulary(known + COLOURS + SHAPES), size, self.model)
        self.read = dy.nn.BiLSTM(size, size, self.model)
        self.answer = dy.nn.MLP([9 * 32 + size, 128, len(ANSWERS)], self.model, dropout=0.2)

    def __call__(self, picture, words):
        places = dy.reshape(self.see(dy.inputTensor(picture)), (9 * 32,))
        return self.answer(dy.concatenate([places, self.read.final(self.words(words))]))


def accuracy(network, examples):
    """The share of right answers."""
    right = 0
    for start in range(0, len(examples), 64):
        part = examples[start : start + 64]
        dy.renew_cg()
        scores = dy.npvalues([network(picture, words) for picture, words, _ in part])
        right += sum(ANSWERS[s.argmax()] == answer for s, (_, _, answer) in zip(scores, part, strict=True))
    return right / len(examples)


def usual_answers(training, held_out):
    """The share that is right if every question gets the answer that is usual after its first two words."""
    counts = collections.defaultdict(collections.Counter)
    for _, words, answer in training:
        counts[tuple(words[:2])][answer] += 1
    guesses = {start: answers.most_common(1)[0][0] for start, answers in counts.items()}
    return np.mean([guesses.get(tuple(words[:2])) == answer for _, words, answer in held_out])


def main():
    parser = options.parser(__doc__, epochs=10, batch=16, unit="questions")
    parser.add_argument("--network", choices=("modules", "lstm"), default="modules")
    parser.add_argument("--questions", type=int, default=20_000, help="how many to learn from")
    chosen = options.parse(parser)
    count = 1000
    if chosen.smoke:
        chosen.questions, count, chosen.epochs = 100, 20, 1
    draw = random.Random(chosen.seed)
    training = [question(draw, depth=draw.choice((0, 1))) for _ in range(chosen.questions)]
    held_out = [question(draw, depth=draw.choice((0, 1))) for _ in range(count)]
    deeper = [question(draw, depth=2) for _ in range(count)]  # with one "above" or "left of" more
    network = {"modules": Modules, "lstm": Reader}[chosen.network](
        len(training[0][0]), dy.ParameterCollection()
    )

    def loss(example):
        picture, words, answer = example
        return dy.losses.cross_entropy(network(picture, words), ANSWERS.index(answer))

    options.learn(network, training, loss, chosen, rate=0.004)
    network.eval()
    for name, examples in (("held-out questions", held_out), ("held-out questions, deeper", deeper)):
        usual = usual_answers(training, examples)
        print(f"{name}: {accuracy(network, examples):.1%} right, the usual answer {usual:.1%}")


if __name__ == "__main__":
    main()
