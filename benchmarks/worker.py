"""Runs one benchmark program on one toolkit, in windows, and reports them as JSON lines.

With --serve the process warms up, says so, and then runs a window for each line "window SECONDS"
on its input, until "quit" or the end of the input.  Without it, it runs --windows of them.
"""

import argparse
import importlib
import importlib.metadata
import json
import os
import sys
import time

REPORTED_LOSSES = 8
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def parse_arguments():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task")
    parser.add_argument("toolkit", choices=("dynet", "torch"))
    parser.add_argument("--minibatch", type=int, default=1)
    parser.add_argument("--batching", default="batched", help="PyTorch: example or batched")
    parser.add_argument("--autobatch", help="DyNet: the value of --dynet-autobatch")
    parser.add_argument("--memory", default="1024", help="DyNet: the value of --dynet-mem")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cores", help="cores to stay on, as 0,1")
    parser.add_argument("--params", help="model file to start from")
    parser.add_argument("--save", help="model file to write before the first update")
    parser.add_argument("--warmup-limit", type=float, default=20.0, help="seconds")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="what a second is")
    parser.add_argument("--infer", action="store_true", help="compute losses without training")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0)
    return parser.parse_args()


def stay_on_cores(cores):
    """Pins the process to cores; without support for that it does nothing."""
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core) for core in cores.split(",")})


def distribution(module):
    """Name and version of the installed package that has the module."""
    names = importlib.metadata.packages_distributions().get(module, [])
    versions = [f"{name} {importlib.metadata.version(name)}" for name in sorted(set(names))]
    return ", ".join(versions) or f"{module} from its source folder"


def load_dynet(task, arguments):
    """Starts the dynet package of this interpreter and builds the model."""
    # The configuration module knows autobatching only as on or off, the command line its levels.
    sys.argv[1:] = ["--dynet-mem", arguments.memory, "--dynet-seed", "1"]
    if arguments.autobatch is not None:
        sys.argv += ["--dynet-autobatch", arguments.autobatch]
    model = importlib.import_module(f"models.{task.module}_dynet").Model(task.variant)
    if arguments.params:
        model.collection.populate(arguments.params)
    if arguments.save:
        model.collection.save(arguments.save)
    return model, distribution("dynet")


def load_torch(task, arguments):
    """Starts PyTorch and builds the model."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(arguments.threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(1)
    module = importlib.import_module(f"models.{task.module}_torch")
    return module.Model(task.variant, arguments.batching), distribution("torch")


class Driver:
    """Feeds the minibatches of a pass to a model, round and round."""

    def __init__(self, task, model, minibatch, clock, infer=False):
        batches = task.batches(minibatch)
        self.run = model.evaluate if infer else model.step
        self.clock = CLOCKS[clock]
        self.prepared = [model.prepare(batch) for batch in batches]
        self.words = [task.words(batch) for batch in batches]
        self.sentences_per_word = sum(len(batch) for batch in batches) / sum(self.words)
        self.next = 0

    def step(self):
        """Runs the next minibatch; returns its loss and its number of words."""
        current = self.next
        self.next = (current + 1) % len(self.prepared)
        return self.run(self.prepared[current]), self.words[current]

    def warm_up(self, limit):
        """Trains on every minibatch once, or until the limit; reports the first losses."""
        start = time.perf_counter()
        losses = []
        first = None
        for _ in self.prepared:
            loss, words = self.step()
            first = first or loss / words
            losses.append(loss)
            if time.perf_counter() - start > limit:
                break
        return {
            "event": "ready",
            "losses": losses[:REPORTED_LOSSES],
            "loss_per_word": first,
            "warmup_seconds": round(time.perf_counter() - start, 3),
        }

    def window(self, seconds):
        """Trains for about these seconds; counts sentences of mean length, from the words."""
        start = self.clock()
        starts = [clock() for clock in CLOCKS.values()]
        total = 0
        elapsed = 0.0
        while elapsed < seconds:
            total += self.step()[1]
            elapsed = self.clock() - start
        wall, cpu = [clock() - begun for clock, begun in zip(CLOCKS.values(), starts, strict=True)]
        return {
            "event": "window",
            "sentences_per_second": total * self.sentences_per_word / elapsed,
            "seconds": elapsed,
            "cores_used": cpu / wall,
        }


def report(fields):
    """Prints one JSON line at once."""
    print(json.dumps(fields), flush=True)


def serve(driver, lines):
    """Runs a window for each request."""
    for line in lines:
        command, *values = line.split() or [""]
        if command == "quit":
            return
        if command == "window":
            report(driver.window(float(values[0])))


def main():
    """Warms up, then runs windows."""
    arguments = parse_arguments()
    stay_on_cores(arguments.cores)
    task = importlib.import_module("tasks").TASKS[arguments.task]
    load = {"dynet": load_dynet, "torch": load_torch}[arguments.toolkit]
    model, version = load(task, arguments)
    driver = Driver(task, model, arguments.minibatch, arguments.clock, arguments.infer)
    report({**driver.warm_up(arguments.warmup_limit), "version": version})
    if arguments.serve:
        serve(driver, sys.stdin)
    else:
        serve(driver, [f"window {arguments.seconds}"] * arguments.windows)


if __name__ == "__main__":
    main()
