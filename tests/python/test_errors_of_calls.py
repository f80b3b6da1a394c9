"""Errors begin with the call that the program wrote, say what was given, and what would be right."""

import re

import numpy as np
import pytest

import dynet as dy

RAGGED = [[1], [2, 3]]


class World:
    """What calls are made with: a model, expressions of the current graph and one of a graph that is gone."""

    def __init__(self, folder):
        self.folder = folder
        self.model = dy.ParameterCollection()
        self.p = self.model.add_parameters((2, 3))
        self.table = self.model.add_lookup_parameters((5, 3))
        self.lstm = dy.VanillaLSTMBuilder(2, 3, 4, self.model)
        self.birnn = dy.BiRNNBuilder(1, 3, 4, self.model, dy.GRUBuilder)
        self.model.save(self.file("model"))
        (folder / "three.txt").write_text("1 2 3")
        (folder / "words.txt").write_text("1 2 x")
        dy.renew_cg()
        self.stale = dy.inputVector([1, 2, 3])
        self.old_state = self.lstm.initial_state()
        dy.renew_cg()
        self.x = dy.inputVector([1, 2, 3])
        self.matrix = dy.inputTensor(np.ones((3, 2)))
        self.h = dy.inputVector([1, 2, 3, 4])

    def file(self, name):
        return str(self.folder / name)

    def batch(self, size, rows=4):
        return dy.inputTensor(np.ones((rows, size)), batched=True)

    def add(self, init, dim=4):
        return self.model.add_parameters(dim, init=init)


def given(table, key, row):
    table[key] = row


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def check(world, table, message):
    """The message is that of the call up to where it is cut."""
    with pytest.raises((ValueError, TypeError, IndexError, RuntimeError, AttributeError)) as error:
        table[message](world)
    text = str(error.value)
    assert text.startswith(message.replace("FOLDER", str(world.folder))), text


