"""The name of DyNet 2's extension, which programs and model files refer to."""

from dynet import *  # noqa: F403
from dynet import __version__ as __version__
from dynet._dynet import _RNNBuilder as _RNNBuilder
