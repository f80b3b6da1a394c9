"""What is frozen or not used rests, what is written is what is read, and gradients can be set."""

import numpy as np
import pytest
from every_kind import TRAINERS

import dynet as dy

every_trainer = pytest.mark.parametrize("kind", TRAINERS, ids=lambda kind: kind.__name__)


@pytest.fixture
def model():
    dy.renew_cg()
    return dy.ParameterCollection()


def train(trainer, *losses):
    """One update for the sum of all numbers."""
    dy.renew_cg()
    dy.esum([dy.sum_elems(x() if callable(x) else x) for x in losses]).backward()
    trainer.update()


# -- frozen


@every_trainer
def test_frozen_parameters_rest(kind, model):
    model.set_weight_decay(0.1)
    weight, frozen = model.add_parameters(4, init=1), model.add_parameters((3, 4), init=1)
    table, whole = (model.add_lookup_parameters((3, 4), init=1) for _ in range(2))
    trainer = kind(model)
    train(trainer, weight, frozen, lambda: table[1], whole)
    resting = (frozen, table, whole)
    for p in resting:
        p.set_updated(False)
    before = [p.as_array().copy() for p in resting]
    for _ in range(20):
        dy.renew_cg()
        hidden = frozen * weight
        loss = dy.sum_elems(hidden) + dy.sum_elems(table[1]) + dy.sum_elems(whole)
        loss.backward()
        norm = np.linalg.norm(weight.grad_as_array())
        assert model.gradient_l2_norm() == pytest.approx(norm)
        assert not any(p.grad_as_array().any() for p in resting)
        trainer.update()
    for p, old in zip(resting, before, strict=True):
        assert np.array_equal(p.as_array(), old)
        p.set_updated(True)
    model.set_weight_decay(0)
    train(trainer, weight)
    assert all(np.array_equal(p.as_array(), old) for p, old in zip(resting, before, strict=True))


def test_gradients_of_expressions_of_frozen_parameters_are_there(model):
    table, weight = model.add_lookup_parameters((3, 2), init=1), model.add_parameters((2, 2), init=2)
    table.set_updated(False), weight.set_updated(False)
    row = table[1]
    (dy.sum_elems(weight * row)).backward()
    assert row.gradient().tolist() == [4, 4] and weight.gradient().tolist() == [[1, 1], [1, 1]]
    assert not weight.grad_as_array().any() and not table.grad_as_array().any()


def test_freezing_and_thawing_drop_the_gradient(model):
    p, table = model.add_parameters(2, init=0), model.add_lookup_parameters((2, 2), init=0)
    trainer = dy.SimpleSGDTrainer(model)
    for first, second in ((False, True), (True, True)):
        dy.renew_cg()
        (dy.sum_elems(p) + dy.sum_elems(table[0])).backward()
        for x in (p, table):
            x.set_updated(first), x.set_updated(second)
        assert bool(p.grad_as_array().any()) == bool(table.grad_as_array().any()) == first
    trainer.update()
    assert np.allclose(p.as_array(), -0.1)


@pytest.mark.parametrize("suffix", ["txt", "safetensors"])
def test_files_hold_no_gradient_of_frozen_parameters(model, tmp_path, suffix):
    def made():
        m = dy.ParameterCollection()
        return m, m.add_parameters(2, init=1, name="p"), m.add_lookup_parameters((2, 2), init=1, name="t")

    file = tmp_path / f"m.{suffix}"
    m, p, table = made()
    p.set_updated(False), table.set_updated(False)
    for _ in range(3):
        dy.renew_cg()
        (dy.sum_elems(p) + dy.sum_elems(table[1])).backward()
        p.set_gradient([1, 1])
    m.save(file)
    m, p, table = made()
    m.populate(file)
    dy.SimpleSGDTrainer(m).update()
    assert (p.as_array() == 1).all() and (table.as_array() == 1).all()


def test_loaded_gradients_do_not_reach_frozen_parameters(model, tmp_path):
    p = model.add_parameters(2, init=1)
    dy.sum_elems(p).backward()
    model.save(tmp_path / "m")
    p.set_updated(False)
    model.populate(tmp_path / "m")
    assert not p.grad_as_array().any()


