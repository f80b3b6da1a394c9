"""First values of parameters by the names of other libraries; each is an initialiser of the package."""

from dynet._dynet import ConstInitializer as Constant
from dynet._dynet import GlorotInitializer as Glorot
from dynet._dynet import GlorotInitializer as Xavier
from dynet._dynet import IdentityInitializer as Identity
from dynet._dynet import KaimingInitializer as He
from dynet._dynet import KaimingInitializer as Kaiming
from dynet._dynet import NormalInitializer as Normal
from dynet._dynet import OrthogonalInitializer as Orthogonal
from dynet._dynet import TruncatedNormalInitializer as TruncatedNormal
from dynet._dynet import UniformInitializer as Uniform

__all__ = [
    "Constant",
    "Glorot",
    "He",
    "Identity",
    "Kaiming",
    "Normal",
    "Orthogonal",
    "TruncatedNormal",
    "Uniform",
    "Xavier",
]
