"""The command line that the examples share, and the one place where their seed is set."""

import argparse
import random

import dynet as dy


def parser(description, epochs, batch, unit):
    """A parser of the options every example has; an example may add some of its own."""
    shared = argparse.ArgumentParser(description=description, allow_abbrev=False)
    shared.add_argument("--epochs", type=int, default=epochs)
    shared.add_argument("--batch", type=int, default=batch, help=f"{unit} an update")
    shared.add_argument("--seed", type=int, default=1)
    shared.add_argument("--save", metavar="FILE", help="write the trained parameters")
    shared.add_argument("--load", metavar="FILE", help="read parameters instead of training")
    shared.add_argument("--smoke", action="store_true", help="a few seconds on a slice of the data")
    return shared


def parse(own):
    """Parses the command line and seeds dynet and Python with the same number."""
    chosen, _ = own.parse_known_args()  # the rest are dynet's own options, read at its import
    random.seed(chosen.seed)
    dy.reset_random_seed(chosen.seed)
    return chosen


def learn(module, examples, loss, chosen, rate, **settings):
    """Trains a dy.nn.Module with dy.fit at a rate that falls to 0, or loads it; saves it if that is asked."""
    if chosen.load:
        module.model.populate(chosen.load)
    else:
        settings |= {"epochs": chosen.epochs, "batch_size": chosen.batch, "seed": chosen.seed}
        schedule = dy.optim.CosineSchedule(rate, max(chosen.epochs, 1))
        trained = module if isinstance(module, dy.nn.Module) else module.model
        dy.fit(trained, dy.AdamTrainer(module.model), examples, loss, schedule=schedule, **settings)
    if chosen.save:
        module.model.save(chosen.save)


def mean_loss(module, examples):
    """The mean loss of the examples, without dropout."""
    total = 0.0
    with module.evaluating():
        for part in dy.data.batches(examples, 64, shuffle=False):
            dy.renew_cg()
            total += dy.esum([module.loss(example) for example in part]).value()
    return total / len(examples)