def test_check_grad_leaves_frozen_parameters_out(model):
    p, frozen = model.add_parameters(2, init=1), model.add_parameters(2, init=2)
    frozen.set_updated(False)
    assert dy.check_grad(model, dy.dot_product(p, frozen))


# -- weight decay


def read(p):
    dy.renew_cg()
    seen = p.npvalue()
    shown = np.moveaxis(seen, -1, 0) if isinstance(p, dy.LookupParameters) else seen
    assert np.array_equal(shown, p.as_array())
    if isinstance(p, dy.LookupParameters):
        dy.renew_cg()
        for i in range(len(p)):
            assert np.array_equal(p[i].npvalue(), p.row_as_array(i))
    return p.as_array().tolist()


@pytest.mark.parametrize("inner", [False, True])
@every_trainer
def test_what_is_written_is_what_is_read(kind, inner, model, tmp_path):
    model.set_weight_decay(0.1)
    part = model.add_subcollection("part")
    p, table = part.add_parameters(2, init=1), part.add_lookup_parameters((3, 2), init=1)
    trainer = kind(part if inner else model)
    trainer.learning_rate = 0 if kind is not dy.AdadeltaTrainer else 1
    numbers = np.array([[1.1, 2], [3, 4], [5, 6.3]], dtype="f")

    def decay():
        for _ in range(3):
            trainer.update()

    decay()
    assert np.allclose(read(p), 0.9**3) and np.allclose(read(table), 0.9**3)
    p.set_value(numbers[0]), table.init_from_array(numbers)
    assert read(p) == numbers[0].tolist() and read(table) == numbers.tolist()
    decay()
    other = np.array(table.as_array())
    table.init_row(1, [7, 8])
    table[-1] = [9, 10]
    assert read(table) == [other[0].tolist(), [7, 8], [9, 10]]
    decay()
    for name in ("m", "m.safetensors"):
        saved = read(p), read(table)
        model.save(tmp_path / name), p.save(tmp_path / ("p" + name)), table.save(tmp_path / ("t" + name))
        decay()
        assert read(p) != saved[0]
        model.populate(tmp_path / name)
        assert (read(p), read(table)) == saved
        decay()
        p.populate(tmp_path / ("p" + name), p.name()), table.populate(tmp_path / ("t" + name), table.name())
        assert (read(p), read(table)) == saved
        elsewhere = dy.ParameterCollection()
        elsewhere.set_weight_decay(0.1)
        dy.SimpleSGDTrainer(elsewhere).update()
        added = elsewhere.load_param(tmp_path / name, p.name())
        table_added = elsewhere.load_lookup_param(tmp_path / name, table.name())
        assert (read(added), read(table_added)) == saved
    assert read(part.add_parameters(2, init=numbers[0])) == numbers[0].tolist()
    decay()
    p.set_value([-1, 5]), decay(), p.clip_inplace(0, 3)
    assert read(p) == [0, 3]
    table.set_value(numbers), decay(), table.clip_inplace(1, 2)
    assert np.array(read(table)).max() == 2
    p.set_value([1, 2]), decay()
    before = np.array(read(p))
    p.scale(2)
    assert read(p) == (2 * before).tolist()


def test_steps_under_weight_decay_are_those_of_what_is_seen(model):
    model.set_weight_decay(0.1)
    p, q = model.add_parameters(1, init=1), model.add_parameters(1, init=1)
    trainer = dy.SimpleSGDTrainer(model, 0.5)
    expected = [1.0, 1.0]
    for i in range(30):
        p.set_updated(i % 3 > 0)
        train(trainer, p, q)
        expected = [w if k == 0 and i % 3 == 0 else (w - 0.5) * 0.9 for k, w in enumerate(expected)]
        assert np.allclose([read(p)[0], read(q)[0]], expected, atol=1e-5)


# -- what is not used


@pytest.mark.parametrize("sparse", [True, False])
@every_trainer
def test_what_no_graph_used_does_not_move(kind, sparse, model):
    first, second = model.add_parameters((2, 2), init=1), model.add_parameters((2, 2), init=1)
    table = model.add_lookup_parameters((3, 2), init=1)
    trainer = kind(model)
    trainer.set_sparse_updates(sparse)
    train(trainer, second, lambda: table[0], table)
    before = second.as_array().copy(), table.as_array().copy()
    for _ in range(5):
        assert not second.grad_as_array().any()  # to read it is not to use it
        train(trainer, first)
    assert np.array_equal(second.as_array(), before[0]) and np.array_equal(table.as_array(), before[1])
    train(trainer, second)
    assert not np.array_equal(second.as_array(), before[0])


