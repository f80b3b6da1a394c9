"""A program of the tests: dy.fit in several processes; prints what it leads to, from process 0."""

import argparse
import json
import random

import numpy as np
from train import digest

import dynet as dy


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--checkpoint")
    parser.add_argument("--batched", action="store_true")
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--norm", action="store_true")
    asked = parser.parse_args()
    dy.reset_random_seed(7)
    model = dy.ParameterCollection()
    words = model.add_lookup_parameters((30, 8))
    weights, bias = model.add_parameters((3, 8)), model.add_parameters(3)
    norm = dy.nn.BatchNorm(8, model)
    draw = random.Random(3)
    examples = [([draw.randrange(30) for _ in range(draw.randint(1, 9))], n % 3) for n in range(75)]

    def loss(example):
        vectors = dy.dropout(dy.esum([words[row] for row in example[0]]), 0.1)
        if asked.norm:
            vectors = norm([vectors, vectors + 1])[0]
        scale = np.nan if asked.wrong and len(example[0]) == 9 else 1.0
        return dy.pickneglogsoftmax(weights * vectors + bias, example[1]) * scale

    def mean(some):
        return dy.esum([loss(each) for each in some]) / len(some)

    trainer = dy.distributed.Trainer(dy.AdamTrainer(model), shards=4, key=lambda example: len(example[0]))
    history = dy.fit(
        model,
        trainer,
        examples[:60],
        mean if asked.batched else loss,
        batched=asked.batched,
        batch_size=4,
        epochs=asked.epochs,
        held_out=examples[60:],
        patience=3,
        checkpoint=asked.checkpoint,
        checkpoint_every=2 if asked.checkpoint else None,
        resume=bool(asked.checkpoint),
    )
    if trainer.rank == 0:
        told = [(each["loss"], each["score"]) for each in history.epochs]
        print(json.dumps({"model": digest(model), "epochs": told, "best": history.best_epoch}), flush=True)


if __name__ == "__main__":
    main()
