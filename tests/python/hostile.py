"""Calls of the public functions, and arguments whose conversion runs a program in the middle of the call."""

import itertools

import numpy as np

import dynet as dy


class MineError(Exception):
    """What a conversion raises."""


class World:
    """A graph, a model and a trainer with numbers that are always the same."""

    def __init__(self):
        dy.renew_cg()
        self.model = dy.ParameterCollection()
        self.p = self.model.parameters_from_numpy(np.array([1.0, 2.0, 3.0]))
        self.matrix = self.model.parameters_from_numpy(np.arange(9.0).reshape(3, 3) / 8)
        self.table = self.model.lookup_parameters_from_numpy(np.arange(12.0).reshape(4, 3))
        self.spare = self.model.lookup_parameters_from_numpy(100 + np.arange(12.0).reshape(4, 3))
        self.lstm = dy.VanillaLSTMBuilder(1, 3, 2, self.model)
        self.gru = dy.GRUBuilder(1, 3, 2, self.model)
        self.tree = dy.NaryTreeLSTMBuilder(2, 1, 3, 2, self.model)
        self.softmax = dy.StandardSoftmaxBuilder(3, 4, self.model)
        for i, parameter in enumerate(self.model.parameters_list()):
            parameter.set_value(np.sin(np.arange(parameter.as_array().size) + i).reshape(parameter.shape()))
        self.trainer = dy.SimpleSGDTrainer(self.model)
        self.before = [p.as_array() for p in self.model.parameters_list()]
        self.first = dy.inputVector([5, 6, 7])
        dy.cg_checkpoint()
        self.x, self.y = dy.inputVector([1, 2, 3]), dy.inputVector([3, -1, 2])
        self.square = dy.inputTensor(np.arange(9.0).reshape(3, 3))
        self.batch = dy.inputTensor(np.arange(6.0).reshape(3, 2), batched=True)
        self.row, self.rows = dy.lookup(self.table, 1), dy.lookup_batch(self.table, [1, 2])
        self.picked = dy.pick(self.x, 1)
        self.list = [self.x, self.y]
        self.again = lambda: None  # the call itself, with plain arguments


def renew(world):
    dy.renew_cg()
    world.kept = [dy.tanh(dy.inputVector([9, 9, 9])) for _ in range(20)]


def revert(world):
    if not world.reverted:
        world.reverted = True
        dy.cg_revert()
        world.kept = [dy.lookup(world.spare, i % 4) for i in range(20)]


def update(world):
    world.trainer.update()
    world.model.reset_gradient()


def delete(world):
    world.x = world.y = world.p = world.matrix = world.table = world.row = world.lstm = world.model = None
    world.list.clear()
    world.kept = [dy.inputVector([8, 8, 8]) for _ in range(20)]


def shorten(world):
    del world.list[1:]


def again(world):
    world.again()


def fail(world):
    raise MineError("raised while an argument was read")


ACTIONS = [renew, revert, update, delete, shorten, again, fail]
# Those after which the call gives what it gives in peace.
HARMLESS = {update, again}
# Calls that come after another one of their kind find what that has changed, or ask what is there now.
UNLIKE = {("tree add_input", again), ("scale", again), ("graph forward", renew)}


class Argument:
    """A value that runs `act` whenever it is converted."""

    def __init__(self, act, value):
        self.act, self.value = act, value


class Real(Argument):
    def __float__(self):
        self.act()
        return float(self.value)


class Number(Real):
    def __index__(self):
        self.act()
        return int(self.value)

    def __bool__(self):
        self.act()
        return bool(self.value)


class Iterable(Argument):
    def __iter__(self):
        for value in self.value:
            self.act()
            yield value

    def __len__(self):
        self.act()
        return len(self.value)

    def __getitem__(self, i):
        self.act()
        return self.value[i]


class Array(Argument):
    def __array__(self, dtype=None, copy=None):
        self.act()
        return np.asarray(self.value, dtype)


