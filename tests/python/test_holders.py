"""Value holders of DyNet 2."""

import numpy as np
import pytest

import dynet as dy


def test_numbers():
    assert dy.UnsignedValue().get() == 0 and dy.UnsignedValue(3).get() == 3
    assert dy.UnsignedValue(2.5).get() == 2 and dy.UnsignedValue(np.int8(2)).get() == 2
    value = dy.FloatValue(1.5)
    value.set(2)
    assert value.get() == 2.0 and isinstance(value.get(), float)
    with pytest.raises(OverflowError):
        dy.UnsignedValue(-1)


def test_lists():
    words = dy.UnsignedVectorValue(range(3))
    assert (words.get(), words.size()) == ([0, 1, 2], 3)
    words.set(i for i in (5, 6))
    assert words.get() == [5, 6]
    words.get().append(7)
    assert words.size() == 2
    with pytest.raises(OverflowError):
        words.set([1, -1])
    assert words.get() == [5, 6]
    assert dy.FloatVectorValue(np.array([1, 2])).get() == [1.0, 2.0]
