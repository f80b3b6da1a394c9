"""Each operation of the table in tests/ops as an ONNX model, run by onnxruntime."""

import pathlib
import sys

import numpy as np
import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "ops"))
from cases import CASES, ELSEWHERE
from runtime import assert_close, batch_first, is_dynamic, quietly, run, value_of
from table import label

import dynet as dy
from dynet.export.onnx_model import STRUCTURES, UNSUPPORTED
from dynet.export.onnx_operations import EMITTERS

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "guide" / "export.md"
RANDOM = {c.name for c in CASES if c.ref is None}
ONE_EXAMPLE = {"hinge", "pickneglogsoftmax"}
KNOWN = [c for c in CASES if c.name not in RANDOM | set(UNSUPPORTED)]
LEAVES = {"input", "input_from_memory", "constant", "lookup"}


def inputs_of(case, xs):
    """The filters of a convolution are no inputs, as ONNX has none for each batch element."""
    return {f"x{i}": x for i, x in enumerate(xs[:1] if case.name.startswith("conv2d") else xs)}


def feeds_of(inputs, arrays, batched):
    return {
        name: batch_first(array, has_batch)
        for name, array, has_batch in zip(inputs, arrays, batched, strict=False)
    }


@pytest.mark.parametrize("case", KNOWN, ids=[label(c) for c in KNOWN])
def test_operation(case):
    """As it is; in a batch; and built without a batch, run with one."""
    arrays = case.arrays()
    dy.renew_cg()
    xs, y = case.build(arrays)
    inputs = inputs_of(case, xs)
    model = quietly(lambda: dy.export.onnx(y, inputs))
    batched = [sample.batch > 0 for sample in case.inputs]
    assert_close(run(model, **feeds_of(inputs, arrays, batched))["output"], value_of(y))
    if case.mixes_batch or not case.inputs or case.name.startswith("conv2d"):
        return
    if case.name not in ONE_EXAMPLE:
        arrays = case.arrays(batch=3)
        dy.renew_cg()
        xs, y = case.build(arrays, batched=True)
        inputs = inputs_of(case, xs)
        own = quietly(lambda: dy.export.onnx(y, inputs))
        assert_close(run(own, **feeds_of(inputs, arrays, [True] * len(xs)))["output"], value_of(y))
    if not is_dynamic(model):
        assert "batches" in case.name or case.attributes.get("b"), "the batch was fixed without need"
        return
    many = [case.arrays(salt) for salt in range(3)]
    wanted = []
    for each in many:
        dy.renew_cg()
        wanted.append(value_of(case.build(each)[1]))
    stacked = {name: np.stack([each[i] for each in many]) for i, name in enumerate(inputs)}
    assert_close(run(model, **stacked)["output"], np.concatenate(wanted))


def test_every_operation_is_known():
    """Those that nodes have are written, or told to be impossible."""
    primitive = set(EMITTERS) | set(UNSUPPORTED) | RANDOM | LEAVES | ELSEWHERE
    composed = set()
    for case in CASES:
        dy.renew_cg()
        case.build(case.arrays())
        made = {node.operation for node in dy.cg().nodes()} - LEAVES
        assert made <= primitive | {"parameter"}, case.name
        if case.name not in made:
            composed.add(case.name)
    # What is left is a form of other operations, which the sweep above has exported.
    assert set(dy.ops()) - primitive <= composed | {"to_device"}


@pytest.mark.parametrize("name", sorted(set(UNSUPPORTED) | RANDOM))
def test_unsupported_operation(name):
    """The error names the operation and its node."""
    case = next(c for c in CASES if c.name == name)
    dy.renew_cg()
    xs, y = case.build(case.arrays())
    with pytest.raises(NotImplementedError, match=rf"onnx: v\d+ = .*: .*{name}") as raised:
        dy.export.onnx(y, inputs_of(case, xs))
    assert ("draws random numbers" in str(raised.value)) == (name in RANDOM)


def test_the_page_tells_what_is_supported():
    page = PAGE.read_text("utf-8")
    names = set(dy.ops()) - LEAVES - {"to_device", "parameter"}
    names = {name for name in names if not name.startswith(STRUCTURES)}
    without = (set(UNSUPPORTED) | RANDOM) & names
    assert f"{len(names) - len(without)} of {len(names)} operations" in page
    assert all(f"`{name}`" in page for name in without)
