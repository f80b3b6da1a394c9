"""A tagger that is never told a right tag: it draws tags, and hears of each whether it was right.

REINFORCE (Williams 1992): what was drawn becomes likelier by as much as its reward is above the usual one.
The program needs each tag before it can go on; with `run_batched` many sentences wait for theirs together.
"""

import collections
import random

import numpy as np
import options
from baselines import MostFrequentTag
from data import greek_sentences, minibatches
from progress import Progress

import dynet as dy

UNKNOWN = 0  # the row of the table for words that the training data lacks


class Tagger:
    """A BiLSTM reads the words; an LSTM writes tags, and reads each before it writes the next."""

    def __init__(self, sentences, size=96):
        counts = collections.Counter(word.text for words in sentences for word in words)
        self.words = {text: row for row, text in enumerate(counts, start=1)}
        # Endings tell the part of speech of words that were not seen.
        endings = dict.fromkeys(text[-3:] for text in counts)
        self.endings = {text: row for row, text in enumerate(endings, start=1)}
        self.tags = sorted({word.pos for words in sentences for word in words})
        self.parameters = model = dy.ParameterCollection()
        self.word_table = model.add_lookup_parameters((len(self.words) + 1, size))
        self.ending_table = model.add_lookup_parameters((len(self.endings) + 1, size))
        self.tag_table = model.add_lookup_parameters((len(self.tags) + 1, size))  # the last: before the first
        self.reader = dy.BiRNNBuilder(1, size, size, model, dy.VanillaLSTMBuilder)
        self.writer = dy.VanillaLSTMBuilder(1, 2 * size, size, model)
        self.weights = model.add_parameters((len(self.tags), size))
        self.bias = model.add_parameters(len(self.tags), init=0)
        self.usual = 1 / len(self.tags)  # the mean reward of late

    def vector(self, word):
        ending = self.ending_table[self.endings.get(word.text[-3:], UNKNOWN)]
        return self.word_table[self.words.get(word.text, UNKNOWN)] + ending

    def write(self, words, choose):
        """A generator: the logarithm of the chance of each tag that was chosen, and the tags."""
        state, row = self.writer.initial_state(), len(self.tags)
        chances, rows = [], []
        for seen in self.reader.transduce([self.vector(word) for word in words]):
            state = state.add_input(dy.concatenate([seen, self.tag_table[row]]))
            logarithms = dy.log_softmax(dy.affine_transform([self.bias, self.weights, state.output()]))
            yield logarithms
            row = choose(logarithms.npvalue())
            chances.append(dy.pick(logarithms, row))
            rows.append(row)
        return chances, rows

    def loss(self, sentences):
        dy.renew_cg()
        seeds = [random.random() for _ in sentences]  # each sentence draws from a generator of its own

        def attempt(place):
            draw = random.Random(seeds[place])

            def by_chance(logarithms):
                weights = np.exp(logarithms)
                return draw.choices(range(len(weights)), weights)[0]

            return (yield from self.write(sentences[place], by_chance))

        attempts = dy.run_batched(attempt, range(len(sentences)))
        losses, rewards = [], []
        for words, (chances, rows) in zip(sentences, attempts, strict=True):
            for word, chance, row in zip(words, chances, rows, strict=True):
                rewards.append(float(self.tags[row] == word.pos))
                losses.append(chance * (self.usual - rewards[-1]))
        self.usual += 0.1 * (sum(rewards) / len(rewards) - self.usual)
        return dy.esum(losses), sum(rewards)

    def tag(self, sentences):
        dy.renew_cg()

        def best(words):
            _, rows = yield from self.write(words, lambda logarithms: int(logarithms.argmax()))
            return [self.tags[row] for row in rows]

        return dy.run_batched(best, sentences)


def accuracy(tagger, sentences):
    """The share of words that get the right tag."""
    pairs = zip(sentences, tagger.tag(sentences), strict=True)
    right = [word.pos == tag for words, tags in pairs for word, tag in zip(words, tags, strict=True)]
    return sum(right) / len(right)


def main():
    chosen = options.parse(options.parser(__doc__, epochs=6, batch=4, unit="sentences"))
    training, held_out = greek_sentences()
    if chosen.smoke:
        training, held_out, chosen.epochs = training[:100], held_out[:20], 1
    tagger = Tagger(training)
    baseline = accuracy(MostFrequentTag(training, "pos"), held_out)
    if chosen.load:
        tagger.parameters.populate(chosen.load)
        chosen.epochs = 0
    trainer = dy.AdamTrainer(tagger.parameters)
    for epoch in range(chosen.epochs):
        trainer.learning_rate = 0.004 * (1 - epoch / chosen.epochs)
        progress = Progress(f"epoch {epoch + 1}", sum(map(len, training)))
        for batch in minibatches(training, chosen.batch):
            loss, rewards = tagger.loss(batch)
            words = sum(map(len, batch))
            progress.add(words, words - rewards)
            loss.backward()
            trainer.update()
        progress.close(f"held out {accuracy(tagger, held_out):.2%}")
    if chosen.save:
        tagger.parameters.save(chosen.save)
    score = accuracy(tagger, held_out)
    print(f"held-out accuracy {score:.2%}; the most frequent tag of each word, when told, {baseline:.2%}")


if __name__ == "__main__":
    main()
