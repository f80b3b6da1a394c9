"""dy.fit with the trainer of several processes: one model and one history for any number of them."""

import json

import jobs
import pytest

pytestmark = pytest.mark.skipif(not jobs.PYTHONS, reason=jobs.WHY_NOT)


def fit(count, *arguments):
    done = jobs.start(jobs.PYTHONS[0], count, jobs.HERE / "fit.py", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def whole():
    """What one process comes to."""
    return fit(1)


def test_fit_is_the_same_in_two_processes(whole):
    assert len(whole["epochs"]) == 4
    assert whole["epochs"][-1][0] < whole["epochs"][0][0]
    assert fit(2) == whole


def test_fit_goes_on_with_another_number_of_processes(whole, tmp_path):
    path = str(tmp_path / "fit.checkpoint")
    fit(2, "--checkpoint", path, "--epochs", "2")
    assert fit(1, "--checkpoint", path) == whole


def test_a_loss_of_a_list_is_the_mean_of_its_examples(whole):
    given = fit(2, "--batched")
    assert given["epochs"] == [pytest.approx(pair, rel=1e-4) for pair in whole["epochs"]]


def test_the_example_whose_loss_is_no_number_is_named():
    done = jobs.start(jobs.PYTHONS[0], 2, jobs.HERE / "fit.py", "--wrong")
    assert done.returncode != 0
    assert "FloatingPointError: fit: the loss of example" in done.stderr


def test_statistics_that_would_differ_are_refused():
    done = jobs.start(jobs.PYTHONS[0], 2, jobs.HERE / "fit.py", "--norm")
    assert done.returncode != 0 and "BatchNorm: a shard of a distributed trainer" in done.stderr


TWO_KINDS = """
import sys
import dynet as dy
model = dy.ParameterCollection()
weights = model.add_parameters(2)
trainer = dy.distributed.Trainer(dy.AdamTrainer(model), shards=1)
given = [weights], lambda each: dy.squared_norm(each)
dy.fit(model, trainer, *given, epochs=1, checkpoint=sys.argv[1])
trainer.save(sys.argv[2])
before = weights.as_array().tobytes()
for call in (
    lambda: trainer.load(sys.argv[1]),
    lambda: dy.fit(model, trainer, *given, epochs=2, checkpoint=sys.argv[2], resume=True),
):
    try:
        call()
    except ValueError as error:
        print(error)
assert weights.as_array().tobytes() == before
"""


def test_a_checkpoint_of_fit_is_none_of_the_trainer(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(TWO_KINDS)
    done = jobs.start(jobs.PYTHONS[0], 1, program, str(tmp_path / "fit"), str(tmp_path / "saved"))
    assert done.returncode == 0, done.stderr
    assert "is a checkpoint of dy.fit" in done.stdout and "was saved by a distributed trainer" in done.stdout
