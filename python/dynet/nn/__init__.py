"""Layers: small classes over a ParameterCollection, called as layer(x), on one example of any size."""

from typing import TYPE_CHECKING

from dynet.nn.attention import AdditiveAttention as AdditiveAttention
from dynet.nn.attention import BilinearAttention as BilinearAttention
from dynet.nn.attention import CopyOutput as CopyOutput
from dynet.nn.attention import CoverageAttention as CoverageAttention
from dynet.nn.attention import DotAttention as DotAttention
from dynet.nn.attention import Memory as Memory
from dynet.nn.attention import Pointer as Pointer
from dynet.nn.convolution import CharacterCNN as CharacterCNN
from dynet.nn.convolution import CharacterLSTM as CharacterLSTM
from dynet.nn.convolution import Conv1d as Conv1d
from dynet.nn.dense import MLP as MLP
from dynet.nn.dense import Dropout as Dropout
from dynet.nn.dense import Highway as Highway
from dynet.nn.dense import Linear as Linear
from dynet.nn.dense import MixtureOfSoftmaxes as MixtureOfSoftmaxes
from dynet.nn.embedding import Embedding as Embedding
from dynet.nn.heads import CRF as CRF
from dynet.nn.heads import CTC as CTC
from dynet.nn.module import Module as Module
from dynet.nn.multihead import Kept as Kept
from dynet.nn.multihead import MultiHeadAttention as MultiHeadAttention
from dynet.nn.normalisation import BatchNorm as BatchNorm
from dynet.nn.normalisation import LayerNorm as LayerNorm
from dynet.nn.normalisation import RMSNorm as RMSNorm
from dynet.nn.positions import LearnedPositions as LearnedPositions
from dynet.nn.positions import SinusoidalPositions as SinusoidalPositions
from dynet.nn.positions import rotary as rotary
from dynet.nn.recurrent import LSTM as LSTM
from dynet.nn.recurrent import BiLSTM as BiLSTM
from dynet.nn.scorers import Biaffine as Biaffine
from dynet.nn.scorers import Triaffine as Triaffine
from dynet.nn.transformer import DecoderState as DecoderState
from dynet.nn.transformer import TransformerDecoder as TransformerDecoder
from dynet.nn.transformer import TransformerDecoderLayer as TransformerDecoderLayer
from dynet.nn.transformer import TransformerEncoder as TransformerEncoder
from dynet.nn.transformer import TransformerEncoderLayer as TransformerEncoderLayer
from dynet.nn.trees import ChildSumTreeLSTM as ChildSumTreeLSTM
from dynet.nn.trees import NaryTreeLSTM as NaryTreeLSTM
from dynet.nn.trees import TreeState as TreeState

__all__ = [
    "CRF",
    "CTC",
    "LSTM",
    "MLP",
    "AdditiveAttention",
    "BatchNorm",
    "BiLSTM",
    "Biaffine",
    "BilinearAttention",
    "CharacterCNN",
    "CharacterLSTM",
    "ChildSumTreeLSTM",
    "Conv1d",
    "CopyOutput",
    "CoverageAttention",
    "DecoderState",
    "DotAttention",
    "Dropout",
    "Embedding",
    "Highway",
    "Kept",
    "LayerNorm",
    "LearnedPositions",
    "Linear",
    "Memory",
    "MixtureOfSoftmaxes",
    "Module",
    "MultiHeadAttention",
    "NaryTreeLSTM",
    "Pointer",
    "RMSNorm",
    "SinusoidalPositions",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "TreeState",
    "Triaffine",
    "rotary",
]


if not TYPE_CHECKING:  # so that tools still know which names there are

    def __getattr__(name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        from dynet.nn.elsewhere import refused

        raise refused(name)
