"""Moving averages of trainers, and trainers that are saved and go on as if nothing had happened."""

import re
import zlib

import numpy as np
import pytest
from every_kind import TRAINERS

import dynet as dy

ALL = pytest.mark.parametrize("kind", [*TRAINERS, dy.EGTrainer], ids=lambda kind: kind.__name__)


class Problem:
    """Parameters and a table with gradients that are different in every step."""

    def __init__(self, kind):
        self.model = dy.ParameterCollection()
        self.w = self.model.add_parameters((2, 3), init=1 / 6)
        self.b = self.model.add_parameters(2, init=0.5)
        self.table = self.model.add_lookup_parameters((4, 3), init=1 / 3)
        self.trainer = kind(self.model)

    def step(self, i):
        dy.renew_cg()
        rng = np.random.default_rng(i)
        targets = dy.inputVector(rng.normal(size=2))
        dy.squared_distance(self.w * self.table[i % 3] + self.b, targets).backward()
        self.trainer.update()

    def values(self):
        return [p.as_array().tolist() for p in (self.w, self.b, self.table)]


@ALL
def test_a_saved_trainer_goes_on(kind, tmp_path):
    straight, broken = Problem(kind), Problem(kind)
    for i in range(4):
        straight.step(i)
    straight.trainer.learning_rate *= 0.7
    straight.trainer.set_clip_threshold(2.5)
    straight.trainer.save(tmp_path / "trainer")
    straight.model.save(str(tmp_path / "model"))
    broken.trainer.populate(fname=str(tmp_path / "trainer"))
    broken.model.populate(str(tmp_path / "model"))
    assert broken.trainer.learning_rate == straight.trainer.learning_rate
    assert broken.trainer.get_clip_threshold() == 2.5
    for i in range(4, 8):
        straight.step(i)
        broken.step(i)
    assert broken.values() == straight.values()
    broken.trainer.populate(tmp_path / "trainer", 0.25)
    assert broken.trainer.learning_rate == 0.25


def test_the_format(tmp_path):
    problem = Problem(dy.AdamTrainer)
    file = tmp_path / "trainer"
    problem.trainer.save(file)
    *before, last = file.read_text().splitlines(True)
    assert last == f"#Checksum# {zlib.crc32(''.join(before).encode()):08x}\n"
    *before, random, sparse = before
    assert sparse == "#SparseUpdates# +1\n"
    assert re.fullmatch(r"#Random# \d+ \d+ \d+\n", random)
    assert "".join(before).splitlines() == [
        "#Trainer# 2 1 ",
        "+1.0000000000000000e-03 +1 +5.0000000000000000e+00 0 +0.0000000000000000e+00 None +0 +0 1 0",
        "[MA:FALSE]",
        "#AdamTrainer# 0 0",
        "+9.0000000000000002e-01 +9.9900000000000000e-01 +1.0000000000000000e-08",
    ]
    problem.trainer.cumulative_moving_average(2)
    problem.step(0)
    problem.trainer.save(file)
    lines = file.read_text().splitlines()
    assert lines[1].split()[3:] == ["1", "+0.0000000000000000e+00", "Cumulative", "+0", "+0", "2", "1"]
    assert lines[2:4] == ["[MA:TRUE]", "#MA# 2 1"] and lines[7] == "#AdamTrainer# 2 1"
    tags = ["#Parameter# 6", "#Parameter# 2", "#LookupParameter# 12"]
    assert [" ".join(line.split()[:2]) for line in lines[4:7]] == tags
    assert [len(line.split()) for line in lines[4:7]] == [8, 4, 14]
    # All slots of the parameters, then those of the tables.
    states = [" ".join(line.split()[:2]) for line in lines[8:14]]
    assert states == [*tags[:2], *tags[:2], tags[2], tags[2]]
    assert len(lines) == 18 and len(lines[4].split()[2]) == len("+1.66666672e-01")


