"""Training that goes on from a checkpoint has the same bits as without the interruption."""

import os
import pathlib
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from fitting.problem import Losses, Tagger, examples, fitted, parent_and_part, seeded

import dynet as dy

PROBLEM = pathlib.Path(__file__).parent / "problem.py"


class EndError(Exception):
    """Ends training as a fault would."""


def fault(run):
    raise EndError


def interrupt(run):
    os.kill(os.getpid(), signal.SIGINT)


def straight(**options):
    seeded()
    tagger, losses = Tagger(options.pop("trainer", dy.AdamTrainer)), Losses()
    history = fitted(tagger, losses, **options)
    return tagger.bits(), losses.losses, history["loss"], history["score"], history.best_epoch


@pytest.mark.parametrize(
    "options",
    [
        {"trainer": dy.AdamTrainer},
        {"trainer": dy.CyclicalSGDTrainer, "reduction": "sum"},
        {"trainer": dy.MomentumSGDTrainer, "key": len, "tokens": 12, "batch_size": None},
    ],
)
def test_every_step_can_be_the_last_before_the_next_process(options, tmp_path):
    expected = straight(**options)
    for step in (1, 6, 11):
        path = tmp_path / f"{step}.checkpoint"
        seeded()
        saved = {"checkpoint": path, "checkpoint_every": 1, **options}
        kind = saved.pop("trainer")
        with pytest.raises(EndError):
            fitted(Tagger(kind), Losses(step + 1, fault), **saved)
        seeded(99)  # another process begins somewhere else
        tagger, losses = Tagger(kind), Losses()
        history = fitted(tagger, losses, **saved, resume=True)
        found = tagger.bits(), losses.losses, history["loss"], history["score"], history.best_epoch
        assert found == expected, step


def test_without_the_random_numbers_it_would_not_be_so(tmp_path, monkeypatch):
    """The test above can fail."""
    from dynet.training import checkpoints

    expected = straight()
    monkeypatch.setattr(checkpoints, "set_random_state", lambda state: None)
    seeded()
    path = tmp_path / "checkpoint"
    with pytest.raises(EndError):
        fitted(Tagger(), Losses(4, fault), checkpoint=path, checkpoint_every=1)
    seeded(99)
    tagger = Tagger()
    fitted(tagger, Losses(), checkpoint=path, checkpoint_every=1, resume=True)
    assert tagger.bits() != expected[0]


@pytest.mark.parametrize("step", [2, 6, 9])
def test_an_interrupt_keeps_the_model_of_the_last_update(step, tmp_path):
    expected = straight()
    path = tmp_path / "checkpoint"
    seeded()
    tagger, losses = Tagger(), Losses(step, interrupt)
    history = fitted(tagger, losses, checkpoint=path)
    assert history.stopped == "interrupted" and losses.losses == expected[1][:step]
    there = tagger.bits()
    tagger, losses = Tagger(), Losses()
    history = fitted(tagger, losses, checkpoint=path, resume=True, epochs=0, restore_best=False)
    assert tagger.bits() == there  # what the interrupt wrote
    tagger, losses = Tagger(), Losses()
    history = fitted(tagger, losses, checkpoint=path, resume=True)
    assert (tagger.bits(), losses.losses, history["loss"]) == expected[:3] and history.stopped == "epochs"


def test_an_interrupt_within_the_loss_leaves_no_gradient():
    seeded()
    tagger, count = Tagger(), 0

    def loss(words):
        nonlocal count, before
        count += 1
        if count == 10:
            raise KeyboardInterrupt
        if count % 4 == 1:
            before = tagger.bits()
        return tagger.loss(words)

    before = None
    history = dy.fit(tagger.model, tagger.trainer, examples(), loss, batch_size=4, progress=False)
    assert history.stopped == "interrupted" and tagger.bits() == before and len(history) == 0
    assert (
        tagger.model.gradient_l2_norm() == 0 and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )


