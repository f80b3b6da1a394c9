"""Schedules beside torch's, in loops and in dy.fit; clipping, accumulation, averages."""

import math

import numpy as np
import pytest
from layer_laws import close, inputs

import dynet as dy

SCHEDULES = {
    "step": (dy.optim.StepSchedule(0.1, 3, 0.5), lambda s, o: s.StepLR(o, 3, 0.5)),
    "exponential": (dy.optim.ExponentialSchedule(0.1, 0.9), lambda s, o: s.ExponentialLR(o, 0.9)),
    "linear": (dy.optim.LinearSchedule(0.1, 5, 0.01), lambda s, o: s.LinearLR(o, 1.0, 0.1, 5)),
    "cosine": (dy.optim.CosineSchedule(0.1, 10, 0.02), lambda s, o: s.CosineAnnealingLR(o, 10, 0.02)),
    "restarts": (
        dy.optim.CosineSchedule(0.1, 4, restarts=True),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 4),
    ),
    "growing restarts": (
        dy.optim.CosineSchedule(0.1, 2, restarts=True, growth=2),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 2),
    ),
    "warm-up": (
        dy.optim.WarmUp(dy.optim.StepSchedule(0.1, 100), 4, first=0.2),
        lambda s, o: s.LinearLR(o, 0.2, 1.0, 4),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.filterwarnings("ignore:Detected call of")
def test_schedules_as_torch(name):
    torch = pytest.importorskip("torch")
    ours, make = SCHEDULES[name]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.1)
    theirs, rates = make(torch.optim.lr_scheduler, optimizer), []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    np.testing.assert_allclose([ours(time) for time in range(10)], rates, rtol=1e-9)


def test_inverse_square_root():
    schedule = dy.optim.InverseSquareRootSchedule(1 / math.sqrt(512 * 4000), 4000)
    for time in (1, 100, 4000, 10000):
        expected = 512**-0.5 * min(time**-0.5, time * 4000**-1.5)
        assert schedule(time) == pytest.approx(expected)


def test_after_their_end_they_stay():
    for schedule in (dy.optim.LinearSchedule(0.1, 5, 0.02), dy.optim.CosineSchedule(0.1, 5, 0.02)):
        assert schedule(5) == schedule(50) == pytest.approx(0.02)


@pytest.mark.parametrize("kind", [dy.SimpleSGDTrainer, dy.AdamTrainer, dy.optim.AdamW, dy.optim.Lion])
def test_every_trainer_follows(kind):
    model = dy.ParameterCollection()
    w, trainer = model.add_parameters(1, init=1), kind(model)
    scheduled = dy.optim.Scheduled(dy.optim.LinearSchedule(0.1, 2), trainer)
    rates = []
    for _ in range(3):
        before = w.as_array()
        rates.append(scheduled.step())
        assert trainer.learning_rate == rates[-1]
        dy.square(w).backward()
        trainer.update()
        assert (w.as_array() != before).any() == (rates[-1] > 0)
    assert rates == [0.1, 0.05, 0.0]


def fitted(epochs, **options):
    """Learning rates of the epochs of a training."""
    model = dy.ParameterCollection()
    w, trainer = model.add_parameters(1, init=1), dy.SimpleSGDTrainer(model, 0.5)
    rates = []

    class Rates(dy.training.Callback):
        def on_batch_end(self, run):
            rates.append(run.trainer.learning_rate)

    options["callbacks"] = [*options.get("callbacks", []), Rates()]
    dy.fit(
        model,
        trainer,
        [1.0] * 4,
        lambda x: dy.square(w - x) * 0 + 1,
        epochs=epochs,
        batch_size=2,
        progress=False,
        **options,
    )
    return rates


def test_fit_takes_schedules():
    schedule = dy.optim.LinearSchedule(0.4, 2)
    assert fitted(2, schedule=schedule) == pytest.approx([0.4, 0.3, 0.2, 0.1])
    assert fitted(2, callbacks=[dy.optim.Scheduled(schedule)]) == pytest.approx([0.4, 0.2, 0, 0])


def test_fit_takes_plateau(tmp_path):
    assert fitted(5, callbacks=[dy.optim.Plateau(patience=1)]) == [0.5] * 6 + [0.25] * 4
    path = tmp_path / "checkpoint"
    fitted(3, callbacks=[dy.optim.Plateau(patience=2)], checkpoint=path)
    rates = fitted(5, callbacks=[dy.optim.Plateau(patience=2)], checkpoint=path, resume=True)
    assert rates == [0.5] * 2 + [0.25] * 2


def test_plateau():
    trainer = dy.SimpleSGDTrainer(dy.ParameterCollection(), 1.0)
    plateau = dy.optim.Plateau("max", 0.1, patience=0, least=0.05, trainer=trainer)
    assert [plateau.step(score) for score in (0.5, 0.6, 0.6, 0.5)] == pytest.approx([1, 1, 0.1, 0.05])


