"""Runs a program that looks at values, in loops and by run_batched, in turns; prints seconds as JSON.

    python values_worker.py parser 64 [--rounds 7] [--only plain,function]

The examples of a pass take as long as they take in processor time; all ways pass over the same examples, one
pass each a round. In training all ways update the model after the same examples.
"""

import argparse
import json
import time

from models.asking import PROGRAMS

import dynet as dy

BATCH = 64  # examples of an update
WARM_UP = 10  # passes of a way whose window is found out
LEAST_SECONDS = 0.15  # of a measurement


class Ways:
    """The program's ways to pass over its examples: each gives the results that it leads to."""

    def __init__(self, model, training):
        self.model, self.training = model, training

    def each(self):
        """A loop, with a graph for each example."""
        results = []
        for batch in self.batches():
            for example in batch:
                dy.renew_cg()
                results.append(self.model.whole(example, self.training))
                if self.training:
                    results[-1] = self.learn(results[-1:], update=False)
            self.update()
        return results

    def together(self):
        """A loop whose examples share a graph."""
        return self.over_batches(lambda batch: [self.model.whole(e, self.training) for e in batch])

    def batched(self, function, window):
        """run_batched."""
        return self.over_batches(lambda batch: dy.run_batched(function, batch, window=window))

    def over_batches(self, run):
        results = []
        for batch in self.batches():
            dy.renew_cg()
            made = run(batch)
            results += [self.learn(made)] if self.training else made
        return results

    def batches(self):
        examples = self.model.examples
        step = BATCH if self.training else len(examples)
        return [examples[i : i + step] for i in range(0, len(examples), step)]

    def learn(self, losses, update=True):
        loss = dy.esum(losses)
        value = loss.value()
        loss.backward()
        if update:
            self.update()
        return value

    def update(self):
        if self.training:
            self.model.trainer.update()

    def all(self):
        """Each way by its name."""
        model, training = self.model, self.training

        def function(example):
            return model.whole(example, training)

        def generator(example):
            return model.steps(example, training)

        # A generator function is told by its code.
        def steps(example):
            return (yield from model.steps(example, training))

        return {
            "each": self.each,
            "together": self.together,
            "function": lambda: self.batched(function, None),
            "generator": lambda: self.batched(steps, None),
            "function 32": lambda: self.batched(function, 32),
            "generator 32": lambda: self.batched(steps, 32),
        }


def seconds(run, count):
    """Processor time of a pass."""
    start = time.process_time()
    for _ in range(count):
        run()
    return (time.process_time() - start) / count


def measure(ways, rounds):
    """Seconds of each way and round."""
    measured = {name: [] for name in ways}
    counts = {}
    for name, run in ways.items():
        passes = [seconds(run, 1) for _ in range(WARM_UP if name in ("function", "generator") else 2)]
        counts[name] = max(1, round(LEAST_SECONDS / passes[-1]))
    for _ in range(rounds):
        for name, run in ways.items():
            measured[name].append(seconds(run, counts[name]))
    return measured


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("size", type=int)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", help="ways, as each,function")
    chosen = parser.parse_args()
    dy.set_num_threads(1)
    cls = PROGRAMS[chosen.program]
    kinds = {False: [False], True: [False, True], "only": [True]}[cls.learns]
    for training in kinds:
        model = cls(chosen.size)
        ways = Ways(model, training).all()
        if not training:  # the same decisions
            first, *others = [run() for run in ways.values()]
            assert all(other == first for other in others)
        if chosen.only:
            ways = {name: run for name, run in ways.items() if name in chosen.only.split(",")}
        fields = {"program": chosen.program, "size": chosen.size, "training": training}
        fields["examples"] = len(model.examples)
        print(json.dumps({**fields, "seconds": measure(ways, chosen.rounds)}), flush=True)


if __name__ == "__main__":
    main()
