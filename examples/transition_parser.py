"""A stack-LSTM parser that draws Hebrew dependency trees, one transition at a time.

It looks at its scores before each move, in training as well; `run_batched` lets many sentences wait together.
"""

import collections
import random

import options
from baselines import UsualOffset
from data import dependency_trees, minibatches, projective
from progress import Progress
from transitions import LEFT, RIGHT, SHIFT, Transitions

import dynet as dy

UNKNOWN = 0  # the row of each table for what the training data lacks
FOLLOWED = 0.2  # of its own moves in the end of training; at first all are right


class Parser:
    """Transition-Based Dependency Parsing with Stack Long Short-Term Memory (Dyer et al., 2015)."""

    def __init__(self, sentences, size=96, dropout=0.2):
        self.dropout, self.followed = dropout, 0.0
        self.counts = collections.Counter(word.text for words in sentences for word in words)
        self.texts = {text: row for row, text in enumerate(self.counts, start=1)}
        tags = sorted({word.pos for words in sentences for word in words})
        self.tags = {tag: row for row, tag in enumerate(tags, start=1)}
        self.parameters = model = dy.ParameterCollection()
        self.text_table = model.add_lookup_parameters((len(self.texts) + 1, size))
        self.tag_table = model.add_lookup_parameters((len(self.tags) + 1, size))
        self.move_table = model.add_lookup_parameters((3, size))
        self.root, self.stop = model.add_parameters(size), model.add_parameters(size)
        lstms = [dy.VanillaLSTMBuilder(1, size, size, model) for _ in range(3)]
        self.ahead, self.stack, self.past = self.lstms = lstms
        self.compose = {move: self.layer(2 * size, size) for move in (LEFT, RIGHT)}
        self.hidden, self.output = self.layer(3 * size, size), self.layer(size, 3)

    def layer(self, before, after):
        add = self.parameters.add_parameters
        return add(after, init=0), add((after, before))

    def vector(self, word, training):
        """A word; rare ones are at times unknown in training, to train that row too."""
        rare = training and random.random() < 0.5 / (0.5 + self.counts[word.text])
        row = UNKNOWN if rare else self.texts.get(word.text, UNKNOWN)
        return self.text_table[row] + self.tag_table[self.tags.get(word.pos, UNKNOWN)]

    def run(self, program, sentences, training=False):
        """What a program of one sentence gives for each."""
        dy.renew_cg()
        for lstm in self.lstms:
            lstm.set_dropout(self.dropout if training else 0)
        return dy.run_batched(program, sentences)

    def loss(self, sentences):
        return dy.esum(self.run(self.explore, sentences, training=True))

    def explore(self, words):
        """The loss of the right moves, where some of its own are made: it learns to go on after mistakes."""
        parse, losses = Parse(self, words, training=True), []
        heads, draw = [word.head for word in words], random.Random(random.random())
        while not parse.over():
            scores, right = parse.scores(), parse.right_move(heads)
            losses.append(dy.pickneglogsoftmax(scores, right))
            yield scores
            parse.make(parse.best_move(scores) if draw.random() < self.followed else right)
        return dy.esum(losses)

    def heads(self, sentences):
        """For each sentence the head of each word."""
        return self.run(self.parse, sentences)

    def parse(self, words):
        parse = Parse(self, words, training=False)
        while not parse.over():
            scores = parse.scores()
            yield scores  # other sentences go on until all wait
            parse.make(parse.best_move(scores))
        return [parse.heads[place] for place in range(1, len(words) + 1)]


class Parse(Transitions):
    """A sentence half parsed, and what the network makes of its words, its stack and its past."""

    def __init__(self, model, words, training):
        super().__init__(len(words))
        self.model = model
        # An LSTM reads from the end, so each of its outputs tells of all the words ahead.
        self.vectors = [model.root, *(model.vector(word, training) for word in words), model.stop]
        self.ahead = model.ahead.initial_state().transduce(self.vectors[::-1])[::-1]
        self.past = model.past.initial_state().add_input(model.move_table[SHIFT])
        self.states = [model.stack.initial_state().add_input(model.root)]

    def scores(self):
        """A score of each move."""
        stack, ahead = self.states[-1].output(), self.ahead[self.next]
        seen = dy.concatenate([stack, ahead, self.past.output()])
        hidden = dy.rectify(dy.affine_transform([*self.model.hidden, seen]))
        return dy.affine_transform([*self.model.output, hidden])

    def best_move(self, scores):
        return max(self.moves(), key=scores.vec_value().__getitem__)

    def make(self, move):
        self.past = self.past.add_input(self.model.move_table[move])
        if move != SHIFT:
            head, child = self.stack[-1:-3:-1] if move == LEFT else self.stack[-2:]
            both = dy.concatenate([self.vectors[head], self.vectors[child]])
            vector = dy.tanh(dy.affine_transform([*self.model.compose[move], both]))
            self.vectors[head] = vector
            # States are a tree: to forget what is popped is to go on from the state below it.
            del self.states[-2:]
        super().make(move)
        top = self.vectors[self.stack[-1]]
        below = self.states[-1] if self.states else self.model.stack.initial_state()
        self.states.append(below.add_input(top))


def attachment(parser, sentences):
    """The share of words, punctuation too, that are attached to the right head."""
    right = []
    for words, heads in zip(sentences, parser.heads(sentences), strict=True):
        right += [word.head == head for word, head in zip(words, heads, strict=True)]
    return sum(right) / len(right)


def main():
    chosen = options.parse(options.parser(__doc__, epochs=4, batch=8, unit="sentences"))

    training, held_out = dependency_trees(limit=60 if chosen.smoke else None)
    if chosen.smoke:
        held_out, chosen.epochs = held_out[:20], 1
    baseline = attachment(UsualOffset(training), held_out)
    parser = Parser(training)
    training = list(filter(projective, training))
    if chosen.load:
        parser.parameters.populate(chosen.load)
        chosen.epochs = 0

    trainer = dy.AdamTrainer(parser.parameters)
    for epoch in range(chosen.epochs):
        trainer.learning_rate = 0.002 * (1 - epoch / chosen.epochs)
        parser.followed = FOLLOWED * epoch / chosen.epochs
        progress = Progress(f"epoch {epoch + 1}", sum(map(len, training)))
        for batch in minibatches(training, chosen.batch):
            loss = parser.loss(batch)
            progress.add(sum(map(len, batch)), loss.scalar_value())
            loss.backward()
            trainer.update()
        progress.close(f"held out {attachment(parser, held_out):.1%}")
    if chosen.save:
        parser.parameters.save(chosen.save)
    score = attachment(parser, held_out)
    print(f"held-out words attached right {score:.1%}, usual offset of each tag {baseline:.1%}")


if __name__ == "__main__":
    main()
