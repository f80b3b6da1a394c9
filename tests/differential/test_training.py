"""Trainers and recurrent builders take the same steps as DyNet 2's, from the same numbers."""

import pathlib

import numpy as np
import pytest
import toolkits
from toolkits import DYNET_2, OURS

pytestmark = pytest.mark.client

PROGRAM = pathlib.Path(__file__).parent / "run_training.py"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """For each toolkit what run_training.py found."""
    return toolkits.results(PROGRAM, tmp_path_factory.mktemp("training"))


def test_numbers_are_those_of_dynet_2(outcomes):
    ours, theirs = outcomes[OURS], outcomes[DYNET_2]
    assert ours.keys() == theirs.keys() and len(ours) > 100
    for setting, numbers in ours.items():
        assert len(numbers) == len(theirs[setting])
        for i, (a, b) in enumerate(zip(numbers, theirs[setting], strict=True)):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4, err_msg=f"{setting}, number {i}")


def test_settings_matter(outcomes):
    """Sparse updates, weight decay and clipping each change what a trainer does."""
    ours = outcomes[OURS]
    plain = ours["AdamTrainer", True, 0.0, 5.0]
    for other in ((False, 0.0, 5.0), (True, 0.1, 5.0), (True, 0.0, 0.3)):
        changed = ours[("AdamTrainer", *other)]
        assert any(not np.allclose(a, b) for a, b in zip(plain, changed, strict=True))
