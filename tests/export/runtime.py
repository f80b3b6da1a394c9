"""Runs exported models with onnxruntime, which sees arrays with the batch first."""

import warnings

import numpy as np
import pytest

ort = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
ort.set_default_logger_severity(4)

TOLERANCE = 1e-5


def session(model):
    """Of a model, or of a file."""
    given = model if isinstance(model, str) else model.SerializeToString()
    return ort.InferenceSession(given, providers=["CPUExecutionProvider"])


def run(model, **inputs):
    """The outputs by name, of arrays that become what the model takes."""
    made = session(model)
    kinds = {given.name: np.int64 if "int64" in given.type else np.float32 for given in made.get_inputs()}
    feeds = {name: np.asarray(x, kinds[name]) for name, x in inputs.items()}
    names = [output.name for output in made.get_outputs()]
    return dict(zip(names, made.run(names, feeds), strict=True))


def batch_first(array, has_batch):
    """An array as ONNX has it: the batch, which is the last axis here, comes first."""
    return np.moveaxis(array, -1, 0) if has_batch else np.asarray(array)[None]


def value_of(expression):
    """An expression's value as ONNX has it."""
    shape, batch = expression.dim()
    return batch_first(np.asarray(expression.npvalue()), batch > 1).reshape(batch, *shape)


def assert_close(found, wanted):
    """To 1e-5 of the size, and the same where it is not finite."""
    assert found.shape == wanted.shape
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(found[~finite], wanted[~finite].astype(np.float32))
    scale = np.maximum(1, np.abs(wanted[finite]))
    np.testing.assert_allclose(found[finite] / scale, wanted[finite] / scale, rtol=0, atol=TOLERANCE)


def is_dynamic(model):
    """Whether the first output has a batch of any size."""
    return bool(model.graph.output[0].type.tensor_type.shape.dim[0].dim_param)


def quietly(make):
    """What a call makes whose warning about the batch is not the matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return make()
