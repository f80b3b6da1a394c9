#!/usr/bin/env bash
# torch 2.13.0, jax 0.10.2, keras 3.15.1 and onnxruntime 1.32.0: one query whose keys are all masked. The answer
# is NaN, zeros or the mean of the values: by toolkit, by whether the mask holds booleans or -inf, and within one
# layer by an argument that only asks for the attention weights too: in torch zeros then become NaN, in keras the
# mean becomes zeros. One would expect one answer per toolkit at least. It matters because each empty sentence of
# a padded batch is such a row, and a model that is moved, or whose weights are asked for while debugging,
# computes something else.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 torch==2.13.0 jax==0.10.2 \
  keras==3.15.1 onnx==1.23.2 onnxruntime==1.32.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import os
import sys

os.environ["KERAS_BACKEND"] = "torch"
import jax
import jax.numpy as jnp
import keras
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper

print(*(f"{m.__name__} {m.__version__} |" for m in (torch, jax, keras, onnxruntime)))
values = np.array([[2, 0, 0, 4], [4, 2, 0, 0]], dtype=np.float32)
other = np.eye(2, 4, dtype=np.float32)
nothing, minus_infinity = np.zeros((2, 2), dtype=bool), np.full((2, 2), -np.inf, dtype=np.float32)


def check(what, row, described):
    row = np.asarray(row).tolist()
    kind = {str([np.nan] * 4): "NaN", str([0.0] * 4): "zeros", str([3.0, 1.0, 0.0, 2.0]): "the mean"}
    seen = kind.get(str(row), "something else")
    print(f"{what}: {row} = {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


q, k, v = (torch.tensor(x)[None, None] for x in (other, other, values))
for fill, described in ((-torch.inf, "NaN"), (-1e9, "the mean")):
    scores = (q @ k.mT).masked_fill(torch.tensor(~nothing), fill)
    check(f"torch, softmax by hand, {fill} where masked", (scores.softmax(-1) @ v)[0, 0, 0], described)
fused = torch.nn.functional.scaled_dot_product_attention
check("torch, scaled_dot_product_attention", fused(q, k, v, torch.tensor(nothing))[0, 0, 0], "zeros")

layer = torch.nn.MultiheadAttention(4, 1, bias=False, batch_first=True)
for weights, described in ((False, "zeros"), (True, "NaN")):
    with torch.no_grad():
        y, _ = layer(q[0], k[0], v[0], key_padding_mask=torch.tensor([[True, True]]), need_weights=weights)
    check(f"torch, MultiheadAttention, need_weights={weights}", y[0, 0], described)

jq, jk, jv = (jnp.asarray(x)[None, :, None] for x in (other, other, values))
attention = jax.nn.dot_product_attention
check(
    "jax, dot_product_attention, mask", attention(jq, jk, jv, mask=nothing[None, None])[0, 0, 0], "the mean"
)
check(
    "jax, dot_product_attention, bias", attention(jq, jk, jv, bias=minus_infinity[None, None])[0, 0, 0], "NaN"
)

layer = keras.layers.MultiHeadAttention(1, 4, use_bias=False)
layer(other[None], values[None], other[None])
layer.set_weights([np.eye(4).reshape(weight.shape) for weight in layer.get_weights()])
given = {"value": values[None], "key": other[None], "attention_mask": nothing[None]}
y = layer(other[None], **given)
check("keras, MultiHeadAttention, return_attention_scores=False", y[0, 0].detach(), "the mean")
y, _ = layer(other[None], **given, return_attention_scores=True)
check("keras, MultiHeadAttention, return_attention_scores=True", y[0, 0].detach(), "zeros")

shape = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 2, 4]) for name in "qkvy"}
mask = helper.make_tensor_value_info("mask", TensorProto.BOOL, [2, 2])
node = helper.make_node("Attention", ["q", "k", "v", "mask"], ["y"])
graph = helper.make_graph([node], "row", [shape["q"], shape["k"], shape["v"], mask], [shape["y"]])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=11)
onnx.checker.check_model(model)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
(y,) = session.run(None, {"q": q.numpy(), "k": k.numpy(), "v": v.numpy(), "mask": nothing})
check("onnxruntime, Attention", y[0, 0, 0], "zeros")
PY
