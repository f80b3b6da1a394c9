"""The search for a learning rate, which leaves everything as it was."""

import random

import numpy as np
import pytest
from fitting.problem import Tagger, examples, parent_and_part, seeded

import dynet as dy


def found(tagger, **options):
    return dy.find_learning_rate(tagger.model, tagger.trainer, examples(), tagger.loss, **options)


@pytest.mark.parametrize("trainer", [dy.AdamTrainer, dy.SimpleSGDTrainer])
def test_everything_is_as_before_bit_for_bit(trainer, tmp_path):
    results = []
    for looks in (False, True):
        seeded()
        tagger = Tagger(trainer)
        dy.fit(tagger.model, tagger.trainer, examples(), tagger.loss, epochs=1, progress=False)
        if looks:
            before = tagger.bits()
            found(tagger)
            assert tagger.bits() == before and tagger.trainer.learning_rate == 0.05
            assert tagger.model.gradient_l2_norm() == 0
        dy.fit(tagger.model, tagger.trainer, examples(), tagger.loss, epochs=1, progress=False)
        results.append((tagger.bits(), random.random(), np.random.rand()))
    assert results[0] == results[1]


def test_the_suggestion_is_a_rate_that_learns():
    seeded()
    tagger = Tagger()
    rates = found(tagger, batch_size=8)
    assert rates.rates[0] == 1e-6 and rates.rates == sorted(rates.rates)
    assert 1e-4 < rates.suggestion < 1
    assert len(rates.losses) == len(rates.rates) == len(rates.smoothed)
    assert np.std(rates.smoothed[:20]) < np.std(rates.losses[:20])
    tagger.trainer.learning_rate = rates.suggestion
    history = dy.fit(tagger.model, tagger.trainer, examples(), tagger.loss, epochs=8, progress=False)
    assert history["loss"][-1] < 0.8 * history["loss"][0]


def test_the_search_ends_where_the_loss_explodes():
    seeded()
    tagger = Tagger(dy.SimpleSGDTrainer)
    tagger.trainer.set_clip_threshold(0)
    rates = found(tagger, highest=1e6, steps=60)
    assert len(rates.rates) < 60 and np.isfinite(rates.losses).all()


def shifted(by, **options):
    seeded()
    tagger = Tagger(dy.SimpleSGDTrainer)
    tagger.trainer.set_clip_threshold(0)
    return dy.find_learning_rate(
        tagger.model, tagger.trainer, examples(), lambda words: tagger.loss(words) + by, **options
    )


@pytest.mark.parametrize("by", [-1000, -20, -4, 20])
def test_negative_losses_end_it_as_others_do(by):
    assert len(shifted(by, highest=0.1).rates) == 100
    assert len(shifted(by, highest=1e6, steps=60).rates) < 60


def test_the_picture_shows_losses_of_every_sign():
    falling = [3.0 - number / 20 for number in range(100)]
    for by in (0, -10, 10):
        losses = [loss + by for loss in [*falling, 1000.0]]
        rates = dy.training.LearningRates([float(i) for i in range(101)], losses)
        low, high = rates._limits()
        assert low <= min(rates.smoothed) and max(losses[:30]) <= high < max(losses) / 2
        assert low == 0 or by < 10
    constant = dy.training.LearningRates([1.0, 2.0, 3.0], [0.0] * 3)
    assert constant._limits()[0] < constant._limits()[1]


def test_examples_of_unlike_length_do_not_end_it():
    seeded()
    tagger = Tagger()
    unlike = [words * (12 if number % 3 else 1) for number, words in enumerate(examples())]
    rates = dy.find_learning_rate(
        tagger.model, tagger.trainer, unlike, tagger.loss, batch_size=1, highest=0.1
    )
    assert max(rates.losses[:20]) > 4 * min(rates.losses[:20]) and len(rates.rates) == 100


def test_an_error_of_the_loss_leaves_everything_too():
    seeded()
    tagger = Tagger()
    before, count = tagger.bits(), 0

    def loss(words):
        nonlocal count
        count += 1
        if count > 200:
            raise KeyboardInterrupt
        return tagger.loss(words)

    with pytest.raises(KeyboardInterrupt):
        dy.find_learning_rate(tagger.model, tagger.trainer, examples(), loss)
    assert tagger.bits() == before and tagger.trainer.learning_rate == 0.05


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"lowest": 0.0}, "0 < lowest < highest is needed"),
        ({"lowest": 2.0, "highest": 1.0}, "0 < lowest < highest is needed"),
        ({"steps": 3}, "steps is 3; a whole number from 5 on is needed"),
        ({"reduction": "none"}, "find_learning_rate: reduction is 'none'"),
    ],
)
def test_wrong_arguments_are_told(options, what):
    with pytest.raises(ValueError, match=what):
        found(Tagger(), **options)


def test_a_loss_that_does_not_fall_is_told():
    tagger = Tagger()
    constant = dy.find_learning_rate(tagger.model, tagger.trainer, examples(), lambda _: dy.scalarInput(1))
    with pytest.raises(ValueError, match="the loss does not fall, from a rate of 1e-06 on"):
        constant.suggestion  # noqa: B018
    with pytest.raises(ValueError, match="the loss is not finite from a rate of 1e-06 on"):
        dy.find_learning_rate(tagger.model, tagger.trainer, examples(), lambda _: dy.log(dy.scalarInput(-1)))


def test_the_curve_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    seeded()
    found(Tagger()).plot(tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes()[:4] == b"\x89PNG"


def test_what_the_trainer_learns_beside_the_model_is_put_back():
    whole, part, trainer, loss = parent_and_part()
    before = {name: array.tobytes() for name, array in whole.state_dict().items()}
    dy.find_learning_rate(part, trainer, [1.0, 2.0], loss, steps=10)
    assert {name: array.tobytes() for name, array in whole.state_dict().items()} == before
    assert whole.gradient_l2_norm() == 0
