"""Arrays and buffers of every kind where numbers are needed: each is read as NumPy reads it, or refused."""

import array
import ctypes
import os

import numpy as np
import pytest

import dynet as dy

MATRIX = np.arange(6.0).reshape(2, 3)


def ctypes_matrix(kind, rows, columns):
    numbers = ((kind * columns) * rows)()
    for i in range(rows):
        for k in range(columns):
            numbers[i][k] = i * columns + k
    return numbers


READ = {
    "C order": MATRIX,
    "Fortran order": np.asfortranarray(MATRIX),
    "transposed": MATRIX.reshape(3, 2).T,
    "backwards": MATRIX[::-1, ::-1],
    "every other": np.arange(24.0).reshape(4, 6)[::2, ::2],
    "broadcast": np.broadcast_to(np.float32(2), (2, 3)),
    "read-only": np.frombuffer(MATRIX.tobytes()).reshape(2, 3),
    "big endian": MATRIX.astype(">f8"),
    "little endian": MATRIX.astype("<i2"),
    "big endian integers": MATRIX.astype(">i4"),
    **{f"type {code}": MATRIX.astype(code) for code in "?bBhHiIlLqQefdg"},
    "objects": MATRIX.astype(object),
    "three axes": np.arange(24.0).reshape(2, 3, 4)[:, ::-1],
    "no axes": np.array(3.0),
    "long double without axes": np.array(3, "g"),
    "number": np.float32(3),
    "half number": np.float16(3),
    "truth": np.True_,
    "memoryview": memoryview(MATRIX),
    "memoryview of bytes": memoryview(b"\1\2\3"),
    "memoryview of columns": memoryview(MATRIX)[1:],
    "array.array": array.array("d", [1, 2, 3]),
    "array.array of bytes": array.array("b", [1, -2, 3]),
    "ctypes list": (ctypes.c_double * 3)(1, 2, 3),
    "ctypes matrix": ctypes_matrix(ctypes.c_float, 2, 3),
    "ctypes integers": ctypes_matrix(ctypes.c_int16, 3, 2),
    "ctypes big endian": ctypes_matrix(ctypes.c_double.__ctype_be__, 2, 3),
    "list of lists": MATRIX.tolist(),
    "list of NumPy's numbers": list(MATRIX[1]),
    "masked": np.ma.masked_array(MATRIX, False),
}
REFUSED = {
    "date": np.datetime64("2020-01-01"),
    "not a date": np.datetime64("NaT", "D"),
    "duration": np.timedelta64(3, "D"),
    "duration with a unit": np.timedelta64(3, "s"),
    "dates": np.array(["2020-01-01"], "M8[D]"),
    "durations": np.array([1, 2], "m8[s]"),
    "list of dates": [np.datetime64("2020-01-01")],
    "list of durations": [np.timedelta64(3, "s")],
    "complex": np.array([1j, 2]),
    "complex number": 1j,
    "texts": np.array(["1", "2"]),
    "text": "12",
    "bytes": b"12",
    "bytearray": bytearray(b"12"),
    "NumPy's bytes": np.bytes_(b"12"),
    "array of bytes": np.array([b"1", b"2"]),
    "records": np.zeros(2, [("a", "f4"), ("b", "i4")]),
    "record": np.zeros(2, [("a", "f4")])[0],
    "void": np.void(b"abcd"),
    "ctypes characters": (ctypes.c_char * 3)(),
    "ctypes structures": (type("S", (ctypes.Structure,), {"_fields_": [("a", ctypes.c_int)]}) * 2)(),
    "ctypes pointers": (ctypes.c_void_p * 2)(),
    "array.array of characters": array.array(max(array.typecodes), "ab"),  # w, and u where there is none
    "None": None,
    "list of None": [None],
    "mapping": {1: 2},
    "set": {1, 2},
    "object": object(),
    "ragged": [[1, 2], [3]],
    "nothing": np.zeros(0),
    "no rows": np.zeros((0, 3)),
    "no columns": np.zeros((3, 0)),
    "empty list": [],
    "empty ctypes list": (ctypes.c_float * 0)(),
    "more than memory": np.broadcast_to(np.int8(1), (2**45,)),
    "more than can be counted": np.broadcast_to(np.int8(1), (2**31, 2**31)),
}
ERRORS = (TypeError, ValueError, IndexError, MemoryError, RuntimeError)
# Iterables of whole numbers are lists of indices, whatever else they are; 3 steps are a whole number.
INDICES = {"bytes", "bytearray", "NumPy's bytes", "mapping", "set", "void", "record", "duration"}


