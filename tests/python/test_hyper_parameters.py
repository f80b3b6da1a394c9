"""Hyper-parameters that are no numbers, or make no sense, are refused wherever they are set or loaded."""

import inspect
import pickle
import zlib

import numpy as np
import pytest
from every_kind import TRAINERS

import dynet as dy

NAN, INFINITY = float("nan"), float("inf")
KINDS = [*TRAINERS, dy.EGTrainer]


@pytest.fixture
def model():
    dy.renew_cg()
    model = dy.ParameterCollection()
    model.add_parameters(2, init=0.5)
    return model


def arguments_of(kind):
    return [name for name in inspect.signature(kind).parameters if name != "m"]


SENSELESS = {"eps": [0, -1e-8, 1e-50], "beta_1": [1, -0.1, 2], "beta_2": [1, -0.1], "rho": [-0.1, 1.5]}
SENSELESS |= {"mom": [-0.1], "step_size": [0, -1], "gamma": [-1]}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_arguments_of_trainers(kind, model):
    for name in arguments_of(kind):
        for bad in [NAN, INFINITY, -INFINITY, 1e39, *SENSELESS.get(name, [])]:
            with pytest.raises(ValueError, match=f"{kind.__name__}: {name} is .*is needed"):
                kind(model, **{name: bad})


SETTERS = [
    lambda trainer, rate: setattr(trainer, "learning_rate", rate),
    lambda trainer, rate: trainer.set_learning_rate(rate),
    lambda trainer, rate: trainer.restart(rate),
    lambda trainer, rate: trainer.restart(learning_rate=rate),
]


@pytest.mark.parametrize("set_rate", SETTERS)
@pytest.mark.parametrize("rate", [NAN, INFINITY, 1e39])
def test_learning_rates(set_rate, rate, model):
    trainer = dy.AdamTrainer(model)
    with pytest.raises(ValueError, match=r"the rate is .*a finite number is needed"):
        set_rate(trainer, rate)
    assert trainer.learning_rate == 0.001
    set_rate(trainer, -0.5)  # up the hill
    assert trainer.learning_rate == -0.5


def test_clip_thresholds(model):
    trainer = dy.SimpleSGDTrainer(model)
    with pytest.raises(ValueError, match="set_clip_threshold: nan"):
        trainer.set_clip_threshold(NAN)
    assert trainer.get_clip_threshold() == 5
    trainer.set_clip_threshold(INFINITY)
    assert trainer.get_clip_threshold() == INFINITY


def test_cycles(model):
    trainer = dy.EGTrainer(model)
    for arguments in [
        {"learning_rate_min": NAN},
        {"learning_rate_max": INFINITY},
        {"step_size": 0},
        {"gamma": -1},
    ]:
        with pytest.raises(ValueError, match=f"enableCyclicalLR: {next(iter(arguments))} is "):
            trainer.enableCyclicalLR(**arguments)
    assert trainer.learning_rate == 0.1


# -- files and pickles


def rewritten(file, old, new):
    """The file of a trainer with another number and the checksum of that."""
    text = file.read_text().rpartition("#Checksum#")[0]
    assert text.count(old) == 1
    text = text.replace(old, new)
    file.write_text(f"{text}#Checksum# {zlib.crc32(text.encode()):08x}\n")


RATE, BETA, EPS = "+2.5000000000000000e-01", "+8.7500000000000000e-01", "+1.2500000000000000e-01"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (RATE, "nan", "the rate is nan"),
        (RATE, "inf", "the rate is inf"),
        (BETA, "nan", "beta_1 is nan"),
        (BETA, "+1.0e+00", "beta_1 is 1; a number from 0 to below 1"),
        (EPS, "-1.0e-08", "eps is -1e-08"),
        ("+5.0000000000000000e+00", "nan", "the threshold of clipping is not a number"),
    ],
)
def test_files_of_trainers(old, new, message, model, tmp_path):
    file = tmp_path / "trainer"
    dy.AdamTrainer(model, alpha=0.25, beta_1=0.875, eps=0.125).save(file)
    rewritten(file, old, old)
    trainer = dy.AdamTrainer(model)
    before = pickle.dumps(trainer)
    rewritten(file, old, new)
    with pytest.raises(RuntimeError, match=f"Could not load the trainer: {message}"):
        trainer.populate(file)
    assert pickle.dumps(trainer) == before


