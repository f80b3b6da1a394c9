"""`python -m dynet bench`: how fast small models train on this machine."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

import dynet as dy
from dynet.command.table import table

VOCABULARY, TAGS, BATCH = 5000, 17, 16
EMBEDDING, HIDDEN = 64, 128

Sentence = tuple[list[int], list[int]]
Tree = int | tuple[Any, Any]


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "bench",
        help="how fast small models train here",
        description="Trains a BiLSTM tagger and a tree LSTM, written sentence by sentence and tree by tree, "
        f"on random data, {BATCH} a minibatch, and prints words a second (the median of three rounds). The "
        "automatic batching and the update are part of what is measured; the data is made before.",
    )
    parser.add_argument(
        "--seconds", metavar="S", type=_positive, default=1.5, help="for each number that is measured (1.5)"
    )
    parser.add_argument(
        "--threads", metavar="N", type=_count, nargs="+", default=[1, 2], help="how many may compute (1 2)"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=run)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 3600:
        raise argparse.ArgumentTypeError(f"{text} was given; seconds between 0 and 3600 are needed")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} was given; a number from 1 on is needed")
    return value


class Tagger:
    """A BiLSTM over word vectors, and a softmax over the tags of each word."""

    name = "tagger"
    what = f"BiLSTM of 2 × {HIDDEN // 2} over vectors of {EMBEDDING}, {TAGS} tags"

    def __init__(self, model: dy.ParameterCollection) -> None:
        self.table = model.add_lookup_parameters((VOCABULARY, EMBEDDING))
        self.context = dy.BiRNNBuilder(1, EMBEDDING, HIDDEN, model, dy.VanillaLSTMBuilder)
        self.weights = model.add_parameters((TAGS, HIDDEN))
        self.bias = model.add_parameters(TAGS, init=0)

    @staticmethod
    def batch(random: np.random.Generator) -> tuple[list[Sentence], int]:
        """Some sentences, and how many words they have."""
        lengths = random.integers(5, 36, BATCH).tolist()
        sentences = [
            (random.integers(VOCABULARY, size=n).tolist(), random.integers(TAGS, size=n).tolist())
            for n in lengths
        ]
        return sentences, sum(lengths)

    def loss(self, sentences: list[Sentence]) -> dy.Expression:
        losses = []
        for words, tags in sentences:
            states = self.context.transduce([self.table[word] for word in words])
            scores = [dy.affine_transform([self.bias, self.weights, state]) for state in states]
            losses += [dy.pickneglogsoftmax(s, tag) for s, tag in zip(scores, tags, strict=True)]
        return dy.esum(losses)


class Trees:
    """An LSTM over binary trees, from the leaves up, and a softmax at the root."""

    name = "tree LSTM"
    what = f"binary trees, cells of {HIDDEN} over vectors of {EMBEDDING}, {TAGS} classes"

    def __init__(self, model: dy.ParameterCollection) -> None:
        self.table = model.add_lookup_parameters((VOCABULARY, EMBEDDING))
        self.leaf = model.add_parameters((3 * HIDDEN, EMBEDDING))
        self.left = model.add_parameters((5 * HIDDEN, HIDDEN))
        self.right = model.add_parameters((5 * HIDDEN, HIDDEN))
        self.bias = model.add_parameters(5 * HIDDEN, init=0)
        self.weights = model.add_parameters((TAGS, HIDDEN))

    @staticmethod
    def batch(random: np.random.Generator) -> tuple[list[tuple[Tree, int]], int]:
        """Some trees with their classes, and how many words they have."""
        lengths = random.integers(5, 36, BATCH).tolist()

        def tree(words: list[int]) -> Tree:
            if len(words) == 1:
                return words[0]
            middle = int(random.integers(1, len(words)))
            return tree(words[:middle]), tree(words[middle:])

        trees = [
            (tree(random.integers(VOCABULARY, size=n).tolist()), int(random.integers(TAGS))) for n in lengths
        ]
        return trees, sum(lengths)

    def encode(self, tree: Tree) -> tuple[dy.Expression, dy.Expression]:
        """The output and the memory cell of a tree."""
        if isinstance(tree, int):
            gates = self.leaf * self.table[tree]
            enter, leave, news = (gates[i * HIDDEN : (i + 1) * HIDDEN] for i in range(3))
            cell = dy.cmult(dy.logistic(enter), dy.tanh(news))
        else:
            (h_left, c_left), (h_right, c_right) = self.encode(tree[0]), self.encode(tree[1])
            gates = dy.affine_transform([self.bias, self.left, h_left, self.right, h_right])
            enter, leave, news, keep_left, keep_right = (
                gates[i * HIDDEN : (i + 1) * HIDDEN] for i in range(5)
            )
            kept = dy.cmult(dy.logistic(keep_left), c_left) + dy.cmult(dy.logistic(keep_right), c_right)
            cell = dy.cmult(dy.logistic(enter), dy.tanh(news)) + kept
        return dy.cmult(dy.logistic(leave), dy.tanh(cell)), cell

    def loss(self, trees: list[tuple[Tree, int]]) -> dy.Expression:
        return dy.esum([dy.pickneglogsoftmax(self.weights * self.encode(t)[0], c) for t, c in trees])


TASKS: tuple[Any, ...] = (Tagger, Trees)


@dataclass(frozen=True)
class Speed:
    """What was measured for one task."""

    task: str
    threads: int
    words_a_second: float


def measured(task: Any, threads: int, seconds: float) -> Speed:
    """Trains for some time after a warm-up, in which the number of threads that pay is found, too."""
    before = dy.get_num_threads()
    dy.set_num_threads(threads)
    try:
        model = dy.ParameterCollection()
        program, trainer = task(model), dy.AdamTrainer(model)
        random = np.random.default_rng(1)
        batches = [task.batch(random) for _ in range(8)]

        def round_of(duration: float) -> float:
            words, start, place = 0, time.perf_counter(), 0
            while not words or time.perf_counter() - start < duration:
                data, count = batches[place % len(batches)]
                dy.renew_cg()
                program.loss(data).backward()
                trainer.update()
                words, place = words + count, place + 1
            return words / (time.perf_counter() - start)

        round_of(seconds / 4)
        return Speed(task.name, threads, statistics.median(round_of(seconds / 4) for _ in range(3)))
    finally:
        dy.set_num_threads(before)
        dy.renew_cg()


def run(chosen: argparse.Namespace) -> int:
    speeds = [measured(task, n, chosen.seconds) for task in TASKS for n in chosen.threads]
    if chosen.json:
        facts = {"dynet": dy.__version__, "instruction_sets": dy.instruction_sets()}
        measures = [
            {"task": s.task, "threads": s.threads, "words_a_second": round(s.words_a_second)} for s in speeds
        ]
        print(json.dumps({**facts, "speeds": measures}, indent=1))
        return 0
    kernels = dy.instruction_sets()[-1]
    print(f"training, {BATCH} sentences a minibatch, {dy.__precision__}, kernels for {kernels}")
    rows = [[s.task, str(s.threads), f"{s.words_a_second:,.0f}", of(s.task)] for s in speeds]
    print(table(["task", "threads", "words/s", "what"], rows, right=frozenset({1, 2})))
    return 0


def of(name: str) -> str:
    """What the model of a task is."""
    return str(next(task.what for task in TASKS if task.name == name))
