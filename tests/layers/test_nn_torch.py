"""Layers beside torch's, with the weights copied over: values, and gradients of the input."""

import numpy as np
import pytest
from layer_laws import close, inputs

import dynet as dy

torch = pytest.importorskip("torch")


def set_linear(layer, weight, bias=None):
    layer.weight.set_value(weight.detach().numpy())
    if bias is not None:
        layer.bias.set_value(bias.detach().numpy())


def set_norm(ours, theirs):
    ours.weight.set_value(theirs.weight.detach().numpy())
    ours.bias.set_value(theirs.bias.detach().numpy())


def set_attention(ours, theirs):
    size = ours.size
    weights, biases = theirs.in_proj_weight, theirs.in_proj_bias
    for number, part in enumerate((ours.query, ours.key, ours.value)):
        rows = slice(number * size, (number + 1) * size)
        set_linear(part, weights[rows], biases[rows])
    set_linear(ours.output, theirs.out_proj.weight, theirs.out_proj.bias)


def shaken(module, seed=0):
    """A module whose biases and norms are not zeros and ones."""
    torch.manual_seed(seed)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return module.eval()


def compare(ours, theirs, x):
    """Values and gradients for an array (size, n), torch's being (n, size)."""
    model = dy.ParameterCollection()
    p = model.parameters_from_numpy(x)
    weights = inputs(9, np.asarray(ours(p).npvalue()).shape)[0]
    dy.sum_elems(dy.cmult(ours(p), dy.inputTensor(weights))).backward()
    q = torch.tensor(x.T, dtype=torch.float64, requires_grad=True)
    y = theirs(q)
    (y * torch.tensor(weights.T)).sum().backward()
    close(ours(p).npvalue(), y.detach().numpy().T, 5e-5)
    close(p.grad_as_array(), q.grad.numpy().T, 2e-4)


def test_linear():
    theirs = shaken(torch.nn.Linear(3, 5)).double()
    ours = dy.nn.Linear(3, 5, dy.ParameterCollection())
    set_linear(ours, theirs.weight, theirs.bias)
    compare(ours, theirs, inputs(1, (3, 4))[0])


@pytest.mark.parametrize("length", [1, 5])
def test_layer_norm(length):
    theirs = shaken(torch.nn.LayerNorm(6)).double()
    ours = dy.nn.LayerNorm(6, dy.ParameterCollection())
    set_norm(ours, theirs)
    compare(ours, theirs, inputs(1, (6, length))[0])
    # Columns that are nearly constant, where eps counts.
    compare(ours, theirs, 1 + 1e-3 * inputs(2, (6, length))[0])


def test_rms_norm():
    theirs = shaken(torch.nn.RMSNorm(6, eps=1e-6)).double()
    ours = dy.nn.RMSNorm(6, dy.ParameterCollection())
    ours.weight.set_value(theirs.weight.detach().numpy())
    compare(ours, theirs, inputs(1, (6, 3))[0])


@pytest.mark.filterwarnings("ignore:Using padding='same' with even")
@pytest.mark.parametrize(
    ("padding", "stride", "dilation", "width"),
    [
        (0, 1, 1, 3),
        (2, 1, 1, 3),
        ("same", 1, 1, 4),
        ("same", 1, 2, 3),
        (1, 2, 1, 3),
        (0, 3, 2, 2),
        (0, 1, 1, 1),
    ],
)
def test_conv1d(padding, stride, dilation, width):
    theirs = shaken(torch.nn.Conv1d(3, 5, width, padding=padding, stride=stride, dilation=dilation)).double()
    ours = dy.nn.Conv1d(
        3, 5, width, dy.ParameterCollection(), padding=padding, stride=stride, dilation=dilation
    )
    ours.weight.set_value(theirs.weight.detach().numpy().transpose(0, 2, 1).reshape(5, -1))
    ours.bias.set_value(theirs.bias.detach().numpy())
    compare(ours, lambda q: theirs(q.T).T, inputs(1, (3, 7))[0])