STATES = {
    "initial_state: 1 expression was given for the 2 layers of VanillaLSTMBuilder; 2 (memory cells) or 4": (
        lambda w: w.lstm.initial_state([w.h])
    ),
    "initial_state: expression 0 has shape {3}; a vector of 4 is needed": (
        lambda w: w.lstm.initial_state([w.x] * 4)
    ),
    "VanillaLSTMBuilder.initial_state: the state would have batches of 2 and of 3; cells and outputs": (
        lambda w: w.lstm.initial_state([w.batch(2), w.batch(2), w.batch(3), w.batch(3)])
    ),
    "initial_state: Attempt to use a stale expression: its graph was renewed": (
        lambda w: w.lstm.initial_state([w.stale] * 4)
    ),
    "VanillaLSTMBuilder.initial_state_from_raw_vectors: 1 expression was given": (
        lambda w: w.lstm.initial_state_from_raw_vectors([[1, 2, 3, 4]])
    ),
    "initial_state_from_raw_vectors: a list whose parts differ": (
        lambda w: w.lstm.initial_state_from_raw_vectors([RAGGED])
    ),
    "set_h: 1 expression was given for the 2 layers of VanillaLSTMBuilder; 2 are needed": (
        lambda w: w.lstm.initial_state().set_h([w.h])
    ),
    "set_h: expression 0 has shape {3}; a vector of 4 is needed": (
        lambda w: w.lstm.initial_state().set_h([w.x, w.h])
    ),
    "set_h: the state would have batches of 2 and of 3": (
        lambda w: w.lstm.zero_state(2).set_h([w.batch(3), w.batch(3)])
    ),
    "set_s: 3 expressions were given for the 2 layers": lambda w: w.lstm.initial_state().set_s([w.h] * 3),
    "set_s: 1 expression was given for the 2 layers of GRUBuilder; 2 are needed": (
        lambda w: dy.GRUBuilder(2, 3, 4, w.model).initial_state().set_s([w.h])
    ),
    "add_input: Using stale builder: the graph of the state was renewed or has ended; begin again with": (
        lambda w: w.old_state.add_input(w.x)
    ),
    "h: Using stale builder: ": lambda w: w.old_state.h(),
    "set_dropout_masks: Using stale builder: it reads no sequence in the current graph; call initial_state": (
        lambda w: w.lstm.set_dropout_masks(2)
    ),
    "get_parameter_expressions: the builder is stale: it reads no sequence in the current graph; call": (
        lambda w: w.lstm.get_parameter_expressions()
    ),
    "add_input: VanillaLSTMBuilder: an input of shape {3,2} was given; a vector of 3 is needed": (
        lambda w: w.lstm.initial_state().add_input(w.matrix)
    ),
    "VanillaLSTMBuilder.zero_state: the batch size is 0": lambda w: w.lstm.zero_state(0),
    "VanillaLSTMBuilder: input size 0 and hidden size 4 were given; each must": (
        lambda w: dy.VanillaLSTMBuilder(1, 0, 4, w.model)
    ),
    "BidirectionalTreeLSTMBuilder: hidden size 3; each direction has half": (
        lambda w: dy.BidirectionalTreeLSTMBuilder(1, 3, 3, w.model)
    ),
    "transduce: an int was given; a list of expressions": lambda w: w.birnn.transduce(3),
    "transduce: element 0 of a list of expressions is an int": lambda w: w.birnn.transduce([3]),
    "transduce: Attempt to use a stale expression": lambda w: w.birnn.transduce([w.stale]),
    "add_inputs: Attempt to use a stale expression": lambda w: w.birnn.add_inputs([w.stale]),
    "BiRNNBuilder: rnn_builder_factory is 3; a class of builders is needed": (
        lambda w: dy.BiRNNBuilder(1, 3, 4, w.model, 3)
    ),
    "BiRNNBuilder: rnn_builder_factory made 3; a builder is needed": (
        lambda w: dy.BiRNNBuilder(1, 3, 4, w.model, lambda *_: 3)
    ),
    "transduce: None was given; a list": lambda w: w.birnn.transduce(None),
    "from_spec: spec has 2 items; 5 are needed": lambda w: dy.BiRNNBuilder.from_spec((1, 2), w.model),
    "StackedRNNState: states is 3; a list of states": lambda w: dy.StackedRNNState(3),
}


@pytest.mark.parametrize("message", STATES)
def test_builders_and_states(world, message):
    check(world, STATES, message)


def test_states_of_good_sizes_are_taken(world):
    for vectors in ([world.h] * 4, [world.batch(3)] * 4, [world.batch(3), world.batch(3), world.h, world.h]):
        state = world.lstm.initial_state(vectors).add_input(world.x)
        assert np.isfinite(state.output().npvalue()).all()
    column = dy.reshape(world.h, (4, 1))
    assert world.lstm.initial_state().set_h([column, column]).output().vec_value() == [1, 2, 3, 4]


STALE = {
    "value": lambda e: e.value(),
    "dim": lambda e: e.dim(),
    "shape": lambda e: e.shape,
    "backward": lambda e: e.backward(),
    "float": float,
    "format": lambda e: f"{e:.3f}",
    "forward": lambda e: dy.forward([e]),
    "npvalues": lambda e: dy.npvalues([e]),
    "cell": lambda e: dy.cell(lambda x: x * 2)(e),
    "Function": lambda e: dy.Function(np.exp, lambda x, y, dy: [y * dy])(e),
    "print_graphviz": lambda e: dy.print_graphviz(expression_names={e: "e"}),
}
STALE_ARGUMENTS = {
    "tanh": dy.tanh,
    "pick": dy.pick,
    "pickneglogsoftmax": lambda e: dy.pickneglogsoftmax(e, 0),
    "esum": lambda e: dy.esum([dy.inputVector([1, 2, 3]), e]),
    "x - y": lambda e: e - [1, 2, 3],
    "x[...]": lambda e: e[0:2],
    "len": len,
    "pow": lambda e: e**2,
    "matmul": lambda e: e * dy.inputVector([1]),
}