def test_files_of_cycles_and_averages(model, tmp_path):
    file = tmp_path / "trainer"
    trainer = dy.CyclicalSGDTrainer(model, step_size=24)
    trainer.exponential_moving_average(0.875)
    trainer.save(file)
    rewritten(file, "+2.4000000000000000e+01", "0")
    with pytest.raises(RuntimeError, match="step_size is 0"):
        dy.CyclicalSGDTrainer(model).populate(file)
    trainer.save(file)
    rewritten(file, BETA, "+1.0e+00")
    with pytest.raises(RuntimeError, match="the moving average's beta is 1"):
        dy.CyclicalSGDTrainer(model).populate(file)


def test_a_rate_in_the_place_of_the_saved_one(model, tmp_path):
    trainer = dy.AdamTrainer(model, alpha=0.25)
    trainer.save(tmp_path / "trainer")
    other = dy.AdamTrainer(model)
    with pytest.raises(ValueError, match="populate: the rate is nan"):
        other.populate(tmp_path / "trainer", learning_rate=NAN)
    assert other.learning_rate == 0.001


def test_pickles_of_trainers(model):
    trainer = dy.AdamTrainer(model, alpha=0.25, beta_1=0.875)
    kind, base, _, numbers, lists = trainer.__reduce__()[1]
    for place, number in enumerate(numbers):
        if number in (0.25, 0.875, 5.0):
            damaged = [*numbers[:place], NAN, *numbers[place + 1 :]]
            with pytest.raises(ValueError, match=r"AdamTrainer: .* is (nan|not a number)"):
                dy.pickling.trainer(kind, base, model, damaged, lists)


@pytest.mark.parametrize("sparse", [False, True])
def test_files_keep_what_kind_of_updates_there_are(sparse, model, tmp_path):
    table = model.add_lookup_parameters((3, 2), init=1)

    def moved(trainer):
        """Whether momentum moves a row that only the update before has used."""
        for row in (0, 1):
            dy.renew_cg()
            before = table.row_as_array(0)
            dy.sum_elems(table[row]).backward()
            trainer.update()
        return bool(np.any(table.row_as_array(0) != before))

    trainer, other = dy.MomentumSGDTrainer(model), dy.MomentumSGDTrainer(model)
    trainer.set_sparse_updates(sparse), other.set_sparse_updates(not sparse)
    trainer.save(tmp_path / "trainer")
    other.populate(tmp_path / "trainer")
    assert moved(trainer) == moved(other) == (not sparse)
    text = (tmp_path / "trainer").read_text()
    other.set_sparse_updates(not sparse)
    old = text[: text.index("#SparseUpdates#")]
    (tmp_path / "trainer").write_text(f"{old}#Checksum# {zlib.crc32(old.encode()):08x}\n")
    other.populate(tmp_path / "trainer")  # of a version that said nothing of it
    assert moved(other) == sparse


# -- exponentiated gradient


def test_exponentiated_gradient_needs_weights_that_it_can_multiply():
    model = dy.ParameterCollection()
    p = model.add_parameters((1, 3), init=np.array([[0.5, -0.25, 0.5]]))
    table = model.add_lookup_parameters((3, 2), init=np.array([[0.5, 0.5], [0, 0], [-1, 1]]))
    unused = model.add_parameters(2, init=-1)
    trainer = dy.EGTrainer(model)

    def step(e):
        dy.renew_cg()
        model.reset_gradient()
        dy.sum_elems(e()).backward()
        trainer.update()

    with pytest.raises(ValueError, match=r"update: /_0\[0,1\] is -0.25; an EGTrainer needs"):
        step(lambda: p)
    assert np.all(p.as_array() == [[0.5, -0.25, 0.5]]) and np.all(p.grad_as_array() == 1)
    with pytest.raises(ValueError, match="all numbers of /_1, row 1 are 0"):
        step(lambda: table[1])
    with pytest.raises(ValueError, match=r"/_1\[2,0\] is -1"):
        step(lambda: table[2])
    step(lambda: table[0])
    p.set_value([[0.5, 0, 0.5]])
    step(lambda: p)
    assert p.as_array().tolist() == [[0.5, 0, 0.5]] and np.all(unused.as_array() == -1)


