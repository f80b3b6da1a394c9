"""dy.export.onnx: a graph, or what a function makes, as an ONNX model."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from dynet import _dynet
from dynet._dynet import ComputationGraph, Expression, LookupParameters
from dynet.arguments import told
from dynet.export import onnx_attention, onnx_selections  # noqa: F401  They add emitters.
from dynet.export.files import Array
from dynet.export.onnx_builder import FLOAT, Builder, FixedBatchError, Step, Value
from dynet.export.onnx_files import add_inside, check, write_with_data
from dynet.export.onnx_operations import EMITTERS
from dynet.export.packages import package

Outputs: TypeAlias = Expression | Sequence[Expression] | Mapping[str, Expression]
Path: TypeAlias = str | os.PathLike[str]
LEAST_OPSET = 18
LARGEST_FILE = 2**31 - 2**24  # protobuf's limit, with room for the nodes
RANDOM = ("random_normal", "random_uniform", "random_bernoulli", "random_gumbel", "noise")
#: How the operations of dy.structured begin.
STRUCTURES = (
    "alignment_",
    "assignment_",
    "binary_tree_",
    "ctc_",
    "edits_",
    "linear_chain_",
    "projective_tree_",
    "segments_",
    "spanning_tree_",
)
# ONNX has nothing that these could be made of.
UNSUPPORTED = (
    "lgamma",
    "inverse",
    "constrained_softmax",
    *(name for name in _dynet.ops() if name.startswith(STRUCTURES)),
)


@dataclass
class Input:
    """An input of the model: nodes of the graph that it is, side by side if it is a list."""

    name: str
    nodes: list[Any]
    is_list: bool
    table: LookupParameters | None  # of which it has row numbers

    @property
    def batch(self) -> int:
        return int(self.nodes[0].batch_size)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Those behind the batch."""
        own = () if self.table is not None else tuple(self.nodes[0].shape)
        return (len(self.nodes), *own) if self.is_list else own