@pytest.mark.parametrize("removed", [False, True])
@pytest.mark.parametrize("call", [*STALE, *STALE_ARGUMENTS])
def test_stale_expressions(world, call, removed):
    """RuntimeError where a value is asked for, ValueError for an argument, as with DyNet 2."""
    if removed:
        dy.cg_checkpoint()
        world.stale = dy.inputVector([1, 2, 3])
        dy.cg_revert()
    kind, begin = (RuntimeError, "Stale Expression") if call in STALE else (ValueError, ".*stale")
    advice = (
        r"was removed by going back.*; make it again" if removed else r"was renewed or has ended; make it"
    )
    with pytest.raises(kind, match=rf"^{re.escape(call)}: {begin}.*{advice}"):
        {**STALE, **STALE_ARGUMENTS}[call](world.stale)


FILES = {
    "populate: Could not read model from FOLDER/none: No such file": (
        lambda w: w.model.populate(w.file("none"))
    ),
    "populate: it requires non-empty key: the name": lambda w: w.p.populate(w.file("model")),
    "populate: Could not find key /x in the model file FOLDER/model": (
        lambda w: w.p.populate(w.file("model"), "/x")
    ),
    "populate: Number of parameter/lookup parameter objects loaded": (
        lambda w: w.model.populate(w.file("model"), "/x")
    ),
    "populate: The model file ends too early": lambda w: w.model.populate(w.file("three.txt")),
    "populate: Could not load the trainer": lambda w: dy.AdamTrainer(w.model).populate(w.file("model")),
    "load_param: it requires non-empty key": lambda w: w.model.load_param(w.file("model"), ""),
    "load_param: Could not find key /_1 in the model file FOLDER/model, where it is a table, which load": (
        lambda w: w.model.load_param(w.file("model"), "/_1")
    ),
    "load_lookup_param: Could not find key /_0 in the model file FOLDER/model, where it is a parameter": (
        lambda w: w.model.load_lookup_param(w.file("model"), "/_0")
    ),
    "load_param: Could not find key /x": lambda w: w.model.load_param(w.file("model"), "/x"),
    "load_param: Could not read model from FOLDER/a.safetensors": (
        lambda w: w.model.load_param(w.file("a.safetensors"), "/x")
    ),
    "load_lookup_param: it requires non-empty key": (
        lambda w: w.model.load_lookup_param(w.file("a.safetensors"), "")
    ),
    "save: Could not write model to FOLDER/none/model: there is no folder": (
        lambda w: w.model.save(w.file("none/model"))
    ),
    "add_parameters: Could not read parameter values from FOLDER/none": (
        lambda w: w.add(dy.FromFileInitializer(w.file("none")))
    ),
    "add_parameters: in the file FOLDER/words.txt number 3 could not be read": (
        lambda w: w.add(dy.FromFileInitializer(w.file("words.txt")))
    ),
    "add_parameters: from the file FOLDER/three.txt 3 numbers were given for a parameter of shape {4}": (
        lambda w: w.add(dy.FromFileInitializer(w.file("three.txt")))
    ),
    "add_parameters: 2 numbers were given for a parameter of shape {4}": (
        lambda w: w.add(dy.NumpyInitializer([1, 2]))
    ),
    "add_lookup_parameters: a NumpyInitializer was given, which has no rows; use init=array": (
        lambda w: w.model.add_lookup_parameters((1, 2), init=dy.NumpyInitializer([1, 2]))
    ),
    "add_parameters: a tensor that is not a square matrix": lambda w: w.add("identity", (3, 4)),
    "add_parameters: Parameter name could not include '/'": lambda w: w.model.add_parameters(3, name="a/b"),
    "ParameterCollection.add_lookup_parameters: Parameter name could not include '/'": (
        lambda w: w.model.add_lookup_parameters((3, 2), name="a/b")
    ),
    "add_subcollection: Submodel name could not include": lambda w: w.model.add_subcollection("a/b"),
    "inputVector: Invalid device name: device is GPU:0": lambda w: dy.inputVector([1], device="GPU:0"),
    "ClassFactoredSoftmaxBuilder: Could not read classes from FOLDER/none": (
        lambda w: dy.ClassFactoredSoftmaxBuilder(3, w.file("none"), {}, w.model)
    ),
    "dump_cg: the file": lambda w: dy.dump_cg(w.file("none/graph")),
}