@pytest.mark.skipif(dy.__precision__ != "float32", reason="numbers of the file are floats")
def test_wrong_files_change_nothing(tmp_path):
    problem = Problem(dy.AdamTrainer)
    problem.trainer.exponential_moving_average(0.5)
    problem.step(0)
    file, again = tmp_path / "trainer", tmp_path / "again"
    problem.trainer.save(file)
    good = file.read_text()
    problem.trainer.save(again)
    words = good.split(" ")
    wrong = [good[: len(good) * i // 7] for i in range(7)]
    wrong += [good.replace(a, b, 1) for a, b in [("# 6 ", "# 5 "), ("#Adam", "#Adagrad"), ("1", "x")]]
    wrong += [good.replace("Exponential", "Other"), good.replace("[MA:TRUE]", "[MA:FALSE]")]
    wrong += ["", "#Trainer# 3 1\n", " ".join(words[: len(words) // 2] + words[len(words) // 2 + 1 :])]
    for text in wrong:
        file.write_text(text)
        with pytest.raises(RuntimeError, match="Could not load the trainer"):
            problem.trainer.populate(file)
        problem.trainer.save(file)
        assert file.read_text() == good
    with pytest.raises(RuntimeError, match="Could not read"):
        problem.trainer.populate(tmp_path / "none")
    with pytest.raises(RuntimeError, match="Could not load"):
        dy.AdamTrainer(dy.ParameterCollection()).populate(again)


@ALL
def test_whatever_is_cut_or_changed_is_refused(kind, tmp_path):
    problem = Problem(kind)
    problem.step(0)
    file, again = tmp_path / "trainer", tmp_path / "again"
    problem.trainer.save(file)
    whole = file.read_bytes()
    damaged = [whole[:size] for size in range(len(whole) - 1)]
    for i in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[i] ^= 1 << bit
            damaged.append(bytes(changed))
    for bytes_ in damaged[::7]:
        file.write_bytes(bytes_)
        try:
            problem.trainer.populate(file)
        except RuntimeError as error:
            assert "Could not load the trainer" in str(error)
        else:
            problem.trainer.save(again)
            assert again.read_bytes() == whole, "it was accepted, and changed something"


def test_files_without_a_checksum_load(tmp_path):
    """DyNet 2 writes none."""
    problem = Problem(dy.AdamTrainer)
    problem.trainer.save(tmp_path / "trainer")
    first, *lines, _ = (tmp_path / "trainer").read_text().splitlines()
    (tmp_path / "trainer").write_text("\n".join([first.rstrip(), *lines]).replace("e-03", "e-02", 1))
    problem.trainer.populate(tmp_path / "trainer")
    assert problem.trainer.learning_rate == 0.01


DYNET_2_ADAM = """#Trainer# 1 1
+1.00000005e-03 +1 +5.00000000e+00 +1.00000000e+00 +0.00000000e+00 None +0 +0 1 0
[MA:FALSE]
#AdamTrainer# 1 1
#Parameter# 2 +1.00000024e-01 +2.00000003e-01
#Parameter# 2 +9.99987125e-04 +1.99999986e-03
#LookupParameter# 2 +0.00000000e+00 +3.00000012e-01
#LookupParameter# 2 +0.00000000e+00 +4.00000019e-03
+8.99999976e-01 +9.99000013e-01 +9.99999994e-09
"""


@pytest.mark.skipif(dy.__precision__ != "float32", reason="numbers of the file are floats")
def test_files_of_dynet_2_load(tmp_path):
    model = dy.ParameterCollection()
    model.add_parameters(2), model.add_lookup_parameters((2, 1))
    trainer = dy.AdamTrainer(model)
    (tmp_path / "old").write_text(DYNET_2_ADAM)
    trainer.populate(tmp_path / "old")
    trainer.save(tmp_path / "new")
    lines = [line.split() for line in (tmp_path / "new").read_text().splitlines()]
    old = [line.split() for line in DYNET_2_ADAM.splitlines()]
    assert lines[1][3] == "1" and lines[4:8] == old[4:8]


def averages(problem, beta=None, freq=1, steps=5):
    """What the averages of w must be after some steps."""
    mean, count = np.zeros((2, 3)), 0
    for i in range(steps):
        problem.step(i)
        if i % freq:
            continue
        count += 1
        keep = 1 - 1 / count if beta is None else beta
        mean = keep * mean + (1 - keep) * problem.w.as_array()
    return mean, count


@pytest.mark.parametrize("freq", [1, 2])
@pytest.mark.parametrize("beta", [None, 0.5, 0.9])
def test_averages(freq, beta):
    problem = Problem(dy.SimpleSGDTrainer)
    trainer = problem.trainer
    assert trainer.moving_average() is None
    if beta is None:
        trainer.cumulative_moving_average(freq=freq)
    else:
        trainer.exponential_moving_average(beta, freq)
    assert trainer.moving_average() == ("Cumulative" if beta is None else "Exponential")
    expected, count = averages(problem, beta, freq)
    weights = problem.values()
    trainer.swap_params_to_moving_average()
    np.testing.assert_allclose(problem.w.as_array(), expected, rtol=1e-5)
    assert problem.table.as_array()[3] == pytest.approx(1 / 3 * (1 if beta is None else 1 - beta**count))
    with pytest.raises(RuntimeError, match="already"):
        trainer.swap_params_to_moving_average()
    trainer.swap_params_to_weights()
    assert problem.values() == weights
    with pytest.raises(RuntimeError, match="own weights"):
        trainer.swap_params_to_weights()
    if beta is None:
        with pytest.raises(ValueError, match="bias correction"):
            trainer.swap_params_to_moving_average(bias_correction=True)
    else:
        trainer.swap_params_to_moving_average(save_weights=True, bias_correction=True)
        np.testing.assert_allclose(problem.w.as_array(), expected / (1 - beta**count), rtol=1e-5)
        assert problem.table.as_array()[3] == pytest.approx(1 / 3, rel=1e-5)


def test_an_update_goes_on_from_the_weights():
    swapped, plain = Problem(dy.MomentumSGDTrainer), Problem(dy.MomentumSGDTrainer)
    swapped.trainer.exponential_moving_average(0.9)
    for i in range(4):
        swapped.step(i)
        plain.step(i)
    swapped.trainer.swap_params_to_moving_average()
    swapped.trainer.swap_params_to_weights()
    swapped.step(4)
    plain.step(4)
    assert swapped.values() == plain.values()
    weights = swapped.values()
    swapped.trainer.swap_params_to_moving_average()
    swapped.w.set_gradient(np.zeros((2, 3)))
    trainer = swapped.trainer
    trainer.update()  # undoes the swap first
    assert swapped.values() != weights, "momentum goes on"
    with pytest.raises(RuntimeError):
        trainer.swap_params_to_weights()


def test_without_saved_weights_an_update_goes_on_from_the_averages():
    problem = Problem(dy.SimpleSGDTrainer)
    problem.trainer.cumulative_moving_average()
    for i in range(3):
        problem.step(i)
    problem.trainer.swap_params_to_moving_average(save_weights=False)
    with pytest.raises(RuntimeError, match="not saved"):
        problem.trainer.swap_params_to_weights()
    averages = problem.values()
    problem.trainer.update()
    assert problem.values() == averages
    problem.trainer.swap_params_to_moving_average()


def test_wrong_calls():
    problem = Problem(dy.SimpleSGDTrainer)
    trainer = problem.trainer
    with pytest.raises(RuntimeError, match="no moving average"):
        trainer.swap_params_to_moving_average()
    for wrong in (
        lambda: trainer.cumulative_moving_average(0),
        lambda: trainer.exponential_moving_average(1),
        lambda: trainer.exponential_moving_average(-0.1),
    ):
        with pytest.raises(ValueError):
            wrong()
    trainer.exponential_moving_average(beta=0.9, freq=1)
    with pytest.raises(RuntimeError, match="no update yet"):
        trainer.swap_params_to_moving_average()
    problem.step(0)
    for late in (
        lambda: trainer.cumulative_moving_average(),
        lambda: trainer.exponential_moving_average(0.9),
    ):
        with pytest.raises(RuntimeError, match="before the first update"):
            late()


def test_averages_with_weight_decay_and_late_parameters():
    problem = Problem(dy.SimpleSGDTrainer)
    problem.model.set_weight_decay(0.1)
    problem.trainer.exponential_moving_average(0.5)
    for i in range(3):
        problem.step(i)
    late = problem.model.add_parameters(2, init=3)
    problem.trainer.swap_params_to_moving_average(bias_correction=True)
    dy.renew_cg()
    np.testing.assert_allclose(late.npvalue(), 3, rtol=1e-5)
    problem.trainer.swap_params_to_weights()
    assert late.as_array().tolist() == [3, 3]


def test_saving_while_swapped(tmp_path):
    problem = Problem(dy.AdamTrainer)
    problem.trainer.cumulative_moving_average()
    for i in range(3):
        problem.step(i)
    weights = problem.values()
    problem.trainer.swap_params_to_moving_average()
    problem.trainer.save(tmp_path / "trainer")
    problem.model.save(tmp_path / "model")
    loaded = Problem(dy.AdamTrainer)
    loaded.trainer.populate(tmp_path / "trainer")
    loaded.model.populate(tmp_path / "model")
    loaded.trainer.swap_params_to_weights()
    assert loaded.values() == weights


def test_counting_and_projecting(tmp_path):
    model = dy.ParameterCollection()
    p, table = model.add_parameters((2, 3), init=3), model.add_lookup_parameters((4, 2), init=1)
    assert model.parameter_count() == model.updated_parameter_count() == 14
    norm = np.sqrt(9 * 6 + 8)
    assert model.project_weights(10) == pytest.approx(norm) and p.as_array()[0, 0] == 3
    assert model.project_weights() == pytest.approx(norm)
    assert model.project_weights(radius=2) == pytest.approx(1)
    np.testing.assert_allclose(p.as_array(), 3 / norm, rtol=1e-6)
    p.set_updated(False)
    assert model.updated_parameter_count() == 8
    assert model.project_weights(0.5) == pytest.approx(np.sqrt(8) / norm)
    np.testing.assert_allclose(table.as_array(), 1 / norm, rtol=1e-6)
    for wrong in (0, -1, float("nan")):
        with pytest.raises(ValueError):
            model.project_weights(wrong)


@pytest.mark.parametrize("average", [False, True])
def test_rows_that_were_added_since_the_last_update(average, tmp_path):
    straight, broken = Problem(dy.AdamTrainer), Problem(dy.AdamTrainer)
    if average:
        straight.trainer.exponential_moving_average(0.5)
    for i in range(2):
        straight.step(i)
    for problem in (straight, broken):
        problem.table.add_rows(2, init=1)
    straight.trainer.save(tmp_path / "trainer")
    straight.model.save(tmp_path / "model")
    broken.trainer.populate(tmp_path / "trainer")
    broken.model.populate(tmp_path / "model")
    for i in range(2, 6):
        straight.step(i)
        broken.step(i)
    assert broken.values() == straight.values()


def test_windows_line_ends(tmp_path):
    straight, broken = Problem(dy.AdamTrainer), Problem(dy.AdamTrainer)
    straight.step(0)
    straight.trainer.save(tmp_path / "trainer")
    text = (tmp_path / "trainer").read_bytes().replace(b"\n", b"\r\n")
    (tmp_path / "trainer").write_bytes(text)
    broken.trainer.populate(tmp_path / "trainer")
    (tmp_path / "trainer").write_bytes(text.replace(b"E-0", b"E-1", 1).replace(b"e-0", b"e-1", 1))
    with pytest.raises(RuntimeError, match="checksum is wrong"):
        broken.trainer.populate(tmp_path / "trainer")


@pytest.mark.parametrize("cumulative", [True, False])
def test_averages_are_of_what_is_read(cumulative):
    """With weight decay, too."""
    model = dy.ParameterCollection()
    model.set_weight_decay(0.1)
    w = model.add_parameters(2, init=1)
    table = model.add_lookup_parameters((2, 2), init=1)
    trainer = dy.SimpleSGDTrainer(model)
    if cumulative:
        trainer.cumulative_moving_average()
    else:
        trainer.exponential_moving_average(0.5)
    seen = []
    for _ in range(3):
        dy.renew_cg()
        dy.sum_elems(w + table[0]).backward()
        trainer.update()
        seen.append(np.concatenate([w.as_array(), *table.as_array()]))
    average = seen[0] * 0 if not cumulative else None
    for values in seen:
        average = np.mean(seen, 0) if cumulative else average / 2 + values / 2
    trainer.swap_params_to_moving_average()
    np.testing.assert_allclose(np.concatenate([w.as_array(), *table.as_array()]), average, rtol=1e-6)