def _warn(text: str) -> None:
    """At the line of the program that has called the package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("dynet."):
        frame, level = frame.f_back, level + 1
    warnings.warn(f"onnx: {text}", stacklevel=level)


def _check_name(name: object, what: str) -> str:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        raise ValueError(f"{what} has the name {name!r}; letters, digits and _ are possible, as ONNX has it")
    return name


def _named_outputs(outputs: Any) -> dict[str, Expression]:
    if isinstance(outputs, Mapping):
        named = dict(outputs)
    elif isinstance(outputs, Sequence):
        named = {f"output_{i}": each for i, each in enumerate(outputs)}
    else:
        named = {"output": outputs}
    for name, each in named.items():
        _check_name(name, "an output")
        if not isinstance(each, Expression):
            raise TypeError(f"{name} is {_dynet._a_kind(each)}; an expression is needed")
    if not named:
        raise ValueError("outputs is empty; at least one expression is needed")
    return named


def _graph_of(name: str, expression: Expression) -> tuple[ComputationGraph, int]:
    graph, index = _dynet._graph_of(expression)
    if graph is None:
        raise ValueError(f"{name} is a parameter that no graph uses; there is nothing to compute")
    return graph, index


class Walk:
    """The part of a graph that is exported."""

    def __init__(self, outputs: Mapping[str, Expression], inputs: Mapping[str, Any]) -> None:
        self.graph = _graph_of(*next(iter(outputs.items())))[0]
        self.nodes: list[Any] = self.graph.nodes()
        self.outputs = {name: self._index(each, name) for name, each in outputs.items()}
        self.inputs = [self._input(name, given) for name, given in inputs.items()]
        self.places: dict[int, tuple[Input, int]] = {}
        for each in self.inputs:
            for i, node in enumerate(each.nodes):
                if node.index in self.places:
                    raise ValueError(f"{each.name}: {node!r} is an input already")
                self.places[node.index] = each, i
        self.needed = self._needed()

    def _index(self, expression: Expression, name: str) -> int:
        graph, index = _graph_of(name, expression)
        if graph.version() != self.graph.version():
            raise ValueError(f"{name} is an expression of another graph; all must be of one")
        return index

    def _input(self, name: str, given: Any) -> Input:
        _check_name(name, "an input")
        is_list = isinstance(given, list | tuple)
        expressions = list(given) if is_list else [given]
        for each in expressions:
            if not isinstance(each, Expression):
                kind = _dynet._a_kind(each)
                raise TypeError(f"{name} is {kind}; an expression, or a list of such, is needed")
        if not expressions:
            raise ValueError(f"{name} is an empty list; at least one expression is needed")
        nodes = [self.nodes[self._index(each, name)] for each in expressions]
        tables = [node.parameter if node.operation == "lookup" else None for node in nodes]
        alike = {(node.shape, node.batch_size, node.operation == "lookup") for node in nodes}
        if len(alike) > 1 or any(table != tables[0] for table in tables[1:]):
            raise ValueError(
                f"{name}: the expressions of a list must have one shape, and be of one table or none"
            )
        return Input(name, nodes, is_list, tables[0])

    def _needed(self) -> list[int]:
        """What the outputs depend on, as far as the inputs, in the order of the graph."""
        found: set[int] = set()
        open_ = list(self.outputs.values())
        while open_:
            index = open_.pop()
            if index not in found:
                found.add(index)
                if index not in self.places:
                    open_ += self.nodes[index].arguments
        for each in self.inputs:
            if not any(node.index in found for node in each.nodes):
                _warn(f"no output depends on the input {each.name}")
        return sorted(found)


class Converter:
    """Turns the nodes of a walk into those of ONNX."""

    def __init__(self, walk: Walk, helper: Any, dynamic: bool) -> None:
        self.walk, self.dynamic = walk, dynamic
        reserved = [*walk.outputs, *(each.name for each in walk.inputs)]
        if len({*reserved}) < len(reserved):
            raise ValueError("the names of inputs and outputs must differ")
        self.builder = Builder(helper, dynamic, reserved)
        self.values: dict[int, Value] = {}
        self.tables: dict[LookupParameters, str] = {}
        largest = max((each.batch for each in walk.inputs), default=1)
        # Inputs without a batch beside some that have one stay without.
        self.batches = {
            each.name: None if dynamic and each.batch == largest else each.batch for each in walk.inputs
        }

    def convert(self) -> None:
        for index in self.walk.needed:
            node = self.walk.nodes[index]
            self.builder.enter(f"v{index}")
            if index in self.walk.places:
                self.values[index] = self._input(node, *self.walk.places[index])
            elif node.operation in ("parameter", "input", "input_from_memory", "constant", "lookup"):
                self.values[index] = self._stored(node)
            else:
                self.values[index] = self._computed(node)

    def _input(self, node: Any, given: Input, place: int) -> Value:
        name: str = given.name
        if given.is_list:
            name = self.builder.emit("Gather", name, self.builder.constant(place, np.int64), axis=1)
        if given.table is not None:
            name = self.builder.emit("Gather", self._table(given.table), name, axis=0)
        return Value(tuple(node.shape), self.batches[given.name], name)

    def _table(self, table: LookupParameters) -> str:
        if table not in self.tables:  # Not by name: tables of two collections may have the same.
            rows = np.asarray(table.as_array(), FLOAT)
            self.tables[table] = self.builder.initializer(table.name(), rows)
        return self.tables[table]

    def _stored(self, node: Any) -> Value:
        """Numbers that do not depend on the inputs."""
        shape, batch = tuple(node.shape), node.batch_size
        wanted = node.parameter.name() if node.operation == "parameter" else f"v{node.index}_{node.operation}"
        # Parameters as they are now: the graph may have computed with earlier values, and keeps those.
        if node.operation == "parameter":
            numbers = np.asarray(node.parameter.as_array(), FLOAT)
        elif node.operation == "lookup":
            numbers = np.asarray(node.parameter.rows_as_array(list(node.indices)), FLOAT)
        else:
            numbers = np.asarray(node.value(), FLOAT)
            numbers = np.moveaxis(numbers.reshape(*shape, batch), -1, 0)
        if batch == 1:
            return Value(shape, 1, natural=self.builder.initializer(wanted, numbers.reshape(shape)))
        if self.dynamic:
            raise FixedBatchError(repr(node))
        return Value(shape, batch, self.builder.initializer(wanted, np.ascontiguousarray(numbers)))

    def _computed(self, node: Any) -> Value:
        xs = [self.values[i] for i in node.arguments]
        batch = self._batch(node.batch_size, xs, repr(node))
        cell = _dynet._cell_steps(node.expression)
        if cell is not None:
            return self._cell(node, cell, xs, tuple(node.shape), batch)
        step = Step(
            node.operation,
            node.attributes,
            tuple(node.indices),
            tuple(node.shape),
            node.batch_size,
            _described(node),
            tuple(x.shape for x in xs),
        )
        return self._emitted(step, xs, batch)

    def _batch(self, size: int, xs: Sequence[Value], described: str) -> int | None:
        if any(x.batch is None for x in xs):
            return None
        if self.dynamic and size > 1:
            raise FixedBatchError(described)
        return size

    def _emitted(self, step: Step, xs: Sequence[Value], batch: int | None) -> Value:
        if step.operation not in EMITTERS:
            raise NotImplementedError(f"{step.described}: {_reason(step.operation)}")
        try:
            name = EMITTERS[step.operation](self.builder, step, xs)
        except NotImplementedError as error:
            raise NotImplementedError(f"{step.described}: {error}") from None
        return Value(step.shape, batch, name)

    def _cell(self, node: Any, cell: Any, xs: Sequence[Value], shape: tuple[int, ...], batch: Any) -> Value:
        """What a recorded cell computes, step by step; its values lie in memory one after another."""
        steps, pieces = cell
        values: list[Value] = []

        def of(source: tuple[bool, int, int], part: tuple[int, ...]) -> Value:
            is_step, index, offset = source
            return self._part((values if is_step else xs)[index], offset, part)

        for operation, attributes, sources, own_shape, inner in steps:
            arguments = [of(*source) for source in sources]
            own_batch = None if any(x.batch is None for x in arguments) else max(x.batch for x in arguments)  # type: ignore[type-var]
            if inner is not None:
                values.append(self._cell(node, inner, arguments, own_shape, own_batch))
                continue
            shapes = tuple(x.shape for x in arguments)
            step = Step(operation, attributes, (), own_shape, node.batch_size, _described(node), shapes)
            values.append(self._emitted(step, arguments, own_batch))
        parts = [of(source, (size,)) for source, size in pieces]
        names = self.builder.stretched([self.builder.name(p) for p in parts], parts, 1)
        whole = names[0] if len(names) == 1 else self.builder.emit("Concat", *names, axis=1)
        return Value(shape, batch, self.builder.unflattened(whole, shape))

    def _part(self, value: Value, offset: int, shape: tuple[int, ...]) -> Value:
        """Some of a tensor's numbers, in the order of memory."""
        if offset == 0 and value.shape == shape:
            return value
        size, builder = int(np.prod(shape)), self.builder
        name = builder.flat(value)
        if size < int(np.prod(value.shape)):
            bounds = builder.integers(offset), builder.integers(offset + size)
            name = builder.emit("Slice", name, *bounds, builder.integers(1))
        return Value(shape, value.batch, builder.unflattened(name, shape))


