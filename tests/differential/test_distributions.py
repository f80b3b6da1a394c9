"""What is random has the distribution that it has in DyNet 2: initial weights, dropout, noise."""

import pathlib

import numpy as np
import pytest
import toolkits
from toolkits import DYNET_2, OURS

pytestmark = pytest.mark.client

PROGRAM = pathlib.Path(__file__).parent / "run_random.py"
# Samples of one distribution are further apart than this once in 100,000 (Kolmogorov and Smirnov).
FURTHEST = 2.5
SPREAD = 0.12  # the largest relative difference of standard deviations


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """For each toolkit the sorted numbers that run_random.py drew."""
    return toolkits.results(PROGRAM, tmp_path_factory.mktemp("random"))


def distance(a, b):
    """The largest difference of the cumulative distributions of two samples, in units of its scale."""
    both = np.concatenate([a, b]).astype(np.float32)  # Scaled masks are rounded differently beyond that.
    below = [np.searchsorted(x.astype(np.float32), both, side="right") / len(x) for x in (a, b)]
    return np.max(np.abs(below[0] - below[1])) * np.sqrt(len(a) * len(b) / (len(a) + len(b)))


def differ(a, b):
    return distance(a, b) > FURTHEST or not np.isclose(np.std(a), np.std(b), rtol=SPREAD, atol=1e-6)


def test_distributions_are_those_of_dynet_2(drawn):
    ours, theirs = drawn[OURS], drawn[DYNET_2]
    assert ours.keys() == theirs.keys() and len(ours) > 100
    assert not {name for name in ours if differ(ours[name], theirs[name])}


def test_other_distributions_are_told_apart(drawn):
    ours = drawn[OURS]
    assert differ(ours["dropout"], ours["noise"])
    assert differ(ours["default (60, 50)"], ours["default (3000,)"])
    assert differ(ours["default (60, 50)"], 1.15 * ours["default (60, 50)"])
