"""Calls every public name with hostile arguments; what came of it but an error or a value is wrong."""

from __future__ import annotations

import ast
import contextlib
import pickle
import re
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from fuzz.hostile import BoomError, made

import dynet as dy

EXPECTED = (TypeError, ValueError, IndexError, RuntimeError, OSError, MemoryError, BoomError, Warning)
EXPECTED += (pickle.UnpicklingError, OverflowError, np.ma.MaskError)
# Texts that say nothing to a program's writer.
EMPTY_TEXT = re.compile(r"std::|bad_cast|bad_alloc|^$|\bbasic_string\b|vector::|_M_")

# Names that cannot be tried: they change the process, or are Python's.
SKIPPED = {"init", "init_from_params", "DynetParams.init", "DynetParams.from_args"}
PYTHONS = {"DeviceInfo"}  # A named tuple: its members are Python's.
OPERATORS = [
    *("__add__", "__sub__", "__mul__", "__truediv__", "__pow__", "__neg__", "__radd__", "__rsub__"),
    *(
        "__rmul__",
        "__rpow__",
        "__rtruediv__",
        "__getitem__",
        "__array__",
        "__len__",
        "__call__",
        "__dlpack__",
    ),
    *("__eq__", "__hash__", "__repr__", "__enter__", "__exit__", "__iter__", "__bool__"),
]


class World:
    """What calls are made in: a graph, a model, a trainer, and expressions that may not be used any more."""

    def __init__(self) -> None:
        self.changed = False
        self.kept: list[Any] = []
        self.kind = ""  # The class whose member is called.
        dy.renew_cg()
        self.stale = dy.inputVector([1, 2, 3])
        dy.renew_cg()
        self.graph = dy.ComputationGraph()
        with self.graph:
            self.other = dy.inputVector([1, 2, 3])
        self.model = dy.ParameterCollection()
        self.parameters = [
            self.model.parameters_from_numpy(np.arange(12.0).reshape(3, 4)),
            self.model.parameters_from_numpy(np.ones(3)),
        ]
        self.table = self.model.lookup_parameters_from_numpy(np.arange(15.0).reshape(5, 3))
        self.foreign = dy.ParameterCollection().add_parameters(3, init=1.0)
        self.trainer = dy.SimpleSGDTrainer(self.model)
        self.x = dy.inputVector([0.1, 0.2, 0.3])
        self.matrix = dy.inputTensor(np.linspace(0.1, 1, 12).reshape(3, 4))
        self.image = dy.inputTensor(np.linspace(0.1, 1, 24).reshape(4, 3, 2))
        self.batch = dy.inputTensor(np.linspace(0.1, 1, 6).reshape(3, 2), batched=True)
        dy.cg_checkpoint()
        self.removed = dy.tanh(self.x)
        dy.cg_revert()
        dy.cg_checkpoint()
        self.marks = 1
        self.y = dy.tanh(self.x)
        self.things: list[Any] = [self.x, self.y]

    def numbers(self) -> list[bytes]:
        """The bits of the model."""
        learned = [*self.parameters, self.table]
        return [a.tobytes() for p in learned for a in (p.as_array(), p.grad_as_array())]


def parameters_of(function: Any) -> list[str]:
    """The names of its arguments, of the first signature where there are several."""
    code = getattr(function, "__code__", None) or getattr(
        getattr(function, "__init__", None), "__code__", None
    )
    if code is not None:
        return [n for n in code.co_varnames[: code.co_argcount] if n not in ("self", "cls")]
    signatures = getattr(function, "__nb_signature__", None)
    if not signatures:
        return ["value"]
    text = re.sub(r"\\(\d+)", r"\1", signatures[0][0])
    arguments = ast.parse(f"{text}: ...").body[0].args  # type: ignore[attr-defined]
    names = [a.arg for a in [*arguments.posonlyargs, *arguments.args] if a.arg != "self"]
    return names or ([arguments.vararg.arg] if arguments.vararg else [])


