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