def test_update_subset(model):
    p, q = model.add_parameters(1, init=0), model.add_parameters(1, init=0)
    table = model.add_lookup_parameters((2, 1), init=0)
    trainer = dy.MomentumSGDTrainer(model, 1.0)
    dy.esum([p, q * 100.0, table[1]]).backward()
    trainer.update_subset([p], [])
    assert p.as_array()[0] == -1 and q.as_array()[0] == 0 and not table.as_array().any()
    assert p.grad_as_array()[0] == 0 and q.grad_as_array()[0] == 100
    trainer.update_subset(updated_params=[], updated_lookups=(table,))
    assert table.as_array()[:, 0].tolist() == [0, -1] and p.as_array()[0] == -1
    trainer.update_subset([1], [0])
    assert q.as_array()[0] == -5 and p.as_array()[0] == -1
    q.set_gradient([1])
    q.set_updated(False)
    trainer.update_subset([q], [])
    assert q.as_array()[0] == -5
    stranger = dy.ParameterCollection().add_parameters(1)
    for wrong, error in (
        ([stranger], ValueError),
        ([2], IndexError),
        (["p"], TypeError),
        ([table], TypeError),
    ):
        with pytest.raises(error, match="update_subset"):
            trainer.update_subset(wrong, [])


# -- bad gradients


@every_trainer
def test_bad_gradients_are_named_and_change_nothing(kind, model, tmp_path):
    point, other = model.add_parameters((2, 3), init=1, name="point"), model.add_parameters(2, init=1)
    table = model.add_lookup_parameters((3, 2), init=1, name="words")
    trainer = kind(model)
    train(trainer, point, other, lambda: table[1])
    random = np.random.default_rng(1)
    values = [x.as_array().copy() for x in (point, other, table)]
    trainer.save(tmp_path / "before")
    for bad in (np.nan, np.inf, -np.inf):
        dy.renew_cg()
        dy.esum([dy.sum_elems(point), dy.sum_elems(other), dy.sum_elems(table[0])]).backward()
        gradient = random.standard_normal((2, 3))
        gradient[1, 2] = bad
        point.set_gradient(gradient)
        with pytest.raises(RuntimeError, match=r"/point\[1,2\] is ") as error:
            trainer.update()
        assert "words" not in str(error.value) and "/_0" not in str(error.value)
        table.set_row_gradient(2, [0, bad])
        with pytest.raises(RuntimeError, match=r"/point\[1,2\] is .*, /words\[2,1\] is "):
            trainer.update()
        trainer.save(tmp_path / "after")
        texts = [(tmp_path / name).read_text().splitlines() for name in ("before", "after")]
        for text in texts:
            del text[-3], text[-1]  # the random numbers and the checksum
        assert texts[0] == texts[1]
        assert all(
            np.array_equal(x.as_array(), v) for x, v in zip((point, other, table), values, strict=True)
        )
        model.reset_gradient()
    train(trainer, point)
    assert not np.array_equal(point.as_array(), values[0])


def test_many_bad_gradients_are_counted(model):
    ps = [model.add_parameters(1, name=f"p{i}") for i in range(8)]
    for p in ps:
        p.set_gradient([np.nan])
    with pytest.raises(RuntimeError, match=r"/p0\[0\] is nan, .*/p4\[0\] is nan and 3 more"):
        dy.AdamTrainer(model).update()


def test_bad_gradients_of_frozen_parameters_do_no_harm(model):
    p, frozen = model.add_parameters(1, init=0), model.add_parameters(1, init=0)
    frozen.set_updated(False)
    frozen.set_gradient([np.nan])
    train(dy.SimpleSGDTrainer(model, 1), p)
    assert p.as_array()[0] == -1


# -- setting gradients and tables


