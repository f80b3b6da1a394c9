#!/usr/bin/env bash
# onnxruntime 1.32.0 and the reference implementation in onnx 1.23.2 give different results for one valid model:
# ReduceMax in onnxruntime returns NaN only where the NaN stands first in a row; elsewhere it is overlooked. The
# reference computes LogSoftmax as the logarithm of a rounded Softmax, so that from a distance of about 104 on it
# is -inf; onnxruntime is exact there. One would expect the reference to be the one to trust, and a maximum not to
# depend on the place. It matters because exported models are compared with one of the two: a NaN guard stops
# working after the export, and a correct loss seems wrong.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

warnings.simplefilter("ignore")  # the reference divides by zero and says so


def run(operation, row, constants, **attributes):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, len(row)])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, "n"])
    node = helper.make_node(operation, ["x", *(c.name for c in constants)], ["y"], **attributes)
    graph = helper.make_graph([node], "one", [x], [y], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    given = {"x": np.array([row], dtype=np.float32)}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return [r.run(None, given)[0][0].tolist() for r in (session, ReferenceEvaluator(model))]


print("onnxruntime", onnxruntime.__version__, "| onnx", onnx.__version__)
nan, inf = float("nan"), float("inf")
axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
for operation, row, constants, described in (
    ("ReduceMax", [nan, 1, 2], [axes], [[nan], [nan]]),
    ("ReduceMax", [1, nan, 2], [axes], [[2.0], [nan]]),
    ("ReduceMax", [1, 2, nan], [axes], [[2.0], [nan]]),
    ("LogSoftmax", [0, 80], [], [[-80.0, 0.0], [-80.0, 0.0]]),
    ("LogSoftmax", [0, 110], [], [[-110.0, 0.0], [-inf, 0.0]]),
):
    runtime, reference = run(operation, row, constants)
    print(f"{operation} of {row}: onnxruntime {runtime}, reference {reference}")
    if str([runtime, reference]) != str(described):
        sys.exit(f"This differs from the description, which has {described}")
PY
