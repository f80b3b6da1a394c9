"""Bidirectional LSTM tagger, the program of the DyNet paper, for DyNet 3 and dyNET38 alike.

Variant "words" looks every word up; variant "chars" spells rare words with a character LSTM.
"""

from synthetic import CHARACTERS, TAGGER_VOCABULARY, TAGS

import dynet as dy
from models import sizes
from models.training_dynet import Trained, adam


class Model(Trained):
    """A bidirectional LSTM over words, and a small perceptron per word."""

    def __init__(self, variant):
        self.spells_rare_words = {"words": False, "chars": True}[variant]
        self.collection = dy.ParameterCollection()
        self.trainer = adam(self.collection)
        embedding, hidden = sizes.TAGGER_EMBEDDING, sizes.TAGGER_HIDDEN
        collection = self.collection
        self.words = collection.add_lookup_parameters((TAGGER_VOCABULARY, embedding))
        self.inner = collection.add_parameters((sizes.TAGGER_PERCEPTRON, 2 * hidden))
        self.outer = collection.add_parameters((TAGS, sizes.TAGGER_PERCEPTRON))
        self.forward = dy.VanillaLSTMBuilder(1, embedding, hidden, collection)
        self.backward = dy.VanillaLSTMBuilder(1, embedding, hidden, collection)
        if self.spells_rare_words:
            self.add_characters()

    def add_characters(self):
        """Adds the parameters of the character LSTMs."""
        embedding, hidden = sizes.CHARACTER_EMBEDDING, sizes.CHARACTER_HIDDEN
        self.characters = self.collection.add_lookup_parameters((CHARACTERS, embedding))
        self.first = dy.VanillaLSTMBuilder(1, embedding, hidden, self.collection)
        self.last = dy.VanillaLSTMBuilder(1, embedding, hidden, self.collection)

    def prepare(self, batch):
        """Turns a minibatch into what step takes."""
        return batch

    def loss(self, batch):
        """The summed loss of a minibatch."""
        losses = []
        for words, tags, spellings in batch:
            losses.extend(self.losses(words, tags, spellings))
        return dy.esum(losses)

    def losses(self, words, tags, spellings):
        """The losses of the words of one sentence."""
        inputs = self.inputs(words, spellings)
        forward = self.forward.initial_state().transduce(inputs)
        backward = self.backward.initial_state().transduce(reversed(inputs))
        return [
            dy.pickneglogsoftmax(self.scores(left, right), tag)
            for left, right, tag in zip(forward, reversed(backward), tags, strict=True)
        ]

    def scores(self, left, right):
        """The tag scores of one word."""
        return self.outer * dy.tanh(self.inner * dy.concatenate([left, right]))

    def inputs(self, words, spellings):
        """The embeddings of the words of one sentence."""
        if not self.spells_rare_words:
            return [self.words[word] for word in words]
        first, last = self.first.initial_state(), self.last.initial_state()
        return [
            self.words[word] if spelling is None else self.spell(first, last, spelling)
            for word, spelling in zip(words, spellings, strict=True)
        ]

    def spell(self, first, last, spelling):
        """The embedding of a rare word, from its characters."""
        characters = [self.characters[character] for character in spelling]
        forward = first.transduce(characters)[-1]
        return dy.concatenate([forward, last.transduce(reversed(characters))[-1]])