@pytest.mark.parametrize("message", FILES)
def test_files_and_names(world, message):
    check(world, FILES, message)


def test_damaged_files_of_lists(world):
    dy.save(world.file("list"), [world.p])
    (world.folder / "list.meta").write_bytes(b"\x80\x02X")
    with pytest.raises(RuntimeError, match=r"^load: .*list.meta is damaged"):
        dy.load(world.file("list"), world.model)


ARRAYS = {
    "table[i] = row: i is a slice; the number of a row is needed. set_value replaces all rows": (
        lambda w: given(w.table, slice(0, 2), [[1, 2, 3]] * 2)
    ),
    "table[i] = row: i is a str; the number": lambda w: given(w.table, "a", [1, 2, 3]),
    "table[i] = row: i is 9 and /_1 has 5 rows; -5 to 4 would be right": (
        lambda w: given(w.table, 9, [1, 2, 3])
    ),
    "table[i] = row: 2 numbers for a row of /_1 of shape {3}": lambda w: given(w.table, 0, [1, 2]),
    "LookupParameters.init_row: 2 numbers for a row": lambda w: w.table.init_row(0, [1, 2]),
    "init_from_array: an array of shape (6, 3) was given for /_1; it has at most 5 rows of shape (3,)": (
        lambda w: w.table.init_from_array(np.ones((6, 3)))
    ),
    "init_from_array: an array of shape (5, 4) was given": (
        lambda w: w.table.init_from_array(np.ones((5, 4)))
    ),
    "set_value: an array of shape (3, 5) was given for /_1; one of shape (5, 3) is needed": (
        lambda w: w.table.set_value(np.ones((3, 5)))
    ),
    "load_state_dict: the array of /_1 has shape (3, 5); that of /_1 is (5, 3)": (
        lambda w: w.model.load_state_dict({**w.model.state_dict(), "/_1": np.ones((3, 5))})
    ),
    "load_state_dict: a key is an int; a name": lambda w: w.model.load_state_dict({1: 2}),
    "load_state_dict: state is an int; a dictionary is needed": lambda w: w.model.load_state_dict(3),
    "Expression.set_index: 2 numbers for an input": lambda w: w.x.set_index([1, 2]),
    "value: an array of several numbers was given; True or False is needed": (
        lambda w: w.x.value(np.ones(2))
    ),
    "inputTensor: arr is None; an array or a list of numbers": lambda w: dy.inputTensor(None),
    "x + y: an array of type <U1 was given": lambda w: w.x + np.array(["a"]),
    "x + y: a list whose parts differ": lambda w: w.x + RAGGED,
    "cg_revert: there is no checkpoint": lambda w: dy.cg_revert(),
    "revert: there is no checkpoint": lambda w: dy.cg().revert(),
    "ComputationGraph.forward_scalar: the tensor has shape {3}": lambda w: dy.cg().forward_scalar(0),
}
RAGGED_CALLS = {
    "inputTensor": lambda w: dy.inputTensor(RAGGED),
    "inputVector": lambda w: dy.inputVector([1, [2]]),
    "inputTensorTranspose": lambda w: dy.inputTensorTranspose(RAGGED),
    "set": lambda w: dy.vecInput(3).set(RAGGED),
    "set_value": lambda w: w.p.set_value(RAGGED),
    "init_from_array": lambda w: w.table.init_from_array(RAGGED),
    "table[i] = row": lambda w: given(w.table, 0, RAGGED),
    "NumpyInitializer": lambda w: dy.NumpyInitializer(RAGGED),
    "parameters_from_numpy": lambda w: w.model.parameters_from_numpy(RAGGED),
}


