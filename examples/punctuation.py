"""Puts commas, full stops and capitals back into a text that has lost them, with a BiLSTM or a Transformer.

What speech recognisers give is a row of small words. Each word gets two answers: which mark follows it, and
whether it begins with a capital. Verses are joined, so that where one ends has to be found, too.
"""

import collections

import options
from data import english_verses

import dynet as dy

MARKS = ["", ",", ".", ";", ":", "?", "!", "—"]
LENGTH = 50  # words of a piece


def pieces(verses):
    """The text in pieces: lists of (small word, the mark after it, whether it had a capital)."""
    words = []
    for token in (token for verse in verses for token in verse):
        if token[0].isalnum():
            words.append((token.lower(), "", token[0].isupper()))
        elif words and token in MARKS:
            words[-1] = (words[-1][0], token, words[-1][2])
    return [words[start : start + LENGTH] for start in range(0, len(words), LENGTH)]


class Restorer(dy.nn.Module):
    """Words in their context, with a score of each mark, and one of a capital."""

    def __init__(self, words, kind, model, size=128, dropout=0.3):
        super().__init__(model)
        self.words = dy.nn.Embedding(words, size, self.model, dropout=dropout)
        if kind == "lstm":
            self.context = dy.nn.BiLSTM(size, size, self.model, dropout=dropout)
        else:
            self.context = dy.nn.TransformerEncoder(
                2, size, 4, 2 * size, self.model, dropout=dropout / 2, rotary=True
            )
        self.marks = dy.nn.Linear(size, len(MARKS), self.model)
        self.capitals = dy.nn.Linear(size, 2, self.model)

    def __call__(self, words):
        """Scores (8, n) of the marks, and (2, n) of small and capital letters."""
        x = self.context(self.words(words))
        return self.marks(x), self.capitals(x)

    def loss(self, piece):
        words, marks, capitals = zip(*piece, strict=True)
        of_marks, of_capitals = self(words)
        return dy.losses.cross_entropy(of_marks, list(map(MARKS.index, marks))) + dy.losses.cross_entropy(
            of_capitals, list(map(int, capitals))
        )

    def restore(self, texts):
        """For each list of small words one of (mark, capital)."""
        for start in range(0, len(texts), 32):
            dy.renew_cg()
            scores = [self(words) for words in texts[start : start + 32]]
            dy.forward([each for both in scores for each in both])
            for marks, capitals in scores:
                rows, is_capital = marks.npvalue().argmax(0), capitals.npvalue().argmax(0)
                yield [(MARKS[row], bool(c)) for row, c in zip(rows, is_capital, strict=True)]


class Usual:
    """The simple method: what most often comes between a word and the next, or else after the word."""

    def __init__(self, training):
        self.counts = collections.defaultdict(collections.Counter)
        for piece in training:
            words = [word for word, _, _ in piece]
            for keys, (_, mark, capital) in zip(self.keys(words), piece, strict=True):
                for key in keys:
                    self.counts[key][mark] += 1
                self.counts[keys[-1][0], None, None][capital] += 1

    @staticmethod
    def keys(words):
        return [((word, after), (word,)) for word, after in zip(words, [*words[1:], ""], strict=True)]

    def restore(self, texts):
        for words in texts:
            found, begins = [], False
            for keys in self.keys(words):
                mark = next((self.usual(key) for key in keys if key in self.counts), "")
                found.append((mark, begins or bool(self.usual((keys[-1][0], None, None), False))))
                begins = mark in (".", "?", "!")
            yield found

    def usual(self, key, otherwise=""):
        return self.counts[key].most_common(1)[0][0] if key in self.counts else otherwise


def f1(restorer, held_out):
    """F1 of the marks in their places, and of the capitals."""
    found = restorer.restore([[word for word, _, _ in piece] for piece in held_out])
    guesses = [guess for part in found for guess in part]
    golds = [word[1:] for piece in held_out for word in piece]
    scores = []
    for guess, gold in zip(zip(*guesses, strict=True), zip(*golds, strict=True), strict=True):
        right = sum(a == b and bool(a) for a, b in zip(guess, gold, strict=True))
        scores.append(2 * right / max(1, sum(map(bool, guess)) + sum(map(bool, gold))))
    return scores


def written(words, answers):
    """The text with its marks and capitals."""
    pairs = zip(words, answers, strict=True)
    return " ".join((word.capitalize() if capital else word) + mark for word, (mark, capital) in pairs)


def main():
    parser = options.parser(__doc__, epochs=2, batch=8, unit="pieces")
    parser.add_argument("--network", choices=("lstm", "transformer"), default="lstm")
    parser.add_argument(
        "--text", default="in those days paul wrote to timothy do you see the city they said no lord"
    )
    chosen = options.parse(parser)
    training, held_out = map(pieces, english_verses())
    if chosen.smoke:
        training, held_out, chosen.epochs = training[::500], held_out[::30], 1
    words = dy.data.Vocabulary((word for piece in training for word, _, _ in piece), minimum_count=3)
    restorer = Restorer(words, chosen.network, dy.ParameterCollection())
    options.learn(restorer, training, restorer.loss, chosen, rate=0.003)
    restorer.eval()
    for name, method in (("held-out text", restorer), ("baseline, usual between two words", Usual(training))):
        marks, capitals = f1(method, held_out)
        print(f"{name}: F1 of marks {marks:.1%}, of capitals {capitals:.1%}")
    text = chosen.text.split()
    print(written(text, next(restorer.restore([text]))))


if __name__ == "__main__":
    main()
