"""dy.fit: what it minimises, when it ends, what it tells, and what it says of wrong arguments."""

import json
import math
import random
import subprocess
import sys

import numpy as np
import pytest
from fitting.problem import Losses, Tagger, examples, fitted, seeded

import dynet as dy


class Line:
    """y = w x + b, without chance."""

    def __init__(self, rate=0.1):
        self.model = dy.ParameterCollection()
        self.w, self.b = self.model.add_parameters(1, init=0.0), self.model.add_parameters(1, init=0.0)
        self.trainer = dy.SimpleSGDTrainer(self.model, rate)

    def loss(self, example):
        x, y = example
        return dy.square(self.w * x + self.b - y)

    def fit(self, examples, loss=None, **options):
        return dy.fit(self.model, self.trainer, examples, loss or self.loss, **{"progress": False, **options})

    def bits(self):
        return {name: array.tobytes() for name, array in self.model.state_dict().items()}


POINTS = [(x / 10, 3 * x / 10 + 1) for x in range(-10, 11)]


def test_a_line_is_found():
    line = Line()
    history = line.fit(POINTS, epochs=60, batch_size=4)
    assert line.w.value() == pytest.approx(3, abs=0.01) and line.b.value() == pytest.approx(1, abs=0.01)
    assert len(history) == 60 and history["loss"][-1] < 1e-3 < history["loss"][0]
    assert (
        history["epoch"] == list(range(1, 61)) and history.stopped == "epochs" and history.best_epoch is None
    )
    assert "History of 60 epochs" in repr(history)
    with pytest.raises(KeyError, match="'score' is in no epoch"):
        history["score"]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("batched", [False, True, "dimension"])
def test_updates_are_those_written_by_hand(reduction, batched):
    by_hand, line = Line(), Line()
    for epoch in (1, 2):
        for batch in dy.data.batches(POINTS, 4, seed=f"7 {epoch}"):
            dy.renew_cg()
            total = dy.esum([by_hand.loss(example) for example in batch])
            (total if reduction == "sum" else total * (1 / len(batch))).backward()
            by_hand.trainer.update()

    def of_batch(batch):
        total = dy.esum([line.loss(example) for example in batch])
        return total if reduction == "sum" else total * (1 / len(batch))

    def of_dimension(batch):
        x, y = (dy.inputTensor(column, batched=True) for column in np.array(batch, np.float32).T)
        return line.loss((x, y))

    loss = {False: line.loss, True: of_batch, "dimension": of_dimension}[batched]
    history = line.fit(
        POINTS, loss, epochs=2, batch_size=4, seed=7, reduction=reduction, batched=bool(batched)
    )
    for name, array in line.model.state_dict().items():
        assert array == pytest.approx(by_hand.model.state_dict()[name], rel=1e-5)
    other = Line()
    assert history["loss"][0] == pytest.approx(
        other.fit(POINTS, epochs=1, batch_size=4, seed=7, reduction=reduction)["loss"][0], rel=1e-5
    )


def test_batches_can_be_of_like_length():
    seen = []
    model = dy.ParameterCollection()
    w = model.add_parameters(1)

    def loss(batch):
        seen.append(sorted(map(len, batch)))
        return dy.square(w)

    trainer = dy.SimpleSGDTrainer(model)
    dy.fit(model, trainer, examples(40), loss, epochs=2, key=len, tokens=13, batched=True, progress=False)
    assert all(sum(lengths) <= 13 and lengths[-1] - lengths[0] <= 1 for lengths in seen)


def test_examples_may_be_arrays_generators_and_what_has_a_length():
    class Examples:
        def __len__(self):
            return 5

        def __getitem__(self, position):
            return POINTS[range(5)[position]]

        def __iter__(self):
            raise AssertionError

    found = []
    for given in (POINTS[:5], np.array(POINTS[:5]), iter(POINTS[:5]), Examples()):
        line = Line()
        line.fit(given, epochs=2)
        found.append(line.bits())
    assert all(each == found[0] for each in found)


def test_the_best_model_comes_back_and_patience_ends():
    line, scores = Line(), iter([1, 5, 3, 4, 5, 9])
    kept = []

    def score(held_out):
        assert held_out == POINTS[:3]
        kept.append(line.bits())
        return next(scores)

    history = line.fit(POINTS, epochs=9, held_out=POINTS[:3], score=score, patience=3)
    assert history["score"] == [1, 5, 3, 4, 5] and history.stopped == "patience"
    assert (history.best_epoch, history.best_score) == (2, 5) and line.bits() == kept[1]
    scores = iter([1, 5, 3])
    history = line.fit(POINTS, epochs=3, held_out=POINTS[:3], score=score, mode="min", restore_best=False)
    assert history.best_epoch == 1 and line.bits() == kept[-1]
    scores = iter([1, 1.4, 1.9, 2.3])
    history = line.fit(POINTS, epochs=4, held_out=POINTS[:3], score=score, patience=3, min_delta=1)
    assert history.best_epoch == 4
    scores = iter([math.nan, 2, math.nan])
    assert line.fit(POINTS, epochs=3, held_out=POINTS[:3], score=score).best_epoch == 2


