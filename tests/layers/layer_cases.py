"""A small layer of each kind, what it is called with, and the shape of the result."""

from layer_laws import inputs

import dynet as dy

LETTERS = dy.data.Vocabulary(list("abcd"))


class Case:
    """make(model) is a layer; call(layer, xs) calls it on expressions of arrays of these shapes."""

    def __init__(self, make, shapes, result, call=None, trains=True):
        self.make, self.shapes, self.result, self.trains = make, shapes, result, trains
        self.call = call or (lambda layer, xs: layer(*xs))

    def arrays(self, seed):
        return inputs(seed, *self.shapes)


CASES = {
    "Linear": Case(lambda m: dy.nn.Linear(3, 4, m), [(3, 5)], (4, 5)),
    "Linear of a vector": Case(lambda m: dy.nn.Linear(3, 4, m, bias=False), [(3,)], (4,)),
    "MLP": Case(lambda m: dy.nn.MLP([3, 6, 4], m, "gelu", 0.2), [(3, 5)], (4, 5)),
    "Highway": Case(lambda m: dy.nn.Highway(3, m, 2, "tanh"), [(3, 5)], (3, 5)),
    "MixtureOfSoftmaxes": Case(lambda m: dy.nn.MixtureOfSoftmaxes(3, 6, 2, m), [(3,)], (6,)),
    "LayerNorm": Case(lambda m: dy.nn.LayerNorm(3, m), [(3, 5)], (3, 5)),
    "RMSNorm": Case(lambda m: dy.nn.RMSNorm(3, m), [(3, 5)], (3, 5)),
    "BatchNorm": Case(lambda m: dy.nn.BatchNorm(3, m), [(3, 5)], (3, 5)),
    "CRF": Case(
        lambda m: dy.nn.CRF(3, ["O", "B-X", "I-X"], m, scheme="BIO"),
        [(3, 5)],
        (3, 5),
        lambda layer, xs: layer.marginals(xs[0]),
    ),
    "CTC": Case(lambda m: dy.nn.CTC(3, list("abc"), m), [(3, 5)], (4, 5)),
    "Dropout": Case(lambda m: dy.nn.Dropout(0.4), [(3, 5)], (3, 5), trains=False),
    "Conv1d": Case(lambda m: dy.nn.Conv1d(3, 4, 3, m, "causal"), [(3, 5)], (4, 5)),
    "LSTM": Case(lambda m: dy.nn.LSTM(3, 4, m, 2, 0.2), [(3, 5)], (4, 5)),
    "BiLSTM": Case(lambda m: dy.nn.BiLSTM(3, 4, m, dropout=0.2, builder=dy.GRUBuilder), [(3, 5)], (4, 5)),
    "Embedding": Case(
        lambda m: dy.nn.Embedding(LETTERS, 4, m, dropout=0.2), [], (4, 3), lambda e, _: e(list("bad"))
    ),
    "CharacterLSTM": Case(
        lambda m: dy.nn.CharacterLSTM(LETTERS, 3, 4, m), [], (4, 2), lambda layer, _: layer(["bad", "a"])
    ),
    "CharacterCNN": Case(
        lambda m: dy.nn.CharacterCNN(LETTERS, 3, {2: 3, 4: 2}, m),
        [],
        (5, 2),
        lambda layer, _: layer(["bad", "a"]),
    ),
    "ChildSumTreeLSTM": Case(
        lambda m: dy.nn.ChildSumTreeLSTM(3, 4, m),
        [(3, 4)],
        (4,),
        lambda layer, xs: layer(xs[0], [[1, 2, 3], [], [], []])[0].h,
    ),
    "NaryTreeLSTM": Case(
        lambda m: dy.nn.NaryTreeLSTM(3, 4, 2, m),
        [(3, 4)],
        (4,),
        lambda layer, xs: layer(xs[0], [[1, 2], [3], [], []])[0].c,
    ),
    "DotAttention": Case(lambda m: dy.nn.DotAttention(3), [(3,), (3, 5)], (3,), trains=False),
    "BilinearAttention": Case(lambda m: dy.nn.BilinearAttention(2, 3, m), [(2,), (3, 5)], (3,)),
    "AdditiveAttention": Case(lambda m: dy.nn.AdditiveAttention(2, 3, 4, m), [(2,), (3, 5)], (3,)),
    "Pointer": Case(lambda m: dy.nn.Pointer(2, 3, 4, m), [(2,), (3, 5)], (5,)),
    "CoverageAttention": Case(
        lambda m: dy.nn.CoverageAttention(2, 3, 4, m),
        [(2,), (3, 5)],
        (3,),
        lambda layer, xs: layer(*xs, layer(*xs)[2])[0],
    ),
    "CopyOutput": Case(
        lambda m: dy.nn.CopyOutput(3, 4, m),
        [(3,), (2,)],
        (6,),
        lambda layer, xs: layer(xs[0], dy.softmax(xs[1]), [5, 1]),
    ),
    "Biaffine": Case(lambda m: dy.nn.Biaffine(3, 2, m), [(3, 4), (2, 5)], (4, 5)),
    "Biaffine of labels": Case(
        lambda m: dy.nn.Biaffine(3, 2, m, 3, bias_left=False), [(3, 4), (2, 5)], (3, 4, 5)
    ),
    "Triaffine": Case(lambda m: dy.nn.Triaffine((3, 2, 4), m), [(3, 4), (2, 5), (4, 2)], (4, 5, 2)),
    "MultiHeadAttention": Case(
        lambda m: dy.nn.MultiHeadAttention(4, 2, m, dropout=0.2), [(4, 3), (4, 5)], (4, 3)
    ),
    "rotary MultiHeadAttention": Case(
        lambda m: dy.nn.MultiHeadAttention(4, 2, m, rotary=True),
        [(4, 3)],
        (4, 3),
        lambda layer, xs: layer(xs[0], causal=True),
    ),
    "TransformerEncoderLayer": Case(
        lambda m: dy.nn.TransformerEncoderLayer(4, 2, 6, m, 0.1), [(4, 3)], (4, 3)
    ),
    "TransformerEncoder": Case(
        lambda m: dy.nn.TransformerEncoder(2, 4, 2, 6, m, norm="rms", rotary=True), [(4, 3)], (4, 3)
    ),
    "TransformerDecoderLayer": Case(
        lambda m: dy.nn.TransformerDecoderLayer(4, 2, 6, m), [(4, 3), (4, 5)], (4, 3)
    ),
    "TransformerDecoder": Case(
        lambda m: dy.nn.TransformerDecoder(2, 4, 2, 6, m, norm_first=False), [(4, 3), (4, 5)], (4, 3)
    ),
    "SinusoidalPositions": Case(lambda m: dy.nn.SinusoidalPositions(4), [(4, 3)], (4, 3), trains=False),
    "LearnedPositions": Case(lambda m: dy.nn.LearnedPositions(4, 6, m), [(4, 3)], (4, 3)),
}
