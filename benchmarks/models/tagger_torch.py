"""Bidirectional LSTM tagger in PyTorch.

Batching "example" runs each sentence and each rare word on its own through a bidirectional nn.LSTM
and sums the losses; "batched" pads the minibatch and runs the backward direction on reversed input.
"""

import torch
from synthetic import CHARACTERS, TAGGER_VOCABULARY, TAGS
from torch import nn
from torch.nn import functional

from models import sizes
from models.training_torch import EXAMPLE, Training

EMBEDDING = sizes.TAGGER_EMBEDDING
HIDDEN = sizes.TAGGER_HIDDEN


class Example:
    """One sentence as tensors, with its rare words."""

    def __init__(self, sentence):
        words, tags, spellings = sentence
        rare = [position for position, spelling in enumerate(spellings) if spelling]
        self.words = torch.tensor(words)
        self.tags = torch.tensor(tags)
        self.rare = torch.tensor(rare)
        self.spellings = [torch.tensor(spellings[position]) for position in rare]


class Padded:
    """Sequences in a flat steps x columns layout, with the indices that undo the padding."""

    def __init__(self, sequences):
        columns = len(sequences)
        steps = max(len(sequence) for sequence in sequences)
        self.shape = (steps, columns)
        values = [0] * (steps * columns)
        reversal = list(range(steps * columns))
        for column, sequence in enumerate(sequences):
            for step, value in enumerate(sequence):
                values[step * columns + column] = value
                reversal[step * columns + column] = (len(sequence) - 1 - step) * columns + column
        keep = [
            step * columns + column
            for step in range(steps)
            for column, sequence in enumerate(sequences)
            if step < len(sequence)
        ]
        last = [(len(sequence) - 1) * columns + j for j, sequence in enumerate(sequences)]
        self.values = torch.tensor(values)
        self.reversal = torch.tensor(reversal)
        self.keep = torch.tensor(keep)
        self.last = torch.tensor(last)


class PaddedBatch:
    """A minibatch as padded tensors, with its rare words padded together."""

    def __init__(self, batch):
        self.words = Padded([words for words, _, _ in batch])
        tags = Padded([tags for _, tags, _ in batch])
        self.tags = tags.values[self.words.keep]
        rare = [
            (position * len(batch) + column, spelling)
            for column, (_, _, spellings) in enumerate(batch)
            for position, spelling in enumerate(spellings)
            if spelling
        ]
        self.rare = torch.tensor([position for position, _ in rare])
        self.spellings = Padded([spelling for _, spelling in rare]) if rare else None


class Bidirectional(nn.Module):
    """Two LSTMs over padded sequences, the second on reversed input."""

    def __init__(self, inputs, hidden):
        super().__init__()
        self.inputs = inputs
        self.hidden = hidden
        self.ahead = nn.LSTM(inputs, hidden)
        self.back = nn.LSTM(inputs, hidden)

    def forward(self, embedded, padded):
        """Outputs of both directions, flat; those of the second still in reversed order."""
        shape = (*padded.shape, self.inputs)
        ahead = self.ahead(embedded.view(shape))[0]
        back = self.back(embedded.index_select(0, padded.reversal).view(shape))[0]
        return ahead.view(-1, self.hidden), back.view(-1, self.hidden)


class Model(nn.Module):
    """A bidirectional LSTM over words, and a small perceptron per word."""

    def __init__(self, variant, batching):
        super().__init__()
        self.by_example = batching == EXAMPLE
        self.spells_rare_words = {"words": False, "chars": True}[variant]
        self.words = nn.Embedding(TAGGER_VOCABULARY, EMBEDDING, sparse=True)
        self.word_lstm = self.bidirectional(EMBEDDING, HIDDEN)
        self.inner = nn.Linear(2 * HIDDEN, sizes.TAGGER_PERCEPTRON, bias=False)
        self.outer = nn.Linear(sizes.TAGGER_PERCEPTRON, TAGS, bias=False)
        if self.spells_rare_words:
            embedding, hidden = sizes.CHARACTER_EMBEDDING, sizes.CHARACTER_HIDDEN
            self.characters = nn.Embedding(CHARACTERS, embedding)
            self.character_lstm = self.bidirectional(embedding, hidden)
        self.training_step = Training(self, self.words)

    def bidirectional(self, inputs, hidden):
        """PyTorch's own bidirectional LSTM, or the pair that padding needs."""
        if self.by_example:
            return nn.LSTM(inputs, hidden, bidirectional=True)
        return Bidirectional(inputs, hidden)

    def prepare(self, batch):
        """Turns a minibatch into what step takes."""
        if self.by_example:
            return [Example(sentence) for sentence in batch]
        return PaddedBatch(batch)

    def step(self, prepared):
        """One training step; returns the summed loss."""
        if self.by_example:
            loss = sum(self.example_loss(example) for example in prepared)
        else:
            loss = self.batch_loss(prepared)
        return self.training_step.step(loss)

    def loss(self, states, tags):
        """The summed loss of words from their LSTM outputs."""
        scores = self.outer(torch.tanh(self.inner(states)))
        return functional.cross_entropy(scores, tags, reduction="sum")

    def example_loss(self, example):
        """The summed loss of one sentence."""
        embedded = self.words(example.words)
        if self.spells_rare_words and example.spellings:
            spelled = torch.stack([self.spell(spelling) for spelling in example.spellings])
            embedded = embedded.index_copy(0, example.rare, spelled)
        return self.loss(self.word_lstm(embedded)[0], example.tags)

    def spell(self, spelling):
        """The embedding of one rare word, from its characters."""
        _, (hidden, _) = self.character_lstm(self.characters(spelling))
        return hidden.reshape(-1)

    def batch_loss(self, batch):
        """The summed loss of a padded minibatch."""
        words = batch.words
        embedded = self.words(words.values)
        if self.spells_rare_words and batch.spellings is not None:
            embedded = embedded.index_copy(0, batch.rare, self.spell_padded(batch.spellings))
        ahead, back = self.word_lstm(embedded, words)
        states = torch.cat([ahead, back.index_select(0, words.reversal)], 1)
        return self.loss(states.index_select(0, words.keep), batch.tags)

    def spell_padded(self, spellings):
        """The embeddings of all rare words of a minibatch."""
        ahead, back = self.character_lstm(self.characters(spellings.values), spellings)
        last = spellings.last
        return torch.cat([ahead.index_select(0, last), back.index_select(0, last)], 1)