def test_the_mean_loss_is_the_score_unless_another_is_given():
    line = Line()
    history = line.fit(POINTS, epochs=3, held_out=POINTS[:3], batch_size=2, restore_best=False)
    expected = np.mean([(line.w.value() * x + line.b.value() - y) ** 2 for x, y in POINTS[:3]])
    assert history["score"][-1] == pytest.approx(expected, rel=1e-5) and history.best_epoch == 3


def test_the_learning_rate_follows_its_schedule():
    line, asked = Line(), []

    def schedule(epoch):
        asked.append(epoch)
        return 0.1 / (1 + epoch)

    history = line.fit(POINTS[:4], epochs=2, batch_size=2, schedule=schedule)
    assert asked == [0, 0.5, 1, 1.5] and history["learning_rate"] == [0.1 / 1.5, 0.1 / 2.5]


class Moments(dy.training.Callback):
    def __init__(self):
        self.told = []


for _name in (f"on_{part}_{end}" for part in ("train", "epoch", "batch") for end in ("begin", "end")):

    def _tell(self, run, name=_name):
        self.told.append((name, run.epoch, run.batch, run.step))

    setattr(Moments, _name, _tell)


def test_callbacks_are_told_what_happens():
    moments = Moments()
    Line().fit(POINTS[:3], epochs=2, batch_size=2, callbacks=[moments])
    assert moments.told == [
        ("on_train_begin", 1, 0, 0),
        *(("on_epoch_begin", 1, 0, 0), ("on_batch_begin", 1, 0, 0), ("on_batch_end", 1, 1, 1)),
        *(("on_batch_begin", 1, 1, 1), ("on_batch_end", 1, 2, 2), ("on_epoch_end", 1, 2, 2)),
        *(("on_epoch_begin", 2, 0, 2), ("on_batch_begin", 2, 0, 2), ("on_batch_end", 2, 1, 3)),
        *(("on_batch_begin", 2, 1, 3), ("on_batch_end", 2, 2, 4), ("on_epoch_end", 2, 2, 4)),
        ("on_train_end", 3, 0, 4),
    ]


def test_a_callback_ends_training():
    class Stop:
        def on_batch_end(self, run):
            if run.step == 5:
                run.stop()

    history = Line().fit(POINTS, epochs=9, batch_size=7, callbacks=[Stop()])
    assert history.stopped == "callback" and len(history) == 1
    moments = Moments()
    with pytest.raises(ZeroDivisionError):
        Line().fit(POINTS, lambda example: 1 / 0, callbacks=[moments])
    assert moments.told[-1][0] == "on_train_end"


def test_a_loss_that_is_not_finite_names_the_example():
    line = Line()
    before = None

    def loss(example):
        nonlocal before
        if example == POINTS[9]:
            before = before or line.bits()
            return dy.log(line.w * 0 - 1)
        return line.loss(example)

    with pytest.raises(FloatingPointError) as told:
        line.fit(POINTS, loss, batch_size=1)
    assert "fit: the loss of example 9 is nan, in epoch 1, batch " in str(told.value)
    assert "at a learning rate of 0.1: (-0.1, 0.7)" in str(told.value)
    assert "Try a smaller learning rate" in str(told.value) and line.bits() == before
    with pytest.raises(FloatingPointError, match=r"the loss of a batch is inf, .*: examples \d+, \d+\."):
        line.fit(POINTS, lambda batch: dy.log(line.w * 0) * -1, batch_size=2, batched=True)


def test_a_gradient_that_is_not_finite_leaves_the_model_as_it_was():
    model = dy.ParameterCollection()
    w = model.add_parameters(1, init=1.1)
    value, trainer = w.value(), dy.SimpleSGDTrainer(model)
    with pytest.raises(RuntimeError, match="_0"):
        dy.fit(model, trainer, [1], lambda _: dy.exp(w * 80), progress=False)
    assert w.value() == value and model.gradient_l2_norm() == 0


