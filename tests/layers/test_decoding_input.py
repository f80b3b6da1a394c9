"""What searches are given that is no log-probability, no state, or cannot be."""

import numpy as np
import pytest

import dynet as dy


def step(word, state):
    return np.log([0.5, 0.3, 0.2]), state


def test_scores_that_are_no_log_probabilities():
    dy.renew_cg()
    with pytest.raises(ValueError, match="beam_search: step gave 3; log-probabilities"):
        dy.decoding.beam_search(lambda word, state: (dy.inputVector([1, 2, 3]), state), None, start=0, end=0)


def test_lengths_that_exclude_each_other():
    with pytest.raises(ValueError, match="beam_search: shortest is 9 and longest 3"):
        dy.decoding.beam_search(step, None, start=0, end=0, shortest=9, longest=3)


def test_one_state_for_many():
    dy.renew_cg()
    with pytest.raises(TypeError, match="beam_searches: states is one expression"):
        dy.decoding.beam_searches(step, dy.zeros(3), start=0, end=0)


def test_what_is_missing_is_named():
    with pytest.raises(TypeError, match="beam_search: start and end are missing"):
        dy.decoding.beam_search(step, None)
