"""An easy-first parser of Hebrew: of all arcs between neighbours it draws the surest one, again and again.

It looks at its scores before each arc, in training as well; `run_batched` lets many sentences wait together.
"""

import random
import typing

import options
from baselines import UsualOffset
from corpora import dependents, heads, treebank
from transitions import EasyFirst

import dynet as dy

LEFT, RIGHT = range(2)  # which of the two neighbours is hung below the other
FOLLOWED = 0.1  # of its own wrong arcs in training, so that it learns to go on after mistakes


class Item(typing.NamedTuple):
    """A tree that has no head yet: the place of its top word, what its LSTMs have read, and its vector."""

    place: int
    left: typing.Any
    right: typing.Any
    vector: dy.Expression


class Parser(dy.nn.Module):
    """Easy-First Dependency Parsing with Hierarchical Tree LSTMs (Kiperwasser and Goldberg, 2016).

    A tree is read by two LSTMs: each begins with its top word, one goes on with the trees that hang to the
    left of it, the other with those to the right, from the nearest on.
    """

    def __init__(self, words, tags, model, size=64, dropout=0.2):
        super().__init__(model)
        self.words = dy.nn.Embedding(words, size, self.model)
        self.tags = dy.nn.Embedding(tags, size, self.model)
        self.context = dy.nn.BiLSTM(2 * size, 2 * size, self.model, dropout=dropout)
        self.root, self.edge = (self.model.add_parameters(2 * size) for _ in range(2))
        self.left, self.right = (dy.nn.LSTM(2 * size, size, self.model) for _ in range(2))
        self.scorer = dy.nn.MLP([8 * size, size, 2], self.model, activation="tanh")

    def item(self, place, left, right):
        return Item(place, left, right, dy.concatenate([left.output(), right.output()]))

    def items(self, sentence):
        """The root and the words, each a tree of its own."""
        words = self.words([word.form for word in sentence])
        tags = self.tags([word.upos for word in sentence])
        vectors = self.context(dy.concatenate([words, tags]))
        tops = [self.root, *(dy.pick(vectors, place, 1) for place in range(len(sentence)))]
        starts = self.left.start(), self.right.start()
        return [
            self.item(place, *(start.add_input(top) for start in starts)) for place, top in enumerate(tops)
        ]

    def attached(self, head, child, side):
        """The tree of `head` with one more tree below it."""
        if side == LEFT:
            return self.item(head.place, head.left.add_input(child.vector), head.right)
        return self.item(head.place, head.left, head.right.add_input(child.vector))

    def pair_scores(self, items, place):
        """The scores of both arcs between two neighbours, seen with the trees beside them."""
        window = [items[i].vector if 0 <= i < len(items) else self.edge for i in range(place - 1, place + 3)]
        return self.scorer(dy.concatenate(window))

    def arcs(self, sentence, gold=None):
        """A generator for run_batched. It gives the head of each word; with those of `gold` the loss, too."""
        items, scores, values = self.items(sentence), [None] * len(sentence), [None] * len(sentence)
        found, losses, draw = [0] * len(sentence), [], random.Random(len(sentence))
        oracle = gold and EasyFirst(gold)
        while len(items) > 1:
            new = [place for place, score in enumerate(scores) if score is None]
            for place in new:
                scores[place] = self.pair_scores(items, place)
            yield [scores[place] for place in new]
            for place in new:
                values[place] = scores[place].vec_value()
            # The root takes one tree, in the end, and is hung below none.
            free = range(1, len(scores)) if len(scores) > 1 else ()
            legal = [(place, side) for place in free for side in (LEFT, RIGHT)] or [(0, RIGHT)]
            best = max(legal, key=lambda arc: values[arc[0]][arc[1]])
            if gold:
                right = [arc for arc in legal if oracle.allows(*places(items, *arc))]
                wrong = [arc for arc in legal if arc not in right]
                if right and wrong:
                    first, other = (max(each, key=lambda a: values[a[0]][a[1]]) for each in (right, wrong))
                    if values[first[0]][first[1]] < values[other[0]][other[1]] + 1:
                        losses.append(1 + scores[other[0]][other[1]] - scores[first[0]][first[1]])
                    best = best if draw.random() < FOLLOWED else first
            place, side = best
            head, child = places(items, place, side)
            found[child - 1] = head
            if gold:
                oracle.attach(child)
            pair = items[place : place + 2]
            items[place : place + 2] = [self.attached(*(pair[::-1] if side == LEFT else pair), side)]
            del scores[place], values[place]
            for changed in range(max(0, place - 2), min(len(scores), place + 2)):
                scores[changed] = None
        return dy.esum(losses) if losses else dy.zeros(1) if gold else found

    def loss(self, sentences):
        return dy.esum(dy.run_batched(self.explore, sentences))

    def explore(self, sentence):
        return (yield from self.arcs(sentence, heads(sentence)))

    def heads(self, sentences):
        """For each sentence the head of each word."""
        dy.renew_cg()
        with self.evaluating():
            return dy.run_batched(self.arcs, sentences)


def places(items, place, side):
    """The words that an arc has as head and as child."""
    left, right = items[place].place, items[place + 1].place
    return (right, left) if side == LEFT else (left, right)


def attachment(found, sentences):
    """The share of words, punctuation too, that are attached to the right head."""
    right = [head for sentence in sentences for head in heads(sentence)]
    return sum(a == b for a, b in zip(right, (h for one in found for h in one), strict=True)) / len(right)


def main():
    chosen = options.parse(options.parser(__doc__, epochs=3, batch=16, unit="sentences"))

    training, held_out = treebank(chosen.smoke)
    chosen.epochs = 1 if chosen.smoke else chosen.epochs
    tokens = [word for sentence in training for word in sentence]
    words = dy.data.Vocabulary((word.form for word in tokens), minimum_count=2)
    tags = dy.data.Vocabulary(word.upos for word in tokens)
    parser = Parser(words, tags, dy.ParameterCollection())
    options.learn(parser, training, parser.loss, chosen, 0.002, batched=True, reduction="sum")
    score = attachment(parser.heads(held_out), held_out)
    usual = UsualOffset(list(map(dependents, training))).heads(list(map(dependents, held_out)))
    baseline = attachment(usual, held_out)
    print(f"held-out words attached right {score:.1%}, usual offset of each tag {baseline:.1%}")


if __name__ == "__main__":
    main()