def test_lines_of_json(tmp_path):
    path = tmp_path / "log.jsonl"
    seeded()
    tagger = Tagger()
    options = {"epochs": 2, "batch_size": 12, "checkpoint": tmp_path / "checkpoint", "checkpoint_every": 1}

    def train(tagger, log, **more):
        data = examples()
        return dy.fit(
            tagger.model,
            tagger.trainer,
            data,
            tagger.loss,
            held_out=data,
            progress=False,
            callbacks=[log],
            **(options | more),
        )

    history = train(tagger, dy.training.JSONLog(path))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["step"], line["epoch"]) for line in lines] == [
        (1, 1),
        (2, 1),
        (2, 1),
        (3, 2),
        (4, 2),
        (4, 2),
    ]
    assert lines[2]["loss"] == history["loss"][0] and lines[5]["score"] == history["score"][1]
    seeded()
    train(Tagger(), dy.training.JSONLog(path), epochs=1)
    with path.open("a") as file:  # what the killed process had written after its checkpoint
        file.write(json.dumps({"step": 3, "epoch": 2, "loss": 9}) + '\n{"step": ')
    train(Tagger(), dy.training.JSONLog(path), resume=True)
    again = [json.loads(line) for line in path.read_text().splitlines()]
    for line in (*lines, *again):
        for name in ("time", "seconds", "examples_per_second"):
            line.pop(name, None)
    assert again == lines
    train(Tagger(), dy.training.JSONLog(path, batches=None), epochs=1)
    assert len(path.read_text().splitlines()) == 1


