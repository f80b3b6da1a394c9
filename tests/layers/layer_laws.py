"""What tests of layers share: other toolkits where they are there, laws of batches, tiny trainings."""

import numpy as np


def close(ours, theirs, tolerance=2e-5):
    """Whether two arrays agree, relative to their largest number."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(1.0, np.abs(theirs).max()))


def inputs(seed, *shapes):
    """Arrays of normally distributed numbers."""
    random = np.random.default_rng(seed)
    return [random.standard_normal(shape) for shape in shapes]


def bits(numbers):
    """The bits of arrays."""
    return [np.asarray(each).tobytes() for each in numbers]


def gradients(model):
    """The bits of all gradients of a collection."""
    every = [*model.parameters_list(), *model.lookup_parameters_list()]
    return bits(each.grad_as_array() for each in every)