def with_gradients():
    model = dy.ParameterCollection()
    v, w = model.add_parameters(3, init=0), model.add_parameters((2, 2), init=0)
    table = model.add_lookup_parameters((4, 2), init=0)
    unused = model.add_parameters(2, init=0)
    gradients = inputs(1, (3,), (2, 2), (4, 2))
    gradients[2][[0, 3]] = 0
    for each, gradient in zip((v, w, table), gradients, strict=True):
        each.set_gradient(gradient)
    return model, [v, w, table], unused, gradients


def test_clip_norm():
    model, learned, _, gradients = with_gradients()
    norm = math.sqrt(sum((g**2).sum() for g in gradients))
    assert dy.optim.clip_norm(model, 2 * norm) == pytest.approx(norm)
    for each, gradient in zip(learned, gradients, strict=True):
        close(each.grad_as_array(), gradient)
    dy.optim.clip_norm(model, norm / 4)
    for each, gradient in zip(learned, gradients, strict=True):
        close(each.grad_as_array(), gradient / 4)


def test_clip_value_and_clip_each():
    model, learned, unused, gradients = with_gradients()
    dy.optim.clip_value(model, 0.5)
    for each, gradient in zip(learned, gradients, strict=True):
        close(each.grad_as_array(), gradient.clip(-0.5, 0.5))
    model, learned, unused, gradients = with_gradients()
    dy.optim.clip_each(model, 1.0)
    for each, gradient in zip(learned, gradients, strict=True):
        close(each.grad_as_array(), gradient / max(1.0, np.linalg.norm(gradient)))
    # What has no gradient is not moved by an update, nor are rows that were not used.
    trainer = dy.MomentumSGDTrainer(model, 0.1)
    trainer.update()
    assert not unused.as_array().any() and not learned[2].as_array()[[0, 3]].any()
    assert learned[2].as_array()[[1, 2]].any()


def test_accumulation_is_a_larger_batch():
    def run(batches):
        model = dy.ParameterCollection()
        w = model.add_parameters(3, init=[1, 2, 3])
        trainer = dy.AdamTrainer(model, 0.1)
        accumulation = dy.optim.Accumulation(trainer, 2, model)
        examples = [dy.inputVector(x) for x in inputs(2, *[(3,)] * 8)]
        for start in range(0, 8, 8 // batches):
            part = examples[start : start + 8 // batches]
            dy.average([dy.squared_distance(w, x) for x in part]).backward()
            trainer.update() if batches == 4 else accumulation.update()
        return w.as_array()

    close(run(8), run(4))


def test_what_is_left_over():
    model = dy.ParameterCollection()
    w, trainer = model.add_parameters(1, init=0), dy.SimpleSGDTrainer(model, 1)
    accumulation = dy.optim.Accumulation(trainer, 3, model, reduction="sum")
    for _ in range(2):
        w.backward()
        assert not accumulation.update()
    accumulation.finish()
    close(w.as_array(), [-2])


def test_averages_are_there_for_a_block():
    model = dy.ParameterCollection()
    w, trainer = model.add_parameters(1, init=1), dy.SimpleSGDTrainer(model, 0.1)
    trainer.exponential_moving_average(0.5)
    for _ in range(2):
        w.backward()
        trainer.update()
    with pytest.raises(KeyError), dy.optim.averaged(trainer):
        close(w.as_array(), [(0.9 * 0.25 + 0.8 * 0.5) / 0.75])
        raise KeyError
    close(w.as_array(), [0.8])


def test_wrong_arguments():
    model = dy.ParameterCollection()
    trainer = dy.SimpleSGDTrainer(model)
    for wrong, text in (
        (lambda: dy.optim.StepSchedule(-1, 2), "StepSchedule: rate is -1; a number above 0"),
        (lambda: dy.optim.CosineSchedule(1, 0), "CosineSchedule: length is 0"),
        (lambda: dy.optim.Plateau("up"), "Plateau: mode is 'up'"),
        (lambda: dy.optim.Scheduled(dy.optim.LinearSchedule(1, 1)).step(), "without a trainer"),
        (lambda: dy.optim.clip_norm(model, 0), "clip_norm: most is 0; a number above 0"),
        (lambda: dy.optim.Accumulation(trainer, 0, model), "batches is 0; a whole number from 1"),
    ):
        with pytest.raises(ValueError, match=text):
            wrong()
    with pytest.raises(TypeError, match="clip_value: model is a"):
        dy.optim.clip_value(trainer, 1)
    with pytest.raises(TypeError, match="WarmUp: schedule is"):
        dy.optim.WarmUp(0.1, 3)
