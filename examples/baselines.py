"""The simple methods without a network that the examples have to beat."""

import bisect
import collections
import itertools
import math

import numpy as np


class MostFrequentTag:
    """Gives a word the tag it has most often, and an unseen word the most frequent tag of all."""

    def __init__(self, sentences, task):
        counts = collections.defaultdict(collections.Counter)
        for word in itertools.chain.from_iterable(sentences):
            counts[word.text][getattr(word, task)] += 1
        self.tags = {text: tags.most_common(1)[0][0] for text, tags in counts.items()}
        self.other = sum(counts.values(), collections.Counter()).most_common(1)[0][0]

    def tag(self, sentences):
        return [[self.tags.get(word.text, self.other) for word in words] for words in sentences]


def unigram_and_bigram(training, held_out):
    """Perplexities of word frequencies, and of word pairs interpolated with them.

    A verse is a list of words that starts with a mark no model has to predict. The weights of the
    interpolation are Witten and Bell's.
    """
    unigrams = collections.Counter(word for verse in training for word in verse[1:])
    bigrams = collections.Counter(pair for verse in training for pair in itertools.pairwise(verse))
    seen, followers = collections.Counter(), collections.Counter()
    for (first, _), count in bigrams.items():
        seen[first] += count
        followers[first] += 1
    unigram_loss = bigram_loss = 0.0
    for first, second in (pair for verse in held_out for pair in itertools.pairwise(verse)):
        single = unigrams[second] / unigrams.total()
        # The more different words have followed the first, the likelier yet another one is.
        pair = bigrams[first, second] + followers[first] * single
        unigram_loss -= math.log(single)
        bigram_loss -= math.log(pair / (seen[first] + followers[first]))
    count = sum(len(verse) - 1 for verse in held_out)
    return math.exp(unigram_loss / count), math.exp(bigram_loss / count)


def most_frequent_answer(training, held_out):
    """The most frequent answer of (question, answer) pairs, and how often it is right."""
    answer = collections.Counter(answer for _, answer in training).most_common(1)[0][0]
    return answer, sum(right == answer for _, right in held_out) / len(held_out)


def diagonal_links(pair):
    """For each word of a translation the place in the original that is as far through the verse."""
    return [place * len(pair.greek) // len(pair.english) for place in range(len(pair.english))]


class KnownNames:
    """Finds the names that it has seen, the longest first, each of the kind that it mostly was."""

    def __init__(self, sentences, names):
        kinds = collections.defaultdict(collections.Counter)
        for sentence, found in zip(sentences, names, strict=True):
            forms = [word.form for word in sentence]
            for first, last, kind in found:
                kinds[tuple(forms[first : last + 1])][kind] += 1
        self.kinds = {name: counts.most_common(1)[0][0] for name, counts in kinds.items()}
        self.longest = max(map(len, self.kinds))

    def names(self, sentences):
        for sentence in sentences:
            forms, first, found = [word.form for word in sentence], 0, set()
            while first < len(forms):
                ends = range(min(len(forms), first + self.longest), first, -1)
                end = next((end for end in ends if tuple(forms[first:end]) in self.kinds), None)
                if end:
                    found.add((first, end - 1, self.kinds[tuple(forms[first:end])]))
                first = end or first + 1
            yield found


class Analogy:
    """Says a word as it is begun by the known one that begins most alike, and ended by that which ends so."""

    def __init__(self, pairs):
        self.spoken = {word: spoken[0] for word, spoken in pairs}
        self.words = sorted(self.spoken), sorted(word[::-1] for word in self.spoken)

    def speak(self, words):
        for word in words:
            known, common = self.alike(word, self.words[0])
            start, (ending, _) = self.spoken[known], self.alike(word[::-1], self.words[1])
            end, rest = self.spoken[ending[::-1]], len(word) - common
            left = len(end) - round(rest * len(end) / len(ending))
            yield word, start[: round(common * len(start) / len(known))] + end[max(0, left) :]

    def alike(self, word, among):
        """The word of a sorted list with the most first letters in common, and how many those are."""
        place = bisect.bisect(among, word)
        near = [(self.common(word, known), known) for known in among[max(0, place - 1) : place + 1]]
        return max(near)[::-1]

    @staticmethod
    def common(word, known):
        """How many first letters the two have in common."""
        unlike = (n for n, two in enumerate(zip(word, known, strict=False)) if len(set(two)) > 1)
        return next(unlike, min(len(word), len(known)))


class NearestMean:
    """Takes a picture for the digit whose mean picture it is nearest to."""

    def __init__(self, examples):
        self.digits = sorted({digit for _, digit in examples})
        pictures = [np.array([p for p, label in examples if label == d]) for d in self.digits]
        self.means = np.array([group.mean(axis=0) for group in pictures])

    def read(self, pictures):
        distances = (((picture - self.means) ** 2).sum(axis=(1, 2)) for picture in pictures)
        return [self.digits[distance.argmin()] for distance in distances]


def pixel_frequencies(training, held_out):
    """The loss a picture, in nats, if every pixel is black independently, at its own frequency."""
    chance = (np.sum(training, axis=0) + 0.5) / (len(training) + 1)
    held_out = np.array(held_out)
    return -(held_out * np.log(chance) + (1 - held_out) * np.log(1 - chance)).sum() / len(held_out)


class LongestMatch:
    """Cuts a text from the left, each time at the longest word seen in training."""

    def __init__(self, training):
        self.words = {word for words in training for word in words}
        self.longest = max(map(len, self.words))

    def segment_all(self, texts):
        for text in texts:
            start, words = 0, []
            while start < len(text):
                ends = range(min(len(text), start + self.longest), start + 1, -1)
                fitting = (end for end in ends if text[start:end] in self.words)
                end = next(fitting, start + 1)
                words.append(text[start:end])
                start = end
            yield words


def as_frequent(vocabulary, words, count=10):
    """For each of the words those beside it in a vocabulary ordered by frequency."""
    rows = {word: row for row, word in enumerate(vocabulary)}
    for row in (rows[word] for word in words):
        start = max(0, row - count // 2)
        yield vocabulary[start:row] + vocabulary[row + 1 : start + count + 1]


class UsualOffset:
    """Attaches a word as far to the left or right as words of its part of speech mostly are."""

    def __init__(self, sentences):
        counts = collections.defaultdict(collections.Counter)
        for words in sentences:
            for place, word in enumerate(words, start=1):
                counts[word.pos][word.head - place] += 1
        self.offsets = {pos: offsets.most_common(1)[0][0] for pos, offsets in counts.items()}

    def heads(self, sentences):
        return [
            [place + self.offsets.get(word.pos, 1) for place, word in enumerate(words, start=1)]
            for words in sentences
        ]
