"""Trains and unrolls small networks with whichever DyNet is imported: run_training.py RESULT."""

import itertools
import pickle
import sys

import numpy as np

import dynet_config

dynet_config.set(mem=16, random_seed=1)

import dynet as dy  # noqa: E402

TRAINERS = {
    "SimpleSGDTrainer": {"learning_rate": 0.2},
    "CyclicalSGDTrainer": {"learning_rate_min": 0.05, "learning_rate_max": 0.3, "step_size": 2, "gamma": 0.9},
    "MomentumSGDTrainer": {"learning_rate": 0.05, "mom": 0.8},
    "AdagradTrainer": {"learning_rate": 0.2},
    "AdadeltaTrainer": {"rho": 0.9},
    "RMSPropTrainer": {"learning_rate": 0.02},
    "AdamTrainer": {"alpha": 0.05},
    "AmsgradTrainer": {"alpha": 0.05},
}
BUILDERS = (
    "SimpleRNNBuilder",
    "GRUBuilder",
    "CoupledLSTMBuilder",
    "VanillaLSTMBuilder",
    "CompactVanillaLSTMBuilder",
    "FastLSTMBuilder",
)
INPUT, HIDDEN, LAYERS, STEPS = 3, 4, 2, 4


def drawn(random, *shape):
    return random.uniform(-1, 1, shape).astype(np.float32)


def trained(name, options, sparse, decay, threshold):
    """The parameters after each of some updates."""
    random = np.random.default_rng(1)
    model = dy.ParameterCollection()
    model.set_weight_decay_lambda(decay)
    weights = model.parameters_from_numpy(drawn(random, 3, 4))
    bias = model.parameters_from_numpy(drawn(random, 3))
    table = model.lookup_parameters_from_numpy(drawn(random, 6, 4))
    trainer = getattr(dy, name)(model, **options)
    trainer.set_sparse_updates(sparse)
    trainer.set_clip_threshold(threshold)
    found = []
    for step in range(8):
        dy.renew_cg()
        rows = [table[i] for i in random.integers(0, 5, 2)]
        if step == 5:
            rows.append(dy.pick(table, 3, 1))  # The whole table, as a matrix.
        output = dy.tanh(weights * dy.esum(rows) + bias)
        loss = dy.squared_distance(output, dy.inputVector(drawn(random, 3)))
        value = loss.value()
        loss.backward()
        trainer.update()
        if step == 3:
            trainer.restart()
        if step == 6:
            trainer.learning_rate *= 0.5
        dy.renew_cg()  # DyNet 2's as_array() leaves weight decay out
        found += [np.asarray(value), weights.npvalue(), bias.npvalue()]
        found += [dy.lookup_batch(table, range(6)).npvalue()]
        found += [np.asarray(trainer.learning_rate), np.asarray(model.get_weight_decay())]
    return found


def fill(collection, random):
    for p in collection.parameters_list():
        p.set_value(drawn(random, *p.shape()))


def unrolled(name, with_state):
    """The states of a builder, and the gradients of its parameters and inputs."""
    random = np.random.default_rng(2)
    model = dy.ParameterCollection()
    builder = getattr(dy, name)(LAYERS, INPUT, HIDDEN, model)
    fill(model, random)
    dy.renew_cg()
    states = 2 if "LSTM" in name else 1
    first = [dy.inputVector(drawn(random, HIDDEN)) for _ in range(LAYERS * states)]
    state = builder.initial_state(first if with_state else None)
    xs = [dy.inputVector(drawn(random, INPUT)) for _ in range(STEPS)]
    reached = []
    for x in xs:
        state = state.add_input(x)
        reached.append(state)
    # A second branch, from the first step on.
    other = reached[0].add_input(xs[-1])
    used = [s.output() for s in reached] + [*other.s(), *reached[-1].s(), *reached[-1].h()]
    return values_and_gradients(used, xs + (first if with_state else []), model)


def values_and_gradients(used, inputs, model):
    loss = dy.esum([dy.sum_elems(dy.square(e + 0.1 * (i + 1))) for i, e in enumerate(used)])
    found = [np.asarray(e.npvalue()) for e in used]
    loss.value()
    loss.backward(full=True)
    return (
        found
        + [np.asarray(x.gradient()) for x in inputs]
        + [p.grad_as_array() for p in model.parameters_list()]
    )


def bidirectional(name):
    random = np.random.default_rng(3)
    model = dy.ParameterCollection()
    builder = dy.BiRNNBuilder(2, INPUT, 2 * HIDDEN, model, getattr(dy, name))
    fill(model, random)
    dy.renew_cg()
    xs = [dy.inputVector(drawn(random, INPUT)) for _ in range(STEPS)]
    pairs = builder.add_inputs(xs)
    used = builder.transduce(xs) + [s.output() for pair in pairs for s in pair]
    return values_and_gradients(used, xs, model)


def main(result):
    found = {}
    choices = itertools.product(TRAINERS.items(), (True, False), (0.0, 0.1), (5.0, 0.3, 0.0))
    for (name, options), sparse, decay, threshold in choices:
        found[name, sparse, decay, threshold] = trained(name, options, sparse, decay, threshold)
    for name in BUILDERS:
        for with_state in (False, True):
            found[name, with_state] = unrolled(name, with_state)
        found["BiRNNBuilder", name] = bidirectional(name)
    with open(result, "wb") as file:
        pickle.dump(found, file)


if __name__ == "__main__":
    main(sys.argv[1])
