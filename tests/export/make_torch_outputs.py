"""Writes torch_outputs.npz: weights and outputs of PyTorch's layers, for tests that run without PyTorch.

python tests/export/make_torch_outputs.py, where torch is installed.
"""

import pathlib

import numpy as np
import torch

FILE = pathlib.Path(__file__).parent / "torch_outputs.npz"


def layers():
    """Some of each kind, by name, with the size of their inputs."""
    yield "lstm", 3, torch.nn.LSTM(3, 4, 2)
    yield "lstm-both-ways", 3, torch.nn.LSTM(3, 2, 2, bidirectional=True)
    yield "lstm-without-bias", 3, torch.nn.LSTM(3, 4, bias=False)
    yield "gru", 3, torch.nn.GRU(3, 4, 2)
    yield "gru-both-ways", 3, torch.nn.GRU(3, 2, 2, bidirectional=True)
    yield "rnn", 3, torch.nn.RNN(3, 4, 2)
    yield "linear", 3, torch.nn.Linear(3, 5)
    encoder = torch.nn.TransformerEncoderLayer
    yield "encoder-relu", 8, encoder(8, 2, 12, dropout=0)
    yield "encoder-gelu-norm-first", 8, encoder(8, 4, 12, dropout=0, activation="gelu", norm_first=True)


def main():
    torch.manual_seed(1)
    arrays = {"torch": np.array(torch.__version__)}
    for name, size, layer in layers():
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))  # as biases may start with zeros
            x = torch.randn(5, size)
            y = layer(x)
        arrays[f"{name}/x"] = x.numpy()
        arrays[f"{name}/y"] = (y[0] if isinstance(y, tuple) else y).numpy()
        for own, parameter in layer.state_dict().items():
            arrays[f"{name}/weights/{own}"] = parameter.numpy()
    np.savez_compressed(FILE, **arrays)


if __name__ == "__main__":
    main()