@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize("causal", [False, True])
def test_self_attention(length, causal):
    theirs = shaken(torch.nn.MultiheadAttention(8, 2)).double()
    ours = dy.nn.MultiHeadAttention(8, 2, dy.ParameterCollection())
    set_attention(ours, theirs)
    mask = torch.triu(torch.ones(length, length, dtype=torch.bool), 1) if causal else None
    compare(
        lambda p: ours(p, causal=causal),
        lambda q: theirs(q, q, q, attn_mask=mask, need_weights=False)[0],
        inputs(1, (8, length))[0],
    )


def test_attention_of_other_keys_and_values():
    theirs = shaken(torch.nn.MultiheadAttention(8, 4, kdim=3, vdim=5)).double()
    ours = dy.nn.MultiHeadAttention(8, 4, dy.ParameterCollection(), key_size=3, value_size=5)
    for number, (part, name) in enumerate((("query", "q"), ("key", "k"), ("value", "v"))):
        bias = theirs.in_proj_bias[number * 8 : (number + 1) * 8]
        set_linear(getattr(ours, part), getattr(theirs, f"{name}_proj_weight"), bias)
    set_linear(ours.output, theirs.out_proj.weight, theirs.out_proj.bias)
    keys, values, queries = inputs(1, (3, 6), (5, 6), (8, 4))
    mask = np.random.default_rng(3).random((6, 4)) < 0.6
    mask[0] = True
    k, v = (torch.tensor(each.T) for each in (keys, values))
    compare(
        lambda p: ours(p, dy.inputTensor(keys), dy.inputTensor(values), mask=mask),
        lambda q: theirs(q, k, v, attn_mask=torch.tensor(~mask.T), need_weights=False)[0],
        queries,
    )


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_encoder_layer(norm_first, activation):
    theirs = shaken(
        torch.nn.TransformerEncoderLayer(8, 2, 12, activation=activation, norm_first=norm_first)
    ).double()
    ours = dy.nn.TransformerEncoderLayer(
        8, 2, 12, dy.ParameterCollection(), activation=activation, norm_first=norm_first
    )
    set_attention(ours.attention, theirs.self_attn)
    set_linear(ours.wide, theirs.linear1.weight, theirs.linear1.bias)
    set_linear(ours.narrow, theirs.linear2.weight, theirs.linear2.bias)
    for mine, other in zip(ours.norms, (theirs.norm1, theirs.norm2), strict=True):
        set_norm(mine, other)
    compare(ours, theirs, inputs(1, (8, 5))[0])


@pytest.mark.parametrize("norm_first", [False, True])
def test_decoder_layer(norm_first):
    theirs = shaken(torch.nn.TransformerDecoderLayer(8, 2, 12, norm_first=norm_first)).double()
    ours = dy.nn.TransformerDecoderLayer(8, 2, 12, dy.ParameterCollection(), norm_first=norm_first)
    set_attention(ours.attention, theirs.self_attn)
    set_attention(ours.cross, theirs.multihead_attn)
    set_linear(ours.wide, theirs.linear1.weight, theirs.linear1.bias)
    set_linear(ours.narrow, theirs.linear2.weight, theirs.linear2.bias)
    for mine, other in zip(ours.norms, (theirs.norm1, theirs.norm2, theirs.norm3), strict=True):
        set_norm(mine, other)
    x, memory = inputs(1, (8, 5), (8, 3))
    mask = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1)
    m = torch.tensor(memory.T)
    compare(lambda p: ours(p, dy.inputTensor(memory)), lambda q: theirs(q, m, tgt_mask=mask), x)


def test_activations():
    [x] = inputs(1, (9,))
    x = np.concatenate([x, [-30.0, 30.0]])
    functions = torch.nn.functional
    for ours, theirs in (
        (dy.gelu, functions.gelu),
        (dy.softplus, functions.softplus),
        (dy.leaky_relu, functions.leaky_relu),
    ):
        close(ours(dy.inputVector(x)).npvalue(), theirs(torch.tensor(x)).numpy())
