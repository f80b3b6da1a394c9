#!/usr/bin/env bash
# The reference implementation in onnx 1.23.2 computes the LSTM operation without two of its arguments, and says
# nothing: sequence_lens, so that each sequence is read to the end of its padding, and clip. onnxruntime 1.32.0
# heeds both. One would expect an error, as the reference raises for operations that it does not have. It matters
# to users of a neural network library because an exported tagger is compared with the reference: sentences of
# one length agree, and a batch of sentences of different lengths looks like an error in the export.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

STEPS, BATCH, SIZE = 4, 2, 3


def last_outputs(lengths, **attributes):
    """The output after the last step of two equal sequences, by each of the two."""
    node = helper.make_node("LSTM", ["x", "w", "r", "", "lengths"], ["", "y"], hidden_size=SIZE, **attributes)
    weights = [
        numpy_helper.from_array(np.full((1, 4 * SIZE, SIZE), 0.5, np.float32), name) for name in ("w", "r")
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [STEPS, BATCH, SIZE])
    n = helper.make_tensor_value_info("lengths", TensorProto.INT32, [BATCH])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, BATCH, SIZE])
    graph = helper.make_graph([node], "one", [x, n], [y], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    given = {"x": np.ones((STEPS, BATCH, SIZE), np.float32), "lengths": np.array(lengths, np.int32)}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    runs = [r.run(None, given)[0][0, :, 0] for r in (session, ReferenceEvaluator(model))]
    return [[f"{number:.2f}" for number in run] for run in runs]


print("onnxruntime", onnxruntime.__version__, "| onnx", onnx.__version__)
for lengths, attributes, described in (
    ([4, 4], {}, [["0.94", "0.94"], ["0.94", "0.94"]]),
    ([4, 1], {}, [["0.94", "0.51"], ["0.94", "0.94"]]),
    ([4, 4], {"clip": 0.1}, [["0.05", "0.05"], ["0.94", "0.94"]]),
):
    seen = last_outputs(lengths, **attributes)
    print(f"lengths {lengths}, {attributes or 'no clip'}: onnxruntime {seen[0]}, reference {seen[1]}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")
PY
