"""A small problem for dy.fit, with every kind of random number; as a program, one that can be killed."""

import os
import random
import signal
import sys

import numpy as np

import dynet as dy

WORDS, TAGS = 12, 3


class Tagger:
    """Sentences of numbers, whose tags are the remainders by 3."""

    def __init__(self, trainer=dy.AdamTrainer):
        self.model = dy.ParameterCollection()
        self.table = self.model.add_lookup_parameters((WORDS, 5))
        self.lstm = dy.VanillaLSTMBuilder(1, 5, 6, self.model)
        self.weights = self.model.add_parameters((TAGS, 6))
        self.trainer = trainer(self.model, 0.05)

    def scores(self, words):
        states = self.lstm.initial_state().transduce([self.table[word] for word in words])
        return [self.weights * state for state in states]

    def loss(self, words):
        """Drops out by DyNet's random numbers, and replaces words by those of Python and NumPy."""
        seen = [0 if random.random() < 0.1 else word for word in words]
        seen[0] = int(np.random.randint(WORDS))
        return dy.esum(
            [
                dy.pickneglogsoftmax(dy.dropout(score, 0.2), word % TAGS)
                for score, word in zip(self.scores(seen), words, strict=True)
            ]
        )

    def batch_loss(self, batch):
        return dy.esum([self.loss(words) for words in batch]) * (1 / len(batch))

    def accuracy(self, sentences):
        dy.renew_cg()
        right = [
            int(np.argmax(score.npvalue())) == word % TAGS
            for words in sentences
            for score, word in zip(self.scores(words), words, strict=True)
        ]
        return sum(right) / len(right)

    def bits(self):
        return {name: array.tobytes() for name, array in self.model.state_dict().items()}


def examples(count=23, seed=1):
    draw = random.Random(seed)
    return [[draw.randrange(WORDS) for _ in range(draw.randint(2, 6))] for _ in range(count)]


def seeded(number=3):
    random.seed(number)
    np.random.seed(number)
    dy.reset_random_seed(number)


class Losses(dy.training.Callback):
    """Remembers the loss of each batch, and ends training as it is told."""

    def __init__(self, at=None, ending=None):
        self.losses, self.at, self.ending = [], at, ending

    def on_batch_end(self, run):
        self.losses.append(run.loss)
        if run.step == self.at:
            self.ending(run)

    def state_dict(self):
        return self.losses

    def load_state_dict(self, state):
        self.losses = state


def fitted(tagger, losses, **options):
    options = {"epochs": 3, "batch_size": 4, "held_out": examples(7, 2), "score": tagger.accuracy} | options
    data = options.pop("examples", None) or examples()
    return dy.fit(
        tagger.model, tagger.trainer, data, tagger.loss, callbacks=[losses], progress=False, **options
    )


def parent_and_part():
    """A model within another one, whose trainer learns both."""
    whole = dy.ParameterCollection()
    around = whole.add_parameters(2, init=1)
    part = whole.add_subcollection("part")
    inside = part.add_parameters(2, init=1)
    trainer = dy.AdamTrainer(whole, 0.1)
    return whole, part, trainer, lambda x: dy.squared_norm(around * x + inside)


def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def main(checkpoint, step, writes):
    """Trains on, and is killed after a step, or while the checkpoint is written for the n-th time."""
    from dynet.training import checkpoints

    archived, count = checkpoints.np.lib.format.write_array, 0

    def write(*args, **options):
        nonlocal count
        count += 1
        if count == writes:
            kill()
        archived(*args, **options)

    checkpoints.np.lib.format.write_array = write
    seeded()
    tagger = Tagger()
    fitted(tagger, Losses(step, kill), checkpoint=checkpoint, checkpoint_every=1, resume=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