def good(name: str, world: World) -> Any:
    """An argument of this name that is as it should be."""
    table: dict[str, Callable[[], Any]] = {
        **dict.fromkeys(["xs", "exprs", "es", "exps", "vecs"], lambda: [world.x, world.y]),
        **dict.fromkeys(["dim", "d", "shape"], lambda: (3,)),
        **dict.fromkeys(["model", "pc", "m", "parent", "params"], lambda: world.model),
        **dict.fromkeys(["v", "idx", "index", "i", "row", "num", "layers", "num_layers", "c"], lambda: 1),
        **dict.fromkeys(["vs", "indices", "rs", "cs", "rows", "updated_params"], lambda: [1, 0]),
        **dict.fromkeys(["p", "learning_rate", "rate", "f", "s", "val", "scale", "std", "left"], lambda: 0.3),
        **dict.fromkeys(["input_dim", "hidden_dim", "num_classes", "dim1", "size"], lambda: 3),
        **dict.fromkeys(["fname", "filename", "basename", "file"], lambda: "file"),
        **dict.fromkeys(["key", "name", "device_str", "device"], lambda: ""),
        **dict.fromkeys(["forward", "backward", "function"], lambda: lambda *xs: xs[0]),
        "cluster_file": lambda: "clusters.txt",
        "expression_names": dict,
        "spec": lambda: instance(world.kind, world).spec,
        "dic": lambda: {f"w{i}": i for i in range(4)},
        "gradient_mode": lambda: "zero_gradient",
        "policy": lambda: "agenda",
        "rnn_builder_factory": lambda: dy.GRUBuilder,
        "arr": lambda: np.ones((3, 4)),
        "array": lambda: np.ones((3, 4)),
        "stride": lambda: [1, 1],
        "x": lambda: world.x,
        "r": lambda: 2,
        "right": lambda: 0.9,
        "e": lambda: world.x,
        "w": lambda: world.matrix,
        "objects": lambda: world.parameters,
        "states": lambda: [dy.GRUBuilder(1, 3, 3, world.model).initial_state()],
    }
    return table.get(name, lambda: world.y)()


def instance(kind: str, world: World) -> Any:
    """An object of a class."""
    builder = dy.GRUBuilder
    special: dict[str, Callable[[], Any]] = {
        "Expression": lambda: world.x,
        "Parameters": lambda: world.parameters[0],
        "LookupParameters": lambda: world.table,
        "ComputationGraph": dy.cg,
        "Tensor": lambda: world.x.tensor_value(),
        "RNNState": lambda: builder(1, 3, 3, world.model).initial_state(),
        "StackedRNNState": lambda: dy.StackedRNNState([builder(1, 3, 3, world.model).initial_state()]),
        "Trainer": lambda: world.trainer,
        "SoftmaxBuilder": lambda: dy.StandardSoftmaxBuilder(3, 4, world.model),
        "StandardSoftmaxBuilder": lambda: dy.StandardSoftmaxBuilder(3, 4, world.model),
        "ClassFactoredSoftmaxBuilder": lambda: dy.ClassFactoredSoftmaxBuilder(
            3, "clusters.txt", good("dic", world), world.model
        ),
        "HierarchicalSoftmaxBuilder": lambda: dy.HierarchicalSoftmaxBuilder(
            3, "clusters.txt", good("dic", world), world.model
        ),
        "Function": lambda: dy.Function(lambda x: x, lambda x, y, d: [d]),
        "cell": lambda: dy.cell(dy.tanh),
        "BiRNNBuilder": lambda: dy.BiRNNBuilder(1, 3, 4, world.model, builder),
        "NaryTreeLSTMBuilder": lambda: dy.NaryTreeLSTMBuilder(2, 1, 3, 3, world.model),
        "DeviceInfo": lambda: dy.get_device_info("CPU"),
        "inputTensorTranspose": lambda: dy.inputTensorTranspose([1, 2, 3]),
        "FloatVectorValue": lambda: dy.FloatVectorValue([1.0]),
        "UnsignedVectorValue": lambda: dy.UnsignedVectorValue([1]),
    }
    if kind in special:
        return special[kind]()
    made_of = getattr(dy, kind)
    if "Trainer" in kind:
        return made_of(world.model)
    if "LSTM" in kind or "RNN" in kind or "GRU" in kind:
        return made_of(1, 3, 3, world.model)
    return made_of()


def targets() -> list[tuple[str, str, list[str]]]:
    """Every public call: its class or "", its name, and the names of its arguments."""
    found = []
    for name in dy.__all__:
        thing = getattr(dy, name)
        if callable(thing) and name not in SKIPPED:
            own = thing.__init__ if isinstance(thing, type) and thing.__module__ == "dynet._dynet" else thing
            found.append(("", name, parameters_of(own)))
        if isinstance(thing, type) and not issubclass(thing, Warning) and name != "PyInitializer":
            if thing.__module__.startswith("dynet._dynet") and name.endswith("Initializer"):
                continue
            if name in PYTHONS:
                continue
            members = [m for m in dir(thing) if not m.startswith("_") and hasattr(thing, m)] + [
                m for m in OPERATORS if m in dir(thing)
            ]
            for member in members:
                if f"{name}.{member}" not in SKIPPED:
                    found.append((name, member, parameters_of(getattr(thing, member))))
    return found


TARGETS = targets()