@pytest.mark.parametrize("message", ARRAYS)
def test_arrays_and_rows(world, message):
    check(world, ARRAYS, message)


@pytest.mark.parametrize("call", RAGGED_CALLS)
def test_rows_of_different_lengths(world, call):
    with pytest.raises(
        ValueError, match=rf"^{re.escape(call)}: a list whose parts differ in length or depth"
    ):
        RAGGED_CALLS[call](world)


INDICES = {
    "pickneglogsoftmax: index 3 is out of range for axis 0 of size 3; 0 to 2 would": (
        lambda w: dy.pickneglogsoftmax(w.x, 3)
    ),
    "pickneglogsoftmax: index -4 is out of range": lambda w: dy.pickneglogsoftmax(w.x, -4),
    "hinge: index 7 is out of range": lambda w: dy.hinge(w.x, 7),
    "pickneglogsoftmax: v is a ndarray; a whole number is needed; pickneglogsoftmax_batch takes several": (
        lambda w: dy.pickneglogsoftmax(w.x, np.array([1, 2]))
    ),
    "hinge: v is a list; a whole number is needed; hinge_batch takes several": lambda w: dy.hinge(w.x, [1]),
    "one_hot: -1 was given; a whole number from 0 on": lambda w: dy.one_hot(3, -1),
    "softmax: -1 was given; a whole number from 0 on is needed": lambda w: dy.softmax(w.matrix, -1),
    "vecInput: 4294967296 was given; a whole number of at most": lambda w: dy.vecInput(2**32),
    "x[...]: the slice 5: of an axis of size 3 is empty": lambda w: w.x[5:],
    "x[...]: the slice 2:1:2 of an axis of size 3 is empty": lambda w: w.x[2:1:2],
    "x[...]: index 5 of an axis of size 3; -3 to 2": lambda w: w.x[5],
    "x[...]: index 5 of an axis of size 2": lambda w: w.matrix[:, 5],
    "x[...]: an index is a str; a whole number": lambda w: w.x["a"],
}


@pytest.mark.parametrize("message", INDICES)
def test_indices_and_keys(world, message):
    check(world, INDICES, message)


def test_negative_classes_count_from_the_end(world):
    for call in (dy.pick, dy.pickneglogsoftmax, dy.hinge):
        assert call(world.x, -1).value() == call(world.x, 2).value()
        assert call(world.x, -3).value() == call(world.x, 0).value()


PYTHONS = {
    "Function: argument 0 is a float; an Expression is needed, as scalarInput": (
        lambda w: dy.Function(np.exp, lambda x, y, dy: [y * dy])(3.0)
    ),
    "Function: argument 1 is a ndarray; an Expression is needed, as inputTensor": (
        lambda w: dy.Function(np.add, lambda x, z, y, dy: [dy, dy])(w.x, np.ones(3))
    ),
    "const_parameter: argument 1 is an int; an Expression is needed": (lambda w: dy.const_parameter(w.p, 3)),
    "Function: forward is 3; a function is needed": lambda w: dy.Function(3, 4),
    "cell: 3 was given; a function is needed": lambda w: dy.cell(3),
    "UnsignedValue: 'a' was given; a whole number": lambda w: dy.UnsignedValue("a"),
    "set: 'a' was given; a number is needed": lambda w: dy.FloatValue().set("a"),
    "set: newval is missing; it is called as set(newval)": lambda w: dy.FloatVectorValue([1]).set(),
    "FloatVectorValue: 3 was given; a list of numbers": lambda w: dy.FloatVectorValue(3),
    "set_weight_decay: 'a' was given; a number": lambda w: dy.DynetParams().set_weight_decay("a"),
    "set_threads: -1 was given": lambda w: dy.DynetParams().set_threads(-1),
    "set_gpu_mask: GPU mask 3 was given; a list": lambda w: dy.DynetParams().set_gpu_mask(3),
    "init_from_params: 3 was given; DynetParams": lambda w: dy.init_from_params(3),
    "print_graphviz: a key of expression_names is 3": (
        lambda w: dy.print_graphviz(expression_names={3: "a"})
    ),
    "get_device_info: Invalid device name: GPU:0": lambda w: dy.get_device_info("GPU:0"),
}


