"""Kills within saves and loads beside saves: of each format the old or the new model must come back, whole.

    python tests/fuzz/kills.py [--kills 250] [--loads 24000] [--formats pair text ...] [--seed 1]

Prints a line for each format; its exit status is 1 if a model was lost or mixed, or files stayed over.
"""

import argparse
import contextlib
import os
import pathlib
import random
import signal
import sys
import tempfile
import time

import dynet as dy


class Format:
    """What saves model 1 or 2 under a name, and tells which of them a name holds."""

    def __init__(self, folder, size):
        self.folder, self.size = pathlib.Path(folder), size
        self.models = {value: self.make(value) for value in (1, 2)}

    def make(self, value):
        """A collection with a parameter, a table and a builder whose numbers are all the same."""
        model = dy.ParameterCollection()
        parts = [
            model.add_parameters((self.size, self.size), init=value),
            model.add_lookup_parameters((self.size, self.size), init=value),
            dy.GRUBuilder(1, 2, self.size, model),
        ]
        for p in model.parameters_list():
            p.set_value(p.as_array() * 0 + value)
        return model, parts

    def held(self, parameters):
        """The number that all of them hold; None for a mixture."""
        found = {float(x) for p in parameters for x in p.as_array().flat}
        return int(found.pop()) if len(found) == 1 else None


def everything(model):
    return model.parameters_list() + model.lookup_parameters_list()


class Pair(Format):
    files = ("model.data", "model.meta")

    def save(self, value):
        dy.save(self.folder / "model", self.models[value][1])

    def load(self):
        model = dy.ParameterCollection()
        parts = dy.load(self.folder / "model", model)
        assert len(parts) == 3 and len(everything(model)) > 2
        return self.held(everything(model))


class Text(Format):
    files = ("model.txt",)

    def save(self, value):
        self.models[value][0].save(self.folder / self.files[0])

    def load(self):
        model, _ = self.make(0)
        model.populate(self.folder / self.files[0])
        return self.held(everything(model))


class Safetensors(Text):
    files = ("model.safetensors",)


class Appended(Text):
    """Two collections in a file: the second save of each model adds to the first."""

    files = ("both.txt",)

    def save(self, value):
        model = self.models[value][0]
        if value == 1:
            model.save(self.folder / self.files[0], "/one")
        else:
            model.save(self.folder / self.files[0], "/two", append=True)

    def load(self):
        model, _ = self.make(0)
        model.populate(self.folder / self.files[0], "/one")
        found = self.held(everything(model))
        with contextlib.suppress(RuntimeError):
            model.populate(self.folder / self.files[0], "/two")
            return self.held(everything(model))
        return found


class Trainer(Format):
    files = ("trainer",)

    def make(self, value):
        model = dy.ParameterCollection()
        p = model.add_parameters((self.size, self.size), init=0)
        trainer = dy.MomentumSGDTrainer(model, float(value), 1.0)
        trainer.set_clip_threshold(0)
        dy.renew_cg()
        (dy.sum_elems(p) * value).backward()
        trainer.update()
        return model, trainer

    def save(self, value):
        self.models[value][1].save(self.folder / self.files[0])

    def load(self):
        """The rate, if the momentum that was saved with it comes back too."""
        model, trainer = self.make(1)
        trainer.populate(self.folder / self.files[0])
        value = trainer.learning_rate
        (p,) = model.parameters_list()
        p.zero()
        dy.renew_cg()
        dy.sum_elems(p).backward()
        p.scale_gradient(0)
        trainer.update()
        momentum = {float(x) for x in p.as_array().flat}
        return int(value) if momentum == {-value * value} else None


FORMATS = {"pair": Pair, "text": Text, "safetensors": Safetensors, "appended": Appended, "trainer": Trainer}


def save_for_ever(format_):
    """A child that saves one model and the other in turn, until it is killed."""
    child = os.fork()
    if child == 0:
        try:
            while True:
                for value in (2, 1):
                    format_.save(value)
        finally:
            os._exit(1)
    return child


def end(child):
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


class Count:
    def __init__(self):
        self.done = self.lost = self.mixed = self.left = 0
        self.first = ""

    def load(self, format_):
        self.done += 1
        try:
            self.mixed += format_.load() not in (1, 2)
        except Exception as error:
            self.lost += 1
            self.first = self.first or f"{type(error).__name__}: {error}"

    @property
    def bad(self):
        return self.lost + self.mixed + self.left


def killed_after_replacement(format_, value):
    """A save that is killed as soon as a file is replaced, a moment that chance seldom finds."""
    first = format_.folder / format_.files[0]
    before = os.stat(first).st_ino
    child = os.fork()
    if child == 0:
        format_.save(value)
        os._exit(0)
    ended = 0
    while not ended and os.stat(first).st_ino == before:
        ended, _ = os.waitpid(child, os.WNOHANG)
    if not ended:
        end(child)


def kills(format_, number, rng):
    """Kills a saver at random moments; what is left over by the end of the next save is counted too."""
    count = Count()
    format_.save(1)
    for value in (2, 1):
        killed_after_replacement(format_, value)
        count.load(format_)
    for _ in range(number):
        child = save_for_ever(format_)
        time.sleep(rng.uniform(0, 0.05))
        end(child)
        count.load(format_)
        format_.save(1)
        count.left += len(set(os.listdir(format_.folder)) - set(format_.files))
    return count


def loads(format_, number):
    """Loads beside two savers."""
    count = Count()
    format_.save(1)
    children = [save_for_ever(format_) for _ in range(2)]
    try:
        for _ in range(number):
            count.load(format_)
    finally:
        for child in children:
            end(child)
    return count


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=250, help="for each format")
    parser.add_argument("--loads", type=int, default=24000, help="of all formats together")
    parser.add_argument("--formats", nargs="+", default=list(FORMATS), choices=list(FORMATS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=20, help="of the matrices")
    options = parser.parse_args(arguments)
    rng, bad = random.Random(options.seed), 0
    for name in options.formats:
        with tempfile.TemporaryDirectory() as folder:
            format_ = FORMATS[name](folder, options.size)
            results = {
                "kills": kills(format_, options.kills, rng),
                "loads": loads(format_, options.loads // len(options.formats)),
            }
        for what, count in results.items():
            print(
                f"{name:12} {count.done:6} {what}: {count.lost} lost, {count.mixed} mixed, "
                f"{count.left} files left over. {count.first}",
                flush=True,
            )
            bad += count.bad
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