def _described(node: Any) -> str:
    """A node for messages, with the line of the program if it was recorded."""
    line = node.line
    return f"{node!r}" + (f" ({line.filename}, line {line.lineno})" if line else "")


def _reason(operation: str) -> str:
    if operation in RANDOM or "dropout" in operation or operation.endswith("_sample"):
        return (
            f"{operation} draws random numbers, which a model for use does not; build the graph without it "
            "(disable_dropout), or name its result as an input"
        )
    return f"ONNX has no operation for {operation}; name its result as an input, or compute it otherwise"


# -- the model


def _model(walk: Walk, converter: Converter, onnx: Any, opset: int) -> Any:
    """The model without its stored numbers."""
    helper, kinds = onnx.helper, onnx.TensorProto
    builder = converter.builder

    def axis(batch: int | None) -> Any:
        return "batch" if batch is None else batch

    inputs = [
        helper.make_tensor_value_info(
            each.name,
            kinds.INT64 if each.table is not None else kinds.FLOAT,
            [axis(converter.batches[each.name]), *each.sizes],
        )
        for each in walk.inputs
    ]
    outputs = []
    for name, index in walk.outputs.items():
        value = converter.values[index]
        builder.nodes.append(helper.make_node("Identity", [builder.name(value)], [name], name=name))
        outputs.append(helper.make_tensor_value_info(name, kinds.FLOAT, [axis(value.batch), *value.shape]))
    graph = helper.make_graph(builder.nodes, "dynet", inputs, outputs)
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(
        graph,
        opset_imports=imports,
        ir_version=helper.find_min_ir_version_for(imports),
        producer_name="dynet",
        producer_version=_dynet.__version__,
    )


def _used(builder: Builder) -> dict[str, Array]:
    """The stored numbers that some node reads."""
    read = {name for node in builder.nodes for name in node.input}
    return {name: array for name, array in builder.initializers.items() if name in read}