@pytest.mark.parametrize("message", PYTHONS)
def test_what_is_written_in_python(world, message):
    check(world, PYTHONS, message)


def test_what_programs_raise_stays(world):
    error = ValueError("mine")

    def broken(*_):
        raise error

    for call in (
        lambda: dy.BiRNNBuilder(1, 3, 4, world.model, broken),
        lambda: dy.Function(broken, broken)(world.x),
        lambda: dy.esum(broken() for _ in range(2)),
        lambda: dy.cell(broken)(world.x),
    ):
        with pytest.raises(ValueError) as raised:
            call()
        assert raised.value is error and error.args == ("mine",)


def test_bad_gradients_are_told_by_update(world):
    world.p.set_gradient(np.full((2, 3), np.nan))
    with pytest.raises(RuntimeError, match=r"^update: Magnitude of gradient is bad"):
        dy.AdamTrainer(world.model).update()


def second_fails(*arguments, calls=[]):  # noqa: B006
    calls.append(arguments)
    if len(calls) % 2 == 0:
        raise KeyError("mine")
    return dy.GRUBuilder(*arguments)


def test_builders_that_fail_leave_nothing(world):
    model = dy.ParameterCollection()
    wrong = [
        lambda: dy.BiRNNBuilder(2, 3, 4, model, second_fails),
        lambda: dy.VanillaLSTMBuilder(1, 2, 2**28, model),
        lambda: dy.NaryTreeLSTMBuilder(2, 1, 2, 2**28, model),
        lambda: dy.StandardSoftmaxBuilder(2**31, 2**31, model),
        lambda: dy.BiRNNBuilder(1, 3, 4, model, lambda *_: 3),
    ]
    for call in wrong:
        with pytest.raises((KeyError, ValueError, MemoryError, TypeError)):
            call()
    assert model.parameter_count() == 0 and len(repr(model).splitlines()) == 1
    names = [
        dy.BiRNNBuilder(1, 3, 4, model, dy.GRUBuilder).param_collection().name(),
        dy.VanillaLSTMBuilder(1, 2, 3, model).param_collection().name(),
        dy.NaryTreeLSTMBuilder(2, 1, 2, 3, model).param_collection().name(),
        dy.StandardSoftmaxBuilder(2, 3, model).param_collection().name(),
    ]
    assert names == [
        "/birnn/",
        "/vanilla-lstm-builder/",
        "/nary-treelstm-builder/",
        "/standard-softmax-builder/",
    ]


NOT_LISTS = {
    "initial_state_from_raw_vectors": lambda x: dy.GRUBuilder(
        1, 2, 3, world_model()
    ).initial_state_from_raw_vectors(x),
    "from_spec": lambda x: dy.GRUBuilder.from_spec(x, world_model()),
    "sample": lambda x: dy.StandardSoftmaxBuilder(3, 2, world_model()).sample(
        dy.concatenate_to_batch([x, x])
    ),
    "sparse_inputTensor": lambda x: dy.sparse_inputTensor(x, [1], (3,)),
}


def world_model():
    return dy.ParameterCollection()


@pytest.mark.parametrize("call", NOT_LISTS)
def test_expressions_that_are_no_lists_leave_no_nodes(call):
    dy.renew_cg()
    x = dy.inputVector([1, 2, 3])
    with pytest.raises((TypeError, ValueError), match=rf"^{call}: "):
        NOT_LISTS[call](x)
    assert len(dy.cg()) == (2 if call == "sample" else 1)
