"""What the package offers: its public names, where each is declared, what it takes and what is said of it.

Nothing is listed by hand. Operations are declared in dynet/ops, classes and functions of the extension in
python/src, the others in python/dynet; a module of the package is public if it has __all__.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import dynet
from dynet import explanation, renamed

ROOT = Path(__file__).resolve().parent.parent
OPERATION = re.compile(r'static constexpr auto\s+name = "(\w+)"')
BOUND = re.compile(r'\bm(?:\.def\(|,)\s*"(\w+)"')
LITERAL = re.compile(r'"(\w+)"')
PREFIXES = re.compile(
    r"\b(?:dynet\._dynet|dynet\.\w+|collections\.abc|numpy\.typing|typing|types|os)\.(?=\w)"
)
SHOWN_SPECIAL = ("__call__", "__getitem__", "__setitem__", "__iter__", "__enter__")


class Name(NamedTuple):
    """A public name. The members of a class are names as well."""

    name: str
    kind: str  # function, class, method, classmethod, staticmethod, property, data
    signatures: list[str]  # from the bracket on, one for each overload
    text: str
    file: str  # from the root of the repository on; members have that of their class
    bases: list[str]
    members: list[Name]


Known: TypeAlias = "dict[str, list[Name]]"  # the names of each module


def modules() -> dict[str, Any]:
    """The package and its public modules, by name."""
    found = {"dynet": dynet}
    for module in pkgutil.iter_modules(dynet.__path__, "dynet."):
        if not module.name.rpartition(".")[2].startswith("_"):
            loaded = importlib.import_module(module.name)
            if hasattr(loaded, "__all__"):
                found[module.name] = loaded
    found["dynet_config"] = importlib.import_module("dynet_config")
    return found


def names_of(module: Any) -> list[Name]:
    """The public names of a module, in alphabetical order, and the classes that they share as bases."""
    listed = getattr(module, "__all__", None)
    if listed is None:
        listed = [name for name, value in vars(module).items() if _is_own(module, name, value)]
    found = {name: named(name, getattr(module, name), module) for name in listed}
    for base in [base for name in listed for base in _bases(getattr(module, name))]:
        if base.__name__.startswith("_"):
            found[base.__name__] = named(base.__name__, base, module)
    return [found[name] for name in sorted(found, key=str.lower)]


def _bases(value: Any) -> list[type]:
    """The classes of the package that a class is made from, and has something to tell of."""
    bases = value.__bases__ if isinstance(value, type) else ()
    return [base for base in bases if base.__module__.partition(".")[0] == "dynet" and _has_members(base)]


def _has_members(base: type) -> bool:
    return not base.__name__.startswith("_") or any(not name.startswith("_") for name in vars(base))


def _lineage(value: type, module: Any) -> tuple[list[type], list[str]]:
    """The class with those bases that have no public name, whose members are its own here; other bases."""
    shown, bases = [value], []
    for base in _bases(value):
        name = base.__name__
        if name.startswith("_") or getattr(module, name, None) is base:
            bases.append(name)
        else:
            further, others = _lineage(base, module)
            shown, bases = shown + further, bases + others
    return shown, bases


def _is_own(module: Any, name: str, value: Any) -> bool:
    return not name.startswith("_") and getattr(value, "__module__", None) == module.__name__


def named(name: str, value: Any, module: Any) -> Name:
    """What is known of an object that is public under a name."""
    file = file_of(name, value, module)
    if isinstance(value, type):
        shown, bases = _lineage(value, module)
        own = {key: each for kind in reversed(shown) for key, each in vars(kind).items()}
        members = [member for key, each in own.items() if (member := _member(key, each, value, file))]
        members.sort(key=lambda member: (member.kind != "property", member.name))
        constructor = [] if value.__name__.startswith("_") else _signatures(value)
        return Name(name, "class", constructor, _text(value), file, bases, members)
    if callable(value):
        return Name(name, "function", _signatures(value), _text(value), file, [], [])
    return Name(name, "data", [], "", file, [], [])


def _member(key: str, own: Any, owner: type, file: str) -> Name | None:
    if (key.startswith("_") and key not in SHOWN_SPECIAL) or type(own) is renamed._Missing:
        return None
    if isinstance(own, (property, functools.cached_property)) or type(own).__name__ == "_tuplegetter":
        kind, value, signatures = "property", own, []
    elif isinstance(own, (classmethod, staticmethod)):
        kind, value = type(own).__name__, getattr(owner, key)
        signatures = _signatures(value)
    elif type(own).__name__ == "nb_func":
        kind, value, signatures = "staticmethod", own, _signatures(own)
    elif callable(own) and not type(own).__name__.endswith("wrapper_descriptor"):
        kind, value, signatures = "method", own, [_without_self(text) for text in _signatures(own)]
    else:
        return None
    text = _text(value)
    return Name(key, kind, signatures, text, file, [], []) if text or not key.startswith("_") else None


def _without_self(signature: str) -> str:
    return re.sub(r"^\(self(?:: [^,)]*)?(?:, )?", "(", signature)


def _signatures(value: Any) -> list[str]:
    """What a call takes and gives, for each overload."""
    overloads = getattr(value, "__nb_signature__", None)
    if isinstance(overloads, tuple):
        return [_shown(explanation._parsed(text, defaults or ())) for text, _, defaults in overloads]
    try:
        return [_shown(inspect.signature(value), with_result=not isinstance(value, type))]
    except (TypeError, ValueError):
        return []


def _shown(signature: inspect.Signature, with_result: bool = True) -> str:
    """A signature as people write it: types without the modules that they come from."""
    parameters = [each.replace(annotation=_type(each.annotation)) for each in signature.parameters.values()]
    result = _type(signature.return_annotation) if with_result else inspect.Signature.empty
    text = str(inspect.Signature(parameters, return_annotation=result))
    return re.sub(r"(?<=: )'([^']*)'|(?<=-> )'([^']*)'", lambda match: match[1] or match[2], text)


def _type(annotation: Any) -> Any:
    if annotation is inspect.Parameter.empty:
        return annotation
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return PREFIXES.sub("", text.replace("'", '"'))


def _text(value: Any) -> str:
    """The docstring, without the signatures with which those of the extension begin."""
    text = inspect.cleandoc(value.__doc__ or "")
    overloads = getattr(value, "__nb_signature__", None)
    if isinstance(overloads, tuple):
        return next((inspect.cleandoc(said) for _, said, _ in overloads if said), "")
    first, _, rest = text.partition("\n\n")
    if isinstance(value, property) and re.match(r"^\w*\(self\b.*\) -> ", first):
        return rest
    if "Create and return a new object" in first or text.startswith("Alias for field number"):
        return ""
    return text


@functools.cache
def _declared() -> tuple[dict[str, str], dict[str, str], dict[str, set[str]]]:
    """The files of operations, of what is bound by a literal name, and of all literals of the bindings."""
    operations, bound, literals = {}, {}, {}
    for header in sorted((ROOT / "dynet" / "ops").glob("*.h")):
        for name in OPERATION.findall(header.read_text(encoding="utf-8")):
            operations[name] = header.relative_to(ROOT).as_posix()
    for source in sorted((ROOT / "python" / "src").glob("*.cc")):
        text, file = source.read_text(encoding="utf-8"), source.relative_to(ROOT).as_posix()
        bound.update(dict.fromkeys(BOUND.findall(text), file))
        for name in LITERAL.findall(text):
            literals.setdefault(name, set()).add(file)
    return operations, bound, literals


def file_of(name: str, value: Any, module: Any) -> str:
    """Where a public name is declared."""
    operations, bound, literals = _declared()
    home = getattr(value, "__module__", None)
    if home == "dynet._dynet" and module.__name__ != "dynet":
        home = module.__name__  # Another name for what the package has, as dynet.optim.Adam.
    if home == "dynet._dynet":
        own = getattr(value, "__name__", name)
        if not isinstance(value, type) and own in operations:
            return operations[own]
        if own in bound:
            return bound[own]
        if isinstance(value, type) and value.__base__.__module__ == home:
            return file_of(value.__base__.__name__, value.__base__, module)
        (file,) = literals[own]
        return file
    if home is None or home == "builtins":
        home = module.__name__
    path = Path(inspect.getfile(importlib.import_module(home))).name
    folders = home.split(".")
    inside = folders if path == "__init__.py" else folders[:-1]
    return "/".join(["python", *inside, path])


def by_module() -> Known:
    """All public names. They are the same for all pages of a run."""
    return {name: names_of(module) for name, module in modules().items()}


def chosen(arguments: list[str], without: list[str], known: Known) -> list[tuple[str, Name]]:
    """The names that are meant, each with its module; ValueError for an argument that means none."""
    found = []
    for argument in arguments:
        meant = [
            (module, each)
            for module, names in known.items()
            for each in names
            if argument in (each.file, module, each.name if module == "dynet" else f"{module}.{each.name}")
            and each.name not in without
        ]
        if not meant:
            raise ValueError(f"{argument} is no public name, nor a module or file that has any")
        bases = {base for _, each in meant for base in each.bases}
        found += sorted(meant, key=lambda pair: pair[1].name not in bases)
    missing = set(without) - {each.name for names in known.values() for each in names}
    if missing:
        raise ValueError(f"{', '.join(sorted(missing))}: no public name")
    return found


def misplaced(on_pages: list[str], known: Known) -> str:
    """What is wrong with the names on pages: each public name is to be on one. Nothing if all is well."""
    every = {f"{module}.{each.name}" for module, names in known.items() for each in names}
    missing, twice = sorted(every - set(on_pages)), sorted({n for n in on_pages if on_pages.count(n) > 1})
    wrong = [f"on no page of the reference: {', '.join(missing)}"] if missing else []
    return "; ".join(wrong + ([f"on two pages of the reference: {', '.join(twice)}"] if twice else []))