def _converted(walk: Walk, onnx: Any, dynamic: bool) -> Converter:
    if dynamic:
        try:
            converter = Converter(walk, onnx.helper, True)
            converter.convert()
            return converter
        except FixedBatchError as error:
            _warn(
                f"the batch size is fixed as it is in the graph, since {error} depends on it; "
                "dynamic_batch=False says that this is meant"
            )
    converter = Converter(walk, onnx.helper, False)
    converter.convert()
    return converter


def _exported(outputs: Any, inputs: Any, path: Path | None, dynamic: bool, opset: int, limit: int) -> Any:
    onnx = package("onnx.numpy_helper", "dy.export.onnx")
    package("onnx.checker", "dy.export.onnx")
    walk = Walk(_named_outputs(outputs), inputs)
    converter = _converted(walk, onnx, dynamic)
    model = _model(walk, converter, onnx, opset)
    arrays = _used(converter.builder)
    check(model, arrays, onnx)
    if sum(array.nbytes for array in arrays.values()) <= limit:
        add_inside(model, arrays, onnx)
        if path is not None:
            _dynet._write_file(path, model.SerializeToString())
    elif path is None:
        raise ValueError(f"the model has more than {limit} bytes, which need a file beside it; give a path")
    else:
        write_with_data(model, arrays, onnx, os.fspath(path))
    return model


def _traced(function: Callable[..., Any], given: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Calls a function in the current graph with what the inputs stand for, by name."""
    made: dict[str, Any] = {}
    for name, example in given.items():
        _check_name(name, "an input")
        if isinstance(example, tuple) and len(example) == 2 and isinstance(example[0], LookupParameters):
            table, rows = example
            is_list = np.ndim(rows) > 0
            made[name] = [table[int(row)] for row in rows] if is_list else table[int(rows)]
        else:
            made[name] = _dynet.inputTensor(np.asarray(example))
    return function(**made), made


@told
def onnx(
    outputs: Outputs | Callable[..., Outputs],
    inputs: Mapping[str, Any],
    path: Path | None = None,
    dynamic_batch: bool = True,
    opset: int = LEAST_OPSET,
    external_data_over: int = LARGEST_FILE,
) -> Any:
    """Writes expressions as an ONNX model, which other runtimes compute without DyNet.

    outputs: an expression, a list, or a dict by name, of one graph; or a function that makes them.

    inputs: by name what the model is given: an expression of the graph (dy.inputTensor, …, or any other,
    which is then not computed); a row of a table, whose number becomes the input; or a list of expressions of
    one shape, which lie side by side in the input: a sentence of words. For a function, an example of each:
    an array, or (table, row) or (table, [row, …]); it is called with expressions, as keywords of these
    names, in a graph of its own.

    Everything else keeps its value: other inputs, indices, and the structure, such as the length of a
    sentence or the shape of a tree. Parameters and tables are written as they are at the call, also where the
    graph was computed before they changed. The model's tensors are floats of shape (batch, r, c, …) for
    DyNet's (r, c, …) with a batch; row numbers are of int64, (batch,) or (batch, length). The batch may have
    any size, unless something depends on it (a sum over the batch, say): then it is fixed, with a warning
    (dynamic_batch=False: it is fixed without one).

    path: the file, which is replaced in one step. A model of more than external_data_over bytes has its
    weights in PATH.data beside it; the two are replaced one after the other, and no model is ever beside the
    weights of another. opset: 18 or later. Returns the model as onnx.ModelProto, checked.

    NotImplementedError, which names the node, where ONNX has no such operation (docs/guide/export.md lists
    them) or numbers are random. Recurrent cells are written step by step. The onnx package is needed.

        >>> x = dy.inputVector([1, 2, 3])
        >>> model = dy.export.onnx({"y": dy.tanh(x)}, {"x": x}, "tanh.onnx")
        >>> model.graph.input[0].name, model.graph.output[0].name
        ('x', 'y')
    """
    if not isinstance(inputs, Mapping):
        raise TypeError(f"inputs is {_dynet._a_kind(inputs)}; a dict of expressions by name is needed")
    if not isinstance(opset, int) or opset < LEAST_OPSET:
        raise ValueError(f"opset is {opset!r}; {LEAST_OPSET} or later is needed")
    settings = path, dynamic_batch, opset, external_data_over
    if not callable(outputs) or isinstance(outputs, Expression):
        return _exported(outputs, inputs, *settings)
    with ComputationGraph():
        made, examples = _traced(outputs, inputs)
        return _exported(made, examples, *settings)
