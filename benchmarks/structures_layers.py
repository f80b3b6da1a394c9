"""A Transformer encoder and a beam search beside those of PyTorch, with the same numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import dynet as dy

SIZE, HEADS, HIDDEN, LAYERS = 256, 8, 1024, 4
WIDTH, STEPS, SOURCE, VOCABULARY = 8, 30, 20, 2000


class Encoders:
    """Forward and backward of an encoder over one sentence of 30 words, or 16 of 10 to 50."""

    def __init__(self, batch: int) -> None:
        draw = np.random.default_rng(1)
        lengths = [30] if batch == 1 else draw.integers(10, 51, batch).tolist()
        self.sentences = [draw.normal(size=(SIZE, n)).astype(np.float32) for n in lengths]
        model = dy.ParameterCollection()
        self.encoder = dy.nn.TransformerEncoder(LAYERS, SIZE, HEADS, HIDDEN, model, norm_first=False)

    def loss(self) -> float:
        dy.renew_cg()
        total = dy.esum(
            [dy.sum_elems(dy.square(self.encoder(dy.inputTensor(x)) - 1)) for x in self.sentences]
        )
        value = total.value()
        total.backward()
        self.encoder.model.reset_gradient()
        return float(value)

    def rival(self) -> Callable[[], float]:
        import torch

        layer = torch.nn.TransformerEncoderLayer(SIZE, HEADS, HIDDEN, dropout=0, batch_first=True)
        encoder = torch.nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        with torch.no_grad():
            for theirs, ours in zip(encoder.layers, self.encoder.layers, strict=True):
                for to, arrays in _pairs(theirs, ours):
                    to.copy_(torch.tensor(np.concatenate(arrays)))
        longest = max(x.shape[1] for x in self.sentences)
        padded = torch.zeros(len(self.sentences), longest, SIZE)
        missing = torch.ones(len(self.sentences), longest, dtype=torch.bool)
        for number, x in enumerate(self.sentences):
            padded[number, : x.shape[1]] = torch.tensor(x.T.copy())
            missing[number, : x.shape[1]] = False
        mask = missing if missing.any() else None
        there = (~missing)[..., None].float()

        def loss() -> float:
            encoder.zero_grad()
            value = ((encoder(padded, src_key_padding_mask=mask) - 1) ** 2 * there).sum()
            value.backward()
            return float(value.detach())

        return loss


def _pairs(theirs, ours):
    """Their parameters, and our arrays that lie in each one above another."""
    attention = ours.attention
    parts = attention.query, attention.key, attention.value
    yield theirs.self_attn.in_proj_weight, [each.weight.as_array() for each in parts]
    yield theirs.self_attn.in_proj_bias, [each.bias.as_array() for each in parts]
    for to, own in (
        (theirs.self_attn.out_proj, attention.output),
        (theirs.linear1, ours.wide),
        (theirs.linear2, ours.narrow),
        (theirs.norm1, ours.norms[0]),
        (theirs.norm2, ours.norms[1]),
    ):
        yield to.weight, [own.weight.as_array()]
        yield to.bias, [own.bias.as_array()]


class Beams:
    """A beam search of 30 words with an LSTM that looks at 20 columns; the word that ends never comes."""

    END = 0

    def __init__(self) -> None:
        draw = np.random.default_rng(1)
        model = dy.ParameterCollection()
        self.words = model.add_lookup_parameters((VOCABULARY, SIZE))
        self.lstm = dy.VanillaLSTMBuilder(1, SIZE, SIZE, model)
        self.weight = model.add_parameters((VOCABULARY, 2 * SIZE))
        self.weight.set_value(draw.normal(size=(VOCABULARY, 2 * SIZE)) / 8)
        bias = np.zeros(VOCABULARY)
        bias[self.END] = -1000
        self.bias = model.add_parameters(VOCABULARY, init=bias)
        self.columns = draw.normal(size=(SIZE, SOURCE)).astype(np.float32)

    def best(self) -> float:
        dy.renew_cg()
        columns = dy.inputTensor(self.columns)

        def step(word, state):
            state = state.add_input(self.words[word])
            h = state.output()
            seen = columns * dy.softmax(dy.transpose(columns) * h)
            scores = dy.affine_transform([self.bias, self.weight, dy.concatenate([h, seen])])
            return dy.log_softmax(scores), state

        first = self.lstm.initial_state()
        found = dy.decoding.beam_search(step, first, start=1, end=self.END, width=WIDTH, longest=STEPS)
        return found[0].log_probability

    def rival(self) -> Callable[[], float]:
        import torch

        wx, wh, b = (each.as_array() for each in self.lstm.get_parameters()[0])
        b = b.copy()
        b[SIZE : 2 * SIZE] += 1  # the forget gate's
        gates = np.r_[0 : 2 * SIZE, 3 * SIZE : 4 * SIZE, 2 * SIZE : 3 * SIZE]  # theirs: i, f, g, o
        cell = torch.nn.LSTMCell(SIZE, SIZE)
        with torch.no_grad():
            for to, array in ((cell.weight_ih, wx), (cell.weight_hh, wh), (cell.bias_ih, b)):
                to.copy_(torch.tensor(array[gates]))
            cell.bias_hh.zero_()
        words, weight = torch.tensor(self.words.as_array()), torch.tensor(self.weight.as_array())
        bias, columns = torch.tensor(self.bias.as_array()), torch.tensor(self.columns)

        @torch.no_grad()
        def best() -> float:
            h, c = torch.zeros(1, SIZE), torch.zeros(1, SIZE)
            row, total = torch.tensor([1]), torch.zeros(1)
            sequences = torch.zeros(1, 0, dtype=torch.long)
            for _ in range(STEPS):
                h, c = cell(words[row], (h, c))
                seen = torch.softmax(h @ columns, 1) @ columns.T
                scores = torch.log_softmax(torch.cat([h, seen], 1) @ weight.T + bias, 1)
                total, place = (total[:, None] + scores).flatten().topk(WIDTH)
                before, row = place // VOCABULARY, place % VOCABULARY
                h, c = h[before], c[before]
                sequences = torch.cat([sequences[before], row[:, None]], 1)
            return float(total[0])

        return best
