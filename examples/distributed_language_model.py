"""The language model of language_model.py, trained by several processes to the same bits as by one."""

import collections
import math
import random

import options
from language_model import LanguageModel, predictions, verses_in_rows

import dynet as dy


def batches(verses, size, seed):
    """Shuffled minibatches of verses of like length: the same in every process."""
    draw = random.Random(seed)
    order = sorted(draw.sample(verses, len(verses)), key=len)
    cut = [order[start : start + size] for start in range(0, len(order), size)]
    return draw.sample(cut, len(cut))


def loss_of(network, verses):
    """The loss of verses of any lengths: those of one length are a minibatch."""
    by_length = collections.defaultdict(list)
    for verse in verses:
        by_length[len(verse)].append(verse)
    return dy.esum([one_length(network, group) for group in by_length.values()])


def one_length(network, verses):
    """The loss of verses of one length, in the graph that there is."""
    state = network.lstm.initial_state()
    losses = []
    for inputs, targets in zip(
        list(zip(*verses, strict=True))[:-1], list(zip(*verses, strict=True))[1:], strict=True
    ):
        state = state.add_input(dy.lookup_batch(network.table, inputs))
        losses.append(dy.pickneglogsoftmax_batch(network.scores(state), targets))
    return dy.sum_batches(dy.esum(losses))


def main():
    chosen = options.parse(options.parser(__doc__, epochs=2, batch=64, unit="verses"))
    vocabulary, training, held_out = verses_in_rows(chosen.smoke)
    chosen.epochs = 1 if chosen.smoke else chosen.epochs
    network = LanguageModel(vocabulary)
    network.lstm.set_dropout(network.dropout)
    trainer = dy.distributed.Trainer(dy.AdamTrainer(network.parameters, 0.004), key=len)
    if chosen.load:
        network.parameters.populate(chosen.load)
        chosen.epochs = 0

    for epoch in range(chosen.epochs):
        trainer.learning_rate = 0.004 * (1 - epoch / chosen.epochs)
        losses = [
            trainer.step(batch, lambda part: loss_of(network, part))
            for batch in batches(training, chosen.batch, f"{chosen.seed} {epoch}")
        ]
        if trainer.rank == 0:
            print(f"epoch {epoch + 1}: perplexity {math.exp(math.fsum(losses) / predictions(training)):.1f}")
    mine = trainer.mine(held_out, key=len)
    losses = [network.loss([verse]).scalar_value() for verse in mine]
    perplexity = math.exp(trainer.total(losses) / trainer.total([predictions(mine)]))
    if trainer.rank == 0:
        print(f"held-out perplexity {perplexity:.1f}")
        if chosen.save:
            network.parameters.save(chosen.save)


if __name__ == "__main__":
    main()
