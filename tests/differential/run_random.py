"""Draws from everything random with whichever DyNet is imported: run_random.py RESULT."""

import pickle
import sys

import numpy as np

import dynet_config

dynet_config.set(mem=64, random_seed=7)

import dynet as dy  # noqa: E402

DRAWS = 3000
BUILDERS = (
    "SimpleRNNBuilder",
    "GRUBuilder",
    "CoupledLSTMBuilder",
    "VanillaLSTMBuilder",
    "CompactVanillaLSTMBuilder",
    "SparseLSTMBuilder",
)
INITIALIZERS = {
    "default": None,
    "he": "he",
    "glorot": "glorot",
    "uniform": "uniform",
    "normal": "normal",
    "NormalInitializer": dy.NormalInitializer(1, 4),
    "UniformInitializer": dy.UniformInitializer(0.3),
    "GlorotInitializer": dy.GlorotInitializer(gain=2.0),
}
SHAPES = [(60, 50), (3000,), (3000, 1), (5, 5, 4, 30), (10, 15, 20)]
OPERATIONS = {
    "dropout": (lambda x: dy.dropout(x, 0.3), (DRAWS,)),
    "dropout_dim 0": (lambda x: dy.dropout_dim(x, 0, 0.3)[0], (2, DRAWS)),
    "dropout_dim 1": (lambda x: dy.pick(dy.dropout_dim(x, 1, 0.3), 0, 1), (DRAWS, 2)),
    "dropout_batch": (lambda x: dy.dropout_batch(x, 0.3)[0], (2, DRAWS)),
    "noise": (lambda x: dy.noise(x, 0.5), (DRAWS,)),
    "random_normal": (lambda _: dy.random_normal(DRAWS, 1, 2), (1,)),
    "random_bernoulli": (lambda _: dy.random_bernoulli(DRAWS, 0.3, 2), (1,)),
    "random_uniform": (lambda _: dy.random_uniform(DRAWS, -1, 3), (1,)),
    "random_gumbel": (lambda _: dy.random_gumbel(DRAWS), (1,)),
}


def initial_values():
    """The numbers of new parameters and tables."""
    model = dy.ParameterCollection()
    options = {"scale": 0.3, "mean": 1.0, "std": 2.0}
    for name, init in INITIALIZERS.items():
        for shape in SHAPES:
            yield f"{name} {shape}", model.add_parameters(shape, init=init, **options).as_array()
            if len(shape) > 1:
                table = model.add_lookup_parameters(shape, init=init, **options)
                yield f"table, {name} {shape}", table.as_array()
    table = model.add_lookup_parameters((60, 50), init=dy.GlorotInitializer(True))
    yield "table, GlorotInitializer of a table", table.as_array()


def weights_of_builders():
    """The numbers of each parameter of a new builder."""
    for name in BUILDERS:
        builder = getattr(dy, name)(1, 30, 40, dy.ParameterCollection())
        for i, parameter in enumerate(builder.get_parameters()[0]):
            yield f"{name}, parameter {i}", parameter.as_array()


def results_of_operations():
    """What operations make of ones."""
    for name, (call, shape) in OPERATIONS.items():
        dy.renew_cg()
        x = dy.inputTensor(np.ones(shape), batched=name == "dropout_batch")
        yield name, call(x).npvalue()
    dy.renew_cg()
    one = dy.inputVector([1])
    yield "block_dropout", dy.concatenate([dy.block_dropout(one, 0.3) for _ in range(DRAWS)]).npvalue()


def outputs_of_builders():
    """One number of the output after some steps with dropout, in many graphs, from the same weights."""
    for name in BUILDERS:
        random = np.random.default_rng(3)
        model = dy.ParameterCollection()
        builder = getattr(dy, name)(2, 6, 5, model)
        for parameter in model.parameters_list():
            parameter.set_value(random.uniform(-1, 1, parameter.shape()))
        builder.set_dropout(0.33)
        xs = random.uniform(-1, 1, (4, 6))
        found = []
        for _ in range(DRAWS // 3):
            dy.renew_cg()
            state = builder.initial_state()
            for x in xs:
                state = state.add_input(dy.inputVector(x))
            found.append(dy.pick(state.output(), 0).value())
        yield f"{name} with dropout", found


def main(result):
    drawn = [*initial_values(), *weights_of_builders(), *results_of_operations(), *outputs_of_builders()]
    with open(result, "wb") as file:
        pickle.dump({name: np.sort(np.asarray(numbers), axis=None) for name, numbers in drawn}, file)


if __name__ == "__main__":
    main(sys.argv[1])