def hostile(world, action):
    """Makes of a value an argument that runs the action whenever it is converted."""
    world.reverted, world.calls = False, 0

    def act():
        world.calls += 1
        if world.calls < 50:
            action(world)

    def wrap(value, *, inside=False):
        if isinstance(value, np.ndarray):
            return Array(act, value)
        if isinstance(value, (list, tuple)):
            return type(value)(wrap(v) for v in value) if inside else Iterable(act, list(value))
        return Real(act, value) if isinstance(value, float) else Number(act, value)

    return wrap


def plain(value, *, inside=False):
    """The same value as an argument that runs nothing."""
    return value


ONES, PAIR = np.ones(3), [1.0, 2.0]
LISTED = ["esum", "average", "emax", "logsumexp", "concatenate", "concatenate_cols", "concatenate_to_batch"]
LISTED += ["forward", "values", "npvalues"]

# Each makes a call in a world; h makes its arguments hostile, or leaves them as they are.
CALLS = {
    # operators and indexing
    "+": lambda w, h: w.x + h(2.0),
    "r+": lambda w, h: h(2) + w.x,
    "-": lambda w, h: w.x - h(2.0),
    "r-": lambda w, h: h(2.0) - w.x,
    "*": lambda w, h: w.x * h(2.0),
    "r*": lambda w, h: h(2) * w.x,
    "/": lambda w, h: w.x / h(2.0),
    "**": lambda w, h: w.x ** h(2.0),
    "x[i]": lambda w, h: w.x[h(1)],
    "x[i:j]": lambda w, h: w.x[h(0) : h(2)],
    "x[i:j:k]": lambda w, h: w.square[h(0) : h(3) : h(2)],
    "x[i, j]": lambda w, h: w.square[h(1), h(2)],
    "table[i]": lambda w, h: w.table[h(2)],
    # operations: numbers
    "pick": lambda w, h: dy.pick(w.x, h(1)),
    "pick dim": lambda w, h: dy.pick(w.square, h(1), h(1)),
    "pick keywords": lambda w, h: dy.pick(e=w.square, index=h(1), dim=h(1)),
    "pick_range": lambda w, h: dy.pick_range(w.x, h(0), h(2)),
    "scale_gradient": lambda w, h: dy.scale_gradient(w.x, h(2.0)),
    "hinge": lambda w, h: dy.hinge(w.x, h(1), h(1.0)),
    "pickneglogsoftmax": lambda w, h: dy.pickneglogsoftmax(w.x, h(1)),
    "reshape": lambda w, h: dy.reshape(w.square, h((9, 1)), h(1)),
    "reshape sizes": lambda w, h: dy.reshape(w.square, h((9, 1), inside=True)),
    "max_dim": lambda w, h: dy.max_dim(w.square, h(0)),
    "kmax_pooling": lambda w, h: dy.kmax_pooling(w.square, h(2), h(1)),
    "dropout 0": lambda w, h: dy.dropout(w.x, h(0.0)),
    "elu": lambda w, h: dy.elu(w.x, h(1.0)),
    "softmax": lambda w, h: dy.softmax(w.square, h(1)),
    "zeros": lambda w, h: dy.zeros(h((3, 2), inside=True)),
    "constant": lambda w, h: dy.constant(h((3,), inside=True), h(2.0)),
    # operations: lists of expressions before and after numbers
    "concatenate list": lambda w, h: dy.concatenate(w.list, h(0)),
    "concatenate list keyword": lambda w, h: dy.concatenate(w.list, d=h(0)),
    "concatenate new list": lambda w, h: dy.concatenate([dy.tanh(w.x), dy.tanh(w.y)], h(0)),
    "concatenate": lambda w, h: dy.concatenate(h(w.list), h(0)),
    **{name: lambda w, h, name=name: getattr(dy, name)(h(w.list)) for name in LISTED},
    "affine_transform": lambda w, h: dy.affine_transform(h([w.x, w.square, w.y])),
    "affine_transform parameters": lambda w, h: dy.affine_transform(h([w.p, w.matrix, w.y])),
    # operations: lists of numbers
    "pick_batch": lambda w, h: dy.pick_batch(w.batch, h([0, 2])),
    "pick_batch numbers": lambda w, h: dy.pick_batch(w.batch, h([0, 2], inside=True)),
    "pick_batch_elems": lambda w, h: dy.pick_batch_elems(w.batch, h([0, 1], inside=True)),
    "pickneglogsoftmax_batch": lambda w, h: dy.pickneglogsoftmax_batch(w.batch, h([0, 2])),
    "select_rows": lambda w, h: dy.select_rows(w.square, h([0, 2], inside=True)),
    "select_cols": lambda w, h: dy.select_cols(w.square, h([0, 2])),
    "sum_dim": lambda w, h: dy.sum_dim(w.square, h([0]), h(False)),
    "transpose": lambda w, h: dy.transpose(w.square, h([1, 0])),
    "strided_select": lambda w, h: dy.strided_select(w.square, h([1, 2]), h([0, 0]), h([3, 3])),
    "log_softmax": lambda w, h: dy.log_softmax(w.x, h([0, 2], inside=True)),
    # inputs
    "scalarInput": lambda w, h: dy.scalarInput(h(2.0)),
    "vecInput": lambda w, h: dy.vecInput(h(3)),
    "inputVector": lambda w, h: dy.inputVector(h([1.0, 2.0])),
    "inputVector numbers": lambda w, h: dy.inputVector(h([1.0, 2.0], inside=True)),
    "inputVector array": lambda w, h: dy.inputVector(h(ONES)),
    "inputTensor": lambda w, h: dy.inputTensor(h(np.ones((2, 2))), h(True)),
    "inputTensor list": lambda w, h: dy.inputTensor([ONES, h(ONES)]),
    "inputTensorTranspose": lambda w, h: dy.inputTensorTranspose(h([1.0, 2.0]), h((2,), inside=True), h(1)),
    "sparse_inputTensor": lambda w, h: dy.sparse_inputTensor(h([[0, 1]]), h(PAIR), h((3,)), False, h(1.0)),
    "sparse_inputTensor places": lambda w, h: dy.sparse_inputTensor([h([0, 1], inside=True)], PAIR, (3,)),
    "one_hot": lambda w, h: dy.one_hot(h(5), h(2)),
    "one_hot batch": lambda w, h: dy.one_hot(h(5), h([2, 3], inside=True)),
    "lookup": lambda w, h: dy.lookup(w.table, h(1), h(True)),
    "lookup_batch": lambda w, h: dy.lookup_batch(w.table, h([1, 2], inside=True), h(False)),
    "table.batch": lambda w, h: w.table.batch(h([3, 1])),
    "set input": lambda w, h: settled(w.x, h([4.0, 5.0, 6.0])),
    "set input numbers": lambda w, h: settled(w.x, h([4.0, 5.0, 6.0], inside=True)),
    "set input array": lambda w, h: settled(w.x, h(np.array([4.0, 5.0, 6.0]))),
    "set row": lambda w, h: settled(w.row, h(3)),
    "set rows": lambda w, h: settled(w.rows, h([3, 0], inside=True)),
    "set one row for all": lambda w, h: settled(w.rows, h(3)),
    "set pick": lambda w, h: settled(w.picked, h(2)),
    # parameters
    "set_value": lambda w, h: (p := w.p, p.set_value(h(ONES)), p)[2],
    "scale": lambda w, h: (p := w.p, p.scale(h(2.0)), p)[2],
    "clip_inplace": lambda w, h: (p := w.p, p.clip_inplace(h(0.0), h(1.0)), p)[2],
    "init_row": lambda w, h: (t := w.table, t.init_row(h(1), h(ONES)), t)[2],
    "init_from_array": lambda w, h: (t := w.table, t.init_from_array(h(np.ones((4, 3)))), t)[2],
    "row_as_array": lambda w, h: w.table.row_as_array(h(1)),
    "row_grad_as_array": lambda w, h: w.table.row_grad_as_array(h(1)),
    "rows_as_array": lambda w, h: w.table.rows_as_array(h([1, 2], inside=True)),
    "rows_grad_as_array": lambda w, h: w.table.rows_grad_as_array(h([1, 2])),
    "expr": lambda w, h: w.p.expr(h(True)),
    "add_parameters": lambda w, h: w.model.add_parameters(h((2, 3), inside=True), h(1.0)),
    "add_parameters constant": lambda w, h: w.model.add_parameters((2, 3), init=h(1.5)),
    "add_lookup_parameters": lambda w, h: w.model.add_lookup_parameters(h((2, 3)), init=h(1.0)),
    "parameters_from_numpy": lambda w, h: w.model.parameters_from_numpy(h(ONES)),
    "lookup_parameters_from_numpy": lambda w, h: w.model.lookup_parameters_from_numpy(h(np.ones((2, 3)))),
    "NumpyInitializer": lambda w, h: w.model.add_parameters(3, dy.NumpyInitializer(h(ONES))),
    "project_weights": lambda w, h: w.model.project_weights(h(1e6)),
    # builders
    "initial_state": lambda w, h: w.lstm.initial_state(h([w.x[:2], w.y[:2]]), h(True)),
    "initial_state_from_raw_vectors": lambda w, h: w.gru.initial_state_from_raw_vectors([h([1.0, 2.0])]),
    "initial_state arrays": lambda w, h: w.gru.initial_state_from_raw_vectors(h([[1.0, 2.0]])),
    "add_inputs": lambda w, h: w.lstm.initial_state().add_inputs(h(w.list)),
    "transduce": lambda w, h: w.lstm.initial_state().transduce(h(w.list)),
    "set_h": lambda w, h: w.lstm.initial_state().set_h(h([w.x[:2]])),
    "set_s": lambda w, h: w.gru.initial_state().set_s(h([w.x[:2]])),
    "tree add_input": lambda w, h: grown(w.tree).add_input(h(1), h([0], inside=True), w.x),
    "neg_log_softmax": lambda w, h: w.softmax.neg_log_softmax(w.x, h(1), h(True)),
    "neg_log_softmax_batch": lambda w, h: w.softmax.neg_log_softmax_batch(w.batch, h([1, 0], inside=True)),
    # values
    "value": lambda w, h: w.x.value(h(False)),
    "npvalue": lambda w, h: w.square.npvalue(h(True)),
    "argmax": lambda w, h: w.square.tensor_value().argmax(h(0), h(1)).as_numpy(),
    "graph forward": lambda w, h: dy.cg().forward_vec(h(0)),
    "inputMatrixLiteral": lambda w, h: dy.cg().inputMatrixLiteral(h([1.0, 2.0]), h((2,)), h(1)),
    "inputSparseTensor": lambda w, h: dy.cg().inputSparseTensor(h([1]), h([2.0]), h((2,)), h(1), h(3.0)),
    "set_clip_threshold": lambda w, h: (w.trainer.set_clip_threshold(h(2.0)), w.trainer.get_clip_threshold())[
        1
    ],
    "restart": lambda w, h: (w.trainer.restart(h(0.5)), w.trainer.learning_rate)[1],
}


def settled(expression, value):
    expression.set(value)
    return expression


def grown(tree):
    tree.start_new_sequence()
    tree.add_input(0, [], dy.inputVector([1, 1, 1]))
    return tree


def numbers(result):
    """What a call gives, as arrays."""
    if result is None or isinstance(result, (bool, int, float)):
        return [np.array(0.0 if result is None else result)]
    if isinstance(result, (list, tuple)):
        return list(itertools.chain.from_iterable(numbers(r) for r in result))
    if isinstance(result, dy.RNNState):
        return numbers(result.output() if result.output() is not None else list(result.s()))
    if isinstance(result, (dy.Parameters, dy.LookupParameters)):
        return [result.as_array()]
    return [result if isinstance(result, np.ndarray) else result.npvalue(recalculate=True)]