def prepare() -> None:
    """The file that layers read, and no more memory than a careless size may ask for."""
    Path("clusters.txt").write_text("".join(f"{i % 2} w{i}\n" for i in range(4)))
    if "libasan" not in Path("/proc/self/maps").read_text():
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))


def restore_settings() -> None:
    """What calls may rightly change of the process."""
    dy.set_num_threads(1)
    dy.set_batching_policy("agenda")
    dy.set_instruction_set(dy.instruction_sets()[-1])
    dy.reset_random_seed(1)


def use(result: Any) -> None:
    """Results are used: an expression is evaluated and differentiated."""
    if isinstance(result, dy.Expression) and np.prod(result.dim()[0]) * result.dim()[1] < 1e7:
        result.npvalue()
        dy.sum_batches(dy.sum_elems(result)).backward()
    elif isinstance(result, list | tuple):
        for each in result[:3]:
            use(each)


def attempt(target: int, position: int, world: World, hostile: Any) -> str:
    """What is wrong with one call, or nothing."""
    kind, name, arguments = TARGETS[target]
    size, before = len(dy.cg()), world.numbers()
    in_call = True
    world.kind = kind
    try:
        owner = instance(kind, world) if kind else dy
        size, before = len(dy.cg()), world.numbers()
        values = {each: good(each, world) for each in arguments}
        size, before = len(dy.cg()), world.numbers()
        if arguments:
            values[arguments[position % len(arguments)]] = hostile
        function = getattr(owner, name)
        if not callable(function):
            with contextlib.suppress(AttributeError):  # Not all can be set.
                setattr(owner, name, hostile)
            return ""
        by_name = position >= len(arguments) and not name.startswith("__")
        result = function(**values) if by_name else function(*values.values())
        in_call = False
        use(result)
    except EXPECTED as error:
        if EMPTY_TEXT.search(str(error)) and not isinstance(error, BoomError):
            return f"an error that says nothing: {type(error).__name__}: {error}"
        if isinstance(error, OverflowError) and not (kind or name).startswith("Unsigned"):
            return f"an error of an unexpected kind: OverflowError: {error}"
        # The items of an expression are new nodes.
        changes = world.changed or isinstance(hostile, dy.Expression)
        if in_call and not changes and (len(dy.cg()), world.numbers()) != (size, before):
            return f"it failed, and changed the graph or the model: {type(error).__name__}: {error}"
    except BaseException as error:
        return f"an error of an unexpected kind: {type(error).__name__}: {error}"
    return ""


def sentinel() -> list[Any]:
    """What a small program sees, in bits."""
    dy.renew_cg()
    model = dy.ParameterCollection()
    w = model.parameters_from_numpy(np.linspace(-1, 1, 12).reshape(3, 4))
    x = dy.inputVector([0.1, 0.2, 0.3, 0.4])
    y = dy.softmax(dy.tanh(w * x) + dy.random_normal(3))
    loss = dy.squared_norm(y)
    loss.backward()
    return [y.value(), loss.value(), w.grad_as_array().tolist(), len(dy.cg())]


# Every call with one hostile argument, by position and by name, has a number.
PLACES = [(t, p) for t, (_, _, arguments) in enumerate(TARGETS) for p in range(max(1, 2 * len(arguments)))]
ARGUMENTS = list(made(None))


def try_call(number: int) -> str:
    """What is wrong with a call and with what comes after it, or nothing."""
    target, position = PLACES[number // len(ARGUMENTS)]
    argument = ARGUMENTS[number % len(ARGUMENTS)]
    world = World()
    with contextlib.redirect_stdout(None):
        problem = attempt(target, position, world, made(world)[argument]())
    restore_settings()
    if not problem and (found := sentinel()) != EXPECTED_BITS[0]:
        problem = f"a program gives {found} afterwards, not {EXPECTED_BITS[0]}"
    return f"{number}: {describe(target, position)}({argument}): {problem}"[:700] if problem else ""


EXPECTED_BITS: list[Any] = []


def answer(numbers: list[int] | None) -> Any:
    """What is wrong with these calls; without a list, how many there are."""
    if numbers is None:
        return len(PLACES) * len(ARGUMENTS)
    prepare()
    restore_settings()
    if not EXPECTED_BITS:
        EXPECTED_BITS.append(sentinel())
    return [problem for number in numbers if (problem := try_call(number))]


def describe(target: int, position: int) -> str:
    kind, name, arguments = TARGETS[target]
    which = arguments[position % len(arguments)] if arguments else "nothing"
    return (
        f"{kind + '.' if kind else ''}{name}, {which}{' by name' if position >= len(arguments) > 0 else ''}"
    )


if __name__ == "__main__":
    for problem in answer([int(number) for number in sys.argv[1:]]):
        print(problem)