def test_a_second_interrupt_does_not_wait_for_the_batch():
    seeded()
    tagger, count = Tagger(), 0
    before = tagger.bits()

    def loss(words):
        nonlocal count
        count += 1
        if count == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        return tagger.loss(words)

    history = dy.fit(tagger.model, tagger.trainer, examples(), loss, progress=False)
    assert history.stopped == "interrupted" and count == 2 and tagger.bits() == before


def test_a_program_that_takes_care_of_interrupts_goes_on_doing_so():
    received = []
    signal.signal(signal.SIGINT, lambda *_: received.append(1))
    try:
        assert fitted(Tagger(), Losses(3, interrupt)).stopped == "epochs"
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert received == [1]


@pytest.mark.parametrize(("step", "writes"), [(9, 0), (0, 1), (0, 13), (0, 44), (0, 61)])
def test_killed_at_any_moment(step, writes, tmp_path):
    """Also while a checkpoint is written: what lies there goes on to the same bits."""
    path = tmp_path / "checkpoint"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(PROBLEM), str(path), str(step), str(writes)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert path.exists() == (writes != 1)
    seeded()
    tagger, losses = Tagger(), Losses()
    fitted(tagger, losses, checkpoint=path, checkpoint_every=1, resume=True)
    assert (tagger.bits(), losses.losses) == straight()[:2]
    assert [each.name for each in tmp_path.iterdir()] == ["checkpoint"]  # nor what was begun


def test_more_epochs_go_on_from_the_last_model(tmp_path):
    path = tmp_path / "checkpoint"
    seeded()
    fitted(Tagger(), Losses(), checkpoint=path, epochs=2)
    tagger, losses = Tagger(), Losses()
    history = fitted(tagger, losses, checkpoint=path, resume=True)
    assert (tagger.bits(), losses.losses, history["loss"]) == straight()[:3]
    again = fitted(tagger, Losses(), checkpoint=path, resume=True)
    assert len(again) == 3 and again.stopped == "epochs" and tagger.bits() == straight()[0]


def test_frozen_parameters_stay_so(tmp_path):
    path = tmp_path / "checkpoint"
    tagger = Tagger()
    tagger.table.set_updated(False)
    fitted(tagger, Losses(), checkpoint=path, epochs=1)
    tagger = Tagger()
    fitted(tagger, Losses(), checkpoint=path, epochs=1, resume=True)
    assert not tagger.table.is_updated() and tagger.weights.is_updated()


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"batch_size": 5}, "was written with batch_size 4, and 5 was given"),
        ({"seed": 1}, "was written with seed 0"),
        ({"examples": examples(22)}, "was written with examples 23, and 22"),
        ({"key": len}, "was written with key False"),
    ],
)
def test_another_training_does_not_go_on(options, what, tmp_path):
    path = tmp_path / "checkpoint"
    fitted(Tagger(), Losses(), checkpoint=path, epochs=1)
    tagger = Tagger()
    before = tagger.bits()
    with pytest.raises(ValueError, match=what):
        fitted(tagger, Losses(), checkpoint=path, resume=True, **options)
    assert tagger.bits() == before


def test_another_model_or_trainer_stays_as_it_is(tmp_path):
    path = tmp_path / "checkpoint"
    fitted(Tagger(), Losses(), checkpoint=path, epochs=1)
    narrow = Tagger()
    narrow.model.add_parameters(3)
    for tagger in (narrow, Tagger(dy.AdagradTrainer)):
        before, rate = tagger.bits(), tagger.trainer.learning_rate
        with pytest.raises(ValueError, match=r"fit: .*checkpoint is of another model or trainer: "):
            fitted(tagger, Losses(), checkpoint=path, resume=True)
        assert tagger.bits() == before and tagger.trainer.learning_rate == rate


