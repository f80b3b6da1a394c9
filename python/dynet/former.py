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
    """The parameter itself, or the tuple of them where there are several: parameters are expressions of every
    graph, and this call of DyNet 2 is not needed.

    >>> w = dy.ParameterCollection().add_parameters(2)
    >>> dy.parameter(w) is w
    True
    """
    return args[0] if len(args) == 1 else args


def const_parameter(*args: Expression) -> Expression | list[Expression]:
    """The parameter, or the list of them where there are several, as expressions that get no gradient:
    nobackprop of each. set_updated(False) freezes one for good. TypeError for what is no expression.

    >>> w = dy.ParameterCollection().add_parameters(1, init=3)
    >>> (w * dy.const_parameter(w)).backward()
    >>> print(w.grad_as_array())
    [3.]
    """
    for position, arg in enumerate(args):
        if not isinstance(arg, Expression):
            from dynet import explanation

            raise TypeError(explanation.no_expression("const_parameter", position, arg))
    constants = [_dynet.nobackprop(arg) for arg in args]
    return constants[0] if len(args) == 1 else constants


def matInput(d1: int, d2: int) -> NoReturn:  # noqa: N802
    """Raises DeprecationWarning, as in DyNet 2, whatever it is given: dy.inputTensor makes a matrix of
    numbers.

    >>> dy.inputTensor([[1, 2], [3, 4]]).dim()
    ((2, 2), 1)
    """
    raise DeprecationWarning("matInput is gone; use inputTensor")


def inputMatrix(v: object, d: object) -> NoReturn:  # noqa: N802
    """Raises DeprecationWarning, as in DyNet 2, whatever it is given: dy.inputTensor makes a matrix of
    numbers, and ComputationGraph.inputMatrixLiteral of a flat list.

    >>> dy.inputTensor([[1, 2], [3, 4]]).dim()
    ((2, 2), 1)
    """
    raise DeprecationWarning("inputMatrix is gone; use inputTensor")
