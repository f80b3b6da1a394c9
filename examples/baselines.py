"""The simple methods without a network that the examples have to beat."""

import collections
import itertools
import math


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
