"""A recurrent neural network grammar that draws phrases over Hebrew sentences, from the top down.

The phrases are made of a dependency treebank: a word with all that hangs on it, named by its part of speech.
"""

import options
from baselines import UsualOffset
from corpora import REDUCE, SHIFT, dependents, phrases, spans, treebank
from data import projective

import dynet as dy

MOST_OPEN = 40


class Grammar(dy.nn.Module):
    """Recurrent Neural Network Grammars (Dyer and others, 2016), the discriminative one."""

    def __init__(self, words, tags, moves, model, size=96, dropout=0.2):
        super().__init__(model)
        self.known_moves = moves
        self.words = dy.nn.Embedding(words, size, self.model)
        self.tags = dy.nn.Embedding(tags, size, self.model)
        self.moves = dy.nn.Embedding(moves, size, self.model)
        self.names = dy.nn.Embedding(moves, size, self.model)
        self.context = dy.nn.BiLSTM(2 * size, size, self.model, dropout=dropout)
        self.stack, self.past = (dy.nn.LSTM(size, size, self.model, dropout=dropout) for _ in range(2))
        self.whole = dy.nn.BiLSTM(size, size, self.model)
        self.bottom = self.model.add_parameters(size, name="bottom")
        self.output = dy.nn.MLP([3 * size, size, len(moves)], self.model, dropout=dropout)

    def loss(self, sentence):
        parse, wanted = Parse(self, sentence), phrases(sentence)
        losses = []
        for move in wanted:
            losses.append(dy.losses.cross_entropy(parse.scores(), self.known_moves[move]))
            parse.make(move)
        return dy.esum(losses)

    def draw(self, sentence):
        """A generator for run_batched: the likeliest moves, one after another."""
        parse, names = Parse(self, sentence), self.known_moves.words
        while not parse.over():
            scores = parse.scores()
            yield scores
            values = scores.vec_value()
            allowed = [row for row, move in enumerate(names) if parse.allows(move)]
            parse.make(names[max(allowed, key=values.__getitem__)])
        return parse.made

    def phrases(self, sentences):
        dy.renew_cg()
        with self.evaluating():
            return [spans(moves) for moves in dy.run_batched(self.draw, sentences)]


class Parse:
    """Phrases half drawn: the words ahead, a stack of words, of whole phrases and of names of open ones."""

    def __init__(self, model, sentence):
        self.model, self.made, self.next = model, [], 0
        words = model.words([word.form for word in sentence])
        tags = model.tags([word.upos for word in sentence])
        vectors = model.context(dy.concatenate([words, tags]))
        self.ahead = [dy.pick(vectors, place, 1) for place in range(len(sentence))]
        self.past = model.past.start().add_input(model.bottom)
        self.states = [model.stack.start().add_input(model.bottom)]
        self.stack, self.opened = [], []  # vectors; where open phrases begin in the stack

    def over(self):
        return bool(self.made) and not self.opened

    def allows(self, move):
        left = self.next < len(self.ahead)
        if move == SHIFT:
            return left and bool(self.opened)
        if move == REDUCE:  # A phrase has two parts, but where words have run out; the first has all words.
            parts = len(self.stack) - self.opened[-1] - 1 if self.opened else 0
            return parts >= (2 if left else 1) and (len(self.opened) > 1 or not left)
        return left and len(self.opened) < MOST_OPEN

    def scores(self):
        following = self.ahead[self.next] if self.next < len(self.ahead) else self.model.bottom
        return self.model.output(dy.concatenate([self.states[-1].output(), self.past.output(), following]))

    def make(self, move):
        self.made.append(move)
        self.past = self.past.add_input(self.model.moves(move))
        if move == SHIFT:
            vector = self.ahead[self.next]
            self.next += 1
        elif move == REDUCE:
            first = self.opened.pop()
            vector = self.model.whole.final(self.stack[first:])  # its name, and what is in it
            del self.stack[first:], self.states[first + 1 :]
        else:
            self.opened.append(len(self.stack))
            vector = self.model.names(move)
        self.stack.append(vector)
        self.states.append(self.states[-1].add_input(vector))


def usual_phrases(usual, sentences):
    """For each sentence the phrases of trees that hang each word as far away as its tag mostly is."""
    for sentence, above in zip(sentences, usual.heads(list(map(dependents, sentences))), strict=True):
        below = {place: {place} for place in range(1, len(sentence) + 1)}
        for place in list(below):
            head = above[place - 1]
            while head in below and place not in below[head]:  # It may lead outside, or go round.
                below[head].add(place)
                head = above[head - 1]
        phrases = ((min(every) - 1, max(every), top) for top, every in below.items() if len(every) > 1)
        yield {(first, end, sentence[top - 1].upos) for first, end, top in phrases}


def f1(found, sentences):
    """The harmonic mean of the share of phrases found and the share of what was found that is right."""
    gold = [spans(phrases(sentence)) for sentence in sentences]
    right = sum(len(a & b) for a, b in zip(gold, found, strict=True))
    return 2 * right / (sum(map(len, gold)) + sum(map(len, found)))


def main():
    chosen = options.parse(options.parser(__doc__, epochs=3, batch=16, unit="sentences"))

    training, held_out = (
        [sentence for sentence in part if len(sentence) > 1 and projective(dependents(sentence))]
        for part in treebank(chosen.smoke)
    )
    chosen.epochs = 1 if chosen.smoke else chosen.epochs
    tokens = [word for sentence in training for word in sentence]
    words = dy.data.Vocabulary((word.form for word in tokens), minimum_count=2)
    tags = dy.data.Vocabulary(word.upos for word in tokens)
    moves = dy.data.Vocabulary((move for part in training for move in phrases(part)), unknown=None)
    grammar = Grammar(words, tags, moves, dy.ParameterCollection())
    options.learn(grammar, training, grammar.loss, chosen, 0.002)
    usual = UsualOffset(list(map(dependents, training)))
    baseline = f1(list(usual_phrases(usual, held_out)), held_out)
    score = f1(grammar.phrases(held_out), held_out)
    print(f"held-out phrases: F1 {score:.1%}, usual offset of each tag {baseline:.1%}")


if __name__ == "__main__":
    main()
