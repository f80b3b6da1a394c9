"""What functions take: their signatures, and one sentence about a call that does not fit."""

from __future__ import annotations

import ast
import difflib
import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dynet import _dynet

_POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD


def _parsed(text: str, defaults: Sequence[object]) -> inspect.Signature:
    """The signature in the first line of a function's documentation, which has \\N for default N."""
    function = ast.parse(re.sub(r"\\(\d+)", r"\1", text) + ": ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    given = function.args
    names = [*given.posonlyargs, *given.args]
    values: list[Any] = [inspect.Parameter.empty] * (len(names) - len(given.defaults))
    for number in given.defaults:
        values.append(defaults[ast.literal_eval(number)])
    kinds = [inspect.Parameter.POSITIONAL_ONLY] * len(given.posonlyargs) + [_POSITIONAL] * len(given.args)
    parameters = [_parameter(arg, kind, value) for arg, kind, value in zip(names, kinds, values, strict=True)]
    if given.vararg:
        parameters.append(_parameter(given.vararg, inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.empty))
    if given.kwarg:
        parameters.append(_parameter(given.kwarg, inspect.Parameter.VAR_KEYWORD, inspect.Parameter.empty))
    result = ast.unparse(function.returns) if function.returns else inspect.Signature.empty
    return inspect.Signature(parameters, return_annotation=result)


def _parameter(arg: ast.arg, kind: Any, default: Any) -> inspect.Parameter:
    annotation = ast.unparse(arg.annotation) if arg.annotation else inspect.Parameter.empty
    return inspect.Parameter(arg.arg, kind, default=default, annotation=annotation)


def signature_of(function: Any) -> inspect.Signature:
    """The signature of a function of the extension."""
    text, _, defaults = function.__nb_signature__[0]
    return _parsed(text, defaults or ())


def bound_signature(method: Any) -> inspect.Signature:
    signature = signature_of(method)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


# What other toolkits call an argument, and what it is called here, if the function has one of these.
_CALLED = {
    "lr": ("learning_rate", "alpha"),
    "learning_rate": ("learning_rate", "alpha"),
    "e0": ("learning_rate",),
    "momentum": ("mom",),
    "beta": ("beta_1", "beta_2"),
    "betas": ("beta_1", "beta_2"),
    "beta1": ("beta_1",),
    "beta2": ("beta_2",),
    "b1": ("beta_1",),
    "b2": ("beta_2",),
    "epsilon": ("eps",),
    "axis": ("d", "dim"),
    "dim": ("d", "dim"),
    "dims": ("d", "dims"),
    "shape": ("dim", "d"),
    "size": ("dim", "d"),
    "num_layers": ("layers",),
    "n_layers": ("layers",),
    "nlayers": ("layers",),
    "input_size": ("input_dim",),
    "hidden_size": ("hidden_dim",),
    "model": ("m", "model", "pc", "parent"),
    "pc": ("m", "model", "pc"),
    "collection": ("m", "model", "pc"),
    "params": ("m", "model", "pc"),
    "parameters": ("m", "model", "pc"),
    "rate": ("p", "learning_rate"),
    "prob": ("p",),
    "dropout": ("p", "f", "d"),
    "initializer": ("init",),
    "value": ("val", "v", "arr", "init", "s"),
    "values": ("v", "arr", "values"),
    "input": ("x", "xs"),
    "inputs": ("xs", "es"),
    "index": ("index", "v", "i", "idx"),
    "indices": ("indices", "vs"),
    "path": ("fname", "basename"),
    "filename": ("fname", "basename"),
    "file": ("fname", "basename"),
    "threshold": ("thr",),
}


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _unknown(name: str, keyword: str, names: Sequence[str]) -> str:
    """What to say of a keyword that a function does not have."""
    if not names:
        return f"{name}: the keyword {keyword} was given; it takes no arguments"
    from dynet import nn
    from dynet.nn.elsewhere import KEYWORDS

    if keyword in KEYWORDS and name in nn.__all__:
        return f"{name}: the keyword {keyword} was given; {KEYWORDS[keyword]}"
    meant = [known for known in _CALLED.get(keyword, ()) if known in names]
    if not meant or not keyword.startswith("beta"):
        meant = meant[:1] or difflib.get_close_matches(keyword, names, n=1)
    hint = f"it is called {_listed(meant)} here; " if meant else ""
    keywords = "keyword is" if len(names) == 1 else "keywords are"
    return f"{name}: the keyword {keyword} was given; {hint}the {keywords} {_listed(names)}"


# What is needed, by the annotation that nanobind writes.
_NEEDED = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "a truth",
    "collections.abc.Iterable[Expression]": "a list of expressions",
    "collections.abc.Iterable[Expression] | Expression": "a list of expressions",
    "collections.abc.Iterable[int]": "a list of whole numbers",
    "collections.abc.Sequence[int]": "a list of whole numbers",
    "str | os.PathLike": "a path",
    "numpy.typing.ArrayLike": "an array or a list of numbers",
    "collections.abc.Mapping": "a dictionary",
    "collections.abc.Iterable": "a list",
    "dict[str, int]": "a dictionary of words and numbers",
}


def _alternatives(annotation: str) -> list[str]:
    return [part.strip() for part in annotation.split("|")]


def _is_number(value: object) -> bool:
    if isinstance(value, _dynet.Expression | str | bytes) or bool(getattr(value, "ndim", None)):
        return False
    return hasattr(value, "__float__") or hasattr(value, "__index__")


