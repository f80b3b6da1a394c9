"""Synthetic corpora of the benchmark tasks, drawn from fixed seeds and equal for every toolkit.

Lengths and vocabularies follow the corpora of the DyNet paper: Penn Treebank sentences for the
language model, WikiNER for the taggers, the Stanford Sentiment Treebank for the trees.  NumPy's
RandomState gives the same stream in every version, so every interpreter sees the same sentences.
"""

import numpy as np

RNNLM_VOCABULARY = 10000
TAGGER_VOCABULARY = 100000
TAGS = 9
CHARACTERS = 150
TREE_VOCABULARY = 18280
TREE_LABELS = 5

RARE_WORDS = 0.06
SENTENCES_PER_PASS = 512
RNNLM_SENTENCES_PER_PASS = {1: 64, 4: 128}
RNNLM_SENTENCES_PER_LARGE_PASS = 256


def lengths(random, count, mean, deviation, shortest, longest):
    """Draws sentence lengths from a gamma distribution, rounded and clipped."""
    shape = (mean / deviation) ** 2
    scale = deviation * deviation / mean
    drawn = np.rint(random.gamma(shape, scale, count))
    return np.clip(drawn, shortest, longest).astype(int)


def zipf(random, size, shift=2.7):
    """Returns a function that draws n ids with Zipf-like frequencies."""
    weights = 1.0 / (np.arange(size) + shift)
    cumulative = np.cumsum(weights / weights.sum())

    def draw(count):
        found = np.searchsorted(cumulative, random.random_sample(count))
        return np.minimum(found, size - 1)

    return draw


def spread_evenly(items, count):
    """Takes count items at even distances, in a fixed shuffled order."""
    if count >= len(items):
        return list(items)
    positions = ((np.arange(count) + 0.5) * len(items) / count).astype(int)
    np.random.RandomState(7).shuffle(positions)
    return [items[position] for position in positions]


def cut(sentences, minibatch):
    """Cuts a list of sentences into consecutive minibatches."""
    return [sentences[i : i + minibatch] for i in range(0, len(sentences), minibatch)]


def rnnlm_sentences(count=10240, seed=1):
    """Sentences as lists of word ids; id 0 is the sentence boundary and ends each of them."""
    random = np.random.RandomState(seed)
    draw = zipf(random, RNNLM_VOCABULARY - 1)
    sizes = lengths(random, count, 20.9, 10.1, 1, 80)
    return [[int(word) + 1 for word in draw(size)] + [0] for size in sizes]


def rnnlm_batches(minibatch):
    """Minibatches of sentences of like length, spread evenly over the sorted corpus."""
    sentences = sorted(rnnlm_sentences(), key=len, reverse=True)
    per_pass = RNNLM_SENTENCES_PER_PASS.get(minibatch, RNNLM_SENTENCES_PER_LARGE_PASS)
    return spread_evenly(cut(sentences, minibatch), max(1, per_pass // minibatch))


def pad(batch):
    """Pads a language-model minibatch: inputs, targets and mask, each time steps x sentences."""
    steps = max(len(sentence) for sentence in batch)
    targets = np.zeros((steps, len(batch)), np.int32)
    mask = np.zeros((steps, len(batch)), np.float32)
    for column, sentence in enumerate(batch):
        targets[: len(sentence), column] = sentence
        mask[: len(sentence), column] = 1
    inputs = np.zeros_like(targets)
    inputs[1:] = targets[:-1]
    return inputs, targets, mask


def tagger_sentence(random, size, draw_words, draw_characters):
    """One tagged sentence: word ids, tags, and the characters of each rare word (else None)."""
    words = (draw_words(size) + 1).astype(int)
    tags = random.choice(TAGS, size, p=[0.83] + [0.17 / 8] * 8)
    rare = random.random_sample(size) < RARE_WORDS
    spellings = [None] * size
    for position in np.flatnonzero(rare):
        words[position] = 0
        count = int(np.clip(np.rint(random.gamma(7.0, 7.5 / 7.0)), 1, 24))
        inner = [int(character) + 1 for character in draw_characters(count)]
        spellings[position] = [0, *inner, 0]
    return [int(word) for word in words], [int(tag) for tag in tags], spellings


def tagger_sentences(count=4096, seed=2):
    """Tagged sentences; a rare word has id 0 and a spelling with boundary symbol 0 at both ends."""
    random = np.random.RandomState(seed)
    draw_words = zipf(random, TAGGER_VOCABULARY // 4)
    draw_characters = zipf(random, CHARACTERS - 1, 5.0)
    sizes = lengths(random, count, 23.0, 13.1, 1, 144)
    return [tagger_sentence(random, size, draw_words, draw_characters) for size in sizes]


def tagger_batches(minibatch):
    """Minibatches of tagged sentences in corpus order."""
    return cut(tagger_sentences()[:SENTENCES_PER_PASS], minibatch)


class Tree:
    """A node of a binary tree: a label, and either a word id or two children."""

    __slots__ = ("label", "left", "right", "word")

    def __init__(self, label, word=None, left=None, right=None):
        self.label = label
        self.word = word
        self.left = left
        self.right = right

    def is_leaf(self):
        """Says whether the node carries a word."""
        return self.word is not None

    def leaves(self):
        """Counts the words below the node."""
        return 1 if self.is_leaf() else self.left.leaves() + self.right.leaves()


def draw_tree(random, words):
    """Draws a binary tree over the words; the splits give the depth of sentiment trees."""
    label = int(random.randint(TREE_LABELS))
    size = len(words)
    if size == 1:
        return Tree(label, word=int(words[0]))
    choice = random.random_sample()
    if choice < 0.45:
        split = 1
    elif choice < 0.55:
        split = size - 1
    else:
        split = 1 + int(random.randint(size - 1))
    left = draw_tree(random, words[:split])
    return Tree(label, left=left, right=draw_tree(random, words[split:]))


def trees(count=2048, seed=3):
    """Labelled binary trees."""
    random = np.random.RandomState(seed)
    draw = zipf(random, TREE_VOCABULARY)
    sizes = lengths(random, count, 19.1, 9.3, 2, 52)
    return [draw_tree(random, draw(size)) for size in sizes]


def tree_batches(minibatch):
    """Minibatches of trees in corpus order."""
    return cut(trees()[:SENTENCES_PER_PASS], minibatch)