def test_curves_are_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    history = Line().fit(POINTS, epochs=3, held_out=POINTS)
    drawn = history.plot(tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes()[:4] == b"\x89PNG" and len(drawn.axes) == 2
    assert list(drawn.axes[0].lines[0].get_ydata()) == history["loss"]
    assert len(Line().fit(POINTS, epochs=1).plot().axes) == 1


def test_tensorboard_gets_scalars(tmp_path):
    pytest.importorskip("tensorboardX")
    Line().fit(POINTS, epochs=2, held_out=POINTS, callbacks=[dy.training.TensorBoard(tmp_path)])
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    assert all(tag in content for tag in (b"loss/batch", b"learning_rate", b"epoch/score"))


def test_a_bar_is_shown_where_it_is_wanted(capsys):
    pytest.importorskip("tqdm")
    Line().fit(POINTS, epochs=2, held_out=POINTS, progress=True)
    shown = capsys.readouterr().err
    assert "epoch 2/2" in shown and "held out" in shown and "21.0/21.0" in shown
    Line().fit(POINTS, epochs=2, progress=None)  # the error stream is no terminal
    Line().fit(POINTS, epochs=2, progress=False)
    assert capsys.readouterr() == ("", "")


def test_optional_packages_that_are_missing_are_named():
    program = """
    import sys
    for name in ("tqdm", "tqdm.auto", "tensorboardX", "matplotlib", "sklearn"):
        sys.modules[name] = None
    import dynet as dy
    model = dy.ParameterCollection()
    w = model.add_parameters(1)
    def fit(**options):
        return dy.fit(model, dy.AdamTrainer(model), [1], lambda _: dy.square(w), epochs=1, **options)
    history = fit()
    tries = [lambda: fit(progress=True), lambda: dy.training.TensorBoard("x"), history.plot,
             lambda: dy.training.Classifier(len)]
    for each in tries:
        try:
            each()
        except ImportError as error:
            print(error)
    """
    program = "\n".join(line[4:] for line in program.splitlines())
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    told = done.stdout.splitlines()
    assert len(told) == 4, done.stderr
    for line, extra in zip(told, ("progress", "tensorboard", "plot", "sklearn"), strict=True):
        assert f"python -m pip install dynet[{extra}]" in line


@pytest.mark.parametrize(
    ("options", "error", "what"),
    [
        ({"model": 3}, TypeError, "fit: model is 3; a ParameterCollection or a dy.nn.Module is needed"),
        ({"trainer": 3}, TypeError, "fit: trainer is 3"),
        ({"examples": []}, ValueError, "fit: there are no examples"),
        ({"examples": 3}, TypeError, "fit: examples is 3"),
        ({"loss": 3}, TypeError, "fit: loss is 3; a function is needed"),
        ({"loss": lambda _: 3}, TypeError, r"fit: the loss of example \d+ is 3; the function must return"),
        ({"loss": lambda _: None}, TypeError, r"fit: the loss of example \d+ is None"),
        ({"loss": lambda _: dy.zeros((2, 3))}, ValueError, r"has shape \(2, 3\); a single number is needed"),
        ({"epochs": -1}, ValueError, "fit: epochs is -1"),
        ({"epochs": 1.5}, TypeError, "fit: epochs is 1.5"),
        ({"batch_size": 0}, ValueError, "fit: the size of a batch is 0"),
        ({"batch_size": 3, "tokens": 3}, TypeError, "one of the two"),
        ({"key": 3}, TypeError, "fit: key is 3"),
        ({"key": len, "examples": [1]}, TypeError, "fit: key cannot measure example 0, 1"),
        ({"reduction": "max"}, ValueError, "fit: reduction is 'max'"),
        ({"mode": "most", "held_out": POINTS}, ValueError, "fit: mode is 'most'"),
        ({"patience": 0, "held_out": POINTS}, ValueError, "fit: patience is 0"),
        ({"patience": 1}, TypeError, "fit: patience was given without held_out examples"),
        ({"score": len}, TypeError, "fit: score was given without held_out examples"),
        ({"score": len, "held_out": []}, ValueError, "fit: held_out has no examples"),
        ({"score": lambda _: None, "held_out": [1]}, TypeError, "fit: score gave None"),
        ({"min_delta": -1.0}, ValueError, "fit: min_delta is -1.0"),
        ({"min_delta": "x"}, TypeError, "fit: min_delta is 'x'; a number is needed"),
        ({"seed": None}, TypeError, "fit: seed is None; a whole number is needed"),
        ({"checkpoint": 3}, TypeError, "fit: checkpoint is 3; the name of a file is needed"),
        ({"schedule": 0.1}, TypeError, "fit: schedule is 0.1; a function"),
        ({"resume": True}, TypeError, "fit: resume was given without a checkpoint"),
        ({"checkpoint_every": 3}, TypeError, "fit: checkpoint_every was given without a checkpoint"),
        (
            {"checkpoint": "/no/such/folder/file"},
            FileNotFoundError,
            "fit: there is no folder /no/such/folder",
        ),
        ({"callbacks": [3]}, TypeError, "fit: a callback is 3"),
        ({"callbacks": [dy.training.JSONLog]}, TypeError, "fit: a callback is <class"),
        ({"nothing": 3}, TypeError, "fit: the keyword nothing was given; the keywords are model"),
    ],
)
def test_wrong_arguments_change_nothing(options, error, what):
    line = Line()
    before = line.bits()
    given = {"model": line.model, "trainer": line.trainer, "examples": POINTS, "loss": line.loss} | options
    with pytest.raises(error, match=what):
        dy.fit(**given, progress=False)
    if "score" not in options:
        assert line.bits() == before


def test_a_loss_that_renews_the_graph_works_where_it_takes_the_batch():
    line = Line()

    def loss(batch):
        dy.renew_cg()
        return dy.average([line.loss(example) for example in batch])

    assert line.fit(POINTS, loss, batched=True, epochs=20)["loss"][-1] < 0.5


def test_in_another_thread():
    import threading

    line, histories = Line(), []
    thread = threading.Thread(target=lambda: histories.append(line.fit(POINTS, epochs=2)))
    thread.start()
    thread.join()
    assert len(histories[0]) == 2


def test_the_order_of_batches_does_not_touch_other_random_numbers():
    random.seed(1)
    state = random.getstate()
    Line().fit(POINTS, epochs=2)
    assert random.getstate() == state
    assert fitted(Tagger(), Losses(), epochs=1).stopped == "epochs"


def test_a_loss_that_renews_the_graph_is_told():
    line = Line()

    def loss(point):
        dy.renew_cg()
        return line.loss(point)

    before = line.bits()
    with pytest.raises(ValueError, match="fit: loss must not call renew_cg; fit does it for each batch"):
        dy.fit(line.model, line.trainer, POINTS, loss, progress=False)
    assert line.bits() == before
    dy.fit(line.model, line.trainer, POINTS, loss, batch_size=1, progress=False)  # nothing else is lost
    with pytest.raises(ValueError, match="find_learning_rate: loss must not call renew_cg"):
        dy.find_learning_rate(line.model, line.trainer, POINTS, loss)


def test_a_program_without_a_console_may_ask_for_a_bar(monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys, "stderr", None)
    line = Line()
    assert len(dy.fit(line.model, line.trainer, POINTS, line.loss, epochs=2, progress=True)) == 2


def test_examples_may_be_a_dataset_with_a_length_and_items():
    class Dataset:
        def __len__(self):
            return len(POINTS)

        def __getitem__(self, position):
            return POINTS[position]

    bits = []
    for data in (POINTS, Dataset()):
        line = Line()
        dy.fit(line.model, line.trainer, data, line.loss, epochs=2, held_out=data, progress=False)
        bits.append(line.bits())
    assert bits[0] == bits[1]
    with pytest.raises(TypeError, match=r"fit: examples is a set, .* such as sorted\(examples\)"):
        dy.fit(line.model, line.trainer, set(POINTS), line.loss, progress=False)