def _fits(annotation: str, value: object) -> bool:
    """Whether a value may be what one part of an annotation says; true where that cannot be told."""
    if value is None or annotation == "None":
        return value is None and annotation in ("None", "object", "Any", "typing.Any")
    if annotation in ("int", "float"):
        return _is_number(value)
    if annotation == "str":
        return isinstance(value, str)
    if annotation == "os.PathLike":
        return hasattr(value, "__fspath__")
    if annotation.startswith("collections.abc."):
        return hasattr(value, "__iter__") and not isinstance(value, str | _dynet.Expression)
    if annotation.startswith("dict"):
        return isinstance(value, dict)
    kind = getattr(_dynet, annotation.rpartition(".")[2], None)
    return isinstance(value, kind) if isinstance(kind, type) else True


def _needed(annotation: str) -> str:
    whole = annotation.removesuffix(" | None")
    if whole in _NEEDED:
        return _NEEDED[whole]
    parts = [_NEEDED.get(part) or _class_needed(part) for part in _alternatives(whole)]
    return " or ".join(parts)


def _class_needed(annotation: str) -> str:
    name = annotation.rpartition(".")[2]
    return f"{'an' if name[:1] in 'AEIOU' else 'a'} {name}"


def _hint(name: str, annotation: str, value: object) -> str:
    if isinstance(value, _dynet.Expression):
        return ", as its value() is" if "int" in annotation or "float" in annotation else ""
    if annotation == "int" and hasattr(value, "__iter__") and hasattr(_dynet, f"{name}_batch"):
        return f"; {name}_batch takes several"
    if "Expression" in annotation and "Iterable" not in annotation:
        if _is_number(value) and not hasattr(value, "__len__"):
            return ", as scalarInput makes one of a number"
        if hasattr(value, "__array__") or isinstance(value, list | tuple):
            return ", as inputTensor makes one of numbers"
    return ""


def _meant_for(name: str, argument: str, value: object) -> str:
    """The other argument or function that DyNet 2 or its users had in this place."""
    if (name, argument) == ("log_softmax", "restrict") and _is_number(value):
        return f", or d={value} for an axis"
    if (name, argument) == ("save", "name") and not isinstance(value, str | bytes):
        return "; dynet.save saves lists of objects"
    return ""


def explain(function: Any, args: Sequence[object], keywords: Mapping[str, object]) -> str:
    """What is wrong with arguments that a function of the extension refuses, and what would be right."""
    name, given = function.__name__, list(args)
    for place, each in enumerate((*given, *keywords.values())):
        if not _dynet._is_made(each) and not (place == 0 and name in ("__init__", "__new__")):
            return f"{name}: {_dynet._a_kind(each)} was given whose super().__init__() was not called"
    parameters = list(signature_of(function).parameters.values())
    if parameters and parameters[0].name in ("self", "cls"):
        if not given:
            return f"{name}: it is called without an object"
        if name in ("__init__", "__call__"):
            name = type(given[0]).__name__
        elif name == "__new__":
            name = str(getattr(given[0], "__name__", name))
        parameters, given = parameters[1:], given[1:]
    return misfit(name, inspect.Signature(parameters), given, keywords)


def misfit(
    name: str, signature: inspect.Signature, given: list[object], keywords: Mapping[str, object]
) -> str:
    """The same for what a function of this name and signature was given."""
    parameters = list(signature.parameters.values())
    names = [p.name for p in parameters if p.kind is _POSITIONAL]
    named = [p.name for p in parameters if p.kind in (_POSITIONAL, inspect.Parameter.KEYWORD_ONLY)]
    takes_all = len(named) < len(parameters)
    for keyword in keywords:
        if keyword not in named and not takes_all:
            return _unknown(name, keyword, named)
    if len(given) > len(names) and not takes_all:
        takes = f"{len(names)}: {_listed(names)}" if names else "none"
        if named != names:
            takes += f"; {_listed(named[len(names) :])} are given by name"
        count = "1 argument was" if len(given) == 1 else f"{len(given)} arguments were"
        return f"{name}: {count} given; it takes {takes}"
    for twice in [n for n in names[: len(given)] if n in keywords]:
        return f"{name}: {twice} was given twice, by its place and by its name"
    values = {**dict(zip(names, given, strict=False)), **keywords}
    needed = [p.name for p in parameters if p.name in named and p.default is inspect.Parameter.empty]
    missing = [each for each in needed if each not in values]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        return f"{name}: {_listed(missing)} {verb} missing; it is called as {name}{_plain(signature)}"
    for parameter in parameters:
        annotation = str(parameter.annotation)
        value = values.get(parameter.name, parameter.default)
        if parameter.name in values and not any(_fits(part, value) for part in _alternatives(annotation)):
            right = f"{_needed(annotation)} is needed{_hint(name, annotation, value)}"
            right += _meant_for(name, parameter.name, value)
            return f"{name}: {parameter.name} is {_dynet._a_kind(value)}; {right}"
    kinds = _listed([_dynet._a_kind(value) for value in values.values()]) if values else "nothing"
    verb = "were" if len(values) > 1 else "was"
    return f"{name}: {kinds} {verb} given; it is called as {name}{_plain(signature)}"


def _plain(signature: inspect.Signature) -> str:
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def no_expression(name: str, position: int, value: object) -> str:
    """What is wrong with an argument, by its position, that should be an expression."""
    right = f"an Expression is needed{_hint(name, 'Expression', value)}"
    return f"{name}: argument {position} is {_dynet._a_kind(value)}; {right}"


def explain_python(function: Any, args: Sequence[object], keywords: Mapping[str, object]) -> str:
    """The same for a function, or the __init__ of a class, of Python."""
    given, name = list(args), function.__name__
    signature = inspect.signature(function)
    if next(iter(signature.parameters), "") in ("self", "cls"):
        thing = given.pop(0)
        name = type(thing).__name__ if name == "__init__" else name
        signature = signature.replace(parameters=list(signature.parameters.values())[1:])
    return misfit(name, signature, given, keywords)