def test_damaged_checkpoints_are_told(tmp_path):
    path, damaged = tmp_path / "checkpoint", tmp_path / "damaged"
    fitted(Tagger(), Losses(), checkpoint=path, epochs=1)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    tagger = Tagger()
    before = tagger.bits()
    cuts = [content[: len(content) * part // 10] for part in range(10)]
    flips = [
        content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :] for at in range(40, len(content), 997)
    ]
    refused = 0
    for wrong in [*cuts, *flips, b"no archive"]:
        damaged.write_bytes(wrong)
        try:
            fitted(tagger, Losses(), checkpoint=damaged, epochs=1, resume=True)
        except ValueError as error:
            assert "fit: " in str(error) and "damaged" in str(error)
            assert tagger.bits() == before
            refused += 1
        else:  # A bit that nobody reads, such as one of the time of a part.
            tagger = Tagger()
            before = tagger.bits()
    assert refused > len(cuts) + len(flips) // 2


def test_what_the_trainer_learns_beside_the_model_is_kept(tmp_path):
    def trained(epochs, **options):
        whole, part, trainer, loss = parent_and_part()
        dy.fit(part, trainer, [1.0, 2.0, 3.0], loss, epochs=epochs, batch_size=1, progress=False, **options)
        return [array.tolist() for array in whole.state_dict().values()]

    path = tmp_path / "checkpoint"
    trained(1, checkpoint=path)
    assert trained(3, checkpoint=path, resume=True) == trained(3) != trained(1)


def test_the_best_model_has_what_the_trainer_learns():
    whole, part, trainer, loss = parent_and_part()
    seen = []
    scores = iter([1.0, 0.0])

    def score(_):
        seen.append([array.tolist() for array in whole.state_dict().values()])
        return next(scores)

    dy.fit(part, trainer, [1.0], loss, epochs=2, held_out=[1.0], score=score, progress=False)
    assert [array.tolist() for array in whole.state_dict().values()] == seen[0] != seen[1]


def test_another_size_is_told_with_the_shape_of_the_file(tmp_path):
    def trained(size):
        model = dy.ParameterCollection()
        w = model.add_parameters((2, size), name="w")
        options = {"checkpoint": tmp_path / "checkpoint", "resume": True, "epochs": 1, "progress": False}
        dy.fit(model, dy.AdamTrainer(model), [1.0], lambda _: dy.sum_elems(w), **options)

    trained(3)
    with pytest.raises(ValueError, match=r"/w has shape \(2, 3\) there, and \(2, 4\) in the model"):
        trained(4)


class Keeper(dy.training.Callback):
    """Keeps something in the record and in its state."""

    def __init__(self, state, record):
        self.state, self.record = state, record

    def on_epoch_end(self, run):
        run.history.epochs[-1]["mine"] = self.record

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        self.state = state


def test_numbers_of_numpy_in_states_and_records_are_written(tmp_path):
    half, path = np.float32(0.5), tmp_path / "checkpoint"
    for resume in (False, True):
        keeper = Keeper({"best": half, "seen": [np.int64(3)]} if not resume else None, np.float32("nan"))
        log = dy.training.JSONLog(tmp_path / "log")
        tagger = Tagger()
        dy.fit(
            tagger.model,
            tagger.trainer,
            examples(),
            tagger.loss,
            epochs=1 + resume,
            checkpoint=path,
            resume=resume,
            callbacks=[keeper, log],
            progress=False,
        )
    assert keeper.state == {"best": 0.5, "seen": [3]}
    assert "NaN" not in (tmp_path / "log").read_text() and '"mine": null' in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("state", "record", "what"),
    [
        ({1, 2}, 0, r"fit: the state_dict of Keeper cannot be written: it has {1, 2}"),
        (0, object(), r"fit: the history's records, .* cannot be written: it has <object"),
    ],
)
def test_what_cannot_be_written_is_told_with_its_callback(state, record, what, tmp_path):
    tagger = Tagger()
    arguments = tagger.model, tagger.trainer, examples(), tagger.loss
    with pytest.raises(TypeError, match=what):
        dy.fit(
            *arguments,
            epochs=1,
            checkpoint=tmp_path / "checkpoint",
            callbacks=[Keeper(state, record)],
            progress=False,
        )
