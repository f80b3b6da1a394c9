#!/usr/bin/env bash
# onnx 1.23.2: onnx.save_model(model, ..., save_as_external_data=True) takes the weights out of the model that it
# is given. What stays in memory names a file without its folder, so that numpy_helper.to_array reads whatever
# file of that name the current folder has, and a second plain save writes a model without weights. One would
# expect that saving changes nothing. It matters because a program that exports and then checks or saves the same
# model once more, after a change of the folder or of the file, works with other numbers, and no word is said.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 onnx==1.23.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


def model_of(number):
    """x times a matrix that has one number everywhere."""
    matrix = numpy_helper.from_array(np.full((16, 16), number, np.float32), "w")
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 16]) for name in "xy")
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "one", [x], [y], [matrix])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


print("onnx", onnx.__version__, "| numpy", np.__version__)
first, second = model_of(1), model_of(2)
for model, folder in ((first, "a"), (second, "b")):
    os.mkdir(folder)
    settings = {"save_as_external_data": True, "location": "weights", "size_threshold": 0}
    check(f"bytes of the weights in {folder}'s model before", len(model.graph.initializer[0].raw_data), 1024)
    onnx.save_model(model, f"{folder}/model.onnx", **settings)
    check(f"bytes of the weights in {folder}'s model after", len(model.graph.initializer[0].raw_data), 0)
os.chdir("b")
onnx.save_model(first, "again.onnx")
for what, model in (("read in the second's folder", first), ("saved again and loaded", onnx.load("again.onnx"))):
    weights = numpy_helper.to_array(model.graph.initializer[0])
    check(f"a number of the first model, {what}", weights[0, 0].item(), 2.0)
PY
