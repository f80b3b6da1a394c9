"""Skip-gram with negative sampling on the English Bible, its neighbours scored by translation."""

import collections
import random

import numpy as np
import options
from baselines import as_frequent
from data import aligned_verses, english_verses, minibatches
from progress import Progress

import dynet as dy

SIZE, WINDOW, NEGATIVES, RARE = 64, 4, 5, 1e-3


class SkipGram:
    """A vector for each word by which the words around it are told from words drawn at random.

    Distributed Representations of Words and Phrases and their Compositionality (Mikolov and
    others, 2013).
    """

    def __init__(self, verses, least=5):
        counts = collections.Counter(word for verse in verses for word in verse)
        self.vocabulary = [word for word, n in counts.most_common() if n >= least]
        self.rows = {word: row for row, word in enumerate(self.vocabulary)}
        frequency = np.array([counts[word] for word in self.vocabulary]) / counts.total()
        # Frequent words are left out at times: they say little about the words beside them.
        self.kept = np.minimum(1, np.sqrt(RARE / frequency))
        self.noise = np.cumsum(frequency**0.75)
        self.parameters = dy.ParameterCollection()
        width = 0.5 / SIZE
        add = self.parameters.add_lookup_parameters
        self.vectors = add((len(self.vocabulary), SIZE), init="uniform", scale=width)
        self.contexts = add((len(self.vocabulary), SIZE), init=0)

    def thinned(self, verse):
        """The rows of the words of a verse, frequent words left out by chance."""
        rows = (self.rows[word] for word in verse if word in self.rows)
        return [row for row in rows if random.random() < self.kept[row]]

    def loss(self, verses):
        """The summed loss of the words of the verses, each against the words around it."""
        dy.renew_cg()
        losses = []
        for rows in map(self.thinned, verses):
            for place, row in enumerate(rows):
                reach = random.randint(1, WINDOW)
                near = rows[max(0, place - reach) : place] + rows[place + 1 : place + 1 + reach]
                if near:
                    losses.append(self.word_loss(row, near))
        return dy.esum(losses)

    def word_loss(self, row, near):
        draws = [random.random() * self.noise[-1] for _ in range(NEGATIVES * len(near))]
        others = np.searchsorted(self.noise, draws).tolist()
        # One word against all its contexts: the contexts are a batch, the word is broadcast.
        scores = dy.dot_product(self.vectors[row], self.contexts.batch(near + others))
        signs = np.array([1] * len(near) + [-1] * len(others), dtype=np.float32)
        right = dy.log_sigmoid(dy.cmult(dy.inputTensor(signs, batched=True), scores))
        return -dy.sum_batches(right)

    def neighbours(self, words, count=10):
        """For each of the words those that are nearest to it by the angle between the vectors."""
        vectors = self.vectors.as_array()
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        for word in words:
            row = self.rows[word]
            nearest = np.argsort(-(vectors @ vectors[row]))[: count + 1]
            yield [self.vocabulary[other] for other in nearest if other != row][:count]


def translations(vocabulary, least=3):
    """For each English word those words that translate a Greek lemma which it translates too."""
    counts = collections.Counter()
    for pair in (pair for part in aligned_verses() for pair in part):
        counts.update((pair.greek[g].lemma, pair.english[e].lower()) for e, g in pair.links)
    by_lemma = collections.defaultdict(set)
    for (lemma, word), count in counts.items():
        if count >= least and word in vocabulary:
            by_lemma[lemma].add(word)
    related = collections.defaultdict(set)
    for words in by_lemma.values():
        for word in words:
            related[word] |= words - {word}
    # Words such as "of" go with almost any lemma, and so say nothing.
    return {word: others for word, others in related.items() if 0 < len(others) <= 20}


def hits(neighbours, related):
    """How often one of a word's neighbours is related to it."""
    found = [bool(set(near) & related[word]) for word, near in zip(related, neighbours, strict=True)]
    return sum(found) / len(found)


def main():
    chosen = options.parse(options.parser(__doc__, epochs=3, batch=8, unit="verses"))

    verses, _ = english_verses()
    verses = [[word.lower() for word in verse] for verse in verses]
    if chosen.smoke:
        verses, chosen.epochs = verses[:500], 1
    model = SkipGram(verses)
    related = translations(model.rows)
    baseline = hits(as_frequent(model.vocabulary, related), related)
    print(f"{len(model.vocabulary)} words; {len(related)} of them have words of like meaning")
    if chosen.load:
        model.parameters.populate(chosen.load)
        chosen.epochs = 0

    trainer = dy.AdagradTrainer(model.parameters, 0.1)
    for epoch in range(chosen.epochs):
        progress = Progress(f"epoch {epoch + 1}", len(verses), "verses")
        for batch in minibatches(verses, chosen.batch):
            loss = model.loss(batch)
            progress.add(len(batch), loss.scalar_value())
            loss.backward()
            trainer.update()
        score = hits(model.neighbours(related), related)
        progress.close(f"neighbours of like meaning {score:.1%}")
    if chosen.save:
        model.parameters.save(chosen.save)
    score = hits(model.neighbours(related), related)
    print(f"held-out translations: a neighbour has like meaning for {score:.1%} of the words;")
    print(f"words as frequent: {baseline:.1%}")
    shown = [word for word in ("king", "bread", "sheep", "rejoice", "seven") if word in model.rows]
    for word, near in zip(shown, model.neighbours(shown, 5), strict=True):
        print(f"{word}: {', '.join(near)}")


if __name__ == "__main__":
    main()
