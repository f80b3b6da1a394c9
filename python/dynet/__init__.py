"""DyNet: neural networks with dynamic graphs, batched automatically."""

from types import ModuleType as _Module
from typing import TYPE_CHECKING as _TYPE_CHECKING

from dynet import _core as _core  # The first: it chooses the extension.
from dynet._dynet import *  # noqa: F403  An operation is declared in C++ and nowhere else.
from dynet._dynet import __precision__ as __precision__
from dynet._dynet import __version__ as __version__
from dynet.arguments import show_signatures as _show_signatures
from dynet.arrays import teach_numpy as _teach_numpy
from dynet.cell import cell as cell
from dynet.config import DynetParams as DynetParams
from dynet.config import init as init
from dynet.config import init_at_import as _init_at_import
from dynet.config import init_from_params as init_from_params
from dynet.devices import HAVE_CUDA as HAVE_CUDA
from dynet.devices import DeviceInfo as DeviceInfo
from dynet.devices import available_devices as available_devices
from dynet.devices import get_device_info as get_device_info
from dynet.einsum import einsum as einsum
from dynet.fitting import find_learning_rate as find_learning_rate
from dynet.fitting import fit as fit
from dynet.former import LSTMBuilder as LSTMBuilder
from dynet.former import Model as Model
from dynet.former import __gitversion__ as __gitversion__
from dynet.former import const_parameter as const_parameter
from dynet.former import inputMatrix as inputMatrix
from dynet.former import matInput as matInput
from dynet.former import parameter as parameter
from dynet.former import pickrange as pickrange
from dynet.former import zeroes as zeroes
from dynet.function import Function as Function
from dynet.holders import FloatValue as FloatValue
from dynet.holders import FloatVectorValue as FloatVectorValue
from dynet.holders import UnsignedValue as UnsignedValue
from dynet.holders import UnsignedVectorValue as UnsignedVectorValue
from dynet.inspection import explain_batching as explain_batching
from dynet.inspection import profile as profile
from dynet.inspection import record_lines as record_lines
from dynet.inspection import summary as summary
from dynet.io import load as load
from dynet.io import load_generator as load_generator
from dynet.io import save as save
from dynet.lazy import submodule as _submodule
from dynet.pickling import teach_classes as _teach_classes
from dynet.renamed import RENAMED as _RENAMED
from dynet.renamed import missing_name as _missing_name
from dynet.renamed import tell_members as _tell_members
from dynet.rnn import BiRNNBuilder as BiRNNBuilder
from dynet.rnn import RNNBuilder as RNNBuilder
from dynet.rnn import StackedRNNState as StackedRNNState
from dynet.rnn import TreeLSTMBuilder as TreeLSTMBuilder
from dynet.tasks.entry import run_as_completed as run_as_completed
from dynet.tasks.entry import run_batched as run_batched
from dynet.tasks.entry import value_of as value_of
from dynet.viz import print_graphviz as print_graphviz

if _TYPE_CHECKING:
    from dynet import data as data
    from dynet import decoding as decoding
    from dynet import distributed as distributed
    from dynet import export as export
    from dynet import initializers as initializers
    from dynet import losses as losses
    from dynet import mp as mp
    from dynet import nn as nn
    from dynet import optim as optim
    from dynet import structured as structured
    from dynet import training as training
else:
    for _name in (
        "data",
        "decoding",
        "distributed",
        "export",
        "initializers",
        "losses",
        "mp",
        "nn",
        "optim",
        "structured",
        "training",
    ):
        globals()[_name] = _submodule(_name)

# Without the modules, which would hide a program's own `io` or `config`. Type checkers need no such list, and
# would take one that they cannot read for an empty one.
globals()["__all__"] = [
    _name for _name in dir() if not (_name.startswith("_") or isinstance(globals()[_name], _Module))
]

if not _TYPE_CHECKING:  # Type checkers would take every name for one that there is.

    def __getattr__(name: str) -> object:
        _missing_name(name)

    def __dir__() -> list[str]:
        return [_name for _name in globals() if _name not in _RENAMED]


_show_signatures()
_tell_members()
_teach_classes()
_teach_numpy()
_init_at_import()
