"""Every public name of DyNet 2, used as programs use it: mypy --strict must accept all of it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import dynet as dy
import dynet_config

Unary = Callable[[dy.Expression], dy.Expression]
Binary = Callable[[dy.Expression, dy.Expression], dy.Expression]
OfList = Callable[[Sequence[dy.Expression]], dy.Expression]

UNARY: list[Unary] = [
    *(dy.abs, dy.acos, dy.acosh, dy.asin, dy.asinh, dy.atan, dy.atanh, dy.cos, dy.cosh, dy.cube, dy.cumsum),
    *(dy.elu, dy.erf, dy.exp, dy.flip_gradient, dy.fold_rows, dy.inverse, dy.l2_norm, dy.lgamma, dy.log),
    *(dy.log_sigmoid, dy.log_softmax, dy.logdet, dy.logistic, dy.logsumexp_dim, dy.max_dim, dy.mean_batches),
    *(dy.mean_elems, dy.min_dim, dy.nobackprop, dy.rectify, dy.scale_gradient, dy.selu, dy.silu, dy.sin),
    *(dy.sinh, dy.softmax, dy.softsign, dy.sparsemax, dy.sqrt, dy.square, dy.squared_norm, dy.std_batches),
    *(dy.std_elems, dy.sum_batches, dy.sum_elems, dy.tan, dy.tanh, dy.transpose, dy.pick),
]
BINARY: list[Binary] = [
    *(dy.binary_log_loss, dy.bmax, dy.bmin, dy.cdiv, dy.circ_conv, dy.circ_corr, dy.cmult, dy.colwise_add),
    *(dy.constrained_softmax, dy.contract3d_1d, dy.dot_product, dy.filter1d_narrow, dy.huber_distance),
    *(dy.l1_distance, dy.pairwise_rank_loss, dy.pow, dy.squared_distance, dy.trace_of_product),
    *(dy.vanilla_lstm_c, dy.vanilla_lstm_h, dy.weight_norm),
]
OF_LIST: list[OfList] = [
    *(dy.affine_transform, dy.average, dy.concatenate, dy.concatenate_cols, dy.concatenate_to_batch),
    *(dy.emax, dy.esum, dy.logsumexp),
]


def with_arguments(x: dy.Expression, matrix: dy.Expression, image: dy.Expression) -> list[dy.Expression]:
    return [
        *(dy.argmax(x, "zero_gradient"), dy.ceil(x, "zero_gradient"), dy.floor(x, "zero_gradient")),
        *(dy.round(x, gradient_mode="straight_through_gradient"), dy.block_dropout(x, 0.5)),
        *(dy.dropout(x, 0.5), dy.dropout_batch(x, 0.5), dy.dropout_dim(x, 0, 0.5), dy.noise(x, 0.1)),
        *(dy.contract3d_1d_1d(image, x, x), dy.contract3d_1d_1d_bias(image, x, x, x)),
        *(dy.contract3d_1d_bias(image, x, matrix), dy.conv2d(image, image, [1, 1])),
        *(dy.conv2d_bias(image, image, x, [1, 1], is_valid=False), dy.maxpooling2d(image, [2, 2], [1, 1])),
        *(dy.hinge(x, 1), dy.hinge_batch(x, [1, 2], m=2.0), dy.hinge_dim(matrix, [0, 1], d=1)),
        *(dy.kmax_pooling(matrix, 2), dy.kmh_ngram(matrix, 2), dy.layer_norm(x, x, x)),
        *(dy.mean_dim(x, [0], False), dy.moment_batches(x, 2), dy.moment_dim(x, [0], 2, True, n=3)),
        *(dy.moment_elems(x, 2), dy.std_dim(x, [0], False), dy.sum_dim(x, [0]), dy.to_device(x, "CPU")),
        *(dy.pick_batch(x, [0, 1]), dy.pick_batch_elem(x, 0), dy.pick_batch_elems(x, [0, 1])),
        *(dy.pick_range(x, 0, 2), dy.pickrange(x, 0, 2), dy.pickneglogsoftmax(x, 1)),
        *(dy.pickneglogsoftmax_batch(x, np.array([1, 2])), dy.poisson_loss(x, 3), dy.reshape(x, (3, 1))),
        *(dy.select_cols(matrix, [0]), dy.select_rows(matrix, (0, 1))),
        *(dy.strided_select(matrix, [1, 1], [0, 0], [2, 2]), dy.vanilla_lstm_gates(x, x, matrix, matrix, x)),
        *(dy.vanilla_lstm_gates_concat([x, x], x, matrix, matrix, x),),
        *(dy.vanilla_lstm_gates_dropout(x, x, matrix, matrix, x, x, x),),
        *(dy.vanilla_lstm_gates_dropout_concat([x], x, matrix, matrix, x, x, x, weightnoise_std=0.1),),
    ]


def inputs(table: dy.LookupParameters) -> list[dy.Expression]:
    number = dy.scalarInput(1)
    number.set(2.0)
    return [
        *(number, dy.vecInput(3), dy.inputVector([1, 2.5]), dy.inputVector(np.ones(3, dtype=np.float32))),
        *(dy.inputTensor([[1, 2], [3, 4]]), dy.inputTensor(np.ones((2, 3)), batched=True)),
        *(dy.sparse_inputTensor([[0, 1], [1, 1]], [1.0, 2.0], (2, 2)), dy.one_hot(3, 1)),
        *(dy.one_hot(3, [0, 1]), dy.inputVector(range(3))),
        *(dy.inputTensorTranspose([1, 2, 3, 4], (2, 2)), dy.lookup(table, 1), dy.lookup_batch(table, [0, 1])),
        *(dy.zeros(3), dy.zeroes((3, 2)), dy.ones(3, batch_size=2), dy.constant((2, 2), 0.5)),
        *(dy.random_bernoulli(3, 0.5), dy.random_gumbel(3), dy.random_normal((2, 2)), table[0], table[-1]),
        *(dy.random_uniform(3, -1, 1), dy.cg().inputMatrixLiteral([1, 2], 2)),
        *(dy.cg().inputSparseTensor([0], [1.5], (2, 2)), table.batch([1, 2])),
    ]


def deprecated(p: dy.Parameters) -> None:
    dy.parameter(p)
    dy.const_parameter(p)
    try:
        dy.matInput(2, 2)
    except DeprecationWarning:
        dy.inputMatrix([1], (1, 1))


def graphs(x: dy.Expression) -> None:
    graph: dy.ComputationGraph = dy.renew_cg(immediate_compute=False, check_validity=False, autobatching=True)
    version: int = dy.cg_version() + graph.version()
    dy.cg_checkpoint()
    dy.cg_revert()
    dy.forward([x])
    numbers = dy.values([x])
    arrays = dy.npvalues([x], recalculate=True)
    dy.dump_cg("", nan_check_only=True)
    dy.print_text_graphviz()
    dy.print_graphviz(compact=True, expression_names={x: "x"})
    graph.forward(0)
    graph.inc_forward(0)
    graph.checkpoint()
    graph.revert()
    graph.print_graphviz()
    flat: list[float] = graph.forward_vec(0) + graph.inc_forward_vec(0)
    total: float = graph.forward_scalar(0) + graph.inc_forward_scalar(0)
    graph.backward(0, full=True)
    graph.dump("", True, True, False)
    print(version, numbers, arrays, flat, total, dy.HAVE_CUDA, dy.__version__, dy.__gitversion__)


def expressions(x: dy.Expression) -> None:
    sizes, batch = x.dim()
    value = x.value()
    array = x.npvalue(batched=True) + x.gradient()
    tensor: dy.Tensor = x.tensor_value()
    best, places = tensor.topk(num=2)
    print(sizes, batch, value, array.shape, x.vec_value()[0], x.scalar_value(), x.gradient().sum())
    print(best.as_numpy(), places, tensor.argmax(), tensor.categorical_sample_log_prob(0, 1))
    x.forward()
    x.backward(full=False)
    y = -(x + x - 1) * 2.0 / 3 + 1 - x**2 + x * x + x[0] + x[0:1] + x[0:1, 0] + (2 + x) + (2 * x) + (2 - x)
    y = (
        y @ x / x
        + 1 / x
        + abs(x)
        + 2**x
        + np.ones(3) * x
        + [1.0, 2.0]
        + x[[0, 2]]
        + x[..., 0]
        + x[np.array([True])]
    )
    rows: tuple[int, ...] = x.shape
    print(y, rows, len(x), float(x), f"{x:.3f}", [row.dim() for row in x])


def learning(path: str) -> None:
    model = dy.ParameterCollection()
    inner: dy.ParameterCollection = dy.Model().add_subcollection("inner")
    initializers: list[dy.PyInitializer] = [
        *(dy.NormalInitializer(), dy.UniformInitializer(1), dy.ConstInitializer(0), dy.IdentityInitializer()),
        *(dy.GlorotInitializer(), dy.SaxeInitializer(), dy.FromFileInitializer(path)),
        *(dy.OrthogonalInitializer(), dy.TruncatedNormalInitializer(std=0.02), dy.KaimingInitializer()),
        dy.NumpyInitializer(np.ones(3)),
    ]
    p: dy.Parameters = model.add_parameters((3, 3), init=initializers[0])
    table: dy.LookupParameters = model.add_lookup_parameters((10, 3), init="glorot", name="words")
    p.set_value(np.ones((3, 3)))
    table.init_row(0, [1, 2, 3])
    table[0] = [1, 2, 3]
    table.set_value(np.ones((10, 3)))
    table.add_rows(2, init=0)
    table.set_row_gradient(1, [1, 2, 3])
    p.set_gradient(np.ones((3, 3)))
    trainers: list[dy.Trainer] = [
        *(dy.SimpleSGDTrainer(model), dy.CyclicalSGDTrainer(model), dy.MomentumSGDTrainer(model, mom=0.8)),
        *(dy.AdagradTrainer(model), dy.AdadeltaTrainer(model), dy.RMSPropTrainer(model)),
        *(dy.AdamTrainer(model, alpha=0.01), dy.AmsgradTrainer(model)),
        *(dy.AdamWTrainer(model, weight_decay=0.1), dy.RAdamTrainer(model), dy.LionTrainer(model)),
    ]
    for trainer in trainers:
        trainer.learning_rate *= 0.5
        trainer.update()
        trainer.update_subset([p], [table])
    dy.save(path, [p, table])
    loaded = dy.load(path, inner)
    print(list(dy.load_generator(path, inner)), loaded, p.as_array(), table.as_array(), p.name(), len(table))


def builders(model: dy.ParameterCollection, xs: list[dy.Expression]) -> None:
    kinds = [
        *(dy.SimpleRNNBuilder, dy.GRUBuilder, dy.CoupledLSTMBuilder, dy.FastLSTMBuilder, dy.LSTMBuilder),
        *(dy.VanillaLSTMBuilder, dy.SparseLSTMBuilder, dy.CompactVanillaLSTMBuilder),
    ]
    for kind in kinds:
        builder = kind(1, 3, 4, model)
        state: dy.RNNState = builder.initial_state()
        outputs: list[dy.Expression] = state.transduce(xs)
        output: dy.Expression | None = state.add_input(xs[0]).output()
        print(dy.StackedRNNState([state]).add_inputs(reversed(xs)), outputs, output)
    both = dy.BiRNNBuilder(1, 3, 4, model, dy.LSTMBuilder)
    print(both.transduce(xs))
    layers: list[dy.SoftmaxBuilder] = [
        dy.StandardSoftmaxBuilder(4, 10, model, bias=False),
        dy.ClassFactoredSoftmaxBuilder(4, "classes", {"a": 0}, model),
        dy.HierarchicalSoftmaxBuilder(4, Path("paths"), {"a": 0}, model),
    ]
    for layer in layers:
        word: int = layer.sample(xs[0])
        loss: dy.Expression = layer.neg_log_softmax_batch(xs[0], np.array([word]))
        print(loss, layer.full_log_distribution(xs[0], update=False))
    tree = dy.NaryTreeLSTMBuilder(2, 1, 3, 4, model)
    tree.set_num_elements(2)
    root: dy.Expression | None = tree.add_input(0, [], xs[0]) or tree.back()
    print(root, tree.final_h()[0], dy.DeepLSTMBuilder.from_spec((1, 3, 4), model).initial_state())


def own_functions(model: dy.ParameterCollection, x: dy.Expression) -> None:
    exp = dy.Function(lambda a: np.exp(a), lambda a, y, dy: [y * dy], shape=lambda a: a)
    good: bool = dy.check_grad(model, exp(x), verbosity=2)
    twice = dy.cell(lambda a: dy.tanh(dy.tanh(a)))
    print(twice(x))
    trainer = dy.EGTrainer(model, learning_rate=0.1, mom=0.9)
    trainer.exponential_moving_average(0.9, freq=2)
    kind: str | None = trainer.moving_average()
    trainer.swap_params_to_moving_average(save_weights=True, bias_correction=False)
    trainer.save("trainer")
    trainer.populate(Path("trainer"), learning_rate=0.1)
    norm: float = model.project_weights(2)
    model.load_state_dict(model.state_dict(), strict=False)
    print(good, kind, norm)


def settings() -> None:
    params = dy.DynetParams()
    params.from_args()
    params.set_mem(512)
    params.init()
    dy.init()
    dy.init_from_params(params)
    dy.reset_random_seed(1)
    dynet_config.set(mem="512,1,1,1", random_seed=1, autobatch=1)
    devices: list[str] = dy.available_devices()
    info: dy.DeviceInfo = dy.get_device_info(devices[0])
    print(info.name, info.id, info.type, dynet_config.get())
    holders = dy.UnsignedValue(1), dy.FloatValue(0.5), dy.UnsignedVectorValue([1]), dy.FloatVectorValue([0.5])
    print([holder.get() for holder in holders])