@pytest.fixture
def world():
    dy.renew_cg()
    model = dy.ParameterCollection()
    x = dy.inputVector([1, 2, 3])
    table = model.add_lookup_parameters((4, 3), init=1)
    batch = dy.inputTensor(np.ones((3, 2)), batched=True)
    return {
        "inputTensor": dy.inputTensor,
        "inputTensor list": lambda v: dy.inputTensor([v, v]),
        "inputVector": dy.inputVector,
        "inputTensorTranspose": dy.inputTensorTranspose,
        "sparse_inputTensor": lambda v: dy.sparse_inputTensor([v], [1.0], (3,)),
        "sparse_inputTensor values": lambda v: dy.sparse_inputTensor([[1]], v, (3,)),
        "one_hot": lambda v: dy.one_hot(9, v),
        "select_rows": lambda v: dy.select_rows(x, v),
        "pick": lambda v: dy.pick(x, v),
        "pick_batch": lambda v: dy.pick_batch(batch, v),
        "lookup": lambda v: dy.lookup(table, v),
        "lookup_batch": lambda v: dy.lookup_batch(table, v),
        "set": x.set,
        "set row": dy.lookup(table, 1).set,
        "set_value": model.add_parameters(3).set_value,
        "init_row": lambda v: table.init_row(1, v),
        "init_from_array": table.init_from_array,
        "rows_as_array": table.rows_as_array,
        "parameters_from_numpy": model.parameters_from_numpy,
        "lookup_parameters_from_numpy": model.lookup_parameters_from_numpy,
        "NumpyInitializer": lambda v: model.add_parameters(3, dy.NumpyInitializer(v)),
        "concatenate": lambda v: dy.concatenate(v),
        "reshape": lambda v: dy.reshape(x, v),
        "zeros": lambda v: dy.zeros(v),
        "initial_state_from_raw_vectors": lambda v: dy.GRUBuilder(
            1, 3, 3, dy.ParameterCollection()
        ).initial_state_from_raw_vectors([v]),
    }


@pytest.mark.parametrize("kind", READ)
def test_read(kind):
    dy.renew_cg()
    want = np.asarray(READ[kind], np.float64)
    np.testing.assert_array_equal(dy.inputTensor(READ[kind]).npvalue(), np.atleast_1d(want))
    flat = np.atleast_1d(want).ravel("F")
    np.testing.assert_array_equal(dy.inputVector(READ[kind]).npvalue(), flat)
    p = dy.ParameterCollection().parameters_from_numpy(READ[kind])
    np.testing.assert_array_equal(p.as_array(), np.atleast_1d(want))
    p.zero()
    p.set_value(READ[kind])
    np.testing.assert_array_equal(p.as_array(), np.atleast_1d(want))
    if want.ndim:
        table = dy.ParameterCollection().lookup_parameters_from_numpy(READ[kind])
        np.testing.assert_array_equal(table.as_array().reshape(want.shape), want)


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(world, kind):
    if kind == "more than memory" and "libasan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("AddressSanitizer ends a process that asks for so much")
    for name, call in world.items():
        given = None
        try:
            given = call(REFUSED[kind])
        except ERRORS as error:
            assert "std::" not in str(error) and "vector::" not in str(error), (name, error)
        else:  # an empty list of rows, a batch of no indices, and the like
            empty = np.size(REFUSED[kind]) == 0
            assert empty or kind in INDICES, (name, given)


@pytest.mark.parametrize("kind", [k for k in READ if np.size(READ[k]) == 3 and np.all(np.array(READ[k]) < 4)])
def test_indices(kind):
    dy.renew_cg()
    numbers = np.abs(np.asarray(READ[kind], np.float64))
    whole = numbers.astype(np.int64)
    x = dy.inputVector(range(10, 20))
    assert dy.select_rows(x, list(numbers)).value() == (10 + whole).tolist()
    assert dy.select_rows(x, whole.astype(">u2")).value() == (10 + whole).tolist()
    assert dy.select_rows(x, np.asfortranarray(whole)).value() == (10 + whole).tolist()
