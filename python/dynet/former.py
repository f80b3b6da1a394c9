"""Other names of things, and functions that DyNet 2 deprecated and programs still call."""

from typing import NoReturn, TypeVar

from dynet import _dynet
from dynet._dynet import Expression

Model = _dynet.ParameterCollection
LSTMBuilder = _dynet.VanillaLSTMBuilder
pickrange = _dynet.pickrange
zeroes = _dynet.zeroes
__gitversion__ = _dynet.__version__

E = TypeVar("E", bound=Expression)


def parameter(*args: E) -> E | tuple[E, ...]:
    """The parameter itself, or the tuple of them: parameters are expressions."""
    return args[0] if len(args) == 1 else args


def const_parameter(*args: Expression) -> Expression | list[Expression]:
    """The parameter, or the list of them, as expressions that get no gradient."""
    for position, arg in enumerate(args):
        if not isinstance(arg, Expression):
            from dynet import explanation

            raise TypeError(explanation.no_expression("const_parameter", position, arg))
    constants = [_dynet.nobackprop(arg) for arg in args]
    return constants[0] if len(args) == 1 else constants


def matInput(d1: int, d2: int) -> NoReturn:  # noqa: N802
    """Raises DeprecationWarning."""
    raise DeprecationWarning("matInput is gone; use inputTensor")


def inputMatrix(v: object, d: object) -> NoReturn:  # noqa: N802
    """Raises DeprecationWarning."""
    raise DeprecationWarning("inputMatrix is gone; use inputTensor")
