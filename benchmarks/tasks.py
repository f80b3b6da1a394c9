"""The benchmark tasks: their programs, data, and the least work the machine must do."""

from collections.abc import Callable
from dataclasses import dataclass

import synthetic
from models import sizes

FORWARD_AND_BACKWARD = 3
BYTES_PER_NUMBER = 4
# Value read forward and backward, gradient written and read, value and both moments updated.
MOVES_PER_DENSE_NUMBER = 2 + 2 + 6
MOVES_PER_LOOKED_UP_NUMBER = 1 + 2 + 6


@dataclass(frozen=True)
class Work:
    """What one sentence costs at least, on average over a pass."""

    operations: float
    bytes: float


@dataclass(frozen=True)
class Task:
    """One program on one corpus."""

    name: str
    module: str
    variant: str
    batches: Callable
    minibatches: tuple

    def words(self, batch):
        """Counts the words of a minibatch."""
        if self.module == "rnnlm":
            return sum(len(sentence) for sentence in batch)
        if self.module == "tagger":
            return sum(len(words) for words, _, _ in batch)
        return sum(tree.leaves() for tree in batch)

    def work(self, minibatch):
        """The least work for one sentence of a pass with minibatches of this size."""
        batches = self.batches(minibatch)
        sentences = sum(len(batch) for batch in batches)
        words = sum(self.words(batch) for batch in batches)
        count = {"rnnlm": count_rnnlm, "tagger": count_tagger, "treelstm": count_treelstm}
        operations, dense, looked_up = count[self.module](self, batches, sentences, words)
        moves = MOVES_PER_DENSE_NUMBER * dense * len(batches)
        moves += MOVES_PER_LOOKED_UP_NUMBER * looked_up
        return Work(
            FORWARD_AND_BACKWARD * 2 * operations / sentences,
            BYTES_PER_NUMBER * moves / sentences,
        )


def lstm_weights(inputs, hidden):
    """The number of weights of one LSTM, biases left out."""
    return 4 * hidden * (inputs + hidden)


def count_rnnlm(_task, _batches, _sentences, words):
    """Multiply-adds of a forward pass, dense numbers, and looked-up numbers."""
    embedding, hidden = sizes.RNNLM_EMBEDDING, sizes.RNNLM_HIDDEN
    dense = lstm_weights(embedding, hidden) + hidden * synthetic.RNNLM_VOCABULARY
    return dense * words, dense, words * embedding


def count_tagger(task, batches, _sentences, words):
    """Multiply-adds of a forward pass, dense numbers, and looked-up numbers."""
    embedding, hidden = sizes.TAGGER_EMBEDDING, sizes.TAGGER_HIDDEN
    perceptron = sizes.TAGGER_PERCEPTRON
    dense = 2 * lstm_weights(embedding, hidden) + 2 * hidden * perceptron
    dense += perceptron * synthetic.TAGS
    operations = dense * words
    looked_up = words * embedding
    if task.variant == "chars":
        spelled = 2 * lstm_weights(sizes.CHARACTER_EMBEDDING, sizes.CHARACTER_HIDDEN)
        steps = sum(
            len(spelling)
            for batch in batches
            for _, _, spellings in batch
            for spelling in spellings
            if spelling
        )
        dense += spelled
        operations += spelled * steps
        looked_up += steps * sizes.CHARACTER_EMBEDDING
    return operations, dense, looked_up


def count_treelstm(_task, _batches, sentences, words):
    """Multiply-adds of a forward pass, dense numbers, and looked-up numbers."""
    embedding, hidden = sizes.TREE_EMBEDDING, sizes.TREE_HIDDEN
    leaf = 3 * hidden * embedding
    inner = 3 * hidden * 2 * hidden + 2 * hidden * hidden
    label = hidden * synthetic.TREE_LABELS
    joins = words - sentences
    operations = leaf * words + inner * joins + label * (words + joins)
    return operations, leaf + inner + label, words * embedding


TASKS = {
    task.name: task
    for task in (
        Task("tagger", "tagger", "words", synthetic.tagger_batches, (1, 16, 64)),
        Task("tagger_char", "tagger", "chars", synthetic.tagger_batches, (1, 16, 64)),
        Task("treelstm", "treelstm", "", synthetic.tree_batches, (1, 16, 64)),
        Task("rnnlm", "rnnlm", "step", synthetic.rnnlm_batches, (1, 4, 16, 64)),
        Task("rnnlm_bulk", "rnnlm", "bulk", synthetic.rnnlm_batches, (1, 16, 64)),
    )
}
