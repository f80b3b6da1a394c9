"""From the letters of English words to their phonemes, with attention that is soft, or hard and monotone.

Soft attention looks at a mean of all letters. Hard attention looks at one, and never goes back; which one
it was is not told, so that the loss sums over all ways.
"""

import itertools

import numpy as np
import options
from baselines import Analogy
from corpora import errors, pronunciations

import dynet as dy

SIZE, FURTHEST = 96, 4  # jumps over more letters than FURTHEST are as likely as that one
END = "<end>"  # closes a word and, as the first input, opens it


class Speaker(dy.nn.Module):
    """What both have: a BiLSTM reads the letters, an LSTM all phonemes but the last."""

    def __init__(self, letters, phonemes, model, size=SIZE, dropout=0.1):
        super().__init__(model)
        self.known = phonemes
        self.letters = dy.nn.Embedding(letters, size, self.model)
        self.phonemes = dy.nn.Embedding(phonemes, size, self.model)
        self.reader = dy.nn.BiLSTM(size, 2 * size, self.model, dropout=dropout)
        self.writer = dy.nn.LSTM(size, 2 * size, self.model, dropout=dropout)

    def read(self, word):
        """The end of a word is a letter too."""
        return self.reader(self.letters([*word, END]))

    def loss(self, pair):
        word, spoken = pair
        phonemes = self.known.rows([END, *spoken[0], END])
        return self.follow(self.read(word), self.writer(self.phonemes(phonemes[:-1])), phonemes[1:])

    def speak(self, words, width=4):
        """The likeliest pronunciation of each word that a beam of this width finds."""
        with self.evaluating():
            for part in dy.data.batches(words, 200, key=len, shuffle=False):
                dy.renew_cg()
                starts = [self.start(self.read(word)) for word in part]
                ends = {"start": self.known[END], "end": self.known[END]}
                found = dy.decoding.beam_searches(self.step, starts, width=width, longest=30, **ends)
                for word, best in zip(part, found, strict=True):
                    yield word, tuple(self.known.words[row] for row in best[0].words)


class Soft(Speaker):
    """Neural Machine Translation by Jointly Learning to Align and Translate (Bahdanau and others, 2015)."""

    def __init__(self, letters, phonemes, model, size=SIZE):
        super().__init__(letters, phonemes, model, size)
        self.attention = dy.nn.MultiHeadAttention(2 * size, 1, self.model)
        self.output = dy.nn.MLP([4 * size, size, len(phonemes)], self.model, activation="tanh")

    def scores(self, memory, written):
        """A column of scores of the next phoneme for each state of the writer."""
        return self.output(dy.concatenate([written, self.attention(written, memory)]))

    def follow(self, memory, written, phonemes):
        return dy.losses.cross_entropy(self.scores(memory, written), phonemes, reduction="sum")

    def start(self, memory):
        return memory, self.writer.start()

    def step(self, phoneme, state):
        memory, writer = state
        writer = writer.add_input(self.phonemes(phoneme))
        written = dy.reshape(writer.output(), (self.writer.outputs, 1))
        return dy.log_softmax(dy.pick(self.scores(memory, written), 0, 1)), (memory, writer)


class Hard(Speaker):
    """Exact Hard Monotonic Attention for Character-Level Transduction (Wu and Cotterell, 2019), with jumps
    that depend on their width alone: letters are then the tags of a linear chain over phonemes.
    """

    def __init__(self, letters, phonemes, model, size=SIZE):
        super().__init__(letters, phonemes, model, size)
        self.jump = dy.nn.Embedding(FURTHEST + 2, 1, self.model, init=0)
        self.ask = dy.nn.Linear(2 * size, size, self.model)
        self.answer = dy.nn.Linear(2 * size, size, self.model, bias=False)
        self.output = dy.nn.Linear(size, len(phonemes), self.model)

    def chances(self, memory, written):
        """Log-probabilities of phonemes, a column for each letter of each state: (phonemes, letters · n)."""
        asked, answers = self.ask(written), self.answer(memory)
        (size, letters), (_, states) = answers.shape, asked.shape
        both = dy.reshape(answers, (size, letters, 1)) + dy.reshape(asked, (size, 1, states))
        return dy.log_softmax(self.output(dy.reshape(dy.tanh(both), (size, letters * states))))

    def jumps(self, letters):
        """Log-probabilities to begin at each letter, and to go from a letter (a column) to one (a row)."""
        widths = np.arange(letters)[:, None] - np.arange(-1, letters)
        numbers = self.jump(np.clip(widths, -1, FURTHEST).T.ravel() + 1)
        scores = dy.reshape(numbers, widths.shape) + dy.inputTensor(np.where(widths < 0, -np.inf, 0))
        steps = dy.log_softmax(scores)
        return dy.pick(steps, 0, 1), dy.pick_range(steps, 1, letters + 1, 1)

    def follow(self, memory, written, phonemes):
        letters, chances = memory.shape[1], self.chances(memory, written)
        targets = [phoneme for phoneme in phonemes for _ in range(letters)]
        losses = dy.losses.cross_entropy(chances, targets, reduction="none")
        first, steps = self.jumps(letters)
        emissions = dy.reshape(-losses, (letters, len(phonemes)))
        return -dy.structured.LinearChain(emissions, steps, first).log_partition()

    def start(self, memory):
        first, steps = self.jumps(memory.shape[1])
        return memory, dy.transpose(steps), self.writer.start(), None, first

    def step(self, phoneme, state):
        """What a state knows: the letters, the jumps, all that was written, and how likely each letter is."""
        memory, steps, writer, chances, there = state
        if chances is not None:
            there = there + dy.pick(chances, phoneme)
            there = dy.logsumexp_dim(dy.colwise_add(steps, there - dy.logsumexp_dim(there)))
        writer = writer.add_input(self.phonemes(phoneme))
        chances = self.chances(memory, dy.reshape(writer.output(), (self.writer.outputs, 1)))
        found = dy.logsumexp_dim(dy.colwise_add(dy.transpose(chances), there))
        return found, (memory, steps, writer, chances, there)


def main():
    parser = options.parser(__doc__, epochs=1, batch=32, unit="words")
    parser.add_argument("--attention", choices=("soft", "hard"), default="hard")
    chosen = options.parse(parser)

    training, held_out = pronunciations()
    if chosen.smoke:
        training, held_out, chosen.epochs = training[::400], held_out[::100], 1
    letters = dy.data.Vocabulary(itertools.chain(*(word for word, _ in training)), special=[END])
    said = itertools.chain(*(spoken[0] for _, spoken in training))
    phonemes = dy.data.Vocabulary(said, unknown=None, special=[END])
    kind = Hard if chosen.attention == "hard" else Soft
    speaker = kind(letters, phonemes, dy.ParameterCollection())
    options.learn(speaker, training, speaker.loss, chosen, 0.003, key=lambda pair: len(pair[0]))
    right = dict(held_out)
    known = [pair for pair in held_out if all(phoneme in phonemes for phoneme in pair[1][0])]
    print(f"held-out loss of a word {options.mean_loss(speaker, known):.3f}")
    print(f"held-out words: {errors(speaker.speak(list(right)), right)}")
    print(f"by analogy: {errors(Analogy(training).speak(right), right)}")


if __name__ == "__main__":
    main()
