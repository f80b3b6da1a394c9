"""An LSTM language model of the English Bible, trained in minibatches and sampled from."""

import collections
import itertools
import math
import random

import options
from baselines import unigram_and_bigram
from data import english_verses
from progress import Progress

import dynet as dy

END, UNKNOWN = "<end>", "<unknown>"  # END closes a verse and, as the first input, opens it


class LanguageModel:
    """Predicts every word of a verse from those before it."""

    def __init__(self, vocabulary, size=160, dropout=0.2):
        self.vocabulary = vocabulary
        self.dropout = dropout
        self.parameters = dy.ParameterCollection()
        self.table = self.parameters.add_lookup_parameters((len(vocabulary), size))
        self.lstm = dy.VanillaLSTMBuilder(1, size, size, self.parameters)
        self.weights = self.parameters.add_parameters((len(vocabulary), size))
        self.bias = self.parameters.add_parameters(len(vocabulary), init=0)

    def loss(self, verses, training=False):
        """The summed loss of verses of one length, lists of rows, computed as one minibatch."""
        dy.renew_cg()
        self.lstm.set_dropout(self.dropout if training else 0)
        state = self.lstm.initial_state()
        losses = []
        # The words at one place of all the verses go through each operation together.
        for inputs, targets in itertools.pairwise(zip(*verses, strict=True)):
            state = state.add_input(dy.lookup_batch(self.table, inputs))
            scores = self.scores(state)
            losses.append(dy.pickneglogsoftmax_batch(scores, targets))
        return dy.sum_batches(dy.esum(losses))

    def scores(self, state):
        return dy.affine_transform([self.bias, self.weights, state.output()])

    def sample(self, longest=40):
        """A verse drawn word by word from the model's own predictions."""
        dy.renew_cg()
        self.lstm.set_dropout(0)
        state = self.lstm.initial_state()
        row, words = 0, []
        while len(words) < longest:
            state = state.add_input(self.table[row])
            chances = dy.softmax(self.scores(state)).npvalue()
            row = random.choices(range(len(self.vocabulary)), chances)[0]
            if self.vocabulary[row] == END:
                break
            words.append(self.vocabulary[row])
        return " ".join(words)


def verses_in_rows(smoke):
    """The vocabulary, and training and held-out verses as lists of its rows, between two ENDs."""
    training, held_out = english_verses()
    if smoke:
        training, held_out = training[:300], held_out[:30]
    counts = collections.Counter(word for verse in training for word in verse)
    vocabulary = [END, UNKNOWN, *(word for word, count in counts.items() if count >= 5)]
    rows = {word: row for row, word in enumerate(vocabulary)}

    def in_rows(verse):
        return [rows[END], *(rows.get(word, rows[UNKNOWN]) for word in verse), rows[END]]

    return vocabulary, *([in_rows(verse) for verse in part] for part in (training, held_out))


def batches(verses, size):
    """Shuffled minibatches of verses of equal length, which need no padding and no mask."""
    by_length = collections.defaultdict(list)
    for verse in random.sample(verses, len(verses)):
        by_length[len(verse)].append(verse)
    groups = by_length.values()
    cut = [group[i : i + size] for group in groups for i in range(0, len(group), size)]
    return random.sample(cut, len(cut))


def predictions(batch):
    """How many words a batch predicts: all but the END that opens each verse."""
    return sum(len(verse) - 1 for verse in batch)


def perplexity(model, verses):
    """Of how many equally likely words the model would be as unsure, a word on average."""
    loss = sum(model.loss(batch).scalar_value() for batch in batches(verses, 64))
    return math.exp(loss / predictions(verses))


def main():
    chosen = options.parse(options.parser(__doc__, epochs=2, batch=16, unit="verses"))

    vocabulary, training, held_out = verses_in_rows(chosen.smoke)
    chosen.epochs = 1 if chosen.smoke else chosen.epochs
    model = LanguageModel(vocabulary)
    unigram, bigram = unigram_and_bigram(training, held_out)
    print(f"{len(vocabulary)} words; perplexity unigram {unigram:.1f}, bigram {bigram:.1f}")
    if chosen.load:
        model.parameters.populate(chosen.load)
        chosen.epochs = 0

    trainer = dy.AdamTrainer(model.parameters, 0.002)
    for epoch in range(chosen.epochs):
        progress = Progress(f"epoch {epoch + 1}", predictions(training))
        trainer.learning_rate = 0.002 * (1 - epoch / chosen.epochs)
        for batch in batches(training, chosen.batch):
            loss = model.loss(batch, training=True)
            progress.add(predictions(batch), loss.scalar_value())
            loss.backward()
            trainer.update()
        progress.close(f"held-out perplexity {perplexity(model, held_out):.1f}")
    if chosen.save:
        model.parameters.save(chosen.save)
    print(f"held-out perplexity {perplexity(model, held_out):.1f}")
    for _ in range(3):
        print(model.sample())


if __name__ == "__main__":
    main()
