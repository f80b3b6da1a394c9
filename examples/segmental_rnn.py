"""A segmental RNN that finds the words in English letters written without spaces."""

import itertools
import random

import options
from baselines import LongestMatch
from data import english_verses, minibatches
from progress import Progress

import dynet as dy

LONGEST = 12  # letters of a word; longer ones are not found


class Segmenter:
    """Segmental Recurrent Neural Networks (Kong, Dyer and Smith, 2016), with one kind of segment.

    A BiLSTM reads all letters; an LSTM starts from every letter and reads on over what the first
    one says. Its output after each letter scores the segment read so far. A way to cut the letters
    scores the sum of its segments, and is as likely as the exponential of that.
    """

    def __init__(self, size=64, dropout=0.2):
        self.dropout = dropout
        self.parameters = model = dy.ParameterCollection()
        self.letters = model.add_lookup_parameters((26, size))
        self.context = dy.BiRNNBuilder(1, size, size, model, dy.VanillaLSTMBuilder)
        self.segment = dy.VanillaLSTMBuilder(1, size, size, model)
        self.hidden, self.bias = model.add_parameters((size, 2 * size)), model.add_parameters(size)
        self.weights = model.add_parameters((1, size))

    def scores(self, text, training=False):
        """The score of every segment that is not too long, by its start and its end."""
        self.context.set_dropout(self.dropout if training else 0)
        letters = self.context.transduce([self.letters[ord(letter) - ord("a")] for letter in text])
        scores = {}
        for start in range(len(text)):
            outputs = self.segment.initial_state().transduce(letters[start : start + LONGEST])
            for end, output in enumerate(outputs, start=start + 1):
                # What follows the segment tells as much about its end as what is in it.
                after = letters[end] if end < len(text) else dy.zeros(output.dim()[0])
                both = dy.concatenate([output, after])
                hidden = dy.rectify(dy.affine_transform([self.bias, self.hidden, both]))
                scores[start, end] = self.weights * hidden
        return scores

    def loss(self, clauses):
        """The summed -log p of the right way to cut, among all ways there are."""
        dy.renew_cg()
        losses = []
        for words in clauses:
            scores = self.scores("".join(words), training=True)
            ends = list(itertools.accumulate(map(len, words), initial=0))
            right = dy.esum([scores[segment] for segment in itertools.pairwise(ends)])
            losses.append(every_way(scores, ends[-1]) - right)
        return dy.esum(losses)

    def segment_all(self, texts):
        """The likeliest words of each text."""
        dy.renew_cg()
        charts = [self.scores(text) for text in texts]
        dy.forward([score for chart in charts for score in chart.values()])
        for text, chart in zip(texts, charts, strict=True):
            yield best_way({place: score.scalar_value() for place, score in chart.items()}, text)


def every_way(scores, length):
    """The log of the summed exponentials of the scores of all ways to cut: the forward algorithm."""
    until = [dy.zeros(1)]
    for end in range(1, length + 1):
        starts = range(max(0, end - LONGEST), end)
        until.append(dy.logsumexp([until[start] + scores[start, end] for start in starts]))
    return until[-1]


def best_way(scores, text):
    """The words of the way to cut that has the highest score: the Viterbi algorithm."""
    best = [(0.0, [])]
    for end in range(1, len(text) + 1):
        starts = range(max(0, end - LONGEST), end)
        score, start = max((best[start][0] + scores[start, end], start) for start in starts)
        best.append((score, [*best[start][1], text[start:end]]))
    return best[-1][1]


def clauses(verses):
    """The words between two marks of punctuation, in lower case."""
    for verse in verses:
        for is_word, tokens in itertools.groupby(verse, str.isalpha):
            words = [token.lower() for token in tokens]
            if is_word and all(word.isascii() for word in words):
                yield words


def f1(segmenter, held_out):
    """The harmonic mean of precision and recall of words in their places."""
    right = found = wanted = 0
    for start in range(0, len(held_out), 16):
        part = held_out[start : start + 16]
        guesses = segmenter.segment_all(["".join(words) for words in part])
        for words, guess in zip(part, guesses, strict=True):
            right += len(places(words) & places(guess))
            found += len(guess)
            wanted += len(words)
    return 2 * right / (found + wanted)


def places(words):
    return set(itertools.pairwise(itertools.accumulate(map(len, words), initial=0)))


def main():
    parser = options.parser(__doc__, epochs=3, batch=8, unit="clauses")
    parser.add_argument("--clauses", type=int, default=12_000, help="how many to learn from")
    parser.add_argument("--text", help="letters to put spaces into")
    chosen = options.parse(parser)

    training, held_out = [list(clauses(verses)) for verses in english_verses()]
    if chosen.smoke:
        chosen.clauses, held_out, chosen.epochs = 40, held_out[:20], 1
    baseline = f1(LongestMatch(training), held_out)
    fitting = [words for words in training if max(map(len, words)) <= LONGEST]
    training = random.sample(fitting, chosen.clauses)
    segmenter = Segmenter()
    if chosen.load:
        segmenter.parameters.populate(chosen.load)
        chosen.epochs = 0

    trainer = dy.AdamTrainer(segmenter.parameters)
    for epoch in range(chosen.epochs):
        trainer.learning_rate = 0.003 * (1 - epoch / chosen.epochs)
        progress = Progress(f"epoch {epoch + 1}", sum(map(len, training)))
        for batch in minibatches(training, chosen.batch):
            loss = segmenter.loss(batch)
            progress.add(sum(map(len, batch)), loss.scalar_value())
            loss.backward()
            trainer.update()
        progress.close(f"held-out F1 {f1(segmenter, held_out):.1%}")
    if chosen.save:
        segmenter.parameters.save(chosen.save)
    print(f"held-out F1 of words {f1(segmenter, held_out):.1%}, longest match {baseline:.1%}")
    shown = chosen.text or "".join(max(held_out, key=len))
    print(" ".join(next(segmenter.segment_all([shown]))))


if __name__ == "__main__":
    main()
