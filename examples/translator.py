"""A Transformer translates Greek verses into English, beside the LSTM with attention of attention.py.

Vaswani et al. (2017). A verse is read at once, column by column of a matrix, without padding; in decoding
keys and values are kept, so that a word costs one column, and a beam search writes many verses in one
evaluation.
"""

import collections
import math

import options
from attention import END, UNKNOWN, Translator, table
from baselines import unigram_and_bigram
from chrf import chrf
from data import aligned_verses

import dynet as dy


class Transformer(dy.nn.Module):
    """An encoder over Greek lemmas and their forms, a decoder over English words."""

    def __init__(self, pairs, rows, model, size=128, layers=2, dropout=0.1):
        super().__init__(model)
        self.rows, self.size = rows, size
        greek = [word for pair in pairs for word in pair.greek]
        self.lemmas = table(word.lemma for word in greek)
        self.morphs = table(word.morph for word in greek)
        start = dy.NormalInitializer(0, 1 / size)  # so that words are not lost beside the positions
        self.lemma, self.morph, self.english = (
            dy.nn.Embedding(len(items), size, self.model, init=start)
            for items in (self.lemmas, self.morphs, rows)
        )
        self.places = dy.nn.SinusoidalPositions(size)
        self.dropped = dy.nn.Dropout(dropout)
        shape = layers, size, 4, 2 * size, self.model, dropout
        self.encoder, self.decoder = dy.nn.TransformerEncoder(*shape), dy.nn.TransformerDecoder(*shape)
        self.output = dy.nn.Linear(size, len(rows), self.model)

    def read(self, greek):
        """A column for each Greek word."""
        lemmas = self.lemma([self.lemmas.get(word.lemma, 0) for word in greek])
        morphs = self.morph([self.morphs.get(word.morph, 0) for word in greek])
        return self.encoder(self.placed(lemmas + morphs))

    def placed(self, x, start=0):
        return self.dropped(self.places(x * math.sqrt(self.size), start=start))

    def loss(self, pair):
        """The loss of the words of the translation that is given, and of its END."""
        rows = [self.rows[word] for word in [END, *pair.english, END]]
        seen = self.decoder(self.placed(self.english(rows[:-1])), self.read(pair.greek))
        return dy.losses.cross_entropy(self.output(seen), rows[1:], reduction="sum")

    def step(self, row, state):
        """The log-probabilities of the word after one more word, and the state."""
        seen, after = self.decoder.step(self.placed(self.english([row]), start=state.length), state)
        return dy.log_softmax(self.output(seen)), after

    def translations(self, verses, width=4):
        """The translation of each verse that a beam finds."""
        words = list(self.rows)
        dy.renew_cg()
        states = [self.decoder.start(self.read(greek)) for greek in verses]
        longest = 2 * max(map(len, verses)) + 5
        end = self.rows[END]
        found = dy.decoding.beam_searches(
            self.step, states, start=end, end=end, width=width, longest=longest, length_penalty=1.0
        )
        return [" ".join(words[row] for row in beam[0].words) for beam in found]


class LSTM(Translator):
    """The model of attention.py, in the words of this program."""

    def __init__(self, pairs, rows):
        super().__init__(pairs, rows)
        self.model, self.training = self.parameters, True

    def loss(self, pair):
        return dy.esum([loss for loss, _ in self.follow(pair, training=self.training)])

    def eval(self):
        self.training = False


class WordForWord:
    """The simple method: the English word that each Greek lemma is mostly linked to."""

    def __init__(self, pairs):
        counts = collections.defaultdict(collections.Counter)
        for pair in pairs:
            for english, greek in pair.links:
                counts[pair.greek[greek].lemma][pair.english[english]] += 1
        self.words = {lemma: words.most_common(1)[0][0] for lemma, words in counts.items()}

    def translations(self, verses):
        return [" ".join(self.words.get(word.lemma, "") for word in greek) for greek in verses]


def perplexity(model, pairs):
    """Of the words of the translations, and of their ends."""
    total = 0.0
    for pair in pairs:
        dy.renew_cg()
        total += float(model.loss(pair).value())
    return math.exp(total / sum(len(pair.english) + 1 for pair in pairs))


def main():
    parser = options.parser(__doc__, epochs=4, batch=8, unit="verses")
    parser.add_argument("--network", choices=("transformer", "lstm"), default="transformer")
    parser.add_argument("--verses", type=int, default=150, help="how many held-out verses to translate")
    chosen = options.parse(parser)
    training, held_out = aligned_verses()
    if chosen.smoke:
        training, held_out, chosen.epochs, chosen.verses = training[:60], held_out[:10], 1, 2
    simple, some = WordForWord(training), held_out[: chosen.verses]
    references = [" ".join(pair.english) for pair in some]
    rows = table((word for pair in training for word in pair.english), least=3)
    for words in (pair.english for part in (training, held_out) for pair in part):
        words[:] = [word if word in rows else UNKNOWN for word in words]
    both = ([[END, *pair.english, END] for pair in part] for part in (training, held_out))
    _, bigram = unigram_and_bigram(*both)
    if chosen.network == "lstm":
        model = LSTM(training, rows)
    else:
        model = Transformer(training, rows, dy.ParameterCollection())
    options.learn(model, training, model.loss, chosen, rate=0.002)
    model.eval()
    print(f"held-out verses: perplexity {perplexity(model, held_out):.1f}, word pairs {bigram:.1f}")
    verses = [pair.greek for pair in some]
    translations = model.translations(verses)
    print(f"held-out verses, translated: chrF {chrf(translations, references):.1f}")
    print(f"baseline, word for word: chrF {chrf(simple.translations(verses), references):.1f}")
    for shown in sorted(range(len(some)), key=lambda number: abs(len(some[number].english) - 14))[:2]:
        print(f"by people: {references[shown]}\nby the model: {translations[shown]}")


if __name__ == "__main__":
    main()
