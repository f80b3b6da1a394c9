"""AdamW, RAdam and Lion beside torch's, or NumPy; they are saved, and go on."""

import numpy as np
import pytest
from layer_laws import close, inputs

import dynet as dy

STEPS = 12


def ours(make, gradients, start):
    """The numbers after each update."""
    model = dy.ParameterCollection()
    w, trainer = model.add_parameters(start.shape, init=start), make(model)
    trainer.set_clip_threshold(0)
    found = []
    for gradient in gradients:
        w.set_gradient(gradient)
        trainer.update()
        found.append(w.as_array())
    return found


def torchs(make, gradients, start):
    torch = pytest.importorskip("torch")
    w = torch.nn.Parameter(torch.tensor(start))
    optimizer = make(torch.optim, [w])
    found = []
    for gradient in gradients:
        w.grad = torch.tensor(gradient)
        optimizer.step()
        found.append(w.detach().numpy().copy())
    return found


@pytest.mark.parametrize(
    ("make", "peer"),
    [
        (lambda m: dy.AdamWTrainer(m, 0.1), lambda o, w: o.AdamW(w, 0.1)),
        (
            lambda m: dy.AdamWTrainer(m, 0.1, 0.8, 0.95, 1e-3, 0.3),
            lambda o, w: o.AdamW(w, 0.1, (0.8, 0.95), 1e-3, 0.3),
        ),
        (lambda m: dy.RAdamTrainer(m, 0.1), lambda o, w: o.RAdam(w, 0.1)),
        (lambda m: dy.RAdamTrainer(m, 0.1, 0.7, 0.9), lambda o, w: o.RAdam(w, 0.1, (0.7, 0.9))),
    ],
    ids=["AdamW", "AdamW with all arguments", "RAdam", "RAdam that trusts v soon"],
)
def test_as_torch(make, peer):
    start, *gradients = inputs(1, (3, 2), *[(3, 2)] * STEPS)
    for mine, theirs in zip(ours(make, gradients, start), torchs(peer, gradients, start), strict=True):
        close(mine, theirs)


def test_lion():
    start, *gradients = inputs(2, (17,), *[(17,)] * STEPS)
    w, m = start.copy(), np.zeros(17)
    for gradient, found in zip(
        gradients, ours(lambda c: dy.LionTrainer(c, 0.1, 0.9, 0.99, 0.2), gradients, start), strict=True
    ):
        w = w - 0.1 * (np.sign(0.9 * m + 0.1 * gradient) + 0.2 * w)
        m = 0.99 * m + 0.01 * gradient
        close(found, w)


def test_lion_stays_where_there_is_no_gradient():
    model = dy.ParameterCollection()
    w, trainer = model.add_parameters(2, init=1), dy.LionTrainer(model, 0.1)
    dy.pick(w, 0).backward()
    trainer.update()
    close(w.as_array(), [0.9, 1.0])


@pytest.mark.parametrize("kind", [dy.AdamWTrainer, dy.RAdamTrainer, dy.LionTrainer])
def test_it_is_saved_and_goes_on(kind, tmp_path):
    start, *gradients = inputs(3, (3,), *[(3,)] * 8)

    def run(save_at):
        model = dy.ParameterCollection()
        w, trainer = model.add_parameters(3, init=start), kind(model, 0.1)
        for number, gradient in enumerate(gradients):
            if number == save_at:
                trainer.save(tmp_path / "trainer")
                trainer = kind(model, 0.7)
                trainer.populate(tmp_path / "trainer")
            w.set_gradient(gradient)
            trainer.update()
        return w.as_array().tobytes()

    assert run(None) == run(4)


def test_only_rows_that_were_used_decay():
    model = dy.ParameterCollection()
    table = model.add_lookup_parameters((3, 2), init=1)
    trainer = dy.AdamWTrainer(model, 0.1, weight_decay=0.5)
    dy.sum_elems(table[1]).backward()
    trainer.update()
    close(table.as_array(), [[1, 1], [0.85, 0.85], [1, 1]])


def test_wrong_arguments():
    model = dy.ParameterCollection()
    for wrong in (lambda: dy.AdamWTrainer(model, weight_decay=-1), lambda: dy.LionTrainer(model, beta_1=1)):
        with pytest.raises(ValueError, match=r"weight_decay|beta_1"):
            wrong()
    assert repr(dy.LionTrainer(model)).startswith("LionTrainer(alpha=0.0001, beta_1=0.9, beta_2=0.99")
