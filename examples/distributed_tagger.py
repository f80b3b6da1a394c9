"""The tagger of tagger.py, trained by several processes to the same bits as by one."""

import math
import random

import options
import tagger
from data import greek_sentences

import dynet as dy


def right_and_all(network, sentences, task):
    """How many words of a process's sentences it tags right, and how many there are."""
    if not sentences:
        return 0, 0
    pairs = [
        (tag, getattr(word, task))
        for sentence, tags in zip(sentences, network.tag(sentences), strict=True)
        for word, tag in zip(sentence, tags, strict=True)
    ]
    return sum(tag == right for tag, right in pairs), len(pairs)


def main():
    parser = options.parser(__doc__, epochs=5, batch=64, unit="sentences")
    parser.add_argument("--shards", type=int, default=8, help="parts of a batch; processes must divide it")
    parser.add_argument("--checkpoint", metavar="FILE", help="go on from it, and write it after each epoch")
    chosen = options.parse(parser)

    training, held_out = greek_sentences()
    if chosen.smoke:
        training, held_out, chosen.epochs = training[:200], held_out[:40], 1
    network = tagger.Tagger(training, "pos")
    trainer = dy.distributed.Trainer(dy.AdamTrainer(network.parameters), shards=chosen.shards, key=len)
    if chosen.load:
        network.parameters.populate(chosen.load)
    state = (chosen.checkpoint and trainer.load(chosen.checkpoint)) or {"epoch": 0}
    for epoch in range(0 if chosen.load else state["epoch"], 0 if chosen.load else chosen.epochs):
        order = random.Random(f"{chosen.seed} {epoch}").sample(training, len(training))
        trainer.learning_rate = 0.004 * (1 - epoch / chosen.epochs)
        losses = [
            trainer.step(order[start : start + chosen.batch], network.loss)
            for start in range(0, len(order), chosen.batch)
        ]
        if trainer.rank == 0:
            print(f"epoch {epoch + 1}: loss {math.fsum(losses) / sum(map(len, order)):.4f} a word")
        if chosen.checkpoint:
            trainer.save(chosen.checkpoint, {"epoch": epoch + 1})
    right, words = right_and_all(network, trainer.mine(held_out), "pos")
    score = trainer.total([right]) / trainer.total([words])
    if trainer.rank == 0:
        print(f"held-out accuracy {score:.2%}")
        if chosen.save:
            network.parameters.save(chosen.save)


if __name__ == "__main__":
    main()