# -- dropout, noise, initializers, weight decay

BUILDERS = [dy.SimpleRNNBuilder, dy.GRUBuilder, dy.LSTMBuilder, dy.CoupledLSTMBuilder, dy.SparseLSTMBuilder]
BUILDERS += [dy.FastLSTMBuilder, dy.DeepLSTMBuilder, dy.CompactVanillaLSTMBuilder]


@pytest.mark.parametrize("rate", [NAN, -0.1, 1.5, INFINITY])
def test_dropout(rate, model):
    for kind in BUILDERS:
        builder = kind(1, 2, 2, model)
        for set_rates in (builder.set_dropout, lambda rate, b=builder: b.set_dropouts(0, rate)):
            with pytest.raises(ValueError, match="probability"):
                set_rates(rate)
    both = dy.BiRNNBuilder(1, 2, 4, model, dy.GRUBuilder)
    tree = dy.UnidirectionalTreeLSTMBuilder(1, 2, 2, model)
    for builder in (both, tree):
        with pytest.raises(ValueError, match="probability"):
            builder.set_dropout(rate)
    x = dy.inputVector([1, 2])
    calls = [
        lambda: dy.dropout(x, rate),
        lambda: dy.dropout_dim(x, 0, rate),
        lambda: dy.dropout_batch(x, rate),
    ]
    calls += [lambda: dy.block_dropout(x, rate), lambda: dy.random_bernoulli(2, rate)]
    for call in calls:
        with pytest.raises(ValueError, match="probability"):
            call()


@pytest.mark.parametrize(
    "make",
    [
        lambda bad: dy.noise(dy.inputVector([1, 2]), bad),
        lambda bad: dy.random_normal(2, stddev=bad),
        lambda bad: dy.random_uniform(2, 0, bad),
        lambda bad: dy.random_uniform(2, bad, 1),
        lambda bad: dy.CompactVanillaLSTMBuilder(1, 2, 2, dy.ParameterCollection()).set_weightnoise(bad),
        lambda bad: dy.LSTMBuilder(1, 2, 2, dy.ParameterCollection(), forget_bias=bad),
        lambda bad: dy.SparseLSTMBuilder(1, 2, 2, dy.ParameterCollection(), forget_bias=bad),
        lambda bad: dy.NormalInitializer(mean=bad),
        lambda bad: dy.NormalInitializer(var=bad),
        lambda bad: dy.UniformInitializer(bad),
        lambda bad: dy.GlorotInitializer(gain=bad),
        lambda bad: dy.SaxeInitializer(bad),
        lambda bad: dy.ParameterCollection().add_parameters(2, init="uniform", scale=bad),
        lambda bad: dy.ParameterCollection().add_parameters(2, init="normal", std=bad),
        lambda bad: dy.ParameterCollection().set_weight_decay(bad),
        lambda bad: dy.ParameterCollection().set_weight_decay_lambda(bad),
        lambda bad: dy.DynetParams().set_weight_decay(bad),
        lambda bad: dy.SimpleSGDTrainer(dy.ParameterCollection()).exponential_moving_average(bad),
    ],
)
def test_what_else_must_be_finite(make):
    dy.renew_cg()
    for bad in (NAN, INFINITY):
        with pytest.raises(ValueError):
            make(bad)
    make(0.5)


def test_deviations_are_not_negative():
    for call in (lambda: dy.random_normal(2, stddev=-1), lambda: dy.noise(dy.inputVector([1, 2]), -1)):
        with pytest.raises(ValueError, match="standard deviation -1"):
            call()
