"""A program with the types that a user would write: mypy --strict and pyright accept it, and it runs."""

from collections.abc import Iterable, Sequence

import numpy as np
from typing_extensions import assert_type

import dynet as dy


@dy.cell
def step(x: dy.Expression, h: dy.Expression, *, scale: float = 1.0) -> dy.Expression:
    return dy.tanh(x + h) * scale


@dy.cell
def both(x: dy.Expression) -> tuple[dy.Expression, dy.Expression]:
    return dy.tanh(x), dy.logistic(x)


class Tagger:
    """A builder of any kind reads words; a layer tells the tags."""

    def __init__(self, model: dy.ParameterCollection, builder: dy.RNNBuilder, size: int, tags: int) -> None:
        self.table: dy.LookupParameters = model.add_lookup_parameters((100, size))
        self.weight: dy.Parameters = model.add_parameters((tags, size), init=dy.GlorotInitializer())
        self.builder = builder

    @dy.cell
    def score(self, h: dy.Expression) -> dy.Expression:
        return self.weight * h

    def scores(self, words: Sequence[int]) -> list[dy.Expression]:
        state: dy.RNNState = self.builder.initial_state()
        return [self.score(h) for h in state.transduce([self.table[word] for word in words])]

    def loss(self, words: Sequence[int], tags: Iterable[int]) -> dy.Expression:
        return dy.esum([dy.pickneglogsoftmax(s, t) for s, t in zip(self.scores(words), tags, strict=True)])


def main() -> None:
    model = dy.ParameterCollection()
    builders: list[dy.RNNBuilder] = [dy.LSTMBuilder(1, 8, 8, model), dy.GRUBuilder(1, 8, 8, model)]
    trees: dy.TreeLSTMBuilder = dy.NaryTreeLSTMBuilder(2, 1, 8, 8, model)
    trainer: dy.Trainer = dy.AdamTrainer(model)
    for tagger in [Tagger(model, builder, 8, 5) for builder in builders]:
        for _epoch in range(2):
            dy.renew_cg()
            loss = tagger.loss([1, 2, 3], [0, 1, 2])
            loss.backward()
            trainer.update()
            print(loss.scalar_value())
        best = int(np.argmax(tagger.scores([1])[0].npvalue()))
        print(best)
    x = dy.inputVector([1.0, 2.0])
    assert_type(step(x, x, scale=2.0), dy.Expression)
    assert_type(both(x), tuple[dy.Expression, dy.Expression])
    trees.start_new_sequence()


if __name__ == "__main__":
    main()
