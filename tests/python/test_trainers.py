"""Trainers in Python: arguments, status, clipping, and that a simple problem is learned."""

import numpy as np
import pytest
from every_kind import TRAINERS

import dynet as dy


@pytest.fixture
def model():
    dy.renew_cg()
    return dy.ParameterCollection()


@pytest.mark.parametrize("kind", TRAINERS, ids=lambda kind: kind.__name__)
def test_xor_is_learned(kind):
    dy.reset_random_seed(2)
    model = dy.ParameterCollection()
    w, b = model.add_parameters((8, 2)), model.add_parameters(8, init=0)
    v, a = model.add_parameters((1, 8)), model.add_parameters(1, init=0)
    trainer = kind(model)
    if kind not in (dy.AdadeltaTrainer, dy.CyclicalSGDTrainer):
        trainer.learning_rate = 0.1

    def loss():
        dy.renew_cg()
        losses = []
        for x, y in [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]:
            hidden = dy.tanh(dy.affine_transform([b, w, dy.inputVector(x)]))
            losses.append(
                dy.binary_log_loss(dy.logistic(dy.affine_transform([a, v, hidden])), dy.scalarInput(y))
            )
        return dy.esum(losses)

    first = loss().value()
    for _ in range(300):
        loss().backward()
        trainer.update()
    assert loss().value() < 0.9 * first


DEFAULTS = {
    dy.SimpleSGDTrainer: 0.1,
    dy.CyclicalSGDTrainer: 0.01,
    dy.MomentumSGDTrainer: 0.01,
    dy.AdagradTrainer: 0.1,
    dy.AdadeltaTrainer: 1.0,
    dy.RMSPropTrainer: 0.001,
    dy.AdamTrainer: 0.001,
    dy.AmsgradTrainer: 0.001,
    dy.AdamWTrainer: 0.001,
    dy.RAdamTrainer: 0.001,
    dy.LionTrainer: 0.0001,
}


@pytest.mark.parametrize("kind", TRAINERS, ids=lambda kind: kind.__name__)
def test_default_learning_rates(kind, model):
    trainer = kind(model)
    assert trainer.learning_rate == pytest.approx(DEFAULTS[kind])
    assert trainer.whoami() == kind.__name__
    assert trainer.get_clip_threshold() == 5
    assert isinstance(trainer, dy.Trainer)


def test_arguments(model):
    assert dy.AdamTrainer(m=model, alpha=0.5, beta_1=0.8, beta_2=0.99, eps=1e-6).learning_rate == 0.5
    assert dy.AdamTrainer(model, 1).learning_rate == 1
    assert dy.MomentumSGDTrainer(model, learning_rate=0.2, mom=0.5).learning_rate == 0.2
    assert dy.CyclicalSGDTrainer(model, learning_rate_min=0.3, step_size=7).learning_rate == 0.3
    for wrong in (
        lambda: dy.AdamTrainer(),
        lambda: dy.AdamTrainer(model, learning_rate=1),
        lambda: dy.AdamTrainer(3),
    ):
        with pytest.raises(TypeError):
            wrong()


def test_learning_rate(model):
    trainer = dy.SimpleSGDTrainer(model)
    trainer.learning_rate /= 2
    assert trainer.learning_rate == 0.05
    trainer.set_learning_rate(np.float32(0.5))
    assert trainer.learning_rate == 0.5
    trainer.restart()
    assert trainer.learning_rate == 0.5
    trainer.restart(learning_rate=0.25)
    assert trainer.learning_rate == 0.25


def step(p, trainer, scale=1.0):
    dy.renew_cg()
    (dy.sum_elems(p) * scale).backward()
    trainer.update()


def test_clipping_and_status(model, capsys):
    p = model.add_parameters(1, init=0)
    trainer = dy.SimpleSGDTrainer(model, 1.0)
    step(p, trainer, 100)
    assert p.as_array()[0] == -5
    trainer.set_clip_threshold(0)
    step(p, trainer, 100)
    assert p.as_array()[0] == -105
    trainer.status()
    assert capsys.readouterr() == ("", "[lr=1 clips=1 updates=2] ")
    trainer.status()
    assert capsys.readouterr().err == "[lr=1 clips=0 updates=0] "
    trainer.update_epoch(1.0)
    assert "no effect" in capsys.readouterr().err


def test_bad_gradients_change_nothing(model):
    p = model.add_parameters(1, init=1)
    trainer = dy.SimpleSGDTrainer(model)
    dy.sum_elems(p * float("inf")).backward()
    with pytest.raises(RuntimeError, match="Magnitude of gradient is bad"):
        trainer.update()
    assert p.as_array()[0] == 1


def test_only_rows_that_were_used_change(model):
    table = model.add_lookup_parameters((3, 1), init=0)
    trainer = dy.MomentumSGDTrainer(model, 1.0, 0.5)
    for row in (0, 1):
        dy.renew_cg()
        table[row].backward()
        trainer.update()
    assert table.as_array()[:, 0].tolist() == [-1, -1, 0]
    trainer.set_sparse_updates(False)
    dy.renew_cg()
    table[2].backward()
    trainer.update()
    assert table.as_array()[:, 0].tolist() == [-1.5, -1.5, -1]


def test_exponentiated_gradient_stays_on_the_simplex(model):
    p = model.add_parameters(3, init=1 / 3)
    trainer = dy.EGTrainer(model, learning_rate=0.5, mom=0.0)
    trainer.enableCyclicalLR(learning_rate_min=0.1, learning_rate_max=0.2)
    dy.pick(p, 1).backward()
    trainer.update()
    values = p.as_array()
    assert values.sum() == pytest.approx(1) and values[1] < values[0] == values[2]
    trainer.disableCyclicalLR()


def test_parameters_added_later(model):
    trainer = dy.AdamTrainer(model)
    trainer.update()
    p = model.add_parameters(1, init=0)
    step(p, trainer)
    assert p.as_array()[0] < 0


@pytest.mark.parametrize("kind", [*TRAINERS, dy.EGTrainer], ids=lambda kind: kind.__name__)
def test_no_finite_gradient_makes_what_is_no_number(kind):
    """The square of 1e20 is infinite in single precision, and 1e-45 is subnormal."""
    scales = np.tile([1e20, -1e20, 3e38, 0, 1, 1e-45, 1e-30], 5)
    try:
        for name in dy.instruction_sets():
            dy.set_instruction_set(name)
            model = dy.ParameterCollection()
            p = model.add_parameters(35, init=1 / 35)
            trainer = kind(model)
            trainer.set_clip_threshold(0)
            for _ in range(3):
                dy.renew_cg()
                dy.dot_product(p, dy.inputTensor(scales)).backward()
                trainer.update()
            assert np.isfinite(p.as_array()).all()
    finally:
        dy.set_instruction_set(dy.instruction_sets()[-1])


@pytest.mark.parametrize("kind", [dy.AdamTrainer, dy.AmsgradTrainer], ids=lambda kind: kind.__name__)
def test_the_smallest_eps(kind, model):
    p = model.add_parameters(1, init=1)
    step(p, kind(model, eps=1e-45), 0)
    assert p.as_array()[0] == 1
