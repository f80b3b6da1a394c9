"""The language model of language_model.py, its minibatches made by hand, by length, or by nobody."""

import itertools
import time

import numpy as np
import options
from baselines import unigram_and_bigram
from data import minibatches
from language_model import LanguageModel, batches, perplexity, predictions, verses_in_rows
from progress import Progress

import dynet as dy

PADDING = 0  # any row does: what is predicted there is masked


class ThreeWays(LanguageModel):
    """Three ways to write the same loss; `loss` of the base class is for verses of one length."""

    def padded(self, verses, training=False):
        """By hand: shorter verses are padded, and a mask takes the padding out of the loss."""
        dy.renew_cg()
        self.lstm.set_dropout(self.dropout if training else 0)
        state = self.lstm.initial_state()
        losses = []
        columns = itertools.zip_longest(*verses, fillvalue=PADDING)
        for place, (inputs, targets) in enumerate(itertools.pairwise(columns), start=1):
            state = state.add_input(dy.lookup_batch(self.table, inputs))
            loss = dy.pickneglogsoftmax_batch(self.scores(state), targets)
            mask = np.array([place < len(verse) for verse in verses], dtype=np.float32)
            losses.append(dy.cmult(loss, dy.inputTensor(mask, batched=True)))
        return dy.sum_batches(dy.esum(losses))

    def one_by_one(self, verses, training=False):
        """By nobody: word after word and verse after verse; the library finds the batches."""
        dy.renew_cg()
        self.lstm.set_dropout(self.dropout if training else 0)
        losses = []
        for verse in verses:
            state = self.lstm.initial_state()
            for word, following in itertools.pairwise(verse):
                state = state.add_input(self.table[word])
                losses.append(dy.pickneglogsoftmax(self.scores(state), following))
        return dy.esum(losses)

    def by_length(self, verses, training=False):
        """As in language_model.py, which makes batches of verses that are equally long."""
        return self.loss(verses, training)


WAYS = {
    "padded": (ThreeWays.padded, minibatches),
    "one-by-one": (ThreeWays.one_by_one, minibatches),
    "by-length": (ThreeWays.by_length, batches),
}


def compare(model, verses, size):
    """Prints what each way makes of verses of one length, and how fast it does what batches."""
    same = max(batches(verses, size), key=len)
    for name, (way, split) in WAYS.items():
        parts = split(verses, size)[:30]
        start = time.process_time()
        for part in parts:
            way(model, part).backward()
        speed = sum(map(predictions, parts)) / (time.process_time() - start)
        print(f"{name:<12}{speed:8,.0f} words/s  the same loss: {way(model, same).scalar_value():.4f}")


def main():
    parser = options.parser(__doc__, epochs=1, batch=16, unit="verses")
    parser.add_argument("--way", choices=WAYS, default="padded", help="how to train")
    chosen = options.parse(parser)

    vocabulary, training, held_out = verses_in_rows(chosen.smoke)
    model = ThreeWays(vocabulary)
    _, bigram = unigram_and_bigram(training, held_out)
    compare(model, training, chosen.batch)
    if chosen.load:
        model.parameters.populate(chosen.load)
        chosen.epochs = 0

    way, split = WAYS[chosen.way]
    trainer = dy.AdamTrainer(model.parameters, 0.002)
    for epoch in range(chosen.epochs):
        trainer.learning_rate = 0.002 * (1 - epoch / chosen.epochs)
        progress = Progress(f"epoch {epoch + 1}", predictions(training))
        for batch in split(training, chosen.batch):
            loss = way(model, batch, training=True)
            progress.add(predictions(batch), loss.scalar_value())
            loss.backward()
            trainer.update()
        progress.close(f"held-out perplexity {perplexity(model, held_out):.1f}")
    if chosen.save:
        model.parameters.save(chosen.save)
    print(f"held-out perplexity {perplexity(model, held_out):.1f}, bigram {bigram:.1f}")


if __name__ == "__main__":
    main()