def test_setting_gradients(model):
    p, table = model.add_parameters((2, 3), init=0), model.add_lookup_parameters((4, 2, 3), init=0)
    trainer = dy.MomentumSGDTrainer(model, 1.0, 0.5)
    trainer.set_clip_threshold(0)
    gradient = np.arange(6.0).reshape(2, 3)
    rows = np.zeros((4, 2, 3))
    rows[2], rows[3] = gradient, 1
    for _ in range(2):
        p.set_gradient(gradient), table.set_gradient(rows)
        p.set_gradient(gradient.tolist()), table.set_gradient(rows)
        assert np.array_equal(p.grad_as_array(), gradient) and np.array_equal(table.grad_as_array(), rows)
        assert np.array_equal(table.row_grad_as_array(2), gradient)
        trainer.update()
    assert np.array_equal(p.as_array(), -2.5 * gradient) and np.array_equal(table.as_array(), -2.5 * rows)
    table.set_row_gradient(3, gradient)
    p.set_gradient(np.zeros((2, 3)))
    trainer.update()  # a gradient of zeros moves a parameter, rows of zeros rest
    assert np.array_equal(p.as_array(), -3.25 * gradient)
    assert np.array_equal(table.as_array()[2], -2.5 * gradient) and table.as_array()[3, 0, 0] == -3.25
    for wrong in (
        lambda: p.set_gradient(np.ones((3, 2))),
        lambda: table.set_gradient(np.ones((3, 2, 3))),
        lambda: table.set_gradient(gradient),
        lambda: table.set_row_gradient(0, [1]),
    ):
        with pytest.raises(ValueError, match=r"set_(row_)?gradient.*3"):
            wrong()
    with pytest.raises(IndexError):
        table.set_row_gradient(4, gradient)


def test_tables_can_do_what_parameters_can(model):
    table = model.add_lookup_parameters((3, 2), init=0)
    numbers = np.arange(6.0).reshape(3, 2)
    table.set_value(numbers)
    table.scale(2)
    table.clip_inplace(1, 8)
    assert table.as_array().tolist() == [[1, 2], [4, 6], [8, 8]]
    table[0] = [5, 6]
    table[-1] = np.array([7, 8])
    assert table.as_array().tolist() == [[5, 6], [4, 6], [7, 8]]
    for wrong in (np.ones((2, 3)), np.ones((2, 2)), np.ones(6)):
        with pytest.raises(ValueError, match=r"^set_value: an array of shape"):
            table.set_value(wrong)
    for i in (3, -4):
        with pytest.raises(IndexError):
            table[i] = [1, 2]
    with pytest.raises(ValueError):
        table[0] = [1, 2, 3]
    with pytest.raises(TypeError):
        table["a"] = [1, 2]


@every_trainer
def test_tables_grow(kind, model, tmp_path):
    def steps(rows_first, count):
        m = dy.ParameterCollection()
        table = m.add_lookup_parameters((rows_first, 2), init=1)
        trainer = kind(m)
        for _ in range(count):
            train(trainer, lambda: table[0], lambda: table[1])
        if rows_first < 4:
            table.add_rows(4 - rows_first, init=1)
        for _ in range(3):
            train(trainer, lambda: table[1], lambda: table[3], table)
        return table.as_array().tolist()

    assert steps(2, 3) == steps(4, 3)


def test_rows_are_added(model, tmp_path):
    table = model.add_lookup_parameters((2, 3), init=1, name="t")
    old = dy.sum_elems(table[1])
    matrix = table * dy.inputVector([1, 2])
    matrix.value()
    table.add_rows(2, init=np.arange(6.0).reshape(2, 3))
    assert table.shape() == (4, 3) and len(table) == 4 and table[3].value() == [3, 4, 5]
    (old + dy.sum_elems(table[2]) + dy.sum_elems(matrix)).backward()
    assert table.grad_as_array().tolist() == [[1] * 3, [3] * 3, [1] * 3, [0] * 3]
    dy.renew_cg()
    assert (table * dy.inputVector([0, 0, 0, 1])).value() == [3, 4, 5]
    table.add_rows(1)
    assert 0 < abs(table.as_array()[4]).max() <= 1.01
    table.add_rows(1, init="normal", std=0.0, mean=2.0), table.add_rows(0), table.add_rows(1, 7)
    assert table.as_array()[5:].tolist() == [[2] * 3, [7] * 3]
    model.save(tmp_path / "m")
    other = dy.ParameterCollection()
    assert np.array_equal(other.load_lookup_param(tmp_path / "m", "/t").as_array(), table.as_array())
    for wrong in (lambda: table.add_rows(2, init=np.ones((1, 3))), lambda: table.add_rows(2, init="what")):
        with pytest.raises(ValueError):
            wrong()
    assert len(table) == 7


def test_a_matrix_that_was_not_evaluated_before_its_table_grew(model):
    table = model.add_lookup_parameters((2, 3), init=1)
    loss = dy.sum_elems(table * dy.inputVector([1, 2]))
    table.add_rows(1)
    with pytest.raises(RuntimeError, match=r"more rows.*renew"):
        loss.value()


# -- states in memory


def test_state_dict(model):
    inner = model.add_subcollection("inner")
    p, q = model.add_parameters((2, 3), name="p"), inner.add_parameters(2, name="q")
    table = inner.add_lookup_parameters((3, 2), name="t")
    model.set_weight_decay(0.1)
    trainer = dy.AdamTrainer(model)
    train(trainer, p, q, lambda: table[1])
    state = model.state_dict()
    assert list(state) == ["/p", "/inner/q", "/inner/t"] == [x.name() for x in (p, q, table)]
    assert all(np.array_equal(state[x.name()], x.as_array()) for x in (p, q, table))
    assert list(inner.state_dict()) == ["/q", "/t"]
    for _ in range(3):
        train(trainer, p, q, lambda: table[1])
    dy.renew_cg()
    dy.sum_elems(p).backward()
    model.load_state_dict(state)
    assert all(np.array_equal(state[x.name()], x.as_array()) for x in (p, q, table))
    assert not p.grad_as_array().any()
    copy = dy.ParameterCollection()
    r, rows = copy.add_parameters(2, name="q"), copy.add_lookup_parameters((3, 2), name="t")
    copy.load_state_dict(inner.state_dict())
    assert np.array_equal(r.as_array(), q.as_array()) and np.array_equal(rows.as_array(), table.as_array())
    before = r.as_array().copy()
    for wrong, error, said in (
        ({"/q": [1, 2]}, RuntimeError, "nothing is there for /t"),
        ({**copy.state_dict(), "/x": [1]}, RuntimeError, "no /x"),
        ({"/q": [1, 2], "/t": np.ones((2, 3))}, ValueError, "/t"),
    ):
        with pytest.raises(error, match=rf"load_state_dict.*{said}"):
            copy.load_state_dict(wrong)
        assert np.array_equal(r.as_array(), before)
    copy.load_state_dict({"/q": [1, 2], "/x": [1]}, strict=False)
    assert r.as_array().tolist() == [1, 2]


# -- random numbers


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_training_with_dropout_goes_on_to_the_bit(decay, tmp_path):
    def made():
        m = dy.ParameterCollection()
        m.set_weight_decay(decay)
        w, t = m.add_parameters((4, 4)), m.add_lookup_parameters((5, 4))
        return m, w, t, dy.AdamTrainer(m)

    def steps(m, w, t, trainer):
        for i in range(4):
            dy.renew_cg()
            x = dy.dropout(dy.noise(t[i], 0.1), 0.5)
            dy.squared_norm(dy.dropout(dy.tanh(w * x), 0.5)).backward()
            trainer.update()
        extra = m.add_parameters(3)
        return [x.as_array().tolist() for x in (w, t, extra)]

    dy.reset_random_seed(3)
    first = made()
    steps(*first[:3], first[3])
    first[0].save(tmp_path / "model"), first[3].save(tmp_path / "trainer")
    expected = steps(*first)
    dy.reset_random_seed(4)
    second = made()
    second[0].add_parameters(3)
    second[0].populate(tmp_path / "model"), second[3].populate(tmp_path / "trainer")
    assert steps(*second) == expected


def test_trainer_files_without_random_numbers_leave_them(model, tmp_path):
    trainer = dy.SimpleSGDTrainer(model)
    trainer.save(tmp_path / "t")
    lines = (tmp_path / "t").read_text().splitlines()
    assert lines[-3].startswith("#Random# ")
    (tmp_path / "t").write_text("\n".join([lines[0].rstrip(), *lines[1:-3]]) + "\n")

    def draw(load):
        dy.reset_random_seed(5)
        if load:
            trainer.populate(tmp_path / "t")
        dy.renew_cg()
        return dy.random_normal(3).value()

    assert draw(False) == draw(True)
